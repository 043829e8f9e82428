"""How many messages may go in an hour, to a domain in an hour, and in a day: limits that all senders share.

Before a delivery is claimed it is booked into an hour. One that does not fit into this hour waits for the first one with
room, where its place is kept, so that it is put off once, and whoever does fit goes ahead. What is booked counts, whether or not
it is sent in the end; a message that is refused for now and tried again in the same hour counts once.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from digest.config import Sending
from digest.model import Delivery
from digest.store import claims, quotas
from digest.store.quotas import Used, Waiting

HOUR = timedelta(hours=1)
ALL, DAY = "all", "day"

AT_ONCE = 1000
"""How many deliveries are put off in one transaction once an hour is full."""

KEPT = timedelta(days=2)
"""For how long it is known what was used."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of `[delivery]` that all senders share; 0 is none."""

    late: timedelta
    per_hour: int = 0
    per_domain: int = 0
    domains: Mapping[str, int] = field(default_factory=dict)
    warm_up: tuple[int, ...] = ()
    warm_up_from: date = date.min

    @classmethod
    def of(cls, delivery: Sending) -> "Limits":
        """As they are set."""
        return cls(
            late=delivery.late,
            per_hour=delivery.per_hour,
            per_domain=delivery.per_domain,
            domains=dict(delivery.domains),
            warm_up=delivery.warm_up if delivery.warm_up_from else (),
            warm_up_from=delivery.warm_up_from or date.min,
        )

    def hold(self, now: datetime) -> bool:
        """Whether anything is limited now, or may be before what is due now is too late."""
        hourly = self.per_hour or self.per_domain or any(self.domains.values())
        return bool(hourly or self.of_day(now.astimezone(UTC).date()))

    def of_day(self, day: date) -> int:
        """The step of the warm-up that a day has; 0 after the last. Before the first day it is that day's."""
        step = max(0, (day - self.warm_up_from).days)
        return self.warm_up[step] if step < len(self.warm_up) else 0

    def turn(self, day: date, readers: int) -> float:
        """With whom the warm-up goes on on a day: the share of all readers who had their turn on the days before, going round."""
        step = (day - self.warm_up_from).days
        before = sum(self.warm_up[:step]) if step > 0 else step * self.of_day(day)
        return before / max(readers, 1) % 1

    def of_domain(self, domain: str) -> int:
        """Messages an hour to the addresses of a domain."""
        return self.domains.get(domain, self.per_domain)

    def hourly(self, domain: str) -> dict[str, int]:
        """The limits an hour that a message to a domain comes under, by what they count."""
        found = {ALL: self.per_hour, f"@{domain}": self.of_domain(domain)}
        return {scope: most for scope, most in found.items() if most}


class Room(StrEnum):
    """Where there is room for a delivery. Too late: in no hour before its edition is too old."""

    NOW = "now"
    LATER = "later"
    TOO_LATE = "too late"
    WARM_UP = "warm-up"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a delivery belongs: the hour it is booked into, or at which it is looked at again."""

    waiting: Waiting
    room: Room
    hour: datetime


def hour_of(moment: datetime) -> datetime:
    """The hour a moment lies in, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """The beginning of the day a moment lies in, in UTC."""
    return hour_of(moment).replace(hour=0)


