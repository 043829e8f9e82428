"""Numbers and days as others write them: read as they were meant, or refused."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.markets import numerals
from digest.model import Period

DIGITS = st.decimals(-(10**9), 10**9, places=2)
GROUPS = st.sampled_from(
    ["", " ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "'", "\N{RIGHT SINGLE QUOTATION MARK}"]
)


def written(value: Decimal, group: str, sign: str) -> str:
    return f"{value:,.2f}".replace(",", "\0").replace(".", sign).replace("\0", group)


@given(DIGITS, GROUPS | st.just(","))
def test_every_number_with_a_decimal_point_is_read_back(value: Decimal, group: str) -> None:
    text = written(value, group, ".")

    assert numerals.number(text, numerals.decimal_sign([text])) == value


@given(DIGITS, GROUPS | st.just("."))
def test_every_number_with_a_decimal_comma_is_read_back(value: Decimal, group: str) -> None:
    text = written(value, group, ",")

    assert numerals.number(text, numerals.decimal_sign([text])) == value


@given(st.text(alphabet="0123456789.,-+ '%eExnan٣½", max_size=12), st.sampled_from(".,"))
def test_whatever_is_read_has_the_digits_that_stand_there(text: str, sign: str) -> None:
    try:
        value = numerals.number(text, sign)
    except ValueError:
        return
    if value is not None:
        digits = [c for c in text if c in "0123456789"]
        assert "".join(digits).lstrip("0") == "".join(c for c in f"{value:f}" if c.isdigit()).lstrip("0")
        assert value.is_finite()
        assert ("-" in text) == value.is_signed()


@given(st.lists(st.text(max_size=20), max_size=10))
def test_a_column_of_anything_has_a_decimal_sign_or_a_reason(texts: list[str]) -> None:
    with suppress(ValueError):
        assert numerals.decimal_sign(texts) in {".", ","}


@pytest.mark.parametrize("text", ["", " ", ".", "..", "-", "--", "–", "N/A", "n.a.", "#N/A", "NaN", "null", ":", "ND"])
def test_marks_for_what_is_missing_are_no_numbers_and_no_faults(text: str) -> None:
    assert numerals.number(text, ".") is None
    assert numerals.decimal_sign([text]) == "."


@pytest.mark.parametrize(
    ("text", "sign", "plain"),
    [
        ("18.930", ".", "18.930"),
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234 567", ",", "1234567"),
        ("−36.98", ".", "-36.98"),
        ("+0.10", ".", "0.10"),
        ("4.06%", ".", "4.06"),
        ("4.06 %", ".", "4.06"),
        (".5", ".", "0.5"),
        ("1.105095238095238", ".", "1.105095238095238"),
    ],
)
def test_a_number_keeps_its_digits(text: str, sign: str, plain: str) -> None:
    assert f"{numerals.number(text, sign):f}" == plain


@pytest.mark.parametrize(
    "text",
    ["1e5", "1.2.3", "1,23", "12 34", "(1.2)", "$5", "٣", "1 2", "5.", "0x10", "1.2 p", "up", "9" * 16, "1" * 99],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        numerals.number(text, ".")


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        (["17,918", "0,915"], ","),
        (["17,918", "1234,500"], ","),
        (["17,918", "1,5"], ","),
        (["17,918", "17,918,000"], "."),
        (["17,918", "2.5"], "."),
        (["24.378", "25.682"], "."),
        (["1.234.567"], ","),
        (["5", "N/A"], "."),
        ([], "."),
    ],
)
def test_a_column_shows_its_decimal_sign(column: list[str], sign: str) -> None:
    assert numerals.decimal_sign(column) == sign


def test_a_column_that_may_be_read_in_two_ways_is_refused_with_both() -> None:
    with pytest.raises(ValueError, match=r'"17,918" may be 17918 or 17.918; say which with decimal'):
        numerals.decimal_sign(["N/A", "17,918", "6,525"])
    with pytest.raises(ValueError, match="numbers with a decimal point and with a decimal comma"):
        numerals.decimal_sign(["1.5", "1,5"])


@pytest.mark.parametrize(
    ("text", "period", "expected"),
    [
        ("2026-02-10", "day", "2026-02-10"),
        (" 2026-02-10T14:15:00+01:00", "day", "2026-02-10"),
        ("2026/02/10", "day", "2026-02-10"),
        ("20260210", "day", "2026-02-10"),
        ("10.02.2026", "day", "2026-02-10"),
        ("10. 2. 2026", "day", "2026-02-10"),
        ("10 February 2026", "day", "2026-02-10"),
        ("10-FEB-2026", "day", "2026-02-10"),
        ("Feb 10, 2026", "day", "2026-02-10"),
        ("2026-02", "month", "2026-02-01"),
        ("2026M02", "month", "2026-02-01"),
        ("2026-M2", "month", "2026-02-01"),
        ("Feb 2026", "month", "2026-02-01"),
        ("2026 Feb", "month", "2026-02-01"),
        ("2026-02-28", "month", "2026-02-01"),
        ("2026-Q2", "quarter", "2026-04-01"),
        ("2026Q4", "quarter", "2026-10-01"),
        ("Q3 2026", "quarter", "2026-07-01"),
        ("2026-06-30", "quarter", "2026-04-01"),
        ("2026", "year", "2026-01-01"),
        ("2026-Q3", "year", "2026-01-01"),
    ],
)
def test_a_day_is_the_first_of_its_period(text: str, period: str, expected: str) -> None:
    assert numerals.day(text, Period(period)) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "period", "reason"),
    [
        ("02/10/2026", "day", "in no known form; day_format can say"),
        ("soon", "day", "in no known form"),
        ("2026-02-30", "day", "is no day"),
        ("0000-01-01", "day", "is no day"),
        ("2026-13", "month", "is no day"),
        ("2026-02", "day", "names a month, no day; the series' period should say so"),
        ("2026", "quarter", "names a year, no quarter"),
        ("", "day", "in no known form"),
    ],
)
def test_what_names_no_such_period_is_refused(text: str, period: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        numerals.day(text, Period(period))


def test_a_day_in_another_form_is_read_by_that_form_alone() -> None:
    assert numerals.day("02/10/2026", Period.DAY, "%d/%m/%Y") == date(2026, 10, 2)
    assert numerals.day("01-FEB-19", Period.MONTH, "%d-%b-%y") == date(2019, 2, 1)
    with pytest.raises(ValueError, match="is no day in the form %d/%m/%Y"):
        numerals.day("2026-02-10", Period.DAY, "%d/%m/%Y")


@given(st.text(max_size=30), st.sampled_from(Period))
def test_any_text_is_a_day_or_a_reason(text: str, period: Period) -> None:
    with suppress(ValueError):
        assert numerals.day(text, period) <= date.max
