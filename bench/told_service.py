"""A service in a process of its own whose clock is told, so that months pass in minutes: what `bench/month.py` runs and kills.

Each line of its input is a moment: what the clock says, how many seconds have really passed, and whether the disk is full.
Between two moments the clock goes on as usual. At each it does what the timers of `digest run` do: a tick, mail, letters, webhooks.
Then it prints how it is, and when something will be due.
"""

import json
import os
import resource
import sqlite3
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, event, func, select

from digest import home as homefolder
from digest import logs
from digest.clock import closing_slot, next_press
from digest.config import Config, Pictures
from digest.delivery import ledger
from digest.errors import DatabaseUnreachable
from digest.scheduler import Service
from digest.store import engine as engines
from digest.store.deliveries import is_queued
from digest.store.tables import deliveries, feeds

PATIENCE = 1.0
"""Real seconds for which the sender waits for a disk to have room again, in place of a minute."""


@dataclass(frozen=True)
class Moment:
    """When the service is to do its work. `room`: so many pages more has the disk room for; None where it is not full."""

    now: str
    elapsed: float
    room: int | None = None


@dataclass(frozen=True)
class Standing:
    """How the service is after that: what its clock says, when something is due next, its resident memory in MB.

    `cpu` is for how many seconds it and its children have computed since it started.
    """

    now: str
    next_due: str
    rss_mb: float
    cpu: float


class Told:
    """A clock that is told the time and then goes on, and the seconds that have really passed."""

    def __init__(self) -> None:
        self._now, self._elapsed, self._at = datetime.min.replace(tzinfo=UTC), 0.0, 0.0

    def set(self, now: datetime, elapsed: float) -> None:
        """From here on."""
        self._now, self._elapsed, self._at = now, elapsed, time.monotonic()

    def now(self) -> datetime:
        """What the clock says."""
        return self._now + timedelta(seconds=time.monotonic() - self._at)

    def elapsed(self) -> float:
        """Seconds that have really passed, however the clock was set."""
        return self._elapsed + time.monotonic() - self._at


class Disk:
    """Has room for so many more pages of a database; None: for as many as are wanted."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._most = engine, 0
        self._room: int | None = None
        event.listen(engine, "connect", self._limit)

    def have(self, room: int | None) -> None:
        """From here on, for every connection."""
        if room == self._room:
            return
        self._room, self._most = room, 0
        if room is not None:
            with engines.read(self._engine) as connection:
                self._most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + room
        self._engine.dispose()

    def _limit(self, connection: sqlite3.Connection, _record: object) -> None:
        if self._most:
            connection.execute(f"PRAGMA max_page_count = {self._most}")


def next_due(config: Config, connection: Connection, now: datetime) -> datetime:
    """When a feed, an edition, a delivery or a lease is due, `now` having been the moment of the last tick; that may be past.

    In the words of the ledger's small indexes, or the month would be spent on reading the whole of it for this.
    """
    polled = feeds.c.configured & ~feeds.c.paused & feeds.c.retired_at.is_(None)
    queued, held = is_queued(), deliveries.c.lease_until.is_not(None)
    moments: list[datetime | None] = [
        connection.scalar(select(func.min(feeds.c.next_poll_at)).where(polled)),
        connection.scalar(select(func.min(deliveries.c.not_before)).where(queued)),
        connection.scalar(select(func.min(deliveries.c.lease_until)).where(held)),
        *(next_press(digest, now) for digest in config.digests),
        *(now for digest in config.digests if closing_slot(digest, now)),
    ]
    return min(moment for moment in moments if moment is not None)


def resident_mb() -> float:
    """What this process has in memory; where that cannot be told, the most it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return pages * resource.getpagesize() / 1e6


def computed() -> float:
    """Seconds of computing of this process and of the children that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(folder: Path) -> None:
    """Live as the input says until it ends."""
    ledger.DATABASE_PATIENCE = PATIENCE
    logs.configure()
    config = replace(homefolder.load(folder, os.environ), pictures=Pictures(show=False))
    engine = engines.connect(config.database_url)
    told, disk = Told(), Disk(engine)
    service = Service(lambda: config, engine, told.now, elapsed=told.elapsed)
    for line in sys.stdin:
        moment = Moment(**json.loads(line))
        told.set(datetime.fromisoformat(moment.now), moment.elapsed)
        disk.have(moment.room)
        for work in (service.tick, service.send, service.letters, service.tell):
            work()
        due = began = datetime.fromisoformat(moment.now)
        with suppress(DatabaseUnreachable), engines.read(engine) as connection:
            due = next_due(config, connection, began)
        standing = Standing(told.now().isoformat(), due.isoformat(), resident_mb(), computed())
        print(json.dumps(asdict(standing)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
