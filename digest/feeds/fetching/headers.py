"""What the headers of an answer say: validators, how long to stay away, why there is no document. Pure.

Every header is a stranger's text; what makes no sense is taken as not said.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses

from digest.feeds.outcomes import FetchFailed
from digest.model import Validators

REFUSED_WAIT = timedelta(hours=4)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=30), timedelta(hours=24)
BOT_WALL = "cf-mitigated"

_MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_UNWELCOME = (
    *(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS),
    HTTPStatus.TOO_MANY_REQUESTS,
)
_LONGEST_VALIDATOR = 1024
_LONGEST_SHOWN = 200
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,18})", re.ASCII)
_MOST_SECONDS = LONGEST_WAIT.total_seconds()


def conditions(validators: Validators) -> dict[str, str]:
    """The headers that make a request conditional (RFC 9110, section 13)."""
    wanted = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in wanted.items() if value}


def validators(headers: Mapping[str, str]) -> Validators:
    """What to ask with the next time; values that could not be sent back are left out."""
    values = (headers.get(name, "") for name in ("ETag", "Last-Modified"))
    etag, modified = (v if v and v.isprintable() and len(v) <= _LONGEST_VALIDATOR else None for v in values)
    return Validators(etag, modified)


def refusal(status: int, headers: Mapping[str, str]) -> FetchFailed:
    """Why there is no document, and when we may ask again: a server that does not want us is left alone for hours."""
    wait = _retry_after(headers)
    walled = BOT_WALL in headers
    if status in _UNWELCOME or walled or (wait is None and "Retry-After" in headers):
        wait = wait or REFUSED_WAIT
    if walled:
        return FetchFailed("blocked by bot protection", status, wait)
    reason = f"the server answered {status} {responses.get(status, '')}".rstrip()
    return FetchFailed(reason, status, wait, gone=status in _MISSING)


def fresh_for(headers: Mapping[str, str]) -> timedelta | None:
    """How long the answer lives on from now, at most a day (RFC 9111, section 4.2); None where it says nothing of use.

    Of several headers of one name only the first is looked at.
    """
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    if limit := _MAX_AGE.search(control):
        age = _NUMBER.fullmatch(headers.get("Age", "").strip())
        seconds = float(int(limit[1]) - (int(age[0]) if age else 0))
    else:
        until, since = _date(headers.get("Expires", "")), _date(headers.get("Date", ""))
        seconds = (until - since).total_seconds() if until and since else 0.0
    return timedelta(seconds=min(seconds, _MOST_SECONDS)) if seconds > 0 else None


def shown(text: str) -> str:
    """A stranger's text, fit for one line of a report."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return printable if len(printable) <= _LONGEST_SHOWN else f"{printable[:_LONGEST_SHOWN]}…"


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What Retry-After asks for, within reason; None where it makes no sense. A date counts from the server's own."""
    text = headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(text):
        wait = timedelta(seconds=min(int(text), _MOST_SECONDS))
    else:
        until, since = _date(text), _date(headers.get("Date", ""))
        if until is None or since is None or until < since:
            return None
        wait = until - since
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).replace(tzinfo=None)  # HTTP dates are all in GMT
    except (ValueError, OverflowError):
        return None
