"""The market block: published values as they were published, and how they moved since the day published before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from digest.language import Language
from digest.model import Quote, Unit

STALE_AFTER = timedelta(days=4)
"""Longer than a weekend with a holiday beside it; an older value is labelled as old."""


class Direction(StrEnum):
    """Which way a value moved."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"


_ARROWS = {Direction.UP: "▲", Direction.DOWN: "▼", Direction.FLAT: "■"}
_SIGNS = {Direction.UP: "+", Direction.DOWN: "\N{MINUS SIGN}", Direction.FLAT: ""}


@dataclass(frozen=True, slots=True)
class MarketLine:
    """A series as a reader sees it. Without a value published before, `change` and `arrow` are empty."""

    name: str
    last: str
    as_of: date
    change: str = ""
    direction: Direction = Direction.FLAT
    stale: bool = False
    source: str = ""

    @property
    def arrow(self) -> str:
        """The direction as a sign that needs no colour."""
        return _ARROWS[self.direction] if self.change else ""


def lines(quotes: Sequence[Quote], day: date, language: Language) -> tuple[MarketLine, ...]:
    """The quotes as lines, in their order. `day` is the edition's: a value more than `STALE_AFTER` older is stale."""
    return tuple(_line(quote, day, language) for quote in quotes)


def note(lines: Sequence[MarketLine], language: Language) -> str:
    """Of which day the values are, and whose."""
    day = language.full_date(max(line.as_of for line in lines))
    sentence = language.gettext("As of %(day)s; change from the value published before.", day=day)
    sources = list(dict.fromkeys(line.source for line in lines if line.source))
    if not sources:
        return sentence
    named = language.ngettext(
        "Source: %(sources)s.", "Sources: %(sources)s.", len(sources), sources=language.listed(sources)
    )
    return f"{sentence} {named}"


def _line(quote: Quote, day: date, language: Language) -> MarketLine:
    name, last = _name(quote, language), language.figure(quote.value)
    stale = day - quote.day > STALE_AFTER
    if quote.previous is None or (quote.unit is Unit.PERCENT and not quote.previous):
        return MarketLine(name, last, quote.day, stale=stale, source=quote.source)
    change, direction = _change(quote.value, quote.previous, quote.unit, language)
    return MarketLine(name, last, quote.day, change, direction, stale, quote.source)


def _change(value: Decimal, previous: Decimal, unit: Unit, language: Language) -> tuple[str, Direction]:
    difference = value - previous
    direction = Direction.UP if difference > 0 else Direction.DOWN if difference < 0 else Direction.FLAT
    if unit is Unit.PERCENT:
        size = language.percent(difference / previous, 2)
    else:
        size = language.ngettext(
            "%(num)s\N{NO-BREAK SPACE}bp", "%(num)s\N{NO-BREAK SPACE}bp", round(abs(difference) * 100)
        )
    return _SIGNS[direction] + size, direction


def _name(quote: Quote, language: Language) -> str:
    """The quote's own name, or for a pair such as "EUR/USD" the currencies' names: "Euro / US dollar"."""
    base, _, other = quote.series.partition("/")
    if not other or quote.name not in {"", quote.series}:
        return quote.name or quote.series
    names = [language.currency(code) for code in (base, other)]
    return f"{names[0][:1].upper()}{names[0][1:]} / {names[1]}"
