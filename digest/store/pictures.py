"""Pictures as we show them: named by what is in them, and kept for as long as an edition shows them."""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, update

from digest.store.tables import edition_items, pictures
from digest.store.upsert import insert_if_absent


def keep(connection: Connection, name: str, body: bytes, now: datetime) -> None:
    """Keep a picture. One that is there is kept from `now` on."""
    if not insert_if_absent(connection, pictures, [{"name": name, "body": body, "kept_at": now}]):
        connection.execute(update(pictures).where(pictures.c.name == name).values(kept_at=now))


def body(connection: Connection, name: str) -> bytes | None:
    """The picture of that name."""
    found: bytes | None = connection.scalar(select(pictures.c.body).where(pictures.c.name == name))
    return found


def newest(connection: Connection, origin: str, since: datetime | None = None) -> str | None:
    """The name of the picture that was kept last of those whose names begin so; only one kept since then, where given."""
    found = select(pictures.c.name).where(pictures.c.name.startswith(origin, autoescape=True))
    if since is not None:
        found = found.where(pictures.c.kept_at >= since)
    name: str | None = connection.scalar(found.order_by(pictures.c.kept_at.desc()).limit(1))
    return name


def prune(connection: Connection, before: datetime) -> int:
    """Drop the pictures that were kept before a moment and that no edition shows; return how many those were."""
    shown = exists().where(edition_items.c.picture["name"].as_string() == pictures.c.name)
    return connection.execute(delete(pictures).where(pictures.c.kept_at < before, ~shown)).rowcount
