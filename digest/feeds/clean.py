"""Entries into articles: plain text, canonical links, honest times, and an identity that survives the next poll. Pure."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.feeds import text, urls
from digest.feeds.outcomes import Parsed
from digest.feeds.urls import BadLink
from digest.model import Article, Entry, Feed, Image

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_NAME = 200, 600, 100
MOST_CATEGORIES = 20
OLDEST_NEWEST = timedelta(days=30)
"""How old the newest date of a document may be for its dates to be believed."""

_TITLE_FROM_SUMMARY = 80
_LONGEST_ID = 500
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE)
_CONTACT = re.compile(r"mailto:|\S+@\S+", re.IGNORECASE)
_NO_LANGUAGE = {"mul", "und", "zxx", "mis"}
_FEWEST_SITES = 3
_DOMINANT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Dropped:
    """An entry that does not become an article, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A document's articles in its own order, and how many entries were dropped for which reason."""

    articles: tuple[Article, ...]
    dropped: Mapping[str, int]


def clean_all(parsed: Parsed, feed: Feed, at: datetime) -> Cleaned:
    """Every article of a document that we first saw `at` this moment.

    What only the whole document can tell is decided here: whether its dates are to be believed, whether it gathers the
    work of many publishers, and whether its identifiers identify. An entry that stands twice becomes one article.
    """
    publishers = _publishers(parsed, feed)
    outcomes = [
        clean(entry, feed, at, parsed.language, publisher)
        for entry, publisher in zip(_believably_dated(parsed.entries, at), publishers, strict=True)
    ]
    dropped = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Dropped))
    articles = _identified([outcome for outcome in outcomes if isinstance(outcome, Article)])
    kept: dict[str, Article] = {}
    seen: set[tuple[str, str]] = set()
    for article in articles:
        same = (article.url, text.words(article.title))
        if article.entry_id in kept or same in seen:
            dropped["it stands twice in the document"] += 1
        else:
            kept[article.entry_id] = article
            seen.add(same)
    return Cleaned(tuple(kept.values()), dict(dropped))


def clean(entry: Entry, feed: Feed, at: datetime, feed_language: str, publisher: str) -> Article | Dropped:
    """An entry as an article, or why it cannot be one.

    Args:
        entry: as parsed.
        feed: where it came from.
        at: when we first saw it. No article is published later than that; without a date of its own, it is then.
        feed_language: what the document says of itself.
        publisher: whose article it is.
    """
    url = urls.canonical(entry.link, feed.url)
    if isinstance(url, BadLink):
        return Dropped(url.reason)
    summary = text.plain(entry.summary)
    title = text.plain(entry.title) or text.cut(summary, _TITLE_FROM_SUMMARY)
    if not title:
        return Dropped("neither title nor summary")
    if text.is_unreadable(title):
        return Dropped("the title's characters are unreadable")
    title = text.cut(_without_publisher(title, (publisher, feed.publisher)), LONGEST_TITLE)
    summary = "" if text.is_unreadable(summary) else text.cut(text.without_invitation(summary), LONGEST_SUMMARY)
    if text.words(summary) in {text.words(title), text.words(f"{title} {publisher}")}:
        summary = ""
    return Article(
        entry_id=_entry_id(entry.entry_id, url),
        url=url,
        title=title,
        summary=summary,
        publisher=publisher,
        published_at=min(entry.published or entry.updated or at, at),
        first_seen_at=at,
        feed=feed,
        fingerprint=_hash(text.words(title), text.words(summary)),
        language=_language(entry.language, feed_language, feed.language),
        author=text.cut(_CONTACT.sub("", text.plain(entry.author)).strip(" ()"), LONGEST_NAME),
        categories=_categories(entry),
        image=_image(entry, feed),
    )


def _believably_dated(entries: tuple[Entry, ...], at: datetime) -> list[Entry]:
    """The entries, without any dates if the newest of the document's is too old to be true.

    A server that offers a document today whose every date lies months back has a wrong clock more often than no news.
    Where the newest date is believable the older ones are too: a feed's archive stays old at the first poll.
    """
    dates = [given for entry in entries if (given := entry.published or entry.updated)]
    if not dates or max(dates) >= at - OLDEST_NEWEST:
        return list(entries)
    return [replace(entry, published=None, updated=None) for entry in entries]


def _publishers(parsed: Parsed, feed: Feed) -> list[str]:
    """Whose each entry is: the one it names; in a document that gathers many publishers' work, its link's host."""
    links = [urls.canonical(entry.link, feed.url) for entry in parsed.entries]
    sites = Counter(urls.site_of(link) for link in links if isinstance(link, str))
    gathered = len(sites) >= _FEWEST_SITES and max(sites.values()) <= sites.total() * _DOMINANT_SHARE
    named = [text.cut(text.plain(entry.source), LONGEST_NAME) for entry in parsed.entries]
    return [
        name or (urls.host_of(link) if gathered and isinstance(link, str) else feed.publisher)
        for name, link in zip(named, links, strict=True)
    ]


def _identified(articles: list[Article]) -> list[Article]:
    """The articles, an identifier that stands for several pages made distinct by the page."""
    pages: dict[str, set[str]] = {}
    for article in articles:
        pages.setdefault(article.entry_id, set()).add(article.url)
    return [
        replace(article, entry_id=_hash(article.entry_id, article.url)) if len(pages[article.entry_id]) > 1 else article
        for article in articles
    ]


def _entry_id(given: str, url: str) -> str:
    given = given.strip()
    if len(given) > _LONGEST_ID or not given.isprintable():
        return _hash(given)
    return given or url


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _without_publisher(title: str, publishers: tuple[str, ...]) -> str:
    """A title without the " - Publisher" that aggregators put behind it."""
    for publisher in publishers:
        for mark in (" - ", " – ", " | "):
            if title.lower().endswith(f"{mark}{publisher}".lower()) and publisher:
                return title[: -len(mark) - len(publisher)].rstrip() or title
    return title


def _language(*candidates: str | None) -> str:
    for candidate in candidates:
        match = _LANGUAGE.fullmatch((candidate or "").strip())
        if match and match[1].lower() not in _NO_LANGUAGE:
            return match[1].lower()
    return "en"


def _categories(entry: Entry) -> tuple[str, ...]:
    names = (text.cut(text.plain(category), LONGEST_NAME) for category in entry.categories)
    return tuple(dict.fromkeys(name for name in names if name))[:MOST_CATEGORIES]


def _image(entry: Entry, feed: Feed) -> Image | None:
    for image in entry.images:
        url = urls.absolute(image.url, feed.url)
        if isinstance(url, str):
            credit, alt = (text.cut(text.plain(words), LONGEST_TITLE) for words in (image.credit, image.alt))
            return replace(image, url=url, credit=credit, alt=alt)
    return None
