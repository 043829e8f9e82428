"""What other programs are to be told: noted in the transaction of the change itself, so that neither is without the other."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from digest.model import Cause, Deed, Edition, EditionState, Happening
from digest.store.tables import happenings, subscribers, subscriptions

OF_DEEDS = {
    Deed.ASKED: Happening.ASKED,
    Deed.BEGAN: Happening.BEGAN,
    Deed.ENDED: Happening.ENDED,
    Deed.RESUMED: Happening.RESUMED,
    Deed.CHOSE: Happening.CHOSE,
}
OF_STATES = {
    EditionState.PROPOSED: Happening.PROPOSED,
    EditionState.HELD: Happening.HELD,
    EditionState.FROZEN: Happening.PUBLISHED,
    EditionState.MISSED: Happening.MISSED,
    EditionState.SKIPPED: Happening.SKIPPED,
}


def note(connection: Connection, what: Happening, about: Mapping[str, Any], now: datetime) -> None:
    """Have others told of something; `about` holds numbers and words, and no address."""
    row = {"key": secrets.token_hex(16), "what": what, "about": dict(about), "at": now}
    connection.execute(happenings.insert().values(row))


def note_deed(connection: Connection, subscription_id: int, deed: Deed, now: datetime) -> None:
    """Have others told of what was done to a subscription, if they are."""
    if (what := OF_DEEDS.get(deed)) is None:
        return
    row = subscriptions.c
    mine = select(row.subscriber_id, row.digest).where(row.id == subscription_id)
    if found := connection.execute(mine).one_or_none():
        about = {"subscription": subscription_id, "subscriber": found.subscriber_id, "digest": found.digest}
        note(connection, what, about, now)


def note_erased(connection: Connection, subscriber_id: int, now: datetime) -> None:
    """Have others told that a subscriber is about to be erased, of each subscription by itself.

    Nothing is said by which the subscriber could still be asked for.
    """
    row = subscriptions.c
    theirs = select(row.id, row.digest).where(row.subscriber_id == subscriber_id).order_by(row.id)
    for one in connection.execute(theirs).all():
        note(connection, Happening.ERASED, {"subscription": one.id, "digest": one.digest}, now)


def note_suppression(connection: Connection, address_key: str, cause: Cause, now: datetime, *, lifted: bool) -> None:
    """Have others told of a suppression that was made or lifted; not of its reason, which likes to quote the address."""
    subscriber = connection.scalar(select(subscribers.c.id).where(subscribers.c.address_key == address_key))
    what = Happening.LIFTED if lifted else Happening.SUPPRESSED
    note(connection, what, {"subscriber": subscriber, "cause": cause.value}, now)


def note_edition(connection: Connection, edition: Edition, now: datetime) -> None:
    """Have others told of the state in which an edition was stored."""
    about = {
        "edition": edition.id,
        "digest": edition.digest,
        "date": edition.date.isoformat(),
        "reason": edition.reason,
    }
    note(connection, OF_STATES[edition.state], about, now)
