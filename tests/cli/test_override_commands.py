"""What an editor types to change what the machine decided, and what comes of it."""

import getpass
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.cli.desk import NOW
from tests.cli.shell import Finished, Run

WHY = ("--reason", "the figures were revised", "--author", "ann")
Clock = time_machine.Traveller


def stories(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("rank", "--json", "--limit", "0").stdout)["stories"]
    return found


def order(run: Run) -> list[str]:
    return [one["id"] for one in stories(run)]


def explained(run: Run, story: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("explain", story, "--json").stdout)
    return found


def override(run: Run, *arguments: str) -> Finished:
    finished = run("override", *arguments, *WHY)
    assert finished.returncode == 0, finished.stderr
    return finished


def members(run: Run) -> list[set[int]]:
    return [{article["id"] for article in one["articles"]} for one in stories(run)]


@pytest.mark.parametrize(
    ("verb", "moved"),
    [
        (("pin", "s5"), ["s5", "s1", "s4", "s3"]),
        (("drop", "s1"), ["s4", "s3", "s5", "s1"]),
        (("boost", "s3", "40"), ["s3", "s1", "s4", "s5"]),
        (("boost", "s1", "-25"), ["s4", "s3", "s1", "s5"]),
    ],
)
def test_an_override_moves_a_story_until_it_expires(
    run: Run, desk: Clock, verb: tuple[str, ...], moved: list[str]
) -> None:
    before = stories(run)

    done = override(run, *verb, "--hours", "2")

    assert order(run) == moved
    assert "It counts until 2026-02-10 07:00 UTC. `digest override end 1` undoes it." in done.stdout
    desk.move_to(NOW + timedelta(hours=2))
    assert order(run) == [one["id"] for one in before]


def test_an_override_that_is_ended_counts_no_longer_at_once(run: Run, desk: Clock) -> None:
    before = stories(run)
    override(run, "pin", "s5")

    ended = run("override", "end", "1")

    assert ended.returncode == 0
    assert "counts no longer" in ended.stdout
    assert "It was 1st of 4 and pinned, is 4th of 4." in ended.stdout
    assert stories(run) == before
    again = run("override", "end", "1")
    assert again.returncode == 1
    assert "No override 1 is in force" in again.stderr


def test_the_answer_says_where_the_story_was_and_is(run: Run, desk: Clock) -> None:
    said = override(run, "pin", "s4").stdout

    assert "pin: s4, “Unemployment in Canada holds steady at 6.7 percent”" in said
    assert "It was 2nd of 4, is 1st of 4 and pinned." in said


def test_the_receipt_names_author_and_reason_beside_the_automatic_score(run: Run, desk: Clock) -> None:
    before = explained(run, "s5")
    override(run, "pin", "s5")

    after = explained(run, "s5")
    printed = run("explain", "s5").stdout

    assert after["receipt"][:-1] == before["receipt"]
    assert after["receipt"][-1]["because"] == "pinned by ann: the figures were revised"
    assert after["automatic"] == {"place": 4, "score": before["score"]}
    assert (after["place"], after["pinned"]) == (1, True)
    assert f"{before['score']:.2f}   4th by it alone" in printed


def test_a_dropped_story_is_in_no_edition_and_says_by_whom(run: Run, desk: Clock) -> None:
    override(run, "drop", "s1")

    preview = json.loads(run("preview", "--json").stdout)

    assert "s1" not in [one["id"] for one in preview["stories"]]
    assert stories(run)[-1]["barred"] == "dropped by ann: the figures were revised"
    assert "not in it, dropped by ann" in run("explain", "s1").stdout


def test_stories_that_are_merged_are_one_and_the_first_ones_lead_leads(run: Run, desk: Clock) -> None:
    said = override(run, "merge", "s4", "s3").stdout

    assert {3, 4} in members(run)
    (merged,) = [one for one in stories(run) if one["id"] == "s3"]
    assert merged["title"] == "Unemployment in Canada holds steady at 6.7 percent"
    assert said.count("  was ") == 2
    assert said.count("  is  ") == 1


def test_an_article_that_is_split_off_is_a_story_of_its_own(run: Run, desk: Clock) -> None:
    said = override(run, "split", "s1", "2").stdout

    assert {1} in members(run)
    assert {2} in members(run)
    assert said.count("  was ") == 1
    assert said.count("  is  ") == 2
    run("override", "end", "1")
    assert {1, 2} in members(run)


