"""A calendar's file says what is due; whatever of it can be read counts, and the rest is a fault with its line."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.config import Calendar, Match
from digest.editions import calendars
from digest.editions.calendars import Reading
from digest.model import Digest, Event
from tests.editions.ics import NORLAND, PLAIN, document, event, put
from tests.editions.stock import CONFIG

DAY = date(2026, 2, 10)
DAYS = (DAY - timedelta(days=1), DAY, DAY + timedelta(days=1))
FILE = Path("plain.ics")
BERLIN = ";TZID=Europe/Berlin:20260210T143000"


def read(*parts: str, calendar: Calendar = PLAIN, zone: str = "Europe/London", says: str = "") -> Reading:
    return calendars.parsed(document(*parts, zone=says), calendar, FILE, DAYS, zone)


def starts(*parts: str, says: str = "") -> list[datetime | None]:
    return [event.start for event in read(*parts, says=says).events]


def told(reading: Reading) -> list[str]:
    return [str(fault) for fault in reading.faults]


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def custom_zone(offset: str) -> str:
    part = (
        f"BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\n"
    )
    return f"BEGIN:VTIMEZONE\r\nTZID:Our Office\r\n{part}END:VTIMEZONE\r\n"


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (":20260210T133000Z", utc(10, 13, 30)),
        (BERLIN, utc(10, 13, 30)),
        (";TZID=W. Europe Standard Time:20260210T143000", utc(10, 13, 30)),
        (":20260210T143000", utc(10, 14, 30)),
    ],
)
def test_a_time_is_told_in_utc_whichever_zone_it_was_given_in(start: str, expected: datetime) -> None:
    assert starts(event("Policy rate", start)) == [expected]


def test_a_time_without_a_zone_is_the_calendars_own_or_else_the_digests() -> None:
    floating = event("Policy rate", ":20260210T143000")

    assert starts(floating, says="America/New_York") == [utc(10, 19, 30)]
    reading = read(floating, says="Middle/Earth")
    assert [one.start for one in reading.events] == [utc(10, 14, 30)]
    assert told(reading) == ["plain.ics: is in the time zone “Middle/Earth”, which nobody knows; read as Europe/London"]


def test_a_zone_of_the_files_own_counts_and_one_that_nobody_knows_is_named_with_its_line() -> None:
    own = event("Policy rate", ";TZID=Our Office:20260210T143000")

    assert starts(custom_zone("+0300"), own) == starts(own, custom_zone("+0300")) == [utc(10, 11, 30)]
    reading = read(own)
    assert [one.start for one in reading.events] == [utc(10, 14, 30)]
    assert told(reading) == [
        "plain.ics:4: DTSTART is in the time zone “Our Office”, which nobody knows; read as Europe/London"
    ]


def test_a_known_zone_is_itself_whatever_the_file_says_of_it() -> None:
    wrong = custom_zone("+0900").replace("Our Office", "Europe/Berlin")

    assert starts(wrong, event("Policy rate", BERLIN)) == [utc(10, 13, 30)]


def test_the_day_is_that_of_the_digest() -> None:
    late = event("Policy rate", ":20260210T230000Z")

    (one,) = read(late, zone="Asia/Tokyo").events

    assert (one.day, one.start) == (date(2026, 2, 11), utc(10, 23))


def test_what_has_a_date_alone_has_no_hour_and_stands_on_that_date_in_every_zone() -> None:
    whole = event("Holiday", ";VALUE=DATE:20260210")

    for zone in ("Pacific/Kiritimati", "Pacific/Honolulu"):
        assert read(whole, zone=zone).events == (Event("Holiday", DAY, None, PLAIN.name, PLAIN.topics),)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [("DTEND;VALUE=DATE:20260211", [9, 10]), ("DURATION:P3D", [9, 10, 11]), ("DTEND;VALUE=DATE:20260301", [9])],
)
def test_a_meeting_of_two_days_is_due_on_both_and_a_season_on_its_first(ends: str, expected: list[int]) -> None:
    reading = read(event("Council meeting", ";VALUE=DATE:20260209", ends))

    assert [one.day.day for one in reading.events] == expected


# ── repeating ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("RRULE:FREQ=DAILY",), [9, 10, 11]),
        (("RRULE:FREQ=MONTHLY;BYDAY=2TU",), [10]),
        (("RRULE:FREQ=DAILY;UNTIL=20260210T133000Z",), [9, 10]),
        (("RRULE:FREQ=DAILY;UNTIL=20260210",), [9, 10]),
        (("RRULE:FREQ=DAILY;COUNT=3",), []),
        (("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",), []),
        (("RRULE:FREQ=DAILY", "EXDATE:20260210T133000Z"), [9, 11]),
        (("RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Berlin:20260209T143000,20260211T143000"), [10]),
        (("RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20260210"), [9, 11]),
        (("RDATE;TZID=Europe/Berlin:20260211T143000",), [11]),
    ],
)
def test_an_event_repeats_as_its_rules_say(lines: tuple[str, ...], days: list[int]) -> None:
    found = starts(event("Weekly report", ";TZID=Europe/Berlin:20200107T143000", *lines))

    assert found == [utc(day, 13, 30) for day in days]


def test_a_repeating_event_keeps_its_hour_when_the_clocks_change() -> None:
    summer = event("Weekly report", ";TZID=Europe/Berlin:20250701T143000", "RRULE:FREQ=DAILY")

    assert starts(summer)[1] == utc(10, 13, 30)


def test_one_time_of_a_row_is_moved_or_cancelled_by_itself() -> None:
    row = event("Report", BERLIN, "RRULE:FREQ=DAILY", uid="row")
    moved = event("Report", ";TZID=Europe/Berlin:20260210T160000", "RECURRENCE-ID:20260210T133000Z", uid="row")
    later = moved.replace("END:VEVENT", "SEQUENCE:3\r\nEND:VEVENT")
    gone = event("Report", ":20260211T133000Z", "RECURRENCE-ID:20260211T133000Z", "STATUS:CANCELLED", uid="row")

    assert starts(row, moved) == [utc(10, 15), utc(11, 13, 30)]
    assert starts(row, later, gone) == [utc(10, 15)]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "freq=hourly",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1",
        "FREQ=SEC\r\n ONDLY",
    ],
)
def test_what_repeats_within_a_day_counts_once_and_is_named(rule: str) -> None:
    reading = read(event("Tick", BERLIN, f"RRULE:{rule}"))

    assert [one.start for one in reading.events] == [utc(10, 13, 30)]
    (fault,) = told(reading)
    assert fault.startswith("plain.ics:7: is a rule for more than releases, and left out: RRULE:")


def test_a_zone_that_changes_each_second_holds_up_nothing() -> None:
    zone = custom_zone("+0300").replace("END:STANDARD", "RRULE:FREQ=SECONDLY\r\nEND:STANDARD")

    assert starts(zone, event("Policy rate", ";TZID=Our Office:20260210T143000")) == [utc(10, 11, 30)]


def test_rules_beyond_the_most_count_once_and_are_named_once() -> None:
    many = [event(f"Report {number}", BERLIN, "RRULE:FREQ=DAILY") for number in range(calendars.MOST_RULES + 5)]

    reading = read(*many)

    assert sum(one.day == date(2026, 2, 11) for one in reading.events) <= calendars.MOST_A_DAY
    assert sum("more than 100 events repeat" in one for one in told(reading)) == 1


# ── what ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_title_is_plain_words_of_bounded_length() -> None:
    hostile = event("<script>x()</script><b>Prices</b>\\, =?utf-8?q?a?= \u202eup" + " and down" * 99, BERLIN)

    (one,) = read(hostile).events

    assert one.title.startswith("Prices, = ?utf-8?q?a?= up and down")
    assert len(one.title) <= calendars.LONGEST_TITLE
    assert "<" not in one.title


def test_what_is_cancelled_or_planned_anew_or_told_twice_stands_once_or_not_at_all() -> None:
    off = event("Minutes", BERLIN, "STATUS:CANCELLED")
    first = event("Policy rate", ":20260210T100000Z", uid="rate")
    again = event("Policy rate", ":20260211T100000Z", "SEQUENCE:1", uid="rate")
    same = event("Policy  RATE", ":20260211T100000Z", uid="other")

    assert starts(off) == []
    assert starts(first, again, same) == [utc(11, 10)]


def test_different_events_that_share_an_identifier_all_stand() -> None:
    assert len(read(event("One", BERLIN, uid="x"), event("Two", BERLIN, uid="x")).events) == 2


def test_words_of_the_title_say_what_an_event_bears_on_and_leave_out_the_rest() -> None:
    prices, births = event("Consumer Price Index, January", BERLIN), event("Births and deaths", BERLIN)
    pricey = event("Consumer prices", BERLIN)

    assert [(one.title, one.topics) for one in read(prices, births, pricey, calendar=NORLAND).events] == [
        ("Consumer Price Index, January", ("inflation",))
    ]
    with_topics = replace(NORLAND, topics=("statistics",), match=(*NORLAND.match, Match(("index",), ("growth",))))
    assert [one.topics for one in read(births, prices, calendar=with_topics).events] == [
        ("statistics",),
        ("statistics", "inflation", "growth"),
    ]
    assert [one.topics for one in read(births, calendar=Calendar("x.ics", "X")).events] == [()]


def test_a_day_holds_so_many_events_and_no_more() -> None:
    reading = read(*(event(f"Release {number:03}", BERLIN) for number in range(70)))

    assert len(reading.events) == calendars.MOST_A_DAY
    assert told(reading) == ["plain.ics: has 70 events on 2026-02-10; the first 60 count"]


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"<html><body>Not found</body></html>", "is no calendar: it has no BEGIN:VCALENDAR. Is it a web page?"),
        (b"", "is no calendar: it has no BEGIN:VCALENDAR. Is it a web page?"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "cannot be read as a calendar: what it begins does not end"),
        (b"\0" * (calendars.MOST_BYTES + 1), "is larger than 2048 kB; fetch one that holds fewer years"),
        (
            document(*[event("x", ":20260210")] * (calendars.MOST_EVENTS * 2)),
            "has 10,000 events, more than 5,000; fetch one that holds fewer years",
        ),
    ],
    ids=["page", "empty", "unended", "large", "many"],
)
def test_a_file_of_which_nothing_can_be_used_is_a_fault_that_says_what_to_do(content: bytes, fault: str) -> None:
    reading = calendars.parsed(content, PLAIN, FILE, DAYS, "UTC")

    assert (reading.events, reading.whole) == ((), False)
    assert told(reading)[-1] == f"plain.ics: {fault}"


def test_one_broken_event_or_line_does_not_take_the_others_with_it() -> None:
    good = event("Policy rate", BERLIN)
    broken = event("When?", ":2026-02-10 14:30")
    nameless, timeless = event("", BERLIN), event("x", ":20260210").replace("DTSTART:20260210\r\n", "")

    reading = read("<p>a word from our sponsor</p>\r\n", broken, nameless, timeless, good)

    assert [one.title for one in reading.events] == ["Policy rate"]
    assert told(reading) == [
        "plain.ics:4: is no line of a calendar, and left out: a word from our sponsor",
        "plain.ics:5: DTSTART cannot be read: Wrong datetime format: 2026-02-10 14:30",
        "plain.ics:9: this event has no SUMMARY, so nobody knows what it is",
        "plain.ics:13: this event has no DTSTART, so nobody knows when it is",
    ]


def test_a_file_that_is_cut_off_is_read_up_to_there() -> None:
    whole = document(event("Policy rate", BERLIN), event("Minutes", BERLIN))

    reading = calendars.parsed(whole[:-40], PLAIN, FILE, DAYS, "UTC")

    assert [one.title for one in reading.events] == ["Policy rate"]
    assert told(reading) == ["plain.ics:7: ends in the middle; what stands up to here is read"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_encoding_it_has(encoding: str) -> None:
    content = document(event("Prix à la consommation", BERLIN)).decode().encode(encoding)

    (one,) = calendars.parsed(content, PLAIN, FILE, DAYS, "UTC").events

    assert one.title == "Prix à la consommation"


_PIECES = st.sampled_from(
    [
        *("BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD"),
        *("DTSTART:20260210", "DTSTART:20260210T143000Z", "DTSTART;TZID=X:20260210T143000", "DTSTART:00010101T000000"),
        *("DTSTART:99991231T235959", "DTSTART;VALUE=TIME:143000", "DTEND:20260212", "DTEND:20260210T000000Z"),
        *("DURATION:P2D", "DURATION:-P1D", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;UNTIL=20270101", "RRULE:X", "TZID:X"),
        *("RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=DAILY;COUNT=-1", "EXDATE:20260210", "EXDATE:x", "RDATE:20260211"),
        *(
            "RECURRENCE-ID:20260210",
            "RECURRENCE-ID:x",
            "SEQUENCE:x",
            "SEQUENCE:9",
            "STATUS:CANCELLED",
            "UID:1",
            "UID:2",
        ),
        *("SUMMARY:Policy rate", "SUMMARY:", "TZOFFSETTO:+9999", "TZOFFSETFROM:+0100", " folded", "BEGIN:VCALENDAR"),
        *(
            "END:VCALENDAR",
            "X-WR-TIMEZONE:..",
            "RDATE;VALUE=PERIOD:20260210T000000Z/PT1H",
            "BEGIN:VALARM",
            "END:VALARM",
        ),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=st.lists(st.one_of(_PIECES, st.text(max_size=20)), max_size=25), noise=st.binary(max_size=10))
def test_no_file_stops_an_edition(lines: list[str], noise: bytes) -> None:
    content = document("".join(f"{line}\r\n" for line in ["BEGIN:VEVENT", *lines, "END:VEVENT"])) + noise

    reading = calendars.parsed(content, PLAIN, FILE, DAYS, "Europe/London")

    assert all(one.day in DAYS and one.title for one in reading.events)
    assert all(one.start is None or one.start.tzinfo is UTC for one in reading.events)


# ── of a digest ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_files_are_read_as_they_are_now_and_a_missing_one_is_left_out(tmp_path: Path) -> None:
    config = replace(CONFIG, home=tmp_path, calendars=(PLAIN, NORLAND))
    digest = Digest("economy", "Economy", zone="Europe/London")
    put(tmp_path, PLAIN, event("Policy rate", BERLIN))

    first = calendars.due(config, digest, DAY)
    put(tmp_path, PLAIN, event("Minutes", BERLIN), event("Consumer price index", BERLIN))
    put(tmp_path, NORLAND, event("Consumer price index", BERLIN))
    second = calendars.due(config, digest, DAY)

    assert [one.title for one in first] == ["Policy rate"]
    assert [(one.title, one.calendar) for one in second] == [
        ("Consumer price index", PLAIN.name),
        ("Minutes", PLAIN.name),
    ]
    assert calendars.due(config, replace(digest, topics=("inflation",)), DAY)[0].calendar == NORLAND.name


def test_a_missing_file_and_a_folder_in_its_place_are_faults(tmp_path: Path) -> None:
    (tmp_path / "folder.ics").mkdir()

    missing = calendars.read(tmp_path, PLAIN, DAYS, "UTC")
    folder = calendars.read(tmp_path, Calendar("folder.ics", "X"), DAYS, "UTC")

    assert told(missing) == [
        f"{tmp_path / 'plain.ics'}: the file is missing; fetch it, or take its [[calendar]] out of digest.toml"
    ]
    assert told(folder) == [f"{tmp_path / 'folder.ics'}: cannot be read: Is a directory"]
