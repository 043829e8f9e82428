"""The pages that everybody may read: every edition, and the list of them. No token, no address."""

import hashlib
import re
from datetime import date
from email.utils import format_datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from digest.editions.feed import atom, updated
from digest.model import Digest, EditionState
from digest.store import corrections
from digest.store import editions as store
from digest.store import engine as engines
from digest.web.pages import Pages

EDITIONS_A_PAGE = 60
EDITIONS_IN_FEED = 14

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ArchivePages:
    """Answers with editions as they were frozen."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/archive", self.archive, methods=["GET"]),
            Route("/archive/{digest}", self.editions, methods=["GET"]),
            Route("/archive/{digest}/feed.atom", self.feed, methods=["GET"]),
            Route("/archive/{digest}/{day}", self.edition, methods=["GET"]),
        ]

    def archive(self, _request: Request) -> Response:
        """The way to the only digest's editions, or the list of digests."""
        digests = self._pages.config.digests
        if len(digests) == 1:
            return RedirectResponse(self._pages.links.archive(digests[0].slug), 302)
        return self._pages.page("digests.html", digests=digests)

    def editions(self, request: Request) -> Response:
        """The list of a digest's editions, newest first; `?before=2026-02-10` turns the page."""
        digest = self._digest(request)
        before = _day(request.query_params["before"]) if "before" in request.query_params else None
        with engines.read(self._pages.engine) as connection:
            found = store.recent(connection, digest.slug, EDITIONS_A_PAGE + 1, before)
        shown = found[:EDITIONS_A_PAGE]
        older = f"{self._pages.links.archive(digest.slug)}?before={shown[-1].date}" if len(found) > len(shown) else None
        return self._pages.page("archive.html", digest=digest, editions=shown, older=older)

    def feed(self, request: Request) -> Response:
        """The newest editions as an Atom feed; nothing new is answered with 304 (RFC 9110)."""
        digest = self._digest(request)
        with engines.read(self._pages.engine) as connection:
            listed = store.recent(connection, digest.slug, EDITIONS_IN_FEED)
            found = [one for one in (store.by_id(connection, known.id) for known in listed) if one]
            editions = [(edition, corrections.of(connection, edition.id)) for edition in found]
        body = atom(digest, editions, self._pages.renderer, self._pages.links)
        headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "max-age=600"}
        if editions:
            newest = max(updated(*one) for one in editions)
            headers["Last-Modified"] = format_datetime(newest, usegmt=True)
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/atom+xml")

    def edition(self, request: Request) -> Response:
        """One edition, the same for everybody."""
        digest, day = self._digest(request), _day(request.path_params["day"])
        with engines.read(self._pages.engine) as connection:
            found = store.by_date(connection, digest.slug, day)
            previous, following = store.neighbours(connection, digest.slug, day)
            corrected = corrections.of(connection, found.id) if found else []
        if found is None or found.state is not EditionState.FROZEN:
            raise HTTPException(404)
        return self._pages.page(
            "edition.html", edition=found, digest=digest, corrections=corrected, previous=previous, next=following
        )

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
