"""After a clock was set back: waits that were set by a clock that ran ahead end when they should have."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from digest import clock
from digest.model import DeliveryState
from digest.store.tables import deliveries, feeds, letters

LONGEST_BACK_OFF = timedelta(minutes=2 * max(clock.RETRY_MINUTES))
SLACK = timedelta(minutes=5)
"""By how much clocks of several machines may differ."""
LONGEST_WAIT = 1.2
"""A feed's wait is its interval or a day, and a tenth for jitter."""


def bring_back(connection: Connection, now: datetime) -> int:
    """End or shorten every wait and lease that lies further ahead than any can be set; how many.

    Otherwise a clock that was ahead for a minute would have kept a feed from being polled, or a reader from the
    edition, for as long as it was ahead.
    """
    lease = now + clock.LEASE
    # What is booked for an hour of its own waits for that, and so does what its reader wants at one.
    queued = (deliveries.c.state == DeliveryState.QUEUED) & deliveries.c.booked_for.is_(None)
    queued &= deliveries.c.due_at.is_(None) | (deliveries.c.due_at <= now)
    queued &= deliveries.c.not_before > now + LONGEST_BACK_OFF
    leased = deliveries.c.state.in_((DeliveryState.CLAIMED, DeliveryState.OFFERED)) & (
        deliveries.c.lease_until > lease + SLACK
    )
    begun = letters.c.sent_at.is_(None) & (letters.c.taken_at > now + SLACK)
    changed = [
        connection.execute(update(deliveries).where(queued).values(not_before=now)).rowcount,
        connection.execute(update(deliveries).where(leased).values(lease_until=lease)).rowcount,
        connection.execute(delete(letters).where(begun)).rowcount,
    ]
    waits = connection.execute(select(feeds.c.id, feeds.c.poll_seconds, feeds.c.next_poll_at)).all()
    ahead = [
        row.id
        for row in waits
        if row.next_poll_at - now > LONGEST_WAIT * max(timedelta(seconds=row.poll_seconds), clock.LONGEST_POLL)
    ]
    if ahead:
        changed.append(connection.execute(update(feeds).where(feeds.c.id.in_(ahead)).values(next_poll_at=now)).rowcount)
    return sum(changed)
