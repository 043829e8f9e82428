"""`digest search` finds what was published, for people and for programs."""

import json
from pathlib import Path

import pytest

from digest.store import editions
from digest.store import engine as engines
from tests.cli.shell import Run
from tests.editions import samples


@pytest.fixture
def archive(run: Run, tmp_path: Path) -> Run:
    """The command in a home whose database has one published edition."""
    assert run("init").returncode == 0
    assert run("migrate").returncode == 0
    engine = engines.connect(f"sqlite:///{tmp_path / 'digest.db'}")
    with engines.write(engine) as connection:
        editions.insert(connection, samples.edition())
    engine.dispose()
    return run


def test_stories_are_listed_under_their_edition(archive: Run) -> None:
    finished = archive("search", "china's", "economic growth")

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("2026-02-10  The Economic Digest\n")
    assert "China's economic growth slows to 4.7%" in finished.stdout
    assert archive("search", "growth economic").stdout == "Nothing was found.\n"


def test_programs_get_one_document(archive: Run) -> None:
    found = json.loads(archive("search", "--topic", "energy", "--from", "2026-02-01", "--json").stdout)

    (edition,) = found["found"]
    assert (edition["digest"], edition["date"], found["more"]) == ("economy", "2026-02-10", False)
    assert {"title", "url", "publisher", "topic", "summary", "id", "place"} == set(edition["stories"][0])


def test_the_index_can_be_made_anew(archive: Run) -> None:
    finished = archive("search", "--rebuild")

    assert finished.returncode == 0
    assert "Rebuilt; of 0 editions it was wrong." in finished.stderr


def test_a_search_for_nothing_is_a_mistake(archive: Run) -> None:
    assert archive("search").returncode == 2
    assert archive("search", "💶").stdout == "Nothing was found.\n"
