import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article, Factor, Ranked, Story, Term, Topic
from digest.ranking.form import SHARES
from digest.ranking.rank import article_topics, rank
from digest.ranking.score import score
from digest.ranking.topics.matcher import Matcher
from tests.ranking.articles import NOW, QUICK, article, pools

SETTINGS = Ranking()
BANKS = Topic("central-banks", "Central banks", 1.2, (Term("interest rates", 2), Term("ECB", 2), Term("Fed")))
ENERGY = Topic("energy", "Energy", 1.0, (Term("oil", 2), Term("OPEC", 2)))
TRADE = Topic("trade", "Trade", 1.0, (Term("tariffs", 2),))
TOPICS = (BANKS, ENERGY, TRADE)


def factors(story: Story, topics: tuple[Topic, ...] = TOPICS, settings: Ranking = SETTINGS) -> dict[str, Factor]:
    receipt = score(story, Matcher(topics).read(story), topics, settings, NOW)
    return {factor.name: factor for factor in receipt.factors}


def test_the_topic_factor_names_the_topic_and_the_terms_found() -> None:
    factor = factors(Story((article(1, "ECB holds interest rates"),)))["topic"]
    assert factor.because == "Central banks: “ECB”, “interest rates”"
    assert factor.points == pytest.approx(factor.input * factor.weight)
    assert factor.weight == pytest.approx(SETTINGS.topic * BANKS.weight)


def test_coverage_counts_publishers_and_names_three() -> None:
    names = ("Reuters", "AP", "BBC", "FT", "AFP")
    story = Story(tuple(article(n, f"ECB holds rates {n}", name) for n, name in enumerate((*names, "Reuters"), 1)))
    factor = factors(story)["coverage"]
    assert (factor.input, factor.because) == (5, "5 publishers cover it: Reuters, AP, BBC and 2 more")
    assert factors(Story(story.articles[:2]))["coverage"].because == "2 publishers cover it: Reuters and AP"
    alone = factors(Story(story.articles[:1]))["coverage"]
    assert (alone.points, alone.because) == (0, "only Reuters covers it")


def test_more_publishers_bring_more_points_but_never_more_than_the_setting() -> None:
    points = [
        factors(Story(tuple(article(n, f"ECB holds rates {n}", f"P{n}") for n in range(1, count + 1))))[
            "coverage"
        ].points
        for count in (1, 2, 3, 6, 12, 50)
    ]
    assert points == sorted(points)
    assert len(set(points)) == len(points)
    assert points[-1] < SETTINGS.coverage


def test_freshness_halves_with_each_half_life_of_the_newest_article() -> None:
    story = Story((article(1, "ECB holds rates", hours=30), article(2, "ECB holds rates", hours=SETTINGS.half_life)))
    factor = factors(story)["freshness"]
    assert factor.points == pytest.approx(SETTINGS.freshness / 2)
    assert factor.because == "12 hours old"
    assert factors(Story((article(1, "ECB", hours=0.5),)))["freshness"].because == "less than an hour old"
    assert factors(Story((article(1, "ECB", hours=1),)))["freshness"].because == "1 hour old"
    assert factors(Story((article(1, "ECB", hours=72),)))["freshness"].because == "3 days old"


def test_the_weightiest_feed_is_the_source() -> None:
    story = Story((article(1, "ECB holds rates", "Blog", weight=0.5), article(2, "ECB holds rates", "FT", weight=1.5)))
    factor = factors(story)["source"]
    assert factor.points == pytest.approx(SETTINGS.source * 1.5)
    assert factor.because == "FT counts 1.5 times as much as others"


def test_a_story_that_speaks_to_no_topic_has_no_points_however_many_cover_it() -> None:
    crowd = Story(tuple(article(n, "City beat United in cup final", f"P{n}", hours=0) for n in range(1, 40)))
    receipt = score(crowd, Matcher(TOPICS).read(crowd), TOPICS, SETTINGS, NOW)
    assert receipt.score == pytest.approx(0)
    assert factors(crowd)["focus"].because == "nothing in it speaks for a topic"


