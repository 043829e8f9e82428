"""What a sender says to the ledger while it works: claim, offer, settle, release, set aside; and the sweep after it.

A claim is a lease. Whoever holds it says so with its token in every later word, so that one who has lost it changes
nothing. `offer` is at once the crash mark, the fence against a second sender and the last look whether the reader still
wants the mail; it is committed before the final dot of the SMTP dialogue.

The statements stand ready-made below: every message needs several, and building one takes longer than running it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.json import Decoder
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    String,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from digest import clock
from digest.config import UnknownPolicy
from digest.model import (
    Accepted,
    Delivery,
    DeliveryState,
    NotSent,
    Outcome,
    Phase,
    Refused,
    Unconfirmed,
    Withdrawn,
)
from digest.store.deliveries import (
    TOO_OLD,
    in_words,
    is_due,
    is_in_time,
    is_paused,
    is_queued,
    takes_mail,
    timely_edition,
)
from digest.store.given import Given, gathered, packed, storable, unpacked
from digest.store.tables import deliveries, delivery_events, editions, subscribers, subscriptions, suppressions
from digest.store.types import Json, Moment

Lease = tuple[int, str]
"""A delivery, by its id, and the token of the lease under which it is held."""

_Event = tuple[int, int, DeliveryState, str]
"""Of a delivery by its id: of which attempt, the state that it came to, and what is to be said of it, `storable`."""

MOST_CLAIMS = 3
"""How often a delivery may be claimed and never heard of again before it is set aside as poison."""

SENDER_LETTERS = 24
"""Of a lease token, those at its beginning that name the sender; the others count its claims."""

MOST_IN_HAND = 400
"""The most deliveries of a claim that a sender can be at work on at a time: two for each of its connections."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: deliveries by what became of them. `unknown` leaves out those that are sent again."""

    requeued: int
    unknown: int
    resent: int
    quarantined: int
    expired: int


def claim(
    connection: Connection,
    now: datetime,
    limit: int,
    lease_token: str,
    lease_until: datetime,
    *,
    booked_for: datetime | None = None,
) -> list[Delivery]:
    """Lease up to `limit` due deliveries, those that have waited longest first; no two claims get the same one.

    The order of an edition's deliveries is mixed, and what was tried before comes after what was not, so that a crash loop
    does not hit the same readers each time. Deliveries of erased subscribers are settled on the way. Where an hour is given,
    only those are claimed that are `booked_for` it.

    One that would be set aside as poison if nothing were heard of it again is claimed alone, so that whatever it does to
    whoever sends it costs nobody else a try.
    """
    statement, hour = (_DUE, {}) if booked_for is None else (_DUE_BOOKED, {"hour": booked_for})
    terms = {"now": now, "limit": limit, "token": lease_token, **hour}
    found: list[Delivery] = []
    while not found and (due := unpacked(connection.scalar(statement, terms), _DELIVERIES)):
        suspect = next((place for place, one in enumerate(due) if one.suspect), len(due))
        due = due[: max(suspect, 1)]
        if erased := [one.id for one in due if not one.address]:
            _move(connection, _ERASED, DeliveryState.SUPPRESSED, now, "the subscriber is erased", these=_ids(erased))
        found = [one for one in due if one.address]
    _bring(connection, _CLAIM, DeliveryState.CLAIMED, [(one, "") for one in found], now, until=lease_until)
    return found


def offer(connection: Connection, claimed: Collection[Delivery], now: datetime, late: timedelta) -> set[Lease]:
    """Mark deliveries as offered; the leases under which a final dot may be sent once this is committed.

    Left out is what is no longer held under its lease, whose reader has left, paused or been suppressed, and whose
    edition is paused or was due longer than `late` ago. An offer holds the lease for long enough to wait for the reply.
    """
    asked, until = [(delivery, "") for delivery in claimed], now + clock.LEASE
    return _bring(connection, _OFFER, DeliveryState.OFFERED, asked, now, since=now - late, until=until)


def lease_token(sender: str, number: int) -> str:
    """Of so manieth claim of a sender, which is known by `SENDER_LETTERS` letters of its own."""
    return f"{sender}{number:08x}"


def lease(delivery: Delivery) -> Lease:
    """Under what a sender holds a delivery. One that was stopped for long may ask for the same one under two."""
    return delivery.id, delivery.lease_token


