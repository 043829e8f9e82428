"""What came back of deliveries, each report once; and how many of an edition, of an address, of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, union_all, update

from digest.model import DeliveryState, Returned, Severity
from digest.store.tables import deliveries, delivery_events, editions, return_counts, returns
from digest.store.upsert import insert_if_absent

_LOOKED_BACK = 5000
"""Events of the ledger among which an edition's last attempts are looked for: an attempt has some four of them."""

_row, _event = returns.c, delivery_events.c


@dataclass(frozen=True, slots=True)
class Addressed:
    """A delivery as a report finds it: whom it went to, as a keyed hash, and when it came to where it stands."""

    id: int
    edition_id: int
    address_key: str
    attempt: int
    changed_at: datetime


def addressed(connection: Connection, delivery_id: int) -> Addressed | None:
    """The delivery that a report is about, held until the transaction ends."""
    columns = (getattr(deliveries.c, name) for name in Addressed.__slots__)
    found = connection.execute(select(*columns).where(deliveries.c.id == delivery_id).with_for_update()).one_or_none()
    return None if found is None else Addressed(*found)


def note(
    connection: Connection,
    delivery: Addressed,
    kind: Returned,
    severity: Severity,
    detail: str,
    event_key: str,
    now: datetime,
) -> bool:
    """Keep what came back; False where this report was kept before."""
    event = {
        "delivery_id": delivery.id,
        "kind": kind,
        "at": now,
        "attempt": delivery.attempt,
        "detail": detail,
        "event_key": event_key,
    }
    if not insert_if_absent(connection, delivery_events, [event]):
        return False
    _keep(connection, delivery, severity, now, at_once=False)
    return True


def note_refusal(connection: Connection, delivery: Addressed, severity: Severity, now: datetime) -> None:
    """Keep that a relay refused a delivery; what it said stands in the ledger already."""
    _keep(connection, delivery, severity, now, at_once=True)


def soft_bounces(connection: Connection, address_key: str, since: datetime) -> list[tuple[int, datetime]]:
    """What came back softly from an address, as editions and moments."""
    found = select(_row.edition_id, _row.at).where(
        _row.address_key == address_key, _row.severity == Severity.SOFT, _row.at >= since
    )
    return [(edition_id, at) for edition_id, at in connection.execute(found)]


def last_attempts(connection: Connection, edition_id: int, most: int) -> tuple[int, int]:
    """How many of an edition's last deliveries a relay answered, up to `most`, and how many of them it refused by policy.

    What was before the edition was last resumed is left out.
    """
    looked_at = select(func.max(_event.id) - _LOOKED_BACK).scalar_subquery()
    answered = (
        select(_event.delivery_id, _event.at)
        .join_from(delivery_events, deliveries, deliveries.c.id == _event.delivery_id)
        .where(_event.id > looked_at, _event.kind.in_((DeliveryState.SENT, DeliveryState.FAILED)))
        .where(deliveries.c.edition_id == edition_id)
    )
    # What is refused by policy is tried again, so no state of its delivery shows it.
    refused_at_once = select(_row.delivery_id, _row.at).where(
        _row.edition_id == edition_id, _row.severity == Severity.POLICY, _row.at_once
    )
    both = union_all(answered, refused_at_once.order_by(_row.id.desc()).limit(most).subquery().select()).subquery()
    attempts = (
        select(both.c.delivery_id)
        .join(editions, editions.c.id == edition_id)
        .where(_since_resumed(both.c.at))
        .group_by(both.c.delivery_id)
        .order_by(func.max(both.c.at).desc(), both.c.delivery_id)
        .limit(most)
        .subquery()
    )
    number = connection.scalars(select(func.count()).select_from(attempts)).one()
    refused = select(func.count(_row.delivery_id.distinct())).where(
        _row.delivery_id.in_(select(attempts.c.delivery_id)), _row.severity == Severity.POLICY
    )
    return number, connection.scalars(refused).one()


def complaints(connection: Connection, edition_id: int) -> tuple[int, int]:
    """How many complained about an edition since it was last resumed, and to how many it was sent."""
    complained = (
        select(func.count(_row.delivery_id.distinct()))
        .join_from(returns, editions, editions.c.id == _row.edition_id)
        .where(_row.edition_id == edition_id, _row.severity == Severity.COMPLAINT, _since_resumed(_row.at))
    )
    to = (deliveries.c.edition_id == edition_id) & (deliveries.c.state == DeliveryState.SENT)
    sent = select(func.count()).select_from(deliveries).where(to)
    return connection.scalars(complained).one(), connection.scalars(sent).one()


def complained_about(connection: Connection, since: datetime) -> list[tuple[int, str, int]]:
    """The editions published after `since` that readers complained about since they were last resumed: id, title with date, how many."""
    found = (
        select(editions.c.id, editions.c.title, editions.c.date, func.count(_row.delivery_id.distinct()))
        .join_from(editions, returns, _row.edition_id == editions.c.id)
        .where(editions.c.published_at > since, _row.severity == Severity.COMPLAINT, _since_resumed(_row.at))
        .group_by(editions.c.id, editions.c.title, editions.c.date)
        .order_by(editions.c.id)
    )
    return [(number, f"{title} of {day}", count) for number, title, day, count in connection.execute(found)]


def sent(connection: Connection, edition_id: int, most: int) -> int:
    """To how many an edition was sent; counts no further than `most`."""
    to = (deliveries.c.edition_id == edition_id) & (deliveries.c.state == DeliveryState.SENT)
    some = select(deliveries.c.id).where(to).limit(most).subquery()
    return connection.scalars(select(func.count()).select_from(some)).one()


def count(connection: Connection, day: date, outcome: str) -> None:
    """Count one returned mail."""
    insert_if_absent(connection, return_counts, [{"day": day, "outcome": outcome, "number": 0}])
    same = (return_counts.c.day == day) & (return_counts.c.outcome == outcome)
    connection.execute(update(return_counts).where(same).values(number=return_counts.c.number + 1))


def counts(connection: Connection, since: date) -> Mapping[str, int]:
    """How many mails came back since a day, by what became of them."""
    number = func.sum(return_counts.c.number)
    found = select(return_counts.c.outcome, number).where(return_counts.c.day >= since)
    return {outcome: int(some) for outcome, some in connection.execute(found.group_by(return_counts.c.outcome))}


def _keep(connection: Connection, delivery: Addressed, severity: Severity, now: datetime, *, at_once: bool) -> None:
    row = {"delivery_id": delivery.id, "edition_id": delivery.edition_id, "address_key": delivery.address_key}
    connection.execute(returns.insert().values(**row, severity=severity, at_once=at_once, at=now))


def _since_resumed(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(editions.c.resumed_at.is_(None), at > editions.c.resumed_at)
