from datetime import date, timedelta
from decimal import Decimal

import pytest

from digest.editions.market import Direction, lines
from digest.language import english
from digest.model import Quote, Unit

DAY = date(2026, 2, 10)
ENGLISH = english()


def quote(value: str, previous: str | None = None, series: str = "EUR/USD", **more: object) -> Quote:
    return Quote(
        series,
        str(more.get("name", series)),
        Decimal(value),
        DAY - timedelta(days=1),
        None if previous is None else Decimal(previous),
        None if previous is None else DAY - timedelta(days=4),
        Unit(str(more.get("unit", Unit.PERCENT))),
    )


@pytest.mark.parametrize(
    ("value", "previous", "change", "direction", "arrow"),
    [
        ("1.1742", "1.1672", "+0.60%", Direction.UP, "▲"),
        ("178.83", "179.01", "−0.10%", Direction.DOWN, "▼"),
        ("0.9312", "0.9312", "0.00%", Direction.FLAT, "■"),
        ("1.1742", None, "", Direction.FLAT, ""),
        ("1.1742", "0", "", Direction.FLAT, ""),
    ],
)
def test_a_change_is_stated_with_sign_and_arrow_against_the_value_published_before(
    value: str, previous: str | None, change: str, direction: Direction, arrow: str
) -> None:
    (line,) = lines([quote(value, previous)], DAY, ENGLISH)

    assert (line.change, line.direction, line.arrow) == (change, direction, arrow)


def test_a_yield_moves_in_basis_points() -> None:
    (line,) = lines([quote("4.06", "4.14", "US10Y", name="US ten-year yield", unit=Unit.BASIS_POINTS)], DAY, ENGLISH)

    assert (line.name, line.change) == ("US ten-year yield", "−8\N{NO-BREAK SPACE}bp")


@pytest.mark.parametrize("published", ["0.87120", "178.83", "8.3427", "16000", "0.00001"])
def test_the_last_value_has_the_digits_that_were_published(published: str) -> None:
    (line,) = lines([quote(published)], DAY, ENGLISH)

    assert line.last == published


@pytest.mark.parametrize(
    ("series", "name"),
    [("EUR/USD", "Euro / US dollar"), ("EUR/SEK", "Euro / Swedish krona"), ("EUR/XQZ", "Euro / XQZ"), ("DAX", "DAX")],
)
def test_a_series_is_named_for_readers(series: str, name: str) -> None:
    assert lines([quote("1", None, series)], DAY, ENGLISH)[0].name == name


def test_a_value_older_than_four_days_is_stale() -> None:
    assert not lines([quote("1")], DAY + timedelta(days=3), ENGLISH)[0].stale
    assert lines([quote("1")], DAY + timedelta(days=4), ENGLISH)[0].stale
