"""Making an edition may be killed at any point: afterwards everyone who gets it has one delivery, and nobody else.

`POINTS=25 READERS=100000 pytest tests/editions/test_freeze_killed.py` is the whole measure; `SEED` chooses other moments.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, delete, func, insert, select

from digest.editions.publish import publish
from digest.model import EditionState, SubscriptionState
from digest.store import deliveries as books
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store.tables import deliveries, delivery_events, editions, subscribers, subscriptions
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, subscribe

POINTS = int(os.environ.get("POINTS", "5"))
READERS = int(os.environ.get("READERS", "1000"))
SEED = int(os.environ.get("SEED", "1"))
ROOT = Path(__file__).resolve().parents[2]


class Press:
    """Publishes in processes that can be killed."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process, self._url = process, url

    def publish(self, *, last_point: int = 0, after: float | None = None) -> tuple[int, int]:
        """How it ended, and how many points it passed; killed before a point, or after some seconds."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{self._url} {last_point}\n")
        self._process.stdin.flush()
        pid, points = 0, 0
        killer = None
        for line in self._process.stdout:
            if line.startswith("ended"):
                break
            if pid:
                points = int(line)
            elif after is not None:
                killer = threading.Timer(after, _kill, [int(line)])
                killer.start()
            pid = pid or int(line)
        if killer:
            killer.cancel()
            killer.join()
        return int(line.split()[1]), points


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def press(url: str) -> Iterator[Press]:
    with subprocess.Popen(
        (sys.executable, "-m", "tests.editions.freezing_process"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Press(process, url)
        assert process.stdin
        process.stdin.close()


def test_killed_at_any_point_an_edition_has_one_delivery_for_each_of_its_readers(
    stocked: Engine, database_url: str
) -> None:
    _subscribe_many(stocked)
    chance = random.Random(SEED)
    with press(database_url) as printing:
        began = time.monotonic()
        status, statements = printing.publish()
        lasts = time.monotonic() - began
        assert (status, _frozen(stocked)) == (0, _audience(stocked))
        assert statements > 10
        points = [1 + number * statements // POINTS for number in range(POINTS)]
        moments = [chance.uniform(0, lasts) for _ in range(POINTS)]
        for number, (point, moment) in enumerate(
            [*((point, None) for point in points), *((0, one) for one in moments)]
        ):
            _unpublish(stocked)
            ended, _ = printing.publish(last_point=point, after=moment)
            assert ended in {0, -signal.SIGKILL}
            frozen = _frozen(stocked)
            assert frozen in (set(), _audience(stocked)), "an edition that some of its readers do not get"
            if not frozen:
                _comes_and_goes(stocked, number)
            expected = frozen or _audience(stocked)
            publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)
            publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)
            assert _frozen(stocked) == expected


def _subscribe_many(engine: Engine) -> None:
    people = [
        {"id": n, "address": f"r{n}@readers.example", "address_key": f"k{n}", "consent": {}, "created_at": PRESS}
        for n in range(10, READERS + 10)
    ]
    choices = [
        {
            "id": one["id"],
            "subscriber_id": one["id"],
            "digest": "economy",
            "state": SubscriptionState.ACTIVE,
            "topics": [],
            "since": PRESS,
            "version": 1,
        }
        for one in people
    ]
    with engines.write(engine) as connection:
        connection.execute(insert(subscribers), people)
        connection.execute(insert(subscriptions), choices)
        if engine.dialect.name == "postgresql":
            for table in (subscribers, subscriptions):
                highest = select(func.max(table.c.id)).scalar_subquery()
                connection.execute(select(func.setval(f"{table.name}_id_seq", highest)))


def _comes_and_goes(engine: Engine, number: int) -> None:
    """Between two tries one reader comes and another one leaves."""
    with engines.write(engine) as connection:
        subscribe(connection, f"new{number}@readers.example")
        store.end(connection, 10 + number, PRESS)


def _audience(engine: Engine) -> set[int]:
    with engines.read(engine) as connection:
        active = subscriptions.c.state == SubscriptionState.ACTIVE
        return set(connection.scalars(select(subscriptions.c.subscriber_id).where(active)))


def _frozen(engine: Engine) -> set[int]:
    """Who has a delivery. Each has one, nothing has happened to it yet, and the books of what is frozen balance."""
    with engines.read(engine) as connection:
        readers = connection.scalars(select(deliveries.c.subscriber_id)).all()
        told = connection.scalars(select(delivery_events.c.delivery_id)).all()
        states = connection.scalars(select(editions.c.state).where(editions.c.date == DAY)).all()
        audits = books.audit(connection)
    assert all(audited.balanced for audited in audits)
    assert len(readers) == len(set(readers))
    assert told == []
    if states != [EditionState.FROZEN]:
        return set()
    assert audits[0].eligible == len(readers)
    return set(readers)


def _unpublish(engine: Engine) -> None:
    """As if the edition had never been made."""
    with engines.write(engine) as connection:
        for table in (delivery_events, deliveries, editions):
            connection.execute(delete(table))
