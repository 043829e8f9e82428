"""`digest topics` as an editor meets it: what each command says of the stored articles, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest

from digest.cli.setup import write_starter
from digest.store import articles as article_store
from digest.store import engine as engines
from digest.store import feeds as feed_store
from tests.cli.shell import Run
from tests.ranking.articles import NOW, article

AT = ("--at", NOW.isoformat())
TOPICS = """[[topic]]
slug = "energy"
title = "Energy"
terms = ["crude", "OPEC", { term = "oil prices", weight = 2 }]

[[topic]]
slug = "inflation"
title = "Inflation"
terms = ["inflation", "prices"]
"""
DEAD = """
[[topic]]
slug = "shipping"
title = "Shipping"
terms = ["freight", "tankers"]
"""
TITLES = (
    *("Crude barrels leave Oslo", "Crude barrels leave Lagos", "OPEC counts barrels", "Crude inflation", "Oil prices jump"),
    *("Inflation slows", "Inflation follows oil prices", "Rain in Perth", "A mayor opens a library", "Cup final today"),
)  # fmt: skip


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path) -> Path:
    """A home folder with two topics and the articles of one day."""
    write_starter(tmp_path)
    shutil.copy(sqlite_template, tmp_path / "digest.db")
    (tmp_path / "topics.toml").write_text(TOPICS, encoding="utf-8")
    found = [article(number, title) for number, title in enumerate(TITLES, 1)]
    (tmp_path / "feeds.toml").write_text(
        f'[[feed]]\nurl = "{found[0].feed.url}"\npublisher = "Reuters"\n', encoding="utf-8"
    )
    engine = engines.connect(f"sqlite:///{tmp_path / 'digest.db'}")
    with engines.write(engine) as connection:
        feed_store.sync(connection, [found[0].feed], NOW)
        (known,) = feed_store.configured(connection)
        article_store.add(connection, known.id, found)
    engine.dispose()
    return tmp_path


def test_list_shows_what_each_topic_gets_of_the_articles_of_the_days(run: Run, home: Path) -> None:
    shown = run("topics", "list", *AT)
    told = json.loads(run("topics", "list", *AT, "--json").stdout)

    assert shown.returncode == 0
    assert "7 of 10 articles of the 30 days to 2026-02-10 06:00 UTC speak for a topic." in shown.stdout
    assert [(row["topic"], row["terms"], row["articles"], row["share"]) for row in told["topics"]] == [
        ("energy", 3, 6, 0.6),
        ("inflation", 2, 1, 0.1),
    ]


def test_audit_notes_a_shadowed_term_and_ends_well(run: Run, home: Path) -> None:
    finished = run("topics", "audit", *AT)

    assert finished.returncode == 0
    assert "note   Term “prices” of inflation: in 2 of 10 articles, and each time its words go to" in finished.stdout
    assert "10 articles of the 30 days to 2026-02-10 06:00 UTC: 0 faults, 1 note." in finished.stdout


def test_audit_ends_with_1_where_a_topic_has_no_match(run: Run, home: Path) -> None:
    (home / "topics.toml").write_text(TOPICS + DEAD, encoding="utf-8")

    finished = run("topics", "audit", *AT, "--json")

    told = json.loads(finished.stdout)
    assert finished.returncode == 1
    assert (told["articles"], told["faults"]) == (10, 1)
    assert [(one["kind"], one["fault"], one["topic"], one["term"]) for one in told["findings"]] == [
        ("no_match", True, "shipping", ""),
        ("covered", False, "inflation", "prices"),
    ]
    assert run("topics", "audit", *AT, "--topic", "inflation").returncode == 0


def test_suggest_shows_figures_and_headlines_and_changes_no_file(run: Run, home: Path) -> None:
    finished = run("topics", "suggest", *AT, "--topic", "energy")
    told = json.loads(run("topics", "suggest", *AT, "--topic", "energy", "--json").stdout)

    assert finished.returncode == 0
    assert "Nothing was changed." in finished.stdout
    assert [one["topic"] for one in told["topics"]] == ["energy"]
    assert (home / "topics.toml").read_text(encoding="utf-8") == TOPICS


def test_days_without_articles_are_said_to_be_so(run: Run, home: Path) -> None:
    finished = run("topics", "audit", "--at", "2020-01-01", "--days", "2")

    assert finished.returncode == 0
    assert "0 articles of the 2 days to 2020-01-01 00:00 UTC" in finished.stdout
    assert "`digest poll` reads the feeds" in finished.stdout


@pytest.mark.parametrize("command", ["audit", "suggest"])
def test_an_unknown_topic_is_named_with_those_there_are(run: Run, home: Path, command: str) -> None:
    finished = run("topics", command, "--topic", "enrgy")

    assert finished.returncode == 2
    assert 'no topic "enrgy"; it has energy, inflation.' in finished.stderr
