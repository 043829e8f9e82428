"""Senders that are frozen, told to stop, or gone: no two of them send one message, and no message waits for a dead one.

`KILLS=100 MESSAGES=10000 pytest tests/delivery/test_deliver_stopped.py` is the whole measure; `SEED` chooses other moments.
"""

import asyncio
import os
import random
import signal
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from digest.delivery import ledger
from digest.model import DeliveryState
from digest.store import deliveries as books
from digest.store import engine as engines
from digest.store.tables import deliveries, delivery_events
from tests.delivery.audience import NOW
from tests.delivery.checker import Verdict, history, judge, message_id
from tests.delivery.kills import UNFINISHED, Taken
from tests.delivery.relay_logs import message_id as name_of
from tests.delivery.runs import published, sent, states
from tests.delivery.sender_process import Order, running
from tests.delivery.senders import Sender, Senders
from tests.delivery.sink import Sink, nobody

STOPS = int(os.environ.get("KILLS", "6"))
MESSAGES = int(os.environ.get("MESSAGES", "300"))
SEED = int(os.environ.get("SEED", "1"))

SENDERS, LEASE, FROZEN, TICK = 4, 1.0, 3.0, 0.5
LONGEST_STOP = 8.0
"""Seconds within which a service has to end before it is killed."""


class Field:
    """A sink, the time, and the senders of one test."""

    def __init__(self, senders: Senders, url: str, home: Path, slowest: float = 0.06) -> None:
        self.chance = random.Random(SEED)
        self.clock = running(NOW)
        self.taken = Taken(nobody)
        self.sink = Sink(witness=self.taken, reply_after=lambda: self.chance.uniform(0, slowest))
        self._senders, self._url, self._home = senders, url, home

    async def send(self, unknown: str, *, lease: float, connections: int = 4) -> Sender:
        return await self._senders.start(
            Order(
                self._url,
                str(self._home),
                self.sink.relay.port,
                self.clock().isoformat(),
                unknown=unknown,
                connections=connections,
                lease=lease,
                between_sweeps=TICK,
                most_pause=LEASE / 2,
            )
        )

    def verdict(self, engine: Engine) -> Verdict:
        return judge(history(engine, ((name_of(body), recipient) for recipient, body in self.sink.accepted)))


def test_a_dot_that_would_come_long_after_its_offer_is_not_sent(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(sqlite_engine, 10)
    monkeypatch.setattr(ledger, "MOST_PAUSE", -1.0)
    report = sent(sqlite_engine, tmp_path, sink := Sink())

    assert (report.sent, report.unknown, sink.recipients) == (0, 0, [])
    assert states(sqlite_engine) == {DeliveryState.QUEUED: 10}


@pytest.mark.parametrize("unknown", ["hold", "resend_once"])
def test_senders_that_freeze_for_longer_than_their_leases_double_nothing_but_what_is_in_doubt(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path, unknown: str
) -> None:
    published(engine, MESSAGES)
    # A relay slow enough for them to have messages in hand whenever they freeze.
    field = Field(senders, database_url, tmp_path, slowest=0.2)
    asyncio.run(_frozen_again_and_again(field, engine, unknown))
    verdict = field.verdict(engine)

    assert _details(engine) & {"its lease ran out", "its turn had not come"}, "no lease ran out"
    assert not verdict.lost
    assert not verdict.unannounced
    assert verdict.most <= (2 if unknown == "resend_once" else 1)
    with engines.read(engine) as connection:
        ambiguous = select(deliveries.c.subscriber_id).where(deliveries.c.ambiguous > 0)
        assert set(verdict.copies) <= {message_id(number) for number in connection.scalars(ambiguous)}


async def _frozen_again_and_again(field: Field, engine: Engine, unknown: str) -> None:
    async with field.sink.serving():
        await asyncio.gather(*(_sender_after_sender(field, unknown, engine) for _ in range(SENDERS)))
        # What was put off, such as a dot that would have come too late, has its turn.
        for hours in range(1, 7):
            field.clock = running(NOW + timedelta(hours=hours))
            assert await (await field.send(unknown, lease=900.0)).ended() == 0
    assert not UNFINISHED & set(states(engine))


def _anything_to_do(engine: Engine, now: datetime) -> bool:
    with engines.read(engine) as connection:
        due = books.due(connection, now)
    return bool(due) or bool({DeliveryState.CLAIMED, DeliveryState.OFFERED} & set(states(engine)))


async def _sender_after_sender(field: Field, unknown: str, engine: Engine) -> None:
    """One sender that freezes now and then; when it has ended, another, as long as there is something to do."""
    while await asyncio.to_thread(_anything_to_do, engine, field.clock()):
        sender = await field.send(unknown, lease=LEASE)
        while not sender.status.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(sender.ended(), field.chance.uniform(0.1, 1.5))
            if not sender.status.done() and field.chance.random() < 0.5:
                sender.signal(signal.SIGSTOP)
                await asyncio.sleep(FROZEN)
                sender.signal(signal.SIGCONT)
        assert await sender.ended() == 0
        await asyncio.sleep(TICK / 4)


def test_a_sender_that_is_told_to_stop_ends_soon_and_leaves_nothing_in_doubt(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    published(engine, MESSAGES)
    field = Field(senders, database_url, tmp_path, slowest=0.2)

    async def stopped_again_and_again() -> float:
        longest = 0.0
        async with field.sink.serving():
            for stop in range(STOPS):
                sender = await field.send("hold", lease=900.0, connections=8)
                share = max(0, MESSAGES - len(field.sink.accepted)) / (STOPS - stop)
                await field.taken.more(max(1, int(field.chance.uniform(0, min(share, 60)))))
                began = time.monotonic()
                sender.signal(signal.SIGTERM)
                assert await sender.ended() == 0
                longest = max(longest, time.monotonic() - began)
                assert set(states(engine)) <= {DeliveryState.QUEUED, DeliveryState.SENT}
            assert await (await field.send("hold", lease=900.0, connections=32)).ended() == 0
        return longest

    longest = asyncio.run(stopped_again_and_again())

    assert longest <= LONGEST_STOP
    assert states(engine) == {DeliveryState.SENT: MESSAGES}
    assert field.verdict(engine).duplicates == 0


def test_what_a_dead_sender_held_is_taken_up_when_its_lease_has_run_out(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    published(engine, 200)
    field = Field(senders, database_url, tmp_path, slowest=0.5)

    async def killed() -> datetime:
        async with field.sink.serving():
            dying = await field.send("hold", lease=LEASE)
            await field.taken.more(8)
            dying.signal(signal.SIGKILL)
            await dying.ended()
            died_at = field.clock()
            async with asyncio.timeout(60):
                while UNFINISHED & set(states(engine)):
                    sender = await field.send("hold", lease=900.0, connections=32)
                    assert await sender.ended() == 0
                    await asyncio.sleep(TICK)
        return died_at

    died_at = asyncio.run(killed())

    with engines.read(engine) as connection:
        event = delivery_events.c
        taken_up = select(event.at).where(event.detail.in_(_TAKEN_UP))
        last = max(connection.scalars(taken_up))
    assert last - died_at <= timedelta(seconds=LEASE + TICK + 2)  # the last for a process to start, and a busy machine
    assert not field.verdict(engine).lost


_TAKEN_UP = ("its lease ran out", "its turn had not come", "no outcome after it was offered")


def _details(engine: Engine) -> set[str]:
    with engines.read(engine) as connection:
        return set(connection.scalars(select(delivery_events.c.detail).distinct()))
