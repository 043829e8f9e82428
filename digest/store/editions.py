"""Editions as they were frozen, and the memory of which articles have run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, exists, extract, func, or_, select, update

from digest.model import (
    WAITING,
    Coverage,
    Edition,
    EditionState,
    Event,
    Factor,
    Happening,
    Item,
    Picture,
    Quote,
    Receipt,
    Reference,
    Update,
    Window,
)
from digest.store import happenings, search_index
from digest.store.given import Given, packed
from digest.store.tables import edition_articles, edition_items, editions
from digest.store.upsert import absent_into, insert_if_absent

# As text, since it is asked for each page, and to put it together takes longer than to answer it.
_GIVEN = Given("given")
_ITEMS_GIVEN = (
    select(edition_items)
    .join(_GIVEN.rows, (edition_items.c.edition_id == _GIVEN.key(0)) & (edition_items.c.place == _GIVEN.number(1)))
    .order_by(edition_items.c.edition_id, edition_items.c.place)
)
_NEWEST = (
    "SELECT (SELECT max(id) FROM editions), (SELECT state FROM editions ORDER BY id DESC LIMIT 1),"
    " (SELECT max(id) FROM corrections)"
)


@dataclass(frozen=True, slots=True)
class Month:
    """A month with published editions: its first day, and how many there are."""

    first: date
    editions: int


@dataclass(frozen=True, slots=True)
class State:
    """Differs from an earlier one if an edition or a correction has been added since.

    An edition that takes the place of the newest one, which waited, may get its id; then it has another state.
    """

    edition: int | None
    edition_state: str | None
    correction: int | None


def state(connection: Connection) -> State:
    """By what can be told, cheaply, whether pages of editions may have changed."""
    return State(*connection.exec_driver_sql(_NEWEST).one())


def insert(connection: Connection, edition: Edition) -> Edition | None:
    """Store an edition with its items; None where its date has one. If it is frozen, its articles have run, and it is found.

    Returns:
        The edition with its id.
    """
    row = {
        "digest": edition.digest,
        "date": edition.date,
        "state": edition.state,
        "reason": edition.reason,
        "title": edition.title,
        "window_start": edition.window.start,
        "window_end": edition.window.end,
        "length": edition.length,
        "shared": edition.shared,
        "quotes": msgspec.to_builtins(edition.quotes),
        "events": msgspec.to_builtins(edition.events),
        "coverage": msgspec.to_builtins(edition.coverage),
        "topic_titles": dict(edition.topic_titles),
        "config_hash": edition.config_hash,
        "published_at": edition.published_at,
        "zone": edition.zone,
        "week_of": edition.week_of,
    }
    added = absent_into(connection, editions).values(row).returning(editions.c.id)
    edition_id = connection.scalars(added).one_or_none()
    if edition_id is None:
        return None
    if edition.items:
        connection.execute(edition_items.insert(), [_item_row(edition_id, item) for item in edition.items])
    if edition.state is not EditionState.FROZEN:
        return replace(edition, id=edition_id)
    ran = [
        {"digest": edition.digest, "article_id": article_id, "edition_id": edition_id, "place": item.place}
        for item in edition.items
        for article_id in item.article_ids
    ]
    insert_if_absent(connection, edition_articles, ran)
    published = replace(edition, id=edition_id)
    search_index.keep(connection, published)
    return published


def discard_waiting(connection: Connection, digest: str, day: date) -> None:
    """Make room for what takes the place of an edition that waits."""
    waits = (editions.c.digest == digest) & (editions.c.date == day) & editions.c.state.in_(WAITING)
    connection.execute(delete(editions).where(waits))


def pause(connection: Connection, edition_id: int, reason: str, now: datetime) -> bool:
    """Send nothing more of a published edition until somebody resumes it; whether this call paused it."""
    running = (editions.c.id == edition_id) & (editions.c.state == EditionState.FROZEN) & editions.c.paused_at.is_(None)
    change = update(editions).where(running).values(paused_at=now, paused_because=reason)
    paused = connection.execute(change.returning(editions.c.digest, editions.c.date)).one_or_none()
    if paused is None:
        return False
    about = {"edition": edition_id, "digest": paused.digest, "date": paused.date.isoformat()}
    happenings.note(connection, Happening.PAUSED, about, now)
    return True


def resume(connection: Connection, edition_id: int, now: datetime) -> bool:
    """Go on with a paused edition; whether it was paused. What has come back until now pauses it no more."""
    paused = (editions.c.id == edition_id) & editions.c.paused_at.is_not(None)
    change = update(editions).where(paused).values(paused_at=None, paused_because=None, resumed_at=now)
    return connection.execute(change).rowcount > 0


def paused(connection: Connection, since: datetime) -> list[tuple[int, str, datetime, str]]:
    """The editions published after `since` that are paused: id, title with date, since when, and why."""
    row = editions.c
    found = select(row.id, row.title, row.date, row.paused_at, row.paused_because).where(
        row.paused_at.is_not(None), row.published_at > since
    )
    return [
        (one.id, f"{one.title} of {one.date}", one.paused_at, one.paused_because or "")
        for one in connection.execute(found.order_by(row.id))
    ]


def by_date(connection: Connection, digest: str, day: date) -> Edition | None:
    """A digest's edition of a date, in whatever state."""
    return _one(connection, select(editions).where(editions.c.digest == digest, editions.c.date == day))


