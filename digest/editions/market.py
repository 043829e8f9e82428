"""The market block: published values as they were published, and how they moved since the value published before.

Nothing is shown that is not certain: a value that jumps absurdly is held back until the next one confirms it, one that is
too old falls out, and a change says of which day it is against where that is not the one before. Every number but the
change is the source's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from enum import StrEnum

from digest.config import Market
from digest.language import Language, english
from digest.model import Edition, Period, Quote, Unit

STALE_AFTER = {
    Period.DAY: timedelta(days=4),
    Period.MONTH: timedelta(days=75),
    Period.QUARTER: timedelta(days=135),
    Period.YEAR: timedelta(days=500),
}
"""How long after its period's end a value is labelled as old: a weekend with a holiday beside it, or the time in which
statistics come out."""

DROPPED_AFTER = {
    Period.DAY: timedelta(days=14),
    Period.MONTH: timedelta(days=150),
    Period.QUARTER: timedelta(days=300),
    Period.YEAR: timedelta(days=1000),
}
"""How long after its period's end a value falls out of the block; a change over a longer gap is left out, too."""

MOST_CHANGE = {
    Unit.PERCENT: (Decimal(50), Decimal(100)),
    Unit.BASIS_POINTS: (Decimal(200), Decimal(500)),
    Unit.POINTS: (None, None),
}
"""The change in a day, and in a longer period, above which a value is held back, where the operator names none."""

LOOKED_AT = 8
"""How many values decide which of them are believed."""

_BASIS_POINTS = 100
_MONTHS_OF = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}
_FRIDAY = 4
_MOST_DIGITS = 18
_EXACT = Context(prec=8 * _MOST_DIGITS)

Values = Sequence[tuple[date, Decimal]]
"""A series' values with their days, the newest first."""


class Direction(StrEnum):
    """Which way a value moved."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"


_ARROWS = {Direction.UP: "▲", Direction.DOWN: "▼", Direction.FLAT: "■"}
_SIGNS = {Direction.UP: "+", Direction.DOWN: "\N{MINUS SIGN}", Direction.FLAT: ""}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series as the block is to show it. `most_change` is in the unit; None is no limit."""

    series: str
    name: str
    source: str
    unit: Unit = Unit.PERCENT
    period: Period = Period.DAY
    decimals: int | None = None
    most_change: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a series stands: what the block shows of it, if anything, and what is wrong, in sentences for the operator."""

    wanted: Wanted
    quote: Quote | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketLine:
    """A series as a reader sees it. Without a value published before, `change` and `arrow` are empty.

    `since` is the day that the change is against where it is not the one before. `was` and `previous_was` are what an
    earlier edition said of the two days and has been revised.
    """

    name: str
    last: str
    as_of: date
    change: str = ""
    direction: Direction = Direction.FLAT
    stale: bool = False
    source: str = ""
    period: Period = Period.DAY
    since: date | None = None
    was: str = ""
    previous_was: str = ""

    @property
    def arrow(self) -> str:
        """The direction as a sign that needs no colour."""
        return _ARROWS[self.direction] if self.change else ""


def wanted(market: Market) -> tuple[Wanted, ...]:
    """What the block is to show, in its order."""
    rates = [
        (
            0,
            Wanted(
                f"EUR/{currency}", f"EUR/{currency}", "European Central Bank", most_change=MOST_CHANGE[Unit.PERCENT][0]
            ),
        )
        for currency in (market.currencies if market.ecb_url else ())
    ]
    series = [
        (
            one.order,
            Wanted(
                series=one.key,
                name=one.name,
                source=one.source,
                unit=one.unit,
                period=one.period,
                decimals=one.decimals,
                most_change=_most_change(one.most_change, one.unit, one.period),
            ),
        )
        for one in market.series
    ]
    return tuple(one for _, one in sorted([*rates, *series], key=lambda placed: placed[0]))


def standings(wanted: Iterable[Wanted], values: Mapping[str, Values], day: date) -> tuple[Standing, ...]:
    """How each series stands on an edition's day, given the last `LOOKED_AT` values of each up to that day."""
    return tuple(_standing(one, values.get(one.series, ()), day) for one in wanted)


def quotes(standings: Iterable[Standing]) -> tuple[Quote, ...]:
    """What the block shows."""
    return tuple(standing.quote for standing in standings if standing.quote)


def revised(quotes: Iterable[Quote], earlier: Iterable[Edition]) -> tuple[Quote, ...]:
    """The quotes, with what readers were told otherwise of the same days in earlier editions, given oldest first."""
    told = {(quote.series, quote.day): quote.value for edition in earlier for quote in edition.quotes}

    def was(series: str, day: date | None, value: Decimal | None) -> Decimal | None:
        before = told.get((series, day)) if day else None
        return before if before != value else None

    return tuple(
        replace(
            quote,
            was=was(quote.series, quote.day, quote.value),
            previous_was=was(quote.series, quote.previous_day, quote.previous),
        )
        for quote in quotes
    )


