"""`digest market`: the block as it would be printed today, and what a mapping reads."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from digest.demo import servers
from tests.cli.shell import Run

NOW = datetime(2026, 2, 10, 5, 0, tzinfo=UTC)
OIL = b"Date,Price,Gas\n2026-02-09,68.30,3.05\n2026-02-06,67.90,3.11\n2026-02-05,68.00,.\n"
BANK = b'<Rates day="2026-02-09"><Rate code="USD">4,3393</Rate><Rate code="CHF">4,6</Rate></Rates>'
SERIES = """
[[market.series]]
name = "Brent crude"
url = "{0}/oil.csv"
source = "Energy office"
value = "Price"
day = "Date"

[[market.series]]
name = "Gold"
url = "{0}/oil.csv"
source = "Energy office"
value = "Gold"
day = "Date"
"""


@pytest.fixture
def documents() -> Iterator[str]:
    with servers.feed_server({"oil.csv": OIL, "bank.xml": BANK}) as address:
        yield address


@pytest.fixture
def home(run: Run, tmp_path: Path, documents: str) -> Iterator[Path]:
    """A home folder on a day whose market block has two series, one of which is not in its document."""
    with time_machine.travel(NOW, tick=False):
        assert run("init").returncode == 0
        (tmp_path / "feeds.toml").write_text("")
        text = (tmp_path / "digest.toml").read_text(encoding="utf-8")
        text = text.replace("allow_private = false", "allow_private = true")
        text = re.sub(r'ecb_url = ".*"', 'ecb_url = ""', text)
        (tmp_path / "digest.toml").write_text(text + SERIES.format(documents), encoding="utf-8")
        yield tmp_path


def test_the_block_is_printed_as_an_edition_would_have_it_with_what_is_wrong_below(run: Run, home: Path) -> None:
    unread = run("market")
    run("poll")
    finished = run("market")

    assert "Brent crude: not read yet; `digest poll` reads it." in unread.stdout
    assert re.search(r"Brent crude +68\.30 +2026-02-09 +▲ \+0\.59% +just now", finished.stdout)
    assert 'Gold: there is no column "Gold"; there are: Date, Price, Gas.' in finished.stdout
    assert finished.returncode == 0


def test_the_block_as_json(run: Run, home: Path, documents: str) -> None:
    run("poll")
    report = json.loads(run("market", "--json").stdout)

    oil, gold = report["series"]
    assert report["day"] == "2026-02-10"
    assert {
        name: oil[name] for name in ("name", "last", "as_of", "change", "direction", "since", "stale", "faults")
    } == {
        "name": "Brent crude",
        "last": "68.30",
        "as_of": "2026-02-09",
        "change": "+0.59%",
        "direction": "up",
        "since": "2026-02-06",
        "stale": False,
        "faults": [],
    }
    assert (oil["url"], oil["source"]) == (f"{documents}/oil.csv", "Energy office")
    assert (gold["last"], len(gold["faults"])) == (None, 2)


def test_check_says_of_each_series_when_it_came_last_and_what_is_wrong(run: Run, home: Path) -> None:
    run("poll")
    finished = run("check", "--no-network")

    assert "ok      market, Brent crude: 68.30 of 2026-02-09, read 0 h ago." in finished.stdout
    assert 'note    market, Gold: there is no column "Gold"' in finished.stdout


def test_poll_says_what_is_wrong_with_a_source(run: Run, home: Path, documents: str) -> None:
    assert f'market       {documents}/oil.csv: Gold: there is no column "Gold"' in run("poll").stdout


def test_a_home_without_market_series_says_so(run: Run, home: Path) -> None:
    text = (home / "digest.toml").read_text(encoding="utf-8").partition("\n[[market.series]]")[0]
    (home / "digest.toml").write_text(text, encoding="utf-8")

    assert "names no market series" in run("market").stdout


# ── trying a mapping ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mapping_is_tried_on_an_address_on_a_file_and_as_it_is_listed(run: Run, home: Path, documents: str) -> None:
    (home / "bank.xml").write_bytes(BANK)
    bank = ("--format", "xml", "--row", "Rate", "--value", ".", "--day", "../@day", "--where", "@code=USD")

    assert run("market", "try", f"{documents}/bank.xml", *bank).stdout == "2026-02-09  4.3393\n"
    assert run("market", "try", str(home / "bank.xml"), *bank).stdout == "2026-02-09  4.3393\n"
    assert run("market", "try", "Brent crude").stdout.startswith("2026-02-09  68.30\n2026-02-06  67.90\n")


def test_a_mapping_that_reads_nothing_says_why_and_fails(run: Run, home: Path, documents: str) -> None:
    wrong = run("market", "try", f"{documents}/oil.csv", "--value", "Oil", "--day", "Date")
    away = run("market", "try", f"{documents}/none.csv", "--value", "Oil", "--day", "Date", "--json")

    assert (wrong.returncode, wrong.stdout) == (1, 'Wrong: there is no column "Oil"; there are: Date, Price, Gas.\n')
    assert (away.returncode, json.loads(away.stdout)["values"]) == (1, [])
    assert "404" in json.loads(away.stdout)["fault"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--day", "Date"], "value: is missing; it should be the column"),
        (["--value", "a"], "day: should be the column of the day"),
        (["--format", "xml", "--value", "a", "--day", "b", "--row", "/"], 'row: is "/"; it should be the path'),
        (["--value", "a", "--day", "b", "--day-format", "%Y"], 'day_format: is "%Y"; it should name day'),
        (["--value", "a", "--day", "b", "--where", "c"], "where: names no column"),
    ],
)
def test_a_mapping_that_cannot_be_right_is_bad_usage(
    run: Run, home: Path, documents: str, options: list[str], reason: str
) -> None:
    finished = run("market", "try", f"{documents}/oil.csv", *options)

    assert finished.returncode == 2
    assert reason in finished.stderr


def test_a_file_that_is_too_large_is_refused(run: Run, home: Path) -> None:
    with (home / "large.csv").open("wb") as file:
        file.truncate(100 * 1024 * 1024)

    finished = run("market", "try", str(home / "large.csv"), "--value", "Price", "--day", "Date")

    assert finished.returncode == 2
    assert "is larger than 10485760 bytes" in finished.stderr