def by_id(connection: Connection, edition_id: int) -> Edition | None:
    """The edition with this id."""
    return _one(connection, select(editions).where(editions.c.id == edition_id))


def latest(connection: Connection, digest: str) -> Edition | None:
    """The newest edition that has been published."""
    return _one(connection, _published(digest).order_by(editions.c.date.desc()).limit(1))


def with_places(connection: Connection, wanted: Mapping[int, Collection[int]]) -> dict[int, Edition]:
    """Editions by id, each with those of its items only whose places are wanted."""
    pairs = packed((edition_id, place) for edition_id, places in wanted.items() for place in places)
    items: dict[int, list[Item]] = {edition_id: [] for edition_id in wanted}
    for row in connection.execute(_ITEMS_GIVEN, {"given": pairs}):
        items[row.edition_id].append(_item(row))
    of_them = select(editions).where(editions.c.id.in_(wanted))
    return {row.id: _of_row(row, items[row.id]) for row in connection.execute(of_them)}


def last_date(connection: Connection, digest: str, until: date) -> date | None:
    """The last date up to `until` that is settled, be it published, missed or skipped; one that waits is not."""
    settled: date | None = connection.scalar(
        select(func.max(editions.c.date)).where(
            editions.c.digest == digest, editions.c.date <= until, editions.c.state.not_in(WAITING)
        )
    )
    return settled


def waiting(connection: Connection, digest: str) -> list[tuple[date, datetime]]:
    """The dates of the editions that wait for press time or an editor, oldest first, each with the end of its window."""
    waits = (editions.c.digest == digest) & editions.c.state.in_(WAITING)
    found = select(editions.c.date, editions.c.window_end).where(waits).order_by(editions.c.date)
    return [(row.date, row.window_end) for row in connection.execute(found)]


def missed(connection: Connection, digest: str, since: date) -> list[date]:
    """The dates from `since` on whose editions were missed, oldest first."""
    found = select(editions.c.date).where(
        editions.c.digest == digest, editions.c.date >= since, editions.c.state == EditionState.MISSED
    )
    return list(connection.scalars(found.order_by(editions.c.date)))


def frozen(connection: Connection, digest: str, since: date, before: date) -> list[Edition]:
    """The published editions from `since` up to the day before `before`, oldest first."""
    wanted = _published(digest).where(editions.c.date >= since, editions.c.date < before).order_by(editions.c.date)
    return [_edition(connection, row) for row in connection.execute(wanted).all()]


def newest(connection: Connection, digest: str, limit: int) -> list[Edition]:
    """The newest published editions, the newest first."""
    wanted = _published(digest).order_by(editions.c.date.desc()).limit(limit)
    return [_edition(connection, row) for row in connection.execute(wanted).all()]


def months(connection: Connection, digest: str) -> list[Month]:
    """The months of which editions were published, the newest first."""
    year, month = extract("year", editions.c.date), extract("month", editions.c.date)
    published = (editions.c.digest == digest) & (editions.c.state == EditionState.FROZEN)
    counted = select(year, month, func.count()).where(published).group_by(year, month)
    found = connection.execute(counted.order_by(year.desc(), month.desc()))
    return [Month(date(int(in_year), int(number), 1), count) for in_year, number, count in found]


