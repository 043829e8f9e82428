"""Suggestions name what headlines of a topic have in common beside its terms, and the terms that mislead."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Term, Topic
from digest.ranking.topics.suggest import Advice, log_odds, suggest
from tests.ranking.articles import article

ENERGY = Topic("energy", "Energy", terms=(Term("crude", 2), Term("OPEC", 2)))
SPORT = Topic("sport", "Sport", terms=(Term("goal", 2), Term("striker", 2)))
TOWNS = ("Oslo", "Lagos", "Lima", "Quito", "Cairo", "Hanoi", "Perth", "Turin", "Delhi", "Accra", "Minsk", "Sofia")


def articles(*patterns: str) -> list[str]:
    """Each pattern once a town, so that no two titles are the same."""
    return [pattern.format(town) for pattern in patterns for town in TOWNS]


def advice(titles: list[str], topic: Topic, *others: Topic) -> Advice:
    found = suggest([article(number, title) for number, title in enumerate(titles, 1)], (topic, *others))
    return found[0]


ELSEWHERE = articles("{} mayor opens library", "Rain in {} stops play", "The {} striker scores a goal")


def test_a_word_that_headlines_of_a_topic_share_and_others_do_not_have_is_suggested() -> None:
    found = advice([*articles("Crude barrels leave {}", "OPEC counts barrels in {}"), *ELSEWHERE], ENERGY, SPORT)

    assert (found.inside, found.outside) == (24, 36)
    assert found.missing[0].term == "barrels"
    assert (found.missing[0].inside, found.missing[0].outside) == (24, 0)
    assert found.missing[0].examples == ("Crude barrels leave Oslo", "Crude barrels leave Lagos")


def test_two_words_that_always_come_together_are_one_suggestion_as_they_are_written() -> None:
    found = advice([*articles("Abu Dhabi and {} sell crude"), *ELSEWHERE], ENERGY)

    assert "Abu Dhabi" in [one.term for one in found.missing]
    assert not {"Abu", "Dhabi"} & {one.term for one in found.missing}


def test_stop_words_figures_terms_and_what_holds_a_term_of_the_topic_are_not_suggested() -> None:
    found = advice([*articles("The crude price is what it was in 1987 for {}"), *ELSEWHERE], ENERGY)

    assert [one.term for one in found.missing] == ["price"]


def test_a_word_that_is_as_frequent_elsewhere_is_not_suggested() -> None:
    found = advice([*articles("Crude rain in {}"), *ELSEWHERE], ENERGY)

    assert "rain" not in [one.term for one in found.missing]


def test_the_same_headline_again_and_again_counts_once() -> None:
    assert advice(["Crude barrels leave Oslo"] * 20 + ELSEWHERE, ENERGY).missing == ()


def test_a_term_whose_articles_are_about_another_topic_hurts() -> None:
    energy = Topic("energy", "Energy", terms=(*ENERGY.terms, Term("strike", 3)))
    found = advice([*articles("Goal: {} celebrates late strike"), *articles("Crude leaves {}")], energy, SPORT)

    (hurting,) = found.hurting
    assert (hurting.term, hurting.weight, hurting.rival) == ("strike", 3, "sport")
    assert (hurting.found_in, hurting.elsewhere, hurting.won_over) == (12, 12, 12)
    assert hurting.examples == ("Goal: Sofia celebrates late strike", "Goal: Minsk celebrates late strike")


def test_a_phrase_does_not_hurt_by_the_words_it_is_made_of() -> None:
    banks = Topic("banks", "Banks", terms=(Term("central bank"),))
    found = advice(articles("The central bank of {} waits"), banks, Topic("banking", "Banking", terms=(Term("bank"),)))

    assert found.hurting == ()


def test_no_more_than_the_limit_is_suggested_and_nothing_without_articles() -> None:
    titles = [*articles("Crude barrels, pipes, wells, rigs leave {}"), *ELSEWHERE]
    found = suggest([article(number, title) for number, title in enumerate(titles, 1)], (ENERGY,), limit=2)

    assert len(found[0].missing) == 2
    assert suggest([], (ENERGY,)) == (Advice("energy", 0, 0, (), ()),)


def test_the_log_odds_are_those_of_the_paper() -> None:
    # 20 + 2 of 100 + 40 against 5 + 2 of 200 + 40: log(22/118 : 7/233) / sqrt(1/22 + 1/7).
    assert log_odds(20, 100, 5, 200, 2, 40) == pytest.approx(math.log(22 * 233 / (118 * 7)) / math.sqrt(1 / 22 + 1 / 7))


COUNTS = st.integers(0, 100)


@given(COUNTS, COUNTS, st.integers(1, 1000), st.floats(0.1, 50))
def test_the_log_odds_of_two_sides_are_opposite_and_of_equal_sides_nothing(
    here: int, there: int, rest: int, prior: float
) -> None:
    total, all_prior = 100 + rest, prior + 10

    assert log_odds(here, total, there, total, prior, all_prior) == pytest.approx(
        -log_odds(there, total, here, total, prior, all_prior)
    )
    assert log_odds(here, total, here, total, prior, all_prior) == 0
