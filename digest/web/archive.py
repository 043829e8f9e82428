"""The pages that everybody may read: every edition, and the list of them. No token, no address."""

import re
from datetime import date
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
from digest.web.feeds import FEEDS_MAY_BE_KEPT, written_as
from digest.web.kept import Kept, Made
from digest.web.pages import Pages

EDITIONS_A_PAGE = 60
EDITIONS_IN_FEED = 14

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
            Route("/archive/{digest}/{day}", self.edition, methods=["GET"]),
        ]

    def archive(self, _request: Request) -> Response:
        """The way to the only digest's editions, or the list of digests."""
        digests = self._pages.config.digests
        if len(digests) == 1:
            return RedirectResponse(self._pages.links.archive(digests[0].slug), 302)
        return self._pages.page("digests.html", digests=digests)

    async def editions(self, request: Request) -> Response:
        """The list of a digest's editions, newest first; `?before=2026-02-10` turns the page."""
        digest = self._digest(request)
        before = _day(request.query_params["before"]) if "before" in request.query_params else None

        def make(connection: Connection) -> Made:
            found = store.recent(connection, digest.slug, EDITIONS_A_PAGE + 1, before)
            if before is not None and not found:
                raise HTTPException(404)
            shown = found[:EDITIONS_A_PAGE]
            further = len(found) > len(shown)
            older = f"{self._pages.links.archive(digest.slug)}?before={shown[-1].date}" if further else None
            return self._made("archive.html", digest=digest, editions=shown, older=older)

        return await self._kept.answer(request, ("archive", digest.slug, before), make)

    async def feed(self, request: Request) -> Response:
        """The newest editions as a feed; nothing new is answered with 304."""
        digest, kind = self._digest(request), request.path_params["kind"]
        write, media_type = written_as(kind)

        def make(connection: Connection) -> Made:
            listed = store.recent(connection, digest.slug, EDITIONS_IN_FEED)
            found = [one for one in (store.by_id(connection, known.id) for known in listed) if one]
            editions = [(edition, corrections.of(connection, edition.id)) for edition in found]
            feed = feeds.of_editions(digest, editions, self._pages.renderer, self._pages.links)
            return Made(write(feed), media_type, feed.updated)

        return await self._kept.answer(request, ("feed", digest.slug, kind), make, FEEDS_MAY_BE_KEPT)

    async def edition(self, request: Request) -> Response:
        """One edition, the same for everybody."""
        digest, day = self._digest(request), _day(request.path_params["day"])

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


def _day(text: str) -> date:
    """The date in an address, which has one spelling only."""
    if not _DAY.fullmatch(text):
        raise HTTPException(404)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(404) from error
