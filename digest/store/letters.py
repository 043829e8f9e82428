"""Letters: which have gone, so that each goes once, and which are still to be written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, select, update

from digest.store.tables import letter_orders, letters
from digest.store.upsert import insert_if_absent


class Kind(StrEnum):
    """What a letter is that we write to one reader."""

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    LINKS = "links"
    DATA = "data"
    NEW_ADDRESS = "new address"
    OLD_ADDRESS = "old address"
    KNOWN_ADDRESS = "known address"


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter that is to be written to a subscription's reader: of what `kind`, with whatever parameters that needs.

    It holds no address, which only the subscriber has; with whom it is deleted. `attempt` counts how often it was put off.
    """

    key: str
    kind: str
    subscription_id: int
    parameters: Mapping[str, Any]
    attempt: int = 0


def order(connection: Connection, wanted: LetterOrder, now: datetime) -> bool:
    """Keep what is to be written; False where a letter with its key is kept or has gone already."""
    if taken(connection, [wanted.key]):
        return False
    row = {
        "key": wanted.key,
        "kind": wanted.kind,
        "subscription_id": wanted.subscription_id,
        "parameters": dict(wanted.parameters),
        "not_before": now,
        "ordered_at": now,
    }
    return insert_if_absent(connection, letter_orders, [row]) > 0


def orders(connection: Connection, now: datetime, most: int) -> list[LetterOrder]:
    """Letters whose time has come, the oldest first."""
    row = letter_orders.c
    due = select(letter_orders).where(row.not_before <= now).order_by(row.not_before, row.id).limit(most)
    return [
        LetterOrder(one.key, one.kind, one.subscription_id, one.parameters, one.attempt)
        for one in connection.execute(due)
    ]


def put_off(connection: Connection, key: str, until: datetime, attempt: int) -> None:
    """Let a letter wait that could not go at its `attempt`-th try."""
    connection.execute(
        update(letter_orders).where(letter_orders.c.key == key).values(not_before=until, attempt=attempt)
    )


def drop(connection: Connection, key: str) -> None:
    """Forget what was to be written: it has gone, or never can."""
    connection.execute(delete(letter_orders).where(letter_orders.c.key == key))


def take(connection: Connection, key: str, now: datetime, lease: timedelta) -> bool:
    """Set about sending a letter; False where it has gone, or somebody set about it less than a `lease` ago."""
    if insert_if_absent(connection, letters, [{"key": key, "taken_at": now}]):
        return True
    left = (letters.c.key == key) & letters.c.sent_at.is_(None) & (letters.c.taken_at <= now - lease)
    return connection.execute(update(letters).where(left).values(taken_at=now)).rowcount > 0


def taken(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of the keys whose letters have gone. Of one that somebody has set about, nothing can be said yet."""
    found = select(letters.c.key).where(letters.c.key.in_(keys), letters.c.sent_at.is_not(None))
    return set(connection.scalars(found))


def sent(connection: Connection, key: str, now: datetime) -> None:
    """Note that a letter has gone."""
    connection.execute(update(letters).where(letters.c.key == key).values(sent_at=now))


def give_back(connection: Connection, key: str) -> None:
    """Let a letter that did not go be taken again."""
    connection.execute(delete(letters).where(letters.c.key == key, letters.c.sent_at.is_(None)))


def forget(connection: Connection, before: datetime) -> int:
    """Drop what is known of letters that were taken before a moment; how many."""
    return connection.execute(delete(letters).where(letters.c.taken_at < before)).rowcount
