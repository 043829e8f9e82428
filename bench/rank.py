"""What forming stories costs by the number of articles, and beside comparing every pair with scikit-learn.

    python bench/rank.py [SIZE ...]

Articles are generated: words are drawn by how common words are in languages (Zipf), from a vocabulary that grows with
the number of articles (Heaps), and about a third of the articles retell another one in part, so that there are stories to
form. Seconds are of one core (CPU time); memory is what forming adds at its peak, and is measured in a run of its own. The
last column is the same articles as TF-IDF vectors with all cosines, in blocks, in the same run, where scikit-learn can
be imported. Then the cost of adding 50 articles to 2,000, the changed stories read out.
"""

import importlib
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import TypeVar

from digest.config import Ranking
from digest.model import Article, Feed
from digest.ranking.cluster import cluster, formed
from digest.ranking.terms import beginning, is_plain, term

Found = TypeVar("Found")

SIZES = (500, 2_000, 10_000, 50_000)
NEW, PRESENT = 50, 2_000
MOST_TRACED = 10_000
"""Tracing memory makes everything slow; beyond this size it is extrapolated from this one."""
BLOCK = 1_000
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
    for cached in (term, is_plain, beginning):
        cached.cache_clear()


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """CPU time of some work, and what it found."""
    forget()
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def all_pairs(those: list[Article]) -> float | None:
    """CPU time of all cosines with scikit-learn; None where it cannot be imported."""
    try:
        vectorizer = importlib.import_module("sklearn.feature_extraction.text").TfidfVectorizer(sublinear_tf=True)
    except ImportError:
        return None

    def compare() -> None:
        vectors = vectorizer.fit_transform([f"{one.title} {one.summary}" for one in those])
        transposed = vectors.T.tocsc()
        for start in range(0, vectors.shape[0], BLOCK):
            (vectors[start : start + BLOCK] @ transposed > 0.3).nonzero()

    return timed(compare)[0]


def megabytes(those: list[Article]) -> float:
    """What forming the stories adds to memory at its peak."""
    traced = those[:MOST_TRACED]
    forget()
    tracemalloc.start()
    formed(traced, Ranking())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6 * len(those) / len(traced)


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


def main(sizes: tuple[int, ...]) -> None:
    print("articles   stories   largest   seconds   us/article   MB   all cosines")
    for size in sizes:
        those = articles(size)
        spent, stories = timed(partial(cluster, those, Ranking()))
        largest = max(len(story.articles) for story in stories)
        beside = all_pairs(those)
        print(
            f"{size:8,}   {len(stories):7,}   {largest:7}   {spent:7.2f}   {spent / size * 1e6:10.0f}   "
            f"{megabytes(those):.0f}   {'not here' if beside is None else f'{beside:.2f}'}",
            flush=True,
        )
    those = articles(PRESENT + NEW)
    present = formed(those[:PRESENT], Ranking())
    spent, changed = timed(partial(present.add, those[PRESENT:]))
    print(f"\n{NEW} more articles than {PRESENT:,}: {spent * 1000:.0f} ms, {len(changed)} stories changed")


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
