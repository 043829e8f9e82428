"""Two headlines on one release of economic figures are known as such, and nothing else is taken for one."""

import pytest

from digest.model import Story
from digest.ranking.rank import rank
from digest.ranking.stories.releases import Release, pairs, release
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import SETTINGS, TOPICS


def of(title: str, language: str = "en") -> Release | None:
    return release(Story((article(1, title, language=language),)))


def akin(one: str, other: str) -> bool:
    return pairs([Story((article(1, one),)), Story((article(2, other),))]) == [(0, 1)]


@pytest.mark.parametrize(
    ("title", "country", "figures", "period"),
    [
        ("The U.S. added 120,000 jobs in January, beating forecasts", "america", "employment", "jan"),
        ("US labour market weaker than expected in December", "america", "employment", "dec"),
        ("German unemployment rate unchanged at 6.3%", "germany", "employment", ""),
        ("US weekly jobless claims fall less than expected", "america", "jobless claims", ""),
        ("Applications for jobless benefits in the US fall to 227,000", "america", "jobless claims", ""),
        ("UK inflation slows to 3.1% in May", "uk", "consumer prices", "may"),
        ("China's producer prices fall 2.2 percent in March", "china", "producer prices", "mar"),
        ("Japan's economy shrank by 0.4% in the third quarter", "japan", "output", "q3"),
        ("Eurozone GDP up 0.2% in Q4", "europe", "output", "q4"),
        ("Retail sales in Sweden unexpectedly flat", "sweden", "retail sales", ""),
        ("Fed holds interest rates", "america", "policy rate", ""),
        ("Norway's central bank leaves its key rate unchanged", "norway", "policy rate", ""),
        ("UPDATE 2-South Korea's exports slump, trade deficit widens to $3 bln", "korea", "foreign trade", ""),
    ],
)
def test_a_headline_says_whose_figures_of_what_and_when(title: str, country: str, figures: str, period: str) -> None:
    assert of(title) == Release(country, figures, period)


@pytest.mark.parametrize(
    "title",
    [
        "Dollar slips after US jobs data beats expectations",  # a market report
        "US stocks end lower as payrolls surge 120,000",
        "Could US inflation rise to 4% in March?",  # talk
        "Fed's governor says US inflation will fall to 2% this year",
        "Minister expects inflation in Norway to slow to 3%",
        "Bank of England to cut interest rates in May",  # not yet
        "Malaysia raises dollar exchange rate for February",  # another rate
        "UK banks cut mortgage rates to 3.9%",
        "Government debt to GDP in Italy rises to 137%",
        "Brewer to cut 6,000 jobs in the Netherlands",  # a company's
        "Healthcare saves the US labour market, again",  # no figure, period or sign
        "Inflation hits eight-month high of 8.6% in January",  # nobody's
        "US inflation slows in January as China's picks up",  # two countries'
        "Earthquake of magnitude 5.6 jolts Pakistan",
    ],
)
def test_markets_views_forecasts_and_other_figures_are_no_release(title: str) -> None:
    assert of(title) is None


def test_headlines_in_other_languages_are_not_read() -> None:
    assert of("Inflation in Germany 2.1% im Januar", "de") is None


def test_stories_on_one_release_are_pairs_whatever_their_words() -> None:
    assert akin("The U.S. added 120,000 jobs in January, beating forecasts", "US labour market stronger than expected")
    assert akin("Bank of England holds rates", "UK rate unchanged at 3.75%")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("US inflation slows to 2.5% in January", "UK inflation slows to 3.1% in January"),
        ("US inflation slows to 2.5% in January", "US producer prices rise 0.5% in January"),
        ("US payrolls rise by 120,000", "US weekly jobless claims fall to 227,000"),
        ("US retail sales flat in December", "US retail sales rise 0.4% in January"),
    ],
)
def test_of_another_country_or_period_or_of_something_else_is_another_release(one: str, other: str) -> None:
    assert not akin(one, other)


def test_what_one_headline_leaves_out_another_of_the_story_tells() -> None:
    story = Story((article(1, "Inflation slows to 2.5%"), article(2, "Swedish inflation eases in March, data show")))

    assert release(story) == Release("sweden", "consumer prices", "mar")


def test_a_story_reports_what_a_fair_share_of_its_headlines_do() -> None:
    """Any article of a story may lead it; one of many went astray into it."""
    about = article(1, "US labour market stronger than expected in January")
    others = [article(number, f"Hospitals look for nurses in town {number}") for number in range(2, 6)]

    assert release(Story((*others[:3], about)))
    assert release(Story((*others, about))) is None


def test_stories_on_one_release_are_kin_when_they_are_ranked() -> None:
    large = [
        article(1, "The U.S. added 120,000 jobs in January, beating forecasts", "Reuters"),
        article(2, "The U.S. added 120,000 jobs in January", "AP"),
    ]
    ranked = rank([*large, article(3, "US unemployment rate lower than expected", "FT")], TOPICS, SETTINGS, NOW)

    assert [one.kin for one in sorted(ranked, key=lambda one: one.story.id)] == [("s3",), ("s1",)]
    assert all(factor.name != "echo" for one in ranked for factor in one.receipt.factors)
