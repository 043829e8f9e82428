"""An explanation is true to the ranking: places, gaps, and what would be without a factor."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article, Override, OverrideKind, Ranked, Receipt, Term, Topic
from digest.ranking.explain import by_hand, explain, place_of, standings, without
from digest.ranking.rank import best_first, rank
from tests.ranking.articles import NOW, QUICK, article, pools

SETTINGS = Ranking()
TOPICS = (
    Topic("banks", "Central banks", 1.2, (Term("interest rates", 2), Term("ECB", 2), Term("Fed"))),
    Topic("energy", "Energy", 1.0, (Term("oil", 2), Term("OPEC", 2))),
)
WIRE = [
    article(1, "ECB holds interest rates", weight=1.5, hours=1),
    article(2, "OPEC cuts oil output", weight=1.0, hours=1),
    article(3, "City beat United in the cup final", hours=1),
]


def ranked(articles: list[Article] = WIRE, *overrides: Override) -> list[Ranked]:
    return rank(articles, TOPICS, SETTINGS, NOW, overrides=overrides)


def pin(*articles: int) -> Override:
    return Override(
        *(OverrideKind.PIN, "economy", "ann", "it matters", NOW, NOW + timedelta(hours=36)), articles=articles
    )


def test_the_neighbours_stand_next_with_the_gap_and_what_makes_it() -> None:
    first, second, third = ranked()

    found = explain([first, second, third], 1)

    assert found.above is not None
    assert found.below is not None
    assert (found.above.standing.id, found.below.standing.id) == (first.story.id, third.story.id)
    assert found.above.gap == pytest.approx(first.score - second.score)
    assert found.above.differences[0][0] == "topic"
    assert explain([first, second, third], 0).above is None
    assert explain([first, second, third], 2).below is None


def test_the_automatic_score_and_place_stand_beside_what_an_editor_did() -> None:
    plain = ranked()
    last = plain[-1].story.lead.id

    found = explain(ranked(WIRE, pin(last)), 0)

    assert (found.standing.place, found.standing.pinned) == (1, True)
    assert found.automatic == pytest.approx(plain[-1].score)
    assert found.automatic_place == 3
    assert [factor.because for factor in by_hand(found.ranked.receipt)] == ["pinned by ann: it matters"]
    assert "override" not in [absence.factor for absence in found.absences]


def test_a_story_is_found_by_its_id_or_else_by_one_of_its_articles() -> None:
    together = ranked([article(7, "ECB holds interest rates"), article(8, "ECB holds interest rates", "AP")])

    assert place_of(together, "s7") == place_of(together, "s8", [8]) == 0
    assert place_of(together, "s9", [9]) is None
    assert [one.id for one in standings(together, [8])] == ["s7"]


@QUICK
@given(pools(12), st.data())
def test_without_a_factor_each_story_has_the_place_that_sorting_gives_it(
    articles: list[Article], data: st.DataObject
) -> None:
    found = ranked(articles)
    if not found:
        return
    index = data.draw(st.integers(0, len(found) - 1))
    explanation = explain(found, index)

    for absence in explanation.absences:
        lacking = [replace(one, receipt=without(one.receipt, absence.factor)) for one in found]
        again = sorted(lacking, key=best_first)
        assert again[absence.place - 1].story == found[index].story
        assert absence.score == again[absence.place - 1].score
    assert explanation.automatic_place == index + 1


@QUICK
@given(pools(12))
def test_the_differences_of_two_neighbours_are_within_their_gap(articles: list[Article]) -> None:
    found = ranked(articles)
    for index in range(1, len(found)):
        above = explain(found, index).above
        assert above is not None
        assert above.gap >= 0
        if {factor.name for factor in (*found[index].receipt.factors, *found[index - 1].receipt.factors)} <= {
            name for name, _ in above.differences
        }:
            assert sum(points for _, points in above.differences) == pytest.approx(above.gap)


def test_a_receipt_without_a_factor_that_it_lacks_is_the_same() -> None:
    receipt = ranked()[0].receipt

    assert without(receipt, "weather") == receipt
    assert without(Receipt(()), "topic").score == 0
