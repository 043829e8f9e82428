"""feedparser, on bytes: the only module that meets it. Runs in the child process of `sandbox`, never in the service.

The HTML passes are switched off: titles and summaries become plain text later, and those passes are not a boundary.
"""

import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import feedparser

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.model import Entry, Image

OLDEST_YEAR, NEWEST_YEAR = 1995, 2100

_LONGEST_TEXT, _LONGEST_SUMMARY, _LONGEST_NAME = 4_000, 16_000, 400
_MOST_CATEGORIES = 20
_MOST_IMAGES = 5
_ROOT = re.compile(rb"<([A-Za-z_][\w:.-]{0,60})")
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#])", re.IGNORECASE)


def parse(body: bytes, url: str, content_type: str, most_entries: int) -> Parsed | ParseFailed:
    """Read a document of any feed format and encoding.

    Args:
        body: the document as fetched.
        url: where it was found; relative links are resolved against it.
        content_type: as the server gave it; its charset is one of the witnesses for the encoding.
        most_entries: only the newest so many entries are kept, in document order.
    """
    headers = {"content-location": url}
    if content_type:
        headers["content-type"] = content_type
    try:
        document = feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        if not document.entries and (reason := _fault(document, body)):
            return ParseFailed(reason)
        feed = document.feed
        return Parsed(
            entries=_newest([_entry(entry) for entry in document.entries], most_entries),
            title=_text(feed, "title"),
            language=_text(feed, "language", _LONGEST_NAME),
            ttl=_ttl(_text(feed, "ttl", _LONGEST_NAME)),
        )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - feedparser lets through whatever a document provokes in it
        return ParseFailed(f"the document cannot be read: {type(error).__name__}")


def _fault(document: Any, body: bytes) -> str | None:
    """Why a document without entries is none of a feed; None for a feed that is merely empty."""
    if not document.get("version"):
        start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:4096]
        root = _ROOT.search(start)
        name = root[1].decode("ascii", "replace") if root else ""
        if name.lower() in {"html", "head", "body"} or b"<!doctype html" in start.lower():
            return "not a feed: it is an HTML page"
        if start[:1] in {b"{", b"["}:
            return "not a feed: it is JSON"
        return f"not a feed: its first element is <{name}>" if name else "not a feed: it is not XML"
    if document.get("bozo") and isinstance(document.get("bozo_exception"), feedparser.ThingsNobodyCaresAboutButMe):
        return None
    return "broken XML, and no entry in what could be read" if document.get("bozo") else None


def _newest(entries: list[Entry], most: int) -> tuple[Entry, ...]:
    if len(entries) <= most:
        return tuple(entries)
    undated = datetime.max.replace(tzinfo=UTC)
    order = sorted(
        range(len(entries)), key=lambda i: entries[i].published or entries[i].updated or undated, reverse=True
    )
    return tuple(entries[i] for i in sorted(order[:most]))


def _entry(raw: Any) -> Entry:
    content = [part.get("value") or "" for part in raw.get("content", [])]
    return Entry(
        entry_id=str(raw.get("id") or ""),
        link=_text(raw, "feedburner_origlink") or _text(raw, "link"),
        title=_text(raw, "title"),
        summary=_text(raw, "summary", _LONGEST_SUMMARY) or "".join(content[:1])[:_LONGEST_SUMMARY],
        published=_moment(raw, "published_parsed"),
        updated=_moment(raw, "updated_parsed"),
        author=_text(raw.get("author_detail") or {}, "name", _LONGEST_NAME) or _text(raw, "author", _LONGEST_NAME),
        source=_source(raw),
        language=_text(raw, "language", _LONGEST_NAME)
        or _text(raw.get("title_detail") or {}, "language", _LONGEST_NAME),
        categories=tuple(_text(tag, "term", _LONGEST_NAME) for tag in raw.get("tags", [])[:_MOST_CATEGORIES]),
        images=tuple(image for image in _images(raw) if image.url),
    )


def _text(holder: Any, key: str, most: int = _LONGEST_TEXT) -> str:
    value = holder.get(key)
    return value[:most] if isinstance(value, str) else ""


def _source(raw: Any) -> str:
    title = _text(raw.get("source") or {}, "title", _LONGEST_NAME)
    return "" if title.strip().lower() == "unknown" else title


def _moment(raw: Any, key: str) -> datetime | None:
    # Asked of the plain dict, since feedparser's own lookup answers for a missing `updated` with `published`.
    parts = dict.get(raw, key)
    if not parts or not OLDEST_YEAR <= parts[0] <= NEWEST_YEAR:
        return None
    try:
        return datetime.fromtimestamp(timegm(parts), UTC)
    except (ValueError, OverflowError):
        return None


def _images(raw: Any) -> Iterator[Image]:
    """The pictures among an entry's media, the larger kinds first; credits belong to media in order, or all to one."""
    credit = [words.get("content") or "" for words in raw.get("media_credit", [])]
    media = [*raw.get("media_content", []), *raw.get("enclosures", [])]
    media = [medium for medium in media if _is_picture(medium)] + raw.get("media_thumbnail", [])
    for number, medium in enumerate(media[:_MOST_IMAGES]):
        yield Image(
            url=_text(medium, "url") or _text(medium, "href"),
            credit=(credit[number] if number < len(credit) else "".join(credit[:1]))[:_LONGEST_NAME],
            alt=_text(raw, "media_text", _LONGEST_NAME),
            width=_pixels(medium, "width"),
            height=_pixels(medium, "height"),
        )


def _is_picture(medium: Any) -> bool:
    kind = medium.get("medium") or medium.get("type") or ""
    return kind.startswith("image") if kind else bool(_PICTURE.search(_text(medium, "url")))


def _pixels(media: Any, key: str) -> int | None:
    value = str(media.get(key) or "")
    return int(value) if re.fullmatch(r"[1-9]\d{0,4}", value, re.ASCII) else None


def _ttl(text: str) -> timedelta | None:
    return timedelta(minutes=int(text)) if re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII) else None
