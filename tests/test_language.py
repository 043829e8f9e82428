"""Dates, numbers and words are those of the locale; an operator's own words come first, and a broken catalogue is refused."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from digest import language
from digest.errors import ConfigError, RenderFault
from digest.language import english, load, untranslated

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
DAY = date(2026, 2, 10)


def catalogue(home: Path, name: str, text: str) -> Path:
    path = home / "locale" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{HEADER}\n{text}", encoding="utf-8")
    return path


def faults(home: Path, locale: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(locale, home)
    return [str(fault).removeprefix(f"{home}/locale/") for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("locale", "direction", "tag", "full", "short", "number"),
    [
        ("en", "ltr", "en", "Tuesday, February 10, 2026", "Tue, Feb 10", "1,974.5"),
        ("en_GB", "ltr", "en-GB", "Tuesday, 10 February 2026", "Tue 10 Feb", "1,974.5"),
        ("de-AT", "ltr", "de-AT", "Dienstag, 10. Februar 2026", "Di., 10. Feb.", "1.974,5"),
        ("fr", "ltr", "fr", "mardi 10 février 2026", "mar. 10 févr.", "1\N{NO-BREAK SPACE}974,5"),
        ("ar", "rtl", "ar", "الثلاثاء، 10 فبراير 2026", "الثلاثاء، 10 فبراير", "1,974.5"),
        ("he", "rtl", "he", "יום שלישי, 10 בפברואר 2026", "יום ג׳, 10 בפבר׳", "1,974.5"),
    ],
)
def test_the_locale_decides_direction_dates_and_numbers(
    locale: str, direction: str, tag: str, full: str, short: str, number: str
) -> None:
    said = load(locale)

    assert (said.direction, said.tag) == (direction, tag)
    assert (said.full_date(DAY), said.short_date(DAY)) == (full, short)
    assert said.number(1974.5) == number


def test_figures_keep_the_digits_that_were_published() -> None:
    assert load("de").figure(Decimal("0.87120")) == "0,87120"
    assert load("de").figure(Decimal(16000)) == "16000"
    assert load("de").percent(Decimal("-0.00251"), 2) == "0,25\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("locale", "zone", "expected"),
    [
        ("en", "UTC", "06:30 UTC"),
        ("en", "Europe/Berlin", "06:30, Central European Time"),
        ("de", "Europe/Berlin", "06:30 Uhr (Mitteleuropäische Zeit)"),
        ("ar", "Europe/Berlin", "06:30 بتوقيت وسط أوروبا"),
    ],
)
def test_a_time_says_its_zone(locale: str, zone: str, expected: str) -> None:
    assert load(locale).time_of_day(time(6, 30), zone) == expected


def test_the_time_of_a_story_is_the_worlds() -> None:
    moment = datetime(2026, 2, 10, 5, 48, tzinfo=UTC)

    assert english().world_time(moment) == "Tue 05:48 UTC"
    assert load("de").world_time(moment) == "Di., 05:48 UTC"
    assert load("ar").world_time(moment) == "الثلاثاء 05:48 بتوقيت غرينتش"


def test_arabic_has_its_six_plurals() -> None:
    def said(number: int) -> str:
        return load("ar").ngettext("%(num)s story", "%(num)s stories", number)

    assert [said(number) for number in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103)] == [
        "لا أخبار",
        "خبر واحد",
        "خبران",
        "3 أخبار",
        "10 أخبار",
        "11 خبرًا",
        "99 خبرًا",
        "100 خبر",
        "102 خبر",
        "103 أخبار",
    ]


def test_what_is_no_whole_number_has_the_plural_of_the_rest() -> None:
    assert load("de").ngettext("%(num)s point", "%(num)s points", 1.5) == "1,5 Punkte"
    assert load("de").ngettext("%(num)s point", "%(num)s points", 1.0) == "1 Punkt"


def test_a_phrase_without_words_stays_english_with_its_values() -> None:
    assert load("de").gettext("A phrase about %(what)s, 100%%", what="nothing") == "A phrase about nothing, 100%"
    assert load("fr").ngettext("%(num)s story", "%(num)s stories", 1200) == "1\N{NO-BREAK SPACE}200 stories"


def test_own_words_come_before_ours_and_those_of_a_country_before_those_of_its_language(tmp_path: Path) -> None:
    catalogue(tmp_path, "de.po", 'msgid "Markets"\nmsgstr "Börse"\n\nmsgid "Sources"\nmsgstr "Woher"\n')
    catalogue(tmp_path, "de_AT.po", 'msgid "Sources"\nmsgstr "Woher, bitte"\n')

    said = load("de-AT", tmp_path)

    assert [said.gettext(phrase) for phrase in ("Sources", "Markets", "Topics")] == ["Woher, bitte", "Börse", "Themen"]


def test_a_locale_without_words_can_be_given_some_and_the_rest_is_named(tmp_path: Path) -> None:
    every = untranslated("fr")
    catalogue(tmp_path, "fr.po", 'msgid "Markets"\nmsgstr "Marchés"\n')

    assert load("fr", tmp_path).gettext("Markets") == "Marchés"
    assert len(untranslated("fr", tmp_path)) == len(every) - 1
    assert "Markets" in every
    assert (untranslated("en"), untranslated("de"), untranslated("ar")) == ((), (), ())


def test_readers_can_choose_what_there_are_words_for_and_the_language_of_the_site_comes_first(tmp_path: Path) -> None:
    assert language.choosable("en") == ("en", "ar", "de")
    assert language.choosable("de_AT") == ("de-AT", "ar", "en"), "de itself is what de_AT speaks already"
    catalogue(tmp_path, "pt_BR.po", 'msgid "Markets"\nmsgstr "Mercados"\n')
    catalogue(tmp_path, "notes.po", "")
    assert language.choosable("fr", tmp_path) == ("fr", "ar", "de", "en", "pt-BR")
    assert language.chosen("pt-BR", tmp_path).gettext("Markets") == "Mercados"  # type: ignore[union-attr]


@pytest.mark.parametrize("tag", ["pt-BR", "klingon", "x" * 64, "../de", ""])
def test_a_language_without_words_is_none(tmp_path: Path, tag: str) -> None:
    assert language.chosen(tag, tmp_path) is None


def test_words_that_are_broken_make_no_language_that_somebody_chose(tmp_path: Path) -> None:
    catalogue(tmp_path, "pt_BR.po", 'msgid "Markets\n')

    assert language.chosen("pt-BR", tmp_path) is None


@pytest.mark.parametrize(
    ("tag", "name"),
    [("de", "Deutsch"), ("ar", "العربية"), ("fr", "Français"), ("pt-BR", "Português (Brasil)"), ("ka", "ქართული")],
)
def test_a_language_is_called_as_it_calls_itself(tag: str, name: str) -> None:
    assert language.own_name(tag) == name


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('msgid "Markets"\nmsgstr "Marchés\n', 6, "closing quotes"),
        ('msgid "Markets"\nmsgstring "Marchés"\n', 6, "no line of a catalogue"),
        ('msgid "Markets"\n\nmsgid "Topics"\nmsgstr "Sujets"\n', 5, "missing msgstr"),
        ('msgid "Also: %(publishers)s"\nmsgstr "Aussi : %(editeurs)s"\n', 5, "%(publishers)s"),
        ('msgid "Also: %(publishers)s"\nmsgstr "Aussi : %(publishers)"\n', 5, "cannot be filled in"),
        ('msgid "Saved."\nmsgstr "100% fait"\n', 5, "percent sign"),
        (
            'msgid "%(num)s min"\nmsgid_plural "%(num)s min"\nmsgstr[0] "a"\nmsgstr[1] "b"\nmsgstr[3] "c"\n',
            5,
            "plurals",
        ),
    ],
)
def test_a_broken_catalogue_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    catalogue(tmp_path, "fr.po", text)

    first = faults(tmp_path, "fr")[0]

    assert first.startswith(f"fr.po:{line}: ")
    assert reason in first


def test_every_fault_of_every_catalogue_in_use_is_named_at_once(tmp_path: Path) -> None:
    catalogue(tmp_path, "de.po", 'msgid "Saved."\nmsgstr "%"\n\nmsgid "Save"\nmsgstr "%(x)s"\n')
    (tmp_path / "locale" / "de_AT.po").write_bytes(b'msgid "\xff"\n')
    catalogue(tmp_path, "fr.po", "broken, but nobody's\n")

    assert [fault.split(": ")[0] for fault in faults(tmp_path, "de_AT")] == ["de.po:5", "de.po:8", "de_AT.po"]


def test_a_header_with_nonsense_plurals_is_refused(tmp_path: Path) -> None:
    path = catalogue(tmp_path, "fr.po", "")
    path.write_text(HEADER + '"Plural-Forms: nplurals=2; plural=import os;\\n"\n', encoding="utf-8")

    assert "plural" in faults(tmp_path, "fr")[0]


@pytest.mark.parametrize("locale", ["xx-nowhere", "", "../../etc/passwd", "de/../en"])
def test_an_unknown_locale_is_refused_in_a_sentence(locale: str) -> None:
    with pytest.raises(RenderFault, match="it should be one such as"):
        language.load(locale)