def test_a_story_taken_for_one_that_ran_can_be_parted_from_it_with_all_of_its_articles(run: Run, desk: Clock) -> None:
    assert run("publish").returncode == 0
    taken = next(one for one in stories(run) if {article["id"] for article in one["articles"]} == {1, 2})
    assert taken["barred"].startswith("it ran on 2026-02-10 as “Central bank")

    finished = override(run, "split", taken["id"], "1", "2")

    assert finished.returncode == 0, finished.stderr


def test_a_new_title_is_what_readers_see_and_is_made_inert(run: Run, desk: Clock, tmp_path: Path) -> None:
    override(run, "retitle", "s1", "Rates\x1b[31m\n rise <b>again</b>")

    assert stories(run)[0]["title"] == "Rates[31m rise again"
    run("preview")
    assert "Rates[31m rise again" in (tmp_path / "preview" / "economy-2026-02-10.txt").read_text(encoding="utf-8")
    (line,) = [one for one in explained(run, "s1")["receipt"] if one["factor"] == "override"]
    assert line["because"].startswith("retitled from “Central bank raises interest rates to 4.5%” by ann")


def test_a_story_may_be_named_by_the_address_of_any_of_its_articles(run: Run, desk: Clock) -> None:
    said = override(run, "pin", "https://exchange-post.example.org/2?utm_source=mail").stdout

    assert "pin: s1" in said
    assert explained(run, "https://harbour-wire.example.org/1")["id"] == "s1"
    assert explained(run, "s2")["id"] == "s1"


def test_the_list_shows_what_is_in_force_and_with_all_what_has_ended(run: Run, desk: Clock) -> None:
    assert "Nothing is done by hand now" in run("override", "list").stdout
    override(run, "boost", "s3", "2.5", "--hours", "1")
    run("hold", *WHY)
    desk.move_to(NOW + timedelta(hours=1))

    now, ever = (json.loads(run("override", "list", "--json", *more).stdout)["overrides"] for more in ((), ("--all",)))
    printed = run("override", "list", "--all").stdout

    assert [(one["kind"], one["in_force"]) for one in now] == [("hold", True)]
    assert [(one["kind"], one["in_force"]) for one in ever] == [("boost", False), ("hold", True)]
    assert "boost +2.5" in printed
    assert "ended 2026-02-10" in printed
    assert "edition of 2026-02-10" in printed


def test_json_says_what_was_done_what_came_of_it_and_how_to_undo_it(run: Run, desk: Clock) -> None:
    report = json.loads(override(run, "boost", "s3", "-2.5", "--json").stdout)

    assert set(report) == {"override", "was", "is", "undo"}
    assert report["override"]["articles"] == [3]
    assert report["override"]["until"] == (NOW + timedelta(hours=36)).isoformat()
    assert (report["was"][0]["place"], report["is"][0]["place"]) == (3, 3)
    assert report["is"][0]["score"] == pytest.approx(report["was"][0]["score"] - 2.5)
    assert run(*report["undo"].split()[1:], "--json").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("pin", "s99", *WHY), 1, "There is no story 's99' among those of the window"),
        (("pin", "https://nobody.example.org/1", *WHY), 1, "There is no story 'https://nobody.example.org/1'"),
        (("pin", "not a story", *WHY), 1, "There is no story 'not a story'"),
        (("pin", "s1", "--author", "ann"), 2, "Missing option '--reason'"),
        (("pin", "s1", "--reason", " \u200b ", "--author", "ann"), 2, "the reason is empty"),
        (("pin", "s1", *WHY, "--until", "2026-02-10T05:00"), 2, "2026-02-10 05:00 UTC has passed"),
        (("pin", "s1", *WHY, "--until", "2026-02-11", "--hours", "2"), 2, "give one of them"),
        (("boost", "s1", "0", *WHY), 2, "5 raises the story, -5 lowers it"),
        (("boost", "s1", "nan", *WHY), 2, "5 raises the story, -5 lowers it"),
        (("boost", "s1", "-501", *WHY), 2, "is not in the range"),
        (("merge", "s1", *WHY), 2, "takes two stories or more"),
        (("merge", "s1", "s2", *WHY), 2, "takes two stories or more"),
        (("split", "s1", "1", "2", *WHY), 2, "That would leave nothing of s1. It has:\n  1  Harbour Wire"),
        (("split", "s1", "3", *WHY), 2, "'3' is no article of s1. It has:"),
        (("retitle", "s1", "<p></p>", *WHY), 2, "the title is empty"),
        (("retitle", "s1", "long " * 61, *WHY), 2, "300 are the most"),
        (("pin", "s1", *WHY, "--digest", "sport"), 2, "No digest is called 'sport'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_nothing_is_kept(
    run: Run, desk: Clock, arguments: tuple[str, ...], status: int, words: str
) -> None:
    finished = run("override", *arguments)

    assert finished.returncode == status
    # Articles of equal wording may come in any order.
    assert words in finished.stderr or words.replace("1  Harbour Wire", "2  Exchange Post") in finished.stderr
    assert json.loads(run("override", "list", "--all", "--json").stdout) == {"overrides": []}


