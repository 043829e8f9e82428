"""The language of a site: how dates, numbers and lists are written in its locale, and its fixed words.

Words are English in templates and code, and looked up in gettext catalogues: `.po` files, read as they are. The home folder's
own come first, then ours; what no catalogue has stays English.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, get_timezone_name
from babel.lists import format_list
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal, format_percent, get_currency_name

from digest import resources
from digest.errors import ConfigError, Fault, RenderFault
from digest.model import WEEKDAYS

FOLDER = "locale"
"""Where catalogues lie: `locale/de.po` below our templates, and below a home folder that has words of its own."""

_FRACTION = 100
"""Catalogues have plurals for whole numbers only; with this one stands the form that is for all numbers of no other form."""

_PLACE = re.compile(r"%\((\w+)\)s")
# Babel takes a line whose closing quotation mark is missing, and loses its last letter.
_LINE = re.compile(r'(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?"(?:[^"\\]|\\.)*")?')


@dataclass(frozen=True, slots=True)
class Language:
    """What is said to readers, and how. English, where nothing else is asked for.

    Every phrase may hold `%(name)s`, which stands for a value given by that name; a number is written as the locale writes
    it. A percent sign in a phrase is doubled.
    """

    locale: Locale
    words: NullTranslations

    @property
    def tag(self) -> str:
        """The name of the locale as documents state it (BCP 47), such as "de-AT"."""
        return _tag(self.locale)

    @property
    def direction(self) -> str:
        """Which way the script runs: "ltr" or "rtl"."""
        return self.locale.text_direction

    def gettext(self, phrase: str, /, **values: Any) -> str:
        """The phrase in this language."""
        return self.words.gettext(phrase) % self._said(values)

    def ngettext(self, one: str, many: str, number: float, /, **values: Any) -> str:
        """The phrase for a number of things, which it names as `%(num)s`, in the plural that the language has for it."""
        count = int(number) if number == int(number) else _FRACTION
        return self.words.ngettext(one, many, count) % self._said({"num": number, **values})

    def full_date(self, day: date) -> str:
        """Tuesday, February 10, 2026."""
        return _plain_blanks(format_date(day, "full", locale=self.locale))

    def long_date(self, day: date) -> str:
        """February 10, 2026."""
        return _plain_blanks(format_date(day, "long", locale=self.locale))

    def short_date(self, day: date) -> str:
        """Tue, Feb 10."""
        return self._as("MMMEd", datetime.combine(day, time()))

    def weekday(self, day: date) -> str:
        """Tue."""
        return format_date(day, "EEE", locale=self.locale)

    def weekdays(self, days: Sequence[str]) -> str:
        """Tuesday and Friday, of days such as "tue" and "fri"."""
        names = self.locale.days["format"]["wide"]
        return self.listed([names[WEEKDAYS.index(day)] for day in days])

    def month(self, day: date) -> str:
        """February 2026."""
        return self._as("yMMMM", datetime.combine(day, time()))

    def quarter(self, day: date) -> str:
        """Q1 2026."""
        return self._as("yQQQ", datetime.combine(day, time()))

    def year(self, day: date) -> str:
        """2026."""
        return self._as("y", datetime.combine(day, time()))

    def world_time(self, moment: datetime) -> str:
        """Tue 22:15 UTC: readers are everywhere, so the time of a story is the world's."""
        return self.gettext("%(time)s UTC", time=self._as("EHm", moment, ZoneInfo("UTC")))

    def local_time(self, moment: datetime, zone: str) -> str:
        """14:30 CET: the zone as the locale abbreviates it, or as the zone itself does, or by what it is ahead of UTC."""
        local = moment.astimezone(ZoneInfo(zone))
        short = get_timezone_name(local, width="short", locale=self.locale)
        own = local.tzname() or ""
        name = next((one for one in (short, own) if one.isalpha()), f"UTC{local.isoformat()[-6:]}".removesuffix(":00"))
        return f"{self._as('Hm', moment, ZoneInfo(zone))} {name}"

    def time_of_day(self, at: time, zone: str) -> str:
        """06:00, Central European Time: what comes at this hour all the year."""
        hour = self._as("Hm", datetime.combine(date.min, at))
        if zone == "UTC":
            return self.gettext("%(time)s UTC", time=hour)
        name = get_timezone_name(ZoneInfo(zone), locale=self.locale)
        return self.gettext("%(time)s, %(zone)s", time=hour, zone=_plain_blanks(name))

    def number(self, value: float | Decimal) -> str:
        """1,974."""
        return _plain_blanks(str(format_decimal(value, locale=self.locale)))

    def figure(self, value: Decimal) -> str:
        """1.17420: with the digits that it was given with, and no others."""
        digits = max(0, -int(value.as_tuple().exponent))
        pattern = f"0.{'0' * digits}" if digits else "0"
        return _plain_blanks(format_decimal(value, format=pattern, locale=self.locale))

    def points(self, points: float, *, signed: bool = False) -> str:
        """31.4, or +31.4."""
        pattern = "+#,##0.0;-#,##0.0" if signed else "#,##0.0"
        return _plain_blanks(format_decimal(points, format=pattern, locale=self.locale))

    def percent(self, share: Decimal, digits: int) -> str:
        """0.25%, without a sign."""
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", f"0.{'0' * digits}")
        return _plain_blanks(format_percent(abs(share), format=pattern, locale=self.locale))

    def listed(self, names: Sequence[str]) -> str:
        """A, B, and C."""
        return _plain_blanks(format_list(list(names), locale=self.locale)) if names else ""

    def currency(self, code: str) -> str:
        """US dollar; the code itself where it is no currency's."""
        return _plain_blanks(get_currency_name(code, count=1, locale=self.locale))

    def _as(self, skeleton: str, moment: datetime, zone: ZoneInfo | None = None) -> str:
        return _plain_blanks(format_skeleton(skeleton, moment, tzinfo=zone, locale=self.locale))

    def _said(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self.number(value) if isinstance(value, int | float | Decimal) else value
            for name, value in values.items()
        }


