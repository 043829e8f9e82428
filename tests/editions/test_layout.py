from dataclasses import replace

from digest.editions.layout import MOST_EVENTS, due, in_order, sections, shown
from digest.language import english
from tests.editions import samples
from tests.editions.samples import DIGEST


def test_top_stories_come_first_then_topics_by_their_best_item_and_single_stories_last() -> None:
    found = sections(samples.edition(), english())

    assert [(section.slug, len(section.items)) for section in found] == [
        ("top", 3),
        ("central-banks", 2),
        ("also-today", 7),
    ]
    assert [section.title for section in found] == ["Top stories", "Central banks", "Also today"]


def test_reading_order_holds_every_shown_item_once() -> None:
    edition = samples.edition(choices=[("energy",), ("jobs",)])

    assert sorted(item.place for item in in_order(edition)) == list(range(1, 13))
    assert shown(edition) == edition.items[:12]


def test_without_shared_stories_there_is_no_top_section() -> None:
    edition = samples.edition(digest=replace(DIGEST, shared=0))

    assert [section.slug for section in sections(edition, english())] == ["central-banks", "energy", "also-today"]


def test_events_of_the_day_come_before_those_of_the_next_and_none_after_them() -> None:
    edition = samples.whole_edition()

    assert [(event.day.day, event.title.split(",")[0].split(" ")[0]) for event in due(edition)] == [
        (10, "Meeting"),
        (10, "Monetary"),
        (10, "Retail"),
        (11, "Consumer"),
    ]


def test_no_more_events_are_told_than_can_be_watched_and_none_twice() -> None:
    event = samples.EVENTS[0]
    many = tuple(replace(event, title=f"Release {number}") for number in range(10))

    assert len(due(replace(samples.edition(), events=many))) == MOST_EVENTS
    assert due(replace(samples.edition(), events=(event, event))) == (event,)
