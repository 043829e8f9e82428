"""The queue of jobs as the ledger's neighbour: what is due, which jobs there are for it, and whether anybody works.

The tables are the engine's own (`delivery/jobs.py`); they exist on PostgreSQL alone. They are only read here.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from digest.store.deliveries import is_due
from digest.store.tables import deliveries

# Any number will do as long as every copy of the service uses the same one.
_SHARING_OUT = 7_146_533
HEARTBEAT_SECONDS = 30
"""A worker that has not been heard of for so long is taken for dead; it says so three times as often."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many workers have lately been heard of, and how many jobs wait or are being done."""

    workers: int
    open: int


def take_turn(connection: Connection) -> None:
    """Share out work alone until the end of the transaction; others wait."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SHARING_OUT})


def due_by_edition(connection: Connection, now: datetime, most: int) -> dict[int, int]:
    """How many deliveries of each edition are due, among those that are claimed next; counts no further than `most`."""
    row = deliveries.c
    next_ones = select(row.edition_id).where(is_due(now)).order_by(row.not_before, row.id).limit(most).subquery()
    counted = (
        select(next_ones.c.edition_id, func.count()).group_by(next_ones.c.edition_id).order_by(next_ones.c.edition_id)
    )
    return {row[0]: row[1] for row in connection.execute(counted)}


def open_jobs(connection: Connection) -> dict[str, bool]:
    """The jobs that wait or are being done, by name; whether each waits."""
    found = text("SELECT queueing_lock, status = 'todo' FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
    return {row[0]: row[1] for row in connection.execute(found)}


def standing(connection: Connection) -> Standing:
    """Whether anybody works, and on how much."""
    heard_of = text(
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
    )
    workers = connection.scalars(heard_of, {"seconds": HEARTBEAT_SECONDS}).one()
    return Standing(workers, len(open_jobs(connection)))