def english() -> Language:
    """The language that all phrases are written in."""
    return without_words("en")


def without_words(locale: str) -> Language:
    """The dates and numbers of a locale, for what needs no phrase.

    Raises:
        RenderFault: it is no locale that dates and numbers can be written in.
    """
    return Language(parsed(locale), NullTranslations())


def load(locale: str, home: Path | None = None) -> Language:
    """The language of a locale such as "de" or "pt-BR", with the words of a home folder before our own.

    Words of a country come before those of its language: `de_AT.po` before `de.po`.

    Raises:
        RenderFault: it is no locale that dates and numbers can be written in.
        ConfigError: a catalogue of the home folder is broken; holds every fault.
    """
    known = parsed(locale)
    faults: list[Fault] = []
    words = NullTranslations()
    for path in reversed(_catalogues(known, home)):
        if (catalogue := read(path, known, faults)) is not None:
            translations = _translations(catalogue)
            translations.add_fallback(words)
            words = translations
    if faults:
        raise ConfigError(tuple(faults))
    return Language(known, words)


def choosable(locale: str, home: Path | None = None) -> tuple[str, ...]:
    """The tags of the languages that readers of a site in this locale can choose, the site's own first.

    The others are those that there are catalogues for, and English, which needs none.

    Raises:
        RenderFault: it is no locale.
    """
    own = parsed(locale)
    spoken = {"en", *(path.stem for folder in _folders(home) for path in folder.glob("*.po"))} - set(_names(own))
    return (_tag(own), *sorted(tag for name in spoken if (tag := tag_of(name))))


def chosen(tag: str, home: Path | None = None) -> Language | None:
    """The language of a tag as readers choose them; None where there are no words for it any more, or none of use."""
    try:
        known = parsed(tag)
        return load(tag, home) if known.language == "en" or _catalogues(known, home) else None
    except (RenderFault, ConfigError):
        return None


def own_name(tag: str) -> str:
    """What a language calls itself: "Deutsch", "العربية".

    Raises:
        RenderFault: it is no locale.
    """
    name = parsed(tag).get_display_name() or tag
    return f"{name[:1].title()}{name[1:]}"


