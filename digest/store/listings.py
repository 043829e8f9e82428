"""Lists that are read a page at a time: each page begins after the key with which the one before ended."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from digest.model import DeliveryState, EditionState, Subscription, SubscriptionState
from digest.store.subscribers import of_row, with_address
from digest.store.tables import deliveries, editions, subscribers, subscriptions


@dataclass(frozen=True, slots=True)
class ListedEdition:
    """An edition without its stories, in whatever state."""

    id: int
    digest: str
    date: date
    state: EditionState
    title: str
    reason: str
    published_at: datetime
    audience: int
    paused_at: datetime | None
    paused_because: str | None


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """One edition to one subscriber: where it stands, since when, and what the relay last said."""

    id: int
    subscriber: int
    subscription: int
    state: DeliveryState
    attempt: int
    queued_at: datetime
    changed_at: datetime
    code: int | None
    reply: str | None


def subscriptions_after(
    connection: Connection, after: int, limit: int, *, digest: str | None = None, state: SubscriptionState | None = None
) -> list[Subscription]:
    """Subscriptions in the order of their ids, ended ones too."""
    row = subscriptions.c
    wanted = with_address().where(row.id > after).order_by(row.id).limit(limit)
    if digest is not None:
        wanted = wanted.where(row.digest == digest)
    if state is not None:
        wanted = wanted.where(row.state == state)
    return [of_row(one) for one in connection.execute(wanted)]


def address_of(connection: Connection, subscriber: int) -> str | None:
    """The address of a subscriber; None once erased."""
    found: str | None = connection.scalar(select(subscribers.c.address).where(subscribers.c.id == subscriber))
    return found


def editions_before(
    connection: Connection,
    before: int | None,
    limit: int,
    *,
    digest: str | None = None,
    state: EditionState | None = None,
) -> list[ListedEdition]:
    """Editions, the last made first."""
    row = editions.c
    wanted = select(*(row[name] for name in ListedEdition.__dataclass_fields__)).order_by(row.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(row.id < before)
    if digest is not None:
        wanted = wanted.where(row.digest == digest)
    if state is not None:
        wanted = wanted.where(row.state == state)
    return [ListedEdition(*one) for one in connection.execute(wanted)]


def edition(connection: Connection, edition_id: int) -> ListedEdition | None:
    """One edition without its stories."""
    found = editions_before(connection, edition_id + 1, 1)
    return found[0] if found and found[0].id == edition_id else None


def deliveries_after(
    connection: Connection, edition_id: int, after: int, limit: int, state: DeliveryState | None = None
) -> list[ListedDelivery]:
    """An edition's deliveries in the order of the subscribers' ids, which the unique key of the table has them in."""
    row = deliveries.c
    columns = row.id, row.subscriber_id, row.subscription_id, row.state, row.attempt, row.queued_at, row.changed_at
    wanted = (
        select(*columns, row.last_code, row.last_reply)
        .where(row.edition_id == edition_id, row.subscriber_id > after)
        .order_by(row.subscriber_id)
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(row.state == state)
    return [ListedDelivery(*one) for one in connection.execute(wanted)]
