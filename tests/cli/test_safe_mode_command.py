"""An operator asks whether the service is in safe mode, and ends it with a reason."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.model import Doubt
from digest.store import engine as engines
from digest.store import pulses, safe_modes
from digest.store.pulses import Part
from tests.cli.shell import Run

NOW = datetime.now(UTC)


@pytest.fixture
def database(run: Run, tmp_path: Path) -> Iterator[Engine]:
    assert run("init").returncode == 0
    engine = engines.connect(f"sqlite:///{tmp_path / 'digest.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def doubted(database: Engine) -> Engine:
    """A service in safe mode."""
    with engines.write(database) as connection:
        safe_modes.begin(connection, Doubt.LEDGER, "The ledger lacks the last hours.", NOW)
        pulses.well(connection, Part.TICK, NOW - timedelta(days=1))
    return database


def test_a_service_that_is_not_in_safe_mode_says_so(run: Run, database: Engine) -> None:
    asked, documented = run("safe-mode"), run("safe-mode", "--json")

    assert (asked.returncode, asked.stdout) == (0, "The service is not in safe mode.\n")
    assert json.loads(documented.stdout) == {"safe_mode": False, "left": False}


def test_safe_mode_is_told_with_its_reason_and_how_to_leave_it(run: Run, doubted: Engine) -> None:
    asked, documented, checked, sent, well = (
        run(*words)
        for words in (("safe-mode",), ("safe-mode", "--json"), ("check",), ("deliver",), ("health", "--service"))
    )

    assert {finished.returncode for finished in (asked, documented, checked, sent, well)} == {1}
    for said in (asked.stdout, checked.stdout, sent.stderr):
        assert "The ledger lacks the last hours." in said
        assert "digest safe-mode --leave --reason" in said
    assert "Safe mode since" in well.stderr
    assert json.loads(documented.stdout) == {
        "safe_mode": True,
        "left": False,
        "doubt": "ledger",
        "since": NOW.isoformat(),
        "sentence": "The ledger lacks the last hours.",
    }


def test_who_leaves_safe_mode_says_why_and_it_is_kept(run: Run, doubted: Engine) -> None:
    without, empty = run("safe-mode", "--leave"), run("safe-mode", "--leave", "--reason", " ")
    left, again = run("safe-mode", "--leave", "--reason", "it was only down"), run("safe-mode")

    assert (without.returncode, empty.returncode, left.returncode, again.returncode) == (2, 2, 0, 0)
    assert "what did you find?" in without.stderr
    with engines.read(doubted) as connection:
        (kept,) = safe_modes.recent(connection, NOW)
        assert pulses.last_sign(connection) is None
    assert (kept.ended_because, kept.ended_at is not None) == ("it was only down", True)
    assert run("deliver").returncode == 0
