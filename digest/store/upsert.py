"""Insert-if-absent, the one statement that the two databases spell differently."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def absent_into(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT, still without values, that passes over rows of which a key is known."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def insert_if_absent(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are all unknown, leave the others alone, and return how many came in.

    Args:
        conn: in a write transaction.
        table: whose unique keys decide.
        rows: all with the same columns.
    """
    if not rows:
        return 0
    inserted = absent_into(conn, table).returning(next(iter(table.primary_key)))
    return len(conn.execute(inserted, list(rows)).all())
