"""Editions and other values become mails and pages: the one home of Jinja and premailer.

Everything that comes from a feed is plain text here and stays so: templates are compiled from our files only, every
value is escaped, every address passes `safe_url`, and nothing a feed says can become a mark that is filled later.
"""

import logging
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import premailer
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from digest import resources
from digest.config import Site
from digest.editions import layout, market, wording
from digest.errors import RenderFault
from digest.links import Links
from digest.model import Edition, Item, Mark, Period, Reference, Rendered

COLUMNS = 76
"""The width of the text part, which leaves room for two levels of quoting within 80."""

NAME_COLUMNS = 40
"""Of which so many are the names of market series."""

MOST_ALSO = 3
"""How many of the others that cover a story are named; the rest are counted."""

# Controls, bidirectional overrides and isolates, invisible tags and what no document may hold. Joiners stay: scripts
# and emoji need them.
_INVISIBLE = dict.fromkeys(
    (
        *(code for code in range(0x20) if chr(code) not in "\t\n"),
        *range(0x7F, 0xA0),
        *(0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
        *range(0xE0000, 0xE0080),
    )
)
_MARKS = re.compile("|".join(Mark))


class Renderer:
    """Fills the templates for one site.

    Raises:
        RenderFault: `site.locale` is not a locale that dates and numbers can be written in.
    """

    def __init__(self, site: Site, links: Links) -> None:
        try:
            self._locale = Locale.parse(site.locale.replace("-", "_"))
        except (ValueError, UnknownLocaleError) as error:
            raise RenderFault(f'[site] locale is "{site.locale}"; it should be one such as "en" or "de_AT"') from error
        self._pages = self._environment("web", site, links, autoescape=True)
        self._html = self._environment("email", site, links, autoescape=True)
        self._text = self._environment("email", site, links, autoescape=False)

    def edition_mail(self, edition: Edition) -> Rendered:
        """The edition, or a cut of it, as a mail in which the marks of `Mark` are still open.

        Raises:
            RenderFault: there is no story in it.
        """
        if not layout.shown(edition):
            raise RenderFault(f"The edition {edition.digest} of {edition.date} has no story to show.")
        return self._mail("edition", edition=edition)

    def page(self, template: str, **values: Any) -> str:
        """A page of `templates/web`. What each one needs stands at its top; a value that is missing is an error."""
        return self._pages.get_template(template).render(values)

    def _mail(self, kind: str, **values: Any) -> Rendered:
        subject, text = (self._text.get_template(f"{kind}/{name}.txt").render(values) for name in ("subject", "body"))
        html = self._html.get_template(f"{kind}/body.html").render(values)
        return Rendered(subject=" ".join(subject.split()), text=text, html=inlined(html))

    def _environment(self, folder: str, site: Site, links: Links, *, autoescape: bool) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(resources.folder("templates") / folder),
            autoescape=autoescape,  # noqa: S701  # off for the text parts of mails only, which are no HTML
            undefined=StrictUndefined,
            finalize=_inert,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.globals.update(
            site=site, links=links, language=self._locale.language, locale=str(self._locale).replace("_", "-")
        )
        environment.filters.update(
            safe_url=safe_url,
            mail_url=_mail_url,
            wrap=wrapped,
            full_date=self._full_date,
            short_date=self._short_date,
            month=self._month,
            time=self._time,
            number=self._number,
            named_others=_named_others,
            unnamed_others=_unnamed_others,
            sections=layout.sections,
            market_lines=_market_lines,
            market_marks=self._market_marks,
            market_note=self._market_note,
            market_row=_market_row,
            subject=wording.subject,
            preheader=wording.preheader,
            promise=wording.promise,
            provenance=self._provenance,
        )
        return environment

    def _full_date(self, day: date) -> str:
        """Tuesday, February 10, 2026."""
        return _plain_blanks(format_date(day, "full", locale=self._locale))

    def _short_date(self, day: date) -> str:
        """Tue, Feb 10."""
        return _plain_blanks(format_skeleton("MMMEd", datetime.combine(day, datetime.min.time()), locale=self._locale))

    def _month(self, day: date) -> str:
        """February 2026."""
        return _plain_blanks(format_skeleton("yMMMM", datetime.combine(day, datetime.min.time()), locale=self._locale))

    def _time(self, moment: datetime) -> str:
        """Tue 22:15 UTC: readers are everywhere, so the time of a story is the world's."""
        return _plain_blanks(format_skeleton("EHm", moment, tzinfo=ZoneInfo("UTC"), locale=self._locale)) + " UTC"

    def _market_note(self, lines: Sequence[market.MarketLine]) -> str:
        """Of which day the values are, and whose."""
        newest = _newest(lines)
        sources = ", ".join(dict.fromkeys(line.source for line in lines if line.source))
        mixed = any(line.as_of != newest or line.period is not Period.DAY for line in lines)
        as_of = (
            f"As of {self._full_date(newest)}{', where no other time is named' * mixed}; change" if newest else "Change"
        )
        return f"{as_of} from the value published before." + (f" Source: {sources}." if sources else "")

    def _market_marks(self, line: market.MarketLine, lines: Sequence[market.MarketLine]) -> str:
        """What a reader must know of one line: of when its value is, against which its change, and what was revised."""
        said = []
        if line.stale:
            said.append(f"old: {self._period(line.as_of, line.period)}")
        elif line.period is not Period.DAY or line.as_of != _newest(lines):
            said.append(self._period(line.as_of, line.period))
        if line.was:
            said.append(f"revised from {line.was}")
        if line.since:
            said.append(f"change since {self._period(line.since, line.period)}")
        if line.previous_was:
            said.append(f"change from a value revised from {line.previous_was}")
        return "; ".join(said)

    def _period(self, day: date, period: Period) -> str:
        """Tue, Feb 10, or February 2026, Q1 2026, 2026."""
        moment = datetime.combine(day, datetime.min.time())
        match period:
            case Period.DAY:
                return self._short_date(day)
            case Period.MONTH:
                return self._month(day)
            case Period.QUARTER:
                return _plain_blanks(format_skeleton("yQQQ", moment, locale=self._locale))
            case Period.YEAR:
                return _plain_blanks(format_skeleton("y", moment, locale=self._locale))

    def _provenance(self, edition: Edition) -> str:
        """What the edition was chosen from, up to when, and what was not as on other days."""
        newest = edition.coverage.newest if edition.coverage else None
        return wording.provenance(edition, self._time(newest) if newest else "")

    def _number(self, value: float) -> str:
        return _plain_blanks(str(format_decimal(value, locale=self._locale)))


def inlined(html: str) -> str:
    """The document with its looks written into each element, as mail programs that drop `<style>` need them.

    Styles marked `data-premailer="ignore"` stay as they are: dark and phone rules. Only our own documents come here,
    since premailer follows what CSS asks it to fetch.
    """
    return str(
        premailer.transform(
            html,
            allow_network=False,
            strip_important=False,
            disable_basic_attributes=["width", "height"],
            disable_validation=True,
            cssutils_logging_level=logging.CRITICAL,
        )
    )


def safe_url(url: str) -> str:
    """The address if a reader may be sent there, over http or https, else an empty text.

    A mark inside it is written in percent signs, which mean the same to the server and nothing to us.
    """
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return _MARKS.sub(lambda mark: mark[0].replace("_", "%5F"), url.strip().translate(_INVISIBLE).replace("\n", ""))


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """The text in lines of at most `COLUMNS` columns, each with the indent; `first` is the first line's own."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text) * 2 > len(text)
    return textwrap.fill(
        text,
        width=COLUMNS // 2 if wide else COLUMNS,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=wide,
        break_on_hyphens=False,
    )


def _inert(value: Any) -> Any:
    """A value as it may stand in a mail: without invisible characters, and never a mark, which is ours to set."""
    if not isinstance(value, str):
        return value
    text = _MARKS.sub(lambda mark: mark[0].replace("__", "_ _"), value.translate(_INVISIBLE))
    return Markup(text) if isinstance(value, Markup) else text  # noqa: S704  # it was markup before


def _mail_url(address: str) -> str:
    return f"mailto:{quote(address, safe='@')}"


def _plain_blanks(text: str) -> str:
    """Babel writes narrow no-break spaces, for which some mail programs have no glyph."""
    return text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")


def _named_others(item: Item) -> tuple[Reference, ...]:
    return item.also[:MOST_ALSO]


def _unnamed_others(item: Item) -> int:
    return len(item.also) - len(_named_others(item))


def _newest(lines: Sequence[market.MarketLine]) -> date | None:
    return max((line.as_of for line in lines if line.period is Period.DAY), default=None)


def _market_row(line: market.MarketLine, marks: str) -> str:
    """A line of the block in columns; a name that is too long for its column has lines of its own."""
    name = f"{line.name} ({marks})" if marks else line.name
    figures = f"{line.last:>14} {line.change:>14}".rstrip()
    if len(name) <= NAME_COLUMNS:
        return f"{name:<{NAME_COLUMNS}} {figures}".rstrip()
    return f"{wrapped(name)}\n{'':<{NAME_COLUMNS}} {figures}"


def _market_lines(edition: Edition) -> tuple[market.MarketLine, ...]:
    return market.lines(edition.quotes, edition.date)
