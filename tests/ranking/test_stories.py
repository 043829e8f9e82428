import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article
from digest.ranking.stories.cluster import cluster, formed
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.stories import Stories
from tests.ranking.articles import QUICK, article, pools

SETTINGS = Ranking()


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_articles_in_any_batches_and_order_form_the_same_stories_as_all_at_once(
    articles: list[Article], chance: random.Random
) -> None:
    rarity = Rarity.of(articles)
    at_once = Stories(SETTINGS, rarity)
    at_once.add(articles)
    shuffled = list(articles)
    chance.shuffle(shuffled)
    bit_by_bit = Stories(SETTINGS, rarity)
    while shuffled:
        size = chance.randint(1, 5)
        bit_by_bit.add(shuffled[:size])
        del shuffled[:size]
    assert bit_by_bit.stories() == at_once.stories() == cluster(articles, SETTINGS)
    assert bit_by_bit.kinships() == at_once.kinships()


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_what_came_and_went_leaves_no_trace(articles: list[Article], chance: random.Random) -> None:
    rarity = Rarity.of(articles)
    leaving = [one for one in articles if chance.random() < 0.5]
    staying = [one for one in articles if one not in leaving]
    stories = Stories(SETTINGS, rarity)
    stories.add(articles)
    stories.drop(leaving)
    never_met = Stories(SETTINGS, rarity)
    never_met.add(staying)
    assert stories.stories() == never_met.stories()
    assert len(stories) == len(staying)


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_the_changed_stories_are_those_that_were_not_there_before(
    articles: list[Article], chance: random.Random
) -> None:
    stories = Stories(SETTINGS, Rarity.of(articles))
    cut = chance.randint(0, len(articles))
    stories.add(articles[:cut])
    before = stories.stories()
    changed = stories.add(articles[cut:])
    assert changed == [story for story in stories.stories() if story not in before]


def test_a_newer_version_of_an_article_takes_the_place_of_the_older() -> None:
    first = article(1, "Volkswagen to close plant in Dresden")
    other = article(2, "Nvidia overtakes Apple as second most valuable company", "AP")
    stories = formed([first, other], SETTINGS)
    corrected = replace(first, title="Nvidia overtakes Apple as most valuable company")
    assert [story.articles for story in stories.add([corrected])] == [(corrected, other)]
    assert stories.add([corrected]) == []
    assert len(stories) == 2


def test_dropping_an_unknown_article_changes_nothing() -> None:
    stories = formed([article(1, "Volkswagen to close plant in Dresden")], SETTINGS)
    assert stories.drop([article(2, "Nvidia overtakes Apple")]) == []


def test_near_stories_are_kindred_and_strangers_are_not() -> None:
    stories = formed(
        [
            article(1, "Fed holds interest rates steady as Powell sees inflation risk"),
            article(2, "Powell sees no rush to cut as Fed holds rates", "AP"),
            article(3, "Dollar slips against euro as Powell weighs in", "AFP"),
            article(4, "Wheat prices climb on frost damage in Russia"),
        ],
        Ranking(same_story=0.07),
    )
    (kinship,) = stories.kinships()
    assert {one.id for one in (*kinship.one.articles, *kinship.other.articles)} == {1, 2, 3}
    assert 0.5 <= kinship.nearness < 1
