"""The figures of a headline: amounts, rates and counts, known again however they are printed."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

_SHARES = {"%": 1, "per cent": 1, "percent": 1, "pct": 1, "pc": 1}
_SHARES |= dict.fromkeys(("basis points", "basis point", "bps", "bp"), 0)
_SCALES = {
    **dict.fromkeys(("trillion", "trn", "tn"), 12),
    **dict.fromkeys(("billion", "bln", "bn", "b"), 9),
    **dict.fromkeys(("million", "mln", "mn", "m"), 6),
    **dict.fromkeys(("thousand", "k"), 3),
}
_UNITS = "|".join(sorted(map(re.escape, (*_SHARES, *_SCALES)), key=lambda unit: (-len(unit), unit)))
_FIGURE = re.compile(
    r"(?P<currency>(?:\b(?:US|C|A|NZ|HK))?[$€£¥₹])?\s?"
    r"(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:[\s-]?(?P<unit>{_UNITS})(?!\w))?(?![\w-])",
    re.IGNORECASE,
)
_BASIS_POINTS = Decimal("0.01")
_FEWEST_DIGITS = 4
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d|21\d\d")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as printed, and what it says: so much, or so much in a hundred. Two that say the same are equal."""

    shown: str = field(compare=False)
    value: Decimal
    percent: bool


def figures(text: str) -> tuple[Figure, ...]:
    """Each figure once, in order: "$1.5bn" and "1.5 billion" are the same, and so are "25bp" and "0.25%".

    Bare small numbers ("five of 12 members"), bare decimals (versions, times), years and dates are none: they seldom are
    what has changed. Currencies are not told apart, since headlines leave them out.
    """
    found = []
    for match in _FIGURE.finditer(text.replace("\u00a0", " ")):
        number, unit = match["number"].replace(",", ""), (match["unit"] or "").lower()
        value = Decimal(number)
        if unit in _SHARES:
            found.append(Figure(match[0].strip(), value if _SHARES[unit] else value * _BASIS_POINTS, percent=True))
        elif unit or match["currency"] or "," in match["number"] or _is_count(number):
            found.append(Figure(match[0].strip(), value.scaleb(_SCALES.get(unit, 0)), percent=False))
    return tuple(dict.fromkeys(found))


def _is_count(number: str) -> bool:
    return len(number) >= _FEWEST_DIGITS and "." not in number and not _YEAR.fullmatch(number)
