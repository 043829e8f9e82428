"""What editors do to stories stands beside what was computed, and loses nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.model import Article, Factor, Override, OverrideKind, Ranked, Receipt, Story, Term, Topic
from digest.ranking.hand import PIN_POINTS, aimed, applied, regrouped
from digest.ranking.rank import rank
from digest.ranking.stories.cluster import cluster
from tests.ranking.articles import NOW, QUICK, article, pools

SETTINGS = Ranking()
TOPICS = (
    Topic("banks", "Central banks", 1.2, (Term("interest rates", 2), Term("ECB", 2), Term("Fed"))),
    Topic("energy", "Energy", 1.0, (Term("oil", 2), Term("OPEC", 2))),
)
WIRE = [article(1, "ECB holds interest rates"), article(2, "OPEC cuts oil output"), article(3, "City beat United")]


def override(kind: OverrideKind, *articles: int, points: float = 0.0, title: str = "", number: int = 1) -> Override:
    since = NOW - timedelta(hours=1) + timedelta(seconds=number)
    return Override(
        *(kind, "economy", "ann", "it is so", since, NOW + timedelta(hours=36)),
        articles=articles,
        points=points,
        title=title,
        id=number,
    )


def overrides(ids: Sequence[int], most: int = 6) -> st.SearchStrategy[list[Override]]:
    """Whatever editors might do to the stories of these articles, in the order in which they did it."""
    one = st.tuples(
        st.sampled_from(list(OverrideKind)),
        st.lists(st.sampled_from(ids), min_size=1, max_size=5, unique=True),
        st.floats(-500, 500),
    )
    return st.lists(one, max_size=most).map(
        lambda rows: [
            override(kind, *articles, points=points, title="Anew", number=number)
            for number, (kind, articles, points) in enumerate(rows, 1)
        ]
    )


def ids(stories: Sequence[Story]) -> list[int]:
    return sorted(article.id for story in stories for article in story.articles)


def ranked(*made: Override, articles: Sequence[Article] = WIRE) -> list[Ranked]:
    return rank(articles, TOPICS, SETTINGS, NOW, overrides=made)


def story_of(number: int, stories: Sequence[Ranked]) -> Ranked:
    return next(one for one in stories if number in [article.id for article in one.story.articles])


@QUICK
@given(pools(), st.data())
def test_whatever_is_merged_and_split_every_article_stays_in_exactly_one_story(
    articles: list[Article], data: st.DataObject
) -> None:
    stories = cluster(articles, SETTINGS)
    made = data.draw(overrides(ids(stories))) if articles else []

    after = regrouped(stories, made)

    assert ids(after) == ids(stories)
    assert all(story.articles for story in after)


@QUICK
@given(pools(12).filter(lambda articles: len(articles) > 1), st.data())
def test_what_is_merged_is_one_story_and_what_is_then_split_off_stands_apart(
    articles: list[Article], data: st.DataObject
) -> None:
    stories = cluster(articles, SETTINGS)
    leads = data.draw(st.lists(st.sampled_from([one.lead.id for one in stories]), min_size=1, max_size=4, unique=True))

    merged = regrouped(stories, [override(OverrideKind.MERGE, *leads)])
    whole = next(story for story in merged if leads[0] in [article.id for article in story.articles])
    assert {article.id for article in whole.articles} >= set(leads)
    assert whole.lead.id == leads[0]

    off = data.draw(st.lists(st.sampled_from(ids([whole])), min_size=1, unique=True))
    after = regrouped(stories, [override(OverrideKind.MERGE, *leads), override(OverrideKind.SPLIT, *off, number=2)])
    assert ids(after) == ids(stories)
    assert sorted(off) in [ids([story]) for story in after]


@QUICK
@given(pools(12), st.data())
def test_overrides_for_articles_that_are_not_there_change_nothing(articles: list[Article], data: st.DataObject) -> None:
    strangers = data.draw(overrides([901, 902, 903]))

    assert ranked(*strangers, articles=articles) == ranked(articles=articles)


@QUICK
@given(pools(12).filter(bool), st.data())
def test_the_total_is_the_sum_of_the_receipt_and_the_automatic_lines_are_untouched(
    articles: list[Article], data: st.DataObject
) -> None:
    kinds = (OverrideKind.PIN, OverrideKind.DROP, OverrideKind.BOOST, OverrideKind.RETITLE)
    made = [one for one in data.draw(overrides(ids(cluster(articles, SETTINGS)))) if one.kind in kinds]

    before = {one.story: one for one in ranked(articles=articles)}
    for one in ranked(*made, articles=articles):
        lines = one.receipt.factors
        assert one.score == sum(factor.points for factor in lines)
        assert tuple(factor for factor in lines if factor.name != "override") == before[one.story].receipt.factors


@QUICK
@given(pools(12).filter(bool), st.data())
def test_every_override_of_a_story_is_one_line_of_one_receipt(articles: list[Article], data: st.DataObject) -> None:
    stories = cluster(articles, SETTINGS)
    made = [one for one in data.draw(overrides(ids(stories))) if one.kind is OverrideKind.BOOST]

    by_story = aimed(stories, made)

    assert sorted(one.id for several in by_story.values() for one in several) == [one.id for one in made]


def test_an_override_stays_with_the_story_that_holds_most_of_its_articles() -> None:
    stories = [Story((article(1, "A"),)), Story((article(2, "B"), article(3, "C")))]

    assert list(aimed(stories, [override(OverrideKind.PIN, 1, 2, 3)])) == [1]
    assert list(aimed(stories, [override(OverrideKind.PIN, 1, 2)])) == [0]


def test_a_pinned_story_is_first_and_names_who_pinned_it_and_why() -> None:
    first = ranked(override(OverrideKind.PIN, 3))[0]

    assert (first.story.lead.id, first.pinned) == (3, True)
    assert first.receipt.factors[-1] == Factor("override", 1.0, PIN_POINTS, PIN_POINTS, "pinned by ann: it is so")


def test_a_dropped_story_is_barred_and_says_by_whom() -> None:
    last = ranked(override(OverrideKind.DROP, 1))[-1]

    assert (last.story.lead.id, last.barred) == (1, "dropped by ann: it is so")


@pytest.mark.parametrize(
    ("kinds", "pinned"),
    [
        ((OverrideKind.PIN, OverrideKind.DROP), False),
        ((OverrideKind.DROP, OverrideKind.PIN), True),
        ((OverrideKind.PIN, OverrideKind.DROP, OverrideKind.PIN), True),
    ],
)
def test_of_pins_and_drops_the_last_counts_alone(kinds: Sequence[OverrideKind], pinned: bool) -> None:
    made = [override(kind, 3, number=number) for number, kind in enumerate(kinds, 1)]
    story = story_of(3, ranked(*made))

    assert (story.pinned, bool(story.barred)) == (pinned, not pinned)
    assert sum(factor.points for factor in story.receipt.factors if factor.name == "override") == (
        PIN_POINTS if pinned else -PIN_POINTS
    )
    assert "until another decided later" in story.receipt.factors[-2].because


def test_two_pinned_stories_keep_their_own_order_however_often_they_were_pinned() -> None:
    made = [override(OverrideKind.PIN, 3, number=number) for number in (1, 2, 3)]

    stories = ranked(*made, override(OverrideKind.PIN, 1, number=4))

    assert [one.story.lead.id for one in stories[:2]] == [1, 3]


def test_a_boost_moves_a_story_by_its_points_and_a_new_title_by_none() -> None:
    before, after = (
        story_of(2, stories)
        for stories in (
            ranked(),
            ranked(
                override(OverrideKind.BOOST, 2, points=-7.5), override(OverrideKind.RETITLE, 2, title="Oil", number=2)
            ),
        )
    )

    assert after.score == pytest.approx(before.score - 7.5)
    assert (before.headline, after.headline) == ("OPEC cuts oil output", "Oil")
    assert [factor.because for factor in after.receipt.factors[-2:]] == [
        "lowered by ann: it is so",
        "retitled from “OPEC cuts oil output” by ann: it is so",
    ]


def test_an_override_does_not_change_the_ranked_story_it_is_given() -> None:
    one = Ranked(Story((WIRE[0],)), Receipt(()), "banks", {})

    assert applied(one, []) == one
    assert applied(one, [override(OverrideKind.RETITLE, 1, title="Anew")]) == replace(
        one,
        title="Anew",
        receipt=Receipt(
            (Factor("override", 1.0, 0.0, 0.0, "retitled from “ECB holds interest rates” by ann: it is so"),)
        ),
    )
