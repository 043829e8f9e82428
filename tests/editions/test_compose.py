from collections import Counter
from dataclasses import replace
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config import Ranking
from digest.editions import compose
from digest.editions.compose import cut
from digest.model import Digest, Edition, EditionState, Ranked, Story
from tests.editions import samples
from tests.editions.samples import DIGEST, STORIES, TOPICS, ranked, telling

SLUGS = [topic.slug for topic in TOPICS[:5]]
PUBLISHERS = ["Harbour Wire", "The Exchange Post", "Meridian Economic Review", "Pacific Rim Courier"]


def titles(edition: Edition) -> list[str]:
    return [item.title for item in edition.items]


def many(*topics: str) -> list[Ranked]:
    """A story for each topic named, best first, each of a publisher of its own."""
    return [
        ranked(number, topic, 90.0 - number, telling(f"Publisher {number}", f"Story {number}"))
        for number, topic in enumerate(topics, start=1)
    ]


def test_the_best_stories_are_placed_best_first_and_counted_from_one() -> None:
    edition = samples.edition()

    assert [item.place for item in edition.items] == list(range(1, 13))
    assert [item.score for item in edition.items] == sorted((item.score for item in edition.items), reverse=True)
    assert titles(edition)[0] == "U.S. inflation slows to 2.6%, more than forecast"
    assert edition.state is EditionState.FROZEN


def test_a_story_about_no_topic_is_never_placed() -> None:
    edition = samples.edition([*many(""), *many("growth")])

    assert len(edition.items) == 1


def test_a_story_below_the_floor_is_not_placed_and_one_on_it_is() -> None:
    edition = samples.edition(many("growth", "trade", "energy"), settings=Ranking(floor=88.0))

    assert titles(edition) == ["Story 1", "Story 2"]


def test_no_topic_takes_more_than_a_third_of_the_places_while_others_have_stories() -> None:
    edition = samples.edition(many(*["energy"] * 10, *["trade"] * 10, *["growth"] * 10))

    assert Counter(item.section for item in edition.items) == {"energy": 4, "trade": 4, "growth": 4}


def test_a_topic_fills_the_places_that_no_other_topic_wants() -> None:
    edition = samples.edition(many(*["energy"] * 10, "trade", "growth"))

    assert Counter(item.section for item in edition.items) == {"energy": 10, "trade": 1, "growth": 1}
    assert titles(edition) == [f"Story {number}" for number in range(1, 13)]


def test_a_publisher_that_has_had_its_share_leaves_the_lead_to_another_that_covers_the_story() -> None:
    both = [telling("Harbour Wire", "Told by the wire"), telling("The Exchange Post", "Told by the post")]
    edition = samples.edition([ranked(n, topic, 90.0 - n, *both) for n, topic in enumerate(SLUGS, start=1)])

    assert [item.publisher for item in edition.items] == ["Harbour Wire"] * 2 + ["The Exchange Post"] * 2
    assert edition.items[2].title == "Told by the post"
    assert [reference.publisher for reference in edition.items[2].also] == ["Harbour Wire"]


def test_others_that_cover_a_story_are_named_once_each_and_the_lead_not_among_them() -> None:
    story = ranked(
        1,
        "growth",
        50.0,
        telling("Harbour Wire", "Lead"),
        telling("The Exchange Post", "First of the post"),
        telling("Harbour Wire", "Update"),
        telling("The Exchange Post", "Second of the post"),
    )
    (item,) = samples.edition([story]).items

    assert [(other.publisher, other.title) for other in item.also] == [("The Exchange Post", "First of the post")]
    assert item.article_ids == (10, 11, 12, 13)


def test_a_long_summary_ends_with_a_sentence_and_the_lead_has_more_room() -> None:
    sentences = " ".join(
        f"Sentence number {word} has exactly seven words."
        for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    )
    edition = samples.edition(
        [ranked(n, slug, 90.0 - n, telling(f"P{n}", "T", sentences)) for n, slug in enumerate(SLUGS[:2], start=1)]
    )

    assert [len(item.summary.split()) for item in edition.items] == [70, 49]
    assert all(item.summary.endswith("words.") for item in edition.items)


