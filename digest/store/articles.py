"""Articles: every one that a feed brought, once, with the words it has now and the moment we first saw it."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, bindparam, func, select, union_all, update

from digest.model import Article, Hold, Image, KnownArticle, Window
from digest.store.feeds import feed_of
from digest.store.rows import Row, rows
from digest.store.tables import articles, feeds
from digest.store.upsert import insert_if_absent

_AT_ONCE = 500
_KNOWN = tuple(articles.c[name] for name in KnownArticle.__dataclass_fields__)
_Value = TypeVar("_Value")


def similar(conn: Connection, feed_id: int, found: Sequence[Article]) -> list[KnownArticle]:
    """A feed's stored articles with the identifier, the page or the headline of one of these, oldest first."""
    known: dict[int, KnownArticle] = {}
    for some in _batches(found):
        ids = [article.entry_id for article in some]
        pages = [spelling for article in some for spelling in _spellings(article.url)]
        headlines = [_title_key(article.title) for article in some]
        # Three queries in one, since each has an index of its own.
        query = union_all(
            *(
                select(*_KNOWN).where(articles.c.feed_id == feed_id, column.in_(values))
                for column, values in (
                    (articles.c.entry_id, ids),
                    (articles.c.url, pages),
                    (articles.c.title_key, headlines),
                )
            )
        )
        known |= {row.id: KnownArticle(*row) for row in conn.execute(query)}
    return [known[row_id] for row_id in sorted(known)]


def add(conn: Connection, feed_id: int, new: Sequence[Article]) -> int:
    """Store new articles, and return how many came in: one that came in just now by another hand is left alone."""
    return insert_if_absent(conn, articles, [_row(article, feed_id) for article in new])


def change(conn: Connection, changed: Sequence[tuple[int, Article]], now: datetime) -> None:
    """Give stored articles, by id, the words that their feed has for them now. When each was first seen never changes."""
    if not changed:
        return
    rows = [{"row_id": row_id, **_words(article), "updated_at": now} for row_id, article in changed]
    names = [name for name in rows[0] if name != "row_id"]
    statement = update(articles).where(articles.c.id == bindparam("row_id"))
    values: dict[str, Any] = {name: bindparam(name) for name in names} | {"updates": articles.c.updates + 1}
    conn.execute(statement.values(values), rows)


def release(conn: Connection, feed_id: int) -> int:
    """Let the articles of a feed that were held back for review into editions; how many there were."""
    held = (articles.c.feed_id == feed_id) & (articles.c.hold == Hold.REISSUE)
    count: int = conn.scalar(select(func.count()).where(held)) or 0
    conn.execute(update(articles).where(held).values(hold=None))
    conn.execute(update(feeds).where(feeds.c.id == feed_id).values(flooded_at=None))
    return count


def between(conn: Connection, window: Window, languages: Collection[str] = ()) -> list[Article]:
    """The articles of configured feeds that were published in a window, oldest first; of all languages if none is named.

    Those that are held back are left out.
    """
    return _read(
        conn,
        feeds.c.configured,
        articles.c.hold.is_(None),
        articles.c.published_at >= window.start,
        articles.c.published_at < window.end,
        *([articles.c.language.in_(languages)] if languages else []),
    )


def by_ids(conn: Connection, ids: Collection[int]) -> list[Article]:
    """The stored articles among these ids, oldest first, whether or not their feed is still configured."""
    found = [article for some in _batches(sorted(ids)) for article in _read(conn, articles.c.id.in_(some))]
    return sorted(found, key=lambda article: (article.published_at, article.id))


def by_url(conn: Connection, url: str) -> list[Article]:
    """The stored articles of one page, whichever feeds brought them, oldest first."""
    # Naming the feeds lets the index on feed and address answer.
    return _read(conn, articles.c.feed_id.in_(select(feeds.c.id)), articles.c.url.in_(_spellings(url)))


def _read(conn: Connection, *conditions: Any) -> list[Article]:
    query = (
        select(articles, *(column.label(f"feeds_{column.name}") for column in feeds.c))
        .join_from(articles, feeds)
        .where(*conditions)
        .order_by(articles.c.published_at, articles.c.id)
    )
    return [_article(row) for row in rows(conn, query)]


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
        "hold": article.hold,
        **_words(article),
        "published_at": article.published_at,
        "first_seen_at": article.first_seen_at,
        "updated_at": article.first_seen_at,
    }


def _words(article: Article) -> dict[str, Any]:
    """What a publisher may correct later."""
    return {
        "url": article.url,
        "title": article.title,
        "title_key": _title_key(article.title),
        "summary": article.summary,
        "publisher": article.publisher,
        "language": article.language,
        "author": article.author,
        "categories": list(article.categories),
        "image": asdict(article.image) if article.image else None,
        "fingerprint": article.fingerprint,
    }


def _article(row: Row) -> Article:
    return Article(
        id=row["id"],
        entry_id=row["entry_id"],
        url=row["url"],
        title=row["title"],
        summary=row["summary"],
        publisher=row["publisher"],
        published_at=row["published_at"],
        first_seen_at=row["first_seen_at"],
        feed=feed_of(row, "feeds_"),
        fingerprint=row["fingerprint"],
        language=row["language"],
        author=row["author"],
        categories=tuple(row["categories"]),
        image=Image(**row["image"]) if row["image"] else None,
        hold=Hold(row["hold"]) if row["hold"] else None,
    )


def _title_key(title: str) -> str:
    return hashlib.blake2b(title.casefold().encode(), digest_size=16).hexdigest()
