import pytest

from digest.ranking.stories.markets import market
from digest.ranking.stories.terms import read
from tests.ranking.articles import article


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Dollar slips as Yellen speaks", "currencies"),
        ("FOREX-Euro off highs ahead of ECB", "currencies"),
        ("Euro zone bond yields fall", "bonds"),
        ("GLOBAL MARKETS-Asian shares slip before Fed review", "shares"),
        ("US stocks dip on weak Asian data", "wall street"),
        ("Wall St edges higher", "wall street"),
        ("Brent slips below $108", "oil"),
        ("Gold rises on Ukraine crisis", "precious metals"),
    ],
)
def test_a_market_report_has_its_market_first(title: str, expected: str) -> None:
    assert read(article(1, title)).market == expected


@pytest.mark.parametrize(
    "title",
    [
        "Yellen comments boost US stocks; gold falls",
        "Oil company to cut 500 jobs",
        "Treasury secretary urges patience",
        "Euro zone inflation drops to lowest since 2009",
        "Family Dollar to shut 370 stores",
        "US",
    ],
)
def test_news_of_anything_else_is_no_market_report(title: str) -> None:
    assert read(article(1, title)).market == ""


def test_no_words_are_no_market_report() -> None:
    assert market([]) == ""
