"""Market quotes: each series' published values, one a day."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, bindparam, func, select, update

from digest.store.tables import market_quotes
from digest.store.upsert import insert_if_absent

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,18})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """How many values were new, and how many took the place of another for the same day."""

    new: int
    revised: int


def keep(conn: Connection, rows: Iterable[tuple[str, date, Decimal]], source: str) -> Change:
    """Store each series' value of a day. The newest publication counts: another number for a known day replaces it.

    A document whose newest day is older than what is known, such as a copy out of a cache, fills gaps and replaces nothing.

    Args:
        conn: in a write transaction.
        rows: series such as "EUR/USD", the day it was published for, and its value.
        source: who published it, in a reader's words.
    """
    given: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    for series, day, value in rows:
        given[series][day] = value
    new, revised = [], []
    for series, values in given.items():
        query = select(market_quotes.c.day, market_quotes.c.value).where(
            market_quotes.c.series == series, market_quotes.c.day >= min(values)
        )
        known = {row.day: row.value for row in conn.execute(query)}
        is_newest = max(values) >= max(known, default=date.min)
        for day, value in values.items():
            row = {"series": series, "day": day, "value": f"{value:f}", "source": source}
            if day not in known:
                new.append(row)
            elif is_newest and _decimal(known[day]) != value:
                revised.append({"of_series": series, "of_day": day, "now": f"{value:f}", "by": source})
    if revised:
        conn.execute(
            update(market_quotes)
            .where(market_quotes.c.series == bindparam("of_series"), market_quotes.c.day == bindparam("of_day"))
            .values(value=bindparam("now"), source=bindparam("by")),
            revised,
        )
    return Change(insert_if_absent(conn, market_quotes, new), len(revised))


def newest(
    conn: Connection, series: Sequence[str], on_or_before: date, count: int
) -> Mapping[str, tuple[tuple[date, Decimal], ...]]:
    """Each series' last values up to a day with the days they are of, the newest first; unknown series are left out.

    What is no number any more is as if it were not there.
    """
    newest_first = func.row_number().over(partition_by=market_quotes.c.series, order_by=market_quotes.c.day.desc())
    ranked = (
        select(market_quotes, newest_first.label("age"))
        .where(market_quotes.c.series.in_(series), market_quotes.c.day <= on_or_before)
        .subquery()
    )
    found: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in conn.execute(select(ranked).where(ranked.c.age <= count).order_by(ranked.c.age)):
        if (value := _decimal(row.value)) is not None:
            found[row.series].append((row.day, value))
    return {name: tuple(values) for name, values in found.items()}


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None
