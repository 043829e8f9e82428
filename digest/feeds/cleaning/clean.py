"""Entries into articles: plain text, canonical links, honest times, and an identity that survives the next poll. Pure."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.feeds import identity
from digest.feeds.cleaning import closings, pictures, text, urls
from digest.feeds.cleaning.urls import BadLink
from digest.feeds.habits import FARTHEST_AHEAD
from digest.feeds.outcomes import Parsed
from digest.model import Article, Entry, Feed, Habits, Hold, Image

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_NAME = 200, 600, 100
MOST_CATEGORIES = 20
OLDEST_NEWEST = timedelta(days=30)
"""How old the newest date that a feed has given may be for its dates to be believed."""
MOST_UNDATED_AT_FIRST = 10
"""How many undated entries of a feed that nobody has read lately may be news; feeds put the newest first."""

_TITLE_FROM_SUMMARY = 80
_LONGEST_ID, _LONGEST_BYLINE = 500, 500
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_BEFORE_PUBLISHER = (" - ", " – ", " — ", " | ")
_BEFORE_PUBLISHER_LENGTH = 3
_AGGREGATORS = {"news.google.com"}
_FRAGMENT = 16
_CONTACT = re.compile(r"mailto:|\S+@\S+", re.IGNORECASE)
_NO_LANGUAGE = {"mul", "und", "zxx", "mis"}


@dataclass(frozen=True, slots=True)
class Dropped:
    """An entry that does not become an article, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A document's articles in its own order, and how many entries were dropped for which reason."""

    articles: tuple[Article, ...]
    dropped: Mapping[str, int]


def clean_all(parsed: Parsed, feed: Feed, habits: Habits, at: datetime, *, backlog: bool = False) -> Cleaned:
    """Every article of a document that we first saw `at` this moment. An entry that stands twice becomes one article.

    Args:
        parsed: the document, known entries left out.
        feed: where it came from.
        habits: the feed's, this document included: whether its dates are to be believed, whether it gathers the work of
            many publishers, and whether its identifiers identify.
        at: now.
        backlog: nobody has read the feed lately, so undated entries are old ones: all but the first few are held back.
    """
    dropped: Counter[str] = Counter()
    kept: dict[str, Article] = {}
    seen: set[tuple[str, str]] = set()
    undated = 0
    for entry in _believably_dated(parsed.entries, habits, at):
        article = clean(entry, feed, at, parsed.language, parsed.home, _publisher(entry, feed, habits))
        if isinstance(article, Dropped):
            dropped[article.reason] += 1
            continue
        entry_id = identity.distinct_id(article.entry_id, article.url) if habits.reuses_ids else article.entry_id
        same = (article.url, text.words(article.title))
        if entry_id in kept or same in seen:
            dropped["it stands twice in the document"] += 1
            continue
        undated += _given(entry) is None
        hold = Hold.BACKLOG if backlog and not _given(entry) and undated > MOST_UNDATED_AT_FIRST else None
        kept[entry_id] = replace(article, entry_id=entry_id, hold=hold)
        seen.add(same)
    return Cleaned(tuple(kept.values()), dict(dropped))


def clean(entry: Entry, feed: Feed, at: datetime, feed_language: str, home: str, publisher: str) -> Article | Dropped:
    """An entry as an article, or why it cannot be one.

    Args:
        entry: as parsed.
        feed: where it came from.
        at: when we first saw it. No article is published later than that; without a date of its own, it is then.
        feed_language: what the document says of itself.
        home: the page that the document belongs to; an entry without a link leads there.
        publisher: whose article it is.
    """
    url = _page(entry, feed)
    if isinstance(url, BadLink) and url != urls.NO_LINK:
        return Dropped(url.reason)
    summary = closings.without_closings(text.plain(entry.summary))
    title = text.plain(entry.title) or text.cut(summary, _TITLE_FROM_SUMMARY)
    if not title:
        return Dropped("neither title nor summary")
    if text.is_unreadable(title):
        return Dropped("the title's characters are unreadable")
    title = text.cut(_without_publisher(title, (publisher, feed.publisher)), LONGEST_TITLE)
    summary = "" if text.is_unreadable(summary) else text.cut(summary, LONGEST_SUMMARY)
    title_words, summary_words = text.words(title), text.words(summary)
    if summary_words in {title_words, f"{title_words} {text.words(publisher)}"}:
        summary = summary_words = ""
    if isinstance(url, BadLink):
        entry_id = _entry_id(entry.entry_id, _hash(feed.url, title, summary))
        url = _place_at_home(home, feed, entry_id)
        if isinstance(url, BadLink):
            return Dropped(url.reason)
    else:
        entry_id = _entry_id(entry.entry_id, url)
    return Article(
        entry_id=entry_id,
        url=url,
        title=title,
        summary=summary,
        publisher=publisher,
        published_at=min(entry.published or entry.updated or at, at),
        first_seen_at=at,
        feed=feed,
        fingerprint=_hash(title_words, summary_words),
        language=_language(entry.language, feed_language, feed.language),
        author=_author(entry.author),
        categories=_categories(entry),
        image=_image(entry, url),
    )