def places(waiting: Iterable[Waiting], used: Used, limits: Limits, now: datetime) -> Iterator[Place]:
    """A place for each, in their order. What is booked is added to `used`.

    Who does not fit into a day of the warm-up gets no mail of that day's: to send it on the next would take the place of the
    next edition's.
    """
    this_hour = hour_of(now)
    for one in waiting:
        until = one.due_at + limits.late
        hourly = limits.hourly(one.domain)
        hour = this_hour
        while hour < until and any(used[scope, hour] >= most for scope, most in hourly.items()):
            hour += HOUR
        day = day_of(hour)
        step = limits.of_day(day.date())
        counted = one.booked_for is not None and day_of(one.booked_for) == day
        if not one.domain:
            yield Place(one, Room.NOW, this_hour)
        elif hour >= until:
            yield Place(one, Room.TOO_LATE, this_hour + HOUR)
        elif step and not counted and used[DAY, day] >= step:
            yield Place(one, Room.WARM_UP, hour)
        else:
            for scope in hourly:
                used[scope, hour] += 1
            if step and not counted:
                used[DAY, day] += 1
            yield Place(one, Room.NOW if hour == this_hour else Room.LATER, hour)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long an edition takes at the limits that are set: `hours`, and the limit in words that takes the longest.

    `reached` of the readers are reached in time.
    """

    hours: int
    limit: str
    reached: int


def forecast(readers: int, domains: Mapping[str, int], limits: Limits, per_second: float) -> Forecast | None:
    """What the limits mean for so many readers, of whom the largest domains have these; None where nothing is limited."""
    late = math.ceil(limits.late / HOUR)
    found = []
    if limits.per_hour:
        found.append((readers, limits.per_hour, f"{limits.per_hour:,} an hour"))
    if per_second:
        found.append((readers, math.floor(per_second * 3600), f"{per_second:g} a second"))
    for domain, number in domains.items():
        if most := limits.of_domain(domain):
            found.append((number, most, f"{most:,} an hour to the {number:,} at {domain}"))
    if not found:
        return None
    missed = max(max(0, number - most * late) for number, most, _ in found)
    number, most, limit = max(found, key=lambda one: one[0] / max(one[1], 1))
    return Forecast(math.ceil(number / max(most, 1)), limit, max(0, readers - missed))


def count(connection: Connection, address: str, limits: Limits, now: datetime) -> None:
    """Count a message that goes whatever the limits are, as a letter does."""
    if limits.hold(now):
        more: Used = Counter({(scope, hour_of(now)): 1 for scope in limits.hourly(domain_of(address))})
        if limits.of_day(day_of(now).date()):
            more[DAY, day_of(now)] = 1
        quotas.add(connection, more)


def domain_of(address: str) -> str:
    """What stands behind the @, in small letters."""
    return address.rpartition("@")[2].casefold()


@dataclass
class Quota:
    """The limits as one run keeps them. `rooms` counts what it has looked at by where there was room.

    `more` says whether there is more to look at, though a claim came back with nothing.
    """

    limits: Limits
    rooms: Counter[Room] = field(default_factory=Counter)
    more: bool = False

    def claim(
        self, connection: Connection, now: datetime, limit: int, lease_token: str, lease_until: datetime
    ) -> list[Delivery]:
        """`claims.claim` among those for whom there is room; where nothing is limited, among all."""
        self.more = False
        if not self.limits.hold(now):
            return claims.claim(connection, now, limit, lease_token, lease_until)
        quotas.take_turns(connection)
        quotas.forget(connection, now - KEPT)
        booked, found = self._book(connection, now, limit)
        whole = found < limit
        if booked < limit <= found:
            more_booked, found = self._book(connection, now, AT_ONCE)
            booked, whole = booked + more_booked, found < AT_ONCE
        if not booked and not whole:
            # To look for deliveries that were booked before would be to read all that are still to be put off.
            self.more = True
            return []
        return claims.claim(connection, now, limit, lease_token, lease_until, booked_for=hour_of(now))

    def sentence(self, late_hours: float) -> str:
        """What somebody should know about those who will not be reached; empty if nothing."""
        missed = self.rooms[Room.TOO_LATE]
        if not missed:
            return ""
        every = self.rooms.total()
        return (
            f"At this pace {every - missed:,} of {every:,} readers are reached in time: the limits of [delivery] leave no room "
            f"for the others within late_hours = {late_hours:g}. Their mail expires unless the limits are raised before."
        )

    def _book(self, connection: Connection, now: datetime, limit: int) -> tuple[int, int]:
        """Give a place to so many that have none; how many have it in this hour, and how many there were."""
        hour, day = hour_of(now), day_of(now)
        turn = None
        if (step := self.limits.of_day(day.date())) > quotas.used(connection, {DAY}, day)[DAY, day]:
            turn = self.limits.turn(day.date(), quotas.readers_since(connection, day))
        waiting = quotas.unbooked(connection, now, hour, limit, turn)
        if not waiting:
            return 0, 0
        scopes = {scope for one in waiting for scope in self.limits.hourly(one.domain)} | {DAY}
        used = quotas.used(connection, scopes, day)
        before = used.copy()
        found = list(places(waiting, used, self.limits, now))
        quotas.add(connection, used - before)
        for (room, until), some in _together(found).items():
            match room:
                case Room.NOW:
                    quotas.book(connection, some, until)
                case Room.LATER:
                    quotas.put_off(
                        connection, some, until, now, f"until {until:%H:%M} UTC, when there is room for it", keep=True
                    )
                case Room.TOO_LATE:
                    quotas.put_off(connection, some, until, now, "no room before it is too late", keep=False)
                case Room.WARM_UP:
                    step = self.limits.of_day(until.date())
                    quotas.expire(connection, some, now, f"warm-up: {step:,} messages on {until:%Y-%m-%d}")
        self.rooms.update(place.room for place in found)
        return sum(place.room is Room.NOW for place in found), len(found)


def _together(found: Iterable[Place]) -> dict[tuple[Room, datetime], list[Waiting]]:
    together: dict[tuple[Room, datetime], list[Waiting]] = {}
    for place in found:
        together.setdefault((place.room, place.hour), []).append(place.waiting)
    return together
