"""Calendar files (RFC 5545) of statistics offices and central banks: what is due on some days, and what is wrong with them.

An office's file is somebody else's work that an operator fetched: it may be cut off, mislabelled or made to be costly. What
can be read of it counts, the rest is a fault that names its line; a file as a whole never stops an edition.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar as Parsed
from icalendar import Component, vBroken
from icalendar.timezone import tzp

from digest.config import Calendar, Config
from digest.errors import Fault
from digest.feeds.cleaning import text
from digest.model import Digest, Event

MOST_BYTES = 2 * 1024 * 1024
"""A year of a busy office is a tenth of it."""
MOST_EVENTS = 5000
"""So many take a second or two to read."""
MOST_RULES = 100
"""Offices list their dates; a file with more repeating events than these is no list of releases."""
MOST_A_DAY = 60
LONGEST_TITLE = 160
EACH_DAY_UP_TO = 3
"""An event without hours is due on each of its days if they are so few, as a two-day meeting is; else on the first."""

_CONTENT = re.compile(r"([A-Za-z0-9-]+)[;:]")
_READ = {
    *(
        "BEGIN",
        "END",
        "VERSION",
        "PRODID",
        "X-WR-TIMEZONE",
        "TZID",
        "TZOFFSETFROM",
        "TZOFFSETTO",
        "TZNAME",
        "UID",
        "SUMMARY",
    ),
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "SEQUENCE"),
}
"""What of a calendar matters here. The rest is most of its bytes, and where most of what is wrong stands."""
_ENDLESS = re.compile(r"FREQ=(?:HOURLY|MINUTELY|SECONDLY)|\bBY(?:HOUR|MINUTE|SECOND)=|INTERVAL=(?!0*[1-9])")
# Around the days, for zones far from the digest's and for events of several days.
_MARGIN = timedelta(days=EACH_DAY_UP_TO + 2)
# What a library that trusts its input raises on input that deserves none.
_BAD = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)

_Moment = date | datetime
"""When something starts: a date for what has no hour, else an aware time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a calendar says about the days asked for.

    `whole` is False where nothing of the file could be used. `last` is the date of its last event, None where it has none or
    one that repeats.
    """

    events: tuple[Event, ...] = ()
    faults: tuple[Fault, ...] = ()
    whole: bool = True
    last: date | None = None


def due(config: Config, digest: Digest, day: date) -> tuple[Event, ...]:
    """What the calendars have for the day before an edition's, its own and the next, in order, as far as it concerns the digest.

    What two calendars name alike and time alike is one event. The files are read as they are now.
    """
    days = (day - timedelta(days=1), day, day + timedelta(days=1))
    found: dict[tuple[str, date, datetime | None], Event] = {}
    for calendar in config.calendars:
        for event in read(config.home, calendar, days, digest.zone).events:
            if not digest.topics or not event.topics or set(event.topics) & set(digest.topics):
                found.setdefault(_same(event), event)
    return tuple(sorted(found.values(), key=in_order))


def in_order(event: Event) -> tuple[date, float, str]:
    """What events are sorted by: of a day first what has no hour."""
    return event.day, event.start.timestamp() if event.start else float("-inf"), event.title


def read(home: Path, calendar: Calendar, days: Sequence[date], zone: str) -> Reading:
    """Read a calendar's file for what is due on some days, which are those of `zone`."""
    file = home / calendar.file
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return _useless(file, "the file is missing; fetch it, or take its [[calendar]] out of digest.toml")
    except OSError as error:
        return _useless(file, f"cannot be read: {error.strerror or error}")
    return parsed(data, calendar, file, days, zone)


