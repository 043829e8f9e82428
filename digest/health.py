"""Whether the service does its work, by the pulses of its parts: what is wrong, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.errors import DatabaseUnreachable, SchemaOutdated
from digest.store import deliveries, pulses, safe_modes, schema
from digest.store import engine as engines
from digest.store.pulses import Part, Pulse

NO_TICK = timedelta(minutes=3)
"""Ticks come every minute."""

ILL_AFTER = timedelta(minutes=2)
"""A relay may be away for a moment; who hears of it at once would soon hear no more of anything."""

NOTHING_SENT = timedelta(minutes=10)
"""For so long something is due and nothing goes, without anybody saying why."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What keeps pages from being answered, in sentences for anybody; what else is to be known; the whole reason for the log."""

    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""


def readiness(engine: Engine, now: datetime) -> Readiness:
    """Whether the database answers and has our schema, and whether ticks come."""
    try:
        schema.check(engine)
        with engines.read(engine) as connection:
            felt = pulses.standing(connection)
    except SchemaOutdated as error:
        return Readiness((str(error),), reason=str(error))
    except DatabaseUnreachable as error:
        # It names the place, and the driver says what it likes.
        return Readiness(("The database does not answer. `digest check` says why.",), reason=str(error))
    return Readiness(notes=_ticks(felt[Part.TICK], now))


def look(engine: Engine, now: datetime) -> tuple[str, ...]:
    """What is wrong now.

    Raises:
        DatabaseUnreachable: it does not answer.
    """
    with engines.read(engine) as connection:
        if doubted := safe_modes.lasting(connection):
            return (f"Safe mode since {doubted.since:%Y-%m-%d %H:%M} UTC: {doubted.sentence}",)
        return faults(pulses.standing(connection), deliveries.due_since(connection), now)


def faults(felt: Mapping[Part, Pulse], waiting_since: datetime | None, now: datetime) -> tuple[str, ...]:
    """What somebody must act on; nothing of what passes by itself, nor of what is merely slow.

    Args:
        felt: the pulse of every part.
        waiting_since: when the oldest delivery that is not yet sent became due; None if none is.
        now: the moment it is about.
    """
    tick, send = felt[Part.TICK], felt[Part.SEND]
    found = [*_ticks(tick, now)]
    if lasting(send, now):
        found.append(f"Nothing is sent since {send.since:%Y-%m-%d %H:%M} UTC: {send.trouble}")
    elif waiting_since and now - max(waiting_since, send.well_at or waiting_since) > NOTHING_SENT:
        found.append(
            f"Mail has been due since {waiting_since:%Y-%m-%d %H:%M} UTC and nothing is sent, for no known reason."
        )
    return tuple(found)


def _ticks(tick: Pulse, now: datetime) -> tuple[str, ...]:
    if tick.well_at and now - tick.well_at <= NO_TICK:
        return ()
    since = f"since {tick.well_at:%Y-%m-%d %H:%M} UTC" if tick.well_at else "yet"
    return (f"There was no tick {since}: neither `digest run` nor `digest schedule` is at work.",)


def lasting(pulse: Pulse, now: datetime) -> bool:
    """Whether a part is in trouble, and for longer than a moment."""
    return pulse.since is not None and pulse.until is None and now - pulse.since >= ILL_AFTER


def is_told(pulse: Pulse, now: datetime, recent: timedelta) -> bool:
    """Whether an episode is one to write to operators about: also when it is over, since mail could not go before."""
    if pulse.since is None or (pulse.until or now) - pulse.since < ILL_AFTER:
        return False
    return pulse.until is None or now - pulse.until < recent
