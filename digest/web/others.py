"""Other digests of the site, on the page of a reader's preferences: each with what the reader has of it, or a button to ask for it.

The link to preferences may have been forwarded. So what is asked for here is confirmed by mail, as whatever visitors ask for.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from digest.errors import BadToken
from digest.links import Purpose, address_key, visitor_key
from digest.model import Subscription, SubscriptionState, Wish
from digest.store import engine as engines
from digest.store import signups
from digest.store import subscribers as store
from digest.subscribers import signup
from digest.subscribers.consent import masked
from digest.subscribers.signup import Admission, Words
from digest.web import entered, visitor
from digest.web.pages import Pages

LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Other:
    """Another digest: relative addresses of the reader's preferences and of where to leave it, empty where it is not read."""

    slug: str
    title: str
    preferences_href: str = ""
    unsubscribe_href: str = ""


def others(pages: Pages, found: Subscription) -> list[Other]:
    """The digests of the site beside the one that a subscription is to, as its page shows them."""
    if len(pages.config.digests) == 1:
        return []
    with engines.read(pages.engine) as connection:
        theirs = {one.digest: one for one in store.by_address(connection, found.address)}
    return [
        Other(digest.slug, digest.title, *_hrefs(pages, theirs.get(digest.slug)))
        for digest in pages.config.digests
        if digest.slug != found.digest
    ]


def _hrefs(pages: Pages, one: Subscription | None) -> tuple[str, ...]:
    if one is None or one.state is not SubscriptionState.ACTIVE:
        return ()
    return tuple(
        f"../{purpose}/{pages.links.token(purpose, one.id, one.version)}"
        for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)
    )


class OtherPages:
    """Answers readers who want another digest too."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [Route("/preferences/{token}/digests", self.ask_form, methods=["POST"])]

    async def ask_form(self, request: Request) -> Response:
        """Take the wish for another digest, and say that mail is on its way."""
        async with request.form() as form:
            return await run_in_threadpool(self._ask, request, form)

    def _ask(self, request: Request, form: FormData) -> Response:
        token = request.path_params["token"]
        number, version = self._pages.links.read(Purpose.PREFERENCES, token)
        with engines.read(self._pages.engine) as connection:
            found = store.subscription(connection, number)
        digest, mark = self._pages.digest(str(form.get("digest", ""))), str(form.get("form", ""))
        fits = found is not None and found.version == version and found.state is SubscriptionState.ACTIVE
        if found is None or not fits or digest is None or not self._is_fresh(mark):
            # The page of the preferences says what is wrong with its link, or has a fresh form.
            return RedirectResponse(f"../{token}", 303)
        config, now = self._pages.config, self._pages.clock()
        who = visitor.of(request, self._pages.config.web.proxies)
        words = Words(self._pages.language.gettext("Get %(title)s too", title=digest.title))
        wanted = signups.Request(
            wish=Wish.SUBSCRIBE,
            address=found.address,
            address_key=address_key(found.address, config.signing_keys),
            form=hashlib.sha256(mark.encode()).hexdigest(),
            network=visitor_key(visitor.network(who), config.signing_keys),
            digest=digest.slug,
            topics=(),
            evidence={
                "how": "preferences",
                "at": now.isoformat(),
                "words": words.version,
                "from": visitor_key(str(who), config.signing_keys),
            },
        )
        if signup.ask(config, self._pages.engine, wanted, words, now) is not Admission.TAKEN:
            heading = self._pages.language.gettext("That is not how this page works")
            page = self._pages.error(429, heading, entered.busy(self._pages))
            page.headers["Retry-After"] = "3600"
            return page
        days = signup.CONFIRMABLE.days
        return self._pages.page("check-mail.html", address=masked(found.address), days=days, wish=Wish.SUBSCRIBE.value)

    def _is_fresh(self, mark: str) -> bool:
        try:
            return self._pages.clock() - self._pages.links.read_form(mark) <= LONGEST
        except BadToken:
            return False
