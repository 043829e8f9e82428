"""A backup is whole although the service runs, and what is restored from it mails nobody twice."""

import shutil
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from digest import backup, safe_mode
from digest.errors import BackupRefused, TargetRefused
from digest.model import DeliveryState
from digest.store import claims, deliveries, schema, tables
from digest.store import engine as engines
from digest.store.transfer import counts
from tests.delivery.audience import NOW, publish

SECRET = "a key that no backup may hold"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "templates" / "email").mkdir(parents=True)
    (folder / "digest.toml").write_text("# ours\n", encoding="utf-8")
    (folder / "templates" / "email" / "edition.txt").write_text("Ours\n", encoding="utf-8")
    (folder / ".env").write_text(SECRET, encoding="utf-8")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Engine]:
    engine = engines.connect(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    yield engine
    engine.dispose()


def claimed(engine: Engine, number: int) -> int:
    with engines.write(engine) as connection:
        return len(claims.claim(connection, NOW, number, "token", NOW + timedelta(minutes=15)))


def states(engine: Engine) -> dict[DeliveryState, int]:
    with engines.read(engine) as connection:
        found = list(connection.scalars(select(tables.deliveries.c.state)))
    return {state: found.count(state) for state in DeliveryState if state in found}


def test_a_backup_of_the_middle_of_an_edition_mails_nobody_twice_once_it_is_restored(
    engine: Engine, elsewhere: Engine, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.digest-backup"
    with engines.write(engine) as connection:
        publish(connection, 6)
    assert claimed(engine, 2) == 2
    before = counts(engine)
    with engines.write(engine) as busy:
        row = {"address_key": "k", "reason": "complained", "since": NOW}
        busy.execute(insert(tables.suppressions).values(row))
        backup.make(home, engine, file, NOW)
    assert claimed(engine, 6) == 4  # the service has gone on, and may have sent them

    with backup.Backup(file) as kept:
        rows, doubted = kept.fill(elsewhere, NOW, force=False)
        assert doubted == 6

    assert rows == sum(before.values()) + 6 + 1  # an event for each delivery, and the safe mode
    assert counts(elsewhere)["suppressions"] == 0
    assert states(elsewhere) == {DeliveryState.UNKNOWN: 6}
    with engines.read(elsewhere) as connection:
        assert all(audit.balanced for audit in deliveries.audit(connection))
    assert safe_mode.in_force(elsewhere)
    assert safe_mode.leave(elsewhere, NOW, "looked")
    assert claimed(elsewhere, 6) == 0


def test_a_backup_brings_the_home_folder_back_without_secrets_and_leaves_what_is_there(
    sqlite_engine: Engine, home: Path, tmp_path: Path
) -> None:
    file, new = tmp_path / "one.digest-backup", tmp_path / "new"
    backup.make(home, sqlite_engine, file, NOW)
    new.mkdir()
    (new / "digest.toml").write_text("# another\n", encoding="utf-8")

    with backup.Backup(file) as kept:
        assert kept.write_files(new, force=False) == (("templates/email/edition.txt",), ("digest.toml",))
        assert (new / "digest.toml").read_text(encoding="utf-8") == "# another\n"
        assert kept.write_files(new, force=True) == (("digest.toml",), ())
    assert (new / "digest.toml").read_text(encoding="utf-8") == "# ours\n"
    assert SECRET.encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0


def test_a_restore_takes_the_place_of_what_is_there_only_by_force(engine: Engine, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.digest-backup"
    with engines.write(engine) as connection:
        publish(connection, 2)
    backup.make(home, engine, file, NOW)
    with engines.write(engine) as connection:
        connection.execute(insert(tables.suppressions).values(address_key="k", reason="complained", since=NOW))

    with backup.Backup(file) as kept:
        with pytest.raises(TargetRefused, match="not empty"):
            kept.fill(engine, NOW, force=False)
        assert counts(engine)["suppressions"] == 1
        assert states(engine) == {DeliveryState.QUEUED: 2}
    with backup.Backup(file) as kept:
        kept.fill(engine, NOW, force=True)

    assert counts(engine)["suppressions"] == 0
    assert states(engine) == {DeliveryState.UNKNOWN: 2}


def test_a_backup_of_an_earlier_revision_is_brought_up_to_date(
    elsewhere: Engine, sqlite_engine: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "one.digest-backup"
    with engines.write(sqlite_engine) as connection:
        publish(connection, 2)
    schema.migrate(sqlite_engine, "0012")
    monkeypatch.setattr(schema, "check", lambda _engine: None)
    backup.make(home, sqlite_engine, file, NOW)
    monkeypatch.undo()

    with backup.Backup(file) as kept:
        kept.fill(elsewhere, NOW, force=False)

    schema.check(elsewhere)
    assert states(elsewhere) == {DeliveryState.UNKNOWN: 2}


def test_a_backup_that_is_damaged_or_none_is_refused(sqlite_engine: Engine, home: Path, tmp_path: Path) -> None:
    file, none = tmp_path / "one.digest-backup", tmp_path / "none"
    backup.make(home, sqlite_engine, file, NOW)
    with pytest.raises(BackupRefused, match="--force"):
        backup.make(home, sqlite_engine, file, NOW)
    with tarfile.open(file) as archive:
        at = archive.getmember("digest.db").offset_data
    content = bytearray(file.read_bytes())
    content[at + 200] ^= 1
    file.write_bytes(content)
    shutil.copy(home / "digest.toml", none)

    for broken, says in ((file, "damaged"), (none, "cannot be read")):
        with pytest.raises(BackupRefused, match=says):
            backup.Backup(broken)


def test_a_folder_keeps_the_newest_backups_and_other_files(tmp_path: Path) -> None:
    made = [backup.place_in(tmp_path, NOW + timedelta(days=day)) for day in range(4)]
    other = tmp_path / "digest-notes.txt"
    for path in (*made, other):
        path.touch()

    assert set(backup.rotate(tmp_path, 3)) == {made[0]}
    assert set(tmp_path.iterdir()) == {*made[1:], other}