def settle(connection: Connection, outcomes: Sequence[tuple[Delivery, Outcome]], now: datetime) -> list[DeliveryState]:
    """Write down what became of claimed deliveries; return the state each one is in now, in the same order.

    A delivery whose lease has passed to somebody else stays as it is.
    """
    sent = _sent(connection, outcomes, now)
    others = [(delivery, outcome) for delivery, outcome in outcomes if delivery.id not in sent]
    if not others:
        return [DeliveryState.SENT] * len(outcomes)
    states = _settle_one_by_one(connection, others, now)
    return [states.get(delivery.id, DeliveryState.SENT) for delivery, _ in outcomes]


def _sent(connection: Connection, outcomes: Sequence[tuple[Delivery, Outcome]], now: datetime) -> set[int]:
    """Write down what went well, which is nearly everything, in one go; the ids of what is sent now."""
    accepted = [
        (delivery, storable(outcome.remote_id)) for delivery, outcome in outcomes if isinstance(outcome, Accepted)
    ]
    return {number for number, _ in _bring(connection, _SENT, DeliveryState.SENT, accepted, now)}


def _settle_one_by_one(
    connection: Connection, outcomes: Sequence[tuple[Delivery, Outcome]], now: datetime
) -> dict[int, DeliveryState]:
    these = _ids(delivery.id for delivery, _ in outcomes)
    held = {row.id: row for row in connection.execute(_STANDING, {"these": these})}
    withdrawn = [delivery.id for delivery, outcome in outcomes if isinstance(outcome, Withdrawn)]
    still_wanted = connection.execute(_STILL_WANTED, {"these": _ids(withdrawn)}).all() if withdrawn else []
    wanted, paused = {row.id for row in still_wanted}, {row.id for row in still_wanted if row.paused}
    states, changes, events = {}, [], []
    for delivery, outcome in outcomes:
        row = held[delivery.id]
        if row.lease_token != delivery.lease_token or row.state not in _OPEN:
            states[delivery.id] = DeliveryState(row.state)
            continue
        change, detail = _verdict(delivery, outcome, now, wanted=delivery.id in wanted, paused=delivery.id in paused)
        state = states[delivery.id] = change["state"]
        if state != row.state:
            change["ambiguous"] = row.ambiguous + (state is DeliveryState.UNKNOWN)
            changes.append({"key": delivery.id, "changed_at": now, **change})
            events.append((delivery.id, delivery.attempt, state, storable(detail)))
    for shape in {tuple(change) for change in changes}:
        connection.execute(_SETTLE, [change for change in changes if tuple(change) == shape])
    _note(connection, events, now)
    return states


def release(connection: Connection, claimed: Collection[Delivery], now: datetime, reason: str) -> None:
    """Give claims back as if they had never been: what kept them from being tried was not theirs. They keep their place."""
    _move(connection, _RELEASE, DeliveryState.QUEUED, now, reason, these=_leases(claimed))


def excuse(connection: Connection, delivery: Delivery, now: datetime, reason: str, wait: timedelta) -> None:
    """Put off a delivery that the relay refused because of us, be it after the final dot. It does not count as a try."""
    _move(connection, _EXCUSE, DeliveryState.QUEUED, now, reason, these=_leases([delivery]), later=now + wait)


def set_aside(connection: Connection, delivery: Delivery, now: datetime, reason: str) -> DeliveryState:
    """Put off a claimed delivery that could not even be made into a mail; at its third claim, for good."""
    state = DeliveryState.QUARANTINED if delivery.attempt >= MOST_CLAIMS else DeliveryState.QUEUED
    later = clock.retry_at(delivery.attempt, now)
    _move(connection, _SET_ASIDE, state, now, reason, these=_leases([delivery]), later=later)
    return state


def sweep(
    connection: Connection, now: datetime, policy: UnknownPolicy, late: timedelta, in_hand: int = MOST_IN_HAND
) -> Swept:
    """Find again what a sender left behind, and let go of what comes too late.

    A claim without an outcome was certainly not sent and waits again, or is set aside as poison at its third claim. Only
    the first `in_hand` of those that a sender left can have to do with its end, since it takes them in order; the others lose
    neither a try nor their place. An offer without an outcome is unknown; under `resend_once` it is sent once more, while
    its edition is young enough. What is still queued `late` after it was due expires.
    """
    poison = f"claimed {MOST_CLAIMS} times or more, and nothing was heard of it"
    lost = "no outcome after it was offered"
    again = "sent once more, with the same Message-ID"
    since = now - late
    untouched = _move(connection, _UNTOUCHED, DeliveryState.QUEUED, now, "its turn had not come", in_hand=in_hand)
    quarantined = _move(connection, _QUARANTINE, DeliveryState.QUARANTINED, now, poison)
    requeued = _move(connection, _REQUEUE, DeliveryState.QUEUED, now, "its lease ran out")
    unknown = _move(connection, _LOSE, DeliveryState.UNKNOWN, now, lost)
    resent: set[int] = set()
    if policy is UnknownPolicy.RESEND_ONCE:
        resent = _move(connection, _RESEND, DeliveryState.QUEUED, now, again, since=since)
    expired = _move(connection, _EXPIRE, DeliveryState.EXPIRED, now, TOO_OLD, since=since)
    return Swept(
        requeued=len(requeued) + len(untouched),
        unknown=len(unknown - resent),
        resent=len(resent),
        quarantined=len(quarantined),
        expired=len(expired),
    )


