"""One run of the sender against a sink, and what the ledger says afterwards."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, update

from digest.delivery import deliver as verb
from digest.delivery.cuts import Prepare
from digest.delivery.deliver import DeliveryReport
from digest.model import DeliveryState, Outcome, SubscriptionState
from digest.store import deliveries
from digest.store import engine as engines
from digest.store.tables import subscriptions
from tests.delivery.audience import NOW, configured, prepare, publish, still
from tests.delivery.sink import Sink


def published(engine: Engine, readers: int, at: datetime = NOW) -> None:
    with engines.write(engine) as connection:
        publish(connection, readers, at)


def sent(
    engine: Engine,
    home: Path,
    sink: Sink,
    now: datetime = NOW,
    make: Prepare = prepare,
    progress: Callable[[Outcome], None] | None = None,
    **delivery: object,
) -> DeliveryReport:
    """One run against a sink."""

    async def scenario() -> DeliveryReport:
        async with sink.serving():
            config = configured(home, sink.relay, **delivery)
            return await verb.deliver(config, engine, still(now), prepare=make, progress=progress)

    return asyncio.run(scenario())


def states(engine: Engine) -> dict[DeliveryState, int]:
    """The states that occur; the books must balance."""
    with engines.read(engine) as connection:
        audits = deliveries.audit(connection)
    assert all(audited.balanced for audited in audits)
    return {state: count for audited in audits for state, count in audited.counts.items() if count}


def everyone(readers: int) -> list[str]:
    return sorted(f"r{number}@readers.example" for number in range(readers))


def leave(engine: Engine, number: int) -> None:
    with engines.write(engine) as connection:
        gone = update(subscriptions).where(subscriptions.c.id == number)
        connection.execute(gone.values(state=SubscriptionState.ENDED))
