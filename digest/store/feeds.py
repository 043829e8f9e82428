"""Feeds: what the configuration says of them, what is remembered of each, and when the next poll of each is due."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, distinct, func, select, update

from digest.model import Alert, Coverage, Feed, Habits, Hold, KnownFeed, Memory, Move, PollOutcome, Validators, Window
from digest.store.rows import Row, rows
from digest.store.tables import articles, feeds
from digest.store.upsert import insert_if_absent


@dataclass(frozen=True, slots=True)
class FeedState:
    """A configured feed as `feeds list` shows it, with the number of its articles and of those held back for review."""

    feed: Feed
    memory: Memory
    articles: int
    held: int


def sync(conn: Connection, configured: Sequence[Feed], now: datetime) -> None:
    """Make the table say what `feeds.toml` says.

    A feed that is new, or back again, is due at once; one that is no longer named keeps its articles and is not polled.
    One whose address was changed to where it has moved stays the feed it was.
    """
    known = {row["url"]: row for row in rows(conn, select(*_NAMED))}
    named = {feed.url for feed in configured}
    for feed in configured:
        if feed.url not in known and (row := _moved_to(feed.url, known, named)):
            conn.execute(update(feeds).where(feeds.c.id == row["id"]).values(url=feed.url, address=None, moved_to=None))
            known[feed.url] = known.pop(row["url"])
    watch(conn, (feed for feed in configured if feed.url not in known), now)
    for feed in configured:
        row = known.get(feed.url)
        wanted = {**_settings(feed), "configured": True}
        if row is None or not row["configured"]:
            wanted["next_poll_at"] = now
        if row is None or not wanted.items() <= row.items():
            conn.execute(update(feeds).where(feeds.c.url == feed.url).values(wanted))
    for row in known.values():
        if row["configured"] and row["url"] not in named:
            conn.execute(
                update(feeds).where(feeds.c.id == row["id"], feeds.c.url == row["url"]).values(configured=False)
            )


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
    return _known(conn, feeds.c.configured)


def due(conn: Connection, now: datetime) -> list[KnownFeed]:
    """The configured feeds whose next poll is due, the longest due first; none that is paused or retired."""
    return _known(conn, *_due(now))


def claim(conn: Connection, now: datetime, until: datetime, most: int | None = None) -> list[KnownFeed]:
    """The feeds that are due, each for one caller only: for anybody else they are due again at `until`.

    Args:
        conn: in a write transaction.
        now: the time.
        until: when somebody else may take over from a caller who crashed.
        most: how many, the longest due first; others get the next ones at the same time.
    """
    found = _known(conn, *_due(now), most=most, lock=True)
    if found:
        taken = update(feeds).where(feeds.c.id == bindparam("feed_id")).values(next_poll_at=until)
        conn.execute(taken, [{"feed_id": known.id} for known in found])
    return found


def by_url(conn: Connection, url: str) -> KnownFeed | None:
    """The feed at a URL, configured or not."""
    return next(iter(_known(conn, feeds.c.url == url)), None)


def remember(conn: Connection, memories: Iterable[tuple[KnownFeed, Memory]]) -> None:
    """Store what is remembered of feeds from now on; to be called in the transaction that stores what they brought.

    Only what has changed is written, and what has changed for many in the same way, in one statement.
    """
    changes: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for known, memory in memories:
        changed: Row = {"next_poll_at": memory.next_poll_at}  # a claim has moved it
        for name in _MEMORY:
            before, after = getattr(known.memory, name), getattr(memory, name)
            if after is not before and after != before:
                changed |= _columns(name, after)
        changes[tuple(changed)].append({"feed_id": known.id, **changed})
    for names, alike in changes.items():
        change = update(feeds).where(feeds.c.id == bindparam("feed_id"))
        conn.execute(change.values({name: bindparam(name) for name in names}), alike)


def wake(conn: Connection, url: str, now: datetime) -> None:
    """Make a feed due at once, and take it out of retirement."""
    conn.execute(
        update(feeds)
        .where(feeds.c.url == url)
        .values(retired_at=None, missing_since=None, failures=0, failing_since=None, next_poll_at=now)
    )


def states(conn: Connection) -> list[FeedState]:
    """Every configured feed with its health, by publisher and URL."""
    counts = (
        select(
            articles.c.feed_id,
            func.count().label("articles"),
            func.count().filter(articles.c.hold == Hold.REISSUE).label("held"),
        )
        .group_by(articles.c.feed_id)
        .subquery()
    )
    query = (
        select(
            feeds, func.coalesce(counts.c.articles, 0).label("articles"), func.coalesce(counts.c.held, 0).label("held")
        )
        .outerjoin(counts, counts.c.feed_id == feeds.c.id)
        .where(feeds.c.configured)
        .order_by(feeds.c.publisher, feeds.c.url)
    )
    return [FeedState(feed_of(row), _memory(row), row["articles"], row["held"]) for row in rows(conn, query)]


def failing(conn: Connection) -> list[KnownFeed]:
    """The configured feeds that cannot be read, or are not asked any more; none that is paused."""
    cannot = feeds.c.failing_since.is_not(None) | feeds.c.retired_at.is_not(None)
    return _known(conn, feeds.c.configured, ~feeds.c.paused, cannot)


def last_polled(conn: Connection) -> datetime | None:
    """When a configured feed was polled last."""
    moment: datetime | None = conn.scalar(select(func.max(feeds.c.polled_at)).where(feeds.c.configured))
    return moment


def coverage(conn: Connection, window: Window) -> Coverage:
    """How much was read for a window: the feeds asked, those whose last poll failed, and the articles they brought."""
    asked = conn.execute(
        select(func.count(), func.count().filter(feeds.c.failures > 0)).where(feeds.c.configured)
    ).one()
    read = conn.execute(
        select(func.count(), func.count(distinct(articles.c.publisher)), func.max(articles.c.published_at))
        .join_from(articles, feeds)
        .where(
            feeds.c.configured,
            articles.c.hold.is_(None),
            articles.c.published_at >= window.start,
            articles.c.published_at < window.end,
        )
    ).one()
    return Coverage(feeds=asked[0], failed=asked[1], articles=read[0], publishers=read[1], newest=read[2])


def feed_of(row: Row, prefix: str = "") -> Feed:
    """The feed in a row of table `feeds`, or of a join in which its columns have a prefix."""
    values = {name: row[prefix + name] for name in ("url", "publisher", "weight", "language", "paused", "official")}
    seconds, topics = row[f"{prefix}poll_seconds"], row[f"{prefix}topics"]
    return Feed(**values, topics=tuple(topics), poll=timedelta(seconds=seconds) if seconds else None)


def _moved_to(url: str, known: Mapping[str, Row], named: set[str]) -> Row | None:
    """The feed, no longer named, whose server has said that it is at this URL now."""
    gone = (row for row in known.values() if row["url"] not in named)
    return next((row for row in gone if url in (row["address"], row["moved_to"])), None)


_NAMED = tuple(
    feeds.c[name]
    for name in (
        *("id", "url", "publisher", "weight", "language", "topics", "poll_seconds", "paused", "official", "configured"),
        *("address", "moved_to"),
    )
)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return feeds.c.configured, ~feeds.c.paused, feeds.c.retired_at.is_(None), feeds.c.next_poll_at <= now


def _known(
    conn: Connection, *conditions: ColumnElement[bool], most: int | None = None, lock: bool = False
) -> list[KnownFeed]:
    query = select(feeds).where(*conditions).order_by(feeds.c.next_poll_at, feeds.c.id).limit(most)
    if lock:
        query = query.with_for_update(skip_locked=True)
    return [KnownFeed(row["id"], feed_of(row), _memory(row)) for row in rows(conn, query)]


def _settings(feed: Feed) -> dict[str, Any]:
    return {
        "publisher": feed.publisher,
        "weight": feed.weight,
        "language": feed.language,
        "topics": list(feed.topics),
        "poll_seconds": int(feed.poll.total_seconds()) if feed.poll else 0,
        "paused": feed.paused,
        "official": feed.official,
    }


_AS_THEY_ARE = (
    *("next_poll_at", "body_hash", "address", "status", "error", "polled_at", "whole_at", "succeeded_at", "new_at"),
    *("read_since", "failures", "failing_since", "missing_since", "retired_at", "flooded_at", "overflowed_at"),
)
_MEMORY = tuple(Memory.__dataclass_fields__)


def _memory(row: Row) -> Memory:
    return Memory(
        **{name: row[name] for name in _AS_THEY_ARE},
        validators=Validators(row["etag"], row["last_modified"]),
        marks=row["marks"] or b"",
        habits=_habits(row["habits"]),
        move=Move(row["moved_to"], row["moved_since"], row["moved_sightings"]) if row["moved_to"] else None,
        outcome=PollOutcome(row["outcome"]) if row["outcome"] else None,
        told=tuple(Alert(alert) for alert in row["told"]),
    )


def _columns(name: str, value: Any) -> Row:
    """The columns that hold a field of `Memory`, as `_memory` reads them."""
    match name, value:
        case "validators", Validators():
            return {"etag": value.etag, "last_modified": value.last_modified}
        case "habits", Habits():
            return {name: _plain(value)}
        case "move", Move():
            return {"moved_to": value.url, "moved_since": value.since, "moved_sightings": value.sightings}
        case "move", None:
            return {"moved_to": None, "moved_since": None, "moved_sightings": 0}
        case "told", _:
            return {name: [alert.value for alert in value]}
        case _:
            return {name: value}


_HABITS = tuple(Habits.__dataclass_fields__)


def _plain(habits: Habits) -> dict[str, Any]:
    return {
        **{name: getattr(habits, name) for name in _HABITS},
        "wait": habits.wait.total_seconds() if habits.wait else None,
        "newest": habits.newest.isoformat() if habits.newest else None,
    }


def _habits(plain: Mapping[str, Any]) -> Habits:
    """What `_plain` made, by this release or another: a habit that it did not know has its default."""
    known = {name: value for name, value in plain.items() if name in Habits.__dataclass_fields__}
    if known.get("wait") is not None:
        known["wait"] = timedelta(seconds=known["wait"])
    if known.get("newest") is not None:
        known["newest"] = datetime.fromisoformat(known["newest"])
    for name in ("silent_hours", "silent_days"):
        known[name] = tuple(known.get(name, ()))
    return Habits(**known)
