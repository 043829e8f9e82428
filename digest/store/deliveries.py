"""The ledger as it is kept and read: who gets which edition, how far each delivery has come, and whether the sums hold.

What a sender says while it works is in `claims`. Every transition of a delivery leaves a delivery event; that it was queued,
its own row says.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)

from digest import clock
from digest.model import DeliveryEvent, DeliveryState, Edition, EditionState, Returned, Subscription, SubscriptionState
from digest.store.given import Given, packed
from digest.store.tables import (
    ASTRAY_STATES,
    deliveries,
    delivery_events,
    editions,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.store.types import Moment
from digest.store.upsert import absent_into

_row = deliveries.c

TOO_OLD = "its edition is too old"
"""What the ledger says of a delivery that came too late; one for which a plan had no room expires with other words."""
_KINDS: dict[str, DeliveryState | Returned] = {kind.value: kind for kind in (*DeliveryState, *Returned)}


@dataclass(frozen=True, slots=True)
class Audit:
    """The audience equation of one edition: all who were to get it, and the states in which their deliveries stand.

    `eligible` was written down with the edition when it was frozen; `counts` counts the ledger's rows as they are now, and those
    that were let go of long after.
    """

    edition_id: int
    digest: str
    date: date
    eligible: int
    counts: dict[DeliveryState, int]

    @property
    def balanced(self) -> bool:
        """Whether everyone is accounted for, once."""
        return self.eligible == sum(self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        """The audit for `--json`."""
        return {
            "edition": self.edition_id,
            "digest": self.digest,
            "date": self.date,
            "eligible": self.eligible,
            **{state.value: count for state, count in self.counts.items()},
            "balanced": self.balanced,
        }


def freeze(connection: Connection, edition: Edition, now: datetime) -> int:
    """Make a delivery of a frozen edition for everyone who gets it; return how many are new.

    These are the active subscriptions that want the editions of its weekday and are not paused on its date. A suppressed address is counted in, and
    stands as suppressed. Done again, it adds who has come since and changes nothing else; no address gets a second one,
    not even one that was erased and has subscribed anew. Once deliveries were let go, nobody is added.
    """
    if edition.state is not EditionState.FROZEN:
        return 0
    times = _times(connection, edition, now)
    # Two that freeze the same edition do so one after the other.
    standing = select(editions.c.audience, editions.c.let_go).where(editions.c.id == edition.id).with_for_update()
    audience, let_go = connection.execute(standing).one()
    if let_go:
        return 0
    made = connection.execute(
        _absent_deliveries(connection, edition, now, times, again=audience > 0),
        {"times": packed(times)} if times else {},
    ).rowcount
    connection.execute(update(editions).where(editions.c.id == edition.id).values(audience=audience + made))
    _note_suppressed(connection, edition.id, now)
    return made


def due(connection: Connection, now: datetime) -> int:
    """How many deliveries may be claimed now."""
    return connection.scalars(select(func.count()).select_from(deliveries).where(is_due(now))).one()


def due_since(connection: Connection) -> datetime | None:
    """When the oldest delivery that still waits and is not paused became due, or will."""
    queued = is_queued()
    moment: datetime | None = connection.scalar(select(func.min(_row.not_before)).where(queued, ~is_paused()))
    return moment


def waiting(connection: Connection) -> int:
    """How many deliveries are queued, due now or later."""
    queued = is_queued()
    return connection.scalars(select(func.count()).select_from(deliveries).where(queued)).one()


def waits_until(connection: Connection, reader: Subscription, now: datetime) -> datetime | None:
    """When an edition comes to a reader that waits for the hour of their choice; None where none does."""
    recent = select(editions.c.id).where(
        editions.c.digest == reader.digest, editions.c.published_at > now - clock.LONGEST_WAIT
    )
    mine = _row.edition_id.in_(recent), _row.subscriber_id == reader.subscriber_id, _row.due_at > now
    moment: datetime | None = connection.scalar(
        select(func.min(_row.due_at)).where(*mine, _row.state == DeliveryState.QUEUED)
    )
    return moment


def too_late(connection: Connection, since: datetime) -> list[tuple[int, str, int]]:
    """The editions of which deliveries that were due after `since` came too late: id, title with date, and how many."""
    told = delivery_events.c
    # Were these joined, SQLite would go through what came astray in all times, or through all events.
    recent = select(editions.c.id).where(editions.c.published_at > since - clock.LONGEST_WAIT)
    as_too_old = exists().where(told.delivery_id == _row.id, told.kind == DeliveryState.EXPIRED, told.detail == TOO_OLD)
    late = (
        select(editions.c.id, editions.c.title, editions.c.date, func.count())
        .join_from(deliveries, editions, _row.edition_id == editions.c.id)
        .where(is_astray(), _row.state == in_words(DeliveryState.EXPIRED), _row.edition_id.in_(recent))
        .where(lateness_from() > since, as_too_old)
        .group_by(editions.c.id, editions.c.title, editions.c.date)
        .order_by(editions.c.id)
    )
    return [(number, f"{title} of {day}", count) for number, title, day, count in connection.execute(late)]


def sending(connection: Connection, after: datetime, until: datetime) -> bool:
    """Whether deliveries that were due in a span of time are still to go, or in hand."""
    to_go = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.OFFERED)
    published = editions.c.published_at > after - clock.LONGEST_WAIT, editions.c.published_at <= until
    due = lateness_from() > after, lateness_from() <= until
    left = exists().where(_row.edition_id == editions.c.id, _row.state.in_(to_go), *due)
    return bool(connection.scalar(select(exists().where(*published, left))))


def counts(connection: Connection, edition_id: int) -> dict[DeliveryState, int]:
    """How many of an edition's deliveries stand in each state; every state is named."""
    return _counts(connection, edition_id)[edition_id]


