"""What operators are alarmed about beside single editions: safe mode, and mail that came too late. Each thing has a key, and is told once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digest.editions.letters import Notice
from digest.model import Doubt, SafeMode
from digest.safe_mode import HOW_TO_LEAVE
from digest.store import deliveries, safe_modes, subscribers

RECENT = timedelta(days=4)
"""Longer ago than a message may be late and somebody be away for the night."""

LOOKED_BACK, TIME_TO_CONFIRM = timedelta(days=30), timedelta(hours=2)
CONFIRMATIONS_LOOKED_AT, FEWEST_CONFIRMATIONS = 200, 30
MOST_UNCONFIRMED = 0.6
"""Of people who sign up themselves, most confirm within minutes; of addresses that somebody else enters, none do."""


def due(connection: Connection, now: datetime) -> Iterator[tuple[str, Notice]]:
    """What is to be told now, unless it has been."""
    for one in safe_modes.recent(connection, now - RECENT):
        yield f"safe-mode:{one.id}", _safe_mode(one)
    for edition_id, title, late in deliveries.too_late(connection, now - RECENT):
        yield f"expired:{edition_id}", _expired(edition_id, title, late)
    asked, unconfirmed = subscribers.unconfirmed(
        connection, now - LOOKED_BACK, now - TIME_TO_CONFIRM, CONFIRMATIONS_LOOKED_AT
    )
    if asked >= FEWEST_CONFIRMATIONS and unconfirmed > MOST_UNCONFIRMED * asked:
        yield f"unconfirmed:{now.date()}", _unconfirmed(asked, unconfirmed)


def _safe_mode(one: SafeMode) -> Notice:
    what, *steps = _TO_DO[one.doubt]
    over = f" It ended at {one.ended_at:%Y-%m-%d %H:%M} UTC: {one.ended_because}" if one.ended_at else ""
    return Notice(what, f"{one.sentence}{over}", (*steps, HOW_TO_LEAVE), one.since)


def _unconfirmed(asked: int, unconfirmed: int) -> Notice:
    return Notice(
        what="Many sign-ups are never confirmed",
        explanation=f"Of the last {asked} confirmations asked for, {unconfirmed} were not confirmed within two hours. Somebody may be "
        "entering addresses of others, who then get mail from you that they never wanted.",
        steps=(
            "Set `proof_of_work = true` below `[sign_up]` in digest.toml: what automates the form then pays for each address.",
            "Or lower `per_network`, `per_hour` and `per_day` there, or close the form for a while: `open = false`.",
            "If nobody abuses it, confirmations may land in spam folders: sign up yourself and see.",
        ),
    )


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