def lines(quotes: Sequence[Quote], day: date, language: Language) -> tuple[MarketLine, ...]:
    """The quotes as lines, in their order; `day` is the edition's. A quote that is no usable number makes none."""
    return tuple(_line(quote, day, language) for quote in quotes if _is_usable(quote.value))


def note(lines: Sequence[MarketLine], language: Language) -> str:
    """Of which day the values are, and whose."""
    newest = _newest(lines)
    mixed = any(line.as_of != newest or line.period is not Period.DAY for line in lines)
    if newest is None:
        sentence = language.gettext("Change from the value published before.")
    elif mixed:
        day = language.full_date(newest)
        sentence = language.gettext(
            "As of %(day)s, where no other time is named; change from the value published before.", day=day
        )
    else:
        day = language.full_date(newest)
        sentence = language.gettext("As of %(day)s; change from the value published before.", day=day)
    sources = list(dict.fromkeys(line.source for line in lines if line.source))
    if not sources:
        return sentence
    named = language.ngettext(
        "Source: %(sources)s.", "Sources: %(sources)s.", len(sources), sources=language.listed(sources)
    )
    return f"{sentence} {named}"


def marks(line: MarketLine, lines: Sequence[MarketLine], language: Language) -> str:
    """What a reader must know of one line: of when its value is, against which its change, and what was revised."""
    said = []
    if line.stale:
        said.append(language.gettext("old: %(time)s", time=_time(line.as_of, line.period, language)))
    elif line.period is not Period.DAY or line.as_of != _newest(lines):
        said.append(_time(line.as_of, line.period, language))
    if line.was:
        said.append(language.gettext("revised from %(value)s", value=line.was))
    if line.since:
        said.append(language.gettext("change since %(time)s", time=_time(line.since, line.period, language)))
    if line.previous_was:
        said.append(language.gettext("change from a value revised from %(value)s", value=line.previous_was))
    return language.gettext("; ").join(said)


def follows(earlier: date, later: date, period: Period) -> bool:
    """Whether nothing is usually published between two days: no working day, or no month, quarter or year."""
    if period is Period.DAY:
        weekend = max(0, (later.weekday() - 1) % 7 - _FRIDAY)
        return (later - earlier).days <= 1 + weekend
    return 12 * (later.year - earlier.year) + later.month - earlier.month <= _MONTHS_OF[period]


def ended(day: date, period: Period) -> date:
    """The last day of the period that begins at `day`."""
    if period is Period.DAY:
        return day
    month = day.year * 12 + day.month - 1 + _MONTHS_OF[period]
    if month >= (date.max.year + 1) * 12:
        return date.max
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _most_change(limit: float | None, unit: Unit, period: Period) -> Decimal | None:
    if limit is None:
        of_day, of_longer = MOST_CHANGE[unit]
        return of_day if period is Period.DAY else of_longer
    return Decimal(str(limit)) or None


def _standing(wanted: Wanted, values: Values, day: date) -> Standing:
    usable = [(of, value) for of, value in values if of <= day and _is_usable(value)]
    if not usable:
        return Standing(wanted, None, ("no value has come yet",))
    believed, doubtful = _believed(usable[::-1], wanted)
    faults = []
    if doubtful:
        of, value = doubtful
        jump = _words(value, believed[-1][1], wanted.unit, wanted.decimals, english())[0]
        faults.append(
            f"{value:f} of {of} is held back: {jump} since {believed[-1][0]} is more than most_change; "
            "it is shown once the next value confirms it"
        )
    of, value = believed[-1]
    age = day - ended(of, wanted.period)
    if age > DROPPED_AFTER[wanted.period]:
        return Standing(wanted, None, (*faults, f"the last value, of {of}, is too old to be shown"))
    if age > STALE_AFTER[wanted.period]:
        faults.append(f"no value is newer than {of}")
    previous_day, previous = believed[-2] if len(believed) > 1 else (None, None)
    if previous_day and of - previous_day > DROPPED_AFTER[wanted.period] + _length(of, wanted.period):
        previous_day = previous = None
    quote = Quote(
        series=wanted.series,
        name=wanted.name,
        value=value,
        day=of,
        previous=previous,
        previous_day=previous_day,
        unit=wanted.unit,
        source=wanted.source,
        period=wanted.period,
        decimals=wanted.decimals,
    )
    return Standing(wanted, quote, tuple(faults))


def _length(day: date, period: Period) -> timedelta:
    return ended(day, period) - day


