"""Editions that should be there and are not."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from digest import clock
from digest.model import Digest
from digest.store import editions


def overdue(connection: Connection, digest: Digest, now: datetime) -> tuple[date, datetime] | None:
    """The digest's newest slot that has passed, if nothing at all is stored for it; None where all is as it should be.

    One that waits for an editor is there. A digest that never had an edition is not behind with anything.
    """
    last = editions.last_date(connection, digest.slug, now.astimezone(ZoneInfo(digest.zone)).date())
    if last is None:
        return None
    waiting = {day for day, _ in editions.waiting(connection, digest.slug)}
    passed = [slot for slot in clock.due_slots(digest, last, now) if slot[0] not in waiting]
    return passed[-1] if passed else None
