"""Numbers and days as statistics offices, banks and exchanges write them. Pure; what is not certain is refused."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from digest.model import Period

# Blanks, and the marks that are used like blanks between thousands.
_GROUPING = "'\N{RIGHT SINGLE QUOTATION MARK} \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_MISSING = frozenset(
    [
        *("", ".", "..", "...", ":", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "*"),
        *("n/a", "n.a.", "na", "#n/a", "nan", "null", "none", "nd"),
    ]
)
_LONGEST = 40
_SIGN = "[+\N{MINUS SIGN}-]?"
_LIKE_A_NUMBER = re.compile(rf"{_SIGN}(\d[\d.,{_GROUPING}]*|[.,]\d+)", re.ASCII)
_BY_SIGN = {
    sign: re.compile(
        rf"({_SIGN})((?:\d{{1,3}}([{other}{_GROUPING}])\d{{3}}(?:\3\d{{3}})*|\d{{1,15}})(?:[{sign}]\d{{1,18}})?|[{sign}]\d{{1,18}})",
        re.ASCII,
    )
    for sign, other in ((".", ","), (",", "."))
}

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *(("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may",), ("jun", "june")),
            *(("jul", "july"), ("aug", "august"), ("sep", "sept", "september"), ("oct", "october")),
            *(("nov", "november"), ("dec", "december")),
        ),
        start=1,
    )
    for name in names
}
_FINENESS = {period: rank for rank, period in enumerate(Period)}
_FORMS = (
    (Period.DAY, re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ]\d\d:?\d\d\S*)?", re.ASCII)),
    (Period.DAY, re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})", re.ASCII)),
    (Period.DAY, re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)", re.ASCII)),
    (Period.DAY, re.compile(r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{4})", re.ASCII)),
    (Period.DAY, re.compile(r"(?P<d>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})[ -](?P<y>\d{4})", re.ASCII)),
    (Period.DAY, re.compile(r"(?P<name>[A-Za-z]{3,9}) (?P<d>\d{1,2}),? (?P<y>\d{4})", re.ASCII)),
    (Period.MONTH, re.compile(r"(?P<y>\d{4})(?:-?M|[-/])(?P<m>\d{1,2})", re.ASCII)),
    (Period.MONTH, re.compile(r"(?P<name>[A-Za-z]{3,9})[ -](?P<y>\d{4})", re.ASCII)),
    (Period.MONTH, re.compile(r"(?P<y>\d{4})[ -](?P<name>[A-Za-z]{3,9})", re.ASCII)),
    (Period.QUARTER, re.compile(r"(?P<y>\d{4})[ -]?Q(?P<q>[1-4])", re.ASCII)),
    (Period.QUARTER, re.compile(r"Q(?P<q>[1-4])[ -/]?(?P<y>\d{4})", re.ASCII)),
    (Period.YEAR, re.compile(r"(?P<y>\d{4})(?:-?A1)?", re.ASCII)),
)


def decimal_sign(texts: Iterable[str]) -> str:
    """Which of "." and "," is the decimal sign of a column, by how its numbers are written.

    A point alone, as in "1.234", is a decimal point; a comma alone, as in "17,918", may be either.

    Raises:
        ValueError: the numbers contradict each other, or none of them tells.
    """
    signs, doubtful = set(), ""
    for text in texts:
        stripped = _bare(text)
        if len(stripped) > _LONGEST or not _LIKE_A_NUMBER.fullmatch(stripped):
            continue
        if (sign := _shown_sign(stripped)) is None:
            doubtful = doubtful or (stripped if "," in stripped else "")
        elif sign:
            signs.add(sign)
    if len(signs) > 1:
        raise ValueError('it has numbers with a decimal point and with a decimal comma; say which with decimal = "."')
    if not signs and doubtful:
        whole, _, rest = doubtful.partition(",")
        raise ValueError(f'"{doubtful}" may be {whole}{rest} or {whole}.{rest}; say which with decimal = "." or ","')
    return signs.pop() if signs else "."


def _shown_sign(text: str) -> str | None:
    """The decimal sign that a number shows, "" where it has none of the two, None where it may be read in two ways."""
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return ""
    mark = text[last]
    other = "," if mark == "." else "."
    if text.count(mark) > 1:
        return other
    whole, fraction = text[:last].lstrip("+-\N{MINUS SIGN}"), text[last + 1 :]
    if other in whole or any(blank in whole for blank in _GROUPING) or not re.fullmatch(r"[1-9]\d{0,2}", whole):
        return mark
    return None if len(fraction) == 3 else mark  # noqa: PLR2004


def number(text: str, sign: str) -> Decimal | None:
    """The number with its digits as published; None where the text says that there is none.

    Args:
        text: with or without marks between thousands, and a percent sign.
        sign: the decimal sign.

    Raises:
        ValueError: it is neither.
    """
    stripped = _bare(text)
    if stripped.lower() in _MISSING:
        return None
    match = _BY_SIGN[sign].fullmatch(stripped) if len(stripped) <= _LONGEST else None
    if not match:
        raise ValueError(f'"{stripped[:_LONGEST]}" is no number')
    digits = re.sub(rf"[^\d{sign}]", "", match[2], flags=re.ASCII).replace(sign, ".")
    return Decimal(("" if match[1] in {"", "+"} else "-") + digits)


def _bare(text: str) -> str:
    return text.strip().removesuffix("%").rstrip()


def day(text: str, period: Period, form: str = "") -> date:
    """The first day of the period that a text names.

    Args:
        text: such as "2026-02-10", "10.02.2026", "2026-02", "2026-Q1" or "2026".
        period: what a value is of; the text may name a day in it.
        form: one of strptime's formats, where the text is in no common form.

    Raises:
        ValueError: it names none, or a longer period.
    """
    stripped = " ".join(text.split())[:_LONGEST]
    if form:
        try:
            return _first(datetime.strptime(stripped, form).date(), period)  # noqa: DTZ007  # days have no zone
        except ValueError:
            raise ValueError(f'"{stripped}" is no day in the form {form}') from None
    found = next(((fineness, match) for fineness, one in _FORMS if (match := one.fullmatch(stripped))), None)
    if found is None:
        raise ValueError(f'"{stripped}" is a day in no known form; day_format can say in which')
    fineness, parts = found[0], found[1].groupdict()
    month = _MONTHS.get(parts["name"].lower(), 0) if "name" in parts else int(parts.get("m", 1))
    month = 3 * int(parts["q"]) - 2 if "q" in parts else month
    if _FINENESS[fineness] > _FINENESS[period]:
        raise ValueError(f'"{stripped}" names a {fineness}, no {period}; the series\' period should say so')
    try:
        return _first(date(int(parts["y"]), month, int(parts.get("d", 1))), period)
    except ValueError:
        raise ValueError(f'"{stripped}" is no day') from None


def _first(found: date, period: Period) -> date:
    match period:
        case Period.DAY:
            return found
        case Period.MONTH:
            return found.replace(day=1)
        case Period.QUARTER:
            return found.replace(day=1, month=3 * ((found.month - 1) // 3) + 1)
        case Period.YEAR:
            return found.replace(day=1, month=1)
