"""What became of published editions: how many, when, what relays said, to which domains. Read only, in a few passes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from digest.model import DeliveryState, EditionState
from digest.store import deliveries as ledger
from digest.store.tables import deliveries, delivery_events, edition_items, editions, subscribers
from digest.store.types import Moment

HEADLINES = 3
_row = deliveries.c
_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.OFFERED)
_SAID = (DeliveryState.QUEUED, DeliveryState.FAILED, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Published:
    """A published edition as a report names it: what it opens with, for how many, and whether it is paused."""

    id: int
    digest: str
    title: str
    date: date
    published_at: datetime
    audience: int
    paused_at: datetime | None
    paused_because: str | None
    headlines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToGo:
    """How many of an edition's deliveries are still to be sent, how many of these are late, and when the last was or will be due."""

    number: int
    late: int
    last_due: datetime | None


@dataclass(frozen=True, slots=True)
class Hours:
    """How many of an edition's deliveries wait for the hour that their reader chose, and when the last of these strikes."""

    waiting: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """An edition's deliveries by state; those tried more than once, with the most tries of one; first and last sent."""

    counts: Mapping[DeliveryState, int]
    retried: int = 0
    most_tries: int = 0
    first_sent: datetime | None = None
    last_sent: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What relays said of how many deliveries, and the state these are in. `code` is None where there was no reply."""

    state: DeliveryState
    phase: str | None
    code: int | None
    reply: str
    count: int


@dataclass(frozen=True, slots=True)
class Domain:
    """How an edition's deliveries to one domain stand. `deferred` wait for another try."""

    domain: str
    audience: int
    sent: int
    failed: int
    deferred: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery of which nobody knows whether it was sent; `address` is empty once the subscriber is erased."""

    address: str
    since: datetime
    reply: str


def latest(connection: Connection, limit: int) -> list[Published]:
    """The newest published editions of all digests."""
    newest = _published().order_by(editions.c.date.desc(), editions.c.id.desc()).limit(limit)
    return _named(connection, newest)


def one(connection: Connection, edition_id: int) -> Published | None:
    """A published edition; None if there is none with this number."""
    return next(iter(_named(connection, _published().where(editions.c.id == edition_id))), None)


def on_their_way(connection: Connection) -> list[Published]:
    """The editions of which something is still to be sent and that are not paused, newest first."""
    waits = select(_row.edition_id).where(_row.state.in_(_ON_ITS_WAY))
    wanted = _published().where(editions.c.id.in_(waits), editions.c.paused_at.is_(None))
    return _named(connection, wanted.order_by(editions.c.date.desc(), editions.c.id.desc()))


def paused(connection: Connection) -> list[Published]:
    """The editions that are paused, newest first."""
    wanted = _published().where(editions.c.paused_at.is_not(None))
    return _named(connection, wanted.order_by(editions.c.date.desc(), editions.c.id.desc()))


def to_go(connection: Connection, edition_id: int, since: datetime) -> ToGo:
    """How many of an edition's deliveries are still to be sent; what was due before `since` is late."""
    due = ledger.lateness_from()
    mine = (_row.edition_id == edition_id) & _row.state.in_(_ON_ITS_WAY)
    found = select(func.count(), _number(due <= since), func.max(due, type_=Moment())).where(mine)
    return ToGo(*connection.execute(found.join_from(deliveries, editions, editions.c.id == _row.edition_id)).one())


def hours(connection: Connection, edition_id: int, now: datetime) -> Hours:
    """What of an edition waits for its readers' hours."""
    # The sum keeps SQLite from going through all deliveries of the edition.
    mine = (_row.edition_id + 0 == edition_id, ledger.is_queued(), _row.due_at > now)
    return Hours(*connection.execute(select(func.count(), func.max(_row.due_at)).where(*mine)).one())


def progress(connection: Connection, edition_id: int) -> Progress:
    """How far an edition has come."""
    found = (
        select(_row.state, _row.attempt, func.count(), func.min(_row.changed_at), func.max(_row.changed_at))
        .where(_row.edition_id == edition_id)
        .group_by(_row.state, _row.attempt)
    )
    let_go = connection.scalar(select(editions.c.let_go).where(editions.c.id == edition_id)) or {}
    counts = {state: let_go.get(state, 0) for state in DeliveryState}
    tries: dict[int, int] = {}
    sent: list[datetime] = []
    for state, attempt, number, first, last in connection.execute(found):
        counts[DeliveryState(state)] += number
        tries[attempt] = tries.get(attempt, 0) + number
        if state == DeliveryState.SENT:
            sent += [first, last]
    return Progress(
        counts=counts,
        retried=sum(number for attempt, number in tries.items() if attempt > 1),
        most_tries=max(tries, default=0),
        first_sent=min(sent, default=None),
        last_sent=max(sent, default=None),
    )


