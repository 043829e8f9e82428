"""An operator lets go of what is kept too long, or looks first how much that is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.store import engine as engines
from digest.store import letters
from tests.cli.shell import Run


def test_what_would_go_is_counted_then_let_go_of_and_then_is_not_there(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("init", str(home)).returncode == 0
    assert run("migrate", DIGEST_HOME=str(home)).returncode == 0
    engine = engines.connect(f"sqlite:///{home / 'digest.db'}")
    with engines.write(engine) as connection:
        letters.take(connection, "long ago", datetime.now(UTC) - timedelta(days=401), timedelta(days=1))
    engine.dispose()

    first = json.loads(run("tidy", "--dry-run", "--json", DIGEST_HOME=str(home)).stdout)
    done = run("tidy", DIGEST_HOME=str(home))
    again = run("tidy", DIGEST_HOME=str(home))

    assert (first["dry_run"], first["letters"], first["deliveries"]) == (True, 1, 0)
    assert (done.returncode, done.stdout) == (0, "Let go of: 1 letters.\n")
    assert again.stdout == "Nothing is kept too long.\n"


def test_a_period_that_is_too_short_is_a_fault(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("init", str(home)).returncode == 0
    file = home / "digest.toml"
    file.write_text(file.read_text().replace("letters_days = 400", "letters_days = 20"))

    refused = run("tidy", DIGEST_HOME=str(home))

    assert refused.returncode == 2
    assert "[retention] letters_days: must be 0, for good, or at least 60 days" in refused.stderr
