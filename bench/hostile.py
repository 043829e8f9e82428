"""What ten hostile feeds cost forty good ones: the time until the last good one is stored, alone and beside them.

    python bench/hostile.py [--rounds 5]

Good feeds have 50 entries in 44 kB; each feed has a host of its own. The hostile ones hang, drip, flood, and send what takes
a parser seconds. Exits with 1 where the median ratio is above 1.5.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from digest.feeds.poll import poll
from digest.feeds.reports import FeedReport
from digest.store import engine as engines
from digest.store import schema
from tests.feeds.hostile import hostile
from tests.feeds.press import configured

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
GOOD = 40
HOSTILE = (
    *("/3/silence", "/3/drip", "/4/slow-headers", "/5/interim", "/2/endless-extension", "/2/endless"),
    *("/42/attributes", "/43/author", "/44/less", "/46/3000-items"),
)
MOST_RATIO = 1.5


async def serve() -> None:
    """Serve on every address, say where, and end with standard input."""
    async with hostile(host="0.0.0.0") as server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def seconds_until_all_good_are_stored(good: list[str], bad: list[str], database: Path) -> float:
    engine = engines.connect(f"sqlite:///{database}")
    schema.migrate(engine)
    waiting, stored = set(good), asyncio.Event()

    def note(report: FeedReport) -> None:
        if report.feed in waiting and report.articles_new != 50:
            raise SystemExit(f"{report.feed} brought {report.articles_new} articles: {report.error}")
        waiting.discard(report.feed)
        if not waiting:
            stored.set()

    started = time.perf_counter()
    polling = asyncio.create_task(poll(configured(*bad, *good, total_seconds=20), engine, NOW, progress=note))
    await asyncio.wait([polling, asyncio.create_task(stored.wait())], return_when=asyncio.FIRST_COMPLETED)
    seconds = time.perf_counter() - started
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
    engine.dispose()
    return seconds


async def measure(rounds: int) -> float:
    server = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", stdin=PIPE, stdout=PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    good = [f"http://127.8.8.{number}:{port}/good/long" for number in range(1, GOOD + 1)]
    bad = [f"http://127.9.9.{number}:{port}{path}" for number, path in enumerate(HOSTILE, 1)]
    alone, beside = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            alone.append(await seconds_until_all_good_are_stored(good, [], Path(folder) / f"alone-{number}.db"))
            beside.append(await seconds_until_all_good_are_stored(good, bad, Path(folder) / f"beside-{number}.db"))
            print(f"round {number + 1}: alone {alone[-1]:.2f} s, beside {len(bad)} hostile {beside[-1]:.2f} s")
    server.stdin.close()
    await server.wait()
    ratio = statistics.median(beside) / statistics.median(alone)
    print(f"median: {statistics.median(alone):.2f} s, {statistics.median(beside):.2f} s, ratio {ratio:.2f}", end=" ")
    print(f"(at most {MOST_RATIO})")
    return ratio


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return 0
    return int(asyncio.run(measure(asked.rounds)) > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
