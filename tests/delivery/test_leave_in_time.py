"""Whoever has left before a message is offered does not get it, however close the two are.

`RACES=1000 pytest tests/delivery/test_leave_in_time.py` is the whole measure; `SEED` chooses other moments.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from digest.links import address_key
from digest.model import Cause, Delivery
from digest.store import claims, suppressions
from digest.store import engine as engines
from digest.subscribers import preferences
from tests.delivery.audience import KEYS, LATE, NOW
from tests.delivery.runs import published

RACES = int(os.environ.get("RACES", "150"))
SEED = int(os.environ.get("SEED", "1"))
LONGEST_LEAD = 0.003
"""Seconds by which one of the two may begin before the other."""


@dataclass
class Race:
    """When the reader's word was committed, when the offer began, and whether the dot may go."""

    left_at: float = 0.0
    offering_at: float = 0.0
    goes: bool = False

    @property
    def violated(self) -> bool:
        return self.goes and self.left_at < self.offering_at


def leaves(engine: Engine, delivery: Delivery) -> None:
    preferences.leave(engine, delivery.subscription_id, NOW)


def bounces(engine: Engine, delivery: Delivery) -> None:
    with engines.write(engine) as connection:
        suppressions.suppress(
            connection, address_key(delivery.address, KEYS), Cause.BOUNCED, "its mailbox does not exist", NOW
        )


def complains(engine: Engine, delivery: Delivery) -> None:
    with engines.write(engine) as connection:
        suppressions.suppress(connection, address_key(delivery.address, KEYS), Cause.COMPLAINED, "complaint", NOW)


WORDS: tuple[Callable[[Engine, Delivery], None], ...] = (leaves, bounces, complains)


def test_no_message_is_offered_to_whoever_has_left_before(engine: Engine) -> None:
    published(engine, RACES)
    with engines.write(engine) as connection:
        held = claims.claim(connection, NOW, RACES, "lease", NOW + timedelta(minutes=15))
    chance = random.Random(SEED)
    with ThreadPoolExecutor(2) as pool:
        races = [
            _run(pool, engine, delivery, WORDS[number % len(WORDS)], chance.uniform(-LONGEST_LEAD, LONGEST_LEAD))
            for number, delivery in enumerate(held)
        ]

    assert [race for race in races if race.violated] == []
    gone = sum(race.goes for race in races)
    assert 0 < gone < RACES, "one of the two always wins"


def _run(
    pool: ThreadPoolExecutor, engine: Engine, delivery: Delivery, word: Callable[[Engine, Delivery], None], lead: float
) -> Race:
    race, start = Race(), threading.Barrier(2)

    def reader() -> None:
        start.wait()
        time.sleep(max(0.0, lead))
        word(engine, delivery)
        race.left_at = time.monotonic()

    def sender() -> None:
        start.wait()
        time.sleep(max(0.0, -lead))
        with engines.write(engine) as connection:
            race.offering_at = time.monotonic()
            race.goes = claims.offer(connection, [delivery], NOW, LATE) == {claims.lease(delivery)}

    for done in [pool.submit(reader), pool.submit(sender)]:
        done.result()
    return race