def parsed(locale: str) -> Locale:
    """The locale of that name.

    Raises:
        RenderFault: dates and numbers cannot be written in it.
    """
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError) as error:
        raise RenderFault(f'[site] locale is "{locale}"; it should be one such as "en" or "de_AT"') from error


def read(path: Path, locale: Locale, faults: list[Fault]) -> Catalog | None:
    """The catalogue in a file; None, and its faults noted, where it cannot be used."""
    before = len(faults)
    try:
        content = path.read_bytes()
        for number, line in enumerate(content.decode().splitlines(), start=1):
            if not _LINE.fullmatch(line.strip()):
                faults.append(
                    Fault(path, number, 'is no line of a catalogue, such as msgstr "…" with its closing quotes')
                )
        catalogue = read_po(io.BytesIO(content), locale=locale, abort_invalid=True)
        catalogue.num_plurals, catalogue.plural_expr  # noqa: B018  # a header that cannot be read shows here
        _translations(catalogue)
    except PoFileError as error:
        faults.append(Fault(path, error.lineno + 1, f"not a valid catalogue: {error}"))
        return None
    except (OSError, ValueError, LookupError) as error:
        faults.append(Fault(path, 0, f"cannot be read as a catalogue: {error}"))
        return None
    for message in catalogue:
        faults += (Fault(path, message.lineno or 0, sentence) for sentence in _wrong(message, catalogue.num_plurals))
    return catalogue if len(faults) == before else None


def untranslated(locale: str, home: Path | None = None) -> tuple[str, ...]:
    """The phrases for which the locale has no words, so that readers see English; none for English itself."""
    known = parsed(locale)
    if known.language == "en":
        return ()
    translated = {
        (message.id, message.context)
        for path in _catalogues(known, home)
        for message in read(path, known, []) or ()
        if _whole(message)
    }
    sources = read(template(), known, []) or ()
    return tuple(
        message.id if isinstance(message.id, str) else message.id[0]
        for message in sources
        if message.id and (message.id, message.context) not in translated
    )


def own_catalogues(home: Path) -> list[Path]:
    """The catalogues of a home folder, for whatever locale."""
    return sorted((home / FOLDER).glob("*.po"))


def tag_of(name: str) -> str:
    """The tag of the locale whose catalogue has that name, without its suffix; empty where none has."""
    try:
        known = Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return ""
    return _tag(known) if str(known) == name else ""


def template() -> Path:
    """The file with every phrase there is, from which a catalogue is begun."""
    return resources.folder("templates") / FOLDER / "messages.pot"


def _catalogues(locale: Locale, home: Path | None) -> list[Path]:
    """The files that have words for a locale, the one that is asked first in front."""
    return [path for folder in _folders(home) for name in _names(locale) if (path := folder / f"{name}.po").is_file()]


def _folders(home: Path | None) -> list[Path]:
    return [*([home / FOLDER] if home else []), resources.folder("templates") / FOLDER]


def _names(locale: Locale) -> list[str]:
    """Those that catalogues of a locale's words have: `de_AT`, `de`."""
    parts = str(locale).split("_")
    return ["_".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _tag(locale: Locale) -> str:
    return str(locale).replace("_", "-")


def _translations(catalogue: Catalog) -> GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return GNUTranslations(io.BytesIO(compiled.getvalue()))


def _wrong(message: Message, plurals: int) -> Iterator[str]:
    """What would break a sentence when it is said."""
    if not message.id or message.fuzzy:
        return
    ids = _forms(message.id)
    given = dict.fromkeys((name for one in ids for name in _PLACE.findall(one)), "")
    forms = _forms(message.string)
    if len(ids) > 1 and len(forms) != plurals:
        yield f'"{ids[0]}" has {len(forms)} plural forms; the language has {plurals}'
    for form in filter(None, forms):
        try:
            form % given
        except (KeyError, TypeError, ValueError):
            known = ", ".join(f"%({name})s" for name in given) or "none"
            yield f'"{form}" cannot be filled in; its places are: {known}, and a percent sign is written %%'


def _whole(message: Message) -> bool:
    return not message.fuzzy and all(_forms(message.string))


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _plain_blanks(text: str) -> str:
    """Babel writes narrow no-break spaces, for which some mail programs have no glyph."""
    return text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")
