"""The pictures that editions show, to everybody, under names that never come to mean another picture."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.store import engine as engines
from digest.store import pictures as store
from digest.web import fresh
from digest.web.pages import Pages

FOR_GOOD = "public, max-age=31536000, immutable"
"""A year is as long as caches keep anything (RFC 9111, RFC 8246)."""

_NAME = re.compile(r"[0-9a-z-]{1,76}\.jpg")


class PicturePages:
    """Answers with pictures as they were kept."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [Route("/pictures/{name}", self.picture, methods=["GET"])]

    def picture(self, request: Request) -> Response:
        """One picture, or that the asker's copy is still good."""
        name = request.path_params["name"]
        if not _NAME.fullmatch(name):
            raise HTTPException(404)
        with engines.read(self._pages.engine) as connection:
            body = store.body(connection, name)
        if body is None:
            raise HTTPException(404)
        etag = f'"{name.removesuffix(".jpg")}"'
        return fresh.answer(request, body, "image/jpeg", etag=etag, headers={"Cache-Control": FOR_GOOD})
