"""Deliveries that are queued once more by hand."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, select, update

from digest.model import DeliveryState
from digest.store.deliveries import is_in_time, takes_mail
from digest.store.tables import deliveries, delivery_events, subscribers, subscriptions, suppressions

_row = deliveries.c
RESENT = "queued once more by hand"


@dataclass(frozen=True, slots=True)
class Found:
    """How many deliveries can be sent once more, and how many not: their readers no longer take mail, or it is too late."""

    wanted: int
    unwanted: int
    late: int = 0


def find(
    connection: Connection,
    edition_id: int,
    day: date,
    state: DeliveryState,
    since: datetime,
    address: str | None = None,
) -> Found:
    """How many of an edition's deliveries in a state would be queued once more.

    Args:
        connection: to read with.
        edition_id: the edition.
        day: its date.
        state: those that failed, or those that are unknown.
        since: what was due before is too late.
        address: only the one to this address.
    """
    these = _these(edition_id, state, address)

    def number(*which: ColumnElement[bool]) -> int:
        return connection.scalars(select(func.count()).select_from(deliveries).where(these, *which)).one()

    wanted, still = number(_takes_mail(day), is_in_time(since)), number(_takes_mail(day))
    return Found(wanted, unwanted=number() - still, late=still - wanted)


def again(
    connection: Connection,
    edition_id: int,
    day: date,
    state: DeliveryState,
    since: datetime,
    now: datetime,
    address: str | None = None,
) -> int:
    """Queue those that `find` calls wanted, as if they had never been tried, with an event each; how many.

    Their mail has the same Message-ID. What is in no such state stays as it is.
    """
    these = and_(_these(edition_id, state, address), _takes_mail(day), is_in_time(since))
    kind, at = literal(DeliveryState.QUEUED.value), literal(now, delivery_events.c.at.type)
    events = select(_row.id, kind, at, literal(0), literal(RESENT)).where(these).with_for_update(of=deliveries)
    connection.execute(insert(delivery_events).from_select(("delivery_id", "kind", "at", "attempt", "detail"), events))
    fresh = {"state": DeliveryState.QUEUED, "attempt": 0, "not_before": now, "changed_at": now}
    nobody = {"lease_token": None, "lease_until": None}
    return connection.execute(update(deliveries).where(these).values(**fresh, **nobody)).rowcount


def state_of(connection: Connection, edition_id: int, address: str) -> DeliveryState | None:
    """Where an edition's delivery to an address stands; None where there is none."""
    found = select(_row.state).where(_row.edition_id == edition_id, _is_to(address))
    state = connection.scalars(found).one_or_none()
    return None if state is None else DeliveryState(state)


def _these(edition_id: int, state: DeliveryState, address: str | None) -> ColumnElement[bool]:
    these = (_row.edition_id == edition_id) & (_row.state == state)
    return these if address is None else these & _is_to(address)


def _is_to(address: str) -> ColumnElement[bool]:
    theirs = func.lower(subscribers.c.address) == address.lower()
    return _row.subscriber_id.in_(select(subscribers.c.id).where(theirs))


def _takes_mail(day: date) -> ColumnElement[bool]:
    subscribed = exists().where(subscriptions.c.id == _row.subscription_id, takes_mail(day))
    return subscribed & ~exists().where(suppressions.c.address_key == _row.address_key)
