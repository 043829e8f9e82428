"""An edition can say of each story that it leaves out why it does."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking, Rules
from digest.editions.compose import Selection, compose, select
from digest.model import Digest, Ranked
from tests.editions.samples import DAY, DIGEST, NOW, TOPICS, WINDOW, ranked, telling

ENERGY, TRADE = TOPICS[2].slug, TOPICS[4].slug


def rules(digest: Digest = DIGEST, settings: Ranking = Ranking()) -> Rules:  # noqa: B008  # a frozen value
    return Rules(digest, settings, TOPICS)


def story(number: int, topic: str = ENERGY, publisher: str = "") -> Ranked:
    return ranked(number, topic, 90.0 - number, telling(publisher or f"Publisher {number}", f"Story {number}"))


def places(selection: Selection) -> list[str]:
    return [placed.ranked.story.id for placed in selection.placed]


def test_a_story_that_is_barred_says_by_what() -> None:
    barred = replace(story(1), barred="it ran on 2026-02-09, and there is no news of it")

    assert select([barred], rules(), ()).left_out == {"s10": "it ran on 2026-02-09, and there is no news of it"}


def test_a_story_without_a_topic_or_below_the_floor_says_so() -> None:
    found = select([story(1, ""), story(2)], rules(settings=Ranking(floor=89)), ()).left_out

    assert found == {"s10": "no topic speaks for it", "s20": "its 88.0 points are below the floor of 89"}


def test_a_pinned_story_is_placed_whatever_speaks_against_it() -> None:
    pinned = replace(story(1, ""), pinned=True)

    assert places(select([pinned], rules(settings=Ranking(floor=89)), ())) == ["s10"]


def test_a_publisher_that_has_had_its_share_is_named() -> None:
    stories = [story(number, TOPICS[number].slug, "Harbour Wire") for number in range(1, 4)]

    found = select(stories, rules(), ()).left_out

    assert found == {"s30": "Harbour Wire leads 2 stories already, as many as a publisher may"}


def test_a_topic_that_has_had_its_share_is_named() -> None:
    digest = replace(DIGEST, length=2, per_topic=1)

    found = select([story(1), story(2), story(3, TRADE)], rules(digest), ())

    assert places(found) == ["s10", "s30"]
    assert found.left_out == {"s20": "Energy has its share, 1 story, already"}


def test_a_story_near_to_another_names_it() -> None:
    near = replace(story(2), kin=("s10",))

    found = select([story(1), near, story(3, TRADE)], rules(replace(DIGEST, length=2)), ())

    assert found.left_out == {"s20": "it is near to s10, “Story 1”, which is placed"}


def test_where_there_is_no_more_room_that_is_the_reason_unless_some_reader_chose_the_topic() -> None:
    digest = replace(DIGEST, length=2, shared=1)
    stories = [story(1), story(2, TRADE), story(3, TOPICS[0].slug)]

    nobody, somebody = (select(stories, rules(digest), choices) for choices in ((), ((TOPICS[0].slug,),)))

    assert nobody.left_out == {"s30": "the edition's 2 places are taken by stories with more points"}
    assert (places(somebody), somebody.left_out) == (["s10", "s20", "s30"], {})


@given(
    st.lists(
        st.tuples(st.sampled_from(["", ENERGY, TRADE]), st.sampled_from(["Wire", "Post", "Courier"])), max_size=30
    ),
    st.integers(1, 8),
    st.sampled_from([(), ((ENERGY,),), ((TRADE,), (ENERGY, TRADE))]),
)
def test_every_story_is_either_placed_or_left_out_for_a_reason_and_the_edition_is_the_selection(
    rows: list[tuple[str, str]], length: int, choices: tuple[tuple[str, ...], ...]
) -> None:
    stories = [story(number, topic, publisher) for number, (topic, publisher) in enumerate(rows, 1)]
    made = rules(replace(DIGEST, length=length))

    selection = select(stories, made, choices)

    assert sorted([*places(selection), *selection.left_out]) == sorted(one.story.id for one in stories)
    assert all(selection.left_out.values())
    edition = compose(stories, made, DAY, WINDOW, choices, quotes=(), coverage=None, now=NOW)
    assert [item.story_id for item in edition.items] == places(selection)
