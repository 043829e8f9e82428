"""What readers may ask of their data: to have all of it, and to have it erased; and what is erased unasked when its time is over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Config
from digest.links import address_key
from digest.model import Deed, Subscription
from digest.store import deliveries, moves, suppressions
from digest.store import engine as engines
from digest.store import subscribers as store

LINK_LASTS = timedelta(hours=24)
"""For how long a link to one's data works."""
AT_ONCE = 200
"""Subscribers that are erased in one transaction, so that nobody waits for long to write."""
REST_SECONDS = 0.1
"""Between two of these, in which others may write."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased because its time was over: rows of history, and addresses of those who left long ago."""

    changes: int
    addresses: int


def was_exported(engine: Engine, subscription_id: int, since: datetime) -> bool:
    """Whether the link of a subscription that was asked for at a moment has brought the data already."""
    with engines.read(engine) as connection:
        told = store.history(connection, subscription_id)
    return any(one.deed is Deed.EXPORTED and one.at >= since for one in told)


def export(config: Config, engine: Engine, subscription: Subscription, now: datetime) -> Mapping[str, Any]:
    """Everything that is kept of a subscriber, in values that JSON has; that it was asked for is written down."""
    with engines.write(engine) as connection:
        store.note(connection, subscription.id, Deed.EXPORTED, {}, now)
        address = subscription.address
        suppression = suppressions.by_key(connection, address_key(address, config.signing_keys))
        return {
            "address": address,
            "consent": store.consent_of(connection, address),
            "suppression": {"reason": suppression.reason, "since": suppression.since.isoformat()}
            if suppression
            else None,
            "subscriptions": [
                {
                    "digest": one.digest,
                    "state": one.state.value,
                    "topics": list(one.topics),
                    "days": list(one.days),
                    "text_only": one.text_only,
                    "hour": one.hour,
                    "zone": one.zone,
                    "language": one.language,
                    "paused_until": _iso(one.paused_until),
                    "since": _iso(one.since),
                    "ended_at": _iso(one.ended_at),
                    "changes": [
                        {"what": change.deed.value, "at": change.at.isoformat(), "detail": change.detail}
                        for change in store.history(connection, one.id)
                    ],
                }
                for one in store.by_address(connection, address)
            ],
            "address_changes": [
                {
                    "new_address": one.new_address or None,
                    "old_address": one.old_address or None,
                    "asked_at": one.asked_at.isoformat(),
                    "confirmed_at": _iso(one.confirmed_at),
                    "stopped_at": _iso(one.stopped_at),
                    "detail": one.evidence,
                }
                for one in moves.of_subscriber(connection, subscription.subscriber_id)
            ],
            "mails": [
                {
                    "digest": event.digest,
                    "edition": event.date.isoformat(),
                    "what": event.kind.value,
                    "at": event.at.isoformat(),
                    "detail": event.detail,
                }
                for event in deliveries.history(connection, address)
            ],
        }


def erase(engine: Engine, address: str, now: datetime) -> bool:
    """Erase a subscriber with everything that names the address, also from what the database has yet to clear; whether there was one."""
    with engines.write(engine) as connection:
        erased = store.remove(connection, address, now)
    if erased:
        engines.clear_traces(engine)
    return erased


def forget_old(
    config: Config, engine: Engine, now: datetime, rest: Callable[[float], bool] = lambda _: False
) -> Forgotten:
    """Erase what is kept for longer than `[privacy]` says.

    Args:
        config: for how long.
        engine: the database.
        now: the moment it is about.
        rest: called between two transactions with the seconds to wait; whether to leave the rest for another day.
    """
    keep = config.privacy
    chosen, ended = (now - timedelta(days=days) for days in (keep.history_days, keep.left_days))
    changes = _in_portions(engine, rest, lambda connection: store.forget_changes(connection, chosen, AT_ONCE))
    addresses = _in_portions(engine, rest, lambda connection: _remove_gone(connection, ended, now))
    if addresses:
        engines.clear_traces(engine)
    return Forgotten(changes, addresses)


def to_forget(config: Config, connection: Connection, now: datetime) -> Forgotten:
    """What `forget_old` would erase."""
    keep = config.privacy
    gone = store.gone_since(connection, now - timedelta(days=keep.left_days))
    return Forgotten(store.changes_before(connection, now - timedelta(days=keep.history_days)), len(gone))


def _in_portions(engine: Engine, rest: Callable[[float], bool], portion: Callable[[Connection], int]) -> int:
    total, some = 0, AT_ONCE
    while some == AT_ONCE:
        with engines.write(engine) as connection:
            some = portion(connection)
        total += some
        if some == AT_ONCE and rest(REST_SECONDS):
            break
    return total


def _remove_gone(connection: Connection, before: datetime, now: datetime) -> int:
    gone = store.gone_since(connection, before, AT_ONCE)
    for address in gone:
        store.remove(connection, address, now)
    return len(gone)


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
