"""A change of address: a reader asks, both ends are written to; the new one confirms, and the old one can refuse or take it back.

What the asking page says never depends on the new address, nor does what the old one is written: who reads there is nobody's affair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Config
from digest.links import address_key
from digest.model import Cause, Subscription, SubscriptionState, Suppression
from digest.store import engine as engines
from digest.store import letters, moves, suppressions
from digest.store import subscribers as store
from digest.store.letters import Kind, LetterOrder
from digest.store.moves import Move
from digest.store.signups import Request

CONFIRMABLE = timedelta(days=7)
RETURNABLE = timedelta(days=7)
"""For how long the old address can take back what the new one has confirmed."""

KEPT = timedelta(days=30)
ONE_IN, MOST_IN_KEPT = timedelta(days=1), 3
"""Of the changes that somebody can ask of one subscriber: one in a day, and so many in all the time that we look back."""


class Reply(Enum):
    """What goes to a new address."""

    NOTHING = auto()
    LINK = auto()
    KNOWN = auto()


class End(Enum):
    """What the link at one end of a change is good for: to be pressed, or it has been; or for nothing any more."""

    OPEN = auto()
    DONE = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """A link at one end of a change: what it is good for, and the subscription it names, if there still is one.

    `address` is the new one; `moved` says whether it has been confirmed.
    """

    end: End
    subscription: Subscription | None = None
    address: str = ""
    moved: bool = False


def reply(known: Sequence[Subscription], suppression: Suppression | None, *, enough: bool) -> Reply:
    """What goes to a new address.

    Args:
        known: everything it has subscribed to, ended or not.
        suppression: why it must not be mailed; no change revives an address.
        enough: whether it has been written to for such a reason often enough.
    """
    if suppression or enough:
        return Reply.NOTHING
    return Reply.KNOWN if any(one.state is SubscriptionState.ACTIVE for one in known) else Reply.LINK


def may_ask(
    found: Subscription | None, version: int, suppression: Suppression | None, asked: Sequence[datetime], now: datetime
) -> bool:
    """Whether a change may be asked for now: by a link that still holds, and not too often.

    Whoever complained, or was barred, stays so. One whose mailbox is gone is the very one who moves.
    """
    often = len(asked) >= MOST_IN_KEPT or any(now - one < ONE_IN for one in asked)
    barred = suppression is not None and suppression.cause is not Cause.BOUNCED
    return (
        found is not None
        and found.state is SubscriptionState.ACTIVE
        and found.version == version
        and not barred
        and not often
    )


def new_end(
    move: Move | None,
    found: Subscription | None,
    there: Sequence[Subscription],
    suppression: Suppression | None,
    now: datetime,
) -> End:
    """What the link at the new end is good for.

    Args:
        move: the change it names.
        found: the subscription it is about.
        there: everything that the new address has subscribed to itself.
        suppression: why the new address must not be mailed.
        now: when the link is opened.
    """
    if move is None or found is None or move.stopped_at or found.state is not SubscriptionState.ACTIVE:
        return End.CLOSED
    if move.confirmed_at:
        return End.DONE if found.version == move.version + 1 else End.CLOSED
    known = reply(there, suppression, enough=False) is not Reply.LINK
    in_time = now - move.asked_at <= CONFIRMABLE
    return End.OPEN if move.new_address and found.version == move.version and in_time and not known else End.CLOSED


def old_end(move: Move | None, found: Subscription | None, there: Sequence[Subscription], now: datetime) -> End:
    """What the link at the old end is good for; `there` is everything that the old address has subscribed to since."""
    if move is None or found is None:
        return End.CLOSED
    if move.stopped_at:
        return End.DONE
    if move.confirmed_at is None:
        return End.OPEN if now - move.asked_at <= CONFIRMABLE else End.CLOSED
    again = any(one.state is SubscriptionState.ACTIVE and one.subscriber_id != found.subscriber_id for one in there)
    return End.OPEN if now - move.confirmed_at <= RETURNABLE and not again else End.CLOSED


def answer(config: Config, connection: Connection, asked: Request, now: datetime, *, enough: bool) -> bool:
    """Have both ends of a change written to that somebody asked for; whether a letter goes to the new one."""
    found = store.subscription(connection, asked.evidence["subscription"])
    own_key = address_key(found.address, config.signing_keys) if found else ""
    own = suppressions.by_key(connection, own_key)
    before = moves.asked(connection, found.subscriber_id, now - KEPT) if found else []
    if found is None or not may_ask(found, asked.evidence["version"], own, before, now):
        return False
    there = store.by_key(connection, asked.address, asked.address_key)
    chosen = reply(there, suppressions.by_key(connection, asked.address_key), enough=enough)
    new = (asked.address if chosen is Reply.LINK else "", asked.address_key)
    evidence = {name: value for name, value in asked.evidence.items() if name not in {"subscription", "version"}}
    number = moves.keep(connection, found, own_key, new, evidence, now)
    if own is None and asked.address_key != own_key:
        _order(connection, Kind.OLD_ADDRESS, number, found.id, now)
    match chosen:
        case Reply.LINK:
            _order(connection, Kind.NEW_ADDRESS, number, found.id, now)
        case Reply.KNOWN:
            reader = next(one for one in there if one.state is SubscriptionState.ACTIVE)
            _order(connection, Kind.KNOWN_ADDRESS, number, reader.id, now)
    return chosen is not Reply.NOTHING


def _order(connection: Connection, kind: Kind, number: int, subscription_id: int, now: datetime) -> None:
    key = f"{kind.replace(' ', '-')}:{number}"
    letters.order(connection, LetterOrder(key, kind, subscription_id, {"move": number}), now)


def opened_at_the_new(engine: Engine, number: int, now: datetime) -> Opened:
    """Look at what the link at the new end is good for, and change nothing."""
    with engines.read(engine) as connection:
        return _at_the_new(connection, moves.by_id(connection, number), now)


def opened_at_the_old(engine: Engine, number: int, now: datetime) -> Opened:
    """Look at what the link at the old end is good for, and change nothing."""
    with engines.read(engine) as connection:
        return _at_the_old(connection, moves.by_id(connection, number), now)


def confirm(engine: Engine, number: int, evidence: Mapping[str, Any], now: datetime) -> Opened:
    """Let the reader have the new address, as whoever reads there wishes. Once confirmed it stays so."""
    with engines.write(engine) as connection:
        move = moves.held(connection, number)
        found = _at_the_new(connection, move, now)
        if found.end is not End.OPEN or move is None or found.subscription is None:
            return found
        moves.confirm(connection, move, found.subscription.address, now)
        said = {**move.evidence, "asked_at": move.asked_at.isoformat(), **evidence, "at": now.isoformat()}
        _relocate(connection, found.subscription, move.new_address, move.new_key, said, now)
        return _at_the_new(connection, moves.by_id(connection, number), now)


def stop(engine: Engine, number: int, now: datetime) -> Opened:
    """Have nothing come of a change, or take it back, as whoever reads at the old address wishes."""
    with engines.write(engine) as connection:
        move = moves.held(connection, number)
        found = _at_the_old(connection, move, now)
        if found.end is not End.OPEN or move is None or found.subscription is None:
            return found
        moves.stop(connection, move, now)
        if move.confirmed_at:
            said = {"how": "taken back", "at": now.isoformat()}
            _relocate(connection, found.subscription, move.old_address, move.old_key, said, now)
        return replace(found, end=End.DONE)


def _relocate(
    connection: Connection, who: Subscription, address: str, key: str, evidence: Mapping[str, Any], now: datetime
) -> None:
    moves.relocate(connection, who.subscriber_id, address, key, evidence, now - KEPT, now)


def addressee(connection: Connection, wanted: LetterOrder) -> str | None:
    """Where the letter goes that is written to one end of a change; None where it need not be written any more."""
    move = moves.by_id(connection, wanted.parameters["move"])
    found = store.subscription(connection, wanted.subscription_id)
    if move is None or move.stopped_at or found is None:
        return None
    if wanted.kind == Kind.NEW_ADDRESS:
        return move.new_address or None
    return move.old_address or found.address


def _at_the_new(connection: Connection, move: Move | None, now: datetime) -> Opened:
    found = store.subscription(connection, move.subscription_id) if move else None
    there = store.by_key(connection, move.new_address, move.new_key) if move else []
    suppression = suppressions.by_key(connection, move.new_key) if move else None
    moved = move is not None and move.confirmed_at is not None
    address = found.address if moved and found else move.new_address if move else ""
    return Opened(new_end(move, found, there, suppression, now), found, address, moved)


def _at_the_old(connection: Connection, move: Move | None, now: datetime) -> Opened:
    found = store.subscription(connection, move.subscription_id) if move else None
    there = store.by_key(connection, move.old_address, move.old_key) if move else []
    return Opened(old_end(move, found, there, now), found, moved=move is not None and move.confirmed_at is not None)
