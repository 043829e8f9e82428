"""What earlier editions told does not come again, but as an update that says what is new."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digest.config import Ranking
from digest.model import Article, Feed, History, Story, Told
from digest.ranking.memory import Recollection
from digest.ranking.rank import rank
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import TOPICS

SETTINGS = Ranking()
YESTERDAY, DAY_BEFORE = date(2026, 2, 9), date(2026, 2, 8)
PRESS = NOW - timedelta(days=1)
OLD = article(1, "ECB holds interest rates at 2%", "Reuters", hours=30)


def told(*articles: Article, day: date = YESTERDAY, first: date | None = None) -> Told:
    return Told(
        first=first or day,
        until=PRESS,
        titles=tuple(one.title for one in articles),
        publishers=tuple(one.publisher for one in articles),
        article_ids=tuple(one.id for one in articles),
        date=day,
    )


def recollection(*tellings: Told, alike: bool = True) -> Recollection:
    return Recollection(History(tellings), SETTINGS, lambda one, other: alike)


def covered(*publishers: str) -> list[Article]:
    return [
        article(number, "ECB holds interest rates as expected", name)
        for number, name in enumerate(publishers, start=10)
    ]


def test_a_story_of_which_nothing_ran_is_as_it_was() -> None:
    story = Story(tuple(covered("AP", "FT")))

    recalled = recollection(told(OLD)).of(story)

    assert (recalled.story, recalled.barred, recalled.update) == (story, "", None)
    assert recalled.factor(SETTINGS) is None


def test_a_story_that_ran_is_barred_while_nothing_is_new() -> None:
    recalled = recollection(told(OLD)).of(Story((OLD, *covered("AP"))))

    assert recalled.barred == "it ran on 2026-02-09 as “ECB holds interest rates at 2%”, and there is no news of it"
    factor = recalled.factor(SETTINGS)
    assert factor
    assert (factor.name, factor.points, factor.because) == ("memory", 0.0, recalled.barred)


def test_publishers_that_had_not_covered_it_bring_it_back_with_the_new_articles_alone() -> None:
    new = covered("AP", "FT", "BBC", "Nikkei")

    recalled = recollection(told(OLD)).of(Story((OLD, *new)))

    assert recalled.update
    assert recalled.update.news == "now also covered by AP, FT, BBC and 1 more"
    assert recalled.update.publishers == ("AP", "FT", "BBC", "Nikkei")
    assert recalled.update.first == YESTERDAY
    assert recalled.story == Story(tuple(new))
    assert recalled.barred == ""


def test_an_update_costs_points_so_that_it_must_be_worth_coming_back_for() -> None:
    recalled = recollection(told(OLD)).of(Story((OLD, *covered("AP", "FT", "BBC"))))

    factor = recalled.factor(SETTINGS)
    assert factor
    assert factor.points == -SETTINGS.update
    assert factor.because == (
        "an update of “ECB holds interest rates at 2%” of 2026-02-09: now also covered by AP, FT and BBC"
    )


def test_publishers_that_covered_it_before_are_no_news() -> None:
    ran = [OLD, *covered("AP", "FT", "BBC")]
    again = [replace(one, id=one.id + 100, title="ECB holds rates, as told") for one in ran]

    assert recollection(told(*ran)).of(Story((*ran, *again))).barred


@pytest.mark.parametrize(
    ("title", "news"),
    [
        ("ECB raises interest rates to 2.25%", "a new figure, 2.25%"),
        ("ECB interest rates stay at 2 percent", ""),
        ("ECB interest rates: 3 things to know in 2026", ""),
    ],
)
def test_a_figure_that_no_headline_had_is_news_and_the_same_one_in_other_words_is_not(title: str, news: str) -> None:
    recalled = recollection(told(OLD)).of(Story((article(2, title, "AP"), OLD)))

    assert (recalled.update.news if recalled.update else "") == news
    assert (recalled.update.figure if recalled.update else "") == news.removeprefix("a new figure, ")


def test_a_statement_of_an_official_source_is_news_once() -> None:
    bank = Feed("https://bank.example/feed", "European Central Bank", official=True)
    statement = replace(article(2, "Monetary policy decisions", "European Central Bank"), feed=bank)

    first = recollection(told(OLD)).of(Story((statement, OLD)))
    second = recollection(told(OLD, statement)).of(Story((replace(statement, id=3), statement, OLD)))

    assert first.update
    assert first.update.news == "a statement by European Central Bank"
    assert first.update.official == "European Central Bank"
    assert second.barred


def test_what_we_saw_before_the_earlier_edition_went_to_press_is_no_news() -> None:
    seen = [replace(one, first_seen_at=PRESS - timedelta(minutes=1)) for one in covered("AP", "FT", "BBC")]

    assert recollection(told(OLD)).of(Story((OLD, *seen))).barred


def test_what_was_published_before_press_time_and_came_after_it_is_news() -> None:
    late = [replace(one, published_at=PRESS - timedelta(minutes=5)) for one in covered("AP", "FT", "BBC")]

    assert recollection(told(OLD)).of(Story((OLD, *late))).update


def test_a_story_put_together_with_what_ran_is_new_if_no_pair_of_its_articles_is_alike_by_itself() -> None:
    new = covered("AP", "FT")

    recalled = recollection(told(OLD), alike=False).of(Story((OLD, *new)))

    assert (recalled.story, recalled.told, recalled.barred) == (Story(tuple(new)), None, "")


def test_a_story_that_one_publisher_broke_and_many_take_up_is_an_update() -> None:
    recalled = recollection(told(OLD)).of(Story((OLD, *covered("AP", "FT", "BBC", "Nikkei", "AFP", "CBC"))))

    assert recalled.update


def test_a_figure_that_stood_in_any_headline_of_what_ran_is_no_news() -> None:
    second = article(2, "ECB leaves deposit rate at 1.75%", "Reuters", hours=29)
    telling = replace(told(OLD), article_ids=(1, 2))

    recalled = recollection(telling).of(Story((article(3, "ECB: 1.75% it is", "AP"), OLD, second)))

    assert recalled.barred


def test_an_update_of_an_update_leads_back_to_the_edition_where_the_story_first_ran() -> None:
    second = article(2, "ECB rates: a second look", "AP", hours=28)
    tellings = told(OLD, day=DAY_BEFORE), told(second, day=YESTERDAY, first=DAY_BEFORE)

    recalled = recollection(*tellings).of(Story((*covered("FT", "BBC", "Nikkei"), OLD, second)))

    assert recalled.update
    assert recalled.update.first == DAY_BEFORE


def test_the_ranking_knows_a_story_again_by_articles_that_have_left_the_window() -> None:
    old = article(1, "Norway wealth fund sells its tobacco shares", "Reuters", hours=100)
    again = article(2, "Norway wealth fund sells its tobacco shares", "AP")
    other = article(3, "OPEC delays oil output increase", "AP")

    found = rank([again, other], TOPICS, SETTINGS, NOW, history=History((told(old),), (old,)))

    assert {one.story.lead.id: bool(one.barred) for one in found} == {2: True, 3: False}


def test_what_ran_and_has_no_article_in_the_window_is_no_story_of_today() -> None:
    assert rank([], TOPICS, SETTINGS, NOW, history=History((told(OLD),), (OLD,))) == []


def test_a_few_articles_that_ran_and_went_astray_into_another_event_do_not_make_it_old() -> None:
    ran = [OLD, *(article(number, f"ECB, part {number}", "AFP", hours=29) for number in (2, 3))]
    new = covered("AP", "FT", "BBC", "Nikkei", "AFP")

    recalled = recollection(told(*ran)).of(Story((OLD, *new)))

    assert (recalled.told, recalled.update, recalled.barred) == (None, None, "")
    assert recalled.story == Story(tuple(new))


def test_a_market_report_is_about_its_own_day_and_no_update_of_yesterdays() -> None:
    yesterday = article(1, "Wall St opens higher as tech rallies", hours=30)
    today = article(2, "Wall St opens lower, Dow down 1.7%", "AP")

    recalled = recollection(told(yesterday)).of(Story((today, yesterday)))

    assert (recalled.story, recalled.update, recalled.barred) == (Story((today,)), None, "")
