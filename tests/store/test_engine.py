"""What every connection promises, on both databases."""

import sqlite3
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from digest.errors import DatabaseUnreachable
from digest.store import engine as engines
from digest.store import tables
from tests.conftest import NOW


def test_sqlite_runs_in_wal_with_full_sync_and_foreign_keys(sqlite_engine: Engine) -> None:
    with engines.read(sqlite_engine) as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_large_transactions_are_as_safe_as_any_and_leave_no_long_log(sqlite_engine: Engine) -> None:
    log = Path(f"{sqlite_engine.url.database}-wal")
    with engines.bulk(sqlite_engine) as own:
        with engines.write(own) as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            connection.exec_driver_sql("CREATE TABLE many AS SELECT zeroblob(10000000) AS bytes")
        with engines.read(sqlite_engine) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM many").scalar() == 1
        assert log.stat().st_size > 10_000_000

    assert log.stat().st_size == 0


@pytest.mark.parametrize("fails", [False, True])
def test_foreign_keys_are_off_while_tables_are_rebuilt_and_no_longer(sqlite_engine: Engine, *, fails: bool) -> None:
    def keys(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA foreign_keys").scalar()

    with suppress(ZeroDivisionError), engines.rebuild(sqlite_engine) as connection:
        inside = keys(connection)
        _ = 1 / (not fails)

    with engines.write(sqlite_engine) as connection:
        assert (inside, keys(connection)) == (0, 1)


def test_reading_and_then_writing_from_many_threads_loses_no_update(engine: Engine) -> None:
    """With the driver's own transactions SQLite loses most of these updates without an error."""
    with engines.write(engine) as connection:
        connection.execute(tables.suppressions.insert().values(address_key="counter", reason="0", since=NOW))
    lock_row = select(tables.suppressions.c.reason).with_for_update()

    def add() -> None:
        for _ in range(25):
            with engines.write(engine) as connection:
                value = int(connection.execute(lock_row).scalar_one())
                connection.execute(update(tables.suppressions).values(reason=str(value + 1)))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with engines.read(engine) as connection:
        assert connection.scalar(select(tables.suppressions.c.reason)) == "100"


def test_a_failed_block_keeps_nothing(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), engines.write(engine) as connection:
        connection.execute(tables.suppressions.insert().values(address_key="k", reason="r", since=NOW))
        _ = 1 / 0

    with engines.read(engine) as connection:
        assert connection.execute(select(tables.suppressions)).all() == []


def test_a_naive_time_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="naive time"), engines.write(engine) as connection:
        connection.execute(
            tables.suppressions.insert().values(address_key="k", reason="r", since=datetime(2026, 1, 1))  # noqa: DTZ001
        )


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    engine = engines.connect("postgresql://digest:s3cret@127.0.0.1:1/digest")

    with pytest.raises(DatabaseUnreachable) as raised, engines.read(engine) as connection:
        connection.execute(text("SELECT 1"))

    assert "s3cret" not in str(raised.value)
    with (
        pytest.raises(DatabaseUnreachable, match="cannot be used"),
        engines.read(engines.connect(f"sqlite:///{tmp_path}/absent/digest.db")),
    ):
        pass


def test_a_file_that_is_no_database_is_named_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "digest.db").write_text("not a database\n" * 100, encoding="utf-8")

    with (
        pytest.raises(DatabaseUnreachable, match="file is not a database"),
        engines.read(engines.connect(f"sqlite:///{tmp_path}/digest.db")),
    ):
        pass


def test_a_broken_rule_of_the_schema_is_not_taken_for_a_database_that_is_away(engine: Engine) -> None:
    row = tables.suppressions.insert().values(address_key="k", reason="r", since=NOW)

    with pytest.raises(IntegrityError), engines.write(engine) as connection:
        connection.execute(row)
        connection.execute(row)


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(DatabaseUnreachable, match="only sqlite"):
        engines.connect("mysql://localhost/digest")


def test_the_stored_file_is_an_ordinary_sqlite_database(sqlite_engine: Engine) -> None:
    path = sqlite_engine.url.database
    assert path is not None
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_who_reads_sees_one_moment_whatever_is_written_meanwhile(engine: Engine) -> None:
    suppressed = select(tables.suppressions.c.address_key)
    with engines.read(engine) as reading:
        assert reading.execute(suppressed).all() == []
        with engines.write(engine) as connection:
            connection.execute(tables.suppressions.insert().values(address_key="k", reason="r", since=NOW))
        assert reading.execute(suppressed).all() == []

    with engines.read(engine) as reading:
        assert len(reading.execute(suppressed).all()) == 1
