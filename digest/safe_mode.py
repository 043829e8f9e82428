"""Safe mode: nothing is mailed to readers, and no edition published, until an operator has looked.

It begins when the time or the ledger is in doubt: the clock was set by a day or more, or the database knows nothing of
the last hours although an edition is being sent, as after a backup was restored, and then what it calls queued may long
have been sent. To be wrong about it costs a look; not to notice could mail everybody twice.
"""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.model import Doubt, SafeMode
from digest.store import deliveries, pulses, safe_modes
from digest.store import engine as engines

STEP = timedelta(hours=24)
GAP = timedelta(hours=6)
HOW_TO_LEAVE = "Nothing is mailed until `digest safe-mode --leave --reason …` says that all is well."


def in_force(engine: Engine) -> SafeMode | None:
    """Why the service is in safe mode; None where it is not."""
    with engines.read(engine) as connection:
        return safe_modes.lasting(connection)


def look(engine: Engine, now: datetime, late: timedelta, step: timedelta = timedelta()) -> SafeMode | None:
    """Why the service is in safe mode, which begins here where it must; None where it is not.

    Args:
        engine: the database.
        now: what time it is.
        late: how long after its publication an edition is still sent; what is older is not mailed anyway.
        step: by how much the clock was set since somebody looked at it last.
    """
    with engines.read(engine) as connection:
        if found := safe_modes.lasting(connection):
            return found
        last = pulses.last_sign(connection)
        doubted = doubt(last, now, step)
        if doubted and last and doubted[0] is Doubt.LEDGER and not deliveries.sending(connection, now - late, last):
            doubted = None
    if doubted is None:
        return None
    with engines.write(engine) as connection:
        safe_modes.begin(connection, *doubted, now)
        return safe_modes.lasting(connection)


def doubt(last: datetime | None, now: datetime, step: timedelta) -> tuple[Doubt, str] | None:
    """What is doubtful about the time, given the last sign of life and by how much the clock was just set.

    That nothing was heard for long is only doubtful while an edition is being sent.
    """
    if abs(step) >= STEP:
        way = "ahead" if step > timedelta() else "back"
        return Doubt.CLOCK, f"The clock was set {way} by {_hours(abs(step))} while the service ran, to {_said(now)}."
    if last is None:
        return None
    if last - now >= STEP:
        return Doubt.CLOCK, f"The clock says {_said(now)}, but the service was already at work at {_said(last)}."
    if now - last > GAP:
        return Doubt.LEDGER, (
            f"An edition is being sent, but the database knows nothing of the last {_hours(now - last)}. If it comes "
            "from a backup, what it says is still to be sent may have been sent."
        )
    return None


def leave(engine: Engine, now: datetime, reason: str) -> bool:
    """End safe mode, for a reason that is kept; whether it was in force."""
    with engines.write(engine) as connection:
        ended = safe_modes.end(connection, now, reason)
        if ended:
            pulses.forget_signs(connection)
    return ended


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:.0f} hours" if hours < 3 * 24 else f"{hours / 24:,.0f} days"


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
