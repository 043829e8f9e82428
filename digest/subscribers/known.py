"""All there is to know of one reader: what it chose and agreed to, what was sent, and when its next mail is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from digest.config import Config
from digest.links import address_key
from digest.model import DeliveryEvent, Subscription, Suppression
from digest.store import deliveries, subscribers, suppressions
from digest.store import engine as engines
from digest.subscribers import preferences


@dataclass(frozen=True, slots=True)
class Known:
    """A reader, or an address that is suppressed without having one. `next_mail` is by digest; None where none is due."""

    address: str
    consent: Mapping[str, Any] | None
    suppression: Suppression | None
    subscriptions: tuple[Subscription, ...]
    next_mail: Mapping[str, datetime | None]
    events: tuple[DeliveryEvent, ...]


def look_up(config: Config, engine: Engine, address: str, now: datetime) -> Known | None:
    """What is known of an address as `consent.checked` leaves it; None where that is nothing."""
    with engines.read(engine) as connection:
        theirs = tuple(subscribers.by_address(connection, address))
        agreed = subscribers.consent_of(connection, address)
        suppression = suppressions.by_key(connection, address_key(address, config.signing_keys))
        events = tuple(deliveries.history(connection, address))
        waiting = {one.digest: deliveries.waits_until(connection, one, now) for one in theirs}
    if not theirs and suppression is None:
        return None
    digests = {digest.slug: digest for digest in config.digests}
    due = {
        one.digest: preferences.next_mail(digests[one.digest], one, now, waiting[one.digest])
        for one in theirs
        if suppression is None and one.digest in digests
    }
    return Known(theirs[0].address if theirs else address, agreed, suppression, theirs, due, events)
