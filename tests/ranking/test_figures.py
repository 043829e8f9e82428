"""A headline's figures, the same however they are printed."""

import pytest

from digest.ranking.figures import figures


@pytest.mark.parametrize(
    ("headline", "shown"),
    [
        ("Inflation slows to 3.2%", ["3.2%"]),
        ("Bank cuts rates by 25 basis points", ["25 basis points"]),
        ("Chip maker pays US$1.5bn", ["US$1.5bn"]),
        ("US adds 128,000 jobs", ["128,000"]),
        ("Index closes above 7000", ["7000"]),
        ("Deficit of €12.5bn, or 3.5% of GDP", ["€12.5bn", "3.5%"]),
        ("Rates at 2%, still 2 percent", ["2%"]),
        ("Outlook for 2026 and 2027, as in 1850", []),
        ("5 things to know", []),
        ("Five of 12 members dissent", []),
        ("G20 and COVID19 and 737-style", []),
        ("At 6.30 iOS 18.2 shook in a 7.1-magnitude quake", []),
        ("", []),
    ],
)
def test_a_figure_is_read_with_its_unit_and_shown_as_printed(headline: str, shown: list[str]) -> None:
    assert [figure.shown for figure in figures(headline)] == shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("to 3.2%", "to 3.20 per cent"),
        ("by 25bps", "by 0.25%"),
        ("of $1.5bn", "of 1,500 million dollars"),
        ("of US$5bn", "of $5 billion"),
        ("adds 130K jobs", "adds 130,000 jobs"),
        ("€5bn", "5bn euros"),
    ],
)
def test_one_figure_printed_in_two_ways_is_one(one: str, other: str) -> None:
    assert figures(one) == figures(other) != ()


def test_a_share_is_no_amount() -> None:
    assert figures("5,000 more") != figures("5,000% more")
