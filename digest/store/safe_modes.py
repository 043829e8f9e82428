"""Safe modes: when each began and why, and what was found when it ended."""

from datetime import datetime

from sqlalchemy import Connection, Row, insert, or_, select, update

from digest.model import Doubt, SafeMode
from digest.store.tables import safe_modes

_LASTS = safe_modes.c.ended_at.is_(None)


def begin(connection: Connection, doubt: Doubt, sentence: str, now: datetime) -> None:
    """Begin one, unless one lasts."""
    if lasting(connection) is None:
        connection.execute(insert(safe_modes).values(doubt=doubt, sentence=sentence, since=now))


def end(connection: Connection, now: datetime, because: str) -> bool:
    """End it; whether there was one."""
    ended = connection.execute(update(safe_modes).where(_LASTS).values(ended_at=now, ended_because=because))
    return ended.rowcount > 0


def lasting(connection: Connection) -> SafeMode | None:
    """The one that lasts."""
    row = connection.execute(select(safe_modes).where(_LASTS).order_by(safe_modes.c.id).limit(1)).one_or_none()
    return None if row is None else _safe_mode(row)


def recent(connection: Connection, since: datetime) -> list[SafeMode]:
    """The one that lasts, and those that ended after `since`, oldest first."""
    wanted = select(safe_modes).where(or_(_LASTS, safe_modes.c.ended_at > since)).order_by(safe_modes.c.id)
    return [_safe_mode(row) for row in connection.execute(wanted)]


def _safe_mode(row: Row[tuple[object, ...]]) -> SafeMode:
    return SafeMode(row.id, Doubt(row.doubt), row.sentence, row.since, row.ended_at, row.ended_because)
