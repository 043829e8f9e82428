"""What readers may ask of their data: to have all of it, and to have it erased; and what is erased unasked when its time is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from digest.config import Config
from digest.links import address_key
from digest.model import Deed, Subscription
from digest.store import deliveries, suppressions
from digest.store import engine as engines
from digest.store import subscribers as store

LINK_LASTS = timedelta(hours=24)
"""For how long a link to one's data works."""
AT_ONCE = 200
"""Subscribers that are erased in one transaction, so that nobody waits for long to write."""


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


def erase(engine: Engine, address: str) -> bool:
    """Erase a subscriber with everything that names the address, also from what the database has yet to clear; whether there was one."""
    with engines.write(engine) as connection:
        erased = store.remove(connection, address)
    if erased:
        engines.clear_traces(engine)
    return erased


def forget_old(config: Config, engine: Engine, now: datetime) -> Forgotten:
    """Erase what is kept for longer than `[privacy]` says."""
    keep = config.privacy
    with engines.write(engine) as connection:
        changes = store.forget_changes(connection, now - timedelta(days=keep.history_days))
    addresses = 0
    while True:
        with engines.write(engine) as connection:
            gone = store.gone_since(connection, now - timedelta(days=keep.left_days), AT_ONCE)
            for address in gone:
                store.remove(connection, address)
        addresses += len(gone)
        if len(gone) < AT_ONCE:
            break
    if addresses:
        engines.clear_traces(engine)
    return Forgotten(changes, addresses)


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
