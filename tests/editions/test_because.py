"""Every sentence of a receipt is told in a reader's language, with the names and numbers that stand in it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from digest.editions.because import because
from digest.language import english, load
from digest.model import Article, Event, Factor, Item, Story, Told, Update
from digest.ranking.form import SHARES
from digest.ranking.memory import Recalled
from digest.ranking.occasions import occasions
from tests.editions.test_week import daily, item, ranked
from tests.ranking.articles import pools
from tests.ranking.test_score import SETTINGS, receipt

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
GERMAN, ARABIC = load("de"), load("ar")
SENTENCES = (
    ("topic", "no topic speaks for it", "kein Thema spricht für sie"),
    ("topic", "Trade: what its feed is about", "Trade: davon handelt ihr Feed"),
    ("topic", "Trade: “tariffs”, “duty”", "Trade: “tariffs”, “duty”"),
    ("source", "Bex counts as others do", "Bex zählt wie andere"),
    ("source", "Bex counts 1.5 times as much as others", "Bex zählt 1,5-mal so viel wie andere"),
    ("coverage", "only Bex covers it", "nur Bex berichtet darüber"),
    ("coverage", "2 publishers cover it: Bex and Cex", "2 Herausgeber berichten darüber: Bex und Cex"),
    (
        "coverage",
        "4 publishers cover it: Bex, Cex, Dex and Fex; 1 more has the same headline as another",
        "4 Herausgeber berichten darüber: Bex, Cex, Dex und Fex; 1 weiterer hat dieselbe Schlagzeile wie ein anderer",
    ),
    (
        "coverage",
        "7 publishers cover it: Bex, Cex, Dex and 4 more; 2 more have the same headline as another",
        "7 Herausgeber berichten darüber: Bex, Cex, Dex und 4 weitere; 2 weitere haben dieselbe Schlagzeile wie ein anderer",
    ),
    (
        "coverage",
        "2 publishers cover it: Sand and Sea, Ltd and Cex",
        "2 Herausgeber berichten darüber: Sand and Sea, Ltd and Cex",
    ),
    ("depth", "one report each", "je ein Bericht"),
    ("depth", "9 reports in all, 4 beyond one each", "insgesamt 9 Berichte, davon 4 über je einen hinaus"),
    ("freshness", "less than an hour old", "weniger als eine Stunde alt"),
    ("freshness", "1 hour old", "1 Stunde alt"),
    ("freshness", "17 hours old", "17 Stunden alt"),
    ("freshness", "2 days old", "2 Tage alt"),
    (
        "momentum",
        "3 of its 5 publishers joined in the last 6 hours",
        "3 ihrer 5 Herausgeber kamen in den letzten 6 Stunden hinzu",
    ),
    ("official", "Bex speaks for itself in it", "Bex spricht darin für sich selbst"),
    ("calendar", "Rates is due today", "Rates ist heute fällig"),
    ("calendar", "Rates is due today at 14:30", "Rates ist heute um 14:30 Uhr fällig"),
    ("calendar", "Rates was due on 2026-02-09 at 14:30", "Rates war am 9. Februar 2026 um 14:30 Uhr fällig"),
    ("focus", "little in it speaks for a topic", "wenig darin spricht für ein Thema"),
    ("form", "it is a live page, not a report", "keine Nachricht, sondern ein Liveticker"),
    ("echo", "much like “Gex”, which is covered more widely", "ähnelt sehr „Gex“, worüber mehr berichtet wird"),
    ("memory", "an update of “Gex” of 2026-02-09: a new figure", "Neues zu „Gex“ vom 9. Februar 2026"),
    (
        "memory",
        "it ran on 2026-02-09 as “Gex”, and there is no news of it",
        "sie erschien am 9. Februar 2026 als „Gex“, und seither gibt es nichts Neues",
    ),
    ("importance", "it had 60.0 points on Wednesday", "sie hatte am Mittwoch 60,0 Punkte"),
    (
        "importance",
        "it had 60.5 points on Wednesday, its best day",
        "sie hatte am Mittwoch, ihrem besten Tag, 60,5 Punkte",
    ),
    ("persistence", "it ran on Tuesday alone", "sie erschien nur am Dienstag"),
    (
        "persistence",
        "it ran on 3 days: Sunday, Monday and Tuesday",
        "sie erschien an 3 Tagen: Sonntag, Montag und Dienstag",
    ),
    (
        "growth",
        "1 publisher and 2 reports came to it after Tuesday",
        "1 Herausgeber und 2 Berichte kamen nach Dienstag hinzu",
    ),
)


def factor(name: str, sentence: str) -> Factor:
    return Factor(name, 1.0, 1.0, 1.0, sentence)


@pytest.mark.parametrize(("name", "sentence", "german"), SENTENCES)
def test_a_sentence_says_in_each_language_what_it_says_in_english(name: str, sentence: str, german: str) -> None:
    arabic, again = (because(factor(name, sentence), say) for say in (ARABIC, english()))

    assert because(factor(name, sentence), GERMAN) == german
    assert re.search("[\u0600-\u06ff]", arabic) or german == sentence
    for proper in re.findall("Bex|Cex|Dex|Fex|Gex|Rates|Trade|tariffs|Sand and Sea, Ltd", sentence):
        assert proper in arabic
        assert proper in again
    if not re.search(r"\d{4}-\d\d|, and |, \w+ and ", sentence):
        assert again == sentence


def test_a_sentence_that_is_none_of_ours_is_not_told() -> None:
    """As in an edition of an older release; and the hand of editors is nobody's affair."""
    for name, sentence in (
        ("coverage", "5 publishers cover it"),
        ("form", "it is a riddle, not a report"),
        ("override", "raised by ann: our chairman likes it"),
        ("luck", "one report each"),
        ("depth", "one report each, or so"),
    ):
        assert because(factor(name, sentence), GERMAN) == ""