def _believably_dated(entries: tuple[Entry, ...], habits: Habits, at: datetime) -> list[Entry]:
    """The entries, without the dates that cannot be true.

    A date in the future is none. A server that offers a document today whose every date lies months back has a wrong
    clock more often than no news; where the newest date is believable the older ones are too, and a feed's archive stays
    old at the first poll.
    """
    believed = habits.newest is not None and habits.newest >= at - OLDEST_NEWEST
    latest = at + FARTHEST_AHEAD
    return [
        entry
        if not (given := _given(entry)) or (believed and given <= latest)
        else replace(entry, published=None, updated=None)
        for entry in entries
    ]


def _given(entry: Entry) -> datetime | None:
    return entry.published or entry.updated


def _publisher(entry: Entry, feed: Feed, habits: Habits) -> str:
    """Whose an entry is: the one it names; in a feed that gathers many publishers' work, its link's host.

    An aggregator's own links name nobody, but its titles end with the publisher.
    """
    if named := text.cut(text.plain(entry.source), LONGEST_NAME):
        return named
    link = urls.canonical(entry.link, feed.url) if habits.gathers else None
    if not isinstance(link, str):
        return feed.publisher
    host = urls.host_of(link)
    return _named_behind(text.plain(entry.title)) or host if host in _AGGREGATORS else host


def _named_behind(title: str) -> str:
    """What stands behind the last dash of a title, if it can be a name."""
    _, dash, name = title.rpartition(_BEFORE_PUBLISHER[0])
    return name if dash and 0 < len(name) <= LONGEST_NAME else ""


def _page(entry: Entry, feed: Feed) -> str | BadLink:
    """Where an entry leads: by its link, or else by an identifier that is an address."""
    url = urls.canonical(entry.link, feed.url)
    if isinstance(url, BadLink) and _ADDRESS.match(entry.entry_id):
        by_id = urls.canonical(entry.entry_id, feed.url)
        return by_id if isinstance(by_id, str) else url
    return url


def _place_at_home(home: str, feed: Feed, entry_id: str) -> str | BadLink:
    """The feed's own page, with a fragment that tells its entries apart."""
    page = urls.canonical(home, feed.url)
    if isinstance(page, BadLink) or len(page) + 1 + _FRAGMENT > urls.LONGEST:
        page = urls.absolute("/", feed.url)
    return page if isinstance(page, BadLink) else f"{page}#{_hash(entry_id)[:_FRAGMENT]}"


def _entry_id(given: str, otherwise: str) -> str:
    given = given.strip()
    if len(given) > _LONGEST_ID or not given.isprintable():
        return _hash(given)
    return given or otherwise


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _without_publisher(title: str, publishers: tuple[str, ...]) -> str:
    """A title without the " - Publisher" that aggregators put behind it."""
    lowered = title.lower()
    for publisher in publishers:
        ending = publisher.lower()
        if ending and lowered.endswith(ending) and lowered.removesuffix(ending).endswith(_BEFORE_PUBLISHER):
            return title[: -len(publisher) - _BEFORE_PUBLISHER_LENGTH].rstrip() or title
    return title


def _author(given: str) -> str:
    named = _CONTACT.sub(" ", text.plain(given)[:_LONGEST_BYLINE])
    return text.cut(" ".join(named.split()).strip(" ()"), LONGEST_NAME)


def _language(*candidates: str | None) -> str:
    for candidate in candidates:
        match = _LANGUAGE.fullmatch((candidate or "").strip())
        if match and match[1].lower() not in _NO_LANGUAGE:
            return match[1].lower()
    return "en"


def _categories(entry: Entry) -> tuple[str, ...]:
    names = (text.cut(text.plain(category), LONGEST_NAME) for category in entry.categories)
    return tuple(dict.fromkeys(name for name in names if name))[:MOST_CATEGORIES]


def _image(entry: Entry, page: str) -> Image | None:
    for image in entry.images:
        url = urls.absolute(image.url, page)
        if isinstance(url, str) and pictures.is_worthwhile(found := replace(image, url=url)):
            credit, alt = (text.cut(text.plain(words), LONGEST_TITLE) for words in (image.credit, image.alt))
            return replace(found, credit=credit, alt=alt)
    return None
