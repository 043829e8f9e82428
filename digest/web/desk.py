"""The editor's desk: the edition of a date before it goes out, as its readers will get it, and the word that holds or frees it.

The token in the address says who the editor is. What is seen is made by the very function that sends; only a POST decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from digest import clock
from digest.config import Config
from digest.delivery import message
from digest.editions import compose, order, policy
from digest.editions.gates import Finding
from digest.editions.publish import as_it_stands, draft, findings
from digest.editions.stage import Stage, stage
from digest.errors import EditionSettled, TooLate
from digest.model import WAITING, Digest, Edition, Item, Override, OverrideKind, Rendered
from digest.store import deliveries as ledger
from digest.store import editions as store
from digest.store import engine as engines
from digest.store import overrides, subscribers
from digest.web.pages import Pages

LONGEST_REASON = 300
LONGEST_TITLE = 300

_ORDERS = {"hold": OverrideKind.HOLD, "approve": OverrideKind.APPROVE, "skip": OverrideKind.SKIP}
_DEEDS = {"drop": OverrideKind.DROP, "pin": OverrideKind.PIN, "retitle": OverrideKind.RETITLE}
_DARK_ONLY = "@media (prefers-color-scheme: dark)"


@dataclass(frozen=True, slots=True)
class _Seat:
    """Who sits at the desk, before which edition."""

    digest: Digest
    day: date
    editor: str
    token: str


@dataclass(frozen=True, slots=True)
class _Sight:
    """The edition as it stands: stored, or as it would be made now; how far it has come; what is decided and done about it."""

    edition: Edition
    stage: Stage
    overrides: tuple[Override, ...]
    choices: tuple[tuple[str, ...], ...]


class DeskPages:
    """Answers the editors' signed links."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/desk/{token}", self.desk, methods=["GET"]),
            Route("/desk/{token}", self.order_form, methods=["POST"]),
            Route("/desk/{token}/mail", self.mail, methods=["GET"]),
            Route("/desk/{token}/text", self.text, methods=["GET"]),
        ]

    def desk(self, request: Request) -> Response:
        """The edition with everything an editor decides by."""
        return self._page(self._seat(request))

    async def order_form(self, request: Request) -> Response:
        """Do as an editor says: to the edition, or to one of its stories."""
        async with request.form() as form:
            return await run_in_threadpool(self._obey, request, form)

    def mail(self, request: Request) -> Response:
        """The HTML that readers get: `?look=dark` as programs with a dark look show it, `?pictures=no` without pictures."""
        rendered = self._rendered(self._seat(request))
        body = rendered.html
        if request.query_params.get("look") == "dark":
            body = body.replace(_DARK_ONLY, "@media all")
        if request.query_params.get("pictures") == "no":
            body = body.replace("<img ", '<img hidden data-off="" ').replace(' src="', ' data-src="')
        return HTMLResponse(body)

    def text(self, request: Request) -> Response:
        """The text part that readers get."""
        return PlainTextResponse(self._rendered(self._seat(request)).text)

    def _seat(self, request: Request) -> _Seat:
        token = request.path_params["token"]
        slug, day, editor = self._pages.links.read_desk(token)
        digest = self._pages.digest(slug)
        if digest is None:
            raise HTTPException(404)
        return _Seat(digest, day, editor, token)

    def _sight(self, connection: Connection, seat: _Seat, now: datetime) -> _Sight:
        stored = store.by_date(connection, seat.digest.slug, seat.day)
        if stored is None:
            press = clock.slot(seat.day, seat.digest.press, seat.digest.zone) or now
            edition = draft(self._config, connection, seat.digest, seat.day, press, now)
        else:
            edition = as_it_stands(connection, stored, now) if stored.state in WAITING else stored
        counts = ledger.counts(connection, stored.id) if stored else {}
        in_force = overrides.in_force(connection, seat.digest.slug, now)
        ordered = policy.order_for(seat.day, in_force)
        approved = ordered is not None and ordered.kind is OverrideKind.APPROVE
        return _Sight(
            edition,
            stage(stored, counts, approved=approved),
            tuple(in_force),
            tuple(subscribers.choices(connection, seat.digest.slug, seat.day)),
        )

    def _page(self, seat: _Seat, *, said: str = "", problem: str = "") -> Response:
        now = self._pages.clock()
        with engines.read(self._pages.engine) as connection:
            sight = self._sight(connection, seat, now)
        edition = compose.cut(sight.edition, ())
        found: Sequence[Finding] = ()
        size = 0
        if edition.items:
            found = findings(self._config, self._pages.engine, sight.edition, sight.choices)
            size = len(self._rendered(seat).html.encode())
        here = f"../desk/{seat.token}"
        return self._pages.page(
            "desk.html",
            422 if problem else 200,
            digest=seat.digest,
            edition=edition,
            editor=seat.editor,
            stage=sight.stage,
            prospect=policy.prospect(seat.digest),
            settled=sight.stage not in {Stage.BUILDING, Stage.PROPOSED, Stage.APPROVED, Stage.HELD}
            or (sight.stage is Stage.APPROVED and bool(sight.edition.id) and sight.edition.state not in WAITING),
            findings=found,
            overrides=[one for one in sight.overrides if one.day in {None, seat.day}],
            size=size,
            here_href=here,
            mail_href=f"{here}/mail",
            dark_href=f"{here}/mail?look=dark",
            bare_href=f"{here}/mail?pictures=no",
            text_href=f"{here}/text",
            said=said,
            problem=problem,
        )

    def _rendered(self, seat: _Seat) -> Rendered:
        with engines.read(self._pages.engine) as connection:
            edition = self._sight(connection, seat, self._pages.clock()).edition
        neutral = compose.cut(edition, ())
        if not neutral.items:
            raise HTTPException(404)
        mail = self._pages.renderer.edition_mail(neutral)
        reader = message.sample_reader(edition, self._config.site, self._pages.links)
        return message.filled_for(mail, reader)

    def _obey(self, request: Request, form: FormData) -> Response:
        seat, now = self._seat(request), self._pages.clock()
        reason = " ".join(str(form.get("reason", "")).split())
        if not reason:
            return self._page(seat, problem="Please say why, in a few words: it stands in the receipts.")
        if len(reason) > LONGEST_REASON:
            return self._page(seat, problem=f"Please say it in at most {LONGEST_REASON} characters.")
        action = str(form.get("action", ""))
        try:
            if action in _ORDERS:
                return self._decide(seat, _ORDERS[action], reason, now)
            if action in _DEEDS:
                title = " ".join(str(form.get("title", "")).split())
                return self._touch(seat, _DEEDS[action], str(form.get("story", "")), title, reason, now)
        except EditionSettled as settled:
            return self._page(seat, problem=str(settled))
        return self._page(seat, problem="Please use one of the buttons.")

    def _decide(self, seat: _Seat, kind: OverrideKind, reason: str, now: datetime) -> Response:
        try:
            order.give(
                self._config,
                self._pages.engine,
                seat.digest,
                kind,
                seat.day,
                author=seat.editor,
                reason=reason,
                now=now,
            )
        except TooLate:
            return self._page(seat, problem="It is too late for this edition.")
        return RedirectResponse(f"../desk/{seat.token}", 303)

    def _touch(self, seat: _Seat, kind: OverrideKind, story: str, title: str, reason: str, now: datetime) -> Response:
        if kind is OverrideKind.RETITLE and not 0 < len(title) <= LONGEST_TITLE:
            return self._page(seat, problem=f"Please write a headline of at most {LONGEST_TITLE} characters.")
        with engines.read(self._pages.engine) as connection:
            items: Sequence[Item] = self._sight(connection, seat, now).edition.items
        item = next((item for item in items if item.story_id == story), None)
        if item is None:
            return self._page(seat, problem="That story is not in the edition any more.")
        until = now + timedelta(hours=self._config.ranking.hours)
        done = Override(kind, seat.digest.slug, seat.editor, reason, now, until, articles=item.article_ids, title=title)
        with engines.write(self._pages.engine) as connection:
            overrides.add(connection, done)
        return RedirectResponse(f"../desk/{seat.token}", 303)

    @property
    def _config(self) -> Config:
        return self._pages.config
