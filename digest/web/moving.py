"""The pages of a change of address: where a reader asks for it, and one at each end.

Nothing here tells who reads at the new address. As everywhere, a GET changes nothing.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.links import Purpose
from digest.model import Subscription, SubscriptionState, Wish
from digest.subscribers import moving, signup
from digest.subscribers.consent import acceptable, masked
from digest.subscribers.moving import End, Opened
from digest.subscribers.signup import Admission, Words
from digest.web import entered
from digest.web.pages import Pages


class MovingPages:
    """Answers readers who want their mail elsewhere, and both of their addresses."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/preferences/{token}/address", self.offer, methods=["GET"]),
            Route("/preferences/{token}/address", self.ask_form, methods=["POST"]),
            Route("/new-address/{token}", self.new_end, methods=["GET"]),
            Route("/new-address/{token}", self.confirm_form, methods=["POST"]),
            Route("/old-address/{token}", self.old_end, methods=["GET"]),
            Route("/old-address/{token}", self.stop_form, methods=["POST"]),
        ]

    def offer(self, request: Request) -> Response:
        """Ask for the new address."""
        found = self._by_preferences(request)
        return found if isinstance(found, Response) else self._page(found)

    async def ask_form(self, request: Request) -> Response:
        """Take the wish, and say that both addresses are written to."""
        async with request.form() as form:
            return await run_in_threadpool(self._ask, request, form)

    def new_end(self, request: Request) -> Response:
        """Ask whoever reads at the new address for the confirmation."""
        number, _ = self._pages.links.read(Purpose.NEW_ADDRESS, request.path_params["token"])
        return self._new_end(moving.opened_at_the_new(self._pages.engine, number, self._pages.clock()))

    async def confirm_form(self, request: Request) -> Response:
        """Let the address change, if that is what the form says."""
        async with request.form() as form:
            return await run_in_threadpool(self._confirm, request, form)

    def old_end(self, request: Request) -> Response:
        """Ask whoever reads at the old address whether it is to be kept."""
        number, _ = self._pages.links.read(Purpose.OLD_ADDRESS, request.path_params["token"])
        return self._old_end(moving.opened_at_the_old(self._pages.engine, number, self._pages.clock()))

    async def stop_form(self, request: Request) -> Response:
        """Keep the old address, if that is what the form says."""
        async with request.form() as form:
            return await run_in_threadpool(self._stop, request, form)

    def _ask(self, request: Request, form: FormData) -> Response:
        found = self._by_preferences(request)
        if isinstance(found, Response) or form.get("action") != "move":
            return found if isinstance(found, Response) else self._page(found)
        typed, mark = str(form.get("email", "")), str(form.get("form", ""))
        pages = self._pages.to(found)
        if problem := entered.problem(pages, typed) or _problem_of_form(pages, mark):
            return self._page(found, 422, typed=typed, problem=problem)
        config, words = pages.config, _words(pages)
        wanted = entered.wanted(
            self._pages,
            request,
            mark,
            Wish.MOVE,
            acceptable(typed, config),
            found.digest,
            words,
            how="change of address",
            subscription=found.id,
            version=found.version,
        )
        if signup.ask(config, self._pages.engine, wanted, words, self._pages.clock()) is Admission.TAKEN:
            return self._page(found, typed=typed, asked=True)
        page = self._page(found, 429, typed=typed, problem=entered.busy(pages))
        page.headers.update(entered.TRY_AGAIN)
        return page

    def _confirm(self, request: Request, form: FormData) -> Response:
        if form.get("action") != "confirm":
            return self.new_end(request)
        number, _ = self._pages.links.read(Purpose.NEW_ADDRESS, request.path_params["token"])
        evidence = {"confirmed_from": entered.origin(self._pages, request)}
        return self._new_end(moving.confirm(self._pages.engine, number, evidence, self._pages.clock()))

    def _stop(self, request: Request, form: FormData) -> Response:
        if form.get("action") != "stop":
            return self.old_end(request)
        number, _ = self._pages.links.read(Purpose.OLD_ADDRESS, request.path_params["token"])
        return self._old_end(moving.stop(self._pages.engine, number, self._pages.clock()))

    def _page(
        self, found: Subscription, status: int = 200, *, typed: str = "", problem: str = "", asked: bool = False
    ) -> Response:
        return self._pages.to(found).page(
            "address.html",
            status,
            address=masked(found.address),
            typed=typed.strip(),
            problem=problem,
            asked=asked,
            days=moving.CONFIRMABLE.days,
            mark=self._pages.links.form(self._pages.clock()),
            # The page stands one level below the preferences, whose token it has.
            ask_href="address",
            preferences_href=f"../{self._token(found)}",
        )

    def _new_end(self, opened: Opened) -> Response:
        found = opened.subscription
        if opened.end is End.CLOSED or found is None:
            return self._over()
        return self._pages.to(found).page(
            "new-address.html",
            confirmed=opened.end is End.DONE,
            address=masked(opened.address),
            preferences_href=f"../{Purpose.PREFERENCES}/{self._token(found)}",
        )

    def _old_end(self, opened: Opened) -> Response:
        if opened.end is End.CLOSED or opened.subscription is None:
            return self._over()
        pages = self._pages.to(opened.subscription)
        return pages.page("old-address.html", kept=opened.end is End.DONE, moved=opened.moved)

    def _by_preferences(self, request: Request) -> Subscription | Response:
        found = entered.reader(self._pages, request)
        return found if found and found.state is SubscriptionState.ACTIVE else self._over()

    def _token(self, found: Subscription) -> str:
        return self._pages.links.token(Purpose.PREFERENCES, found.id, found.version)

    def _over(self) -> Response:
        return self._pages.error(
            404,
            self._pages.language.gettext("This link works no more"),
            self._pages.language.gettext(
                "A link to change an address works for a week, until it is used or refused, and only while the new address has no subscription of its own. The newest edition in your inbox leads to the page where you can ask anew."
            ),
        )


def _words(pages: Pages) -> Words:
    """What stands on the form's page above and on its button."""
    promise = pages.language.gettext("Everything that you get from us will be mailed there.")
    return Words("\n".join((promise, pages.language.gettext("Change the address"))))


def _problem_of_form(pages: Pages, mark: str) -> str:
    return "" if entered.is_fresh(pages, mark) else entered.not_fresh(pages)
