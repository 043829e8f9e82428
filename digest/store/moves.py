"""Changes of address: what readers asked for, and a subscriber with everything that is its own at another address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, literal, select, update

from digest.model import Deed, DeliveryState, Subscription
from digest.store.subscribers import note
from digest.store.tables import (
    address_changes,
    deliveries,
    delivery_events,
    editions,
    past_subscriptions,
    subscribers,
    subscriptions,
)

_row = address_changes.c


@dataclass(frozen=True, slots=True)
class Move:
    """A change of address as somebody asked for it who held the link of a subscription, which had that version then.

    `new_address` is empty where nothing was mailed there, or it is done with; `old_address` until the new one is confirmed.
    """

    id: int
    subscription_id: int
    version: int
    new_address: str
    new_key: str
    old_address: str
    old_key: str
    evidence: Mapping[str, Any]
    asked_at: datetime
    confirmed_at: datetime | None = None
    stopped_at: datetime | None = None


def keep(
    connection: Connection,
    of: Subscription,
    old_key: str,
    new: tuple[str, str],
    evidence: Mapping[str, Any],
    now: datetime,
) -> int:
    """Keep that a change was asked for, to the `new` address (empty: nothing is mailed there) with that key; its id."""
    row = {
        "subscription_id": of.id,
        "version": of.version,
        "new_address": new[0],
        "new_key": new[1],
        "old_address": "",
        "old_key": old_key,
        "evidence": dict(evidence),
        "asked_at": now,
    }
    number: int = connection.scalars(insert(address_changes).values(row).returning(_row.id)).one()
    return number


def by_id(connection: Connection, move_id: int) -> Move | None:
    """The change with this id; None once it is forgotten or its subscriber erased."""
    found = connection.execute(select(address_changes).where(_row.id == move_id)).mappings().one_or_none()
    return None if found is None else Move(**found)


def held(connection: Connection, move_id: int) -> Move | None:
    """The same for whoever is about to change it: until the transaction ends, nobody else does, nor begins to read at either end."""
    connection.execute(select(_row.id).where(_row.id == move_id).with_for_update())
    move = by_id(connection, move_id)
    if move is not None:
        ends = subscribers.c.address_key.in_((move.new_key, move.old_key))
        reading = select(subscriptions.c.id).join_from(subscriptions, subscribers).where(ends)
        connection.execute(reading.order_by(subscriptions.c.id).with_for_update(of=subscriptions))
    return move


def of_subscriber(connection: Connection, subscriber_id: int) -> list[Move]:
    """Every change of a subscriber's address that is kept, the oldest first."""
    theirs = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
    found = select(address_changes).where(_row.subscription_id.in_(theirs)).order_by(_row.id)
    return [Move(**row) for row in connection.execute(found).mappings()]


def asked(connection: Connection, subscriber_id: int, since: datetime) -> list[datetime]:
    """When changes of a subscriber's address were asked for, the oldest first."""
    theirs = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
    found = select(_row.asked_at).where(_row.subscription_id.in_(theirs), _row.asked_at > since)
    return list(connection.scalars(found.order_by(_row.asked_at)))


def confirm(connection: Connection, move: Move, old_address: str, now: datetime) -> None:
    """Note that whoever reads at the new address wants it, and what the old one is."""
    done = {"confirmed_at": now, "old_address": old_address, "new_address": ""}
    connection.execute(update(address_changes).where(_row.id == move.id).values(done))


def stop(connection: Connection, move: Move, now: datetime) -> None:
    """Note that the old address does not want a change, nor any that came after it; nothing of them can be done any more."""
    these = (_row.subscription_id == move.subscription_id) & (_row.id >= move.id) & _row.stopped_at.is_(None)
    connection.execute(update(address_changes).where(these).values(stopped_at=now, new_address="", old_address=""))


def forgotten(connection: Connection, before: datetime) -> bool:
    """Whether there are changes that were asked for before a moment."""
    return connection.execute(select(_row.id).where(_row.asked_at < before).limit(1)).first() is not None


def forget(connection: Connection, before: datetime) -> int:
    """Drop the changes that were asked for before a moment; how many."""
    return connection.execute(delete(address_changes).where(_row.asked_at < before)).rowcount


def relocate(
    connection: Connection,
    subscriber_id: int,
    address: str,
    address_key: str,
    evidence: Mapping[str, Any],
    published_since: datetime,
    now: datetime,
) -> None:
    """Let a subscriber have another address, with all subscriptions, and what waits to be sent to it.

    Their versions rise, so that of the links in older mails only those to leave go on working. Whoever had the address and
    reads nothing there any more makes room: links of that earlier life lead to what is read there now. An edition
    that has gone there already does not go there once more.

    Args:
        connection: in a write transaction.
        subscriber_id: who moves.
        address: where to. Nobody reads anything there.
        address_key: its keyed hash.
        evidence: what the history of each subscription says of it.
        published_since: what was due before is sent to nobody any more.
        now: when it happens.
    """
    recent = select(editions.c.id).where(editions.c.published_at > published_since)
    waiting = (
        (deliveries.c.subscriber_id == subscriber_id)
        & (deliveries.c.edition_id.in_(recent) | (deliveries.c.due_at > published_since))
        & (deliveries.c.state == DeliveryState.QUEUED)
    )
    before = connection.scalar(
        select(subscribers.c.id).where(
            (subscribers.c.address_key == address_key) | (subscribers.c.address == address),
            subscribers.c.id != subscriber_id,
        )
    )
    if before is not None:
        _settle_what_went(connection, waiting, before, now)
        _make_room(connection, before, address_key)
    connection.execute(update(deliveries).where(waiting).values(address_key=address_key))
    connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber_id).values(address=address, address_key=address_key)
    )
    theirs = subscriptions.c.subscriber_id == subscriber_id
    connection.execute(update(subscriptions).where(theirs).values(version=subscriptions.c.version + 1))
    for subscription_id in connection.scalars(select(subscriptions.c.id).where(theirs)).all():
        note(connection, subscription_id, Deed.MOVED, evidence, now)


_WENT = (DeliveryState.CLAIMED, DeliveryState.OFFERED, DeliveryState.SENT, DeliveryState.UNKNOWN)


def _settle_what_went(connection: Connection, waiting: Any, before: int, now: datetime) -> None:
    """Let go of what waits of editions that an earlier reader at the new address has had."""
    other = deliveries.alias()
    had = exists().where(
        other.c.edition_id == deliveries.c.edition_id, other.c.subscriber_id == before, other.c.state.in_(_WENT)
    )
    settled = (
        update(deliveries)
        .where(waiting, had)
        .values(state=DeliveryState.SUPPRESSED, changed_at=now)
        .returning(deliveries.c.id, deliveries.c.attempt)
    )
    told = {"kind": DeliveryState.SUPPRESSED, "at": now, "detail": "the reader's new address has had this edition"}
    events = [{"delivery_id": row.id, "attempt": row.attempt, **told} for row in connection.execute(settled).all()]
    if events:
        connection.execute(insert(delivery_events), events)


def _make_room(connection: Connection, subscriber_id: int, address_key: str) -> None:
    """Take out a subscriber who reads nothing any more. Of each subscription stays what a link to leave has to know."""
    named = select(subscriptions.c.id, literal(address_key), subscriptions.c.digest).where(
        subscriptions.c.subscriber_id == subscriber_id
    )
    connection.execute(insert(past_subscriptions).from_select(("id", "address_key", "digest"), named))
    connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))
