"""Whatever is typed becomes a question, and a text is found by what it says however it is written."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.words import LONGEST_WORD, MOST_TERMS, MOST_TYPED, Term, marked, question, words

ANYTHING = st.text(st.characters(), max_size=60)
"""Also lone surrogates, NUL and what no font has."""

TYPED = st.lists(
    st.sampled_from(
        ['"', "-", "*", "AND", "OR", "NOT", "NEAR(", ")", "(", "'", "''", "\\", "\0", ":*", "<->", "!", "|", "&", "%"]
    )
    | ANYTHING,
    max_size=12,
).map(" ".join)


@given(TYPED)
def test_any_typing_is_a_question_of_plain_words(typed: str) -> None:
    asked = question(typed)

    assert len(asked.text) <= MOST_TYPED
    assert asked.text.isprintable()
    assert question(asked.text) == asked
    for term in (*asked.wanted, *asked.unwanted):
        assert term.words
        assert all(word.isalnum() and len(word) <= LONGEST_WORD for word in term.words)


def test_a_hundred_kilobytes_are_read_in_no_time() -> None:
    began = time.process_time()
    for typed in ('"' * 100_000, "a " * 50_000, "\u0300" * 100_000, "-" * 100_000, "東" * 100_000):
        assert len(question(typed).wanted) <= MOST_TERMS

    assert time.process_time() - began < 1


@given(ANYTHING)
def test_a_text_is_found_by_each_of_its_words_and_by_all_of_it(text: str) -> None:
    found = words(text)

    assert words(" ".join(found)) == found
    for form in ("NFC", "NFD"):
        assert words(unicodedata.normalize(form, text)) == found


@given(ANYTHING, TYPED)
def test_a_marked_text_is_the_text(text: str, typed: str) -> None:
    assert "".join(piece.text for piece in marked(text, question(typed))) == text


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ÉCOLE école E\u0301cole", ["ecole"] * 3),
        ("Straße Øresund Łódź İstanbul", ["strasse", "oresund", "lodz", "istanbul"]),
        ("U.S. GDP 2.6% S&P", ["u", "s", "gdp", "2", "6", "s", "p"]),
        ("日銀が利上げ", ["日", "銀", "か", "利", "上", "け"]),
        ("Ελλάδα Россия", ["ελλαδα", "россия"]),
        ("ﬁnance ２０２６", ["finance", "2026"]),
        ("snake_case 💶", ["snake", "case"]),
    ],
)
def test_capitals_accents_and_forms_are_folded_away(written: str, folded: list[str]) -> None:
    assert words(written) == folded


def test_words_phrases_and_what_is_not_wanted_are_told_apart() -> None:
    asked = question('oil “central bank” -crypto -"press release" rates')

    assert asked.wanted == (Term(("oil",)), Term(("central", "bank")), Term(("rates",), beginning=True))
    assert asked.unwanted == (Term(("crypto",)), Term(("press", "release")))


def test_the_last_word_may_go_on_unless_it_is_short_a_number_or_quoted() -> None:
    for typed, goes_on in (("tariff", True), ("oil", False), ("2026", False), ('"tariff"', False), ("oi*", True)):
        assert [term.beginning for term in question(typed).wanted] == [goes_on], typed
    assert [term.beginning for term in question("bank tariff").wanted] == [False, True]


def test_what_was_asked_for_is_marked_in_the_words_of_the_text() -> None:
    def shown(text: str, typed: str) -> str:
        return "".join(f"[{piece.text}]" if piece.asked else piece.text for piece in marked(text, question(typed)))

    assert shown("Les écoles d’Été", "ecole") == "Les [écoles] d’Été"
    assert shown("The central bank, a bank", '"central bank"') == "The [central bank], a bank"
    assert shown("Ete\u0301 <b>", "été") == "[Ete\u0301] <b>"
    assert shown("日銀が利上げ", "利上") == "日銀が[利上]げ"
    assert shown("nothing of it", "oil") == "nothing of it"
