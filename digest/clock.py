"""Every rule about time, as functions of time: slots, windows, retries and polls. Nothing here asks what time it is."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.model import WEEKDAYS, Digest, Window

# The back-off of Postfix's deferred queue, 300 s doubled up to 4,000 s.
RETRY_MINUTES = (5, 10, 20, 40, 67)
LEASE = timedelta(minutes=15)

LONGEST_WAIT = timedelta(days=2)
"""Within that, every hour of the day strikes in every zone, even where one skips a whole date."""

SHORTEST_POLL = timedelta(minutes=30)
LONGEST_POLL = timedelta(hours=24)


def slot(day: date, at: time, zone: str) -> datetime | None:
    """The UTC moment of a local time on a local date.

    A time that a clock change skips becomes the first valid moment after it, one that comes twice the first of the two.
    That may be on the next date: Nuuk's clocks go from 23:00 to midnight in spring. None where the zone skipped the whole
    date, as Apia did with 2011-12-30.
    """
    tz = ZoneInfo(zone)
    first = datetime.combine(day, at, tz)
    moment = first.astimezone(UTC)
    if moment.astimezone(tz).replace(tzinfo=None) != first.replace(tzinfo=None):
        moment = _change_between(first.replace(fold=1).astimezone(UTC), moment, tz)
    before = moment - timedelta(seconds=1)
    return moment if day in {one.astimezone(tz).date() for one in (before, moment)} else None


def _change_between(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The first moment with the new offset, given one moment on either side of a clock change."""
    old = before.astimezone(tz).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def due_slots(digest: Digest, after: date | None, now: datetime, *, look_back: int = 7) -> list[tuple[date, datetime]]:
    """The digest's slots that have passed, oldest first, each with its local date.

    Args:
        digest: whose calendar is asked.
        after: the last date that is settled; slots up to it are left out. None: no edition exists yet, so only the
            newest slot counts, since nobody waited for the older ones.
        now: slots up to this moment have passed.
        look_back: how many days before today are considered.
    """
    today = now.astimezone(ZoneInfo(digest.zone)).date()
    found = []
    for days_ago in range(look_back, -1, -1):
        day = today - timedelta(days=days_ago)
        if WEEKDAYS[day.weekday()] not in digest.days or (after is not None and day <= after):
            continue
        moment = slot(day, digest.press, digest.zone)
        if moment is not None and moment <= now:
            found.append((day, moment))
    return found if after is not None else found[-1:]


def closing_slot(digest: Digest, now: datetime) -> tuple[date, datetime] | None:
    """The slot to come whose edition is closed by now, `review` minutes before it, with its local date; None where none is."""
    today = now.astimezone(ZoneInfo(digest.zone)).date()
    for day in (today, today + timedelta(days=1)):
        moment = slot(day, digest.press, digest.zone) if WEEKDAYS[day.weekday()] in digest.days else None
        if moment is not None and moment - timedelta(minutes=digest.review) <= now < moment:
            return day, moment
    return None


def given_up(digest: Digest, day: date, late: timedelta) -> datetime:
    """From when on nothing can become of a date's edition: the lateness limit after the date has ended."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(digest.zone)).astimezone(UTC) + late


def next_issue(digest: Digest, day: date) -> date:
    """The first date from `day` on that the digest has an edition of."""
    return next(
        later
        for days in range(len(WEEKDAYS))
        if WEEKDAYS[(later := day + timedelta(days=days)).weekday()] in digest.days
    )


def next_press(digest: Digest, now: datetime, first: date | None = None) -> datetime:
    """When the digest's next edition is due, none of a local date before `first`."""
    today = now.astimezone(ZoneInfo(digest.zone)).date()
    day = max(today, first or today)
    while True:
        day = next_issue(digest, day)
        moment = slot(day, digest.press, digest.zone)
        if moment is not None and moment > now:
            return moment
        day += timedelta(days=1)


def strike(hour: int, zone: str, press: datetime) -> datetime:
    """When a full hour of the day first strikes in a zone, at `press` or after it.

    An hour that a clock change skips strikes at the first valid minute after it, one that comes twice the first time only.
    """
    # Yesterday's last hour, where it is skipped, strikes today.
    day = press.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    while (moment := slot(day, time(hour), zone)) is None or moment < press:
        day += timedelta(days=1)
    return moment


def window(press: datetime, hours: float) -> Window:
    """The span of an edition's articles: everything young enough at press time.

    What keeps yesterday's stories out is that they ran, not that they are older than yesterday's press time; so what
    arrived late yesterday is still in time today.
    """
    return Window(press - timedelta(hours=hours), press)


def retry_at(attempt: int, now: datetime) -> datetime:
    """When to try a delivery again after its `attempt`-th try (counted from 1) was put off."""
    return now + timedelta(minutes=RETRY_MINUTES[min(attempt, len(RETRY_MINUTES)) - 1])


def tries_left(attempt: int) -> bool:
    """Whether a delivery put off at its `attempt`-th try may be tried again."""
    return attempt <= len(RETRY_MINUTES)


def next_poll(
    interval: timedelta,
    now: datetime,
    *,
    failures: int = 0,
    first_wait: timedelta = SHORTEST_POLL,
    at_least: timedelta | None = None,
    silent_hours: Collection[int] = (),
    silent_days: Collection[int] = (),
    jitter: float = 0.0,
) -> datetime:
    """When to call on a feed again: no sooner than after half an hour, and whoever asks for more, within a day.

    Args:
        interval: how often we aim to.
        now: the end of this poll.
        failures: polls that failed in a row; each doubles the wait.
        first_wait: what the first of these failures costs at least.
        at_least: what the server or the document asked for (Retry-After, max-age, ttl).
        silent_hours: hours of the day in UTC at which the feed asks not to be called.
        silent_days: days of the week at which it asks not to be called; 0 is Monday.
        jitter: a number in [-1, 1] that moves the time by up to a tenth, so that feeds do not march in step.
    """
    wait = interval * (1 + 0.1 * jitter)
    if failures:
        wait = max(wait, min(max(interval, first_wait) * 2.0 ** min(failures - 1, 10), LONGEST_POLL))
    if at_least is not None:
        wait = max(wait, min(at_least, LONGEST_POLL))
    latest = now + max(wait, LONGEST_POLL)
    moment = now + max(wait, SHORTEST_POLL)
    while moment < latest and (moment.hour in silent_hours or moment.weekday() in silent_days):
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return min(moment, latest)
