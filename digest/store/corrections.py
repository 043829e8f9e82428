"""Corrections: what editors have set right in published editions. A row is never changed."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from digest.model import Correction
from digest.store import editions, search_index
from digest.store.tables import corrections


def add(connection: Connection, correction: Correction) -> Correction:
    """Store a correction, and have the edition found by it; the one with its id."""
    row = {name: getattr(correction, name) for name in Correction.__dataclass_fields__ if name != "id"}
    added = connection.scalars(corrections.insert().values(row).returning(corrections.c.id)).one()
    edition = editions.by_id(connection, correction.edition_id)
    assert edition is not None
    search_index.keep(connection, edition, of(connection, edition.id))
    return replace(correction, id=added)


def of(connection: Connection, edition_id: int) -> list[Correction]:
    """The corrections of an edition, oldest first."""
    return of_all(connection, [edition_id])


def of_all(connection: Connection, edition_ids: Collection[int]) -> list[Correction]:
    """The corrections of all of these editions, oldest first."""
    found = select(corrections).where(corrections.c.edition_id.in_(edition_ids))
    return [_correction(row) for row in connection.execute(found.order_by(corrections.c.at, corrections.c.id))]


def by_id(connection: Connection, correction_id: int) -> Correction | None:
    """The correction with this id."""
    row = connection.execute(select(corrections).where(corrections.c.id == correction_id)).one_or_none()
    return None if row is None else _correction(row)


def _correction(row: Row[Any]) -> Correction:
    return Correction(**{name: getattr(row, name) for name in Correction.__dataclass_fields__})
