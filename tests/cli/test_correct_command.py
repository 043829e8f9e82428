"""What an editor types to correct a published story, and whom it reaches."""

import json
from pathlib import Path

import pytest
import time_machine

from tests.cli.shell import Run

Clock = time_machine.Traveller
SAID = ("--text", "It is 6.7 per cent, not 7.6.", "--author", "ann")


@pytest.fixture
def published(run: Run, desk: Clock) -> str:
    """The id of the first story of an edition that one reader was sent."""
    assert run("subscribers", "add", "reader@example.org").returncode == 0
    edition = json.loads(run("publish", "--json").stdout)
    assert edition["queued"] == 1
    assert json.loads(run("deliver", "--once", "--json").stdout)["sent"] == 1
    found: str = edition["stories"][0]["id"]
    return found


def test_a_correction_is_marked_in_the_archive_and_mailed_only_on_demand(
    run: Run, published: str, tmp_path: Path
) -> None:
    before = set((tmp_path / "outbox").glob("*.eml"))

    finished = run("correct", published, *SAID)

    assert finished.returncode == 0, finished.stderr
    assert "is marked as corrected: http://127.0.0.1:8000/archive/economy/" in finished.stdout
    assert set((tmp_path / "outbox").glob("*.eml")) == before


def test_a_correction_goes_to_each_reader_once_however_often_it_is_said(
    run: Run, published: str, tmp_path: Path
) -> None:
    before = set((tmp_path / "outbox").glob("*.eml"))

    first, again = (json.loads(run("correct", published, *SAID, "--mail", "--json").stdout) for _ in range(2))

    assert (first["mailed"], again["mailed"]) == (1, 0)
    assert first["correction"]["id"] == again["correction"]["id"]
    (letter,) = set((tmp_path / "outbox").glob("*.eml")) - before
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in letter.read_text()


def test_a_story_can_be_named_by_its_place(run: Run, published: str) -> None:
    found = json.loads(run("correct", "1", *SAID, "--json").stdout)

    assert found["correction"]["story_id"] == published


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("s999", *SAID), "There is no story"),
        (("1", *SAID, "--date", "2020-01-01"), "There is no edition"),
        (("1", "--author", "ann"), "--text"),
    ],
)
def test_what_cannot_be_corrected_is_said(run: Run, published: str, arguments: tuple[str, ...], sentence: str) -> None:
    finished = run("correct", *arguments)

    assert finished.returncode in {1, 2}
    assert sentence in finished.stderr
