"""A headline's figures, the same however they are printed."""

import pytest

from digest.ranking.figures import figures


@pytest.mark.parametrize(
    ("headline", "found"),
    [
        ("Inflation slows to 3.2%", ("3.2%",)),
        ("Inflation slows to 3.2 percent", ("3.2%",)),
        ("Inflation slows to 3.20 pct", ("3.2%",)),
        ("Bank cuts rates by 25 basis points", ("25bp",)),
        ("Bank in 25bps cut", ("25bp",)),
        ("Chip maker pays $1.5 billion", ("$1.5bn",)),
        ("Chip maker pays US$1.5bn", ("US$1.5bn",)),
        ("Retailer's £30m loss", ("£30m",)),
        ("US adds 128,000 jobs", ("128000",)),
        ("Index closes above 7000", ("7000",)),
        ("Deficit of €12.5bn, or 3.5% of GDP", ("€12.5bn", "3.5%")),
        ("Rates at 2%, still 2%", ("2%",)),
        ("Outlook for 2026 and 2027", ()),
        ("5 things to know", ()),
        ("Five of 12 members dissent", ()),
        ("G20 and COVID19 and 737-style", ()),
        ("", ()),
    ],
)
def test_a_figure_is_read_with_its_unit(headline: str, found: tuple[str, ...]) -> None:
    assert figures(headline) == found
