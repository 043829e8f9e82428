"""The euro reference rates as the European Central Bank publishes them: a day's, 90 days', or all of them.

In XML `gesmes:Envelope` > `Cube` > `Cube time=` > `Cube currency= rate=`; in CSV, alone or zipped, a row for each day and a
column for each currency. A rate is units of the currency for one euro.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from digest.feeds.markets import documents, numerals
from digest.feeds.outcomes import ParseFailed
from digest.model import Period

SOURCE = "European Central Bank"
NAMESPACE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}"
MOST_DAYS = 100
"""How many days of a document are read, the newest: no market block looks further back."""

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DAY = "Date"

Rate = tuple[str, date, Decimal]
"""A series such as "EUR/USD", the day, and the rate with the digits as published."""


def parse(body: bytes, today: date, most_bytes: int) -> tuple[Rate, ...] | ParseFailed:
    """Every rate of a document's newest days, in document order. What is no positive number is left out ("N/A").

    Args:
        body: the document as it was sent.
        today: the latest day that is not in the future.
        most_bytes: how large it may be unpacked.
    """
    try:
        content = documents.unzipped(body, most_bytes)
        is_xml = content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
        rates = tuple(rate for rate in (_of_tree if is_xml else _of_sheet)(content) if rate[1] <= today)
    except ValueError as error:
        return ParseFailed(f"not the reference rates: {error}")
    newest = set(sorted({day for _, day, _ in rates}, reverse=True)[:MOST_DAYS])
    found = tuple(rate for rate in rates if rate[1] in newest)
    return found or ParseFailed("not the reference rates: there is no rate in the document")


def _of_tree(content: bytes) -> Iterator[Rate]:
    for day in documents.tree(content).iter(f"{NAMESPACE}Cube"):
        if time := day.get("time"):
            when = numerals.day(time, Period.DAY)
            for cube in day.iterchildren(f"{NAMESPACE}Cube"):
                yield from _rate(cube.get("currency", ""), when, cube.get("rate", ""))


def _of_sheet(content: bytes) -> Iterator[Rate]:
    sheet = documents.sheet(content, 1, [_DAY])
    day_column = sheet.column(_DAY)
    days: dict[str, date] = {}
    for currency in sheet.names:
        if _CURRENCY.fullmatch(currency):
            for words, rate in sheet.rows(day_column, sheet.column(currency), {}):
                when = days[words] if words in days else days.setdefault(words, numerals.day(words, Period.DAY))
                yield from _rate(currency, when, rate)


def _rate(currency: str, day: date, text: str) -> Iterator[Rate]:
    try:
        value = numerals.number(text, ".")
    except ValueError:
        return
    if value is not None and value > 0 and _CURRENCY.fullmatch(currency):
        yield f"EUR/{currency}", day, value
