"""Where one machine is not enough: `work`, and `transfer` from SQLite to PostgreSQL."""

import json
from pathlib import Path

import pytest

from digest.store import engine as engines
from digest.store.transfer import counts
from tests.cli.shell import Run


def test_work_without_a_queue_says_what_to_set(run: Run) -> None:
    run("init")
    finished = run("work")

    assert finished.returncode == 2
    assert '[delivery] queue is "inline"' in finished.stderr


def test_a_queue_on_sqlite_is_refused_with_its_line(run: Run, tmp_path: Path) -> None:
    run("init")
    settings = tmp_path / "digest.toml"
    settings.write_text(settings.read_text().replace('queue = "inline"', 'queue = "procrastinate"'))
    line = settings.read_text().splitlines().index('queue = "procrastinate"') + 1
    finished = run("schedule")

    assert finished.returncode == 2
    assert f'digest.toml:{line}: [delivery] queue: is "procrastinate", whose jobs need PostgreSQL' in finished.stderr


def test_everything_moves_to_postgresql_and_the_commands_go_on_there(
    run: Run, tmp_path: Path, postgres_url: str
) -> None:
    run("init")
    assert run("subscribers", "add", "reader@example.org").returncode == 0
    moved = run("transfer", "--to", postgres_url, "--json")
    again = run("transfer", DIGEST_TRANSFER_TO=postgres_url)

    assert moved.returncode == 0, moved.stderr
    report = json.loads(moved.stdout)
    assert (report["rows"], report["tables"]["subscribers"], report["tables"]["subscriptions"]) == (4, 1, 1)
    engine = engines.connect(postgres_url)
    assert counts(engine) == report["tables"]
    engine.dispose()
    assert again.returncode == 1
    assert "not empty" in again.stderr
    listed = run("subscribers", "list", DIGEST_DATABASE_URL=postgres_url)
    assert "reader@example.org" in listed.stdout


def test_a_target_that_was_not_migrated_is_refused(run: Run, tmp_path: Path) -> None:
    run("init")
    finished = run("transfer", "--to", f"sqlite:///{tmp_path / 'new.db'}")

    assert finished.returncode == 2
    assert "Run `digest migrate`" in finished.stderr


@pytest.mark.parametrize("address", ["mysql://host/name", "nonsense"])
def test_an_address_of_no_database_of_ours_is_refused(run: Run, address: str) -> None:
    run("init")

    assert run("transfer", "--to", address).returncode == 1
