"""What reading a feed costs when most of it is known, beside plain feedparser, and what the hostile cost the others.

    python bench/parse.py [--feeds 20] [--entries 50] [--rounds 5] [--json]

The feeds are those of `bench/feeds_server.py`. First table: milliseconds of computing a feed, in a process of their own
for either side, in turns; medians over the rounds. Second table: seconds until 40 feeds are read by the children that
the service uses, alone and behind ten documents that are made to take long.
"""

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import feedparser

from bench.feeds_server import Newsroom, document
from digest.feeds.outcomes import Parsed
from digest.feeds.reading import wire
from digest.feeds.reading.parse import parse, prepare
from digest.feeds.reading.sandbox import Parser
from digest.feeds.reading.scan import MARK_BYTES

URL = "https://paper.example/feed.xml"
TYPE = "application/xml"
NEW = (0, 1, 3, 10, 50)
GOALS = {3: 1 / 8, 50: 0.6}
MOST_ENTRIES = 500
GOOD = 40
MOST_DELAY = 1.5


def ours(bodies: Sequence[bytes]) -> dict[str, float]:
    """Milliseconds a feed, by how many of its entries are new, as a parsing child spends them."""
    prepare()
    gc.freeze()
    gc.disable()
    marks = []
    for body in bodies:
        parsed = parse(body, URL, TYPE, MOST_ENTRIES)
        assert isinstance(parsed, Parsed)
        marks.append(parsed.marks)

    def read(new: int) -> None:
        for body, known in zip(bodies, marks, strict=True):
            wire.packed(parse(body, URL, TYPE, MOST_ENTRIES, known[new * MARK_BYTES :]))

    return {str(new): milliseconds(lambda new=new: read(new), len(bodies)) for new in NEW}  # type: ignore[misc]


def plain(bodies: Sequence[bytes]) -> dict[str, float]:
    """Milliseconds a feed of feedparser as it comes, for which every entry is new."""

    def read() -> None:
        for body in bodies:
            feedparser.parse(body)

    read()
    return {"all": milliseconds(read, len(bodies))}


def milliseconds(work: Callable[[], object], times: int) -> float:
    """What one of so many times costs in computing."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000 / times


SIDES = {"ours": ours, "plain": plain}


def in_turns(feeds: int, entries: int, rounds: int) -> tuple[float, dict[int, float]]:
    """Medians of plain feedparser, and of ours by the number of new entries."""
    results: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            command = [sys.executable, __file__, "--side", side, "--feeds", str(feeds), "--entries", str(entries)]
            results[side].append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    return (
        statistics.median(result["all"] for result in results["plain"]),
        {new: statistics.median(result[str(new)] for result in results["ours"]) for new in NEW},
    )


def hostile() -> list[bytes]:
    """Documents that are made, or happen, to take long to read."""

    def rss(items: str) -> bytes:
        return f'<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()

    attributes = " ".join(f'a{number}=""' for number in range(100_000))
    return [
        rss(f"<item><title>deep</title>{'<a>' * 100_000}{'</a>' * 100_000}</item>"),
        rss(f"<item><title>wide</title><b {attributes}/></item>"),
        rss(f"<item><author>{'a.' * 20_000}</author></item>"),
        rss(f"<item><author>{'a.' * 40_000}</author><p></item>"),
        *(rss(f"<item><title>{sign * (1_000_000 // len(sign))}</title></item>") for sign in ("<", "&", "<!")),
        rss("".join(f"<item><title>{n}</title><link>https://e.example/{n}</link></item>" for n in range(10_000))),
        rss("".join(f"<item><title>{n}</title><description>{'w ' * 500}</description></item>" for n in range(9_500))),
        rss("<item><title>cut off</title>" + "<description>&lt;p&gt;words</description>" * 20_000),
    ]


async def good_read(good: Sequence[bytes], before: Sequence[bytes]) -> float:
    """Seconds until all good documents are read that come after others."""
    async with Parser(MOST_ENTRIES) as parser:
        await parser.parse(good[0], URL, TYPE)
        started = time.perf_counter()
        others = [asyncio.create_task(parser.parse(body, URL, TYPE)) for body in before]
        await asyncio.sleep(0)
        await asyncio.gather(*(parser.parse(body, URL, TYPE) for body in good))
        seconds = time.perf_counter() - started
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=20)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    newsroom = Newsroom()
    if options.side:
        bodies = [document(newsroom, feed, 0, options.entries) for feed in range(options.feeds)]
        print(json.dumps(SIDES[options.side](bodies)))
        return 0
    whole, parts = in_turns(options.feeds, options.entries, options.rounds)
    good = [document(newsroom, feed, 0, options.entries) for feed in range(GOOD)]
    alone, beside = [], []
    for _ in range(options.rounds):
        alone.append(asyncio.run(good_read(good, ())))
        beside.append(asyncio.run(good_read(good, hostile())))
    delay = statistics.median(beside) / statistics.median(alone)
    if options.json:
        figures = {"plain_ms": whole, "ms_by_new": parts, "good_alone": alone, "good_beside_hostile": beside}
        print(json.dumps(figures))
        return 0
    print(f"ms of computing a feed, {options.feeds} feeds of {options.entries} entries, median of {options.rounds}\n")
    print(f"{'new entries':>16}  {'ours':>8}  {'feedparser':>10}  {'share':>6}  goal")
    for new, ms in parts.items():
        goal = f"<= {GOALS[new]:.3f}" if new in GOALS else ""
        print(f"{new:>16}  {ms:>8.2f}  {whole:>10.2f}  {ms / whole:>6.3f}  {goal}")
    print(f"\nseconds until {GOOD} feeds are read, median of {options.rounds}\n")
    print(f"{'alone':>16}  {'behind the hostile':>18}  {'times':>6}  goal")
    print(f"{statistics.median(alone):>16.2f}  {statistics.median(beside):>18.2f}  {delay:>6.2f}  <= {MOST_DELAY}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
