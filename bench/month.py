"""A month of the service with all its mishaps, in minutes: what `digest run` does at every moment at which something is due.

    python -m bench.month [--start 2026-03-01] [--days 31] [--feeds 100] [--subscribers 10000] [--keep HOME]

The service is a process of its own (bench/told_service.py) that is really killed; its clock is told, and the database, the
feeds over HTTP and the relay are real. Between two moments at which a feed, an edition, a delivery or a lease is due nothing
would come of the ticks, and they are left out, but for one an hour. What goes wrong on which day stands in `PLAN`;
press time is 02:30 in Berlin, which the clocks skip on the last Sunday of March and have twice on that of October.
Meanwhile one feed dies and another is hostile.

Prints a line a day, with the seconds on the clock and those of computing, and exits with 1 where a promise is broken: one edition
a day, everybody in the audience equation every evening, nobody missed, nobody twice whom the ledger does not know to have been
in doubt, and operators told where nothing could go out.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bench import told_service
from bench.outside import Mood, Newsstand, Relay, address
from bench.place import place
from bench.readers import KEYS, filled
from bench.told_service import Moment, Standing
from digest import clock, safe_mode
from digest.model import DeliveryState, EditionState
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import tables

ZONE = "Europe/Berlin"
PRESS = "02:30"
AT_LEAST_EVERY = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BEFORE = timedelta(hours=11, minutes=30)
"""A simulated day begins so long before press time, in the afternoon, so that a night is in one piece."""
JUMP = timedelta(hours=25)
SEED = 1


class Mishap(StrEnum):
    """What can go wrong in a night."""

    NONE = ""
    KILL = "killed while sending, twice"
    DOWN = "down at press time, for 4 hours"
    REFUSED = "relay refuses connections for 3 hours"
    BUSY = "relay answers 421 for 2 hours"
    FULL = "disk full at press time for 10 minutes"
    FILLED = "disk full while sending, for 10 minutes"
    CLOCK = "clock 25 hours ahead from press time on, for 5 hours"
    ADJUSTED = "clock an hour ahead at press time, then back"


PLAN = {
    1: Mishap.KILL,
    4: Mishap.REFUSED,
    6: Mishap.DOWN,
    8: Mishap.FULL,
    10: Mishap.KILL,
    13: Mishap.CLOCK,
    16: Mishap.BUSY,
    18: Mishap.FILLED,
    21: Mishap.ADJUSTED,
    24: Mishap.KILL,
    28: Mishap.KILL,
}
"""By the day, counted from 0. The last is that of the clock change, in March."""


TOLD = {Mishap.REFUSED, Mishap.BUSY, Mishap.CLOCK}
"""Of which operators hear."""


class Process:
    """The service. Killed, it is as good as never having been, but for what it wrote and sent."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._home, self._environment = home, environment
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self.cpu = 0.0
        """Seconds of computing of the one that runs."""

    async def at(self, moment: Moment) -> Standing:
        """Let it do its work at a moment; start it where it does not run."""
        if self._process is None:
            await self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(vars(moment))}\n".encode())
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The service ended by itself: {self._home / 'service.log'}")
        standing = Standing(**json.loads(answer))
        self.cpu = standing.cpu
        return standing

    async def kill(self) -> None:
        """Kill it, where it runs."""
        if self._process:
            self._process.kill()
            await self._process.wait()
            self._process, self.cpu = None, 0.0

    async def _start(self) -> None:
        self.starts += 1
        with (self._home / "service.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.told_service", str(self._home)),
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )


@dataclass
class Night:
    """A day's line in the table."""

    number: int
    mishap: Mishap
    sent: int
    twice: int
    letters: int
    database_mb: float
    rss_mb: float
    seconds: float
    cpu: float

    def line(self, press: datetime, before: "Night | None") -> str:
        """The line, with how much was added since the day before."""
        more = self.database_mb - before.database_mb if before else self.database_mb
        return (
            f"{press:%Y-%m-%d} {self.sent:8,} {self.twice:6} {self.letters:8} {self.database_mb:8.1f} {more:+7.2f}"
            f" {self.rss_mb:7.1f} {self.seconds:6.1f} {self.cpu:6.1f}  {self.mishap}"
        )


HEADING = "edition        sent  twice  letters    DB MB    more  RSS MB      s  CPU s  mishap"


