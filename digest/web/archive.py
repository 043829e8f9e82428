"""The pages that everybody may read: every edition, and the lists of them by month. No token, no address."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from digest.editions import feed as feeds
from digest.model import Digest, EditionState
from digest.store import corrections
from digest.store import editions as store
from digest.store.editions import Month
from digest.web.feeds import FEEDS_MAY_BE_KEPT, written_as
from digest.web.kept import Kept, Made
from digest.web.pages import Pages

EDITIONS_IN_FEED = 14

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ArchivePages:
    """Answers with editions as they were frozen."""

    def __init__(self, pages: Pages, kept: Kept) -> None:
        self._pages, self._kept = pages, kept

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/archive", self.archive, methods=["GET"]),
            Route("/archive/{digest}", self.editions, methods=["GET"]),
            Route("/archive/{digest}/feed.{kind}", self.feed, methods=["GET"]),
            Route("/archive/{digest}/{when}", self.dated, methods=["GET"]),
        ]

    def archive(self, _request: Request) -> Response:
        """The way to the only digest's editions, or the list of digests."""
        digests = self._pages.config.digests
        if len(digests) == 1:
            return RedirectResponse(self._pages.links.archive(digests[0].slug), 302)
        return self._pages.page("digests.html", digests=digests)

    async def editions(self, request: Request) -> Response:
        """The editions of a digest's newest month, the newest first, and the way to those of every month."""
        digest = self._digest(request)

        def make(connection: Connection) -> Made:
            months = store.months(connection, digest.slug)
            newest = _of_month(connection, digest, months, months[0].first) if months else {}
            return self._made("archive.html", digest=digest, months=months, **newest)

        return await self._kept.answer(request, ("archive", digest.slug), make)

    async def dated(self, request: Request) -> Response:
        """An edition, or those of a month, by how much of a date the address has."""
        when = request.path_params["when"]
        if _MONTH.fullmatch(when):
            return await self._month(request, _day(f"{when}-01"))
        return await self._edition(request, _day(when))

    async def feed(self, request: Request) -> Response:
        """The newest editions as a feed; nothing new is answered with 304."""
        digest, kind = self._digest(request), request.path_params["kind"]
        write, media_type = written_as(kind)

        def make(connection: Connection) -> Made:
            newest = store.newest(connection, digest.slug, EDITIONS_IN_FEED)
            editions = [(edition, corrections.of(connection, edition.id)) for edition in newest]
            feed = feeds.of_editions(digest, editions, self._pages.renderer, self._pages.links)
            return Made(write(feed), media_type, feed.updated)

        return await self._kept.answer(request, ("feed", digest.slug, kind), make, FEEDS_MAY_BE_KEPT)

    async def _month(self, request: Request, first: date) -> Response:
        """The editions of a month, the newest first, and the way to the months beside it."""
        digest = self._digest(request)

        def make(connection: Connection) -> Made:
            months = store.months(connection, digest.slug)
            return self._made("month.html", digest=digest, **_of_month(connection, digest, months, first))

        return await self._kept.answer(request, ("month", digest.slug, first), make)

    async def _edition(self, request: Request, day: date) -> Response:
        """One edition, the same for everybody."""
        digest = self._digest(request)

        def make(connection: Connection) -> Made:
            found = store.by_date(connection, digest.slug, day)
            if found is None or found.state is not EditionState.FROZEN:
                raise HTTPException(404)
            previous, following = store.neighbours(connection, digest.slug, day)
            corrected = corrections.of(connection, found.id)
            values = {"edition": found, "corrections": corrected, "previous": previous, "next": following}
            return self._made("edition.html", digest=digest, **values)

        return await self._kept.answer(request, ("edition", digest.slug, day), make)

    def _made(self, template: str, **values: Any) -> Made:
        return Made(self._pages.renderer.page(template, **values).encode(), "text/html")

    def _digest(self, request: Request) -> Digest:
        digest = self._pages.digest(request.path_params["digest"])
        if digest is None:
            raise HTTPException(404)
        return digest


def _of_month(connection: Connection, digest: Digest, months: Sequence[Month], first: date) -> dict[str, Any]:
    """What the list of a month shows: its editions, and the months with editions before and after it."""
    firsts = [one.first for one in months]
    if first not in firsts:
        raise HTTPException(404)
    end = (first + timedelta(days=31)).replace(day=1)
    return {
        "month": first,
        "editions": store.frozen(connection, digest.slug, since=first, before=end)[::-1],
        "previous": max((one for one in firsts if one < first), default=None),
        "next": min((one for one in firsts if one > first), default=None),
    }


def _day(text: str) -> date:
    """The date in an address, which has one spelling only."""
    if not _DAY.fullmatch(text):
        raise HTTPException(404)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(404) from error
