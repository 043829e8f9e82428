"""Floors under the quality that `bench/quality.py` measures, on labels that other people gave."""

from pathlib import Path

from bench import importance, quality
from digest import home as homefolder


def test_stories_match_the_labels_of_business_headlines(shared: Path) -> None:
    days = list(quality.headlines(shared / "gold").values())
    measured = quality.agreement(days)
    assert measured.f1 >= 0.80
    assert measured.daily_f1 >= 0.83
    assert measured.precision >= 0.89
    assert quality.recall_at(0.95, [quality.agreement(days, threshold) for threshold in (0.05, 0.06, 0.08)]) >= 0.60


def test_the_starter_topics_order_newswire_by_its_labels(shared: Path) -> None:
    found = quality.average_precisions(shared / "gold", homefolder.load(quality.STARTER, {}).topics)
    assert sum(found.values()) / len(found) >= 0.88
    assert min(found.values()) >= 0.75


def test_the_score_orders_a_days_stories_better_than_one_pass_does_by_size(shared: Path) -> None:
    topics = homefolder.load(quality.STARTER, {}).topics
    days = importance.days(shared / "gold")
    ours = importance.ranked(days, topics, importance.USUAL)
    best = importance.verdict([importance.judged(day, importance.one_pass(day, 0.15)) for day in days])
    assert ours.ndcg >= best.ndcg + 0.02
    assert ours.odd > best.odd
    assert ours.even > best.even
    assert ours.repeats < best.repeats
