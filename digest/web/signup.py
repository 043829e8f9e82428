"""The pages of whoever is not a reader yet, or has lost the way to its preferences: home, sign-up, confirmation.

Nothing here tells whether an address is known: the request is kept, and answered by mail (`subscribers/signup.py`). A GET changes
nothing, since machines open every link of a mail; what confirms is a button.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest import clock as clocks
from digest.links import Purpose
from digest.model import Digest, Subscription, Topic, Wish
from digest.store import corrections, editions
from digest.store import engine as engines
from digest.subscribers import signup
from digest.subscribers.consent import acceptable, masked
from digest.subscribers.signup import Admission, LinkState, Words
from digest.web import entered, proof
from digest.web.pages import Pages

FASTEST = timedelta(seconds=3)
"""Nobody reads, types an address and presses a button in less."""

SIGN_UP, MY_LINK = "/sign-up", "/my-link"
TRAP = "website"
"""A field that people do not see, and that machines fill."""

FORM_PATHS = ("/sign-up", "/my-link", f"/{Purpose.CONFIRM}/")
"""Where there are forms beside the home page, whose path begins all others."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that asks for an address: where it goes, its mark, what stands in it, and why it was not taken.

    `up` leads from the page it stands on to our first one, whatever address that has. `digests` and `topics` are what can be
    chosen; of digests only where there are several. `proof` says whether a browser has to work for it, `privacy` what becomes of
    the address.
    """

    action: str
    mark: str
    proof: bool
    privacy: str
    up: str = "./"
    address: str = ""
    problem: str = ""
    digests: tuple[Digest, ...] = ()
    digest: str = ""
    topics: tuple[Topic, ...] = ()
    ticked: frozenset[str] = field(default_factory=frozenset)


class SignUpPages:
    """Answers visitors who want mail."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route(SIGN_UP, self.home, methods=["GET"]),
            Route(SIGN_UP, self.sign_up, methods=["POST"]),
            Route(MY_LINK, self.my_link, methods=["GET"]),
            Route(MY_LINK, self.my_link_form, methods=["POST"]),
            Route("/confirm/{token}", self.confirm, methods=["GET"]),
            Route("/confirm/{token}", self.confirm_form, methods=["POST"]),
            Route("/proof.js", self.script, methods=["GET"]),
        ]

    def home(self, _request: Request) -> Response:
        """What this is, how to get it, and the latest edition of the first digest."""
        return self._home(self._form(SIGN_UP))

    async def sign_up(self, request: Request) -> Response:
        """Take a wish to subscribe, and say that mail is on its way."""
        async with request.form() as form:
            return await run_in_threadpool(self._take, request, form, Wish.SUBSCRIBE)

    def my_link(self, _request: Request) -> Response:
        """Ask for the address whose links are to be mailed."""
        return self._pages.page("my-link.html", form=self._form(MY_LINK))

    async def my_link_form(self, request: Request) -> Response:
        """Take a wish for the links, and say that mail is on its way if there is a subscription."""
        async with request.form() as form:
            return await run_in_threadpool(self._take, request, form, Wish.LINKS)

    def confirm(self, request: Request) -> Response:
        """Ask for the confirmation, or say that there is one or that it is too late for it."""
        number, version = self._pages.links.read(Purpose.CONFIRM, request.path_params["token"])
        found = signup.opened(self._pages.config, self._pages.engine, number, version, self._pages.clock())
        if found.state is not LinkState.OPEN or found.subscription is None:
            return self._after(found, just_now=False)
        return self._pages.to(found.subscription).page(
            "confirm.html",
            digest=self._pages.title(found.subscription.digest),
            address=masked(found.subscription.address),
        )

    async def confirm_form(self, request: Request) -> Response:
        """Confirm, if that is what the form says."""
        async with request.form() as form:
            return await run_in_threadpool(self._confirm_as_told, request, form)

    def script(self, _request: Request) -> Response:
        """What makes a browser work for a form, where that is asked for."""
        return Response(proof.SCRIPT, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    def _confirm_as_told(self, request: Request, form: FormData) -> Response:
        if form.get("action") != "confirm":
            return self.confirm(request)
        number, version = self._pages.links.read(Purpose.CONFIRM, request.path_params["token"])
        config, now = self._pages.config, self._pages.clock()
        evidence = {"confirmed_from": entered.origin(self._pages, request)}
        before = signup.opened(config, self._pages.engine, number, version, now)
        after = signup.confirm(config, self._pages.engine, number, version, evidence, now)
        return self._after(after, just_now=before.state is LinkState.OPEN)

    def _after(self, found: signup.Opened, *, just_now: bool) -> Response:
        """The page of one who has confirmed, or no longer can."""
        if found.state is not LinkState.CONFIRMED or found.subscription is None:
            return self._pages.page("confirm-late.html", 410, form=replace(self._form(SIGN_UP), up="../"))
        mine = found.subscription
        return self._pages.to(mine).page(
            "confirmed.html",
            digest=self._pages.title(mine.digest),
            zone=self._zone(mine),
            next_at=self._next_at(mine),
            just_now=just_now,
            preferences_href=f"../{Purpose.PREFERENCES}/"
            f"{self._pages.links.token(Purpose.PREFERENCES, mine.id, mine.version)}",
        )

    def _next_at(self, mine: Subscription) -> object:
        digest = self._pages.digest(mine.digest)
        return clocks.next_press(digest, self._pages.clock(), mine.paused_until) if digest else None

    def _zone(self, mine: Subscription) -> str:
        digest = self._pages.digest(mine.digest)
        return digest.zone if digest else "UTC"

    def _take(self, request: Request, sent: FormData, wish: Wish) -> Response:
        config = self._pages.config
        typed, mark = str(sent.get("email", "")), str(sent.get("form", ""))
        action = SIGN_UP if wish is Wish.SUBSCRIBE else MY_LINK
        form = replace(self._form(action), address=typed)
        digest = self._digest(str(sent.get("digest", "")))
        if wish is Wish.SUBSCRIBE:
            ticked = frozenset(str(one) for one in sent.getlist("topic"))
            form = replace(form, digest=digest.slug, ticked=ticked)
            if not config.sign_up.open:
                return self._home(form, 403)
        if sent.get(TRAP):
            return self._on_its_way(wish, typed)
        problem = entered.problem(self._pages, typed) or self._problem_of_form(mark, typed, str(sent.get("proof", "")))
        if problem:
            return self._again(wish, replace(form, problem=problem), 422)
        address = acceptable(typed, config)
        words = self._words(wish)
        wanted = entered.wanted(
            self._pages,
            request,
            mark,
            wish,
            address,
            digest.slug,
            words,
            topics=self._chosen(digest, form.ticked),
            how="sign-up",
            page=request.url.path,
        )
        match signup.ask(config, self._pages.engine, wanted, words, self._pages.clock()):
            case Admission.TAKEN:
                return self._on_its_way(wish, typed)
            case Admission.NETWORK_BUSY:
                sentence = entered.busy(self._pages)
            case Admission.ALL_BUSY:
                sentence = self._pages.language.gettext(
                    "More people are signing up than we can write to just now. Please try again in an hour."
                )
        page = self._again(wish, replace(form, problem=sentence), 429)
        page.headers.update(entered.TRY_AGAIN)
        return page

    def _problem_of_form(self, mark: str, typed: str, number: str) -> str:
        if not entered.is_fresh(self._pages, mark, FASTEST):
            return entered.not_fresh(self._pages)
        if self._pages.config.sign_up.proof_of_work and not proof.holds(mark, typed, number):
            return self._pages.language.gettext(
                "The form came without its computation. Please press the button once again."
            )
        return ""

    def _again(self, wish: Wish, form: Form, status: int) -> Response:
        if wish is Wish.SUBSCRIBE:
            return self._home(form, status)
        return self._pages.page("my-link.html", status, form=form)

    def _on_its_way(self, wish: Wish, typed: str) -> Response:
        return self._pages.page("check-mail.html", address=typed.strip(), days=signup.CONFIRMABLE.days, wish=wish.value)

    def _home(self, form: Form, status: int = 200) -> Response:
        digest = self._pages.config.digests[0]
        with engines.read(self._pages.engine) as connection:
            latest = editions.latest(connection, digest.slug)
            corrected = corrections.of(connection, latest.id) if latest else []
        shown = form if self._pages.config.sign_up.open else None
        return self._pages.page("home.html", status, digest=digest, edition=latest, corrections=corrected, form=shown)

    def _form(self, action: str) -> Form:
        config = self._pages.config
        mark = self._pages.links.form(self._pages.clock())
        form = Form(action.removeprefix("/"), mark, config.sign_up.proof_of_work, self._privacy())
        if action != SIGN_UP:
            return form
        several = config.digests if len(config.digests) > 1 else ()
        topics = {topic.slug: topic for digest in config.digests for topic in self._pages.offered(digest.slug)}
        return replace(
            form,
            digests=several,
            digest=config.digests[0].slug,
            topics=tuple(topics.values()),
            ticked=frozenset(topics),
        )

    def _digest(self, slug: str) -> Digest:
        return self._pages.digest(slug) or self._pages.config.digests[0]

    def _chosen(self, digest: Digest, ticked: Collection[str]) -> tuple[str, ...]:
        """The topics to keep: none, which means all, where all are ticked that the digest has, or none."""
        offered = self._pages.offered(digest.slug)
        chosen = tuple(topic.slug for topic in offered if topic.slug in ticked)
        return () if len(chosen) == len(offered) else chosen

    def _words(self, wish: Wish) -> Words:
        """What stands on the form's page above, on and below its button."""
        language = self._pages.language
        if wish is Wish.LINKS:
            return Words(language.gettext("Mail me my link"))
        promise = language.gettext(
            "Sign up for daily updates for the most important stories unfolding in the global economy"
        )
        return Words("\n".join((promise, language.gettext("Sign up"), self._privacy())))

    def _privacy(self) -> str:
        return self._pages.language.gettext(
            "We use your address to send you what you ask for here, and for nothing else. Every mail has a link to leave, "
            "and nothing you open or click is tracked."
        )