def test_few_stories_make_a_short_edition() -> None:
    assert len(samples.edition(many("growth")).items) == 1


def test_no_story_makes_a_skipped_edition_that_says_why() -> None:
    nothing_read, nothing_fits = samples.edition([]), samples.edition(many("", ""))

    assert nothing_read.state is nothing_fits.state is EditionState.SKIPPED
    assert nothing_read.reason == "No new story was read in the 36 hours before press time."
    assert nothing_fits.reason == "None of the 2 stories read is about a topic and reaches the floor of 0 points."


def test_items_that_only_a_cut_shows_follow_the_neutral_edition() -> None:
    edition = samples.edition(choices=[("energy",), ("jobs", "shipping"), ()])

    assert titles(edition)[:12] == titles(samples.edition())
    assert [item.section for item in edition.items[12:]] == ["jobs", "energy", "commodities"]
    assert titles(cut(edition, ())) == titles(samples.edition())


def test_a_cut_has_the_shared_items_and_then_only_the_chosen_topics_best_first() -> None:
    edition = samples.edition(choices=[("energy",)])

    narrowed = cut(edition, ("energy",))

    assert titles(narrowed)[:3] == titles(edition)[:3]
    assert titles(narrowed)[3:] == [
        "US Gulf LNG project gets go-ahead as Asian and German utilities sign up",
        "North Sea wind auction awards 2.4 gigawatts",
        "El cobre sube un 3,4 % tras el cierre de una mina en Chile",
    ]
    assert [item.place for item in narrowed.items] == [1, 2, 3, 4, 5, 6]


def test_a_cut_for_a_topic_that_has_no_story_is_the_shared_opening() -> None:
    assert len(cut(samples.edition(), ("property",)).items) == DIGEST.shared


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Ranked], Digest, list[tuple[str, ...]]]:
    """A day's ranked stories, a digest's measures, and what its readers chose."""
    stories = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        covered = draw(st.lists(st.sampled_from(PUBLISHERS), min_size=1, max_size=3))
        relevance = {slug: draw(st.sampled_from([0.0, 0.3, 0.5, 0.9])) for slug in SLUGS}
        topic = draw(st.sampled_from(["", *SLUGS]))
        tellings = [telling(publisher, f"Story {number}") for publisher in covered]
        stories.append(ranked(number, topic, 100.0 - number, *tellings, topics=relevance))
    digest = replace(
        DIGEST,
        length=draw(st.integers(1, 8)),
        shared=draw(st.integers(0, 4)),
        per_publisher=draw(st.integers(1, 4)),
    )
    choices = draw(st.lists(st.lists(st.sampled_from(SLUGS), unique=True, max_size=3).map(tuple), max_size=4))
    return stories, digest, choices


@settings(max_examples=60, deadline=None)
@given(days())
def test_no_publisher_leads_more_than_its_share_and_no_topic_crowds_out_another(
    day: tuple[list[Ranked], Digest, list[tuple[str, ...]]],
) -> None:
    stories, digest, choices = day
    edition = samples.edition(stories, digest, choices)
    neutral = cut(edition, ()).items

    assert all(led <= digest.per_publisher for led in Counter(item.publisher for item in edition.items).values())
    filed, share = Counter(item.section for item in neutral), ceil(digest.length / 3)
    crowded = any(number > share for number in filed.values())
    led = Counter(item.publisher for item in neutral)
    placed = {item.story_id for item in neutral}
    for left_out in stories:
        if crowded and left_out.topic and filed[left_out.topic] < share and left_out.story.id not in placed:
            assert all(led[publisher] >= digest.per_publisher for publisher in left_out.story.publishers)