@dataclass(frozen=True, slots=True)
class Unknown:
    """A delivery whose fate is unknown: when it was offered, and when that became unknown."""

    id: int
    edition_id: int
    subscriber_id: int
    offered_at: datetime
    unknown_at: datetime


def unknowns(connection: Connection, since: datetime) -> list[Unknown]:
    """The deliveries whose fate became unknown after `since` and still is."""
    return [Unknown(*row) for row in connection.execute(_UNKNOWNS, {"since": since})]


def reconciled(connection: Connection, found: Mapping[int, str], lost: Collection[int], now: datetime) -> None:
    """Settle unknown deliveries: those of `found` were taken under a queue id, those of `lost` certainly never were."""
    for delivery_id, remote_id in found.items():
        known = f"the relay's log has it as {remote_id}"
        _move(connection, _FOUND, DeliveryState.SENT, now, known, these=_ids([delivery_id]), remote=remote_id)
    _move(connection, _LOST, DeliveryState.QUEUED, now, "the relay's log does not have it", these=_ids(lost))


def _verdict(
    delivery: Delivery, outcome: Outcome, now: datetime, *, wanted: bool, paused: bool
) -> tuple[dict[str, Any], str]:
    """What an outcome makes of a delivery's row, and the words for its event."""
    again = {
        "state": DeliveryState.QUEUED if clock.tries_left(delivery.attempt) else DeliveryState.FAILED,
        "not_before": clock.retry_at(delivery.attempt, now),
        **_NOBODY,
    }
    match outcome:
        case Accepted(remote_id):  # by somebody who had lost the lease meanwhile
            return {"state": DeliveryState.SENT, "remote_id": remote_id, **_NOBODY}, remote_id
        case Refused(phase, code, reply, permanent):
            heard = {"last_phase": phase, "last_code": code, "last_reply": reply}
            change = {"state": DeliveryState.FAILED, **_NOBODY} if permanent else again
            return change | heard, f"{phase}: {code} {reply}"
        case NotSent(phase, reason):
            return again | {"last_phase": phase, "last_code": None, "last_reply": reason}, f"{phase}: {reason}"
        case Unconfirmed(reason):
            return {"state": DeliveryState.UNKNOWN, "last_reply": reason}, reason
        case Withdrawn(reason) if wanted:
            # A pause is nobody's failed try.
            untried = {"attempt": delivery.attempt - 1, "not_before": now} if paused else {}
            return again | {"state": DeliveryState.QUEUED} | untried, "its edition is paused" if paused else reason
        case Withdrawn():
            return {"state": DeliveryState.SUPPRESSED, **_NOBODY}, "the reader has left, paused or been suppressed"


def _leases(claimed: Collection[Delivery]) -> str:
    """The parameter of `_HELD`."""
    return packed((delivery.id, delivery.lease_token) for delivery in claimed)


def _ids(ids: Iterable[int]) -> str:
    """The parameter of `_THESE`."""
    return packed((one,) for one in ids)


def _bring(
    connection: Connection,
    statement: Executable,
    state: DeliveryState,
    details: Sequence[tuple[Delivery, str]],
    now: datetime,
    **terms: Any,
) -> set[Lease]:
    """Bring deliveries to a state by a statement of `_bringing`, with an event each; the leases of those that moved.

    It does what `_move` does, at the price of one row where all of them move, as nearly always.
    """
    events = [(one.id, one.attempt, state, detail, one.lease_token) for one, detail in details]
    if not events:
        return set()
    these = packed(events)
    if connection.execute(statement, {"these": these, "now": now, **terms}).rowcount < len(events):
        moved = {(number, token) for number, token in connection.execute(_UNTOLD, {"these": these})}
        events = list({event[0]: event for event in events if (event[0], event[4]) in moved}.values())
        these = packed(events)
    connection.execute(_EVENTS, {"these": these, "now": now})
    return {(event[0], event[4]) for event in events}


