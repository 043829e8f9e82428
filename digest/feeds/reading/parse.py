"""feedparser, on bytes: the only module that meets it. Runs in the child process of `sandbox`, never in the service.

The HTML passes are switched off: titles and summaries become plain text later, and those passes are not a boundary.
"""

import codecs
import re
from calendar import timegm
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import feedparser
from feedparser import api, mixin
from feedparser.encodings import convert_to_utf8

from digest.feeds.cleaning import pictures
from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading import refusals, rhythm, sax
from digest.feeds.reading.scan import Scanned, scan, shares_ids
from digest.model import Entry

OLDEST_YEAR, NEWEST_YEAR = 1995, 2100

_LONGEST_TEXT, _LONGEST_SUMMARY, _LONGEST_NAME = 4_000, 16_000, 400
_MOST_CATEGORIES = 20
_STRAY = re.compile(
    rb"(<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))|&(?![A-Za-z][A-Za-z0-9]{0,31};|#(?:[0-9]{1,8}|[xX][0-9A-Fa-f]{1,6});)",
    re.DOTALL,
)
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*>")
_IN_UTF_8 = "application/xml; charset=utf-8"


def parse(body: bytes, url: str, content_type: str, most_entries: int, known: bytes = b"") -> Parsed | ParseFailed:
    """Read a document of any feed format and encoding.

    Args:
        body: the document as fetched.
        url: where it was found; relative links are resolved against it.
        content_type: as the server gave it; its charset is one of the witnesses for the encoding.
        most_entries: only the newest so many entries are kept, in document order.
        known: the marks of the items that need not be read, as an earlier reading gave them.
    """
    headers = {"content-location": url}
    # A byte order mark knows better than the server, and feedparser alone would not ask it.
    if wide := next((encoding for mark, encoding in _WIDE if body.startswith(mark)), ""):
        body, content_type = _DECLARATION.sub("", body.decode(wide, "replace")).encode(), _IN_UTF_8
    if content_type:
        headers["content-type"] = content_type
    try:
        return refusals.at_sight(body, url) or _parse(body, headers, most_entries, known)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - feedparser lets through whatever a document provokes in it
        return ParseFailed(f"the document cannot be read: {type(error).__name__}")


def prepare() -> None:
    """Spare feedparser what it does again for each document and element: a third of its time, and nothing it reads.

    For processes that read many documents.
    """
    api.PREFERRED_XML_PARSERS[:] = [sax.__name__]
    mixin.make_safe_absolute_uri = lru_cache(maxsize=256)(mixin.make_safe_absolute_uri)
    # What it copies deeply are the flat notes it makes of each text.
    mixin.copy = SimpleNamespace(deepcopy=feedparser.FeedParserDict)


def _parse(body: bytes, headers: dict[str, str], most_entries: int, known: bytes) -> Parsed | ParseFailed:
    url, seen = headers["content-location"], dict[str, Any]()
    document = convert_to_utf8(headers, body, seen)
    scanned = scan(document, url, known) if seen["encoding"] else None
    if scanned is None and seen["encoding"] and (mended := _mended(document)) != document:
        # The most frequent fault of feeds, which feedparser's lenient reading would turn into "AT&T;".
        body, headers = mended, headers | {"content-type": _IN_UTF_8}
        scanned = scan(mended, url, known)
    if isinstance(scanned, ParseFailed):
        return scanned
    if scanned:
        return _parsed(_read(scanned.document, headers | {"content-type": _IN_UTF_8}), most_entries, scanned)
    read = _read(body, headers)
    if not read.entries and not read.get("version"):
        return refusals.by_name(document)
    if not read.entries and _is_broken(read):
        return ParseFailed("broken XML, and no entry in what could be read")
    return _parsed(read, most_entries, None)


def _read(document: bytes, headers: dict[str, str]) -> Any:
    return feedparser.parse(
        BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )


def _mended(document: bytes) -> bytes:
    """A document with `&amp;` for every ampersand that begins no reference."""
    return _STRAY.sub(lambda found: found[1] or b"&amp;", document)


def _is_broken(read: Any) -> bool:
    return bool(read.get("bozo")) and not isinstance(read.get("bozo_exception"), feedparser.ThingsNobodyCaresAboutButMe)


def _parsed(read: Any, most_entries: int, scanned: Scanned | None) -> Parsed:
    feed, entries = read.feed, [_entry(entry) for entry in read.entries]
    home = _text(feed, "link")
    return Parsed(
        entries=_newest(entries, most_entries),
        title=_text(feed, "title"),
        language=_text(feed, "language", _LONGEST_NAME),
        home=home if re.match(r"https?://", home, re.IGNORECASE) else "",
        wait=rhythm.wait(_text(feed, "ttl", _LONGEST_NAME)),
        silent_hours=scanned.silent_hours if scanned else (),
        silent_days=scanned.silent_days if scanned else (),
        marks=scanned.marks if scanned else b"",
        known=scanned.known if scanned else 0,
        shared_ids=scanned.shared_ids if scanned else shares_ids((entry.entry_id, entry.link) for entry in entries),
    )


def _newest(entries: Sequence[Entry], most: int) -> tuple[Entry, ...]:
    if len(entries) <= most:
        return tuple(entries)
    undated = datetime.max.replace(tzinfo=UTC)
    order = sorted(
        range(len(entries)), key=lambda i: entries[i].published or entries[i].updated or undated, reverse=True
    )
    return tuple(entries[i] for i in sorted(order[:most]))


def _entry(raw: Any) -> Entry:
    content = [part.get("value") or "" for part in dict.get(raw, "content", ())]
    return Entry(
        entry_id=str(dict.get(raw, "id") or ""),
        link=_text(raw, "feedburner_origlink") or _text(raw, "link"),
        title=_text(raw, "title"),
        summary=_text(raw, "summary", _LONGEST_SUMMARY) or "".join(content[:1])[:_LONGEST_SUMMARY],
        published=_moment(raw, "published_parsed"),
        updated=_moment(raw, "updated_parsed"),
        author=_text(dict.get(raw, "author_detail") or {}, "name", _LONGEST_NAME)
        or _text(raw, "author", _LONGEST_NAME),
        source=_source(raw),
        language=_text(raw, "language", _LONGEST_NAME)
        or _text(dict.get(raw, "title_detail") or {}, "language", _LONGEST_NAME),
        categories=tuple(_text(tag, "term", _LONGEST_NAME) for tag in dict.get(raw, "tags", [])[:_MOST_CATEGORIES]),
        images=pictures.offered(raw),
    )


def _text(holder: Any, key: str, most: int = _LONGEST_TEXT) -> str:
    # Asked of the plain dict, whose answer that nothing is there is no exception on the way.
    value = dict.get(holder, key)
    return value[:most] if isinstance(value, str) else ""


def _source(raw: Any) -> str:
    title = _text(dict.get(raw, "source") or {}, "title", _LONGEST_NAME)
    return "" if title.strip().lower() == "unknown" else title


def _moment(raw: Any, key: str) -> datetime | None:
    # And feedparser's own lookup would answer for a missing `updated` with `published`.
    parts = dict.get(raw, key)
    if not parts or not OLDEST_YEAR <= parts[0] <= NEWEST_YEAR:
        return None
    try:
        return datetime.fromtimestamp(timegm(parts), UTC)
    except (ValueError, OverflowError):
        return None
