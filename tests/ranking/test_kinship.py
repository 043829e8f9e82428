"""A story that is much like a larger one loses points to it, and an edition's section shows only one of the two."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.config import Ranking
from digest.model import Article, Override, OverrideKind, Ranked, Receipt, Story
from digest.ranking.rank import rank
from digest.ranking.stories.kinship import FLOOR, Near, echo, kin, near
from digest.ranking.stories.stories import Kinship
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import TOPICS

SETTINGS = Ranking()


def ranked(*articles: Article, topic: str = "jobs", barred: str = "") -> Ranked:
    return Ranked(Story(articles), Receipt(()), topic, {}, barred=barred)


LARGE = ranked(article(1, "US adds 130,000 jobs", "Reuters"), article(2, "US hiring surges", "AP"))
SMALL = ranked(article(3, "What the US jobs report means", "FT"))
OTHER = ranked(article(4, "OPEC delays oil output", "BBC"))
ALL = {0: SMALL, 1: OTHER, 2: LARGE}


def close(nearness: float, stories: dict[int, Ranked] = ALL) -> Near:
    by_place = [stories[place].story for place in sorted(stories)]
    return near(by_place, [Kinship(stories[2].story, stories[0].story, nearness)])


def test_near_stories_are_named_by_their_ids_on_both_sides() -> None:
    assert kin(0, ALL, close(0.9)) == ("s1",)
    assert kin(2, ALL, close(0.9)) == ("s3",)
    assert kin(1, ALL, close(0.9)) == ()


def test_stories_that_only_have_much_in_common_are_kin_and_no_echo() -> None:
    assert kin(0, ALL, close(FLOOR - 0.01)) == ("s1",)
    assert echo(0, ALL, close(FLOOR - 0.01), SETTINGS) is None


@pytest.mark.parametrize(("nearness", "share"), [(FLOOR, 0.0), ((1 + FLOOR) / 2, 0.5), (1.0, 1.0), (1.4, 1.0)])
def test_an_echo_loses_points_from_nothing_on_by_how_near_it_is(nearness: float, share: float) -> None:
    factor = echo(0, ALL, close(nearness), SETTINGS)

    assert factor
    assert factor.name == "echo"
    assert factor.points == pytest.approx(-SETTINGS.echo * share)
    assert factor.because == "much like “US adds 130,000 jobs”, which is covered more widely"


def test_the_larger_of_two_loses_nothing() -> None:
    assert echo(2, ALL, close(1.0), SETTINGS) is None


def test_of_two_that_are_equal_the_earlier_is_the_larger_one() -> None:
    stories = {0: ranked(article(2, "Late", hours=2)), 1: OTHER, 2: ranked(article(1, "Early", hours=5))}

    assert echo(0, stories, close(1.0, stories), SETTINGS)
    assert echo(2, stories, close(1.0, stories), SETTINGS) is None


@pytest.mark.parametrize("silent", [replace(LARGE, barred="it ran"), replace(LARGE, topic="")])
def test_a_larger_story_that_no_edition_tells_has_no_echo(silent: Ranked) -> None:
    assert echo(0, {**ALL, 2: silent}, close(1.0), SETTINGS) is None


def test_stories_that_an_editor_merged_are_near_each_other_no_more() -> None:
    whole = Story((*LARGE.story.articles, *SMALL.story.articles))

    assert near([whole, OTHER.story], [Kinship(LARGE.story, SMALL.story, 0.9)]) == {}


def ranking(*overrides: Override) -> dict[int, Ranked]:
    articles = [
        article(1, "ECB cuts interest rates to 1.75% in Frankfurt after slump in euro zone growth", "Reuters"),
        article(2, "ECB cuts interest rates to 1.75% as euro zone growth slumps", "AP"),
        article(3, "Bank shares slide in Milan on ECB decision", "FT"),
        article(4, "OPEC delays oil output increase", "BBC"),
    ]
    found = rank(articles, TOPICS, replace(SETTINGS, same_story=0.19), NOW, overrides=overrides)
    return {number: one for one in found for number in (member.id for member in one.story.articles)}


def test_the_ranking_names_the_near_stories_of_each_and_takes_points_from_the_smaller() -> None:
    by_article = ranking()

    small, large = by_article[3], by_article[1]
    assert small.story.id != large.story.id
    assert small.kin == (large.story.id,)
    assert large.kin == (small.story.id,)
    assert by_article[4].kin == ()
    assert [factor.name for factor in small.receipt.factors if factor.points < 0] == ["echo"]
    assert all(factor.name != "echo" for factor in large.receipt.factors)


def test_merging_the_two_ends_the_echo() -> None:
    merge = Override(OverrideKind.MERGE, "economy", "ana", "one event", NOW, NOW + timedelta(days=1), (1, 3))

    whole = ranking(merge)[3]

    assert whole.story.id == "s1"
    assert whole.kin == ()
    assert all(factor.name != "echo" for factor in whole.receipt.factors)
