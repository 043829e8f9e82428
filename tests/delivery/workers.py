"""An edition that is due on a real PostgreSQL, and `digest work` in processes of their own that send it."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text, update

from digest.config import Config
from digest.delivery.jobs import PostgresJobs
from digest.home import load
from digest.model import DeliveryState, Edition
from digest.store import deliveries, editions, tables
from digest.store import engine as engines
from digest.store import jobs as queue
from tests.delivery import audience
from tests.delivery.sink import Sink
from tests.editions import samples

ROOT = Path(__file__).parents[2]
PATIENCE = 60
_WHEN_THE_PARENT_DIES = 1
SETTINGS = """
[site]
base_url = "https://news.example"
from_address = "digest@news.example"
postal_address = "1 Example Street"
[fetch]
allow_private = true
ports = []
[delivery]
queue = "procrastinate"
connections = 4
unknown = "resend_once"
[[digest]]
slug = "economy"
title = "The Economic Digest"
"""
TOPICS = """
[[topic]]
slug = "trade"
title = "Trade"
terms = ["trade"]
"""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Office:
    """A home folder with PostgreSQL, what is in its ledger, and the workers that were started on it."""

    home: Path
    url: str
    engine: Engine
    sink: Sink = field(default_factory=Sink)
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        return own | {
            "PYTHONPATH": str(ROOT),
            "DIGEST_DATABASE_URL": self.url,
            "DIGEST_SECRET_KEY": audience.KEYS[0],
            "DIGEST_SMTP_URL": f"smtp://127.0.0.1:{self.sink.relay.port}",
        }

    @property
    def config(self) -> Config:
        return load(self.home, self.environment)

    def publish(self, readers: int) -> Edition:
        """Freeze an edition of this moment for so many readers."""
        now = utc_now()
        with engines.write(self.engine) as connection:
            edition = editions.insert(connection, replace(samples.edition(), published_at=now))
            assert edition
            audience.subscribe(connection, readers)
            deliveries.freeze(connection, edition, now)
        return edition

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """One `digest work` more."""
        command = (sys.executable, "-m", "digest", "--home", str(self.home), "work", *arguments)
        with (self.home / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = await asyncio.create_subprocess_exec(
                *command, env=self.environment, stderr=log, stdout=log, preexec_fn=_die_with_the_test
            )
        self.workers.append(worker)
        return worker

    @asynccontextmanager
    async def sharing_out(self, seconds: float = 0.2) -> AsyncIterator[PostgresJobs]:
        """Share out what is due again and again, as the service does every five seconds."""
        desk = PostgresJobs(self.engine, utc_now)

        async def again_and_again() -> None:
            while True:
                await desk.deliver(self.config, self.engine, utc_now, stop=asyncio.Event())
                await asyncio.sleep(seconds)

        task = asyncio.create_task(again_and_again())
        try:
            yield desk
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, true: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait for something that others bring about; what they said, if it does not come."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not true():
            assert asyncio.get_running_loop().time() < deadline, self.said()
            await asyncio.sleep(0.05)

    def said(self) -> str:
        """What the workers have written to their logs."""
        return "\n".join(log.read_text(errors="replace") for log in sorted(self.home.glob("worker-*.log")))

    def states(self) -> dict[DeliveryState, int]:
        """The states that occur; the books must balance."""
        with engines.read(self.engine) as connection:
            (audited,) = deliveries.audit(connection)
        assert audited.balanced
        return {state: count for state, count in audited.counts.items() if count}

    def jobs(self) -> list[tuple[str, str, dict[str, int]]]:
        """Every job: its status, its name, its arguments."""
        found = text("SELECT status::text, queueing_lock, args FROM procrastinate_jobs ORDER BY id")
        with engines.read(self.engine) as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(found)]

    def standing(self) -> queue.Standing:
        """How many are at work, and on how much."""
        with engines.read(self.engine) as connection:
            return queue.standing(connection)

    def execute(self, statement: str) -> None:
        """Do something to the jobs that only an accident does."""
        with engines.write(self.engine) as connection:
            connection.execute(text(statement))

    def doing(self) -> list[str]:
        """The names of the jobs that a worker has in hand, or had when it died."""
        return [name for status, name, _ in self.jobs() if status == "doing"]

    def waits(self) -> list[float]:
        """For how many seconds each job is still to be left alone."""
        found = text("SELECT coalesce(extract(epoch FROM scheduled_at - now()), 0) FROM procrastinate_jobs ORDER BY id")
        with engines.read(self.engine) as connection:
            return [float(wait) for wait in connection.scalars(found)]

    def worker_dies(self) -> None:
        """As if half a minute had passed since the worker that has a job in hand was heard of."""
        self.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'"
            " WHERE id IN (SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing')"
        )

    def doubtful_are(self, unknown: str) -> None:
        """Another policy for messages in doubt."""
        file = self.home / "digest.toml"
        file.write_text(file.read_text().replace('"resend_once"', f'"{unknown}"'))

    def connections_are(self, number: int) -> None:
        """How many connections to the relay each job has."""
        file = self.home / "digest.toml"
        file.write_text(file.read_text().replace("connections = 4", f"connections = {number}"))

    def read(self, feeds: list[str]) -> None:
        """Let these be the feeds."""
        tables = (f'[[feed]]\nurl = "{url}"\npublisher = "{url}"\n' for url in feeds)
        (self.home / "feeds.toml").write_text("".join(tables))

    def leases_run_out(self) -> None:
        """As if a quarter of an hour had passed for whatever is claimed or offered."""
        over = update(tables.deliveries).where(tables.deliveries.c.lease_until.is_not(None))
        with engines.write(self.engine) as connection:
            connection.execute(over.values(lease_until=utc_now() - timedelta(seconds=1)))

    def doubtful(self) -> set[str]:
        """The readers whose fate was unknown at some time."""
        row, people = tables.deliveries.c, tables.subscribers.c
        found = select(people.address).join_from(tables.deliveries, tables.subscribers, people.id == row.subscriber_id)
        with engines.read(self.engine) as connection:
            return set(connection.scalars(found.where(row.ambiguous > 0)))

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> list[int]:
        """End every worker that still runs; how they ended."""
        for worker in self.workers:
            if worker.returncode is None:
                worker.send_signal(number)
        return [await worker.wait() for worker in self.workers]


@contextmanager
def office(home: Path, url: str) -> Iterator[Office]:
    """An office with nothing in it."""
    (home / "digest.toml").write_text(SETTINGS)
    (home / "topics.toml").write_text(TOPICS)
    (home / "feeds.toml").write_text("")
    engine = engines.connect(url)
    made = Office(home, url, engine)
    try:
        yield made
    finally:
        for worker in made.workers:
            if worker.returncode is None:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
        engine.dispose()


def _die_with_the_test() -> None:
    """Where the system can: a worker would wait for ever for a database that is gone with the test."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_WHEN_THE_PARENT_DIES, signal.SIGKILL)