def neighbours(connection: Connection, digest: str, day: date) -> tuple[date | None, date | None]:
    """The dates of the published editions before and after a date."""
    published = (editions.c.digest == digest) & (editions.c.state == EditionState.FROZEN)
    return (
        connection.scalar(select(func.max(editions.c.date)).where(published, editions.c.date < day)),
        connection.scalar(select(func.min(editions.c.date)).where(published, editions.c.date > day)),
    )


def find_story(
    connection: Connection, digest: str, story_id: str, article_ids: Collection[int] = ()
) -> tuple[Edition, Item] | None:
    """The newest published edition that told the story, under this id or by one of these articles; and its item there."""
    by_article = exists().where(
        edition_articles.c.edition_id == edition_items.c.edition_id,
        edition_articles.c.place == edition_items.c.place,
        edition_articles.c.article_id.in_(sorted(article_ids)),
    )
    found = connection.execute(
        select(edition_items.c.edition_id, edition_items.c.place)
        .join_from(edition_items, editions)
        .where(editions.c.digest == digest, editions.c.state == EditionState.FROZEN)
        .where(or_(edition_items.c.story_id == story_id, by_article))
        .order_by(editions.c.date.desc(), edition_items.c.place)
        .limit(1)
    ).one_or_none()
    if found is None or (edition := by_id(connection, found.edition_id)) is None:
        return None
    return edition, next(item for item in edition.items if item.place == found.place)


def _published(digest: str) -> Select[Any]:
    return select(editions).where(editions.c.digest == digest, editions.c.state == EditionState.FROZEN)


def _one(connection: Connection, wanted: Select[Any]) -> Edition | None:
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _edition(connection, row)


def _edition(connection: Connection, row: Row[Any]) -> Edition:
    items = select(edition_items).where(edition_items.c.edition_id == row.id).order_by(edition_items.c.place)
    return _of_row(row, [_item(item) for item in connection.execute(items)])


def _of_row(row: Row[Any], items: Sequence[Item]) -> Edition:
    return Edition(
        id=row.id,
        digest=row.digest,
        title=row.title,
        date=row.date,
        window=Window(row.window_start, row.window_end),
        items=tuple(items),
        length=row.length,
        shared=row.shared,
        quotes=msgspec.convert(row.quotes, tuple[Quote, ...]),
        events=msgspec.convert(row.events, tuple[Event, ...]),
        coverage=msgspec.convert(row.coverage, Coverage | None),
        topic_titles=row.topic_titles,
        config_hash=row.config_hash,
        state=EditionState(row.state),
        reason=row.reason,
        published_at=row.published_at,
        zone=row.zone,
        week_of=row.week_of,
    )


def _item_row(edition_id: int, item: Item) -> dict[str, Any]:
    return {
        "edition_id": edition_id,
        "place": item.place,
        "story_id": item.story_id,
        "section": item.section,
        "title": item.title,
        "summary": item.summary,
        "url": item.url,
        "publisher": item.publisher,
        "published_at": item.published_at,
        "language": item.language,
        "score": item.score,
        "receipt": msgspec.to_builtins(item.receipt.factors),
        "topics": dict(item.topics),
        "also": msgspec.to_builtins(item.also),
        "update": msgspec.to_builtins(item.update),
        "article_ids": list(item.article_ids),
        "picture": msgspec.to_builtins(item.picture),
        "ran": msgspec.to_builtins(item.ran),
    }


def _item(row: Row[Any]) -> Item:
    return Item(
        place=row.place,
        story_id=row.story_id,
        section=row.section,
        title=row.title,
        summary=row.summary,
        url=row.url,
        publisher=row.publisher,
        published_at=row.published_at,
        score=row.score,
        receipt=Receipt(msgspec.convert(row.receipt, tuple[Factor, ...])),
        topics=row.topics,
        also=msgspec.convert(row.also, tuple[Reference, ...]),
        language=row.language,
        article_ids=tuple(row.article_ids),
        update=msgspec.convert(row.update, Update | None),
        picture=msgspec.convert(row.picture, Picture | None),
        ran=msgspec.convert(row.ran, tuple[date, ...]),
    )
