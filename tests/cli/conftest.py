"""What every test of a command starts from."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from digest.cli.main import main
from tests.cli.desk import NOW, furnish
from tests.cli.shell import KEY, Finished, Run
from tests.logbook import forget_settings


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `digest` as the shell would, in an environment without settings of its own."""
    for name in list(os.environ):
        if name.startswith("DIGEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def _run(*arguments: str, **environment: str) -> Finished:
        with monkeypatch.context() as patch:
            for name, value in ({"DIGEST_HOME": str(tmp_path), "DIGEST_SECRET_KEY": KEY} | environment).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["digest", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return Finished(int(ended.value.code or 0), said.out, said.err)

    yield _run
    # A command that runs for good sends logs to its standard error, which is closed once the test is over.
    forget_settings()


@pytest.fixture
def desk(run: Run, tmp_path: Path) -> Iterator[time_machine.Traveller]:
    """The clock of a home whose database holds a day's articles; it stands still until it is moved."""
    with time_machine.travel(NOW, tick=False) as traveller:
        assert run("init").returncode == 0
        furnish(tmp_path)
        yield traveller