def test_without_a_login_name_the_author_must_be_given(run: Run, desk: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError

    monkeypatch.setattr(getpass, "getuser", nobody)

    finished = run("override", "pin", "s1", "--reason", "it matters")

    assert finished.returncode == 2
    assert "Missing option '--author'" in finished.stderr


def test_a_story_of_a_language_that_the_digest_does_not_take_stays_out_and_the_answer_says_so(
    run: Run, desk: Clock, tmp_path: Path
) -> None:
    configuration = (tmp_path / "digest.toml").read_text(encoding="utf-8")
    assert "[[digest]]" in configuration
    lines = [line for line in configuration.splitlines() if not line.lstrip("# ").startswith("languages =")]
    at = lines.index("[[digest]]")
    (tmp_path / "digest.toml").write_text(
        "\n".join([*lines[: at + 1], 'languages = ["de"]', *lines[at + 1 :]]), encoding="utf-8"
    )

    said = override(run, "pin", "s1").stdout

    assert "No edition shows it all the same" in said
    assert "not in it, it was not among what was read for it" in run("explain", "s1").stdout


# ── editions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hold_before_press_time_is_kept_and_an_approval_publishes_what_was_held(
    run: Run, desk: Clock, tmp_path: Path
) -> None:
    run("subscribers", "add", "reader@example.org")
    held = run("hold", *WHY)
    made, seen = run("publish"), run("preview")

    approved = run("approve", *WHY)

    assert "will be held at press time, 2026-02-10 06:00 UTC. `digest override end 1` undoes it." in held.stdout
    for finished in (made, seen):
        assert finished.returncode == 0
        assert "held: Held by ann: the figures were revised" in finished.stdout
        assert "`digest approve --digest economy --date 2026-02-10" in finished.stdout
        assert "As it was published" not in finished.stdout
    assert "Not published." in made.stdout
    assert (tmp_path / "preview" / "economy-2026-02-10.html").exists()
    assert approved.returncode == 0
    assert "Published; 1 delivery queued." in approved.stdout


def test_what_is_dropped_from_a_held_edition_is_gone_from_its_preview_and_from_what_is_approved(
    run: Run, desk: Clock
) -> None:
    run("hold", *WHY)
    run("publish")
    override(run, "drop", "s1")

    seen, approved = json.loads(run("preview", "--json").stdout), json.loads(run("approve", "--json", *WHY).stdout)

    assert [one["id"] for one in seen["stories"]] == ["s4", "s3", "s5"]
    assert (seen["state"], seen["published"]) == ("held", False)
    assert approved["edition"]["stories"] == seen["stories"]
    assert (approved["created"], approved["edition"]["state"]) == (True, "frozen")


def test_a_held_edition_that_is_skipped_is_settled_at_once(run: Run, desk: Clock) -> None:
    run("hold", *WHY)
    run("publish")

    skipped = run("skip", *WHY)

    assert skipped.returncode == 0
    assert "skipped: Skipped by ann: the figures were revised" in skipped.stdout
    again = run("approve", *WHY)
    assert again.returncode == 1
    assert "was skipped already (Skipped by ann: the figures were revised)" in again.stderr


@pytest.mark.parametrize("verb", ["hold", "approve", "skip"])
def test_nothing_can_be_decided_about_an_edition_that_is_published(run: Run, desk: Clock, verb: str) -> None:
    run("publish")

    finished = run(verb, *WHY)

    assert finished.returncode == 1
    assert "is published already; nothing can be decided about it any more" in finished.stderr


@pytest.mark.parametrize(
    ("verb", "words"), [("approve", "even of a quiet or broken day"), ("skip", "will be left out at press time")]
)
def test_an_order_for_a_day_to_come_waits_for_its_press_time(run: Run, desk: Clock, verb: str, words: str) -> None:
    report = run(verb, "--date", "2026-02-11", *WHY)

    assert words in report.stdout
    assert "2026-02-11 06:00 UTC" in report.stdout


def test_a_date_for_which_it_is_too_late_is_refused(run: Run, desk: Clock) -> None:
    finished = run("hold", "--date", "2026-02-08", *WHY)

    assert finished.returncode == 2
    assert "It is too late for the edition of 2026-02-08" in finished.stderr
