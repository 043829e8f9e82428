"""Overrides: what editors decided by hand. A row is never changed but for its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from digest.model import Override, OverrideKind
from digest.store.tables import overrides


def add(connection: Connection, override: Override) -> Override:
    """Store an override; the one with its id."""
    row = {name: getattr(override, name) for name in Override.__dataclass_fields__ if name != "id"}
    row["articles"] = list(override.articles)
    added = connection.scalars(overrides.insert().values(row).returning(overrides.c.id))
    return replace(override, id=added.one())


def in_force(connection: Connection, digest: str, at: datetime) -> list[Override]:
    """The overrides of a digest that count at a moment, in the order in which they were made."""
    return _read(connection, overrides.c.digest == digest, overrides.c.since <= at, overrides.c.until > at)


def orders(connection: Connection, digest: str, day: date, at: datetime) -> list[Override]:
    """What has been decided about the edition of a date and has not ended at a moment, even if it was decided later."""
    return _read(connection, overrides.c.digest == digest, overrides.c.day == day, overrides.c.until > at)


def by_id(connection: Connection, override_id: int) -> Override | None:
    """The override with this id, in force or not."""
    return next(iter(_read(connection, overrides.c.id == override_id)), None)


def made(connection: Connection, digest: str) -> list[Override]:
    """Every override of a digest there ever was, in the order in which they were made."""
    return _read(connection, overrides.c.digest == digest)


def end(connection: Connection, override_id: int, at: datetime) -> Override | None:
    """Let an override count no longer, and return it; None where there is none of that id in force."""
    ended = (
        update(overrides)
        .where(overrides.c.id == override_id, overrides.c.until > at)
        .values(until=at)
        .returning(overrides)
    )
    row = connection.execute(ended).one_or_none()
    return None if row is None else _override(row)


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[Override]:
    wanted = select(overrides).where(*conditions).order_by(overrides.c.since, overrides.c.id)
    rows: Sequence[Row[Any]] = connection.execute(wanted).all()
    return [_override(row) for row in rows]


def _override(row: Row[Any]) -> Override:
    values = {name: getattr(row, name) for name in Override.__dataclass_fields__}
    # What SQLite returns of an update is a whole number where the points are one.
    exact = {"kind": OverrideKind(row.kind), "articles": tuple(row.articles), "points": float(row.points)}
    return Override(**values | exact)
