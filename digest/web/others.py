"""Other digests of the site, on the page of a reader's preferences: each with what the reader has of it, or a button to ask for it.

The link to preferences may have been forwarded. So what is asked for here is confirmed by mail, as whatever visitors ask for.
"""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from digest.links import Purpose
from digest.model import Subscription, SubscriptionState, Wish
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.subscribers import signup
from digest.subscribers.consent import masked
from digest.subscribers.signup import Admission, Words
from digest.web import entered
from digest.web.pages import Pages


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
        found = entered.reader(self._pages, request)
        digest, mark = self._pages.digest(str(form.get("digest", ""))), str(form.get("form", ""))
        reads = found is not None and found.state is SubscriptionState.ACTIVE
        if found is None or not reads or digest is None or not entered.is_fresh(self._pages, mark):
            # The page of the preferences says what is wrong with its link, or has a fresh form.
            return RedirectResponse(f"../{request.path_params['token']}", 303)
        pages = self._pages.to(found)
        words = Words(pages.language.gettext("Get %(title)s too", title=digest.title))
        wanted = entered.wanted(
            pages,
            request,
            mark,
            Wish.SUBSCRIBE,
            found.address,
            digest.slug,
            words,
            how="preferences",
            language=found.language,
        )
        admitted = signup.ask(self._pages.config, self._pages.engine, wanted, words, self._pages.clock())
        if admitted is not Admission.TAKEN:
            heading = pages.language.gettext("That is not how this page works")
            page = pages.error(429, heading, entered.busy(pages))
            page.headers.update(entered.TRY_AGAIN)
            return page
        days = signup.CONFIRMABLE.days
        return pages.page("check-mail.html", address=masked(found.address), days=days, wish=Wish.SUBSCRIBE.value)
