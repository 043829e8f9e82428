"""How well the order of a day's stories agrees with what the web linked to.

The labels are how many hosts linked to each story of 47 days of business headlines (UCI News Aggregator, 2014). The
headlines of a day are made into stories and scored as on any day, and the ten best are judged by NDCG@10 (Järvelin and
Kekäläinen, 2002):

- A story of ours stands for the labelled story that most of its articles belong to. Its gain is log2(1 + hosts), hosts
  being those that linked to it, times the share of its articles that do belong: who mixes events shows a reader the one
  he came for only sometimes. "whole" leaves that share out. Labelled stories that share a headline are one, with the
  larger number of hosts.
- What a higher place already told gains nothing, and is a repeat. "touched" counts more strictly: places that hold any
  article of a labelled story that a higher place holds an article of.
- The ideal is the ten labelled stories of the day with the largest gains. A day without any link is not judged.

The headlines have no summaries, no times and one weight, so that topic, coverage, depth and form alone tell them apart.
"one pass" is the baseline: each headline joins the group that it is most like (cosine of TF-IDF) or opens one, and groups
are ordered by their size. Days differ widely: a difference below 0.02 says little, and counts only if both halves agree.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from digest import home as homefolder
from digest.config import Ranking
from digest.model import Article, Feed, Topic
from digest.ranking.rank import rank
from digest.ranking.stories.cluster import cluster
from digest.ranking.text import COMMON, Words

STARTER = Path(__file__).resolve().parents[1] / "digest" / "starter"
PLACES = 10
ONE_PASS = (0.05, 0.1, 0.15, 0.2, 0.3)
"""The thresholds from which the baseline joins."""
USUAL = Ranking()
WITHOUT = {
    "topic": replace(USUAL, topic=0.0),
    "coverage": replace(USUAL, coverage=0.0),
    "depth": replace(USUAL, depth=0.0),
    "source": replace(USUAL, source=0.0),
    "freshness": replace(USUAL, freshness=0.0),
    "momentum": replace(USUAL, momentum=0.0),
    "official": replace(USUAL, official=0.0),
    "form": replace(USUAL, form=0.0),
    "echo": replace(USUAL, echo=0.0),
    "focus": replace(USUAL, focus=1e-9),
}


@dataclass(frozen=True)
class Day:
    """A day's headlines, each with the labelled story it belongs to as its entry id, and every label's gain."""

    articles: tuple[Article, ...]
    gains: Mapping[str, float]


@dataclass(frozen=True)
class Judged:
    """One day's ten best: NDCG@10 (None where nothing was linked to), repeats, and places that touch a higher one."""

    ndcg: float | None
    whole: float | None
    repeats: int
    touched: int


@dataclass(frozen=True)
class Verdict:
    """The means over days: NDCG of all, the odd and the even ones, NDCG with whole gains, and repeats a day."""

    ndcg: float
    odd: float
    even: float
    whole: float
    repeats: float
    touched: float


def days(gold: Path) -> list[Day]:
    """The labelled days in order."""
    hosts = {row["story"]: row["linking_hosts"] for row in _rows(gold / "importance-dev.jsonl")}
    articles: dict[str, list[Article]] = defaultdict(list)
    gains: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in _rows(gold / "clusters-dev.jsonl"):
        day, label = row["day"], row["story_merged"]
        noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
        url = f"http://news.invalid/{len(articles[day]) + 1}"
        feed = Feed("http://news.invalid/feed", row["publisher"])
        article = Article(label, url, row["title"], "", row["publisher"], noon, noon, feed, url)
        articles[day].append(replace(article, id=len(articles[day]) + 1))
        gains[day][label] = max(gains[day][label], math.log2(1 + hosts[row["story"]]))
    return [Day(tuple(articles[day]), dict(gains[day])) for day in sorted(articles)]


def by_score(day: Day, topics: Sequence[Topic], settings: Ranking) -> list[tuple[Article, ...]]:
    """The day's stories as the ranker orders them."""
    ordered = rank(day.articles, topics, settings, day.articles[0].published_at)
    return [one.story.articles for one in ordered]


def by_size(day: Day, settings: Ranking) -> list[tuple[Article, ...]]:
    """The day's stories by their number of articles."""
    stories = cluster(day.articles, settings)
    return sorted((story.articles for story in stories), key=lambda articles: (-len(articles), articles[0].id))


