import pytest

from digest.ranking.form import form
from tests.ranking.articles import article


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Live updates: markets slide after Fed decision", "a live page"),
        ("Global stocks hit record; BP profits slump 16% – business live", "a live page"),
        ("Sponsored: how to retire early", "an advertisement"),
        ("Opinion: The Fed is too slow", "an opinion"),
        ("The Guardian view on the budget: not strong enough | Editorial", "an opinion"),
        ("Explainer: what the tariff ruling means", "an explainer"),
        ("5 things to know before the stock market opens", "a list"),
        ("The 10 Best Stocks of the Bull Market", "a list"),
        ("India Morning Call-Global Markets", "a round-up"),
        ("Should you fix your mortgage now?", "advice"),
        ("Here’s why gold is rising", "an explainer"),
        ("Video: inside the chip plant", "a recording"),
    ],
)
def test_a_headline_tells_what_it_is_if_not_a_report(title: str, expected: str) -> None:
    assert form(article(1, title)) == expected


@pytest.mark.parametrize(
    "title",
    [
        "ECB cuts rates by 25 basis points",
        "Live cattle futures climb in Chicago",
        "10 countries sign trade pact in Kigali",
        "Best Buy profit beats estimates",
        "Commentators doubt the budget",
    ],
)
def test_a_report_is_a_report(title: str) -> None:
    assert form(article(1, title)) == ""


def test_the_folder_of_the_address_and_the_publishers_category_tell_too() -> None:
    assert form(article(1, "The case for patience", path="opinion")) == "an opinion"
    assert form(article(1, "City beat United in cup final", categories=("Football",))) == "sport or leisure"
