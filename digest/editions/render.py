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
from babel.dates import format_date, format_skeleton, get_timezone_location
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from digest import resources
from digest.config import Site
from digest.editions import layout, market, wording
from digest.errors import RenderFault
from digest.links import Links
from digest.look import USUAL, Look
from digest.model import WEEKDAYS, Digest, Edition, Item, Mark, Reference, Rendered

COLUMNS = 76
"""The width of the text part, which leaves room for two levels of quoting within 80."""

MOST_ALSO = 3
"""How many of the others that cover a story are named; the rest are counted."""

MOST_HEADLINE = 200
"""Characters of a headline, whatever a feed says."""

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
    """Fills the templates for one site, in the colours of its look and with the templates that it has instead of ours.

    Raises:
        RenderFault: `site.locale` is not a locale that dates and numbers can be written in.
    """

    def __init__(self, site: Site, links: Links, look: Look = USUAL) -> None:
        try:
            self._locale = Locale.parse(site.locale.replace("-", "_"))
        except (ValueError, UnknownLocaleError) as error:
            raise RenderFault(f'[site] locale is "{site.locale}"; it should be one such as "en" or "de_AT"') from error
        self._look = look
        self._pages = self._environment("web", site, links, autoescape=True)
        self._html = self._environment("email", site, links, autoescape=True)
        self._text = self._environment("email", site, links, autoescape=False)

    def edition_mail(self, edition: Edition, *, zone: str = "UTC", daily: str = "") -> Rendered:
        """The edition, or a cut of it, as a mail in which the marks of `Mark` are still open.

        Args:
            edition: what to show.
            zone: in which one the times of events are given.
            daily: the digest in whose editions the stories of a week ran.

        Raises:
            RenderFault: there is no story in it.
        """
        return self._mail("edition", **_values(edition, zone, daily))

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
            extensions=["jinja2.ext.i18n"],
            autoescape=autoescape,  # noqa: S701  # off for the text parts of mails only, which are no HTML
            undefined=StrictUndefined,
            finalize=_inert,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the extension's
        direction = self._locale.text_direction
        start, end = ("right", "left") if direction == "rtl" else ("left", "right")
        environment.globals.update(
            site=site,
            links=links,
            look=self._look,
            language=self._locale.language,
            locale=str(self._locale).replace("_", "-"),
            direction=direction,
            start=start,
            end=end,
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
            due=layout.due,
            open=_Open,
            headline=_headline,
            standfirst=_standfirst,
            opening=wording.opening,
            clock=self._clock,
            weekday=self._weekday,
            weekday_name=self._weekday_name,
            press_time=self._press_time,
            market_lines=_market_lines,
            market_note=self._market_note,
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

    def _clock(self, moment: datetime, zone: str) -> str:
        """14:30 CET."""
        local = moment.astimezone(ZoneInfo(zone))
        name = local.tzname() or zone
        return f"{_plain_blanks(format_skeleton('Hm', local, tzinfo=local.tzinfo, locale=self._locale))} " + (
            f"UTC{name}" if name[:1] in "+-" else name
        )

    def _weekday(self, day: date) -> str:
        """Tue."""
        return format_date(day, "EEE", locale=self._locale)

    def _weekday_name(self, day: str) -> str:
        """Tuesday, for one of `WEEKDAYS`."""
        return str(self._locale.days["format"]["wide"][WEEKDAYS.index(day)])

    def _press_time(self, digest: Digest) -> str:
        """06:00 (Berlin)."""
        clock = f"{digest.press:%H:%M}"
        if digest.zone == "UTC":
            return f"{clock} UTC"
        return f"{clock} ({get_timezone_location(ZoneInfo(digest.zone), locale=self._locale, return_city=True)})"

    def _market_note(self, lines: Sequence[market.MarketLine]) -> str:
        """Of which day the values are, and whose."""
        newest = self._full_date(max(line.as_of for line in lines))
        sources = ", ".join(dict.fromkeys(line.source for line in lines if line.source))
        return f"As of {newest}; change from the value published before." + (f" Source: {sources}." if sources else "")

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


class _Open(Markup):
    """A sentence of ours in which marks are to be filled later, and in which nothing stands that a feed said."""


def _inert(value: Any) -> Any:
    """A value as it may stand in a mail: without invisible characters, and never a mark, which is ours to set."""
    if not isinstance(value, str) or isinstance(value, _Open):
        return value
    text = _MARKS.sub(lambda mark: mark[0].replace("__", "_ _"), value.translate(_INVISIBLE))
    return Markup(text) if isinstance(value, Markup) else text  # noqa: S704  # it was markup before


def _mail_url(address: str) -> str:
    return f"mailto:{quote(address, safe='@')}"


def _plain_blanks(text: str) -> str:
    """Babel writes narrow no-break spaces, for which some mail programs have no glyph."""
    return text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")


def _values(edition: Edition, zone: str, daily: str) -> dict[str, Any]:
    """What the templates of an edition need."""
    if not layout.shown(edition):
        raise RenderFault(f"The edition {edition.digest} of {edition.date} has no story to show.")
    return {"edition": edition, "zone": zone, "daily": daily or edition.digest, "archive": edition.digest}


def _headline(text: str) -> str:
    return wording.abbreviated(text, MOST_HEADLINE)


def _standfirst(text: str) -> str:
    return wording.shortened(text, wording.LEAD_WORDS)


def _named_others(item: Item) -> tuple[Reference, ...]:
    return item.also[:MOST_ALSO]


def _unnamed_others(item: Item) -> int:
    return len(item.also) - len(_named_others(item))


def _market_lines(edition: Edition) -> tuple[market.MarketLine, ...]:
    return market.lines(edition.quotes, edition.date)
