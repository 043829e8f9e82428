"""Two ways to keep the books that lose readers, or mail them again and again: what the checker must find.

Both are well known. One moves its cursor when it reads a batch, so that a crash skips the rest of it for ever; the other
writes down every hundredth time what it has sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Engine, select, update

from digest.config import Relay
from digest.delivery import smtp
from digest.delivery.message import reader_of
from digest.model import Delivery, DeliveryState
from digest.store import engine as engines
from digest.store.tables import deliveries, subscribers
from tests.delivery.audience import LINKS, NOW, SITE, prepare

BATCH, MARK_EVERY = 1000, 100


async def cursor_at_fetch(engine: Engine, relay: Relay, connections: int) -> None:
    """Takes a batch of 1,000, writes down that it is done, and sends it."""
    while batch := _queued(engine, BATCH):
        _mark(engine, batch)
        await _send(batch, relay, connections)


async def mark_every_hundred(engine: Engine, relay: Relay, connections: int) -> None:
    """Sends 100, and writes down that they are sent."""
    while batch := _queued(engine, MARK_EVERY):
        await _send(batch, relay, connections)
        _mark(engine, batch)


KINDS: dict[str, Callable[[Engine, Relay, int], Awaitable[None]]] = {
    "cursor_at_fetch": cursor_at_fetch,
    "mark_every_hundred": mark_every_hundred,
}


def _queued(engine: Engine, limit: int) -> Sequence[Any]:
    row = deliveries.c
    found = (
        select(row.id, row.edition_id, row.subscriber_id, subscribers.c.address)
        .join_from(deliveries, subscribers, subscribers.c.id == row.subscriber_id)
        .where(row.state == DeliveryState.QUEUED)
        .order_by(row.id)
        .limit(limit)
    )
    with engines.read(engine) as connection:
        return connection.execute(found).all()


def _mark(engine: Engine, batch: Sequence[Any]) -> None:
    with engines.write(engine) as connection:
        done = update(deliveries).where(deliveries.c.id.in_([one.id for one in batch]))
        connection.execute(done.values(state=DeliveryState.SENT))


async def _send(batch: Sequence[Any], relay: Relay, connections: int) -> None:
    waiting = list(reversed(batch))
    mail = prepare(batch[0].edition_id, ())

    async def work() -> None:
        async with smtp.Connection(relay) as connection:
            while waiting:
                one = waiting.pop()
                delivery = Delivery(one.id, one.edition_id, one.subscriber_id, 1, one.address, (), 1, NOW, 1, "")
                body = mail.fill(reader_of(delivery, mail.edition, SITE, LINKS, mail.language), NOW)
                await connection.send(smtp.Envelope(SITE.from_address, one.address), body, _yes)

    await asyncio.gather(*(work() for _ in range(connections)))


async def _yes() -> bool:
    return True
