"""Mapped series: what a document says of each, as `[[market.series]]` tells where to look. Pure.

What is not certain is left out with a sentence for the operator: a value of which there are two, a number that may be
read in two ways, a day that has not come.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice

from lxml import etree

from digest import xmlpath
from digest.config import Series, SeriesFormat
from digest.feeds.markets import documents, numerals
from digest.feeds.markets.documents import Observation, Unreadable

MOST_VALUES = 100
"""How many values of a document are read, the newest: no market block looks further back."""

RECENT, MOST_FAULTS = 10, 2
"""Among how many of the newest values a fault matters, and how many faults are told of a series."""

Values = tuple[tuple[date, Decimal], ...]
"""A series' values with their days, the newest first."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a document says: each series' values, the newest first, and what is wrong with a series, by its name."""

    values: dict[Series, Values] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def fault(self) -> str:
        """All that is wrong, in one sentence; empty where nothing is."""
        return "; ".join(f"{name}: {fault}" for name, fault in self.faults.items())


def read(body: bytes, wanted: Sequence[Series], today: date, most_bytes: int) -> Readings:
    """What a document says of each series that is mapped to it. Whatever it holds, the answer is one of these.

    Args:
        body: the document as it was sent.
        wanted: the series.
        today: the latest day that is not in the future.
        most_bytes: how large it may be unpacked.
    """
    readings = Readings()
    root: etree._Element | None = None
    for series in wanted:
        try:
            content = documents.unzipped(body, most_bytes)
            if series.format is SeriesFormat.XML:
                root = documents.tree(content) if root is None else root
                observations = _of_tree(root, series)
            else:
                observations = _of_sheet(content, series)
            values, faults = _values(observations, series, today)
        except ValueError as error:
            values, faults = (), [str(error)]
        if values:
            readings.values[series] = values
        if faults:
            readings.faults[series.name] = "; ".join(faults)
    return readings


def _of_tree(root: etree._Element, series: Series) -> Iterator[Observation]:
    day, value = xmlpath.place(series.day), xmlpath.place(series.value)
    where = [(xmlpath.place(path), text) for path, text in series.where]
    known: xmlpath.Known = {}
    rows = 0
    for rows, element in enumerate(xmlpath.rows(series.row).all(root), start=1):
        if rows > documents.MOST_OBSERVATIONS:
            raise Unreadable(f"the document has more than {documents.MOST_OBSERVATIONS} rows")
        if all(path.text(element, known) == text for path, text in where):
            yield day.text(element, known) or "", value.text(element, known) or ""
    if not rows:
        raise Unreadable(f"nothing stands at {series.row}; the document begins with {etree.QName(root).localname}")


def _of_sheet(content: bytes, series: Series) -> Iterator[Observation]:
    named = [*([series.day] if series.day else []), series.value, *(name for name, _ in series.where)]
    sheet = documents.sheet(content, series.header, named)
    where = {sheet.column(name): text for name, text in series.where}
    if series.day:
        yield from sheet.rows(sheet.column(series.day), sheet.column(series.value), where)
        return
    stated = sheet.above[series.day_line - 1].split()[:1]
    for _, value in sheet.rows(None, sheet.column(series.value), where):
        yield "".join(stated), value


def _values(observations: Iterable[Observation], series: Series, today: date) -> tuple[Values, list[str]]:
    """The newest values, and what is wrong among them."""
    dated = _dated(observations, series)
    sign = series.decimal or numerals.decimal_sign(text for texts in dated.values() for text in texts)
    coming = max(dated) if max(dated) > today else None
    found, faults = [], []
    for age, day in enumerate(islice(sorted((day for day in dated if day <= today), reverse=True), MOST_VALUES)):
        try:
            if (value := _one(dated[day], sign)) is not None:
                found.append((day, value))
        except ValueError as error:
            faults += [f"{error} ({day})"] if age < RECENT else []
    if coming:
        faults.append(f"{coming} and perhaps other days have not come; their values are left out")
    if not found and not faults:
        faults.append("every value is missing")
    return tuple(found), faults[:MOST_FAULTS]


def _dated(observations: Iterable[Observation], series: Series) -> dict[date, list[str]]:
    """The words for the values of each day. A row whose day cannot be read is left out, where others can."""
    dated: defaultdict[date, list[str]] = defaultdict(list)
    days: dict[str, date | None] = {}
    reason = "no row says what `where` asks for" if series.where else "the document has no row"
    for words, text in observations:
        if words not in days:
            try:
                days[words] = numerals.day(words, series.period, series.day_format)
            except ValueError as error:
                days[words], reason = None, str(error)
        if (day := days[words]) is not None:
            dated[day].append(text)
    if not dated:
        raise Unreadable(reason)
    return dated


def _one(texts: Sequence[str], sign: str) -> Decimal | None:
    """The value of a day; None where it is missing. What is said twice alike is said once."""
    values = {value: None for text in texts if (value := numerals.number(text, sign)) is not None}
    if len(values) > 1:
        some = " and ".join(str(value) for value in islice(values, 2))
        raise ValueError(f"there are {len(values)} values, such as {some}; `where` can say which is meant")
    return next(iter(values), None)
