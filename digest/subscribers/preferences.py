"""What readers change for themselves: leave, come back, choose topics and days, pause. Each change is written down.

Each verb takes the subscription that a signed link named. An erased subscriber's links live on, so it may be gone; a link to
leave then names what the same address has begun since.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, Engine

from digest import clock
from digest.config import Config
from digest.language import Language
from digest.links import address_key
from digest.model import MUTE, WEEKDAYS, Deed, Digest, Subscription, SubscriptionState, Topic, parted
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions

UNDO = timedelta(days=30)
LONGEST_PAUSE = timedelta(days=365)
HOURS = 24

_AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)


class Frequency(StrEnum):
    """How often a reader wants mail of a digest that comes on several days: each time, not at weekends, or once a week."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader can choose, as a `Subscription` has it."""

    topics: tuple[str, ...] = ()
    paused_until: date | None = None
    days: tuple[str, ...] = WEEKDAYS
    text_only: bool = False
    hour: int | None = None
    zone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a save changed, for the page that says so. `everything`: the reader has gone over to all topics.

    `muted` topics are left out from now on, `unmuted` ones may come again without having been chosen. `days` are those on
    which mail comes now, and empty where they are as before; `text_only` is None where that is. `rescheduled`: mail comes at
    another time of the day. `retold`: mails and pages are in another language. `paused_until` is a pause that is new or has
    moved, `unpaused` says that one was lifted.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    everything: bool = False
    muted: tuple[str, ...] = ()
    unmuted: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    text_only: bool | None = None
    rescheduled: bool = False
    retold: bool = False
    paused_until: date | None = None
    unpaused: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


def named(connection: Connection, subscription_id: int) -> Subscription | None:
    """The subscription that a link to leave names, or what an erased one's address has begun since; None without either."""
    found = store.subscription(connection, subscription_id)
    if found is None and (later := store.successor(connection, subscription_id)) is not None:
        return store.subscription(connection, later)
    return found


def leave(engine: Engine, subscription_id: int, now: datetime) -> Subscription | None:
    """End the subscription at once; one that has ended stays as it is. None for an erased subscriber."""
    with engines.write(engine) as connection:
        found = named(connection, subscription_id)
        if found is None:
            return None
        store.end(connection, found.id, now)
        return store.subscription(connection, found.id)


def may_return(subscription: Subscription, now: datetime) -> bool:
    """Whether an end can still be undone by its link. Later it takes a new consent."""
    return (
        subscription.state is SubscriptionState.ENDED
        and subscription.ended_at is not None
        and now - subscription.ended_at <= UNDO
    )


def undo(config: Config, engine: Engine, subscription_id: int, now: datetime) -> Subscription | None:
    """Take back an end, with topics and pause as they were.

    Nothing happens where it is too late for that, or where the address has been suppressed since. The subscription as
    it now stands, or None for an erased subscriber.
    """
    with engines.write(engine) as connection:
        found = named(connection, subscription_id)
        if found is not None and may_return(found, now):
            key = address_key(found.address, config.signing_keys)
            if not suppressions.reasons(connection, [key]):
                store.resume(connection, found.id, now)
                return store.subscription(connection, found.id)
        return found


def choose(engine: Engine, subscription_id: int, wanted: Choice, now: datetime) -> Subscription | None:
    """Keep what a reader chose. The subscription as it now stands; None once erased."""
    with engines.write(engine) as connection:
        before = store.subscription(connection, subscription_id)
        if before is None:
            return None
        store.set_choice(
            connection,
            replace(
                before,
                topics=wanted.topics,
                paused_until=wanted.paused_until,
                days=wanted.days,
                text_only=wanted.text_only,
                hour=wanted.hour,
                zone=wanted.zone,
                language=wanted.language,
            ),
        )
        after = store.subscription(connection, subscription_id)
        if after is not None and (detail := _difference(before, after)):
            store.note(connection, subscription_id, Deed.CHOSE, detail, now)
        return after


def choice(ticked: Collection[str], muted: Collection[str], offered: Collection[Topic]) -> tuple[str, ...]:
    """The topics to keep for these ticks; a topic that is both ticked and muted is muted.

    Where every box is ticked that can be, those to come are meant too, and none is kept but the muted ones.
    """
    left_out = tuple(f"{MUTE}{topic.slug}" for topic in offered if topic.slug in muted)
    chosen = tuple(topic.slug for topic in offered if topic.slug in ticked and topic.slug not in muted)
    return (*(() if len(chosen) + len(left_out) == len(offered) else chosen), *left_out)


def days_of(frequency: str, day: str, digest: Digest) -> tuple[str, ...]:
    """The days of a frequency as a form sends it; a week's one `day`, or the digest's last where that is none of its days."""
    match frequency:
        case Frequency.WEEKLY:
            return (day if day in digest.days else digest.days[-1],)
        case Frequency.WEEKDAYS:
            return WEEKDAYS[:5]
        case _:
            return WEEKDAYS


