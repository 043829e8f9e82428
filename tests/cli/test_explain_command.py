"""`rank` and `explain` tell the truth about the ranking and about the edition."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.cli.desk import NOW
from tests.cli.shell import Run

WHY = ("--reason", "it matters", "--author", "ann")
Clock = time_machine.Traveller


def explained(run: Run, story: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("explain", story, "--json").stdout)
    return found


def test_the_points_of_a_receipt_add_up_to_the_score_exactly_and_as_printed_within_rounding(
    run: Run, desk: Clock
) -> None:
    run("override", "boost", "s3", "1.005", *WHY)
    report = explained(run, "s3")

    printed = run("explain", "s3").stdout
    points = [float(found) for found in re.findall(r"^ \w+ .*? ([+-]\d+\.\d\d) ", printed, re.MULTILINE)]
    total = re.search(r"^ score +(\S+)", printed, re.MULTILINE)

    assert sum(factor["points"] for factor in report["receipt"]) == report["score"]
    assert len(points) == len(report["receipt"])
    assert total is not None
    assert sum(points) == pytest.approx(float(total[1]), abs=0.005 * (len(points) + 1))


def test_the_neighbours_are_those_of_the_ranking(run: Run, desk: Clock) -> None:
    ranked = json.loads(run("rank", "--json", "--limit", "0").stdout)["stories"]

    report = explained(run, ranked[1]["id"])

    assert report["above"]["id"] == ranked[0]["id"]
    assert report["above"]["gap"] == pytest.approx(ranked[0]["score"] - ranked[1]["score"])
    assert report["below"]["id"] == ranked[2]["id"]
    assert report["below"]["gap"] < 0
    assert {one["factor"] for one in report["without"]} == {factor["factor"] for factor in report["receipt"]}
    printed = run("explain", ranked[1]["id"]).stdout
    assert f"Above: {ranked[0]['id']}, " in printed
    assert f"Below: {ranked[2]['id']}, " in printed
    assert "Its place if no story had this factor: topic " in printed


def test_every_member_is_listed_with_its_number_and_link(run: Run, desk: Clock) -> None:
    printed = run("explain", "s1").stdout

    assert "2 articles, the lead first:" in printed
    assert "  1  Harbour Wire, 2026-02-10 04:00 UTC: Central bank raises" in printed
    assert "https://exchange-post.example.org/2" in printed


def test_each_article_but_the_lead_says_by_which_words_it_joined(run: Run, desk: Clock) -> None:
    report = explained(run, "s1")
    lead, *others = [article["id"] for article in report["articles"]]

    assert others
    assert set(report["joined_by"]) == {str(number) for number in others}
    assert str(lead) not in report["joined_by"]
    assert all(word["word"] for words in report["joined_by"].values() for word in words)
    assert run("explain", "s1").stdout.count("joined by") == len(others)


def test_before_an_edition_is_made_explain_says_what_it_would_make_of_the_story(run: Run, desk: Clock) -> None:
    run("override", "drop", "s3", *WHY)

    assert "The edition of 2026-02-10, if it were made now: place 1." in run("explain", "s1").stdout
    assert explained(run, "s3")["editions"] == [
        {"date": "2026-02-10", "state": None, "place": None, "why": "dropped by ann: it matters"}
    ]


def test_after_an_edition_is_made_explain_says_what_it_made_of_the_story_and_what_the_next_would(
    run: Run, desk: Clock
) -> None:
    run("override", "drop", "s3", *WHY)
    published = json.loads(run("publish", "--json").stdout)
    desk.move_to(NOW + timedelta(hours=3))

    ran, left_out = explained(run, "s1"), explained(run, "s3")

    assert ran["editions"] == [
        {"date": "2026-02-10", "state": "frozen", "place": 1, "why": ""},
        {
            "date": "2026-02-11",
            "state": None,
            "place": None,
            "why": "it ran on 2026-02-10 as “Central bank raises interest rates to 4.5%”, and there is no news of it",
        },
    ]
    assert (ran["ran"]["edition"], ran["ran"]["place"]) == (published["edition"], 1)
    assert ran["ran"]["score"] == published["stories"][0]["score"] != ran["score"]
    assert left_out["editions"][0]["why"] == "dropped by ann: it matters"
    assert left_out["ran"] is None


def test_of_an_edition_that_is_held_or_left_out_explain_says_so(run: Run, desk: Clock) -> None:
    run("skip", *WHY)
    to_come = run("explain", "s1").stdout
    run("hold", *WHY)
    run("publish")
    held = run("explain", "s1").stdout
    run("skip", *WHY)
    skipped = run("explain", "s1").stdout

    assert (
        "The edition of 2026-02-10, if it were made now: not in it, the edition is skipped by ann: it matters."
        in to_come
    )
    assert "The edition of 2026-02-10, which is held: place 1." in held
    assert "The edition of 2026-02-10, which was skipped: not in it, Skipped by ann: it matters." in skipped
    assert "The edition of 2026-02-11, if it were made now: place 1." in skipped


def test_what_ran_is_marked_in_the_ranking(run: Run, desk: Clock) -> None:
    run("publish")
    run("override", "pin", "s4", *WHY)

    ranked = {one["id"]: one for one in json.loads(run("rank", "--json").stdout)["stories"]}
    printed = run("rank").stdout

    assert (
        ranked["s1"]["barred"]
        == "it ran on 2026-02-10 as “Central bank raises interest rates to 4.5%”, and there is no news of it"
    )
    assert (ranked["s4"]["pinned"], ranked["s4"]["barred"]) == (True, "")
    assert "it ran on" in printed
    assert "pinned" in printed


def test_a_ranking_as_of_before_the_edition_is_as_it_was_then(run: Run, desk: Clock) -> None:
    before = run("rank", "--json", "--at", NOW.isoformat()).stdout
    desk.move_to(NOW + timedelta(hours=1))
    run("publish")

    assert run("rank", "--json", "--at", NOW.isoformat()).stdout == before


def test_a_story_that_ran_and_left_the_window_keeps_the_receipt_it_was_published_with(run: Run, desk: Clock) -> None:
    published = json.loads(run("publish", "--json").stdout)
    desk.move_to(NOW + timedelta(days=3))

    report, printed = explained(run, "s1"), run("explain", "https://exchange-post.example.org/2").stdout

    assert report["score"] == published["stories"][0]["score"]
    assert (report["edition"], report["date"], report["place"]) == (published["edition"], "2026-02-10", 1)
    assert "s1 ran in the edition of 2026-02-10, place 1: Central bank raises" in printed
    assert f"{report['score']:.2f}" in printed