def audit(connection: Connection, edition_id: int | None = None) -> list[Audit]:
    """The audience equation of one frozen edition, or of all, the newest first."""
    wanted = select(editions).where(editions.c.state == EditionState.FROZEN)
    if edition_id is not None:
        wanted = wanted.where(editions.c.id == edition_id)
    standing = _counts(connection, edition_id)
    return [
        Audit(row.id, row.digest, row.date, row.audience, standing[row.id])
        for row in connection.execute(wanted.order_by(editions.c.date.desc(), editions.c.id.desc()))
    ]


def history(connection: Connection, address: str) -> list[DeliveryEvent]:
    """Everything that happened to an address's deliveries, oldest first; nothing once the subscriber is erased."""
    edition = (_row.edition_id, editions.c.digest, editions.c.date)
    whose = (
        select(*edition, _row.id, _row.queued_at)
        .join_from(deliveries, editions, editions.c.id == _row.edition_id)
        .join(subscribers, subscribers.c.id == _row.subscriber_id)
        .where(func.lower(subscribers.c.address) == address.lower())
        .subquery()
    )
    events = delivery_events.c
    # That a delivery was queued is not told by an event, but by its being there.
    queued = select(
        *(whose.c.edition_id, whose.c.digest, whose.c.date, literal(DeliveryState.QUEUED.value).label("kind")),
        *(
            whose.c.queued_at.label("at"),
            literal(0).label("attempt"),
            literal("").label("detail"),
            literal(0).label("id"),
        ),
    )
    told = select(
        *(whose.c.edition_id, whose.c.digest, whose.c.date, events.kind),
        *(events.at, events.attempt, events.detail, events.id),
    ).join_from(whose, delivery_events, events.delivery_id == whose.c.id)
    found = union_all(queued, told).order_by("at", "id")
    return [
        DeliveryEvent(row.edition_id, row.digest, row.date, _KINDS[row.kind], row.at, row.attempt, row.detail)
        for row in connection.execute(found)
    ]


