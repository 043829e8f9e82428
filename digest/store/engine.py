"""Connections: one way in for reading, one for writing, the same on both databases.

SQLite's driver opens no transaction before the first write, so two processes that read and then write lose updates
without an error. Here every write transaction is `BEGIN IMMEDIATE`, which takes the lock before the first read.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from digest.errors import DatabaseUnreachable

BUSY_SECONDS = 10
_SWITCHING_SECONDS = 0.01
CACHE_KB = 64_000
"""Of SQLite's pages that a connection keeps at most. The 2 MB it would keep by itself make large editions slow to freeze."""
_BULK_CACHE_KB = (
    80_000  # what a transaction changes that brings in ten thousand readers: what has no room is written twice
)
_BULK_LOG_PAGES = 50_000
# By itself PostgreSQL shows each statement of a transaction what was committed before that statement.
_ONE_VIEW = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def connect(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://user@host/name`. Nothing is opened yet.

    Raises:
        DatabaseUnreachable: the address is not one of a database we speak to.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise DatabaseUnreachable(place(url), "only sqlite:/// and postgresql:// addresses are understood")
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() == "postgresql")
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise DatabaseUnreachable(place(url), str(error)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


@contextmanager
def bulk(engine: Engine) -> Iterator[Engine]:
    """An engine for large transactions one after the other, as safe as any.

    On SQLite it is one of its own, which keeps more pages, and copies its log of writes into the database every 200 MB and at
    the end instead of after each transaction: many pages are changed by each of them.
    """
    if engine.dialect.name != "sqlite":
        yield engine
        return
    own = create_engine(engine.url)
    event.listen(own, "connect", _prepare_sqlite)
    event.listen(own, "connect", _prepare_for_bulk)
    try:
        yield own
        clear_traces(own)
    finally:
        own.dispose()


def driver_address(engine: Engine) -> str:
    """The address of a PostgreSQL database as its driver understands it, with the password."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def driver(connection: Connection) -> Any:
    """The driver's own connection below one of ours, in the same transaction."""
    return connection.connection.driver_connection


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A connection for reading: one consistent view, nothing kept.

    Raises:
        DatabaseUnreachable: it does not answer, or stops answering inside the block.
    """
    with _open(engine, "BEGIN", _ONE_VIEW if engine.dialect.name == "postgresql" else {}) as connection:
        yield connection


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A connection in a write transaction that commits at the end of the block, or not at all.

    Raises:
        DatabaseUnreachable: it does not answer, is locked for longer than we wait, or its disk is full.
    """
    with _open(engine, "BEGIN IMMEDIATE") as connection:
        yield connection


@contextmanager
def rebuild(engine: Engine) -> Iterator[Connection]:
    """A connection as `write` gives one, for changing tables.

    SQLite can change some things only by writing a table anew, and with its foreign keys on, dropping the old one would
    delete what refers to it. They are checked as a whole before the end instead (sqlite.org/lang_altertable.html).

    Raises:
        DatabaseUnreachable: as `write`; or a row refers to one that is not there, and nothing was changed.
    """
    sqlite = engine.dialect.name == "sqlite"
    with _open(engine, "BEGIN IMMEDIATE", around=_without_foreign_keys if sqlite else nullcontext) as connection:
        yield connection
        if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise DatabaseUnreachable(place(engine.url.render_as_string()), f"rows without their parents: {broken[:3]}")


@contextmanager
def _open(
    engine: Engine,
    begin: str,
    options: Mapping[str, Any] = MappingProxyType({}),
    around: Callable[[Connection], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Connection]:
    try:
        with engine.connect() as connection, around(connection), connection.execution_options(**options).begin():
            if engine.dialect.name == "sqlite":
                # Not by an event of the engine: were it to have any, each statement would look for its own.
                connection.exec_driver_sql(begin)
            yield connection
    except DatabaseError as error:
        # Its other subclasses are ours to mend: a wrong statement, a broken rule.
        if type(error) not in {DatabaseError, OperationalError}:
            raise
        raise DatabaseUnreachable(place(engine.url.render_as_string()), str(error.orig)) from error


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    # Around the transaction, inside which it is without effect; and not before each of the others, where it would have
    # SQLite prepare all its statements anew.
    driver(connection).execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver(connection).execute("PRAGMA foreign_keys = ON")


def clear_traces(engine: Engine) -> None:
    """Have the database let go of what was deleted: SQLite's log of writes is emptied, PostgreSQL's dead rows are cleared away.

    Somebody who reads just now keeps SQLite's log from being emptied; the next call does it, or the log's next turn.

    Raises:
        DatabaseUnreachable: as `write`.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                    "VACUUM subscribers, subscriptions, deliveries, delivery_events"
                )
    except DatabaseError as error:
        raise DatabaseUnreachable(place(engine.url.render_as_string()), str(error.orig)) from error


def time_of(connection: Connection) -> datetime | None:
    """What time the database has; None where it has ours."""
    if connection.dialect.name != "postgresql":
        return None
    return cast("datetime", connection.scalar(select(func.clock_timestamp()))).astimezone(UTC)


def place(url: str) -> str:
    """The address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "DIGEST_DATABASE_URL"


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_open` begins transactions, not the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _write_ahead(cursor)
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        # What is deleted is overwritten, since some of it was a reader's address.
        "secure_delete = ON",
        f"cache_size = -{CACHE_KB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_for_bulk(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA cache_size = -{_BULK_CACHE_KB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_BULK_LOG_PAGES}")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Have a log written ahead. A new database is brought to that once, and SQLite lets nobody wait who wants it meanwhile."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCHING_SECONDS)
        else:
            return