@settings(max_examples=60, deadline=None)
@given(days())
def test_every_later_item_is_in_some_readers_cut_and_every_cut_is_as_full_as_it_can_be(
    day: tuple[list[Ranked], Digest, list[tuple[str, ...]]],
) -> None:
    stories, digest, choices = day
    edition = samples.edition(stories, digest, choices)

    cuts = {choice: cut(edition, choice) for choice in choices}

    in_a_cut = {item.story_id for narrowed in cuts.values() for item in narrowed.items}
    assert {item.story_id for item in edition.items[digest.length :]} <= in_a_cut
    led, placed = Counter(i.publisher for i in edition.items), {i.story_id for i in edition.items}
    for choice, narrowed in cuts.items():
        if choice and len(narrowed.items) < digest.length:
            for story in stories:
                about = story.topic in choice or any(story.topics[topic] >= compose.STRONG for topic in choice)
                if story.topic and about and story.story.id not in placed:
                    assert all(led[publisher] >= digest.per_publisher for publisher in story.story.publishers)


@settings(max_examples=60, deadline=None)
@given(days(), st.lists(st.sampled_from(SLUGS), unique=True, max_size=3).map(tuple))
def test_a_cut_shares_the_opening_keeps_to_its_topics_and_is_stable(
    day: tuple[list[Ranked], Digest, list[tuple[str, ...]]], topics: tuple[str, ...]
) -> None:
    edition = samples.edition(*day)

    narrowed = cut(edition, topics)

    shared = min(edition.shared, edition.length)
    assert titles(narrowed)[:shared] == titles(edition)[:shared]
    assert [item.place for item in narrowed.items] == list(range(1, len(narrowed.items) + 1))
    assert len(narrowed.items) <= edition.length
    assert cut(narrowed, topics) == narrowed
    if topics:
        for item in narrowed.items[shared:]:
            assert item.section in topics or any(item.topics[topic] >= compose.STRONG for topic in topics)


@settings(max_examples=60, deadline=None)
@given(days(), st.lists(st.sampled_from(SLUGS), unique=True, min_size=1, max_size=4).map(tuple), st.randoms())
def test_muted_topics_never_touch_the_lead_and_nothing_else_of_them_is_shown(
    day: tuple[list[Ranked], Digest, list[tuple[str, ...]]], topics: tuple[str, ...], random: Random
) -> None:
    edition = samples.edition(*day)
    turned = tuple(random.sample(topics, len(topics)))

    narrowed = cut(edition, topics)

    places = min(edition.shared, edition.length)
    assert [item.story_id for item in narrowed.items[:places]] == [item.story_id for item in edition.items[:places]]
    assert {item.story_id for item in narrowed.items} <= {item.story_id for item in edition.items}
    muted = [
        item
        for item in narrowed.items[places:]
        if item.section not in topics and all(item.topics[topic] < compose.STRONG for topic in topics)
    ]
    assert muted == []
    assert cut(edition, turned) == narrowed, "the same choice in another order is the same cut"


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_in_which_readers_chose_does_not_matter(order: int) -> None:
    choices = [("energy",), ("jobs",), ("commodities", "trade")]

    assert samples.edition(choices=choices[::order]) == samples.edition(choices=choices)


def test_a_story_keeps_its_id_whichever_of_its_articles_leads() -> None:
    story = STORIES[0]
    turned = replace(story, story=Story(tuple(reversed(story.story.articles))))

    assert samples.edition([turned]).items[0].story_id == samples.edition([story]).items[0].story_id == "s10"


def test_a_muted_topic_is_left_out_wherever_it_stands_and_others_take_its_place() -> None:
    edition = samples.edition()
    lead = edition.items[0].section

    muted = cut(edition, (f"-{lead}",))

    assert titles(muted) == [item.title for item in edition.items if item.section != lead][: edition.length]
    assert cut(muted, (f"-{lead}",)) == muted
    wanted = cut(edition, ("energy", f"-{lead}"))
    assert lead not in {item.section for item in wanted.items}
    assert set(titles(wanted)) < set(titles(cut(edition, ("energy",))))


def test_who_mutes_all_there_is_gets_the_edition_all_the_same() -> None:
    edition = samples.edition()
    everything = tuple(f"-{item.section}" for item in edition.items)

    assert cut(edition, everything) == cut(edition, ())
