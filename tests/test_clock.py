"""The clock contract: every existing local date has one slot, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import clock
from digest.model import Digest


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        pytest.param(date(2026, 2, 10), time(6), "Europe/Berlin", "2026-02-10T05:00", id="an ordinary morning"),
        pytest.param(date(2026, 3, 29), time(2, 30), "Europe/Berlin", "2026-03-29T01:00", id="a gap: first valid"),
        pytest.param(date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T00:30", id="an overlap: the first"),
        pytest.param(date(2026, 9, 6), time(0), "America/Santiago", "2026-09-06T04:00", id="midnight does not exist"),
        pytest.param(date(2026, 10, 4), time(2, 10), "Australia/Lord_Howe", "2026-10-03T15:30", id="half an hour gap"),
        pytest.param(date(2011, 12, 30), time(7), "Pacific/Apia", None, id="a date that Apia skipped"),
        pytest.param(date(2011, 12, 31), time(7), "Pacific/Apia", "2011-12-30T17:00", id="the date after it"),
    ],
)
def test_a_local_time_is_one_moment(day: date, at: time, zone: str, expected: str | None) -> None:
    moment = clock.slot(day, at, zone)

    assert moment == (datetime.fromisoformat(expected).replace(tzinfo=UTC) if expected else None)


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    quarter=st.integers(0, 95),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Africa/Cairo", "Asia/Tehran", "America/Asuncion"]),
)
def test_every_date_has_a_slot_and_slots_of_two_days_are_in_order(day: date, quarter: int, zone: str) -> None:
    at = time(quarter // 4, quarter % 4 * 15)

    first, second = clock.slot(day, at, zone), clock.slot(day + timedelta(days=1), at, zone)

    assert first is not None
    assert second is not None
    assert timedelta(hours=21) < second - first < timedelta(hours=27)
    assert first.astimezone(ZoneInfo(zone)).date() == day


DIGEST = Digest("economy", "Economy", "Europe/Berlin", time(6), ("mon", "tue", "wed", "thu", "fri"))


def test_a_new_digest_owes_only_its_newest_slot() -> None:
    now = datetime(2026, 2, 10, 12, tzinfo=UTC)

    assert clock.due_slots(DIGEST, None, now) == [(date(2026, 2, 10), datetime(2026, 2, 10, 5, tzinfo=UTC))]


def test_slots_missed_since_the_last_edition_are_all_named() -> None:
    now = datetime(2026, 2, 11, 4, tzinfo=UTC)

    days = [day for day, _ in clock.due_slots(DIGEST, date(2026, 2, 5), now)]

    assert days == [date(2026, 2, 6), date(2026, 2, 9), date(2026, 2, 10)]


def test_a_slot_that_has_not_come_is_not_due() -> None:
    before = datetime(2026, 2, 10, 4, 59, 59, tzinfo=UTC)

    assert clock.due_slots(DIGEST, date(2026, 2, 9), before) == []
    assert len(clock.due_slots(DIGEST, date(2026, 2, 9), before + timedelta(seconds=1))) == 1


def test_retries_wait_longer_each_time_and_end() -> None:
    now = datetime(2026, 2, 10, tzinfo=UTC)

    waits = [int((clock.retry_at(attempt, now) - now).total_seconds() // 60) for attempt in range(1, 7)]

    assert waits == [5, 10, 20, 40, 67, 67]
    assert [clock.tries_left(attempt) for attempt in (1, 5, 6)] == [True, True, False]


@given(
    failures=st.integers(0, 1000),
    asked=st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9000)),
    jitter=st.floats(-1, 1),
)
def test_a_poll_is_never_sooner_than_asked_nor_more_than_a_day_away(
    failures: int, asked: timedelta | None, jitter: float
) -> None:
    now, hour = datetime(2026, 2, 10, tzinfo=UTC), timedelta(hours=1)

    wait = clock.next_poll(hour, now, failures=failures, at_least=asked, jitter=jitter) - now

    assert hour * 0.9 <= wait <= timedelta(hours=24)
    assert asked is None or wait >= min(asked, timedelta(hours=24))
    assert failures < 6 or wait >= timedelta(hours=23)


def test_the_next_issue_is_of_the_day_itself_or_of_the_next_on_which_the_digest_comes() -> None:
    weekdays = Digest("economy", "The Economic Digest", days=("mon", "tue", "wed", "thu", "fri"))
    friday, saturday, monday = date(2026, 2, 13), date(2026, 2, 14), date(2026, 2, 16)

    assert [clock.next_issue(weekdays, day) for day in (friday, saturday, monday)] == [friday, monday, monday]