def parsed(data: bytes, calendar: Calendar, file: Path, days: Sequence[date], zone: str) -> Reading:
    """The content of a calendar's file. Pure.

    Args:
        data: the file's bytes.
        calendar: what the operator says about it.
        file: where it lies, for the faults.
        days: the days asked for, in order.
        zone: whose days these are, and whose time counts where the calendar names none.
    """
    if len(data) > MOST_BYTES:
        return _useless(file, f"is larger than {MOST_BYTES // 1024} kB; fetch one that holds fewer years")
    faults: list[Fault] = []
    content = _content(_decoded(data), file, faults)
    if not re.search(r"^BEGIN:VCALENDAR", content, re.MULTILINE | re.IGNORECASE):
        return _useless(file, "is no calendar: it has no BEGIN:VCALENDAR. Is it a web page?")
    lines = [number for number, line in enumerate(content.split("\n"), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    if len(lines) > MOST_EVENTS:
        return _useless(file, f"has {len(lines):,} events, more than {MOST_EVENTS:,}; fetch one that holds fewer years")
    # The library would know a zone of one file's own in the next one too.
    tzp.use_default()
    try:
        documents = Parsed.from_ical(content, multiple=True)
    except _BAD as error:
        return _useless(file, f"cannot be read as a calendar: {_shown(error)}")
    if not documents:
        return _useless(file, "cannot be read as a calendar: what it begins does not end")
    book = _Book(calendar, file, days, zone, faults)
    for document in documents:
        floating = book.floating(document)
        for component in document.walk("VEVENT"):
            book.take(component, floating, lines.pop(0) if lines else 0)
    return book.reading()


@dataclass
class _Taken:
    """One VEVENT that could be read."""

    title: str
    start: _Moment
    component: Component
    line: int
    sequence: int
    instance: _Moment | None
    cancelled: bool


@dataclass
class _Book:
    """Collects the events of a file, and then says what is due."""

    calendar: Calendar
    file: Path
    days: Sequence[date]
    zone: str
    faults: list[Fault]
    by_uid: dict[str, list[_Taken]] = field(default_factory=lambda: defaultdict(list))
    rules: int = 0

    def floating(self, document: Any) -> tzinfo:
        """The zone of times that name none."""
        name = str(document.get("X-WR-TIMEZONE") or "").strip()
        if not name:
            return ZoneInfo(self.zone)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            self._fault(
                0, f"is in the time zone “{text.cut(text.plain(name), 60)}”, which nobody knows; read as {self.zone}"
            )
            return ZoneInfo(self.zone)

    def take(self, component: Component, floating: tzinfo, line: int) -> None:
        """Note an event, or why it is none."""
        for name, reason in component.errors:
            self._fault(line, f"{name or 'a line of this event'} cannot be read: {_shown(reason)}")
        try:
            title = text.cut(text.plain(str(_first(component, "SUMMARY") or "")), LONGEST_TITLE)
            start = self._moment(component, "DTSTART", floating, line)
            instance = self._moment(component, "RECURRENCE-ID", floating, line)
            status = str(_first(component, "STATUS") or "").strip().upper()
            uid = str(_first(component, "UID") or f"line {line}")
            sequence = int(_first(component, "SEQUENCE") or 0)
        except _BAD as error:
            self._fault(line, f"this event cannot be read: {_shown(error)}")
            return
        cancelled = status == "CANCELLED"
        if start and (title or cancelled):
            self.by_uid[uid].append(_Taken(title, start, component, line, sequence, instance, cancelled))
        elif not component.errors:
            missing = "SUMMARY, so nobody knows what it is" if start else "DTSTART, so nobody knows when it is"
            self._fault(line, f"this event has no {missing}")

    def reading(self) -> Reading:
        """What was taken, as what is due on the days."""
        found: dict[tuple[str, date, datetime | None], Event] = {}
        last: list[date] = []
        repeats = False
        for taken in self.by_uid.values():
            newest = max((one.sequence for one in taken if one.instance is None), default=0)
            moved = {_instant(one.instance) for one in taken if one.instance}
            for one in taken:
                # The same event once more with a lower sequence is as it was planned before.
                if one.cancelled or (one.sequence < newest and one.instance is None):
                    continue
                repeats = repeats or "RRULE" in one.component
                last.append(self._day(one.start))
                for event in self._events(one, moved if one.instance is None else set()):
                    found.setdefault(_same(event), event)
        return Reading(
            tuple(self._fitting(found.values())), tuple(self.faults), True, None if repeats else max(last, default=None)
        )

    def _fitting(self, events: Any) -> Iterator[Event]:
        kept = sorted(events, key=in_order)
        for day in self.days:
            of_day = [event for event in kept if event.day == day]
            if len(of_day) > MOST_A_DAY:
                self._fault(0, f"has {len(of_day)} events on {day}; the first {MOST_A_DAY} count")
            yield from of_day[:MOST_A_DAY]

    def _events(self, one: _Taken, moved: set[_Moment]) -> Iterator[Event]:
        topics = self._topics(one.title)
        if topics is None:
            return
        try:
            starts = [start for start in self._starts(one) if _instant(start) not in moved]
            for start in starts:
                for day in self._on(start, one.component):
                    if day in self.days:
                        hour = start.astimezone(UTC) if isinstance(start, datetime) else None
                        yield Event(one.title, day, hour, self.calendar.name, topics)
        except _BAD as error:
            self._fault(one.line, f"this event cannot be read: {_shown(error)}")

    def _topics(self, title: str) -> tuple[str, ...] | None:
        """What an event bears on; None for one that the calendar's words leave out."""
        said = f" {text.words(title)} "
        matched = [
            topic
            for match in self.calendar.match
            if any(f" {text.words(words)} " in said for words in match.words)
            for topic in match.topics
        ]
        topics = tuple(dict.fromkeys([*self.calendar.topics, *matched]))
        return None if self.calendar.match and not topics else topics

    def _day(self, start: _Moment) -> date:
        return start.astimezone(ZoneInfo(self.zone)).date() if isinstance(start, datetime) else start

    def _on(self, start: _Moment, component: Component) -> list[date]:
        """The dates, where the digest is, on which something that begins at `start` is due."""
        if isinstance(start, datetime):
            return [self._day(start)]
        end, lasts = _first(component, "DTEND"), _first(component, "DURATION")
        span = (
            lasts.dt.days
            if lasts is not None
            else (_date(end.dt) - _date(_first(component, "DTSTART").dt)).days
            if end
            else 1
        )
        return [start + timedelta(days=more) for more in range(span if 1 < span <= EACH_DAY_UP_TO else 1)]

    def _starts(self, one: _Taken) -> Iterator[_Moment]:
        """When an event begins, as far as it is near the days: by itself, and as often as it repeats."""
        zone = one.start.tzinfo if isinstance(one.start, datetime) else None
        near = datetime.combine(self.days[0], time()) - _MARGIN, datetime.combine(self.days[-1], time()) + _MARGIN
        first = (
            one.start.replace(tzinfo=None) if isinstance(one.start, datetime) else datetime.combine(one.start, time())
        )
        starts = {first, *self._repeated(one, first, near)} if one.instance is None else {first}
        moments: list[_Moment] = [
            moment.replace(tzinfo=zone) if zone else moment.date()
            for moment in sorted(starts)
            if near[0] <= moment <= near[1]
        ]
        if one.instance is None:
            moments += self._listed(one, "RDATE", zone)
        excluded = {_instant(moment) for moment in self._listed(one, "EXDATE", zone)}
        # Some write the date alone of what they take out.
        yield from (moment for moment in moments if _instant(moment) not in excluded and _date(moment) not in excluded)

    def _repeated(self, one: _Taken, first: datetime, near: tuple[datetime, datetime]) -> Iterator[datetime]:
        for rule in _all(one.component, "RRULE"):
            self.rules += 1
            if self.rules > MOST_RULES:
                if self.rules == MOST_RULES + 1:
                    self._fault(
                        one.line,
                        f"more than {MOST_RULES} events repeat; of this one and later ones the first time counts",
                    )
            elif first <= near[1]:
                try:
                    yield from _by_rule(rule, first, near, one.start)
                except _BAD as error:
                    self._fault(
                        one.line,
                        f"how this event repeats cannot be read, so its first time counts alone: {_shown(error)}",
                    )

    def _listed(self, one: _Taken, name: str, zone: tzinfo | None) -> list[_Moment]:
        moments: list[_Moment] = []
        for listed in _all(one.component, name):
            for value in listed.dts:
                moment = value.dt[0] if isinstance(value.dt, tuple) else value.dt
                naive = isinstance(moment, datetime) and moment.tzinfo is None
                moments.append(moment.replace(tzinfo=zone or ZoneInfo(self.zone)) if naive else moment)
        return moments

    def _moment(self, component: Component, name: str, floating: tzinfo, line: int) -> _Moment | None:
        value = _first(component, name)
        if value is None:
            return None
        moment = value.dt
        if not isinstance(moment, date):
            raise ValueError(f"{name} is no date")  # noqa: TRY004  # a value of the file, not a call
        if not isinstance(moment, datetime):
            return moment
        if moment.tzinfo is None:
            if named := value.params.get("TZID"):
                self._fault(
                    line,
                    f"{name} is in the time zone “{text.cut(text.plain(str(named)), 60)}”, which nobody knows; read as {floating}",
                )
            moment = moment.replace(tzinfo=floating)
        return moment

    def _fault(self, line: int, message: str) -> None:
        self.faults.append(Fault(self.file, line, message))


def _by_rule(rule: Any, first: datetime, near: tuple[datetime, datetime], start: _Moment) -> Iterator[datetime]:
    """The times of a rule near some days, in the event's own time.

    A rule that never falls on any day is followed to the end of the year 9999. The Gregorian calendar repeats itself every 400
    years, so the rule is followed where that end is near.
    """
    until = rule.pop("UNTIL", [None])[0]
    ages = (9999 - near[1].year) // 400 * 400
    low, high, begins = (moment.replace(year=moment.year + ages) for moment in (*near, first))
    if isinstance(until, datetime):
        until = (
            until.astimezone(start.tzinfo).replace(tzinfo=None)
            if until.tzinfo and isinstance(start, datetime)
            else until.replace(tzinfo=None)
        )
    elif until:
        until = datetime.combine(until, time.max)
    for moment in rrulestr(rule.to_ical().decode(), dtstart=begins, ignoretz=True).between(low, high, inc=True):
        back = moment.replace(year=moment.year - ages)
        if until is None or back <= until:
            yield back


def _decoded(data: bytes) -> str:
    """The text of a file: UTF-8 as it should be, or what else it says or must be."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _content(written: str, file: Path, faults: list[Fault]) -> str:
    """The lines that are content lines (RFC 5545, 3.1), each where it stood; the end, where it is cut off.

    One line that is none would make the whole file unreadable.
    """
    kept: list[str] = []
    begins, of_a_zone = -1, False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", written.replace("\0", ""))):
        # What is folded goes to where it begins, and an empty line keeps the numbers of those after it.
        if line.startswith((" ", "\t")):
            kept.append("")
            if begins >= 0:
                kept[begins] += line[1:]
            continue
        name = _CONTENT.match(line)
        if name is None and line.strip():
            faults.append(Fault(file, number + 1, f"is no line of a calendar, and left out: {_shown(line)}"))
        begins = number if name and name[1].upper() in _READ else -1
        kept.append(line if begins >= 0 else "")
    for number, line in enumerate(kept):
        said = line.strip().upper()
        if said.endswith(":VTIMEZONE"):
            of_a_zone = said.startswith("BEGIN")
        elif said.startswith("RRULE") and (_ENDLESS.search(said) or (of_a_zone and "FREQ=YEARLY" not in said)):
            faults.append(Fault(file, number + 1, f"is a rule for more than releases, and left out: {_shown(line)}"))
            kept[number] = ""
    ends = [(number, line.strip().upper()) for number, line in enumerate(kept) if line.upper().startswith("END:")]
    if ends and ends[-1][1] != "END:VCALENDAR":
        last = max((number for number, line in ends if line == "END:VEVENT"), default=0)
        faults[:] = [fault for fault in faults if fault.line <= last]
        faults.append(Fault(file, last + 1, "ends in the middle; what stands up to here is read"))
        kept = [*kept[: last + 1], "END:VCALENDAR"]
    return "\n".join(kept)


def _useless(file: Path, message: str) -> Reading:
    return Reading(faults=(Fault(file, 0, message),), whole=False)


def _all(component: Component, name: str) -> list[Any]:
    """The values that could be read; why others could not stands among the component's errors."""
    value = component.get(name)
    values = [] if value is None else value if isinstance(value, list) else [value]
    return [one for one in values if not isinstance(one, vBroken)]


def _first(component: Component, name: str) -> Any:
    return next(iter(_all(component, name)), None)


def _date(moment: _Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _instant(moment: _Moment) -> _Moment:
    """What tells two starts apart: the moment, whichever zone it is told in."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _same(event: Event) -> tuple[str, date, datetime | None]:
    return text.words(event.title), event.day, event.start


def _shown(reason: object) -> str:
    return text.cut(text.plain(str(reason)), 120)
