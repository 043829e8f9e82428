"""Insert-if-absent and insert-or-add, the statements that the two databases spell differently."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def absent_into(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT, still without values, that passes over rows of which a key is known."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def adding_into(conn: Connection, table: Table, column: str) -> postgresql.Insert | sqlite.Insert:
    """An INSERT, still without values, that adds to a row's `column` where its key is known."""
    if conn.dialect.name == "postgresql":
        counted = postgresql.insert(table)
        sum_up = {column: table.c[column] + counted.excluded[column]}
        return counted.on_conflict_do_update(index_elements=list(table.primary_key), set_=sum_up)
    added = sqlite.insert(table)
    sum_up = {column: table.c[column] + added.excluded[column]}
    return added.on_conflict_do_update(index_elements=list(table.primary_key), set_=sum_up)


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
