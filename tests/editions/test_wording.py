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


def test_the_subject_states_the_two_most_important_facts() -> None:
    assert subject(titled("Fed holds rates", "Oil falls 2%", "Euro rises")) == "Fed holds rates; Oil falls 2%"


def test_the_subject_prefers_a_fact_that_fits_whole_to_one_that_must_be_cut() -> None:
    long = "A headline about a trade agreement that goes on for a long while"
    assert subject(titled("Fed holds rates again", long, "Oil falls 2%")) == "Fed holds rates again; Oil falls 2%"
    assert subject(titled("Fed holds rates again", long)) == (
        "Fed holds rates again; A headline about a trade agreement that goes…"
    )


def test_a_fact_that_one_publisher_alone_reports_carries_its_name_in_the_subject() -> None:
    assert subject(titled("Your subscription expires", alone=True)) == "Wire 1: Your subscription expires"


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(categories=["L", "N", "Zs", "P"]), min_size=1, max_size=150), min_size=1, max_size=5)
)
def test_subject_and_preheader_keep_to_their_lengths(titles: list[str]) -> None:
    edition = titled(*titles)

    assert 0 < len(subject(edition)) <= wording.SUBJECT_CHARACTERS
    assert len(preheader(edition)) <= wording.PREHEADER_MOST


def test_the_preheader_says_what_the_subject_leaves_out() -> None:
    edition = samples.edition()

    assert subject(edition) == "U.S. inflation slows to 2.6%, more than forecast; ECB holds rates…"
    assert preheader(edition) == (
        "ECB holds rates, raises growth and inflation forecasts; OPEC+ opts for another supply increase, "
        "adding 180,000 b/d next month"
    )


def test_the_preheader_of_a_single_story_is_its_summary() -> None:
    assert preheader(titled("Fed holds rates")) == "Summary of story 1 in a few words."


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
