"""Market quotes: each series' published values, one a day."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, func, select

from digest.model import Quote
from digest.store.tables import market_quotes
from digest.store.upsert import insert_if_absent


def keep(conn: Connection, rows: Iterable[tuple[str, date, Decimal]], source: str) -> int:
    """Store each series' value of a day unless that day is known; return how many are new.

    Args:
        conn: in a write transaction.
        rows: series such as "EUR/USD", the day it was published for, and its value.
        source: who published it, in a reader's words.
    """
    return insert_if_absent(
        conn,
        market_quotes,
        [{"series": series, "day": day, "value": str(value), "source": source} for series, day, value in rows],
    )


def latest(conn: Connection, series: Sequence[str], on_or_before: date) -> list[Quote]:
    """Each series' last value up to a day and the one before it, in the order asked for; unknown series are left out.

    A quote's name is its series; what to call it in front of readers is not the store's business.
    """
    newest_first = func.row_number().over(partition_by=market_quotes.c.series, order_by=market_quotes.c.day.desc())
    ranked = (
        select(market_quotes, newest_first.label("age"))
        .where(market_quotes.c.series.in_(series), market_quotes.c.day <= on_or_before)
        .subquery()
    )
    last_two = 2
    rows = {(row.series, row.age): row for row in conn.execute(select(ranked).where(ranked.c.age <= last_two))}
    quotes = []
    for code in series:
        if last := rows.get((code, 1)):
            before = rows.get((code, 2))
            quotes.append(
                Quote(
                    series=code,
                    name=code,
                    value=Decimal(last.value),
                    day=last.day,
                    previous=Decimal(before.value) if before else None,
                    previous_day=before.day if before else None,
                    source=last.source,
                )
            )
    return quotes
