"""What is used of the limits that all senders share, by what they count and from when, and where deliveries are booked."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, update

from digest.model import DeliveryState, SubscriptionState
from digest.store.deliveries import is_due, lateness_from
from digest.store.tables import allowances, deliveries, delivery_events, editions, subscribers, subscriptions
from digest.store.types import Moment
from digest.store.upsert import adding_into

Used = Counter[tuple[str, datetime]]
"""Numbers by what is counted and the beginning of the hour or day."""

_LOCK = 0x6469676573740A  # any number that nobody else locks


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is due and has no place in this hour. `domain` is empty once its subscriber is erased."""

    id: int
    domain: str
    due_at: datetime
    attempt: int
    booked_for: datetime | None


def take_turns(connection: Connection) -> None:
    """Let nobody else book before this transaction ends. A write transaction of SQLite is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def unbooked(
    connection: Connection, now: datetime, hour: datetime, limit: int, turn: float | None = None
) -> list[Waiting]:
    """The first deliveries that are due and not booked for the hour, in the order of claims.

    Or, all readers thought of as evenly spread over a circle, those whose place comes after `turn`, a share of it.
    """
    asked = {"now": now, "hour": hour, "limit": limit}
    if turn is None:
        found = connection.execute(_UNBOOKED, asked)
    else:
        found = connection.execute(_UNBOOKED_IN_TURN, {**asked, "ahead": _CIRCLE - int(turn * _CIRCLE)})
    return [
        Waiting(row.id, (row.address or "").rpartition("@")[2].casefold(), row.due_at, row.attempt, row.booked_for)
        for row in found
    ]


def readers_since(connection: Connection, since: datetime) -> int:
    """How many were to get the editions published from a moment on."""
    number = func.coalesce(func.sum(editions.c.audience), 0)
    return int(connection.scalars(select(number).where(editions.c.published_at >= since)).one())


def used(connection: Connection, scopes: Collection[str], since: datetime) -> Used:
    """What is used in hours and days from one on."""
    row = allowances.c
    found = select(row.scope, row.since, row.used).where(row.scope.in_(scopes), row.since >= since)
    return Counter({(one.scope, one.since): one.used for one in connection.execute(found)})


def add(connection: Connection, more: Used) -> None:
    """Count more as used."""
    rows = [{"scope": scope, "since": since, "used": number} for (scope, since), number in sorted(more.items())]
    if rows:
        connection.execute(adding_into(connection, allowances, "used"), rows)


def forget(connection: Connection, before: datetime) -> None:
    """Drop what was used before a moment."""
    connection.execute(delete(allowances).where(allowances.c.since < before))


def book(connection: Connection, some: Sequence[Waiting], hour: datetime) -> None:
    """Book deliveries for an hour that has begun."""
    connection.execute(_BOOK, {"ids": [one.id for one in some], "hour": hour})


def put_off(
    connection: Connection, some: Sequence[Waiting], hour: datetime, now: datetime, reason: str, *, keep: bool
) -> None:
    """Let deliveries wait for an hour, in which a place is kept for them or not. It counts as no try."""
    connection.execute(
        _PUT_OFF, {"ids": [one.id for one in some], "later": hour, "hour": hour if keep else None, "now": now}
    )
    _note(connection, some, DeliveryState.QUEUED, now, reason)


def expire(connection: Connection, some: Sequence[Waiting], now: datetime, reason: str) -> None:
    """Let go of deliveries that there is no room for."""
    connection.execute(_EXPIRE, {"ids": [one.id for one in some], "now": now})
    _note(connection, some, DeliveryState.EXPIRED, now, reason)


def readers(connection: Connection) -> int:
    """How many have an active subscription to the digest with the most."""
    number = func.count().label("number")
    active = subscriptions.c.state == SubscriptionState.ACTIVE
    found = select(number).where(active).group_by(subscriptions.c.digest).order_by(number.desc()).limit(1)
    return connection.scalars(found).one_or_none() or 0


def domains(connection: Connection, most: int) -> dict[str, int]:
    """How many subscribers have an address of each domain, for the domains with the most."""
    address = func.lower(subscribers.c.address)
    if connection.dialect.name == "postgresql":
        domain = func.split_part(address, "@", 2)
    else:
        domain = func.substr(address, func.instr(address, "@") + 1)
    number = func.count().label("number")
    found = select(domain.label("domain"), number).group_by(domain).order_by(number.desc(), domain).limit(most)
    return {row.domain: row.number for row in connection.execute(found)}


def _note(connection: Connection, some: Sequence[Waiting], state: DeliveryState, now: datetime, reason: str) -> None:
    connection.execute(
        insert(delivery_events),
        [{"delivery_id": one.id, "attempt": one.attempt, "kind": state, "at": now, "detail": reason} for one in some],
    )


# ── the statements ───────────────────────────────────────────────────────────────────────────────────────────────


def _moment(name: str) -> Any:
    return bindparam(name, type_=Moment())


_row = deliveries.c
_THESE = _row.id.in_(bindparam("ids", expanding=True))
# Multiples of the golden section's share of a circle spread evenly, however many there are (Knuth, volume 3, section 6.4).
_CIRCLE, _GOLDEN = 65536, 40503
_ANY_UNBOOKED = (
    select(_row.id, _row.attempt, _row.booked_for, subscribers.c.address, lateness_from().label("due_at"))
    .join_from(deliveries, editions, editions.c.id == _row.edition_id)
    .outerjoin(subscribers, subscribers.c.id == _row.subscriber_id)
    .where(is_due(_moment("now")), _row.booked_for.is_distinct_from(_moment("hour")))
    .limit(bindparam("limit"))
    .with_for_update(of=deliveries, skip_locked=True)
)
_UNBOOKED = _ANY_UNBOOKED.order_by(_row.not_before, _row.id)
_UNBOOKED_IN_TURN = _ANY_UNBOOKED.order_by(
    (_row.subscriber_id * _GOLDEN + bindparam("ahead", type_=Integer)) % _CIRCLE, _row.id
)
_BOOK = update(deliveries).where(_THESE).values(booked_for=_moment("hour"))
_PUT_OFF = (
    update(deliveries)
    .where(_THESE)
    .values(not_before=_moment("later"), booked_for=_moment("hour"), changed_at=_moment("now"))
)
_EXPIRE = update(deliveries).where(_THESE).values(state=DeliveryState.EXPIRED, changed_at=_moment("now"))
