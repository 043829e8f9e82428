"""What documents show of a feed, and how often it is therefore asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds import habits
from digest.feeds.outcomes import Parsed
from digest.model import Entry, Feed, Habits, Memory

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://wire.example/feed", "Harbour Wire")


def entry(number: int, age: timedelta | None = None, host: str = "wire.example") -> Entry:
    published = None if age is None else NOW - age
    return Entry(str(number), f"https://{host}/{number}", f"Headline {number}", "", published=published)


def document(*entries: Entry, **values: object) -> Parsed:
    return replace(Parsed(entries), **values)  # type: ignore[arg-type]


def learned(parsed: Parsed, before: Habits | None = None) -> Habits:
    return habits.learned(before or Habits(), parsed, FEED, NOW)


def test_what_a_document_asks_of_its_readers_is_remembered_until_it_asks_for_something_else() -> None:
    asked = learned(document(entry(1), wait=HOUR, silent_hours=(2, 3), silent_days=(6,)))
    assert (asked.wait, asked.silent_hours, asked.silent_days) == (HOUR, (2, 3), (6,))

    later = learned(document(entry(2)), asked)

    assert (later.wait, later.silent_hours, later.silent_days) == (None, (), ())


def test_a_first_document_is_counted_over_the_time_that_it_spans() -> None:
    full = document(*(entry(number, number * HOUR) for number in range(1, 49)))
    with_archive = document(entry(1, DAY), entry(2, 2 * DAY), *(entry(n, n * 30 * DAY) for n in range(3, 9)))
    undated = document(*(entry(number) for number in range(14)))

    assert learned(full).pace == pytest.approx(24, rel=0.05)
    assert learned(with_archive).pace == pytest.approx(2 / 7)
    assert learned(undated).pace == 2
    assert learned(document()).pace == 0


def test_the_pace_follows_what_happens_within_about_a_week() -> None:
    shown, moment = Habits(pace=24.0), NOW
    for _ in range(21):
        shown = habits.paced(shown, 2, moment, moment + DAY)
        moment += DAY
    assert 2 < shown.pace < 4  # type: ignore[operator]
    assert habits.paced(Habits(), 5, NOW - DAY, NOW) == Habits()
    assert habits.paced(shown, 5, NOW, NOW) == shown


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 72)), min_size=1, max_size=30))
def test_a_pace_stays_within_what_was_seen(polls: list[tuple[int, int]]) -> None:
    shown, moment = Habits(pace=1.0), NOW
    seen = [1.0]
    for new, hours in polls:
        shown = habits.paced(shown, new, moment, moment + hours * HOUR)
        moment += hours * HOUR
        seen.append(new / (hours / 24))
    assert shown.pace is not None
    assert min(seen) - 1e-9 <= shown.pace <= max(seen) + 1e-9


def test_silence_lets_the_pace_fade_and_what_it_was_is_still_known() -> None:
    shown = Habits(pace=3.0)
    for day in range(20):
        shown = habits.paced(shown, 0, NOW + day * DAY, NOW + (day + 1) * DAY)
    memory = Memory(NOW, habits=shown, new_at=NOW, succeeded_at=NOW + 20 * DAY)

    assert shown.pace is not None
    assert shown.pace < 0.2
    assert habits.pace_at_last_new(memory) == pytest.approx(3.0)
    assert habits.pace_at_last_new(Memory(NOW)) is None


def test_what_is_usual_is_never_less_than_a_days_worth() -> None:
    assert habits.usual(Habits(pace=4.0), NOW - HOUR, NOW) == 4
    assert habits.usual(Habits(pace=4.0), NOW - 3 * DAY, NOW) == 12
    assert habits.usual(Habits(), NOW - DAY, NOW) is None
    assert habits.usual(Habits(pace=4.0), None, NOW) is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (Habits(), HOUR),
        (Habits(pace=0.0, entries=20), 4 * HOUR),
        (Habits(pace=0.1, entries=20), 4 * HOUR),
        (Habits(pace=6.0, entries=20), 2 * HOUR),
        (Habits(pace=12.0, entries=20), HOUR),
        (Habits(pace=12.0, entries=1), DAY / 36),
        (Habits(pace=0.0, entries=0), 4 * HOUR),
    ],
)
def test_a_feed_is_asked_twice_in_its_usual_gap_and_before_its_document_runs_over(
    shown: Habits, expected: timedelta
) -> None:
    assert habits.interval(FEED, shown, 3 * DAY) == expected
    assert habits.interval(FEED, shown, 2 * DAY) == min(expected, HOUR)


def test_the_editor_has_the_last_word_on_how_often_a_feed_is_asked() -> None:
    assert habits.interval(replace(FEED, poll=6 * HOUR), Habits(pace=100.0, entries=5), 9 * DAY) == 6 * HOUR


def test_a_date_beyond_tomorrow_is_not_the_newest() -> None:
    shown = learned(document(entry(1, -400 * DAY), entry(2, -HOUR), entry(3, DAY)))

    assert shown.newest == NOW + HOUR
    assert learned(document(entry(4, 9 * DAY)), shown).newest == NOW + HOUR
    assert learned(document(entry(1))).newest is None


def test_many_publishers_work_is_told_by_a_whole_document_and_not_by_a_few_new_entries() -> None:
    hosts = ("one.example", "two.example", "three.example")
    own, gathered = document(*map(entry, range(6))), document(*(entry(1, host=host) for host in hosts))

    assert not learned(own).gathers
    assert learned(gathered).gathers
    assert learned(replace(own, known=50), learned(gathered)).gathers
    assert not learned(replace(gathered, known=50), learned(own)).gathers


def test_identifiers_that_did_not_identify_once_are_never_trusted_again() -> None:
    once = learned(document(entry(1), shared_ids=True))

    assert once.reuses_ids
    assert learned(document(entry(1)), once).reuses_ids
