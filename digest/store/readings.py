"""What is counted for whoever watches the service: a few passes over small tables and over partial indexes.

What was sent is nearly everything, and no index has it: it would cost each delivery more to keep one than all of this.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, literal_column, select

from digest.model import DeliveryState, EditionState, Severity
from digest.store.deliveries import in_words, is_astray, is_in_hand, is_paused, is_queued
from digest.store.tables import (
    deliveries,
    delivery_events,
    editions,
    letter_orders,
    returns,
    signup_requests,
    subscriptions,
    suppressions,
)

PREFIX = 13
"""Letters of an event's detail that tell a phase and a code: "connect: 421 "."""

_row, _event = deliveries.c, delivery_events.c


@dataclass(frozen=True, slots=True)
class Latest:
    """One of a digest's latest published editions; `back` counts from the newest, which has 0."""

    digest: str
    back: int
    audience: int
    press_at: datetime
    published_at: datetime
    complaints: int
    counts: Mapping[DeliveryState, int]


def latest(connection: Connection, digests: Collection[str], most: int) -> list[Latest]:
    """The `most` latest published editions of each of the digests, with their audience equations' parts."""
    row = editions.c
    back = func.row_number().over(partition_by=row.digest, order_by=(row.date.desc(), row.id.desc())) - 1
    columns = row.id, row.digest, row.audience, row.window_end, row.published_at, row.let_go
    published = select(*columns, back.label("back")).where(row.state == EditionState.FROZEN, row.digest.in_(digests))
    ranked = published.subquery()
    found = connection.execute(select(ranked).where(ranked.c.back < most)).all()
    ids = [one.id for one in found]
    counts = _counts(connection, ids)
    number = func.count(returns.c.delivery_id.distinct())
    complained = select(returns.c.edition_id, number).where(returns.c.severity == Severity.COMPLAINT)
    complaints = _of_editions(connection, complained, returns.c.edition_id, ids)
    return [
        Latest(
            *(one.digest, one.back, one.audience, one.window_end, one.published_at),
            complaints.get((one.id,), 0),
            counts[one.id] + Counter({state: one.let_go.get(state, 0) for state in DeliveryState}),
        )
        for one in found
    ]


def edition_states(connection: Connection) -> dict[tuple[str, EditionState], int]:
    """How many editions there are, by digest and state."""
    found = select(editions.c.digest, editions.c.state, func.count()).group_by(editions.c.digest, editions.c.state)
    return {(digest, EditionState(state)): number for digest, state, number in connection.execute(found)}


def paused_editions(connection: Connection) -> dict[str, int]:
    """How many editions are paused, by digest."""
    return _by(connection, editions.c.digest, editions.c.paused_at.is_not(None))


def subscription_states(connection: Connection) -> dict[tuple[str, str], int]:
    """How many subscriptions there are, by digest and state."""
    row = subscriptions.c
    found = select(row.digest, row.state, func.count()).group_by(row.digest, row.state)
    return {(digest, state): number for digest, state, number in connection.execute(found)}


def suppression_causes(connection: Connection) -> dict[str, int]:
    """How many addresses are suppressed, by who brought that about."""
    return _by(connection, suppressions.c.cause)


def queued(connection: Connection, now: datetime) -> dict[tuple[str, str], int]:
    """What waits, by lane and state: `due` now, `later`, `paused` with its edition, or `in_hand` of a sender."""
    when = case((is_paused(), "paused"), (_row.not_before <= now, "due"), else_="later")
    waits = _by(connection, when, is_queued())
    held = select(func.count()).select_from(deliveries).where(is_in_hand())
    letters = _by(connection, case((letter_orders.c.not_before <= now, "due"), else_="later"))
    asked = select(func.count()).select_from(signup_requests).where(signup_requests.c.answered_at.is_(None))
    return {
        **{("editions", state): waits.get(state, 0) for state in ("due", "later", "paused")},
        ("editions", "in_hand"): connection.scalars(held).one(),
        **{("letters", state): letters.get(state, 0) for state in ("due", "later")},
        ("requests", "due"): connection.scalars(asked).one(),
    }


def last_event(connection: Connection) -> int:
    """The id of the ledger's newest event."""
    return connection.scalar(select(func.max(_event.id))) or 0


def events(connection: Connection, after: int, until: int) -> Counter[tuple[str, str]]:
    """The ledger's events with ids in `(after, until]`, by kind and how their details begin; the latter not of what was sent."""
    begins = case(
        (_event.kind == in_words(DeliveryState.SENT), ""),
        else_=func.substr(_event.detail, 1, literal_column(str(PREFIX))),
    )
    found = select(_event.kind, begins, func.count()).where(_event.id > after, _event.id <= until)
    rows = connection.execute(found.group_by(_event.kind, begins))
    return Counter({(kind, beginning): number for kind, beginning, number in rows})


def _counts(connection: Connection, ids: Collection[int]) -> dict[int, Counter[DeliveryState]]:
    """Deliveries by edition and state, without a look at those that were sent: they are what is left of all there are."""
    number = select(_row.edition_id, func.count())
    by_state = select(_row.edition_id, _row.state, func.count())
    everything = _of_editions(connection, number, _row.edition_id, ids)
    astray = by_state.where(is_astray(), _row.edition_id.in_(ids)).group_by(_row.edition_id, _row.state)
    # Were editions named or grouped by as they stand, SQLite would look at all deliveries, and not at those that wait or are held.
    edition_id = _row.edition_id + 0
    any_by_state = select(edition_id, _row.state, func.count()).group_by(edition_id, _row.state)
    waiting, in_hand = any_by_state.where(is_queued()), any_by_state.where(is_in_hand())
    found = {edition: Counter(dict.fromkeys(DeliveryState, 0)) for edition in ids}
    for part in (astray, waiting, in_hand):
        for edition, state, some in connection.execute(part):
            if edition in found:
                found[edition][DeliveryState(state)] = some
    for (edition,), all_of_it in everything.items():
        found[edition][DeliveryState.SENT] = all_of_it - found[edition].total()
    return found


def _by(connection: Connection, column: ColumnElement[Any], *which: ColumnElement[bool]) -> dict[str, int]:
    found = select(column.label("by"), func.count()).where(*which).group_by("by")
    return {row[0]: row[1] for row in connection.execute(found)}


def _of_editions(
    connection: Connection, counted: Any, edition: ColumnElement[int], ids: Collection[int], *by: ColumnElement[Any]
) -> dict[tuple[Any, ...], int]:
    rows = connection.execute(counted.where(edition.in_(ids)).group_by(edition, *by))
    return {tuple(row[:-1]): row[-1] for row in rows}