def in_words(state: StrEnum) -> ColumnElement[str]:
    """A state that a statement says in words.

    SQLite finds a partial index by nothing else. And where it is told by a parameter what such an index may depend on, it
    prepares the statement anew each time, which takes longer than to run it.
    """
    return literal_column(f"'{state}'", String)


def is_due(now: Any) -> ColumnElement[bool]:
    """Whether a delivery may be claimed."""
    return and_(is_queued(), _row.not_before <= now, ~is_paused())


def is_queued() -> ColumnElement[bool]:
    """Whether a delivery waits, in the words of a small partial index: it is asked for alone, or SQLite goes through the whole ledger."""
    return _row.state == in_words(DeliveryState.QUEUED)


def is_in_hand() -> ColumnElement[bool]:
    """Whether a sender has a delivery in hand; alone too, for the same reason."""
    held = map(in_words, (DeliveryState.CLAIMED, DeliveryState.OFFERED))
    return and_(_row.lease_until.is_not(None), _row.state.in_(held))


def is_astray() -> ColumnElement[bool]:
    """Whether a delivery came to another end than being sent, in the words of a small partial index."""
    return _row.state.in_(map(in_words, ASTRAY_STATES))


def lateness_from() -> ColumnElement[datetime]:
    """When a delivery of an edition was due: from then on it gets later."""
    return func.coalesce(_row.due_at, editions.c.published_at, type_=Moment())


def is_in_time(since: Any) -> ColumnElement[bool]:
    """Whether a delivery is of a published edition and was due after that moment; what was due before is sent to nobody any more."""
    return timely_edition(since).exists()


def timely_edition(since: Any) -> Select[tuple[int]]:
    """The edition of a delivery that is in time."""
    frozen = editions.c.state == in_words(EditionState.FROZEN)
    return (
        select(editions.c.id)
        .where(editions.c.id == _row.edition_id, frozen, lateness_from() > since)
        .correlate(deliveries)
    )


def is_paused() -> ColumnElement[bool]:
    """Whether a delivery's edition is paused."""
    return _row.edition_id.in_(select(editions.c.id).where(editions.c.paused_at.is_not(None)))


def takes_mail(day: Any) -> ColumnElement[bool]:
    """Whether a subscription wants the edition of that local date, a date or a column of dates."""
    # Both databases count the days of a week from Sunday; a subscription's bits begin with Monday's.
    weekday = day.weekday() if isinstance(day, date) else (cast(extract("dow", day), Integer) + 6) % 7
    return and_(
        subscriptions.c.state == in_words(SubscriptionState.ACTIVE),
        or_(subscriptions.c.paused_until.is_(None), subscriptions.c.paused_until <= day),
        subscriptions.c.days.bitwise_rshift(weekday).bitwise_and(1) == 1,
    )


def _counts(connection: Connection, edition_id: int | None) -> dict[int, dict[DeliveryState, int]]:
    """The number of deliveries by edition and state."""
    found = select(_row.edition_id, _row.state, func.count().label("number")).group_by(_row.edition_id, _row.state)
    if edition_id is not None:
        found = found.where(_row.edition_id == edition_id)
    standing: dict[int, dict[DeliveryState, int]] = defaultdict(lambda: dict.fromkeys(DeliveryState, 0))
    for row in connection.execute(found):
        standing[row.edition_id][DeliveryState(row.state)] = row.number
    past = select(editions.c.id, editions.c.let_go)
    if edition_id is not None:
        past = past.where(editions.c.id == edition_id)
    for number, let_go in connection.execute(past):
        for state in let_go.keys() & set(DeliveryState):
            standing[number][DeliveryState(state)] += let_go[state]
    return standing