def test_an_opinion_loses_points_and_is_told_why() -> None:
    said = factors(Story((article(1, "Opinion: the ECB is too slow on interest rates"),)))["form"]
    assert (said.input, said.because) == (SHARES["an opinion"], "it is an opinion, not a report")
    assert said.points == pytest.approx(said.input * said.weight)
    assert "form" not in factors(Story((article(1, "ECB cuts interest rates"),)))


def test_ranked_stories_are_filed_under_their_best_topic_and_keep_all_relevances() -> None:
    ranked = rank([article(1, "OPEC meets as oil slips, ECB watches")], TOPICS, SETTINGS, NOW)[0]
    assert ranked.topic == "energy"
    assert set(ranked.topics) == {"central-banks", "energy", "trade"}
    assert all(value == round(value, 4) for value in ranked.topics.values())
    assert ranked.topics["trade"] == 0


def test_within_limits_what_a_story_is_filed_under_and_scored_by_but_not_what_is_told() -> None:
    articles = [article(1, "OPEC meets as oil slips, ECB watches"), article(2, "Tariffs on steel rise")]
    everything = {one.story.id: one for one in rank(articles, TOPICS, SETTINGS, NOW)}
    within = {one.story.id: one for one in rank(articles, TOPICS, SETTINGS, NOW, within=("central-banks",))}
    assert within["s1"].topic == "central-banks"
    assert within["s2"].topic == ""
    assert within["s2"].score == pytest.approx(0)
    assert {key: one.topics for key, one in within.items()} == {key: one.topics for key, one in everything.items()}


def test_without_a_topic_that_speaks_a_story_is_filed_under_none() -> None:
    assert rank([article(1, "City beat United")], TOPICS, SETTINGS, NOW)[0].topic == ""
    assert rank([article(1, "City beat United")], (), SETTINGS, NOW)[0].topic == ""


def test_of_equal_scores_the_newer_story_comes_first() -> None:
    settings = replace(SETTINGS, freshness=0)
    old, new = article(1, "Tariffs rise in Peru", hours=9), article(2, "OPEC meets in Vienna", hours=2)
    equal = (replace(ENERGY, terms=(Term("OPEC", 2),)), TRADE)
    ranked = rank([old, new], equal, settings, NOW)
    assert ranked[0].score == pytest.approx(ranked[1].score)
    assert [one.story.lead.id for one in ranked] == [2, 1]


def test_each_articles_own_topics_can_be_told() -> None:
    topics = article_topics([article(7, "ECB holds rates"), article(8, "City beat United")], TOPICS)
    assert topics[7]["central-banks"] > 0
    assert topics[8] == {"central-banks": 0, "energy": 0, "trade": 0}


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_the_order_of_the_articles_does_not_matter_to_the_ranking(
    articles: list[Article], chance: random.Random
) -> None:
    shuffled = list(articles)
    chance.shuffle(shuffled)
    assert rank(shuffled, TOPICS, SETTINGS, NOW) == rank(articles, TOPICS, SETTINGS, NOW)


@QUICK
@given(pools())
def test_a_score_is_the_sum_of_its_factors_and_the_best_comes_first(articles: list[Article]) -> None:
    ranked = rank(articles, TOPICS, SETTINGS, NOW)
    assert all(one.score == sum(factor.points for factor in one.receipt.factors) for one in ranked)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


@QUICK
@given(pools(), st.sampled_from(TOPICS), st.floats(1.0, 8.0))
def test_raising_a_topics_weight_never_lowers_a_story_and_changes_only_the_topic_factor(
    articles: list[Article], raised: Topic, by: float
) -> None:
    heavier = tuple(replace(topic, weight=topic.weight * by) if topic is raised else topic for topic in TOPICS)
    before = {one.story.id: one for one in rank(articles, TOPICS, SETTINGS, NOW)}
    after = {one.story.id: one for one in rank(articles, heavier, SETTINGS, NOW)}
    assert before.keys() == after.keys()
    for key, one in before.items():
        assert after[key].score >= one.score
        assert others(one) == others(after[key])


def others(ranked: Ranked) -> list[Factor]:
    return [factor for factor in ranked.receipt.factors if factor.name != "topic"]
