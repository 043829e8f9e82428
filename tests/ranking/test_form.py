from dataclasses import replace

import pytest

from digest.model import Article
from digest.ranking.form import SHARES, form
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
        ("Iraq flies new drones near the border (Video)", "a recording"),
        ("Tokyo stocks end mixed amid overheating caution", "a market report"),
        ("Asia shares mostly lower after sharp losses", "a market report"),
        ("Treasuries Dip, Stocks Waver After US Jobs Surge: Markets Wrap", "a market report"),
        ("S&P 500, Dow Jones, Nasdaq to open lower as fears grip investors", "a market report"),
        ("Wall St opens higher as tech rallies", "a market report"),
        ("Dow closes 300 points higher", "a market report"),
        ("UPDATE 2-US STOCKS-Wall St flat after selloff", "a market report"),
        ("Stocks making the biggest moves midday: Nvidia, Intel and more", "a market report"),
        ("FTSE 100 live: shares slip before budget", "a live page"),
        ("Example Corp Announces Pricing of Public Offering", "a press release"),
        ("Example Corp to Present at Winter Technology Conference", "a press release"),
        ("INVESTOR ALERT: deadline nears", "a press release"),
        ("Example Corp Reports Record Fourth Quarter and Full Year Results", "a press release"),
        ("Wednesday briefing: the debate over working from home", "a round-up"),
        ("Wealth quote of the day", "a round-up"),
        ("Top news of the day: Inflation at 2.75% in January; counting under way", "a round-up"),
        ("Still waiting for your tax refund? How to check its status today", "advice"),
        ("IT stocks continue to fall: Should you sell or hold on?", "advice"),
        ("Tax refund 2026: Know exact number of days it takes", "advice"),
        ("Pension scheme for farmers: Who qualifies and how the amount is fixed", "advice"),
        ("Gas connection: Last date to link your account, steps to follow", "advice"),
        ("Passport fees go up: check your new rate", "advice"),
        ("Central bank changes rules for transfers: Details here", "advice"),
        ("What the budget means for your wallet", "advice"),
        ("Why Nvidia and Intel stocks crash today: Nasdaq sinks 1.7%", "price talk"),
        ("What triggered the stock market crash today", "price talk"),
        ("Why is the gold price rising now and will it fall below $4,000", "price talk"),
        ("Silver rate predictions: big corrections this week?", "price talk"),
        ("Nasdaq surging big today: Dow also in green", "a market report"),
        ("S&P 500 nears all-time high, Dow Jones and Nasdaq make gains", "a market report"),
        ("What is a stablecoin? Why belief alone can move prices", "an explainer"),
        ("Which cities face the fastest-rising cost of living?", "a list"),
        ("Spotlight on Central Asia: New Episode – sanctions", "a recording"),
        ("U.S. Stock Market prediction: factors that will decide Monday", "a market report"),
        ("Kuwait blacklists eight hospitals: What to know", "an explainer"),
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
        "Berlin takes steps to cut gas imports",
        "What Beijing wants: fewer tariffs, says envoy",
        "Why oil traders doubt OPEC's promise",
        "Regulator checks the accounts of your bank's owner",
        "Dow closes two plants in Germany",
        "Dow to open new plant in Texas",
        "ASX Shares Drop Most in Two Months as Chief Plans Exit",
        "Japanese stocks soar to record after landslide election win",
        "Real estate stocks sink on worry about office demand",
        "Foreigners sell South Korean stocks in January",
        "Kremlin announces date of new peace talks",
        "European Commission announces plan against cheap steel",
        "Judge stops demotion over 'illegal orders' video",
    ],
)
def test_a_report_is_a_report(title: str) -> None:
    assert form(article(1, title)) == ""


@pytest.mark.parametrize(
    "released",
    [
        article(
            1,
            "Example Corp opens a plant",
            summary="LONDON, Feb. 10 /PRNewswire/ -- Example Corp today opened a plant.",
        ),
        article(1, "Example Corp opens a plant", summary="Example Corp today announced that its plant has opened."),
        replace(article(1, "Example Corp opens a plant"), url="https://www.businesswire.com/news/home/1/en"),
        article(1, "Example Corp opens a plant", path="press-releases"),
    ],
)
def test_a_press_release_is_one_by_its_wire_unless_an_official_source_released_it(released: Article) -> None:
    assert form(released) == "a press release"
    assert form(replace(released, feed=replace(released.feed, official=True))) == ""


def test_every_form_has_its_share() -> None:
    assert all(0 < share <= 1 for share in SHARES.values())
    assert SHARES["an advertisement"] == SHARES["a press release"] == 1
    assert SHARES["a market report"] == 0.5


def test_the_folder_of_the_address_and_the_publishers_category_tell_too() -> None:
    assert form(article(1, "The case for patience", path="opinion")) == "an opinion"
    assert form(article(1, "City beat United in cup final", categories=("Football",))) == "sport or leisure"
