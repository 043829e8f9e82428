"""Floors under the quality that `bench/quality.py` measures, on labels that other people gave."""

from pathlib import Path

from bench import quality
from digest import config


def test_stories_match_the_labels_of_business_headlines(shared: Path) -> None:
    measured = quality.agreement(quality.headlines(shared / "gold").values())
    assert measured.f1 >= 0.775
    assert measured.daily_f1 >= 0.81
    assert measured.precision >= 0.87


def test_the_starter_topics_order_newswire_by_its_labels(shared: Path) -> None:
    found = quality.average_precisions(shared / "gold", config.load(quality.STARTER, {}).topics)
    assert sum(found.values()) / len(found) >= 0.88
    assert min(found.values()) >= 0.75
