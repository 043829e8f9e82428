"""Pulses: when each part of the service last did its work, and what keeps it from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, update

from digest.store.tables import pulses
from digest.store.upsert import insert_if_absent

_row = pulses.c


class Part(StrEnum):
    """What has a pulse: the tick and what it does, the sender, and what erases what is kept too long."""

    TICK = "tick"
    PUBLISH = "publish"
    POLL = "poll"
    COLLECT = "collect"
    SEND = "send"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Pulse:
    """When a part last did well, and its last episode of trouble: what it was, since when, and until when.

    `until` is None while it lasts; without any trouble ever, `since` is None too.
    """

    well_at: datetime | None = None
    trouble: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def ill(self) -> bool:
        """Whether the trouble lasts."""
        return self.since is not None and self.until is None


def well(connection: Connection, part: Part, now: datetime) -> None:
    """A part has done its work; whatever trouble there was is over."""
    _begin(connection, part)
    mine = _row.part == part
    connection.execute(update(pulses).where(mine).values(well_at=now))
    connection.execute(update(pulses).where(mine, _row.since.is_not(None), _row.until.is_(None)).values(until=now))


def ill(connection: Connection, part: Part, trouble: str, now: datetime) -> None:
    """A part could not do its work. The reason may change while an episode lasts."""
    _begin(connection, part)
    mine = _row.part == part
    over = mine & (_row.since.is_(None) | _row.until.is_not(None))
    connection.execute(update(pulses).where(over).values(since=now, until=None))
    connection.execute(update(pulses).where(mine).values(trouble=trouble))


def last_sign(connection: Connection) -> datetime | None:
    """When any part last did well."""
    return max((pulse.well_at for pulse in standing(connection).values() if pulse.well_at), default=None)


def forget_signs(connection: Connection) -> None:
    """Begin anew: when parts did well was noted by a clock, or in a past, that is no longer believed."""
    connection.execute(update(pulses).values(well_at=None))


def standing(connection: Connection) -> dict[Part, Pulse]:
    """Every part's pulse; one that was never felt is empty."""
    found = {
        Part(row.part): Pulse(row.well_at, row.trouble, row.since, row.until)
        for row in connection.execute(select(pulses))
    }
    return {part: found.get(part, Pulse()) for part in Part}


def _begin(connection: Connection, part: Part) -> None:
    insert_if_absent(connection, pulses, [{"part": part, "trouble": ""}])