def one_pass(day: Day, same: float) -> list[tuple[Article, ...]]:
    """The baseline's groups, the largest first."""
    words = Words()
    texts = [
        Counter(word.stem for word in words.split(one.title, "en") if word.text.lower() not in COMMON)
        for one in day.articles
    ]
    frequency = Counter(word for text in texts for word in text)
    sums: list[dict[str, float]] = []
    groups: list[list[Article]] = []
    for article, text in zip(day.articles, texts, strict=True):
        vector = {word: count * math.log(1 + len(texts) / frequency[word]) for word, count in text.items()}
        nearness = [_cosine(vector, total) for total in sums]
        best = max(range(len(sums)), key=lambda place: nearness[place], default=None)
        if best is None or nearness[best] < same:
            best = len(sums)
            sums.append({})
            groups.append([])
        groups[best].append(article)
        for word, weight in _unit(vector).items():
            sums[best][word] = sums[best].get(word, 0.0) + weight
    return sorted((tuple(group) for group in groups), key=lambda group: (-len(group), group[0].id))


def judged(day: Day, ranking: Sequence[Sequence[Article]]) -> Judged:
    """What the first places of a ranking are worth."""
    told: set[str] = set()
    held: set[str] = set()
    gained = whole = 0.0
    repeats = touched = 0
    for place, articles in enumerate(ranking[:PLACES]):
        labels = Counter(article.entry_id for article in articles)
        label = max(sorted(labels), key=lambda one: labels[one])
        if label in told:
            repeats += 1
        else:
            gain = day.gains[label] / math.log2(place + 2)
            whole += gain
            gained += gain * labels[label] / len(articles)
        touched += not held.isdisjoint(labels)
        told.add(label)
        held.update(labels)
    best = sorted(day.gains.values(), reverse=True)[:PLACES]
    ideal = sum(gain / math.log2(place + 2) for place, gain in enumerate(best))
    return Judged(gained / ideal if ideal else None, whole / ideal if ideal else None, repeats, touched)


def verdict(each: Sequence[Judged]) -> Verdict:
    """The means over the days."""
    ndcg = [one.ndcg for one in each if one.ndcg is not None]
    return Verdict(
        mean(ndcg),
        mean(ndcg[0::2]),
        mean(ndcg[1::2]),
        mean(one.whole for one in each if one.whole is not None),
        mean(one.repeats for one in each),
        mean(one.touched for one in each),
    )


def ranked(each: Sequence[Day], topics: Sequence[Topic], settings: Ranking) -> Verdict:
    """The verdict on the ranker's order."""
    return verdict([judged(day, by_score(day, topics, settings)) for day in each])


def main(gold: Path) -> None:
    """Print the tables."""
    topics, each = homefolder.load(STARTER, {}).topics, days(gold)
    standing = ranked(each, topics, USUAL)
    print("Importance: NDCG@10 against hosts that linked, the mean over days\n")
    print(f"{'':>24}     all     odd    even   whole   repeats   touched")
    for same in ONE_PASS:
        print(_line(f"one pass at {same:.2f}, by size", verdict([judged(day, one_pass(day, same)) for day in each])))
    print(_line("our stories, by size", verdict([judged(day, by_size(day, USUAL)) for day in each])))
    print(_line("our stories, by score", standing) + "\n")
    for name, settings in WITHOUT.items():
        less = ranked(each, topics, settings)
        print(_line(f"without {name}", less) + f"   {less.ndcg - standing.ndcg:+.3f}")
    print()


def _line(name: str, one: Verdict) -> str:
    shares = "   ".join(f"{value:.3f}" for value in (one.ndcg, one.odd, one.even, one.whole))
    return f"{name:>24}   {shares}   {one.repeats:7.2f}   {one.touched:7.2f}"


def _rows(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _cosine(vector: Mapping[str, float], total: Mapping[str, float]) -> float:
    product = sum(weight * total.get(word, 0.0) for word, weight in vector.items())
    return product / (math.hypot(*vector.values()) * math.hypot(*total.values()) or 1.0)


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = math.hypot(*vector.values()) or 1.0
    return {word: weight / length for word, weight in vector.items()}
