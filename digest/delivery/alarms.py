"""What operators are alarmed about beside single editions: safe mode, and mail that came too late. Each thing has a key, and is told once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digest.editions.letters import Notice
from digest.model import Doubt, SafeMode
from digest.safe_mode import HOW_TO_LEAVE
from digest.store import deliveries, safe_modes

RECENT = timedelta(days=4)
"""Longer ago than a message may be late and somebody be away for the night."""


def due(connection: Connection, now: datetime) -> Iterator[tuple[str, Notice]]:
    """What is to be told now, unless it has been."""
    for one in safe_modes.recent(connection, now - RECENT):
        yield f"safe-mode:{one.id}", _safe_mode(one)
    for edition_id, title, late in deliveries.too_late(connection, now - RECENT):
        yield f"expired:{edition_id}", _expired(edition_id, title, late)


def _safe_mode(one: SafeMode) -> Notice:
    what, *steps = _TO_DO[one.doubt]
    over = f" It ended at {one.ended_at:%Y-%m-%d %H:%M} UTC: {one.ended_because}" if one.ended_at else ""
    return Notice(what, f"{one.sentence}{over}", (*steps, HOW_TO_LEAVE), one.since)


def _expired(edition_id: int, title: str, late: int) -> Notice:
    some = f"{late:,} message{'s were' if late > 1 else ' was'}"
    return Notice(
        what=f"Too late: {title}",
        explanation=f"{some} not sent, since `late_hours` had passed before the turn came.",
        steps=(
            f"`digest report {edition_id}` shows what was sent and what was not.",
            "If that is too strict, set `late_hours` in digest.toml higher.",
        ),
    )


_TO_DO = {
    Doubt.CLOCK: (
        "Safe mode: the clock cannot be right",
        "Compare the machine's clock with the time, and set it right.",
    ),
    Doubt.LEDGER: (
        "Safe mode: the database lacks the last hours",
        "If a backup was restored, find out what went out since it was made: the relay's log knows.",
        "If the service was only down, there is nothing to repair.",
    ),
}
