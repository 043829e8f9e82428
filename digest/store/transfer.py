"""Move everything to another database, such as from SQLite to PostgreSQL: all of it, or nothing.

The source is read in one view, and the target written in one transaction. So a transfer that breaks off leaves the target
as empty as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    Row,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from digest.errors import SourceBusy, TargetRefused
from digest.model import DeliveryState
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import schema
from digest.store.tables import deliveries, metadata

ROWS_AT_ONCE = 2000
# The last value that a sequence has given; NULL where it has given none, or is not ours to read.
_GIVEN = "SELECT pg_sequence_last_value(CAST(:sequence AS regclass))"
IN_FLIGHT = (DeliveryState.CLAIMED, DeliveryState.OFFERED)

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Transferred:
    """How many rows of each table were copied."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.rows.values())


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has, in the order in which they are copied."""
    with engines.read(engine) as connection:
        return _counts(connection)


def transfer(
    source: Engine,
    target: Engine,
    progress: Progress = lambda _table, _rows: None,
    *,
    busy: bool = False,
    force: bool = False,
) -> Transferred:
    """Copy every row with its id, and have ids go on where they are; then compare the two databases.

    Args:
        source: is only read. What is written to it meanwhile is not copied.
        target: at this version's schema, and empty.
        progress: hears of every batch: its table, and how many rows it has.
        busy: somebody may be sending from the source, since the copy is only kept.
        force: delete what the target has, in the same transaction.

    Raises:
        SchemaOutdated: one of the two is not at this version's schema.
        SourceBusy: somebody is sending from the source.
        TargetRefused: the target is not empty, or cannot hold what the source has; it is as it was.
        DatabaseUnreachable: one of the two does not answer.
    """
    for engine in (source, target):
        schema.check(engine)
    with engines.read(source) as reader, engines.write(target) as writer:
        if not busy:
            _refuse_busy(reader)
        _take(writer)
        if force:
            for table in reversed(metadata.sorted_tables):
                writer.execute(delete(table))
        if there := {table: number for table, number in _counts(writer).items() if number}:
            name, number = next(iter(there.items()))
            raise TargetRefused(f"it is not empty: {name} has {number:,} row{'s' * (number != 1)}")
        for table in metadata.sorted_tables:
            for batch in _batches(reader, table):
                _write(writer, table, batch)
                progress(table.name, len(batch))
            _count_on(writer, table, _last_id(reader, table))
        return _compared(reader, writer)


def _refuse_busy(reader: Connection) -> None:
    in_flight = select(func.count()).select_from(deliveries).where(deliveries.c.state.in_(IN_FLIGHT))
    if number := reader.scalars(in_flight).one():
        raise SourceBusy(number)


def _take(writer: Connection) -> None:
    """Let nobody else write to the target until the end. On SQLite a write transaction is that already."""
    if writer.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        writer.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _batches(reader: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a table, so many at a time. JSON comes as its text, which tells an SQL NULL from a JSON null."""
    plain = Text() if reader.dialect.name == "sqlite" else None
    columns = [
        (type_coerce(column, plain) if plain is not None else cast(column, Text)).label(column.name)
        if _is_json(column.type)
        else column
        for column in table.columns
    ]
    query = select(*columns).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
    yield from reader.execute(query).partitions()


def _write(writer: Connection, table: Table, batch: Sequence[Row[Any]]) -> None:
    as_json = _as_jsonb if writer.dialect.name == "postgresql" else _as_text
    values = {
        column.name: as_json(column.name) if _is_json(column.type) else bindparam(column.name, type_=column.type)
        for column in table.columns
    }
    try:
        writer.execute(insert(table).values(values), [dict(row._mapping) for row in batch])  # noqa: SLF001  # public, whatever its name says
    except (DataError, IntegrityError, StatementError) as error:
        reason = " ".join(str(error.orig or error).split())
        raise TargetRefused(f"it does not take a row of {table.name}: {reason}") from error


def _as_jsonb(name: str) -> Any:
    return cast(bindparam(name, type_=Text()), JSONB)


def _as_text(name: str) -> Any:
    return bindparam(name, type_=Text())


def _is_json(kind: Any) -> bool:
    return isinstance(kind, JSON)


def _last_id(reader: Connection, table: Table) -> int:
    """The highest id that a table has ever given; 0 where its rows have no ids of that kind, or it has given none."""
    if (column := _counted(table)) is None:
        return 0
    last: int = reader.scalar(select(func.coalesce(func.max(column), 0))) or 0
    if reader.dialect.name == "postgresql":
        sequence = reader.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        given = reader.scalar(text(_GIVEN), {"sequence": sequence})
    elif inspect(reader).has_table("sqlite_sequence"):
        given = reader.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    else:
        given = 0
    return max(last, given or 0)


def _count_on(writer: Connection, table: Table, last: int) -> None:
    """Let no id be given twice: links that were mailed name some for ever."""
    if not last or (column := _counted(table)) is None:
        return
    if writer.dialect.name == "postgresql":
        writer.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last)))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        writer.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        writer.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {"name": table.name, "last": last}
        )


def _counted(table: Table) -> Any:
    """The column whose values the database itself counts up."""
    column = table.autoincrement_column
    return column if column is not None and not column.foreign_keys else None


def _compared(reader: Connection, writer: Connection) -> Transferred:
    """What was copied, once it is certain that nothing is missing."""
    there, here = _counts(reader), _counts(writer)
    if wrong := [name for name in there if there[name] != here[name]]:
        raise TargetRefused(f"after copying, {wrong[0]} has {here[wrong[0]]:,} rows there and {there[wrong[0]]:,} here")
    before, after = ledger.audit(reader), ledger.audit(writer)
    if before != after:
        raise TargetRefused("after copying, its deliveries do not stand as they do here")
    return Transferred(here)


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.scalars(select(func.count()).select_from(table)).one()
        for table in metadata.sorted_tables
    }
