"""The euro reference rates as the European Central Bank publishes them: a day's, 90 days', or all of them.

`gesmes:Envelope` > `Cube` > `Cube time=` > `Cube currency= rate=`; a rate is units of the currency for one euro.
"""

import re
from datetime import date
from decimal import Decimal

from lxml import etree

from digest.feeds.outcomes import ParseFailed

SOURCE = "European Central Bank"
NAMESPACE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}"

_RATE = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)

Rate = tuple[str, date, Decimal]
"""A series such as "EUR/USD", the day, and the rate with the digits as published."""


def parse(body: bytes) -> tuple[Rate, ...] | ParseFailed:
    """Every rate of a document, in document order. A rate that is no positive number is left out ("N/A")."""
    if b"<!DOCTYPE" in body:
        return ParseFailed("not the reference rates: the document has a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return ParseFailed(f"not the reference rates: {error}")
    try:
        rates = tuple(
            (f"EUR/{cube.get('currency')}", date.fromisoformat(day.get("time", "")), Decimal(cube.get("rate", "")))
            for day in root.iter(f"{NAMESPACE}Cube")
            if day.get("time")
            for cube in day.iterchildren(f"{NAMESPACE}Cube")
            if _CURRENCY.fullmatch(cube.get("currency", "")) and _is_rate(cube.get("rate", ""))
        )
    except ValueError as error:
        return ParseFailed(f"not the reference rates: {error}")
    return rates or ParseFailed("not the reference rates: there is no rate in the document")


def _is_rate(text: str) -> bool:
    return bool(_RATE.fullmatch(text)) and Decimal(text) > 0
