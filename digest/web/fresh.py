"""Answers that need not be sent again to who has them (RFC 9110, section 13)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def tag(body: bytes) -> str:
    """An entity tag by which just this body is known."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answer(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    etag: str,
    modified: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body, or that the asker's copy of it is still good."""
    told = {"ETag": etag, **(headers or {})}
    if modified:
        told["Last-Modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
    if _is_known(request, etag, modified):
        return Response(status_code=304, headers=told)
    return Response(body, headers=told, media_type=media_type)


def _is_known(request: Request, etag: str, modified: datetime | None) -> bool:
    """A tag says more than a time does: with one, the time is not looked at."""
    if given := request.headers.get("If-None-Match"):
        return bool({one.strip().removeprefix("W/") for one in given.split(",")} & {etag, "*"})
    since = _moment(request.headers.get("If-Modified-Since", ""))
    return bool(modified and since and modified.replace(microsecond=0) <= since)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
