"""What readers may have of their own data: a copy, and that it is erased.

The links in mails are enough to leave and to choose, and mails are forwarded. So neither is done by them, but by a link that is
mailed to the address itself when it is asked for, and that works for a day.
"""

import json
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.delivery import orders
from digest.model import Subscription
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.subscribers import data
from digest.subscribers.consent import masked
from digest.web import entered
from digest.web.pages import Pages


class DataPages:
    """Answers the links to a reader's data, and the form that asks for one."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/preferences/{token}/data", self.offer, methods=["GET"]),
            Route("/preferences/{token}/data", self.ask_form, methods=["POST"]),
            Route("/your-data/{token}", self.show, methods=["GET"]),
            Route("/your-data/{token}", self.do_form, methods=["POST"]),
        ]

    def offer(self, request: Request) -> Response:
        """Say what is kept, and offer to mail the link."""
        found = self._by_preferences(request)
        return found if isinstance(found, Response) else self._page(found)

    async def ask_form(self, request: Request) -> Response:
        """Have the link mailed, once a day."""
        async with request.form() as form:
            return await run_in_threadpool(self._ask, request, form)

    def show(self, request: Request) -> Response:
        """Offer the copy, and to erase everything."""
        found = self._by_link(request)
        return found if isinstance(found, Response) else self._page(found[0], here=True, asked_at=found[1])

    async def do_form(self, request: Request) -> Response:
        """Bring the copy, or erase everything."""
        async with request.form() as form:
            return await run_in_threadpool(self._do, request, form)

    def _ask(self, request: Request, form: FormData) -> Response:
        found = self._by_preferences(request)
        if isinstance(found, Response) or form.get("action") != "data":
            return found if isinstance(found, Response) else self._page(found)
        now = self._pages.clock()
        with engines.write(self._pages.engine) as connection:
            orders.enqueue(connection, orders.data_wanted(found, now), now)
        return self._page(found, asked=True)

    def _do(self, request: Request, form: FormData) -> Response:
        named = self._by_link(request)
        if isinstance(named, Response):
            return named
        found, asked_at = named
        match form.get("action"):
            case "export" if not data.was_exported(self._pages.engine, found.id, asked_at):
                kept = data.export(self._pages.config, self._pages.engine, found, self._pages.clock())
                body = json.dumps(kept, ensure_ascii=False, indent=2)
                disposition = {"Content-Disposition": 'attachment; filename="my-data.json"'}
                return Response(body, media_type="application/json", headers=disposition)
            case "erase":
                data.erase(self._pages.engine, found.address, self._pages.clock())
                return self._page(found, erased=True)
        return self._page(found, here=True, asked_at=asked_at)

    def _page(
        self,
        found: Subscription,
        *,
        asked: bool = False,
        here: bool = False,
        asked_at: datetime | None = None,
        erased: bool = False,
    ) -> Response:
        exported = asked_at and data.was_exported(self._pages.engine, found.id, asked_at)
        return self._pages.to(found).page(
            "data.html",
            address="" if erased else masked(found.address),
            asked=asked,
            here=here,
            exported=exported,
            retention=self._pages.config.privacy,
            # The page stands one level below the preferences, whose token it has.
            ask_href="data",
            erased=erased,
        )

    def _by_preferences(self, request: Request) -> Subscription | Response:
        return entered.reader(self._pages, request) or self._over()

    def _by_link(self, request: Request) -> tuple[Subscription, datetime] | Response:
        subscription_id, version, seconds = self._pages.links.read_data(request.path_params["token"])
        asked_at = datetime.fromtimestamp(seconds, UTC)
        found = self._subscription(subscription_id)
        if found is None or found.version != version or self._pages.clock() - asked_at > data.LINK_LASTS:
            return self._over()
        return found, asked_at

    def _over(self) -> Response:
        return self._pages.error(
            404,
            self._pages.language.gettext("This link works no more"),
            self._pages.language.gettext(
                "A link to your data works for a day, and only while there is any. The newest edition in your inbox leads to the page that mails another."
            ),
        )

    def _subscription(self, subscription_id: int) -> Subscription | None:
        with engines.read(self._pages.engine) as connection:
            return store.subscription(connection, subscription_id)
