import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article, Story
from digest.ranking.stories.cluster import cluster
from tests.ranking.articles import QUICK, article, pools

SETTINGS = Ranking()

ECB_CUT = (
    ("ECB cuts interest rates for first time in five years", "Reuters"),
    ("European Central Bank cuts rates for first time since 2019", "BBC"),
    ("ECB lowers rates by quarter point in first cut in five years", "Financial Times"),
    ("Lagarde's ECB cuts interest rates to 3.75% in first move in five years", "The Guardian"),
    ("ECB cuts interest rates by 25 basis points, first cut since 2019", "CNBC"),
    ("Euro zone: ECB cuts key interest rate by a quarter point, Lagarde cautious", "AP"),
)
OTHERS = (
    "Volkswagen to close plant in Dresden as demand for electric cars weakens",
    "Chinese exports jump more than expected ahead of tariff deadline",
    "OPEC+ agrees to extend oil output curbs into next year",
    "Toyota recalls 102,000 vehicles over engine debris",
    "India growth beats forecasts on strong construction",
    "Nvidia overtakes Apple as second most valuable company",
    "Wheat prices climb on frost damage in Russia",
    "UK house prices rise for third month, Nationwide says",
)


def titles(story: Story) -> set[str]:
    return {one.title for one in story.articles}


def story_of(stories: list[Story], number: int) -> Story:
    return next(story for story in stories if any(one.id == number for one in story.articles))


def test_six_wire_headlines_of_one_event_are_one_story_among_others() -> None:
    event = [article(number, title, publisher) for number, (title, publisher) in enumerate(ECB_CUT, 1)]
    others = [article(number, title, "Reuters") for number, title in enumerate(OTHERS, 100)]
    stories = cluster([*others, *event], SETTINGS)
    assert titles(story_of(stories, 1)) == {title for title, _ in ECB_CUT}
    assert len(stories) == 1 + len(OTHERS)


def test_the_decisions_of_two_central_banks_on_one_day_stay_apart() -> None:
    fed = [
        article(1, "Fed holds interest rates steady, Powell sees no rush to cut", "Reuters"),
        article(2, "Powell says Fed in no rush to cut as rates held steady", "AP"),
    ]
    boe = [
        article(3, "Bank of England holds rates at 5.25%, Bailey says cut is possible", "BBC"),
        article(4, "Bailey hints at cut as Bank of England keeps rates at 5.25%", "The Guardian"),
    ]
    others = [article(number, title) for number, title in enumerate(OTHERS, 100)]
    stories = cluster([*fed, *boe, *others], SETTINGS)
    assert {one.id for one in story_of(stories, 1).articles} == {1, 2}
    assert {one.id for one in story_of(stories, 3).articles} == {3, 4}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Fiat Chrysler bets on Jeep revamp to go global", "UPDATE 5-Fiat Chrysler bets on Jeep revamp to go global"),
        ("Turkish lira falls to a record low", "Updated: Turkish lira falls to a record low"),
        ("US retail sales rose in March by most since 2012", "US Retail Sales Rose in March by Most Since 2012 (1)"),
    ],
)
def test_a_publishers_update_of_its_own_article_joins_it(first: str, second: str) -> None:
    assert len(cluster([article(1, first), article(2, second, hours=1)], SETTINGS)) == 1


def test_one_word_in_common_does_not_make_a_story() -> None:
    stories = cluster(
        [
            article(1, "Toronto mortgage arrears climb to highest in a decade"),
            article(2, "Police officers in Toronto suspended over corruption"),
            *(article(number, title) for number, title in enumerate(OTHERS, 100)),
        ],
        SETTINGS,
    )
    assert len(story_of(stories, 1).articles) == 1


def test_a_common_word_does_not_look_rare_because_the_articles_are_few() -> None:
    stories = cluster(
        [
            article(1, "Crude falls as Saudi Arabia lifts supply"),
            article(2, "Crude jumps after a refinery fire in Rotterdam"),
            article(3, "Payrolls in Mexico shrink for a second month"),
        ],
        SETTINGS,
    )
    assert len(stories) == 3


def test_articles_of_different_languages_never_meet_even_with_the_same_title() -> None:
    title = "Volkswagen, Siemens und BASF: Inflation 2026"
    assert len(cluster([article(1, title), article(2, title, language="de")], SETTINGS)) == 2


def test_regions_of_one_language_do_meet() -> None:
    title = "Bank of England keeps rates at 5.25 percent"
    assert len(cluster([article(1, title, language="en-GB"), article(2, title, language="en_US")], SETTINGS)) == 1


def test_chinese_headlines_of_one_event_are_one_story() -> None:
    stories = cluster(
        [
            article(1, "中国央行宣布下调存款准备金率0.5个百分点", language="zh"),
            article(2, "央行下调存款准备金率 释放长期资金", language="zh"),
            article(3, "比亚迪起诉美国政府要求退还关税", language="zh"),
        ],
        SETTINGS,
    )
    assert sorted(len(story.articles) for story in stories) == [1, 2]


def test_a_summary_can_join_what_titles_leave_apart() -> None:
    said = "Volkswagen will close its Dresden plant, chief executive Oliver Blume told workers."
    apart = [article(1, "Carmaker to shut factory"), article(2, "Blow for Saxony as production ends", "AP")]
    joined = [
        article(1, "Carmaker to shut factory", summary=said),
        article(2, "Blow for Saxony as production ends", "AP", summary=said),
    ]
    assert len(cluster(apart, SETTINGS)) == 2
    assert len(cluster(joined, SETTINGS)) == 1


def test_the_lead_is_a_report_from_the_weightiest_feed_with_a_summary_and_the_earliest() -> None:
    title = "ECB cuts interest rates for first time in five years"
    live = article(1, f"Live: {title}", "CNBC", weight=2, hours=9)
    late = article(2, title, "BBC", summary="The rate is 3.75 percent.", hours=2)
    early = article(3, title, "AP", summary="The rate is 3.75 percent.", hours=5)
    bare = article(4, title, "AFP", hours=8)
    heavy = article(5, title, "Financial Times", weight=1.5, hours=1)
    assert cluster([live, late, early, bare], SETTINGS)[0].lead == early
    assert cluster([live, late, early, bare, heavy], SETTINGS)[0].lead == heavy


def test_no_articles_make_no_stories() -> None:
    assert cluster([], SETTINGS) == []


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_the_order_of_the_articles_does_not_matter(articles: list[Article], chance: random.Random) -> None:
    shuffled = list(articles)
    chance.shuffle(shuffled)
    assert cluster(shuffled, SETTINGS) == cluster(articles, SETTINGS)


@QUICK
@given(pools())
def test_every_article_is_in_exactly_one_story(articles: list[Article]) -> None:
    placed = [one.id for story in cluster(articles, SETTINGS) for one in story.articles]
    assert sorted(placed) == [one.id for one in articles]


@QUICK
@given(pools())
def test_same_titles_of_five_words_are_always_one_story(articles: list[Article]) -> None:
    title = "Fed cuts interest rates by 25 basis points"
    twins = [article(1001, title, "Reuters", hours=30), article(1002, title.upper(), "AP", hours=1)]
    story = story_of(cluster([*articles, *twins], Ranking(same_story=1.0)), 1001)
    assert {1001, 1002} <= {one.id for one in story.articles}


@QUICK
@given(pools())
def test_raising_the_similarity_asked_for_never_makes_fewer_stories_at_the_extremes(articles: list[Article]) -> None:
    assert len(cluster(articles, Ranking(same_story=0.01))) <= len(cluster(articles, Ranking(same_story=1.0)))