def untold(factors: Iterable[Factor]) -> list[Factor]:
    """Those of which a German reader would not hear why."""
    return [one for one in factors if not because(one, GERMAN)]


@given(pools().filter(bool))
def test_whatever_a_score_is_made_of_is_told(articles: list[Article]) -> None:
    factors = receipt(Story(tuple(articles))).factors

    assert factors
    assert untold(factors) == []


@pytest.mark.parametrize("kind", SHARES)
def test_every_form_that_is_no_report_is_told(kind: str) -> None:
    assert untold([factor("form", f"it is {kind}, not a report")]) == []


@pytest.mark.parametrize("hours", [None, -20, -8, -3, 0, 5])
def test_whatever_is_due_is_told(hours: int | None) -> None:
    at = None if hours is None else NOW + timedelta(hours=hours)
    event = Event("Rates", (at or NOW).date(), at, topics=("trade",))
    due = [factor("calendar", one.words) for one in occasions([event], NOW.date(), NOW, "UTC")]

    assert due
    assert untold(due) == []


def test_what_ran_before_is_told() -> None:
    before = Told(NOW.date(), NOW, ("Duty falls",), ("Bex",), (1,), NOW.date())
    whole = Recalled(Story(()), before)
    for one in (whole, replace(whole, update=Update(NOW.date(), "a new figure, 3.25%", "", "3.25%"))):
        made = one.factor(SETTINGS)
        assert made
        assert untold([made]) == []


def test_what_a_week_told_is_told() -> None:
    first: Item = item(1, "Duty falls", 1)
    weeks = ranked(daily(3, first), daily(2, replace(first, article_ids=(1, 2, 3))), daily(1, item(9, "Oil", 4)))

    assert {one.name for story in weeks for one in story.receipt.factors} >= {"importance", "persistence", "growth"}
    assert untold(one for story in weeks for one in story.receipt.factors) == []