def _move(
    connection: Connection, statement: Executable, state: DeliveryState, now: datetime, detail: str = "", **terms: Any
) -> set[int]:
    """Bring deliveries to a state by a statement of `_moving`, with an event each; the ids of those that moved."""
    moved = connection.execute(statement, {"to": state, "now": now, **terms}).all()
    _note(connection, [(row.id, row.attempt, state, storable(detail)) for row in moved], now)
    return {row.id for row in moved}


def _note(connection: Connection, events: Sequence[_Event], now: datetime) -> None:
    if events:
        connection.execute(_EVENTS, {"these": packed(events), "now": now})


# ── the statements ───────────────────────────────────────────────────────────────────────────────────────────────


def _moment(name: str) -> Any:
    return bindparam(name, type_=Moment())


def _moving(which: ColumnElement[bool], **values: Any) -> Executable:
    changes = {"state": bindparam("to"), "changed_at": _moment("now"), **values}
    return update(deliveries).where(which).values(changes).returning(deliveries.c.id, deliveries.c.attempt)


def _found_for_each(which: Select[Any]) -> ColumnElement[bool]:
    """Whether there is such a row, looked for by each delivery in question and for no other.

    PostgreSQL would make a join of it, for all deliveries first where it does not know yet how many there are; not of what
    has an offset.
    """
    return which.offset(0).correlate(deliveries).exists()


def _bringing(which: ColumnElement[bool], **values: Any) -> Executable:
    changes = {"state": _these.text(2), "changed_at": _moment("now"), **values}
    return update(deliveries).where(_THESE, which).values(changes)


_row = deliveries.c
_OPEN = (DeliveryState.CLAIMED, DeliveryState.OFFERED, DeliveryState.UNKNOWN)
_NOBODY: dict[str, Any] = {"lease_token": None, "lease_until": None}
# What once got so far is no poison.
_AT_THE_DOT: dict[str, Any] = {"last_phase": Phase.DOT}
_these = Given("these")
_THESE = _row.id == _these.key(0)
_THEIR_LEASE = _these.text(4)
_LEASED = and_(_THESE, _row.lease_token == _these.text(1))
_HELD = and_(_LEASED, _row.state == in_words(DeliveryState.CLAIMED))
_HELD_OR_OFFERED = and_(_LEASED, _row.state.in_(map(in_words, (DeliveryState.CLAIMED, DeliveryState.OFFERED))))
_SUBSCRIBED = select(subscriptions.c.id).where(
    subscriptions.c.id == _row.subscription_id, editions.c.id == _row.edition_id, takes_mail(editions.c.date)
)
_SUPPRESSED = select(suppressions.c.address_key).where(suppressions.c.address_key == _row.address_key)
_WANTED = and_(_found_for_each(_SUBSCRIBED), ~_found_for_each(_SUPPRESSED))
_IN_TIME = is_in_time(_moment("since"))
# No more than the partial index of leases has to be looked at.
_ABANDONED = and_(_row.state == in_words(DeliveryState.CLAIMED), _row.lease_until <= _moment("now"))
_POISON = or_(and_(_row.attempt >= MOST_CLAIMS, _row.last_phase.is_(None)), _row.attempt > len(clock.RETRY_MINUTES))


