"""Letters: which have gone, so that each goes once."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, update

from digest.store.tables import letters
from digest.store.upsert import insert_if_absent


def take(connection: Connection, key: str, now: datetime, lease: timedelta) -> bool:
    """Set about sending a letter; False where it has gone, or somebody set about it less than a `lease` ago."""
    if insert_if_absent(connection, letters, [{"key": key, "taken_at": now}]):
        return True
    left = (letters.c.key == key) & letters.c.sent_at.is_(None) & (letters.c.taken_at <= now - lease)
    return connection.execute(update(letters).where(left).values(taken_at=now)).rowcount > 0


def sent(connection: Connection, key: str, now: datetime) -> None:
    """Note that a letter has gone."""
    connection.execute(update(letters).where(letters.c.key == key).values(sent_at=now))


def give_back(connection: Connection, key: str) -> None:
    """Let a letter that did not go be taken again."""
    connection.execute(delete(letters).where(letters.c.key == key, letters.c.sent_at.is_(None)))


def forget(connection: Connection, before: datetime) -> int:
    """Drop what is known of letters that were taken before a moment; how many."""
    return connection.execute(delete(letters).where(letters.c.taken_at < before)).rowcount
