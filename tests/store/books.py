"""The ledger's verbs in transactions of their own, and what it says afterwards."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, select, update

from digest import clock
from digest.config import UnknownPolicy
from digest.model import (
    Delivery,
    DeliveryState,
    Edition,
    Outcome,
    Returned,
)
from digest.store import claims, deliveries
from digest.store import engine as engines
from digest.store.tables import subscribers, subscriptions, suppressions
from tests.delivery.audience import LATE, NOW, publish

TOKEN = "a" * 32
RESEND, HOLD = UnknownPolicy.RESEND_ONCE, UnknownPolicy.HOLD


def published(engine: Engine, readers: int, at: datetime = NOW) -> Edition:
    with engines.write(engine) as connection:
        return publish(connection, readers, at)


def claimed(engine: Engine, now: datetime = NOW, limit: int = 100, token: str = TOKEN) -> list[Delivery]:
    with engines.write(engine) as connection:
        return claims.claim(connection, now, limit, token, now + clock.LEASE)


def offered(engine: Engine, held: list[Delivery], now: datetime = NOW, late: timedelta = LATE) -> set[int]:
    with engines.write(engine) as connection:
        return {number for number, _ in claims.offer(connection, held, now, late)}


def settled(engine: Engine, held: list[Delivery], outcome: Outcome, now: datetime = NOW) -> list[DeliveryState]:
    with engines.write(engine) as connection:
        return claims.settle(connection, [(delivery, outcome) for delivery in held], now)


def swept(engine: Engine, now: datetime, policy: UnknownPolicy = RESEND) -> claims.Swept:
    with engines.write(engine) as connection:
        return claims.sweep(connection, now, policy, LATE)


def events(engine: Engine, address: str = "r0@readers.example") -> list[DeliveryState | Returned]:
    with engines.read(engine) as connection:
        return [event.kind for event in deliveries.history(connection, address)]


def change(engine: Engine, number: int, **values: object) -> None:
    """Change the subscription of a reader."""
    with engines.write(engine) as connection:
        connection.execute(update(subscriptions).where(subscriptions.c.id == number).values(**values))


def suppress(engine: Engine, number: int) -> None:
    with engines.write(engine) as connection:
        key = connection.scalars(select(subscribers.c.address_key).where(subscribers.c.id == number)).one()
        connection.execute(insert(suppressions).values(address_key=key, reason="complained", since=NOW))