def frequency_of(days: Collection[str]) -> Frequency:
    """How often mail comes on these days."""
    if len(days) == 1:
        return Frequency.WEEKLY
    return Frequency.DAILY if len(days) == len(WEEKDAYS) else Frequency.WEEKDAYS


def frequencies(digest: Digest) -> tuple[Frequency, ...]:
    """Those between which a digest leaves a choice; none where it comes on one day only."""
    if len(digest.days) == 1:
        return ()
    at_weekends = set(digest.days) - set(WEEKDAYS[:5])
    on_weekdays = set(digest.days) & set(WEEKDAYS[:5])
    return tuple(one for one in Frequency if one is not Frequency.WEEKDAYS or (at_weekends and on_weekdays))


def hour_of(hour: str, zone: str, digest: Digest) -> tuple[int | None, str]:
    """The hour and zone of a form, which leaves the hour empty for press time; the digest's zone where it names none."""
    if not (hour.isascii() and hour.isdecimal() and int(hour[:3]) < HOURS):
        return None, ""
    return int(hour), zone if zone in zones() else digest.zone


def language_of(said: str, offered: Sequence[str]) -> str | None:
    """The language that somebody named by its tag, as it is kept: empty for the site's own, the first of what is `offered`.

    None where it is not offered.
    """
    tags = {tag.casefold(): tag for tag in offered[1:]} | dict.fromkeys(("", *map(str.casefold, offered[:1])), "")
    return tags.get(said.strip().replace("_", "-").casefold())


@cache
def zones() -> tuple[str, ...]:
    """The zones that a reader can choose: those named by a place, and UTC."""
    return tuple(sorted(zone for zone in available_timezones() if zone == "UTC" or zone.partition("/")[0] in _AREAS))


def next_mail(
    digest: Digest, subscription: Subscription, now: datetime, waiting: datetime | None = None
) -> datetime | None:
    """When a reader's next mail is due; None where none is, as for one who has left or chose a day without an edition.

    `waiting` is when an edition comes that is made already and waits for the hour of the reader.
    """
    days = tuple(day for day in digest.days if day in subscription.days)
    if not days or subscription.state is not SubscriptionState.ACTIVE:
        return None
    if waiting is not None and not paused(subscription, now.astimezone(ZoneInfo(digest.zone)).date()):
        return waiting
    press = clock.next_press(replace(digest, days=days), now, subscription.paused_until)
    return press if subscription.hour is None else clock.strike(subscription.hour, subscription.zone, press)


def pause(until: str, today: date, language: Language) -> date | None:
    """The date on which mail shall come again, as a form sends it; None for an empty field or today.

    Raises:
        ValueError: it is no date, lies in the past, or more than a year ahead; the message is for the reader, in the
            language.
    """
    if not until.strip():
        return None
    try:
        day = date.fromisoformat(until.strip())
    except ValueError as error:
        raise ValueError(language.gettext("Please write the date as year-month-day, such as 2026-03-01.")) from error
    if day < today:
        raise ValueError(language.gettext("This date has passed. Please choose a later one, or leave the field empty."))
    if day - today > LONGEST_PAUSE:
        raise ValueError(
            language.gettext("A pause can last up to a year. Please choose an earlier date, or unsubscribe.")
        )
    return day if day > today else None


def paused(subscription: Subscription, today: date) -> date | None:
    """The first date on which mail comes again; None where there is no pause, or it is over."""
    until = subscription.paused_until
    return until if until is not None and until > today else None


def changes(before: Subscription, after: Subscription, offered: Collection[Topic], today: date) -> Changes:
    """The difference between two states of one subscription, in topics' slugs."""
    slugs = tuple(topic.slug for topic in offered)
    (wanted, mute), (wants, mutes) = parted(before.topics), parted(after.topics)
    had, has = set(wanted or slugs) - set(mute), set(wants or slugs) - set(mutes)
    was, until = paused(before, today), paused(after, today)
    everything = bool(wanted) and not wants
    return Changes(
        added=() if everything else tuple(slug for slug in slugs if slug in has - had),
        removed=tuple(slug for slug in slugs if slug in had - has - set(mutes)),
        everything=everything,
        muted=tuple(slug for slug in slugs if slug in set(mutes) - set(mute)),
        unmuted=tuple(slug for slug in slugs if slug in set(mute) - set(mutes) - has),
        days=after.days if after.days != before.days else (),
        text_only=after.text_only if after.text_only != before.text_only else None,
        rescheduled=(after.hour, after.zone) != (before.hour, before.zone),
        retold=after.language != before.language,
        paused_until=until if until != was else None,
        unpaused=was is not None and until is None,
    )


def _difference(before: Subscription, after: Subscription) -> Mapping[str, Any]:
    """What a choice changed, each as it was and as it is, in values that JSON has."""
    pairs: dict[str, list[Any]] = {
        "topics": [list(before.topics), list(after.topics)],
        "days": [list(before.days), list(after.days)],
        "text_only": [before.text_only, after.text_only],
        "hour": [before.hour, after.hour],
        "zone": [before.zone, after.zone],
        "language": [before.language, after.language],
        "paused_until": [str(one.paused_until) if one.paused_until else None for one in (before, after)],
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
