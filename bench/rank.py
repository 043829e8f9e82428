"""What ranking costs by the number of articles, and beside comparing every pair with scikit-learn.

    python -m bench.rank [SIZE ...] [--peer-python PATH]

Articles are generated: words are drawn by how common words are in languages (Zipf), from a vocabulary that grows with
the number of articles (Heaps), and about a third of the articles retell another one in part, so that there are stories to
form. Seconds are of one core (CPU time), the middle of several runs that each begin as a new process does. "stories" is
forming them alone, "whole" is all of `rank` with the starter topics. Memory is what the whole adds to a process at its peak.
"all cosines" is what the same articles cost as TF-IDF vectors with all cosines, in blocks. Then the cost of adding 50
articles to 2,000, the changed stories read out; and, to show the bound, the same without summaries, where nearly all hang
together as no real window does: it has no limit.

Machines differ, and a shared one differs from minute to minute. So a fixed piece of work is timed right before and after
each run: "pace" is how many times as long it takes as on the machine that the limits were set on. Limits are judged in
that machine's seconds ("adjusted"), which are the seconds measured ("raw") by the pace. Exits with 1 if a limit is missed.

The other side wants a Python of its own: `python -m venv PEER && PEER/bin/pip install scikit-learn`, and then
`--peer-python PEER/bin/python`.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, TypeVar

from digest import home as homefolder
from digest.config import Ranking
from digest.model import Article, Feed, Topic
from digest.ranking import form
from digest.ranking.rank import rank
from digest.ranking.stories import terms
from digest.ranking.stories.cluster import cluster, formed

Found = TypeVar("Found")

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "digest" / "starter"
PEER = ROOT / "bench" / "rank_peer.py"

SIZES = (500, 2_000, 10_000, 50_000)
NEW, PRESENT = 50, 2_000
RUNS_TO = 20_000
"""So many articles are ranked in all for the middle of several runs, and each size once at least."""
MOST_SECONDS = {2_000: 0.5, 50_000: 20.0}
"""What the whole may take, adjusted."""
MOST_MB = {50_000: 250.0}
MOST_NEW_SECONDS = 0.05
REFERENCE_SECONDS = 0.019
"""What `reference` takes on the machine that the limits were set on. There `s = 0; for i in range(10_000_000): s += i`,
outside of any function, takes 0.55 s."""
NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
TITLE_WORDS, SUMMARY_WORDS = 10, 26
RETOLD = 0.35
SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprstvz" for vowel in "aeiou"]


def articles(count: int, seed: int = 1) -> list[Article]:
    """Generated articles, about a third of which retell another one."""
    chance = random.Random(seed)
    vocabulary = _vocabulary(int(60 * count**0.6) + 2000, chance)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    told: list[tuple[list[str], list[str]]] = []
    found: list[Article] = []
    feeds = [Feed(f"https://news.invalid/{number}.xml", f"Paper {number}") for number in range(50)]
    while len(found) < count:
        if told and chance.random() < RETOLD:
            title, summary = chance.choice(told[-500:])
            title = [word for word in title if chance.random() < 0.7] + chance.choices(
                vocabulary, cum_weights=weights, k=3
            )
            summary = [word for word in summary if chance.random() < 0.6]
        else:
            title = chance.choices(vocabulary, cum_weights=weights, k=TITLE_WORDS)
            summary = chance.choices(vocabulary, cum_weights=weights, k=SUMMARY_WORDS)
            told.append((title, summary))
        number = len(found) + 1
        moment = NOON - timedelta(seconds=number)
        url = f"https://news.invalid/{number}"
        feed = chance.choice(feeds)
        found.append(
            Article(url, url, " ".join(title), " ".join(summary), feed.publisher, moment, moment, feed, url, id=number)
        )
    return found


def forget() -> None:
    """Let go of every word seen before, so that a run begins as a new process does."""
    for module in (form, terms):
        for cached in vars(module).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()


class Spent(NamedTuple):
    """CPU time as measured, and by the pace that the machine had meanwhile."""

    raw: float
    pace: float

    @property
    def adjusted(self) -> float:
        """What it would have been on the machine that the limits were set on."""
        return self.raw / self.pace


def reference() -> int:
    """A fixed piece of work of the kind that ranking is: words made, looked up and counted."""
    counts: dict[str, int] = {}
    for number in range(100_000):
        word = f"w{number * number % 4093}"
        counts[word] = counts.get(word, 0) + 1
    return len(sorted(counts, key=lambda word: (-counts[word], word)))


def pace() -> float:
    """How many times as long as on the machine that the limits were set on the reference takes now."""
    return statistics.median(_seconds(reference)[0] for _ in range(3)) / REFERENCE_SECONDS


def timed(work: Callable[[], Found]) -> tuple[Spent, Found]:
    """CPU time of some work, and what it found."""
    forget()
    before = pace()
    seconds, found = _seconds(work)
    return Spent(seconds, (before + pace()) / 2), found


def _seconds(work: Callable[[], Found]) -> tuple[float, Found]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def middle(runs: Iterable[Spent]) -> Spent:
    """The median of each, over several runs."""
    raw, adjusted = (statistics.median(those) for those in zip(*((one.raw, one.adjusted) for one in runs), strict=True))
    return Spent(raw, raw / adjusted)


def repeated(work: Callable[[], object], size: int) -> Spent:
    """CPU time of some work over so many articles, the middle of several runs where it is short."""
    return middle([timed(work)[0] for _ in range(max(1, min(7, RUNS_TO // size)))])


def megabytes(size: int) -> float:
    """What ranking adds to the memory of a new process, at its peak."""
    command = [sys.executable, "-m", "bench.rank", "--megabytes", str(size)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout)


def added_megabytes(size: int) -> float:
    """The same for this process, which must not have done anything before. Linux alone tells."""
    those, topics = articles(size), homefolder.load(STARTER, {}).topics
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # lets the peak begin anew
    started = _memory("VmRSS")
    rank(those, topics, Ranking(), NOON)
    return _memory("VmHWM") - started


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024 / 1e6


def all_cosines(those: list[Article], python: str) -> float:
    """CPU time of all cosines with scikit-learn, by another interpreter."""
    texts = json.dumps([f"{one.title} {one.summary}" for one in those])
    return float(subprocess.run([python, str(PEER)], input=texts, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _vocabulary(count: int, chance: random.Random) -> list[str]:
    words: dict[str, None] = {}
    for word in _words(chance):
        words[word] = None
        if len(words) == count:
            break
    return list(words)


def _words(chance: random.Random) -> Iterator[str]:
    while True:
        word = "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
        yield word.capitalize() if chance.random() < 0.3 else word


HEAD = "articles   stories   largest   pace   stories s raw  adjusted   whole s raw  adjusted   us/article   MB   all cosines   limits"


def table(sizes: list[int], topics: tuple[Topic, ...], python: str | None) -> Iterator[tuple[str, bool]]:
    """A line for each size, and whether it keeps its limits."""
    for size in sizes:
        those = articles(size)
        stories = cluster(those, Ranking())
        largest = max(len(story.articles) for story in stories)
        alone = repeated(partial(cluster, those, Ranking()), size)
        whole = repeated(partial(rank, those, topics, Ranking(), NOON), size)
        added = megabytes(size)
        beside = "" if python is None else f"{all_cosines(those, python):.2f}"
        limits = [
            _limit(whole.adjusted, MOST_SECONDS.get(size), "s adjusted"),
            _limit(added, MOST_MB.get(size), "MB"),
        ]
        yield (
            f"{size:8,}   {len(stories):7,}   {largest:7}   {whole.pace:4.2f}   {alone.raw:13.2f}  {alone.adjusted:8.2f}   "
            f"{whole.raw:11.2f}  {whole.adjusted:8.2f}   {whole.adjusted / size * 1e6:10.0f}   {added:4.0f}   {beside:>11}   "
            f"{'; '.join(filter(None, limits))}".rstrip(),
            not any("MISSED" in limit for limit in limits),
        )


def _limit(measured: float, most: float | None, unit: str) -> str:
    return "" if most is None else f"{most:g} {unit} {'met' if measured < most else 'MISSED'}"


def adding(those: list[Article]) -> Spent:
    """CPU time of adding new articles to those present, the middle of several."""
    spent = []
    for _ in range(5):
        present = formed(those[:PRESENT], Ranking())
        spent.append(timed(partial(present.add, those[PRESENT:]))[0])
    return middle(spent)


def _told(spent: Spent) -> str:
    return f"{spent.raw * 1000:.0f} ms raw, pace {spent.pace:.2f}, {spent.adjusted * 1000:.0f} ms adjusted"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", metavar="SIZE", default=list(SIZES))
    parser.add_argument("--peer-python", help="an interpreter that has scikit-learn; without it that column is empty")
    parser.add_argument("--megabytes", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.megabytes:
        print(added_megabytes(options.megabytes))
        return 0
    python = options.peer_python and str(Path(options.peer_python).absolute())
    if python and subprocess.run([python, "-c", "import sklearn"], stderr=subprocess.DEVNULL, check=False).returncode:
        sentences = (__doc__ or "").strip().rpartition("\n\n")[2]
        print(f"{options.peer_python} has no scikit-learn. {' '.join(sentences.split())}", file=sys.stderr)
        return 2
    print(HEAD)
    kept = True
    for line, met in table(options.sizes, homefolder.load(STARTER, {}).topics, python):
        print(line, flush=True)
        kept &= met
    print()
    those = articles(PRESENT + NEW)
    spent = adding(those)
    print(
        f"{NEW} more articles than {PRESENT:,}: {_told(spent)}; {_limit(spent.adjusted, MOST_NEW_SECONDS, 's adjusted')}"
    )
    kept &= spent.adjusted < MOST_NEW_SECONDS
    print(
        f"{NEW} more headlines that nearly all hang together: {_told(adding([replace(one, summary='') for one in those]))}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