@dataclass
class Month:
    """The simulated time, and all that lives in it. `now` is the true time, `ahead` by how much the service's clock is."""

    start: date
    subscribers: int
    home: Path
    process: Process
    newsstand: Newsstand
    relay: Relay
    now: datetime
    ahead: timedelta = timedelta()
    room: int | None = None
    began: datetime = field(init=False)
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    rss_mb: float = 0.0
    struck: int = 0
    """How many of the kills came in the middle of sending."""
    unaccounted: list[str] = field(default_factory=list)
    """What was wrong with the audience equation in the evening of a day, in sentences."""

    def __post_init__(self) -> None:
        self.began = self.now
        self.engine = engines.connect(f"sqlite:///{self.home / 'digest.db'}")

    def press(self, number: int) -> datetime:
        """When the edition of a day is due."""
        found = clock.slot(self.start + timedelta(days=number), clock_time.fromisoformat(PRESS), ZONE)
        assert found
        return found

    async def live(self, number: int) -> Night:
        """A day with its night."""
        began, cpu, letters = time.monotonic(), self.computed(), self.letters()
        self.relay.day = number
        press, mishap = self.press(number), PLAN.get(number, Mishap.NONE)
        await self._until(press)
        await getattr(self, f"_{mishap.name.lower()}")(press)
        await self._until(self.press(number + 1) - BEFORE)
        self.unaccounted += self._unaccounted()
        copies = Counter({key: count for key, count in self.relay.copies[number].items() if "@readers." in key[0]})
        return Night(
            number,
            mishap,
            sent=len(copies),
            twice=sum(copies.values()) - len(copies),
            letters=self.letters() - letters,
            database_mb=sum(path.stat().st_size for path in self.home.glob("digest.db*")) / 1e6,
            rss_mb=self.rss_mb,
            seconds=time.monotonic() - began,
            cpu=self.computed() - cpu,
        )

    def computed(self) -> float:
        """Seconds that the world and its services have computed so far."""
        return told_service.computed() + self.process.cpu

    def _unaccounted(self) -> list[str]:
        with engines.read(self.engine) as connection:
            audits = ledger.audit(connection)
        return [f"{one.date}, at {self.now}: {one.eligible} != {one.counts}" for one in audits if not one.balanced]

    def letters(self) -> int:
        """How many letters operators have got so far."""
        return sum(
            count for day in self.relay.copies.values() for (to, _), count in day.items() if "@readers." not in to
        )

    async def _until(self, end: datetime) -> None:
        while self.now < end:
            await self._visit(end)

    async def _visit(self, end: datetime) -> None:
        self.newsstand.now = self.now
        standing = await self.process.at(self._moment())
        self.rss_mb = standing.rss_mb
        now = datetime.fromisoformat(standing.now) - self.ahead
        due = datetime.fromisoformat(standing.next_due) - self.ahead
        soon = max(now, self.now + MINUTE)
        # In safe mode all that is due waits for an operator.
        due = end if safe_mode.in_force(self.engine) else due
        self.now = min(max(due, soon), max(end, soon), max(self.now + AT_LEAST_EVERY, soon))

    def _moment(self) -> Moment:
        return Moment((self.now + self.ahead).isoformat(), (self.now - self.began).total_seconds(), self.room)

    async def _none(self, press: datetime) -> None:
        pass

    async def _kill(self, press: datetime) -> None:
        for _ in range(2):
            self.newsstand.now = self.now
            visit = asyncio.ensure_future(self.process.at(self._moment()))
            enough = self.chance.randrange(self.subscribers // 10, self.subscribers // 3)
            taken = asyncio.ensure_future(self.relay.has_taken(enough))
            await asyncio.wait({visit, taken}, return_when=asyncio.FIRST_COMPLETED)
            self.struck += not visit.done()
            taken.cancel()
            await self.process.kill()
            await asyncio.gather(visit, taken, return_exceptions=True)
            self.now += MINUTE

    async def _down(self, press: datetime) -> None:
        await self.process.kill()
        self.now = press + timedelta(hours=4)

    async def _refused(self, press: datetime) -> None:
        await self._while(Mood.AWAY, timedelta(hours=3))

    async def _busy(self, press: datetime) -> None:
        await self._while(Mood.BUSY, timedelta(hours=2))

    async def _while(self, mood: Mood, lasting: timedelta) -> None:
        await self.relay.be(mood)
        await self._until(self.now + lasting)
        await self.relay.be(Mood.WELL)

    async def _full(self, press: datetime) -> None:
        await self._with_room(0)

    async def _filled(self, press: datetime) -> None:
        # An edition with its deliveries takes a page for each dozen readers, what is told of each of them as much again.
        await self._with_room(self.subscribers // 8)

    async def _with_room(self, pages: int) -> None:
        self.room = pages
        await self._until(self.now + timedelta(minutes=10))
        self.room = None

    async def _clock(self, press: datetime) -> None:
        self.ahead = JUMP
        await self._until(press + timedelta(hours=5))
        self.ahead = timedelta()
        await self._visit(self.now)
        # As `digest safe-mode --leave` does, whose clock nobody can tell.
        assert safe_mode.leave(self.engine, self.now, "the clock is right again"), "The clock jumped, unnoticed."

    async def _adjusted(self, press: datetime) -> None:
        for ahead in (timedelta(hours=1), timedelta()):
            self.ahead = ahead
            await self._visit(self.now + MINUTE)

    def broken(self, days: int) -> Iterator[str]:
        """The promises that were not kept, in sentences."""
        yield from self.unaccounted
        with engines.read(self.engine) as connection:
            found = connection.execute(select(tables.editions.c.date, tables.editions.c.state)).all()
            audits = ledger.audit(connection)
            in_doubt = connection.scalars(
                select(tables.editions.c.date)
                .join(tables.deliveries, tables.deliveries.c.edition_id == tables.editions.c.id)
                .where(tables.deliveries.c.ambiguous > 0)
            )
            doubted = Counter(in_doubt)
            whole = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        expected = [(self.start + timedelta(days=number), EditionState.FROZEN) for number in range(days)]
        if sorted(found) != expected:
            yield f"There should be {days} editions, one a day; there are {Counter(state for _, state in found)}."
        for audit in audits:
            if not audit.balanced or audit.counts[DeliveryState.SENT] != self.subscribers:
                yield f"{audit.date}: {audit.eligible} were to get it, and the ledger has {audit.counts}."
        if whole != "ok":
            yield f"The database is damaged: {whole}."
        for number in range(days):
            day = self.start + timedelta(days=number)
            copies = {key: n for key, n in self.relay.copies[number].items() if "@readers." in key[0]}
            readers, twice = {to for to, _ in copies}, sum(n > 1 for n in copies.values())
            if not len(readers) == len(copies) == self.subscribers:
                yield f"{day}: {len(readers)} readers got {len(copies)} different messages."
            if twice > doubted[day] or max(copies.values(), default=0) > 2:
                yield f"{day}: {twice} got it again, {max(copies.values())} times at most; {doubted[day]} were in doubt."
            mishap = PLAN.get(number, Mishap.NONE)
            if mishap in TOLD and len(copies) == len(self.relay.copies[number]):
                yield f"{day}: {mishap}, and no operator was told."


def furnish(
    home: Path, stand: str, feeds: range, relay: int, press: str = PRESS, zone: str = ZONE, more: str = ""
) -> dict[str, str]:
    """A home folder with the feeds that are below an address, and `more` settings; the environment of its service."""
    (home / "feeds.toml").write_text(
        "\n".join(f'[[feed]]\nurl = "{stand}/{feed}"\npublisher = "Paper {feed}"\n' for feed in feeds),
        encoding="utf-8",
    )
    (home / "topics.toml").write_bytes(files("digest").joinpath("starter", "topics.toml").read_bytes())
    (home / "digest.toml").write_text(
        '[site]\npostal_address = "1 Example Street"\noperators = ["operator@desk.example"]\n'
        f'[fetch]\nallow_private = true\nports = [{stand.rpartition(":")[2]}]\nper_host = 16\n[market]\necb_url = ""\n{more}'
        f'[[digest]]\nslug = "economy"\ntitle = "The Economic Digest"\nzone = "{zone}"\npress = "{press}"\n',
        encoding="utf-8",
    )
    return {
        **os.environ,
        "DIGEST_SECRET_KEY": KEYS[0],
        "DIGEST_SMTP_URL": f"smtp://127.0.0.1:{relay}",
        "DIGEST_DATABASE_URL": f"sqlite:///{home / 'digest.db'}",
    }


async def live(home: Path, start: date, days: int, feeds: int, subscribers: int) -> int:
    """Live through a month and print its table; 1 where a promise is broken."""
    began = time.monotonic()
    first = datetime.combine(start, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC) - timedelta(hours=9)
    newsstand, relay = Newsstand(first, dies=first + timedelta(days=days / 4)), Relay()
    await relay.be(Mood.WELL)
    selling = await newsstand.serve()
    environment = furnish(home, address(selling), range(feeds), relay.port)
    engine = engines.connect(environment["DIGEST_DATABASE_URL"])
    filled(engine, subscribers, first)
    engine.dispose()
    process = Process(home, environment)
    month = Month(start, subscribers, home, process, newsstand, relay, first)
    nights: list[Night] = []
    print(HEADING)
    try:
        for number in range(days):
            nights.append(await month.live(number))
            print(nights[-1].line(month.press(number), nights[-2] if number else None), flush=True)
    finally:
        await process.kill()
        await relay.be(Mood.AWAY)
        selling.close()
    broken = list(month.broken(days))
    month.engine.dispose()
    print(
        f"\n{days} days of {feeds} feeds and {subscribers:,} subscribers in {time.monotonic() - began:.0f} s, "
        f"{month.computed():.0f} s of computing, {time.process_time():.0f} s of it the world's; "
        f"{relay.taken:,} messages, {dict(newsstand.answers)} answers of feeds, {process.starts} starts, "
        f"{month.struck} kills in the middle of sending"
    )
    print(*(broken or ["Every promise was kept."]), sep="\n")
    return 1 if broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 3, 1))
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--subscribers", type=int, default=10_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with place(options.keep) as home:
        return asyncio.run(live(home, options.start, options.days, options.feeds, options.subscribers))


if __name__ == "__main__":
    sys.exit(main())