def _due(*terms: ColumnElement[bool]) -> Executable:
    return gathered(
        select(
            *(_row.id, _row.edition_id, _row.subscriber_id, _row.subscription_id),
            # An erased subscriber has no subscription any more, and here no address.
            func.coalesce(subscribers.c.address, "").label("address"),
            func.coalesce(subscriptions.c.topics, literal_column("'[]'", Json), type_=Json).label("topics"),
            func.coalesce(subscriptions.c.version, 0).label("version"),
            func.coalesce(subscriptions.c.since, _row.not_before, type_=Moment()).label("since"),
            (_row.attempt + 1).label("attempt"),
            bindparam("token", type_=String()).label("lease_token"),
            and_(_row.attempt + 1 >= MOST_CLAIMS, _row.last_phase.is_(None)).label("suspect"),
            func.coalesce(subscriptions.c.text_only, false()).label("text_only"),
            func.coalesce(subscriptions.c.language, "").label("language"),
        )
        .outerjoin_from(deliveries, subscriptions, subscriptions.c.id == _row.subscription_id)
        .outerjoin(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(is_due(_moment("now")), *terms)
        .order_by(_row.not_before, _row.id)
        .limit(bindparam("limit"))
        .with_for_update(of=deliveries, skip_locked=True)
    )


_DUE = _due()
_DUE_BOOKED = _due(_row.booked_for == _moment("hour"))
# SQLite's truth is 0 or 1.
_DELIVERIES = Decoder(list[Delivery], strict=False)
# What is due was locked when it was found.
_CLAIM = _bringing(true(), attempt=_these.number(1), lease_token=_THEIR_LEASE, lease_until=_moment("until"))
_ERASED = _moving(_THESE)
_OFFER = _bringing(
    and_(
        *(_row.lease_token == _THEIR_LEASE, _row.state == in_words(DeliveryState.CLAIMED)),
        *(_row.lease_until > _moment("now"), _WANTED, _found_for_each(timely_edition(_moment("since"))), ~is_paused()),
    ),
    lease_until=_moment("until"),
)
_SENT = _bringing(
    and_(_row.lease_token == _THEIR_LEASE, _row.state.in_(map(in_words, _OPEN))),
    **_NOBODY,
    remote_id=_these.text(3),
)
# Every move has its event at the end of its transaction. What has none yet has moved in this one.
_told = delivery_events.c
_LAST_CLAIM = (
    select(func.max(_told.id))
    .where(_told.delivery_id == _row.id, _told.kind == in_words(DeliveryState.CLAIMED))
    .correlate(deliveries)
    .scalar_subquery()
)
_UNTOLD = select(_row.id, _THEIR_LEASE).where(
    _THESE,
    or_(_row.lease_token.is_(None), _row.lease_token == _THEIR_LEASE),
    _row.state == _these.text(2),
    ~exists().where(_told.delivery_id == _row.id, _told.kind == _these.text(2), _told.id > _LAST_CLAIM),
)
_STANDING = select(_row.id, _row.state, _row.ambiguous, _row.lease_token).where(_THESE).with_for_update(of=deliveries)
_STILL_WANTED = select(_row.id, is_paused().label("paused")).where(_THESE, _WANTED)
_SETTLE = update(deliveries).where(_row.id == bindparam("key"))
_EVENTS = insert(delivery_events).from_select(
    ("delivery_id", "attempt", "kind", "detail", "at"),
    select(_these.key(0), _these.number(1), _these.text(2), _these.text(3), _moment("now")),
)

_RELEASE = _moving(_HELD, **_NOBODY, attempt=_row.attempt - 1)
_EXCUSE = _moving(_HELD_OR_OFFERED, **_NOBODY, attempt=_row.attempt - 1, not_before=_moment("later"))
_SET_ASIDE = _moving(_HELD, **_NOBODY, not_before=_moment("later"))

# A sender fetches more before it is through with what it has, and takes its claims one after the other.
_sender = func.substr(_row.lease_token, 1, SENDER_LETTERS)
_turn = func.row_number().over(partition_by=_sender, order_by=(_row.lease_token, _row.not_before, _row.id))
_left = select(_row.id, _turn.label("turn")).where(_ABANDONED).subquery()
# PostgreSQL asks the outer condition again of a row that another transaction has changed meanwhile, and not the inner one.
_UNTOUCHED = _moving(
    and_(_ABANDONED, _row.id.in_(select(_left.c.id).where(_left.c.turn > bindparam("in_hand")))),
    **_NOBODY,
    attempt=_row.attempt - 1,
)
_QUARANTINE = _moving(and_(_ABANDONED, _POISON), **_NOBODY)
_REQUEUE = _moving(_ABANDONED, **_NOBODY, not_before=_moment("now"))
# The token stays, so that whoever held it may still say what became of the delivery.
_LOSE = _moving(
    and_(_row.state == in_words(DeliveryState.OFFERED), _row.lease_until <= _moment("now")),
    ambiguous=_row.ambiguous + 1,
)
_RESEND = _moving(
    and_(_row.state == in_words(DeliveryState.UNKNOWN), _row.lease_until.is_not(None), _row.ambiguous == 1, _IN_TIME),
    **_NOBODY,
    **_AT_THE_DOT,
    not_before=_moment("now"),
)
_UNKNOWNS = (
    select(*(_row.id, _row.edition_id, _row.subscriber_id, func.max(delivery_events.c.at), _row.changed_at))
    .join_from(deliveries, delivery_events, delivery_events.c.delivery_id == _row.id)
    .where(
        _row.state == in_words(DeliveryState.UNKNOWN),
        _row.lease_until.is_not(None),
        _row.changed_at > _moment("since"),
        delivery_events.c.kind == in_words(DeliveryState.OFFERED),
    )
    .group_by(_row.id)
)
_DOUBTED = and_(_THESE, _row.state == in_words(DeliveryState.UNKNOWN))
_FOUND = _moving(_DOUBTED, **_NOBODY, remote_id=bindparam("remote"))
_LOST = _moving(_DOUBTED, **_NOBODY, **_AT_THE_DOT, not_before=_moment("now"))
_EXPIRE = _moving(and_(is_queued(), ~_IN_TIME))
