"""An operator keeps copies, and comes back from one in an empty folder."""

import json
from pathlib import Path

from tests.cli.shell import Run


def test_a_service_comes_back_in_an_empty_folder_and_is_in_safe_mode(run: Run, tmp_path: Path) -> None:
    old, new, kept = (tmp_path / name for name in ("old", "new", "kept"))
    for folder in (new, kept):
        folder.mkdir()
    assert run("init", str(old)).returncode == 0

    made = run("backup", str(kept), "--keep", "2", "--json", DIGEST_HOME=str(old))
    file = json.loads(made.stdout)["file"]
    back = run("restore", file, DIGEST_HOME=str(new))
    again = run("restore", file, DIGEST_HOME=str(new))

    assert (made.returncode, back.returncode, again.returncode) == (0, 0, 1)
    assert "safe-mode --leave" in back.stdout
    assert "not empty" in again.stderr
    assert run("safe-mode", DIGEST_HOME=str(new)).returncode == 1
    assert run("backup", str(tmp_path / "one"), "--keep", "2", DIGEST_HOME=str(old)).returncode == 2
