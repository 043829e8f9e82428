from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.editions import wording
from digest.editions.wording import abbreviated, preheader, shortened, subject, word_count
from digest.language import english
from digest.model import Edition
from tests.editions import samples
from tests.editions.samples import STORIES, ranked, telling


def titled(*titles: str, alone: bool = False) -> Edition:
    """An edition of stories with these titles, each covered by a second publisher unless it stands alone."""
    return samples.edition(
        [
            ranked(
                number,
                topic.slug,
                90.0 - number,
                telling(f"Wire {number}", title, f"Summary of story {number} in a few words."),
                *([] if alone else [telling("The Exchange Post", title)]),
            )
            for number, (topic, title) in enumerate(zip(samples.TOPICS, titles, strict=False), start=1)
        ]
    )


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Rates were held. Stocks rose.", 5, "Rates were held. Stocks rose."),
        ("Rates were held. Stocks rose sharply.", 5, "Rates were held."),
        ("The U.S. Treasury sold bonds. Yields fell.", 6, "The U.S. Treasury sold bonds."),
        ("Prices rose 2.6 percent. More followed later.", 5, "Prices rose 2.6 percent."),
        ("“Rates will fall.” The bank said no more than that.", 5, "“Rates will fall.”"),
        ("Im 3. Quartal stieg der Umsatz. Der Gewinn fiel.", 7, "Im 3. Quartal stieg der Umsatz."),
        ("A sentence that goes on and on without an end", 4, "A sentence that goes…"),
        ("Profit will rise to $38 billion next year", 5, "Profit will rise to…"),
        ("日本銀行は金利を据え置いた。市場は大きく反応した。", 8, "日本銀行は金利を据え置いた。"),
        ("", 5, ""),
    ],
)
def test_a_text_is_shortened_at_the_end_of_a_sentence_or_else_visibly(text: str, words: int, expected: str) -> None:
    assert shortened(text, words) == expected


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(5, 40))
def test_a_shortened_text_is_a_beginning_of_the_text_and_short_enough(text: str, words: int) -> None:
    result = shortened(text, words)

    assert text.startswith(result.removesuffix("…"))
    assert word_count(result) <= words + 1


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(10, 80))
def test_an_abbreviated_text_is_a_beginning_of_the_text_and_short_enough(text: str, characters: int) -> None:
    result = abbreviated(text, characters)

    assert text.startswith(result.removesuffix("…"))
    assert len(result) <= characters


def test_the_subject_states_the_two_most_important_facts_and_a_third_that_is_short() -> None:
    assert subject(titled("Fed holds rates", "Oil falls 2%", "Euro rises")) == (
        "Fed holds rates; Oil falls 2%; Euro rises"
    )
    assert subject(titled("Fed holds rates for a fifth time", "Oil falls 2% in London", "Euro rises")) == (
        "Fed holds rates for a fifth time; Oil falls 2% in London"
    )


def test_the_subject_prefers_a_fact_that_fits_whole_to_one_that_must_be_cut() -> None:
    long = "A headline about a trade agreement that goes on for a long while"
    assert subject(titled("Fed holds rates again", long, "Oil falls 2%")) == "Fed holds rates again; Oil falls 2%"
    assert subject(titled("Fed holds rates again", long)) == (
        "Fed holds rates again; A headline about a trade agreement…"
    )


def test_a_fact_that_one_publisher_alone_reports_carries_its_name_in_the_subject() -> None:
    assert subject(titled("Your subscription expires", alone=True)) == "Wire 1: Your subscription expires"


HEADLINES = st.lists(
    st.text(st.characters(categories=["L", "N", "Zs", "P"]), min_size=1, max_size=150), min_size=1, max_size=5
)


@settings(deadline=None)
@given(HEADLINES)
def test_subject_and_preheader_keep_to_their_lengths(titles: list[str]) -> None:
    edition = titled(*titles)

    assert 0 < len(subject(edition)) <= wording.SUBJECT_CHARACTERS
    assert len(preheader(edition)) <= wording.PREHEADER_MOST


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text("abcdefg", min_size=2, max_size=9), min_size=8, max_size=16).map(" ".join),
        min_size=4,
        max_size=6,
        unique=True,
    )
)
def test_the_preheader_is_long_enough_and_begins_with_something_whole(titles: list[str]) -> None:
    line = preheader(titled(*titles))

    assert wording.PREHEADER_LEAST <= len(line) <= wording.PREHEADER_MOST
    assert len(line.split(";")[0]) <= wording.PREHEADER_ALONE


