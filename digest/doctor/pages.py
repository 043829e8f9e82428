"""Whether readers reach our pages at the address that stands in their mail, and what time other machines have."""

import http.client
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from digest.findings import Finding, Group, Level

NO_ANSWER = "start `digest run`, and let your proxy pass it on, or mend `base_url` in [site]"


def reach(base_url: str, seconds: float) -> Finding:
    """Ask our own pages whether they are live, as readers would."""
    try:
        status, body, _ = _get(f"{base_url}/health/live", seconds)
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        reason = str(getattr(cause, "strerror", None) or cause or type(cause).__name__).lower()
        return Finding(
            "public address", Level.NOTE, f"{base_url} does not answer ({reason}); {NO_ANSWER}.", Group.PAGES
        )
    if status == http.HTTPStatus.OK and body.strip() == b"live":
        return Finding("public address", Level.OK, f"{base_url} leads to our pages.", Group.PAGES)
    return Finding(
        "public address", Level.FAULT, f"{base_url} answers, but not with our pages; {NO_ANSWER}.", Group.PAGES
    )


def secure(base_url: str) -> Finding | None:
    """Whether the address is one that mail programs unsubscribe at by one click (RFC 8058): https only."""
    parts = urlsplit(base_url)
    if parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return None
    sentence = (
        f"base_url is {base_url}: mail programs offer one-click unsubscribing for https only, which large providers ask for. Put a proxy "
        "with a certificate before the pages, and https into `base_url`."
    )
    return Finding("https", Level.FAULT, sentence, Group.PAGES)


def time_at(url: str, seconds: float) -> datetime | None:
    """What time a web server has; None where it does not say."""
    try:
        _, _, date = _get(url, seconds, "HEAD")
        return parsedate_to_datetime(date).astimezone(UTC)
    except (OSError, http.client.HTTPException, TypeError, ValueError):
        return None


def _get(url: str, seconds: float, method: str = "GET") -> tuple[int, bytes, str]:
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "economic-digest check"})  # noqa: S310  # from the configuration
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return answer.status, answer.read(100), answer.headers.get("Date", "")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(100), refused.headers.get("Date", "")
