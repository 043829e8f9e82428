"""`calendar` shows what an edition will say is due; `check` names a calendar that cannot be read, and editions are made all the same."""

import json
import re
from pathlib import Path

import pytest
import time_machine

from tests.cli.shell import Run
from tests.editions.ics import document, event

Clock = time_machine.Traveller
TABLE = """
[[calendar]]
file = "calendars/bank.ics"
name = "Central Bank of Norland"
topics = ["central-banks"]
"""


@pytest.fixture
def file(desk: Clock, tmp_path: Path) -> Path:
    """A calendar's file, and a home that names it."""
    with (tmp_path / "digest.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(TABLE)
    (tmp_path / "calendars").mkdir()
    file = tmp_path / "calendars" / "bank.ics"
    file.write_bytes(
        document(event("Policy rate", ";TZID=Europe/Berlin:20260210T143000"), event("Speech", ":20260211"))
    )
    return file


def test_the_events_of_a_date_are_listed_in_the_digests_time(run: Run, file: Path) -> None:
    printed = run("calendar").stdout
    report = json.loads(run("calendar", "--date", "2026-02-11", "--json").stdout)

    assert re.search(r"today +13:30 +Policy rate", printed)
    assert "tomorrow" in printed
    assert [(one["title"], one["start"], one["shown"]) for one in report["events"]] == [
        ("Policy rate", "2026-02-10T13:30:00+00:00", False),
        ("Speech", None, True),
    ]
    assert (report["zone"], report["faults"]) == ("Europe/London", [])


def test_an_event_raises_a_story_and_both_are_frozen_so_that_the_edition_can_be_made_again(
    run: Run, file: Path
) -> None:
    explained = json.loads(run("explain", "s1", "--json").stdout)
    assert run("publish").returncode == 0
    file.unlink()

    factor = next(one for one in explained["receipt"] if one["factor"] == "calendar")
    assert factor["because"] == "Policy rate is due today at 13:30"
    assert 0 < factor["points"] <= 5
    assert sum(one["points"] for one in explained["receipt"]) == explained["score"]
    assert run("rebuild", "--days", "1").returncode == 0
    assert "no difference" in run("backtest", "--topics", str(file.parents[1] / "topics.toml"), "--days", "1").stdout


def test_check_notes_what_is_odd_and_faults_what_is_useless_and_the_edition_is_made(run: Run, file: Path) -> None:
    assert "ok      calendar Central Bank of Norland: calendars/bank.ics can be read." in run("check").stdout

    file.write_bytes(document(event("Policy rate", ":20250601"), event("When?", ":soon")))
    odd = run("check")
    assert odd.returncode == 0
    assert "note    calendar Central Bank of Norland: its last event was on 2025-06-01; fetch a newer" in odd.stdout
    assert f"{file}:8: DTSTART cannot be read" in odd.stdout

    file.write_text("<html>Not found</html>")
    useless = run("check")
    assert useless.returncode == 1
    assert "FAULT   calendar Central Bank of Norland" in useless.stdout
    assert "is no calendar" in run("calendar").stdout
    assert run("publish").returncode == 0


def test_without_a_calendar_the_command_says_how_to_name_one(run: Run, desk: Clock) -> None:
    assert run("calendar").stdout == "No calendar is named; a [[calendar]] in digest.toml names one.\n"
