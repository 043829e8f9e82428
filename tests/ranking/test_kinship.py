"""A story that is much like a larger one loses points to it, and an edition's section shows only one of the two."""

from dataclasses import replace
from datetime import timedelta

from digest.config import Ranking
from digest.model import Article, Override, OverrideKind, Ranked, Story
from digest.ranking.kinship import Kin, echo, kin
from digest.ranking.rank import rank
from digest.ranking.stories import Kinship
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import TOPICS

SETTINGS = Ranking()


def story(*articles: Article) -> Story:
    return Story(articles)


LARGE = story(article(1, "US adds 130,000 jobs", "Reuters"), article(2, "US hiring surges", "AP"))
SMALL = story(article(3, "What the US jobs report means", "FT"))
OTHER = story(article(4, "OPEC delays oil output", "BBC"))


def test_the_story_that_more_publishers_cover_is_the_larger_one() -> None:
    near = kin([SMALL, OTHER, LARGE], [Kinship(LARGE, SMALL, 0.8)])

    assert near == {0: [Kin(2, 0.8, larger=True)], 2: [Kin(0, 0.8, larger=False)]}


def test_of_two_that_are_equal_the_earlier_is_the_larger_one() -> None:
    early, late = story(article(1, "Early", hours=5)), story(article(2, "Late", hours=2))

    near = kin([late, early], [Kinship(early, late, 0.6)])

    assert [one.larger for one in near[0]] == [True]
    assert [one.larger for one in near[1]] == [False]


def test_an_echo_loses_points_by_how_near_it_is_and_says_to_what() -> None:
    stories = [SMALL, OTHER, LARGE]
    factor = echo(kin(stories, [Kinship(LARGE, SMALL, 0.8)])[0], stories, SETTINGS)

    assert factor
    assert (factor.name, factor.input, factor.points) == ("echo", 0.8, -0.8 * SETTINGS.echo)
    assert factor.because == "much like “US adds 130,000 jobs”, which is covered more widely"


def test_the_larger_of_two_loses_nothing_and_no_echo_loses_more_than_the_setting() -> None:
    stories = [SMALL, LARGE]
    near = kin(stories, [Kinship(LARGE, SMALL, 1.4)])

    assert echo(near[1], stories, SETTINGS) is None
    loud = echo(near[0], stories, SETTINGS)
    assert loud
    assert loud.points == -SETTINGS.echo


def test_stories_that_an_editor_merged_are_near_each_other_no_more() -> None:
    whole = Story((*LARGE.articles, *SMALL.articles))

    assert kin([whole, OTHER], [Kinship(LARGE, SMALL, 0.8)]) == {}


def ranking(*overrides: Override) -> dict[int, Ranked]:
    articles = [
        article(1, "ECB cuts interest rates to 1.75% in Frankfurt after slump in euro zone growth", "Reuters"),
        article(2, "ECB cuts interest rates to 1.75% as euro zone growth slumps", "AP"),
        article(3, "Bank shares slide in Milan on ECB decision", "FT"),
        article(4, "OPEC delays oil output increase", "BBC"),
    ]
    found = rank(articles, TOPICS, replace(SETTINGS, same_story=0.25), NOW, overrides=overrides)
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
