"""What a score is made of: each factor by itself, and what holds of all of them together."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article, Factor, Receipt, Story, Term, Topic
from digest.ranking.score import score
from digest.ranking.topics.matcher import Matcher
from tests.ranking.articles import NOW, QUICK, article, pools

SETTINGS = Ranking()
BANKS = Topic("central-banks", "Central banks", 1.2, (Term("interest rates", 2), Term("ECB", 2), Term("Fed")))
ENERGY = Topic("energy", "Energy", 1.0, (Term("oil", 2), Term("OPEC", 2)))
TOPICS = (BANKS, ENERGY)

WEIGHTS = ("topic", "source", "coverage", "depth", "freshness", "momentum", "official", "form")
ON_TOPIC = "ECB holds interest rates"


def receipt(story: Story, settings: Ranking = SETTINGS, topics: tuple[Topic, ...] = TOPICS) -> Receipt:
    return score(story, Matcher(topics).read(story), topics, settings, NOW)


def factors(story: Story, settings: Ranking = SETTINGS) -> dict[str, Factor]:
    return {factor.name: factor for factor in receipt(story, settings).factors}


def official(one: Article) -> Article:
    return replace(one, feed=replace(one.feed, official=True))


def told_by(publishers: int, *, joined: int = 0, hours: float = 10.0) -> Story:
    """A story that so many publishers had `hours` ago and so many others joined an hour ago."""
    before = [article(n, ON_TOPIC, f"Before {n}", hours=hours) for n in range(1, publishers + 1)]
    lately = [article(100 + n, ON_TOPIC, f"Lately {n}", hours=1) for n in range(1, joined + 1)]
    return Story((*before, *lately))


def test_a_second_report_of_a_publisher_is_depth_and_the_same_headline_again_is_not() -> None:
    first, again = article(1, ON_TOPIC), article(2, ON_TOPIC)
    second, other = article(3, "Why the ECB waits", hours=1), article(4, ON_TOPIC, "FT")
    assert factors(Story((first, again, other)))["depth"].because == "one report each"
    depth = factors(Story((first, again, second, other)))["depth"]
    assert (depth.input, depth.because) == (1, "3 reports in all, 1 beyond one each")
    assert 0 < depth.points < SETTINGS.depth


def test_publishers_that_joined_lately_are_momentum() -> None:
    momentum = factors(told_by(2, joined=3))["momentum"]
    assert momentum.because == "3 of its 5 publishers joined in the last 6 hours"
    assert momentum.points == pytest.approx(SETTINGS.momentum * 3 / 7)


def test_a_story_whose_publishers_have_all_been_there_is_not_growing() -> None:
    assert "momentum" not in factors(told_by(4))


def test_a_story_seen_for_the_first_time_in_one_poll_is_not_growing() -> None:
    seen = NOW - timedelta(hours=1)
    polled = tuple(replace(one, first_seen_at=seen) for one in told_by(3, joined=3).articles)
    assert "momentum" not in factors(Story(polled))
    assert "momentum" not in factors(told_by(0, joined=3))


def test_the_old_articles_of_a_feed_that_is_new_to_us_are_no_momentum() -> None:
    known, found = article(1, ON_TOPIC, hours=20), article(2, ON_TOPIC, "FT", hours=15)
    assert "momentum" not in factors(Story((known, replace(found, first_seen_at=NOW))))


def test_an_official_source_counts_whoever_leads() -> None:
    lead, voice = article(1, ON_TOPIC), official(article(2, ON_TOPIC, "European Central Bank"))
    factor = factors(Story((lead, voice)))["official"]
    assert (factor.points, factor.because) == (SETTINGS.official, "European Central Bank speaks for itself in it")
    assert "official" not in factors(Story((lead,)))


@pytest.mark.parametrize(
    ("weight", "because"),
    [(1.0, "FT counts as others do"), (1.2, "FT counts 1.2 times as much as others")],
)
def test_a_source_says_what_it_counts(weight: float, because: str) -> None:
    assert factors(Story((article(1, ON_TOPIC, "FT", weight=weight),)))["source"].because == because


@pytest.mark.parametrize(
    ("title", "share"),
    [
        ("Sponsored: what interest rates mean for you", 1.0),
        ("Opinion: interest rates are too low", 0.75),
        ("US stocks end lower before ECB", 0.5),
    ],
)
def test_each_form_loses_its_share(title: str, share: float) -> None:
    assert factors(Story((article(1, title),)))["form"].points == pytest.approx(-SETTINGS.form * share)


def test_what_a_story_hardly_about_a_topic_loses_is_a_share_of_all_its_merits() -> None:
    strict = replace(SETTINGS, focus=1.0)
    found = factors(told_by(2, joined=3), strict)
    merits = sum(found[name].points for name in ("source", "coverage", "depth", "freshness", "momentum"))
    assert found["focus"].points == pytest.approx(-merits * (1 - found["topic"].input))


@QUICK
@given(st.integers(1, 30), st.integers(0, 30))
def test_more_publishers_never_bring_fewer_points_for_coverage(few: int, more: int) -> None:
    assert factors(told_by(few + more))["coverage"].points >= factors(told_by(few))["coverage"].points


@QUICK
@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20))
def test_momentum_grows_with_those_that_joined_and_shrinks_with_those_before(before: int, joined: int, by: int) -> None:
    points = momentum(before, joined)
    assert momentum(before, joined + by) >= points
    assert momentum(before + by, joined) <= points


def momentum(before: int, joined: int) -> float:
    factor = factors(told_by(before, joined=joined)).get("momentum")
    return factor.points if factor else 0.0


@QUICK
@given(st.integers(0, 20), st.integers(0, 20))
def test_more_reports_never_bring_fewer_points_for_depth(few: int, more: int) -> None:
    assert depth(few + more) >= depth(few)


def depth(further: int) -> float:
    reports = (article(n, f"{ON_TOPIC}, part {n}") for n in range(1, further + 2))
    return factors(Story(tuple(reports)))["depth"].points


@QUICK
@given(st.floats(0, 72), st.floats(0, 72))
def test_an_older_story_never_has_more_points_for_freshness(hours: float, older: float) -> None:
    young, old = (Story((article(1, ON_TOPIC, hours=age),)) for age in (hours, hours + older))
    assert factors(old)["freshness"].points <= factors(young)["freshness"].points


@QUICK
@given(st.floats(0, 10), st.floats(0, 10))
def test_a_feed_of_more_weight_never_brings_fewer_points(light: float, more: float) -> None:
    one, heavier = (Story((article(1, ON_TOPIC, weight=weight),)) for weight in (light, light + more))
    assert factors(heavier)["source"].points >= factors(one)["source"].points


@QUICK
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_more_relevant_story_never_has_fewer_points_for_its_topic_nor_loses_more_for_focus(
    relevance: float, more: float
) -> None:
    story = told_by(3)
    less, better = (
        score(story, replace(Matcher(TOPICS).read(story), relevance=told), TOPICS, SETTINGS, NOW)
        for told in ({"central-banks": relevance, "energy": 0.0}, {"central-banks": relevance + more, "energy": 0.0})
    )
    assert points(better, "topic") >= points(less, "topic")
    assert points(better, "focus") >= points(less, "focus")


def points(one: Receipt, name: str) -> float:
    return sum(factor.points for factor in one.factors if factor.name == name)


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_a_score_does_not_depend_on_the_order_of_the_articles_behind_the_lead(
    articles: list[Article], chance: random.Random
) -> None:
    if not articles:
        return
    lead, *rest = articles
    shuffled = list(rest)
    chance.shuffle(shuffled)
    one, other = receipt(Story((lead, *rest))), receipt(Story((lead, *shuffled)))
    assert other.score == pytest.approx(one.score)
    assert [factor.name for factor in other.factors] == [factor.name for factor in one.factors]


@QUICK
@given(pools(), st.sampled_from(WEIGHTS))
def test_a_factor_whose_setting_is_nothing_has_no_points_and_changes_nothing_else_but_focus(
    articles: list[Article], name: str
) -> None:
    if not articles:
        return
    story = Story(tuple(articles))
    whole = factors(story)
    without = factors(story, replace(SETTINGS, **{name: 0}))
    assert without.keys() == whole.keys()
    for other, factor in without.items():
        if other == name:
            assert factor.points == 0
        elif other != "focus":
            assert factor == whole[other]


@QUICK
@given(pools())
def test_the_score_is_the_sum_of_the_factors_and_every_factor_says_why(articles: list[Article]) -> None:
    if not articles:
        return
    one = receipt(Story(tuple(articles)))
    assert one.score == sum(factor.points for factor in one.factors)
    assert all(factor.because for factor in one.factors)
    assert len({factor.name for factor in one.factors}) == len(one.factors)


def test_one_report_in_several_papers_is_covered_once_and_the_receipt_says_so() -> None:
    agency = article(1, "Oil exports of Norway fall", "The Agency", hours=5)
    copies = [article(number, "Oil exports of  Norway FALL", name) for number, name in ((2, "Paper"), (3, "Gazette"))]
    own = article(4, "Norway ships less oil", "Courier")

    coverage = factors(Story((agency, *copies, own)))["coverage"]

    assert coverage.input == 2
    assert coverage.because == (
        "2 publishers cover it: The Agency and Courier; 2 more have the same headline as another"
    )


def test_a_publisher_that_copies_once_and_writes_once_is_independent() -> None:
    story = Story(
        (article(1, "Oil exports fall", "AP", hours=5), article(2, "Oil exports fall", "FT"), article(3, "Why", "FT"))
    )

    assert factors(story)["coverage"].input == 2
