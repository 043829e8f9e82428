"""Feeds: what the configuration says of them, how the last poll of each went, and when the next one is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, distinct, func, select, update

from digest.model import Coverage, Feed, PollOutcome, Validators, Window
from digest.store.tables import articles, feeds
from digest.store.upsert import insert_if_absent


@dataclass(frozen=True, slots=True)
class KnownFeed:
    """A feed and what we remember of it for its next poll: failures in a row, and the last answer's HTTP status."""

    id: int
    feed: Feed
    validators: Validators
    body_hash: str | None
    polled_at: datetime | None
    next_poll_at: datetime
    failures: int
    status: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """How a poll ended, as it is remembered.

    `error` is a sentence for the operator. `validators` and `body_hash` are None where the feed keeps the ones it has;
    `succeeded` says that the server answered usefully, `brought_new` that an article came in.
    """

    outcome: PollOutcome
    next_poll_at: datetime
    status: int | None = None
    error: str | None = None
    validators: Validators | None = None
    body_hash: str | None = None
    succeeded: bool = True
    brought_new: bool = False


@dataclass(frozen=True, slots=True)
class FeedState:
    """A configured feed as `feeds list` shows it."""

    url: str
    publisher: str
    outcome: PollOutcome | None
    error: str | None
    polled_at: datetime | None
    succeeded_at: datetime | None
    new_at: datetime | None
    failures: int
    next_poll_at: datetime
    articles: int


def sync(conn: Connection, configured: Sequence[Feed], now: datetime) -> None:
    """Make the table say what `feeds.toml` says.

    A feed that is new, or back again, is due at once; one that is no longer named keeps its articles and is not polled.
    """
    known = {row.url: row for row in conn.execute(select(feeds))}
    watch(conn, configured, now)
    for feed in configured:
        row = known.get(feed.url)
        wanted = {**_settings(feed), "configured": True}
        if row is None or not row.configured:
            wanted["next_poll_at"] = now
        if row is None or any(getattr(row, name) != value for name, value in wanted.items()):
            conn.execute(update(feeds).where(feeds.c.url == feed.url).values(wanted))
    named = {feed.url for feed in configured}
    for row in known.values():
        if row.configured and row.url not in named:
            conn.execute(update(feeds).where(feeds.c.id == row.id).values(configured=False))


def watch(conn: Connection, sources: Iterable[Feed], now: datetime) -> None:
    """Remember sources from now on without counting them among the configured feeds. Known ones stay as they are."""
    insert_if_absent(
        conn,
        feeds,
        [
            {"url": source.url, **_settings(source), "configured": False, "next_poll_at": now, "created_at": now}
            for source in sources
        ],
    )


def configured(conn: Connection) -> list[KnownFeed]:
    """Every feed that `feeds.toml` names, the longest due first."""
    query = select(feeds).where(feeds.c.configured).order_by(feeds.c.next_poll_at, feeds.c.id)
    return [_known(row) for row in conn.execute(query)]


def due(conn: Connection, now: datetime) -> list[KnownFeed]:
    """The configured feeds whose next poll is due, the longest due first."""
    return [feed for feed in configured(conn) if feed.next_poll_at <= now]


def by_url(conn: Connection, url: str) -> KnownFeed | None:
    """The feed at a URL, configured or not."""
    row = conn.execute(select(feeds).where(feeds.c.url == url)).one_or_none()
    return _known(row) if row else None


def record(conn: Connection, feed_id: int, visit: Visit, now: datetime) -> None:
    """Remember how a poll ended; to be called in the transaction that stores what it brought."""
    values: dict[str, Any] = {
        "outcome": visit.outcome.value,
        "status": visit.status,
        "error": visit.error,
        "polled_at": now,
        "next_poll_at": visit.next_poll_at,
        "failures": 0 if visit.succeeded else feeds.c.failures + 1,
    }
    if visit.validators is not None:
        values |= {"etag": visit.validators.etag, "last_modified": visit.validators.last_modified}
    if visit.body_hash is not None:
        values["body_hash"] = visit.body_hash
    if visit.succeeded:
        values["succeeded_at"] = now
    if visit.brought_new:
        values["new_at"] = now
    conn.execute(update(feeds).where(feeds.c.id == feed_id).values(values))


def states(conn: Connection) -> list[FeedState]:
    """Every configured feed with its health, by publisher and URL."""
    counts = select(articles.c.feed_id, func.count().label("articles")).group_by(articles.c.feed_id).subquery()
    query = (
        select(feeds, func.coalesce(counts.c.articles, 0).label("articles"))
        .outerjoin(counts, counts.c.feed_id == feeds.c.id)
        .where(feeds.c.configured)
        .order_by(feeds.c.publisher, feeds.c.url)
    )
    return [
        FeedState(
            url=row.url,
            publisher=row.publisher,
            outcome=PollOutcome(row.outcome) if row.outcome else None,
            error=row.error,
            polled_at=row.polled_at,
            succeeded_at=row.succeeded_at,
            new_at=row.new_at,
            failures=row.failures,
            next_poll_at=row.next_poll_at,
            articles=row.articles,
        )
        for row in conn.execute(query)
    ]


def coverage(conn: Connection, window: Window) -> Coverage:
    """How much was read for a window: the feeds asked, those whose last poll failed, and the articles they brought."""
    asked = conn.execute(
        select(func.count(), func.count().filter(feeds.c.failures > 0)).where(feeds.c.configured)
    ).one()
    read = conn.execute(
        select(func.count(), func.count(distinct(articles.c.publisher)), func.max(articles.c.published_at))
        .join_from(articles, feeds)
        .where(feeds.c.configured, articles.c.published_at >= window.start, articles.c.published_at < window.end)
    ).one()
    return Coverage(feeds=asked[0], failed=asked[1], articles=read[0], publishers=read[1], newest=read[2])


def feed_of(row: Row[Any], prefix: str = "") -> Feed:
    """The feed in a row of table `feeds`, or of a join in which its columns have a prefix."""
    values = {name: getattr(row, prefix + name) for name in ("url", "publisher", "weight", "language")}
    seconds, topics = getattr(row, f"{prefix}poll_seconds"), getattr(row, f"{prefix}topics")
    return Feed(**values, topics=tuple(topics), poll=timedelta(seconds=seconds))


def _known(row: Row[Any]) -> KnownFeed:
    return KnownFeed(
        id=row.id,
        feed=feed_of(row),
        validators=Validators(row.etag, row.last_modified),
        body_hash=row.body_hash,
        polled_at=row.polled_at,
        next_poll_at=row.next_poll_at,
        failures=row.failures,
        status=row.status,
    )


def _settings(feed: Feed) -> dict[str, Any]:
    return {
        "publisher": feed.publisher,
        "weight": feed.weight,
        "language": feed.language,
        "topics": list(feed.topics),
        "poll_seconds": int(feed.poll.total_seconds()),
    }
