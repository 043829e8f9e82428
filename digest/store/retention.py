"""What is let go when its time is over: what there is of it, and a few rows at a time.

Whoever counts rows afterwards finds those of deliveries and feedback with their edition. Never let go are deliveries that are still to be sent,
and the newest row of whatever is named by its number outside, since SQLite would give that number away again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from digest.model import EditionState
from digest.store.deliveries import is_in_hand, is_queued
from digest.store.feedback import NOT_USEFUL, USEFUL
from digest.store.tables import (
    articles,
    deliveries,
    delivery_events,
    edition_records,
    editions,
    feedback,
    letters,
    overrides,
    return_counts,
    returns,
)

_row = deliveries.c


def past_editions(connection: Connection, before: datetime) -> list[int]:
    """The editions published before a moment of which there are deliveries, none of them still to be sent; the oldest first."""
    newest = select(_row.edition_id).order_by(_row.id.desc()).limit(1).scalar_subquery()
    found = (
        select(editions.c.id)
        .where(editions.c.state == EditionState.FROZEN, editions.c.published_at < before, editions.c.id != newest)
        .where(select(_row.id).where(_row.edition_id == editions.c.id).exists())
        .order_by(editions.c.published_at, editions.c.id)
    )
    # Were editions asked for as they stand, SQLite would go through all deliveries by theirs.
    edition_ids = select(_row.edition_id + 0).distinct()
    on_their_way = {
        one for still in (is_queued(), is_in_hand()) for one in connection.scalars(edition_ids.where(still))
    }
    return [one for one in connection.scalars(found) if one not in on_their_way]


def deliveries_of(connection: Connection, edition_ids: Collection[int]) -> int:
    """How many deliveries there are of some editions."""
    mine = select(func.count()).select_from(deliveries).where(_row.edition_id.in_(edition_ids))
    return connection.scalars(mine).one()


def feedback_of(connection: Connection, edition_ids: Collection[int]) -> int:
    """How many answers there are of some editions' readers."""
    mine = select(func.count()).select_from(feedback).where(feedback.c.edition_id.in_(edition_ids))
    return connection.scalars(mine).one()


def first_delivery(connection: Connection, edition_id: int) -> int | None:
    """The lowest number of an edition's deliveries."""
    first: int | None = connection.scalar(select(func.min(_row.id)).where(_row.edition_id == edition_id))
    return first


def take_deliveries(connection: Connection, edition_id: int, start: int, most: int) -> tuple[int, int]:
    """Let go of an edition's deliveries from a number on, up to `most`, with what happened to them.

    Returns:
        How many, and with which number it goes on.
    """
    before = _held(connection, edition_id)
    # By their own numbers, under which neighbours lie together, and not by the index on editions.
    mine = select(_row.id, _row.state).where(_row.id >= start, _row.edition_id + 0 == edition_id)
    found = connection.execute(mine.order_by(_row.id).limit(most)).all()
    if not found:
        return 0, start
    ids = [one.id for one in found]
    connection.execute(delete(delivery_events).where(delivery_events.c.delivery_id.in_(ids)))
    connection.execute(delete(returns).where(returns.c.delivery_id.in_(ids)))
    connection.execute(delete(deliveries).where(_row.id.in_(ids)))
    _count(connection, edition_id, before, (one.state for one in found))
    return len(ids), ids[-1] + 1


def take_feedback(connection: Connection, edition_id: int, most: int) -> int:
    """Let go of who thought what of an edition, up to `most` answers; how many."""
    before = _held(connection, edition_id)
    answers = feedback.c
    mine = select(answers.subscription_id, answers.useful).where(answers.edition_id == edition_id).limit(most)
    found = connection.execute(mine).all()
    theirs = answers.subscription_id.in_([one.subscription_id for one in found])
    connection.execute(delete(feedback).where(answers.edition_id == edition_id, theirs))
    _count(connection, edition_id, before, (USEFUL if one.useful else NOT_USEFUL for one in found))
    return len(found)


def past_articles(connection: Connection, before: datetime, newest: int, most: int, now: datetime) -> list[int]:
    """Articles that were published and last corrected before a moment, up to `most`.

    The `newest` of each feed are none of them, as the feed may still show them, and would bring them as news; nor is what an editor's order
    that holds names.
    """
    row = articles.c
    place = func.row_number().over(partition_by=row.feed_id, order_by=row.id.desc()).label("place")
    placed = select(row.id, row.published_at, row.updated_at, place).subquery()
    ordered = connection.scalars(select(overrides.c.articles).where(overrides.c.until > now))
    named = {article_id for ids in ordered for article_id in ids}
    found = (
        select(placed.c.id)
        .where(placed.c.published_at < before, placed.c.updated_at < before, placed.c.place > newest)
        .order_by(placed.c.id)
        .limit(most + len(named))
    )
    return [article_id for article_id in connection.scalars(found) if article_id not in named][:most]


def take_articles(connection: Connection, ids: Collection[int], before: datetime) -> int:
    """Let go of articles, but for those that were corrected after all; how many."""
    gone = delete(articles).where(articles.c.id.in_(ids), articles.c.updated_at < before)
    return connection.execute(gone).rowcount


def past_pools(connection: Connection, before: date) -> list[int]:
    """The editions of dates before a day of which it is kept what they were made of."""
    found = select(edition_records.c.edition_id).join_from(edition_records, editions).where(editions.c.date < before)
    return list(connection.scalars(found.order_by(edition_records.c.edition_id)))


def take_pools(connection: Connection, edition_ids: Collection[int]) -> int:
    """Let go of what editions were made of; how many."""
    return connection.execute(delete(edition_records).where(edition_records.c.edition_id.in_(edition_ids))).rowcount


def past_letters(connection: Connection, before: datetime) -> list[str]:
    """The keys of letters that were sent, or begun, before a moment."""
    return list(connection.scalars(select(letters.c.key).where(letters.c.taken_at < before)))


def take_letters(connection: Connection, keys: Collection[str], before: datetime) -> int:
    """Let go of the memory of letters; how many."""
    gone = delete(letters).where(letters.c.key.in_(keys), letters.c.taken_at < before)
    return connection.execute(gone).rowcount


def take_return_counts(connection: Connection, before: date) -> None:
    """Let go of how much came back on days before one."""
    connection.execute(delete(return_counts).where(return_counts.c.day < before))


def _held(connection: Connection, edition_id: int) -> Mapping[str, int]:
    """What was let go of an edition so far; nobody else adds to it before this transaction ends."""
    mine: ColumnElement[bool] = editions.c.id == edition_id
    held: Mapping[str, int] = connection.scalars(select(editions.c.let_go).where(mine).with_for_update()).one()
    return held


def _count(connection: Connection, edition_id: int, before: Mapping[str, int], words: Iterable[str]) -> None:
    let_go = dict(Counter(before) + Counter(words))
    connection.execute(update(editions).where(editions.c.id == edition_id).values(let_go=let_go))