def _times(connection: Connection, edition: Edition, now: datetime) -> list[tuple[int, str, str]]:
    """The hours and zones that readers of the digest chose and that strike later than now, each with when it does."""
    hour, zone = subscriptions.c.hour, subscriptions.c.zone
    chosen = select(hour, zone).distinct().where(subscriptions.c.digest == edition.digest, hour.is_not(None))
    found = connection.execute(chosen).all()
    # A zone that the machine no longer knows keeps nobody from the edition.
    known = available_timezones() if found else ()
    return [
        (row.hour, row.zone, _kept(connection, moment))
        for row in found
        if row.zone in known and (moment := clock.strike(row.hour, row.zone, edition.window.end)) > now
    ]


def _kept(connection: Connection, moment: datetime) -> str:
    """A moment as a text that the database's own column of moments takes."""
    bound: datetime = Moment().process_bind_param(moment, connection.dialect)  # type: ignore[assignment]
    return bound.isoformat(" ", "microseconds")


def _struck(connection: Connection) -> Subquery:
    """The hours and zones of the parameter `times`, and when each strikes."""
    times = Given("times")
    as_type = type_coerce if connection.dialect.name == "sqlite" else cast
    at = as_type(times.text(2), Moment()).label("at")
    rows = select(times.number(0).label("hour"), times.text(1).label("zone"), at).select_from(times.rows)
    # Being distinct, they are told apart once, with an index, and not anew for every reader.
    return rows.distinct().subquery("struck")


def _absent_deliveries(
    connection: Connection, edition: Edition, now: datetime, times: list[tuple[int, str, str]], *, again: bool
) -> Executable:
    suppressed = exists().where(suppressions.c.address_key == subscribers.c.address_key)
    struck, at_once = _struck(connection), literal(now, Moment())
    audience = (
        select(
            literal(edition.id),
            subscribers.c.id,
            subscriptions.c.id,
            subscribers.c.address_key,
            case((suppressed, DeliveryState.SUPPRESSED.value), else_=DeliveryState.QUEUED.value),
            func.coalesce(struck.c.at, at_once, type_=Moment()) if times else at_once,
            *(literal(now, kind.type) for kind in (_row.queued_at, _row.changed_at)),
        )
        .join_from(subscriptions, subscribers, subscriptions.c.subscriber_id == subscribers.c.id)
        .where(subscriptions.c.digest == edition.digest, takes_mail(edition.date))
        # Neighbours in the list of subscribers become neighbours in no edition.
        .order_by((subscribers.c.id * 7919 + edition.id * 104729) % 65536)
    )
    if again:
        mine = deliveries.alias("mine")
        known = (mine.c.edition_id == edition.id) & (mine.c.address_key == subscribers.c.address_key)
        audience = audience.outerjoin(mine, known).where(mine.c.id.is_(None))
    columns = [
        *("edition_id", "subscriber_id", "subscription_id", "address_key", "state"),
        *("not_before", "queued_at", "changed_at"),
    ]
    if times:
        theirs = (struck.c.hour == subscriptions.c.hour) & (struck.c.zone == subscriptions.c.zone)
        audience = audience.outerjoin(struck, theirs).add_columns(struck.c.at)
        columns.append("due_at")
    made = absent_into(connection, deliveries).from_select(columns, audience)
    return made.execution_options(preserve_rowcount=True)


def _note_suppressed(connection: Connection, edition_id: int, now: datetime) -> None:
    """The events of new deliveries that stand as suppressed from the beginning."""
    told = exists().where(delivery_events.c.delivery_id == _row.id)
    kind, at = literal(DeliveryState.SUPPRESSED.value), literal(now, delivery_events.c.at.type)
    # From the few who are suppressed to their deliveries, and not through all deliveries.
    theirs = select(subscribers.c.id).where(subscribers.c.address_key.in_(select(suppressions.c.address_key)))
    rows = select(_row.id, kind, at, _row.attempt, literal("")).where(
        _row.edition_id == edition_id, _row.subscriber_id.in_(theirs), _row.state == DeliveryState.SUPPRESSED, ~told
    )
    connection.execute(insert(delivery_events).from_select(("delivery_id", "kind", "at", "attempt", "detail"), rows))