def test_the_preheader_says_what_the_subject_leaves_out_and_nothing_of_what_it_says() -> None:
    edition = samples.edition()

    assert subject(edition) == "U.S. inflation slows to 2.6%, more than forecast"
    assert preheader(edition) == (
        "ECB holds rates, raises growth and inflation…; OPEC+ opts for another supply increase, adding 180,000 b/d "
        "next month"
    )
    assert preheader(titled("Fed holds rates", "Oil falls 2%", "Euro rises", "Copper is up")).startswith(
        "Copper is up; "
    )


def test_the_preheader_of_a_single_story_is_its_summary() -> None:
    assert preheader(titled("Fed holds rates")) == "Summary of story 1 in a few words."


# ── the opening line ─────────────────────────────────────────────────────────────────────────────────────────────


def opened(*others: str, title: str = "Norland's central bank raises rates", summary: str = "") -> str:
    """What an edition opens with whose lead others tell in these headlines."""
    tellings = [telling(f"Wire {number}", other) for number, other in enumerate(others, start=2)]
    found = wording.opening(samples.edition([ranked(1, "growth", 80.0, telling("Wire 1", title, summary), *tellings)]))
    return found.title if found else ""


def test_the_opening_is_how_another_publisher_puts_the_lead_where_that_says_more() -> None:
    found = wording.opening(samples.edition())

    assert found is not None
    assert (found.publisher, found.title) == (
        "The Exchange Post",
        "Softer US consumer prices revive bets on a Federal Reserve cut",
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("Norland central bank raises rates", "nothing new"),
        ("Central bank of Norland raises its rates again today", "hardly anything new"),
        ("Notenbank überrascht Anleger, Krone steigt kräftig", "another language"),
        ("Shares of shipping companies tumble after profit warning", "another matter"),
        ("Central bank raises rates " + "and surprises investors everywhere " * 6, "too long"),
        ("日本銀行は金利を据え置いた", "no words that can be told apart"),
    ],
)
def test_there_is_no_opening_rather_than_a_padded_one(other: str, why: str) -> None:
    assert opened(other) == ""
    assert opened(other, "Surprise move by central bank sends Norland krone soaring, bonds tumble")


@settings(deadline=None)
@given(st.lists(st.text("Central bank raises rates krone bonds surprise soar abc", max_size=120), max_size=4))
def test_the_opening_is_never_what_headline_and_summary_say(others: list[str]) -> None:
    summary = "The krone soars, and bonds surprise."
    line = opened(*others, summary=summary)

    known = {word[:5].casefold() for word in f"Norland's central bank raises rates {summary}".replace(".", " ").split()}
    assert word_count(line) <= wording.OPENING_WORDS
    assert not line or len({word[:5].casefold() for word in line.split()} - known) >= wording.OPENING_NEWS


def test_an_edition_without_stories_opens_with_nothing() -> None:
    assert wording.opening(samples.edition([])) is None


def test_the_promise_counts_stories_sources_and_minutes() -> None:
    assert wording.promise(samples.edition(), english()) == "12 stories from 12 sources, 3 min"


def test_a_short_edition_says_that_it_is_one() -> None:
    edition = samples.edition(STORIES[3:4])

    assert wording.promise(edition, english()) == "A short edition today: 1 story from 2 sources, 1 min"


def test_reading_time_follows_the_words_at_230_a_minute() -> None:
    story = ranked(1, "growth", 50.0, telling("Wire", "Title", " ".join(["word"] * 48)))
    lengthened = replace(samples.edition([story]).items[0], summary=" ".join(["word"] * 459))
    edition = replace(samples.edition([story]), items=(lengthened,))

    assert (wording.words(edition), wording.minutes(edition)) == (460, 2)
    assert wording.minutes(replace(edition, items=(replace(lengthened, title="Two words"),))) == 3


def test_the_provenance_names_what_was_read_and_what_could_not_be() -> None:
    edition = samples.edition()

    assert wording.provenance(edition, english()) == (
        "Chosen from 1,974 articles of 68 publishers, the newest of Tue 05:48 UTC. 2 of 75 feeds could not be read."
    )
    assert wording.provenance(replace(edition, coverage=None), english()) == ""
