"""What `digest run` costs while nothing happens: memory and CPU with 100 feeds, and what each of its timers has of it.

    python -m bench.idle [--minutes 10] [--feeds 100] [--subscribers 10000]

The feeds are local and answer that nothing has changed, each once an hour; the relay is never called. First each timer's work
is done many times over in this process, then the real `digest run` is watched for so long, after a minute in which it starts.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from bench.month import furnish
from bench.outside import Newsstand, address
from bench.readers import filled
from digest import home as homefolder
from digest import scheduler
from digest.config import Config
from digest.demo.servers import free_port
from digest.editions import trial
from digest.feeds.poll import poll
from digest.scheduler import Service
from digest.store import engine as engines
from digest.store.tables import feeds
from digest.watch import WatchedConfig

STARTING_SECONDS = 60
BETWEEN_LOOKS = 5.0
TIMES = 60
FIRST_FEED = 2
"""Those before it misbehave."""
RELAY = 9
"""Nobody listens there."""
PRESSED = timedelta(hours=13)
"""Press time was so long ago: too late for an edition, and long until the next."""


@dataclass(frozen=True)
class Usage:
    """Of a process with its children that have ended: seconds of computing, and resident memory in MB."""

    cpu: float
    rss_mb: float


def usage(process: int) -> Usage:
    """As the kernel has it; Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return Usage(sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"), pages * resource.getpagesize() / 1e6)


@contextmanager
def newsstand() -> Iterator[str]:
    """Feeds on loopback, in a thread of this process."""
    loop = asyncio.new_event_loop()
    now = datetime.now(UTC)
    server = loop.run_until_complete(Newsstand(now, dies=now + timedelta(days=1)).serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def by_timer(config: Config, environment: dict[str, str]) -> None:
    """Print what each timer's work costs, and what that is of one CPU."""
    engine = engines.connect(config.database_url)
    in_force = WatchedConfig(config, environment, trial.examine)
    service = Service(in_force, engine, lambda: datetime.now(UTC))
    service.tick()
    service.send()
    timers: dict[str, tuple[Callable[[], object], int]] = {
        "tick": (service.tick, scheduler.TICK_SECONDS),
        "send": (service.send, scheduler.SEND_SECONDS),
        "letters": (service.letters, scheduler.LETTER_SECONDS),
        "tell": (service.tell, scheduler.TELL_SECONDS),
        "(files)": (in_force, scheduler.LETTER_SECONDS),
    }
    for name, (work, seconds) in timers.items():
        work()
        began = time.process_time()
        for _ in range(TIMES):
            work()
        each = (time.process_time() - began) / TIMES
        print(f"  {name:10} every {seconds:2} s: {1000 * each:6.2f} ms, {each / seconds:8.3%} of one CPU")
    engine.dispose()


def spread(url: str, over: timedelta) -> None:
    """Have the feeds due one after the other, as after some hours."""
    engine = engines.connect(url)
    now = datetime.now(UTC)
    with engines.write(engine) as connection:
        numbers = connection.scalars(feeds.select().where(feeds.c.configured).with_only_columns(feeds.c.id)).all()
        for place, number in enumerate(numbers):
            due = now + over * (place + 1) / len(numbers)
            connection.execute(update(feeds).where(feeds.c.id == number).values(next_poll_at=due))
    engine.dispose()


def watched(home: Path, environment: dict[str, str], minutes: float) -> None:
    """Print what the service used in so many minutes, once it had started."""
    command = (sys.executable, "-c", "from digest.cli.main import main; main()", "--home", str(home), "run")
    with (home / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        time.sleep(STARTING_SECONDS)
        before, began, most = usage(process.pid), time.monotonic(), 0.0
        while time.monotonic() < began + 60 * minutes:
            time.sleep(BETWEEN_LOOKS)
            most = max(most, usage(process.pid).rss_mb)
        after, seconds = usage(process.pid), time.monotonic() - began
    finally:
        process.terminate()
        process.wait()
    cpu = after.cpu - before.cpu
    print(
        f"  digest run: {before.rss_mb:.0f} MB resident once started, {after.rss_mb:.0f} MB after {seconds / 60:.0f} minutes, "
        f"{most:.0f} MB at most; {cpu:.1f} s of computing, {cpu / seconds:.2%} of one CPU"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--subscribers", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, newsstand() as stand:
        home = Path(name)
        press = datetime.now(UTC) - PRESSED
        environment = furnish(
            *(home, stand, range(FIRST_FEED, FIRST_FEED + options.feeds), RELAY, f"{press:%H:%M}", "UTC"),
            more=f"[web]\nport = {free_port()}\n",
        )
        config = homefolder.load(home, environment)
        engine = engines.connect(config.database_url)
        filled(engine, options.subscribers, datetime.now(UTC))
        asyncio.run(poll(config, engine, datetime.now(UTC)))
        engine.dispose()
        print(f"{options.feeds} feeds, {options.subscribers:,} subscribers")
        by_timer(config, environment)
        spread(config.database_url, timedelta(hours=1))
        watched(home, environment, options.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
