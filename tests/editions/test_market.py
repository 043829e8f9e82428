from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Market, Series, SeriesFormat
from digest.editions import market
from digest.editions.market import Direction, Standing, Values, Wanted, follows, lines
from digest.language import english
from digest.model import Edition, Period, Quote, Unit, Window
from tests.editions.samples import NOW

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
        ("0.9312", "0.9312", "unchanged", Direction.FLAT, "■"),
        ("1.1000", "1.1", "unchanged", Direction.FLAT, "■"),
        ("1.174201", "1.1742", "+0.0001%", Direction.UP, "▲"),
        ("1.1742", None, "", Direction.FLAT, ""),
        ("1.1742", "0", "", Direction.FLAT, ""),
        ("1.1742", "-2.1", "", Direction.FLAT, ""),
        ("-1", "1", "−200.00%", Direction.DOWN, "▼"),
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


# ── of which day ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("period", "earlier", "later", "expected"),
    [
        ("day", "2026-02-09", "2026-02-10", True),
        ("day", "2026-02-06", "2026-02-09", True),  # over a weekend
        ("day", "2026-02-06", "2026-02-08", True),  # a market that is open on Sundays
        ("day", "2026-02-07", "2026-02-09", True),
        ("day", "2026-02-06", "2026-02-10", False),  # a Monday is missing
        ("day", "2026-04-02", "2026-04-07", False),  # Easter
        ("month", "2026-01-01", "2026-02-01", True),
        ("month", "2025-12-01", "2026-01-01", True),
        ("month", "2025-12-01", "2026-02-01", False),
        ("quarter", "2025-10-01", "2026-01-01", True),
        ("quarter", "2025-07-01", "2026-01-01", False),
        ("year", "2025-01-01", "2026-01-01", True),
        ("year", "2024-01-01", "2026-01-01", False),
    ],
)
def test_a_change_names_its_day_unless_it_is_the_one_before(
    period: str, earlier: str, later: str, expected: bool
) -> None:
    days = date.fromisoformat(earlier), date.fromisoformat(later)
    quote = Quote("X", "X", Decimal(2), days[1], Decimal(1), days[0], period=Period(period))

    (line,) = lines([quote], days[1], ENGLISH)

    assert follows(*days, Period(period)) is expected
    assert line.since == (None if expected else days[0])


@pytest.mark.parametrize(
    ("period", "day", "fresh_on", "stale_on"),
    [
        ("day", "2026-02-05", "2026-02-09", "2026-02-10"),
        ("month", "2026-01-01", "2026-04-16", "2026-04-17"),
        ("quarter", "2025-10-01", "2026-05-15", "2026-05-16"),
        ("year", "2024-01-01", "2026-05-15", "2026-05-16"),
    ],
)
def test_each_period_has_its_own_patience(period: str, day: str, fresh_on: str, stale_on: str) -> None:
    quote = Quote("X", "X", Decimal(2), date.fromisoformat(day), period=Period(period))

    assert not lines([quote], date.fromisoformat(fresh_on), ENGLISH)[0].stale
    assert lines([quote], date.fromisoformat(stale_on), ENGLISH)[0].stale


# ── what is believed ────────────────────────────────────────────────────────────────────────────────────────────


def standing(*values: str, day: date = DAY, **wanted: Any) -> Standing:
    """How a daily series stands whose newest value, the last given, is of yesterday."""
    given: Values = [
        (DAY - timedelta(days=number), Decimal(value)) for number, value in enumerate(reversed(values), start=1)
    ]
    shown = Wanted("X", "X", "Office", **{"most_change": Decimal(50), **wanted})
    (found,) = market.standings([shown], {"X": given}, day)
    return found


def shown(found: Standing) -> tuple[str, str]:
    assert found.quote
    return f"{found.quote.value}", f"{found.quote.previous}"


def test_a_jump_is_held_back_and_reported_and_the_last_good_value_stays() -> None:
    found = standing("90.1", "91.95", "9195")

    assert shown(found) == ("91.95", "90.1")
    (fault,) = found.faults
    assert fault.startswith("9195 of 2026-02-09 is held back: +9900.00% since 2026-02-08 is more than most_change")


def test_a_jump_that_the_next_value_confirms_is_believed() -> None:
    assert shown(standing("17.31", "37.32", "29.98")) == ("29.98", "37.32")
    assert standing("17.31", "37.32", "29.98").faults == ()