def _believed(oldest_first: Values, wanted: Wanted) -> tuple[list[tuple[date, Decimal]], tuple[date, Decimal] | None]:
    """The values that may be shown, and the newest if it is held back.

    A value that is far from the one before it is believed once the next is near it; if the next is back where the series
    was, it was a slip and is passed over.
    """
    believed, doubtful = [oldest_first[0]], None
    for dated in oldest_first[1:]:
        if _is_near(dated[1], believed[-1][1], wanted):
            believed.append(dated)
            doubtful = None
        elif doubtful and _is_near(dated[1], doubtful[1], wanted):
            believed += [doubtful, dated]
            doubtful = None
        else:
            doubtful = dated
    return believed, doubtful


def _is_near(value: Decimal, previous: Decimal, wanted: Wanted) -> bool:
    if wanted.most_change is None:
        return True
    if wanted.unit is Unit.PERCENT:
        return not previous or abs(value - previous) * 100 <= wanted.most_change * abs(previous)
    scale = _BASIS_POINTS if wanted.unit is Unit.BASIS_POINTS else 1
    return abs(value - previous) * scale <= wanted.most_change


def _is_usable(value: Decimal) -> bool:
    """Whether it is a number that can be printed; what an old or damaged record holds may be anything."""
    return (
        value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS and len(value.as_tuple().digits) <= 2 * _MOST_DIGITS
    )


def _newest(lines: Sequence[MarketLine]) -> date | None:
    return max((line.as_of for line in lines if line.period is Period.DAY), default=None)


def _time(day: date, period: Period, language: Language) -> str:
    """Tue, Feb 10, or February 2026, Q1 2026, 2026."""
    match period:
        case Period.DAY:
            return language.short_date(day)
        case Period.MONTH:
            return language.month(day)
        case Period.QUARTER:
            return language.quarter(day)
        case Period.YEAR:
            return language.year(day)


def _line(quote: Quote, day: date, language: Language) -> MarketLine:
    line = MarketLine(
        name=_name(quote, language),
        last=_number(quote.value, language),
        as_of=quote.day,
        stale=day - ended(quote.day, quote.period) > STALE_AFTER[quote.period],
        source=quote.source,
        period=quote.period,
        was=_number(quote.was, language),
    )
    if quote.previous is None or not _is_usable(quote.previous):
        return line
    if quote.unit is Unit.PERCENT and quote.previous <= 0:
        return line  # a percentage of nothing, or of less, says nothing
    change, direction = _words(quote.value, quote.previous, quote.unit, quote.decimals, language)
    gap = quote.previous_day and not follows(quote.previous_day, quote.day, quote.period)
    return replace(
        line,
        change=change,
        direction=direction,
        since=quote.previous_day if gap else None,
        previous_was=_number(quote.previous_was, language),
    )


def _number(value: Decimal | None, language: Language) -> str:
    if value is None or not _is_usable(value):
        return ""
    with localcontext(_EXACT):
        return language.figure(value)


def _words(
    value: Decimal, previous: Decimal, unit: Unit, decimals: int | None, language: Language
) -> tuple[str, Direction]:
    with localcontext(_EXACT):
        difference = value - previous
        if not difference:
            return language.gettext("unchanged"), Direction.FLAT
        direction = Direction.UP if difference > 0 else Direction.DOWN
        match unit:
            case Unit.PERCENT:
                size = abs(difference / (previous or 1)) * 100
                said = language.percent(size / 100, _places(size, 2 if decimals is None else decimals))
            case Unit.BASIS_POINTS:
                size = _rounded(abs(difference) * _BASIS_POINTS, decimals or 0)
                said = language.ngettext(
                    "%(num)s\N{NO-BREAK SPACE}bp", "%(num)s\N{NO-BREAK SPACE}bp", int(size), num=language.figure(size)
                )
            case Unit.POINTS:
                usual = max(_decimals(value), _decimals(previous))
                said = language.figure(_rounded(abs(difference), usual if decimals is None else decimals))
    return _SIGNS[direction] + said, direction


def _places(size: Decimal, decimals: int) -> int:
    """So many decimals, or as many as it takes for the size of a change to be no zero, which would say unchanged."""
    while not round(size, decimals):
        decimals += 1
    return decimals


def _rounded(size: Decimal, decimals: int) -> Decimal:
    return round(size, _places(size, decimals))


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _name(quote: Quote, language: Language) -> str:
    """The quote's own name, or for a pair such as "EUR/USD" the currencies' names: "Euro / US dollar"."""
    base, _, other = quote.series.partition("/")
    if not other or quote.name not in {"", quote.series}:
        return quote.name or quote.series
    names = [language.currency(code) for code in (base, other)]
    return f"{names[0][:1].upper()}{names[0][1:]} / {names[1]}"
