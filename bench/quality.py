"""How well stories and topics agree with labels that other people gave.

    python -m bench.quality [GOLD]

GOLD is a folder with `clusters-dev.jsonl` (headlines with the story each belongs to) and `reuters-dev.jsonl` (newswire
of 1987 with its topics). Stories are formed day by day and judged by B-cubed precision and recall (Bagga and Baldwin,
1998); topics by the average precision of all documents ordered by relevance. "baseline" is the value to beat. For stories
the threshold that is best on one half of the days is also measured on the other half, which knew nothing of it. The
order of stories is judged in `bench/importance.py`.
"""

import itertools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import importance
from digest import home as homefolder
from digest.config import Ranking
from digest.model import Article, Feed, Topic
from digest.ranking.stories.cluster import cluster
from digest.ranking.topics.matcher import Matcher

ROOT = Path(__file__).resolve().parents[1]
GOLD = ROOT.parent / "shared" / "gold"
STARTER = ROOT / "digest" / "starter"

LABELS = {
    "macro": ("growth", "inflation", "jobs"),
    "interest": ("central-banks",),
    "money-fx": ("currencies",),
    "money-supply": ("money-credit",),
    "acq": ("deals",),
    "earn": ("earnings",),
    "ship": ("shipping",),
    "trade": ("trade",),
    "energy": ("energy",),
    "commodities": ("commodities",),
}
"""Which of our topics speak for a label of the newswire; of several the most relevant."""

THRESHOLDS = (0.02, 0.025, 0.03, 0.034, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15)
BASELINE_F1, BASELINE_PRECISION = 0.758, 0.80


@dataclass(frozen=True)
class Agreement:
    """B-cubed over all articles, and the mean of the days' F1."""

    precision: float
    recall: float
    daily_f1: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def headlines(gold: Path) -> dict[str, list[Article]]:
    """The labelled headlines by day; the story each belongs to stands in its only category."""
    days: dict[str, list[Article]] = defaultdict(list)
    for row in _rows(gold / "clusters-dev.jsonl"):
        noon = datetime.fromisoformat(row["day"]).replace(hour=12, tzinfo=UTC)
        article = _article(len(days[row["day"]]) + 1, row["title"], "", row["publisher"], noon)
        days[row["day"]].append(replace(article, entry_id=row["story_merged"]))
    return dict(days)


def agreement(days: Iterable[Sequence[Article]], same_story: float = Ranking.same_story) -> Agreement:
    """How well the stories of each day match the labels."""
    precision = recall = total = 0.0
    daily = []
    for articles in days:
        right, found, count = _bcubed(articles, same_story)
        precision, recall, total = precision + right, recall + found, total + count
        daily.append(2 * right * found / (right + found) / count)
    return Agreement(precision / total, recall / total, sum(daily) / len(daily))


def recall_at(wanted: float, measured: Sequence[Agreement]) -> float:
    """The recall at a precision, between the two thresholds around it; 0 where it is never reached."""
    for low, high in itertools.pairwise(measured):
        if low.precision < wanted <= high.precision:
            share = (wanted - low.precision) / (high.precision - low.precision)
            return low.recall + share * (high.recall - low.recall)
    return 0.0


def newswire(gold: Path) -> list[Article]:
    """The labelled newswire, in the order of its rows."""
    moment = datetime(1987, 3, 1, tzinfo=UTC)
    rows = _rows(gold / "reuters-dev.jsonl")
    return [_article(number, row["title"], row["body"], "Reuters", moment) for number, row in enumerate(rows, 1)]


def average_precisions(gold: Path, topics: Sequence[Topic]) -> dict[str, float]:
    """The average precision of each label of the newswire."""
    matcher = Matcher(topics)
    rows = _rows(gold / "reuters-dev.jsonl")
    relevance = [matcher.relevance(article) for article in newswire(gold)]
    return {
        label: _average_precision(
            [
                (max(one[slug] for slug in slugs), label in row["topics"])
                for one, row in zip(relevance, rows, strict=True)
            ]
        )
        for label, slugs in LABELS.items()
    }


def _rows(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _article(number: int, title: str, summary: str, publisher: str, moment: datetime) -> Article:
    url = f"http://news.invalid/{number}"
    feed = Feed("http://news.invalid/feed", publisher)
    return Article(url, url, title, summary, publisher, moment, moment, feed, url, id=number)


def _bcubed(articles: Sequence[Article], same_story: float) -> tuple[float, float, int]:
    labels = Counter(article.entry_id for article in articles)
    precision = recall = 0.0
    for story in cluster(articles, Ranking(same_story=same_story)):
        for label, count in Counter(article.entry_id for article in story.articles).items():
            precision += count * count / len(story.articles)
            recall += count * count / labels[label]
    return precision, recall, len(articles)


def _average_precision(scored: Sequence[tuple[float, bool]]) -> float:
    hits, total = 0, 0.0
    for place, (_, right) in enumerate(sorted(scored, key=lambda one: -one[0]), 1):
        if right:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0


def main(gold: Path) -> None:
    days = list(headlines(gold).values())
    print("Stories: B-cubed over labelled headlines, day by day\n")
    print("same_story   precision   recall     F1   mean daily F1")
    measured = [agreement(days, threshold) for threshold in THRESHOLDS]
    for threshold, one in zip(THRESHOLDS, measured, strict=True):
        mark = "  <- default" if threshold == Ranking.same_story else ""
        print(
            f"{threshold:10.3f}   {one.precision:9.3f}   {one.recall:6.3f}  {one.f1:5.3f}   {one.daily_f1:13.3f}{mark}"
        )
    print(f"{'baseline':>10}   {'':9}   {'':6}  {BASELINE_F1:5.3f}")
    print(f"recall at precision .95: {recall_at(0.95, measured):.3f}\n")
    for name, tuned, unseen in (("odd", days[::2], days[1::2]), ("even", days[1::2], days[::2])):
        scores = [agreement(tuned, threshold).f1 for threshold in THRESHOLDS]
        best = THRESHOLDS[scores.index(max(scores))]
        other = [agreement(unseen, threshold) for threshold in THRESHOLDS]
        print(
            f"tuned on the {name} days: {best:.3f}; on the others F1 {agreement(unseen, best).f1:.3f}, "
            f"recall at precision .95 {recall_at(0.95, other):.3f}"
        )

    print("\nTopics: average precision on newswire\n")
    topics = homefolder.load(STARTER, {}).topics
    found = average_precisions(gold, topics)
    for label, value in found.items():
        print(f"{label:>14}   {value:.3f}")
    print(f"{'mean':>14}   {sum(found.values()) / len(found):.3f}   baseline {BASELINE_PRECISION:.3f}\n")

    importance.main(gold)
    everything = [article for articles in days for article in articles][:2000]
    start = time.perf_counter()
    cluster(everything, Ranking())
    print(f"Time: {len(everything)} articles into stories in {time.perf_counter() - start:.2f} s")
    articles = newswire(gold)
    start = time.perf_counter()
    matcher = Matcher(topics)
    for article in articles:
        matcher.read(article)
    words = sum(len(f"{article.title} {article.summary}".split()) for article in articles)
    print(f"      topics of {len(articles)} articles of {words:,} words in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLD)