def test_a_slip_that_the_next_value_takes_back_is_passed_over_and_the_change_names_its_day() -> None:
    wednesday, thursday, friday = (date(2026, 2, number) for number in (4, 5, 6))
    values = [(friday, Decimal(92)), (thursday, Decimal(9200)), (wednesday, Decimal(91))]

    (found,) = market.standings([Wanted("X", "X", "Office", most_change=Decimal(50))], {"X": values}, DAY)
    (line,) = lines(market.quotes([found]), DAY, ENGLISH)

    assert (line.last, line.change, line.since) == ("92", "+1.10%", wednesday)


@pytest.mark.parametrize(
    ("values", "wanted", "held"),
    [
        (("18.31", "-36.98"), {}, True),
        (("4.06", "6.00"), {"unit": Unit.BASIS_POINTS, "most_change": Decimal(200)}, False),
        (("4.06", "6.07"), {"unit": Unit.BASIS_POINTS, "most_change": Decimal(200)}, True),
        (("0.1", "2.1"), {"unit": Unit.POINTS, "most_change": None}, False),
        (("0.1", "2.2"), {"unit": Unit.POINTS, "most_change": Decimal(2)}, True),
        (("1", "900"), {"most_change": None}, False),
        (("0", "900"), {}, False),  # of nothing there is no percentage
        (("-1", "-2"), {}, True),
    ],
)
def test_the_limit_is_in_the_unit_of_the_change(values: tuple[str, ...], wanted: dict[str, Any], held: bool) -> None:
    assert bool(standing(*values, **wanted).faults) is held


def test_what_is_old_is_labelled_and_what_is_older_falls_out() -> None:
    assert standing("1", "1", day=DAY + timedelta(days=3)).faults == ()
    assert standing("1", "1", day=DAY + timedelta(days=4)).faults == ("no value is newer than 2026-02-09",)
    assert standing("1", "1", day=DAY + timedelta(days=13)).quote
    gone = standing("1", "1", day=DAY + timedelta(days=14))
    assert (gone.quote, gone.faults) == (None, ("the last value, of 2026-02-09, is too old to be shown",))


def test_a_series_of_which_nothing_has_come_is_left_out() -> None:
    assert standing() == Standing(Wanted("X", "X", "Office", most_change=Decimal(50)), None, ("no value has come yet",))


def test_a_change_over_a_gap_of_weeks_is_left_out() -> None:
    wanted = Wanted("X", "X", "Office")
    values = [(DAY, Decimal(2)), (DAY - timedelta(days=15), Decimal(1))]

    (found,) = market.standings([wanted], {"X": values}, DAY)

    assert found.quote
    assert (found.quote.value, found.quote.previous) == (Decimal(2), None)


def test_a_value_of_a_day_that_has_not_come_is_not_shown() -> None:
    values = [(DAY + timedelta(days=1), Decimal(2)), (DAY, Decimal(1))]

    (found,) = market.standings([Wanted("X", "X", "Office")], {"X": values}, DAY)

    assert found.quote
    assert (found.quote.value, found.quote.previous) == (Decimal(1), None)


# ── revisions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_readers_hear_what_was_revised_since_they_were_told() -> None:
    def told(day: date, value: str) -> Edition:
        quote = Quote("X", "X", Decimal(value), day, period=Period.MONTH)
        return Edition("economy", "Economy", DAY, Window(NOW, NOW), (), quotes=(quote,))

    december, january = date(2025, 12, 1), date(2026, 1, 1)
    quote = Quote("X", "X", Decimal("320.8"), january, Decimal("319.0"), december, period=Period.MONTH)

    earlier = [told(december, "318"), told(december, "318.5"), told(january, "320.80")]
    (line,) = lines(market.revised([quote], earlier), DAY, ENGLISH)
    (same,) = lines(market.revised([quote], []), DAY, ENGLISH)

    assert (line.was, line.previous_was) == ("", "318.5")
    assert (same.was, same.previous_was) == ("", "")


# ── the block ───────────────────────────────────────────────────────────────────────────────────────────────────


def series(name: str, **more: object) -> Series:
    return Series(name, "https://data.example/x.csv", SeriesFormat.CSV, name, "Date", **more)  # type: ignore[arg-type]


