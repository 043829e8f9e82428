"""Rows as plain dicts. Reading a thousand of SQLAlchemy's own by name costs more than the query."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select

Row = dict[str, Any]


def rows(conn: Connection, query: Select[Any]) -> Iterator[Row]:
    """Every row that a query finds, by the names of its columns."""
    found = conn.execute(query)
    names = tuple(found.keys())
    return (dict(zip(names, row, strict=True)) for row in found)