def said(connection: Connection, edition_id: int) -> Iterator[Said]:
    """What relays said of deliveries that failed, are unknown or wait for another try, word by word.

    Words that name their reader are as many as readers. The connection is busy until the last one.
    """
    found = (
        select(_row.state, _row.last_phase, _row.last_code, _row.last_reply, func.count())
        .where(_row.edition_id == edition_id, _row.state.in_(_SAID), _row.last_reply.is_not(None))
        .group_by(_row.state, _row.last_phase, _row.last_code, _row.last_reply)
    )
    for state, phase, code, reply, number in connection.execute(found.execution_options(yield_per=1000)):
        yield Said(DeliveryState(state), phase, code, reply, number)


def domains(connection: Connection, edition_id: int, limit: int) -> list[Domain]:
    """The domains that most of an edition's readers are at, largest first. Erased readers count nowhere."""
    domain = _domain(connection).label("domain")
    deferred = (_row.state == DeliveryState.QUEUED) & _row.last_reply.is_not(None)
    found = (
        select(
            domain,
            func.count().label("audience"),
            _number(_row.state == DeliveryState.SENT),
            _number(_row.state == DeliveryState.FAILED),
            _number(deferred),
        )
        .join_from(deliveries, subscribers, subscribers.c.id == _row.subscriber_id)
        .where(_row.edition_id == edition_id)
        .group_by(domain)
        .order_by(func.count().desc(), domain)
        .limit(limit)
    )
    return [Domain(*row) for row in connection.execute(found)]


def doubts(connection: Connection, edition_id: int) -> list[Doubt]:
    """An edition's deliveries that are unknown, the oldest first."""
    found = (
        select(subscribers.c.address, _row.changed_at, _row.last_reply)
        .outerjoin_from(deliveries, subscribers, subscribers.c.id == _row.subscriber_id)
        .where(_row.edition_id == edition_id, _row.state == DeliveryState.UNKNOWN)
        .order_by(_row.changed_at, _row.id)
    )
    return [Doubt(address or "", since, reply or "") for address, since, reply in connection.execute(found)]


def came_back(connection: Connection, edition_id: int) -> dict[str, int]:
    """How many of an edition's deliveries were reported back, by what was reported."""
    events = delivery_events.c
    # Only reports have a key, and its index makes them few among all that ever happened.
    reported = events.event_key > ""
    found = (
        select(events.kind, func.count(events.delivery_id.distinct()).label("number"))
        .join_from(delivery_events, deliveries, _row.id == events.delivery_id)
        .where(reported, _row.edition_id == edition_id)
        .group_by(events.kind)
    )
    return {row.kind: row.number for row in connection.execute(found)}


def standings(connection: Connection, edition_ids: list[int]) -> dict[int, dict[DeliveryState, int]]:
    """The number of deliveries by edition and state, for a few editions."""
    return {edition_id: ledger.counts(connection, edition_id) for edition_id in edition_ids}


def _published() -> Select[Any]:
    row = editions.c
    columns = (row.id, row.digest, row.title, row.date, row.published_at, row.audience)
    return select(*columns, row.paused_at, row.paused_because).where(row.state == EditionState.FROZEN)


def _named(connection: Connection, wanted: Select[Any]) -> list[Published]:
    rows = connection.execute(wanted).all()
    titles = (
        select(edition_items.c.edition_id, edition_items.c.title)
        .where(edition_items.c.edition_id.in_([row.id for row in rows]), edition_items.c.place <= HEADLINES)
        .order_by(edition_items.c.place)
    )
    headlines: dict[int, list[str]] = {}
    for edition_id, title in connection.execute(titles):
        headlines.setdefault(edition_id, []).append(title)
    return [replace(Published(*row), headlines=tuple(headlines.get(row.id, ()))) for row in rows]


def _number(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)


def _domain(connection: Connection) -> ColumnElement[str]:
    address = subscribers.c.address
    if connection.dialect.name == "postgresql":
        return func.split_part(address, "@", 2)
    return func.substr(address, func.instr(address, "@") + 1)