def test_the_block_stands_in_the_order_that_the_operator_gave() -> None:
    shown = market.wanted(
        Market(
            "https://bank.example/", ("USD", "GBP"), (series("Oil"), series("Gold", order=2), series("VIX", order=-1))
        )
    )

    assert [one.name for one in shown] == ["VIX", "EUR/USD", "EUR/GBP", "Oil", "Gold"]
    assert market.wanted(Market()) == ()


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({}, Decimal(50)),
        ({"period": Period.MONTH}, Decimal(100)),
        ({"unit": Unit.BASIS_POINTS}, Decimal(200)),
        ({"unit": Unit.POINTS}, None),
        ({"most_change": 7.5}, Decimal("7.5")),
        ({"most_change": 0.0}, None),
    ],
)
def test_a_series_has_a_generous_limit_where_the_operator_names_none(
    more: dict[str, object], limit: Decimal | None
) -> None:
    assert market.wanted(Market(series=(series("Oil", **more),)))[0].most_change == limit


def test_a_series_is_another_when_it_is_read_from_elsewhere_but_not_when_its_title_changes() -> None:
    oil = series("Price")

    assert Series("Brent", oil.url, oil.format, oil.value, "Day").key == oil.key
    assert len({oil.key, series("Close").key, series("Price", where=(("a", "b"),)).key}) == 3


@pytest.mark.parametrize(
    ("unit", "decimals", "value", "previous", "change"),
    [
        ("points", None, "101.4", "99.95", "+1.45"),
        ("points", 1, "101.4", "99.95", "+1.4"),
        ("percent", 1, "101.4", "99.95", "+1.5%"),
        ("percent", 0, "101.4", "101.0", "+0.4%"),
        ("basis_points", 1, "4.0625", "4.125", "−6.2\N{NO-BREAK SPACE}bp"),
        ("basis_points", None, "4.001", "4.000", "+0.1\N{NO-BREAK SPACE}bp"),
    ],
)
def test_decimals_are_those_of_the_change_and_never_make_it_look_like_none(
    unit: str, decimals: int | None, value: str, previous: str, change: str
) -> None:
    quote = Quote("X", "X", Decimal(value), DAY, Decimal(previous), DAY, Unit(unit), decimals=decimals)

    assert (lines([quote], DAY, ENGLISH)[0].change, lines([quote], DAY, ENGLISH)[0].last) == (change, value)


ANY_NUMBER = st.decimals() | st.sampled_from(["1e999999", "-1e-999999", "NaN", "sNaN", "Infinity"]).map(Decimal)


@given(
    values=st.lists(st.tuples(st.dates(), ANY_NUMBER), max_size=8),
    day=st.dates(),
    unit=st.sampled_from(Unit),
    period=st.sampled_from(Period),
    decimals=st.none() | st.integers(0, 9),
    limit=st.none() | st.decimals(0, 10**6, allow_nan=False),
)
def test_the_block_never_fails_whatever_the_store_holds(
    values: Values, day: date, unit: Unit, period: Period, decimals: int | None, limit: Decimal | None
) -> None:
    wanted = Wanted("X", "X", "", unit, period, decimals, limit)
    newest_first = sorted(dict(values).items(), reverse=True)

    found = market.standings([wanted], {"X": newest_first}, day)

    for line in lines(market.quotes(found), day, ENGLISH):
        assert line.last in {f"{value:f}" for _, value in values}
        assert (line.change == "") == (line.arrow == "")
        assert line.change[:1] in {"", "+", "−", "u"}


@given(
    numbers=st.tuples(ANY_NUMBER, st.none() | ANY_NUMBER, st.none() | ANY_NUMBER, st.none() | ANY_NUMBER),
    days=st.tuples(st.dates(), st.none() | st.dates(), st.dates()),
    unit=st.sampled_from(Unit),
    period=st.sampled_from(Period),
)
def test_no_quote_that_was_ever_frozen_breaks_an_edition(
    numbers: tuple[Decimal, Decimal | None, Decimal | None, Decimal | None],
    days: tuple[date, date | None, date],
    unit: Unit,
    period: Period,
) -> None:
    value, previous, was, previous_was = numbers
    quote = Quote(
        "X", "X", value, days[0], previous, days[1], unit, "", period, None, was=was, previous_was=previous_was
    )

    assert len(lines([quote], days[2], ENGLISH)) <= 1
