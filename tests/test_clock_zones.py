"""Every zone, every change of its clocks from 2020 to 2035, every quarter of an hour: one slot for each date that exists.

What a slot must be is worked out here from the two offsets of the change alone, by another way than `clock.slot` goes.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from digest import clock
from digest.model import Digest

QUARTERS = [time(hour, minute) for hour in range(24) for minute in range(0, 60, 15)]
NOONS = [datetime.combine(date(2020, 1, 1) + timedelta(days=days), time(12)) for days in range(16 * 366)]
"""No zone changes its clocks twice within a day."""

Change = tuple[datetime, timedelta, timedelta]
"""When clocks change, and the offset before and after."""


def changes(zone: ZoneInfo) -> Iterator[Change]:
    offsets = [zone.utcoffset(noon) or timedelta() for noon in NOONS]
    for noon, known, new in zip(NOONS, offsets, offsets[1:], strict=False):
        if known != new:
            before, after = (noon - known).replace(tzinfo=UTC), (noon - new).replace(tzinfo=UTC) + timedelta(days=1)
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) / 2
                unchanged = middle.astimezone(zone).utcoffset() == known
                before, after = (middle, after) if unchanged else (before, middle)
            yield after.replace(microsecond=0), known, new


@pytest.fixture(scope="module")
def zones() -> dict[str, list[Change]]:
    """One zone of each set of zones whose clocks go alike, with its changes."""
    alike: dict[tuple[Change, ...], str] = {}
    for name in sorted(available_timezones()):
        alike.setdefault(tuple(changes(ZoneInfo(name))), name)
    return {name: list(found) for found, name in alike.items()}


def expected(day: date, at: time, change: Change) -> datetime:
    """The first moment at which the clocks show that time or, where they never do, a later one."""
    moment, before, after = change
    shown = datetime.combine(day, at, UTC)
    return shown - before if shown - before < moment else max(moment, shown - after)


def around(change: Change) -> list[date]:
    """The dates that a change can touch, and their neighbours."""
    moment, before, after = change
    first, last = (moment + min(before, after)).date(), (moment + max(before, after)).date()
    return [first + timedelta(days=days) for days in range(-1, (last - first).days + 2)]


def test_all_zones_are_looked_at(zones: dict[str, list[Change]]) -> None:
    assert len(available_timezones()) > 400
    assert len(zones) > 40
    assert sum(map(len, zones.values())) > 1000


def test_every_existing_date_has_one_slot_at_every_quarter_whatever_the_clocks_do(
    zones: dict[str, list[Change]],
) -> None:
    wrong = [
        (zone, day, at, found, expected(day, at, change))
        for zone, found_changes in zones.items()
        for change in found_changes
        for day in around(change)
        for at in QUARTERS
        if (found := clock.slot(day, at, zone)) != expected(day, at, change)
    ]

    assert wrong == []


def test_over_every_change_each_date_is_asked_for_once(zones: dict[str, list[Change]]) -> None:
    """At the times that a change skips or repeats, where an edition could be lost or come twice."""
    wrong = []
    for zone, found_changes in zones.items():
        for change in found_changes:
            moment, before, after = change
            days = around(change)
            touched = [moment + before, moment + after]
            for at in (at for at in QUARTERS if _between(at, *(one.time() for one in sorted(touched)))):
                digest = Digest("economy", "Economy", zone, at)
                asked: dict[date, set[datetime]] = defaultdict(set)
                for hours in range(-12, 37, 12):
                    for day, slot in clock.due_slots(
                        digest, days[0] - timedelta(days=1), moment + timedelta(hours=hours)
                    ):
                        asked[day].add(slot)
                if any(len(slots) != 1 for slots in asked.values()) or not set(days[:-1]) <= set(asked):
                    wrong.append((zone, at, change, dict(asked)))

    assert wrong == []


def _between(at: time, first: time, last: time) -> bool:
    return first <= at < last if first <= last else at >= first or at < last


def test_a_time_that_a_change_over_midnight_skips_is_made_up_for_on_the_next_date() -> None:
    """Toronto's clocks went from 23:30 to 00:30 on 1919-03-30: the date exists, and so does its edition."""
    moment = clock.slot(date(1919, 3, 30), time(23, 45), "America/Toronto")

    assert moment == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Fakaofo", date(2011, 12, 30)),
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
    ],
)
def test_a_date_that_a_zone_skipped_has_no_edition_and_its_neighbours_have_theirs(zone: str, day: date) -> None:
    around_it = [day + timedelta(days=days) for days in (-1, 1)]
    digest = Digest("economy", "Economy", zone)
    now = datetime.combine(day + timedelta(days=3), time(), UTC)

    assert [clock.slot(day, at, zone) for at in QUARTERS] == [None] * len(QUARTERS)
    assert all(clock.slot(one, at, zone) for one in around_it for at in QUARTERS)
    assert day not in dict(clock.due_slots(digest, day - timedelta(days=3), now))
    assert set(around_it) <= set(dict(clock.due_slots(digest, day - timedelta(days=3), now)))
