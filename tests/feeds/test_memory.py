"""What is remembered of a feed from poll to poll: moves, retirements, back-off, and the next time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.memory import Answer, Document, Kept, after_answer, after_failure
from digest.feeds.outcomes import FetchFailed
from digest.model import Feed, Habits, Memory, Move, PollOutcome, Validators

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://wire.example/feed", "Harbour Wire", poll=HOUR)
NEW_HOME = "https://new.example/feed"
READ = Memory(
    NOW, body_hash="h", habits=Habits(pace=5.0, entries=20), read_since=NOW - 9 * DAY, succeeded_at=NOW - HOUR
)
NOTHING = Kept()
UNCHANGED = Answer(304, Validators('"1"'), whole=False)
CHANGED = replace(UNCHANGED, status=200, document=Document("new", b"marks", Habits(pace=5.0, entries=20)))


def answered(memory: Memory, answer: Answer = UNCHANGED, kept: Kept = NOTHING, now: datetime = NOW) -> Memory:
    return after_answer(FEED, memory, answer, kept, now)


def failed(memory: Memory, status: int | None = 500, now: datetime = NOW, **values: object) -> Memory:
    failure = FetchFailed("it failed", status, gone=status in {404, 410}, **values)  # type: ignore[arg-type]
    return after_failure(FEED, memory, failure, now)


def waits(memory: Memory, status: int, count: int) -> list[int]:
    """The hours between so many failures in a row."""
    hours, now = [], NOW
    for _ in range(count):
        memory = failed(memory, status, now)
        hours.append(round((memory.next_poll_at - now) / HOUR))
        now = memory.next_poll_at
    return hours


def test_a_success_clears_every_trace_of_failure() -> None:
    bad = failed(failed(READ, 404), 404, NOW + DAY)
    bad = replace(bad, retired_at=NOW)

    good = answered(bad, now=NOW + 2 * DAY)

    assert (good.failures, good.failing_since, good.missing_since, good.retired_at, good.error) == (0, *[None] * 4)
    assert good.outcome is PollOutcome.NOT_MODIFIED
    assert good.succeeded_at == good.polled_at == NOW + 2 * DAY


def test_a_document_is_remembered_by_its_hash_its_marks_and_what_it_shows() -> None:
    after = answered(READ, CHANGED, Kept(new=2, known=18))

    assert (after.body_hash, after.marks, after.outcome) == ("new", b"marks", PollOutcome.FETCHED)
    assert after.new_at == NOW
    assert after.habits.pace > 5  # type: ignore[operator]
    kept = answered(after, now=NOW + HOUR)
    assert (kept.body_hash, kept.marks, kept.new_at) == ("new", b"marks", NOW)


def test_a_failure_leaves_what_is_known_of_the_document() -> None:
    after = failed(replace(READ, validators=Validators('"1"'), marks=b"m"))

    assert (after.body_hash, after.validators, after.marks, after.error) == ("h", Validators('"1"'), b"m", "it failed")
    assert failed(after, stale=True).validators == Validators()


def test_failures_in_a_row_are_waited_out_twice_as_long_each_time_up_to_a_day() -> None:
    assert waits(READ, 500, 8) == [1, 2, 4, 8, 16, 24, 24, 24]


@pytest.mark.rows(28)
def test_a_server_that_does_not_want_us_is_asked_after_four_hours_and_then_less_and_less() -> None:
    for status in (401, 403, 429, 451):
        assert waits(READ, status, 5) == [4, 8, 16, 24, 24]


@pytest.mark.rows(29)
def test_a_server_that_says_when_is_not_asked_earlier_and_never_earlier_than_usual() -> None:
    patient = failed(READ, 503, retry_after=5 * HOUR)
    assert patient.next_poll_at >= NOW + 5 * HOUR
    impatient = failed(READ, 503, retry_after=timedelta(minutes=1))
    assert impatient.next_poll_at >= NOW + 0.9 * HOUR
    endless = failed(READ, 503, retry_after=timedelta(days=9999))
    assert endless.next_poll_at == NOW + DAY


@pytest.mark.rows(30)
def test_a_server_in_trouble_is_never_given_up() -> None:
    memory = READ
    for day in range(60):
        memory = failed(memory, 500, NOW + day * DAY)
    assert memory.retired_at is None
    assert memory.failing_since == NOW


@pytest.mark.rows(26)
def test_a_feed_that_is_not_found_is_retired_after_thirty_days_of_nothing_else() -> None:
    memory = READ
    for day in range(30):
        memory = failed(memory, 404, NOW + day * DAY)
        assert memory.retired_at is None
    assert failed(memory, 404, NOW + 30 * DAY).retired_at == NOW + 30 * DAY
    interrupted = failed(memory, 500, NOW + 30 * DAY)
    assert failed(interrupted, 404, NOW + 31 * DAY).retired_at is None


@pytest.mark.rows(27)
def test_a_feed_that_is_gone_is_retired_when_that_is_said_again_a_day_later() -> None:
    once = failed(READ, 410)
    assert once.retired_at is None
    assert failed(once, 410, NOW + 23 * HOUR).retired_at is None
    assert failed(once, 410, NOW + DAY).retired_at == NOW + DAY
    assert failed(failed(READ, 404), 410, NOW + DAY).retired_at is None


@pytest.mark.rows(20)
def test_a_permanent_redirect_is_believed_after_three_sightings_over_a_day_with_something_known_in_hand() -> None:
    moved, memory = replace(UNCHANGED, moved_to=NEW_HOME), READ
    for hours in (0, 1, 2, 23):
        memory = answered(memory, moved, now=NOW + hours * HOUR)
        assert memory.address is None
        assert memory.outcome is PollOutcome.MOVED
        assert memory.error == f"moved for good to {NEW_HOME}"
    strange = answered(memory, replace(CHANGED, moved_to=NEW_HOME), Kept(new=9), NOW + DAY)
    assert strange.address is None

    believed = answered(strange, replace(CHANGED, moved_to=NEW_HOME), Kept(new=1, known=1), NOW + DAY + HOUR)

    assert (believed.address, believed.move) == (NEW_HOME, None)
    assert answered(believed, UNCHANGED, now=NOW + 2 * DAY).address == NEW_HOME


@pytest.mark.rows(20)
def test_a_redirect_that_changes_its_mind_begins_anew() -> None:
    memory = answered(READ, replace(UNCHANGED, moved_to=NEW_HOME))
    memory = answered(memory, replace(UNCHANGED, moved_to="https://other.example/"), now=NOW + DAY)
    assert memory.move == Move("https://other.example/", NOW + DAY)
    assert answered(memory, UNCHANGED, now=NOW + DAY).move is None
    assert failed(memory).move is None


def test_a_new_home_that_is_gone_is_left_for_the_old_address() -> None:
    moved = replace(READ, address=NEW_HOME)

    assert failed(moved, 500).address == NEW_HOME
    assert failed(moved, 404).address is None


@pytest.mark.rows(73)
def test_a_document_that_shares_nothing_with_the_one_before_has_run_over() -> None:
    assert answered(READ, CHANGED, Kept(new=20)).overflowed_at == NOW
    assert answered(READ, CHANGED, Kept(new=19, known=1)).overflowed_at is None
    assert answered(READ, CHANGED, Kept(new=20, held=20, reissue=True)).overflowed_at is None
    assert answered(replace(READ, habits=Habits(entries=2)), CHANGED, Kept(new=20)).overflowed_at is None
    assert answered(Memory(NOW), CHANGED, Kept(new=20)).overflowed_at is None


@pytest.mark.rows(36)
def test_what_server_and_document_ask_for_is_honoured_up_to_a_day() -> None:
    asked = replace(CHANGED, fresh_for=3 * HOUR, document=Document("d", b"", Habits(wait=5 * HOUR)))
    assert answered(READ, asked).next_poll_at == NOW + 5 * HOUR
    endless = replace(CHANGED, document=Document("d", b"", Habits(wait=timedelta(minutes=10**9))))
    assert answered(READ, endless).next_poll_at == NOW + DAY


@pytest.mark.rows(36)
def test_a_feed_is_not_called_in_the_hours_and_on_the_days_it_asks_for_rest() -> None:
    def next_after(hours: tuple[int, ...] = (), days: tuple[int, ...] = ()) -> datetime:
        return answered(
            READ, replace(CHANGED, document=Document("d", b"", Habits(silent_hours=hours, silent_days=days)))
        ).next_poll_at

    tuesday = NOW.weekday()
    assert next_after(hours=(6, 7, 8)) == NOW.replace(hour=9)
    assert next_after(days=(tuesday,)) == NOW + 18 * HOUR
    assert next_after(hours=tuple(range(23))) == NOW.replace(hour=23)
    assert next_after(days=(tuesday, (tuesday + 1) % 7)) == NOW + DAY


def test_no_feed_is_called_twice_in_half_an_hour() -> None:
    eager = replace(FEED, poll=timedelta(minutes=1))

    assert after_answer(eager, READ, UNCHANGED, Kept(), NOW).next_poll_at == NOW + timedelta(minutes=30)


def test_feeds_do_not_march_in_step() -> None:
    times = {
        after_answer(replace(FEED, url=f"https://wire.example/{n}"), READ, UNCHANGED, Kept(), NOW).next_poll_at
        for n in range(50)
    }
    assert len(times) > 40
    assert all(0.9 * HOUR <= moment - NOW <= 1.1 * HOUR for moment in times)
