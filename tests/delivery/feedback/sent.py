"""Editions that were sent to readers, each mail with a return address of its own, and what the books say of them later."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, update

from digest.config import Bounces, Config
from digest.delivery.feedback.absorb import Absorbed, absorb, return_addresses
from digest.delivery.feedback.reader import Reader
from digest.links import address_key
from digest.model import DeliveryEvent, DeliveryState, Suppression
from digest.store import deliveries, suppressions
from digest.store import engine as engines
from digest.store.tables import deliveries as table
from digest.store.tables import editions
from tests.delivery.audience import DAY, KEYS, NOW, configured, publish

ADDRESS = "bounces@news.example"


def with_returns(home: Path) -> Config:
    return replace(configured(home), bounces=Bounces(ADDRESS))


def edition(engine: Engine, readers: int, at: datetime = NOW, day: date = DAY) -> int:
    """Publish an edition and send it to everybody, as far as the ledger knows; its id."""
    with engines.write(engine) as connection:
        made = publish(connection, readers, at, day)
        mine = update(table).where(table.c.edition_id == made.id)
        connection.execute(mine.values(state=DeliveryState.SENT, attempt=1, changed_at=at))
    return made.id


def tagged(config: Config, engine: Engine, edition_id: int, number: int = 0) -> str:
    """The return address of the edition's mail to a reader."""
    with engines.read(engine) as connection:
        wanted = select(table.c.id).where(table.c.edition_id == edition_id, table.c.subscriber_id == number + 1)
        return return_addresses(config).of(connection.scalars(wanted).one())


def absorbed(config: Config, engine: Engine, *mails: bytes, now: datetime = NOW, recipient: str = "") -> list[Absorbed]:
    """What becomes of some mails, one after the other."""

    async def scenario() -> list[Absorbed]:
        async with Reader() as reader:
            return [await absorb(config, engine, reader, mail, now, recipient=recipient) for mail in mails]

    return asyncio.run(scenario())


def suppression(engine: Engine, number: int = 0) -> Suppression | None:
    with engines.read(engine) as connection:
        return suppressions.by_key(connection, address_key(f"r{number}@readers.example", KEYS))


def history(engine: Engine, number: int = 0) -> list[DeliveryEvent]:
    with engines.read(engine) as connection:
        return deliveries.history(connection, f"r{number}@readers.example")


def paused(engine: Engine, edition_id: int) -> str | None:
    """Why an edition is paused."""
    with engines.read(engine) as connection:
        because = select(editions.c.paused_because).where(
            editions.c.id == edition_id, editions.c.paused_at.is_not(None)
        )
        return connection.scalar(because)


def days(number: float) -> timedelta:
    return timedelta(days=number)
