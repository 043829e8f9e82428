"""Market quotes in the store: the last published values with their days, each as it was published last."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine, insert

from digest.store import quotes
from digest.store.engine import read, write
from digest.store.quotes import Change
from digest.store.tables import market_quotes

ROWS = [
    ("EUR/USD", date(2026, 2, 10), Decimal("1.1740")),
    ("EUR/USD", date(2026, 2, 9), Decimal("1.1672")),
    ("EUR/USD", date(2026, 2, 6), Decimal("1.1600")),
    ("EUR/JPY", date(2026, 2, 10), Decimal("178.83")),
]


def keep(engine: Engine, rows: list[tuple[str, date, Decimal]]) -> Change:
    with write(engine) as conn:
        return quotes.keep(conn, rows, "European Central Bank")


def newest(
    engine: Engine, *series: str, on: date = date(2026, 2, 10), count: int = 2
) -> dict[str, list[tuple[date, str]]]:
    with read(engine) as conn:
        found = quotes.newest(conn, series, on, count)
    return {name: [(day, str(value)) for day, value in values] for name, values in found.items()}


def test_a_series_has_its_last_values_with_the_digits_that_were_published(engine: Engine) -> None:
    assert keep(engine, ROWS) == Change(new=4, revised=0)

    assert newest(engine, "EUR/USD", "EUR/XXX", "EUR/JPY") == {
        "EUR/USD": [(date(2026, 2, 10), "1.1740"), (date(2026, 2, 9), "1.1672")],
        "EUR/JPY": [(date(2026, 2, 10), "178.83")],
    }


def test_a_day_knows_nothing_of_later_days(engine: Engine) -> None:
    keep(engine, ROWS)

    assert newest(engine, "EUR/USD", on=date(2026, 2, 8)) == {"EUR/USD": [(date(2026, 2, 6), "1.1600")]}
    assert newest(engine, "EUR/USD", on=date(2026, 2, 5)) == {}
    assert newest(engine) == {}


def test_values_that_come_again_are_kept_once(engine: Engine) -> None:
    keep(engine, ROWS)

    again = [(series, day, value * Decimal("1.0")) for series, day, value in ROWS]
    assert keep(engine, [*again, ("EUR/USD", date(2026, 2, 11), Decimal("1.18"))]) == Change(new=1, revised=0)
    assert keep(engine, []) == Change(new=0, revised=0)
    assert newest(engine, "EUR/JPY") == {"EUR/JPY": [(date(2026, 2, 10), "178.83")]}


def test_the_newest_publication_of_a_day_counts(engine: Engine) -> None:
    keep(engine, ROWS)

    revised = [("EUR/USD", date(2026, 2, 9), Decimal("1.1675")), ("EUR/USD", date(2026, 2, 10), Decimal("1.1741"))]
    assert keep(engine, revised) == Change(new=0, revised=2)
    assert newest(engine, "EUR/USD")["EUR/USD"] == [(date(2026, 2, 10), "1.1741"), (date(2026, 2, 9), "1.1675")]


def test_an_older_document_fills_gaps_and_revises_nothing(engine: Engine) -> None:
    keep(engine, ROWS)

    old = [("EUR/USD", date(2026, 2, 9), Decimal("1.1111")), ("EUR/USD", date(2026, 2, 5), Decimal("1.1500"))]
    assert keep(engine, old) == Change(new=1, revised=0)
    assert [value for _, value in newest(engine, "EUR/USD", count=4)["EUR/USD"]] == [
        *("1.1740", "1.1672", "1.1600", "1.1500")
    ]


@pytest.mark.parametrize(
    "damaged", ["", "NaN", "Infinity", "1e999999", "1,5", "\N{ARABIC-INDIC DIGIT ONE}", "x" * 9999]
)
def test_what_is_no_number_any_more_is_passed_over(engine: Engine, damaged: str) -> None:
    keep(engine, ROWS)
    with write(engine) as conn:
        row = {"series": "EUR/USD", "day": date(2026, 2, 8), "value": damaged, "source": ""}
        conn.execute(insert(market_quotes), [row])

    assert [day.day for day, _ in newest(engine, "EUR/USD", count=4)["EUR/USD"]] == [10, 9, 6]


def test_digits_that_would_be_written_with_an_exponent_are_kept_plain(engine: Engine) -> None:
    keep(engine, [("TINY", date(2026, 2, 10), Decimal("0.00000001"))])

    assert newest(engine, "TINY") == {"TINY": [(date(2026, 2, 10), "1E-8")]}
    with read(engine) as conn:
        assert conn.scalar(market_quotes.select().with_only_columns(market_quotes.c.value)) == "0.00000001"
