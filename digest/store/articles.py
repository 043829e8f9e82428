"""Articles: every one that a feed brought, once, with the words it has now and the moment we first saw it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Column, Connection, Row, bindparam, select, update

from digest.model import Article, Image, Window
from digest.store.feeds import feed_of
from digest.store.tables import articles, feeds
from digest.store.upsert import insert_if_absent

_AT_ONCE = 500
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Kept:
    """How many articles of a document were new, and how many known ones got new words."""

    new: int
    updated: int


def keep(conn: Connection, feed_id: int, found: Sequence[Article], now: datetime) -> Kept:
    """Store a document's articles: unknown ones come in, known ones whose words changed get the new words.

    An article is known by its entry id, or else by its page, since some feeds invent new ids at every poll. A link that
    several of the document's articles share is no page of any one of them. When an article was first seen never changes.

    Args:
        conn: in a write transaction.
        feed_id: whose document it was; what another feed says of the same page is its own affair.
        found: the document's articles, each entry id once.
        now: the moment that changed words are dated with.
    """
    links = Counter(article.url for article in found)
    pages = {article.url: _spellings(article.url) for article in found if links[article.url] == 1}
    by_id = _known(conn, feed_id, articles.c.entry_id, [article.entry_id for article in found])
    by_url = _known(conn, feed_id, articles.c.url, [spelling for page in pages.values() for spelling in page])
    new, changed = [], []
    for article in found:
        known = by_id.get(article.entry_id) or next(
            (by_url[page] for page in pages.get(article.url, ()) if page in by_url), None
        )
        if known is None:
            new.append(_row(article, feed_id))
        elif known.fingerprint != article.fingerprint:
            changed.append({"row_id": known.id, **_words(article), "updated_at": now})
    if changed:
        names = [name for name in changed[0] if name != "row_id"]
        change = update(articles).where(articles.c.id == bindparam("row_id"))
        conn.execute(change.values({name: bindparam(name) for name in names}), changed)
    return Kept(insert_if_absent(conn, articles, new), len(changed))


def between(conn: Connection, window: Window, languages: Collection[str] = ()) -> list[Article]:
    """The articles of configured feeds that were published in a window, oldest first; of all languages if none is named."""
    return _read(
        conn,
        feeds.c.configured,
        articles.c.published_at >= window.start,
        articles.c.published_at < window.end,
        *([articles.c.language.in_(languages)] if languages else []),
    )


def by_ids(conn: Connection, ids: Collection[int]) -> list[Article]:
    """The stored articles among these ids, oldest first, whether or not their feed is still configured."""
    found = [article for some in _batches(sorted(ids)) for article in _read(conn, articles.c.id.in_(some))]
    return sorted(found, key=lambda article: (article.published_at, article.id))


def _read(conn: Connection, *conditions: Any) -> list[Article]:
    query = (
        select(articles, *(column.label(f"feeds_{column.name}") for column in feeds.c))
        .join_from(articles, feeds)
        .where(*conditions)
        .order_by(articles.c.published_at, articles.c.id)
    )
    return [_article(row) for row in conn.execute(query)]


def _known(conn: Connection, feed_id: int, column: Column[str], values: Iterable[str]) -> dict[str, Row[Any]]:
    """A feed's stored articles by the column that names them; the oldest where a name stands for several."""
    found: dict[str, Row[Any]] = {}
    for some in _batches(list(values)):
        query = select(column.label("name"), articles.c.id, articles.c.fingerprint)
        query = query.where(articles.c.feed_id == feed_id, column.in_(some)).order_by(articles.c.id)
        for row in conn.execute(query):
            found.setdefault(row.name, row)
    return found


def _batches(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _spellings(url: str) -> tuple[str, ...]:
    """The addresses that feeds use for one page: with https or http, with `www.` or without; its own one first."""
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("www.")
    spelled = (
        urlunsplit(parts._replace(scheme=scheme, netloc=netloc))
        for scheme in ("https", "http")
        for netloc in (host, f"www.{host}")
    )
    return tuple(dict.fromkeys((url, *spelled)))


def _row(article: Article, feed_id: int) -> dict[str, Any]:
    return {
        "feed_id": feed_id,
        "entry_id": article.entry_id,
        "url": article.url,
        **_words(article),
        "published_at": article.published_at,
        "first_seen_at": article.first_seen_at,
        "updated_at": article.first_seen_at,
    }


def _words(article: Article) -> dict[str, Any]:
    """What a publisher may correct later."""
    return {
        "title": article.title,
        "summary": article.summary,
        "publisher": article.publisher,
        "language": article.language,
        "author": article.author,
        "categories": list(article.categories),
        "image": asdict(article.image) if article.image else None,
        "fingerprint": article.fingerprint,
    }


def _article(row: Row[Any]) -> Article:
    return Article(
        id=row.id,
        entry_id=row.entry_id,
        url=row.url,
        title=row.title,
        summary=row.summary,
        publisher=row.publisher,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        feed=feed_of(row, "feeds_"),
        fingerprint=row.fingerprint,
        language=row.language,
        author=row.author,
        categories=tuple(row.categories),
        image=Image(**row.image) if row.image else None,
    )
