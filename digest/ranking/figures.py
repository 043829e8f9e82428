"""The figures of a headline: amounts, rates and counts, written alike however they were printed."""

import re

_UNITS = {
    "%": "%",
    "per cent": "%",
    "percent": "%",
    "pct": "%",
    "pc": "%",
    "basis points": "bp",
    "basis point": "bp",
    "bps": "bp",
    "bp": "bp",
    "trillion": "tn",
    "trn": "tn",
    "tn": "tn",
    "billion": "bn",
    "bln": "bn",
    "bn": "bn",
    "million": "m",
    "mln": "m",
    "mn": "m",
    "m": "m",
    "b": "bn",
    "k": "k",
    "thousand": "k",
}
_FIGURE = re.compile(
    r"(?P<currency>[$€£¥₹]|\b(?:US|C|A|NZ|HK)\$)?\s?"
    r"(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:[\s-]?(?P<unit>{'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})(?![\w]))?(?![\w])",
    re.IGNORECASE,
)
_FEWEST_DIGITS = 4


def figures(text: str) -> tuple[str, ...]:
    """Each figure once, in order, as "$1.5bn", "3.2%", "25bp" or "128000".

    Bare small numbers ("five of 12 members"), years and dates are none: they seldom are what has changed.
    """
    found = []
    for match in _FIGURE.finditer(text.replace("\u00a0", " ")):
        number = match["number"].replace(",", "")
        currency = match["currency"] or ""
        unit = _UNITS[match["unit"].lower()] if match["unit"] else ""
        if unit or currency or "." in number or ("," in match["number"]) or _is_count(number):
            found.append(f"{currency.upper()}{number.rstrip('0').rstrip('.') if '.' in number else number}{unit}")
    return tuple(dict.fromkeys(found))


def _is_count(number: str) -> bool:
    return len(number) >= _FEWEST_DIGITS and not re.fullmatch(r"(?:19|20)\d\d", number)
