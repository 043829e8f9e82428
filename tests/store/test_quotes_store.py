"""Market quotes in the store: the last published value and the one before it, each with its day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import Engine

from digest.model import Quote
from digest.store import quotes
from digest.store.engine import read, write

ROWS = [
    ("EUR/USD", date(2026, 2, 10), Decimal("1.1740")),
    ("EUR/USD", date(2026, 2, 9), Decimal("1.1672")),
    ("EUR/USD", date(2026, 2, 6), Decimal("1.1600")),
    ("EUR/JPY", date(2026, 2, 10), Decimal("178.83")),
]


def keep(engine: Engine, rows: list[tuple[str, date, Decimal]]) -> int:
    with write(engine) as conn:
        return quotes.keep(conn, rows, "European Central Bank")


def latest(engine: Engine, *series: str, on: date = date(2026, 2, 10)) -> list[Quote]:
    with read(engine) as conn:
        return quotes.latest(conn, series, on)


def test_a_quote_has_its_last_value_and_the_one_published_before(engine: Engine) -> None:
    assert keep(engine, ROWS) == 4

    dollar, yen = latest(engine, "EUR/USD", "EUR/XXX", "EUR/JPY")

    assert dollar == Quote(
        series="EUR/USD",
        name="EUR/USD",
        value=Decimal("1.1740"),
        day=date(2026, 2, 10),
        previous=Decimal("1.1672"),
        previous_day=date(2026, 2, 9),
        source="European Central Bank",
    )
    assert str(dollar.value) == "1.1740"
    assert (yen.value, yen.previous, yen.previous_day) == (Decimal("178.83"), None, None)


def test_a_day_knows_nothing_of_later_days(engine: Engine) -> None:
    keep(engine, ROWS)

    (sunday,) = latest(engine, "EUR/USD", on=date(2026, 2, 8))

    assert (sunday.day, sunday.previous) == (date(2026, 2, 6), None)
    assert latest(engine, "EUR/USD", on=date(2026, 2, 5)) == []


def test_rates_that_come_again_are_kept_once(engine: Engine) -> None:
    keep(engine, ROWS)

    assert keep(engine, [*ROWS, ("EUR/USD", date(2026, 2, 11), Decimal("1.18"))]) == 1
    assert keep(engine, []) == 0
