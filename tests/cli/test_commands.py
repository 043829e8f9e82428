"""What a stranger types, and what the command answers: one clear sentence, and the exit status that says how it went."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from aiosmtpd.smtp import SMTP, Envelope, Session

from digest.cli.main import SECTIONS
from digest.demo import servers
from digest.store import engine as engines
from digest.store import subscribers as subscriber_store
from tests.cli.shell import Run

FEED = b"""<rss version="2.0"><channel><title>Example</title><item><guid>1</guid>
<title>Central bank raises interest rates to 4.5%</title><link>https://news.example/1</link></item></channel></rss>"""


@pytest.fixture
def feeds() -> Iterator[str]:
    """A web server with one feed and one page that is none."""
    with servers.feed_server({"feed.xml": FEED, "page.html": b"<html><body>News</body></html>"}) as address:
        yield address


@pytest.fixture
def home(run: Run, tmp_path: Path, feeds: str) -> Path:
    """A home folder whose two feeds are on loopback; one of them is a web page."""
    assert run("init").returncode == 0
    (tmp_path / "feeds.toml").write_text(
        "".join(f'[[feed]]\nurl = "{feeds}/{name}"\npublisher = "{name}"\n' for name in ("feed.xml", "page.html")),
        encoding="utf-8",
    )
    configuration = (tmp_path / "digest.toml").read_text(encoding="utf-8")
    configuration = configuration.replace("allow_private = false", "allow_private = true")
    configuration = re.sub(r'ecb_url = ".*"', 'ecb_url = ""', configuration)
    (tmp_path / "digest.toml").write_text(configuration, encoding="utf-8")
    return tmp_path


def test_a_test_of_an_edition_goes_to_one_address_and_says_what_it_is(
    run: Run, desk: time_machine.Traveller, tmp_path: Path
) -> None:
    finished = run("preview", "--mail", "Ann@Editors.Example")

    assert finished.returncode == 0, finished.stderr
    assert "The test is in" in finished.stdout
    (mail,) = (tmp_path / "outbox").glob("*.eml")
    content = mail.read_text()
    assert "Subject: [TEST] " in content
    assert "To: Ann@editors.example" in content
    assert "__" not in re.sub(r"=\n", "", content.partition("\n\n")[2]).replace("=5F=5F", "__").replace("----", "")
    assert run("preview", "--mail", "nobody").returncode == 2


def test_init_makes_a_home_that_check_finds_well(run: Run, tmp_path: Path) -> None:
    first, second, check = run("init", DIGEST_SECRET_KEY=""), run("init", DIGEST_SECRET_KEY=""), run("check")

    assert first.returncode == second.returncode == check.returncode == 0
    assert "digest check" in first.stdout
    assert "was there, left as it is" in second.stdout
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert "note    relay: no relay is named" in check.stdout


def test_init_writes_no_second_key_where_one_is_given(run: Run, tmp_path: Path) -> None:
    finished = run("init")

    assert finished.returncode == 0
    assert "DIGEST_SECRET_KEY: is set" in finished.stdout
    assert "DIGEST_SECRET_KEY_FILE" not in finished.stdout
    assert not (tmp_path / "secret.key").exists()


def test_check_puts_its_sentences_in_groups_for_people_and_says_how_many_need_them(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run("check", "--no-network", DIGEST_SECRET_KEY="a" * 40)
    assert (lines.returncode, "FAULT   strength: DIGEST_SECRET_KEY could be guessed." in lines.stdout) == (1, True)
    found = json.loads(run("check", "--no-network", "--json", DIGEST_SECRET_KEY="a" * 40).stdout)["findings"]
    assert {"Secrets", "Database", "This machine", "Mail"} <= {finding["group"] for finding in found}

    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", run("check", "--no-network", DIGEST_SECRET_KEY="a" * 40).stdout)
    assert re.search(r"\nSecrets\n.*✗ strength: DIGEST_SECRET_KEY could be guessed", shown, re.DOTALL)
    assert shown.endswith("\n1 thing needs you.\n")


def test_check_says_whether_the_limits_leave_room_for_everybody(run: Run, home: Path) -> None:
    for number in range(2):
        assert run("subscribers", "add", f"r{number}@readers.example").returncode == 0
    well = run("check", "--no-network")
    configuration = (home / "digest.toml").read_text(encoding="utf-8")
    limited = configuration.replace("per_hour = 0", "per_hour = 1").replace("late_hours = 12", "late_hours = 1")
    (home / "digest.toml").write_text(limited, encoding="utf-8")
    short = run("check", "--no-network")

    assert "pace: as fast as the relay takes it, over up to 20 connections." in well.stdout
    assert (
        "FAULT   pace: 2 readers at 1 an hour take 2 hours, longer than late_hours = 1: 1 are reached in time"
        in short.stdout
    )
    assert short.returncode == 1


def test_a_home_that_is_none_is_named_with_what_to_do(run: Run) -> None:
    finished = run("check")

    assert finished.returncode == 2
    assert "there is no digest.toml here; `digest init DIR` makes a home folder" in finished.stderr


def test_an_unknown_key_and_a_bad_line_are_named_at_once(run: Run, home: Path) -> None:
    (home / "topics.toml").write_text("[[topic]\n", encoding="utf-8")
    configuration = (home / "digest.toml").read_text(encoding="utf-8").replace("connections =", "conections =")
    (home / "digest.toml").write_text(configuration, encoding="utf-8")

    finished = run("rank")

    assert finished.returncode == 2
    assert re.search(r"topics\.toml:1: not valid TOML", finished.stderr)
    assert re.search(
        r'digest\.toml:\d+: \[delivery\] conections: is not a setting; did you mean "connections"\?', finished.stderr
    )


def test_a_missing_secret_is_named(run: Run, home: Path) -> None:
    finished = run("subscribers", "add", "reader@example.org", DIGEST_SECRET_KEY="")

    assert finished.returncode == 2
    assert "DIGEST_SECRET_KEY is not set" in finished.stderr


def test_a_database_without_a_schema_is_refused_with_the_command(run: Run, home: Path) -> None:
    (home / "digest.db").unlink()

    refused, migrated, ranked = run("rank"), run("migrate"), run("rank")

    assert refused.returncode == 1
    assert "Run `digest migrate`" in refused.stderr
    assert migrated.returncode == ranked.returncode == 0


def test_a_feed_that_is_a_web_page_is_named_and_the_others_are_read(run: Run, home: Path, feeds: str) -> None:
    finished = run("poll")

    assert finished.returncode == 0
    assert re.search(rf"failed +{feeds}/page\.html: .*not a feed", finished.stdout)
    assert "2 feeds" in finished.stdout
    assert "1 new article" in finished.stdout


def test_a_round_in_which_nothing_could_be_read_has_failed(run: Run, home: Path, feeds: str) -> None:
    assert run("poll", "--feed", f"{feeds}/page.html").returncode == 1
    assert run("poll", "--feed", f"{feeds}/feed.xml").returncode == 0
    assert "None of 2 feeds is due yet" in run("poll").stdout
    stranger = run("poll", "--feed", f"{feeds}/other.xml")
    assert stranger.returncode == 2
    assert "is not in feeds.toml" in stranger.stderr


def test_poll_reports_json_as_documented(run: Run, home: Path) -> None:
    report = json.loads(run("poll", "--json").stdout)

    assert set(report) == {
        *("feeds", "fetched", "not_modified", "failed", "articles_new", "articles_updated", "seconds", "outcomes")
    }
    assert {tuple(outcome) for outcome in report["outcomes"]} == {
        ("feed", "outcome", "status", "articles_new", "articles_held", "error", "alerts")
    }


def test_rank_reports_json_as_documented_and_explain_adds_up(run: Run, home: Path) -> None:
    run("poll")
    report = json.loads(run("rank", "--json", "--limit", "0").stdout)

    assert set(report) == {"digest", "window", "stories"}
    (story,) = report["stories"]
    assert set(story) == {
        *("id", "title", "url", "score", "topic", "topics", "receipt", "articles"),
        *("barred", "update", "pinned"),
    }
    assert set(story["articles"][0]) == {"id", "url", "title", "publisher", "feed", "published_at", "topics"}
    assert story["topic"] == "central-banks"
    assert len(story["topics"]) == 18
    assert story["score"] == pytest.approx(sum(factor["points"] for factor in story["receipt"]), abs=1e-9)
    explained = run("explain", story["id"])
    assert explained.returncode == 0
    assert f"{story['score']:.2f}" in explained.stdout


def test_a_story_or_digest_that_does_not_exist_is_named(run: Run, home: Path) -> None:
    story, digest = run("explain", "s999"), run("rank", "--digest", "sport")

    assert (story.returncode, digest.returncode) == (1, 2)
    assert "There is no story 's999'" in story.stderr
    assert "No digest is called 'sport'. digest.toml has: economy." in digest.stderr


@pytest.mark.parametrize("address", ["reader", "reader@", "a@b@c.example", "reader@example.org\nBcc: x@example.org"])
def test_an_address_that_is_none_is_refused(run: Run, home: Path, address: str) -> None:
    finished = run("subscribers", "add", address)

    assert finished.returncode == 2
    assert "is not an address we can mail" in finished.stderr


def test_readers_are_added_listed_imported_and_removed(run: Run, home: Path) -> None:
    (home / "readers.csv").write_text(
        "email,topics\none@example.org,energy\nnobody\ntwo@example.org,\n", encoding="utf-8"
    )

    added = run("subscribers", "add", "three@example.org", "--topic", "inflation")
    imported = run("subscribers", "import", str(home / "readers.csv"), "--consent", "On paper")
    removed = run("subscribers", "remove", "one@example.org")
    listed = json.loads(run("subscribers", "list", "--json").stdout)

    assert "now reads The Economic Digest (inflation)" in added.stdout
    assert imported.returncode == 1
    assert f"{home / 'readers.csv'}:3: " in imported.stderr
    assert "2 readers added" in imported.stdout
    assert removed.returncode == 0
    assert [one["address"] for one in listed["subscribers"]] == ["three@example.org", "two@example.org"]
    assert run("subscribers", "remove", "one@example.org").returncode == 1


def test_a_reader_is_added_in_a_language_that_there_are_words_for(run: Run, home: Path) -> None:
    added = run("subscribers", "add", "one@example.org", "--language", "de")
    refused = run("subscribers", "add", "two@example.org", "--language", "klingon")
    shown = run("subscribers", "show", "one@example.org")

    assert added.returncode == 0
    assert (
        refused.returncode,
        "'klingon' is no language that readers can choose. There are: en, ar, de." in refused.stderr,
    ) == (2, True)
    assert re.search(r"Language +de\b", shown.stdout)
    told = json.loads(run("subscribers", "show", "one@example.org", "--json").stdout)
    assert told["subscriptions"][0]["language"] == "de"


def test_a_list_is_tried_then_imported_and_what_is_refused_lies_beside_it(run: Run, home: Path) -> None:
    listed = home / "list.csv"
    listed.write_text("email,name,status\none@example.org,One,enabled\nnobody,,\n", encoding="utf-8")
    rejected = home / "list.rejected.csv"

    unvouched = run("subscribers", "import", str(listed))
    tried = run("subscribers", "import", str(listed), "--consent", "On paper", "--dry-run", "--rejected", str(rejected))
    done = json.loads(run("subscribers", "import", str(listed), "--consent", "On paper", "--json").stdout)
    exported = run("subscribers", "export").stdout

    assert unvouched.returncode == 2
    assert "does not say that its readers agreed" in unvouched.stderr
    assert "1 reader would be added, 1 refused." in tried.stdout
    assert "Not used: name." in tried.stderr
    assert rejected.read_text(encoding="utf-8-sig").startswith("line,reason,email,name,status\n3,")
    assert (done["added"], done["refused"], done["refusals"][0]["line"]) == (1, 1, 3)
    assert done["rejected_file"] == str(home / "list.rejected.2.csv")
    assert "one@example.org,economy,active" in exported
    same = run("subscribers", "import", str(listed), "--consent", "On paper", "--rejected", str(listed))
    assert same.returncode == 2
    assert "must not be the file" in same.stderr


def test_who_has_left_is_brought_back_only_on_request(run: Run, home: Path) -> None:
    run("subscribers", "add", "reader@example.org")
    engine = engines.connect(f"sqlite:///{home / 'digest.db'}")
    with engines.write(engine) as connection:
        (subscription,) = subscriber_store.by_address(connection, "reader@example.org")
        subscriber_store.end(connection, subscription.id, datetime.now(UTC))
    engine.dispose()

    refused = run("subscribers", "add", "reader@example.org")
    again = run("subscribers", "add", "reader@example.org", "--again")

    assert refused.returncode == 2
    assert "they left The Economic Digest on" in refused.stderr
    assert again.returncode == 0
    assert "now reads" in again.stdout


def test_a_database_is_not_taken_back_without_being_asked(run: Run, home: Path) -> None:
    refused = run("migrate", "--to", "base")
    unknown = run("migrate", "--to", "zzz")
    agreed = run("migrate", "--to", "base", "--yes")

    assert refused.returncode == 2
    assert "`--yes` if you mean it" in refused.stderr
    assert unknown.returncode == 2
    assert "there are: head, base, 0001" in unknown.stderr
    assert agreed.returncode == 0
    assert "is now empty" in agreed.stdout


def test_a_relay_with_links_to_the_readers_own_machine_is_a_fault(run: Run, home: Path) -> None:
    finished = run("check", "--no-network", DIGEST_SMTP_URL="smtp://127.0.0.1:1")

    assert finished.returncode == 1
    assert "every link in the mail would lead to the reader's own machine" in finished.stdout


def test_check_says_whether_the_relays_log_can_be_read(run: Run, home: Path) -> None:
    settings = home / "digest.toml"
    text = settings.read_text().replace('unknown = "resend_once"', 'unknown = "reconcile"')
    settings.write_text(text.replace('relay_log = ""', 'relay_log = "mail.log*"'))

    lacking = run("check", "--no-network")
    (home / "mail.log").write_text("2026-02-10T06:00:00Z mail postfix/qmgr[3]: 4D1: removed\n")
    reading = run("check", "--no-network")

    assert lacking.returncode == 1
    assert f"FAULT   relay log: {home / 'mail.log*'} cannot be read: there is no such file." in lacking.stdout
    assert f"ok      relay log: {home / 'mail.log*'} can be read; it begins at 2026-02-10 06:00 UTC." in reading.stdout


def test_check_tells_which_phrases_a_locale_lacks_and_refuses_a_broken_catalogue(run: Run, home: Path) -> None:
    configuration = (home / "digest.toml").read_text(encoding="utf-8")
    (home / "digest.toml").write_text(
        re.sub(r'(?m)^#? ?locale = ".*"', 'locale = "fr"', configuration), encoding="utf-8"
    )
    lacking = run("check", "--no-network")
    (home / "locale").mkdir()
    (home / "locale" / "fr.po").write_text('msgid "Markets"\nmsgstr "Marchés\n', encoding="utf-8")
    broken = run("check", "--no-network")

    assert "note    language: fr; readers see" in lacking.stdout
    assert "messages.pot" in lacking.stdout
    assert broken.returncode == 2
    assert f"{home}/locale/fr.po:2: is no line of a catalogue" in broken.stderr


def test_check_gives_its_document_even_of_a_broken_configuration(run: Run, home: Path) -> None:
    (home / "topics.toml").write_text("[[topic]\n", encoding="utf-8")

    finished = run("check", "--json")

    assert finished.returncode == 1
    assert json.loads(finished.stdout)["well"] is False


def test_without_a_relay_mail_is_written_to_the_outbox(run: Run, home: Path) -> None:
    run("poll")
    run("subscribers", "add", "reader@example.org")
    published, delivered, audited = run("publish"), run("deliver"), run("audit", "--json")

    assert published.returncode == delivered.returncode == audited.returncode == 0
    assert "1 delivery queued" in published.stdout
    assert len(list((home / "outbox").glob("*.eml"))) == 1
    assert json.loads(audited.stdout)["balanced"] is True
    again = run("publish")
    assert "nothing has changed" in again.stdout
    assert "Nothing is due" in run("deliver").stdout


def test_publish_and_audit_report_counts_by_state(run: Run, home: Path) -> None:
    run("poll")
    run("subscribers", "add", "reader@example.org")

    published, audited = json.loads(run("publish", "--json").stdout), json.loads(run("audit", "--json").stdout)

    assert published["created"] is True
    assert published["queued"] == published["counts"]["queued"] == audited["editions"][0]["queued"] == 1
    assert sum(published["counts"].values()) == 1
    assert published["edition"] == audited["editions"][0]["edition"]
    assert published["seconds"] >= 0
    assert audited["seconds"] >= 0
    assert (audited["editions"][0]["useful"], audited["editions"][0]["not_useful"]) == (0, 0)
    assert "0 of 0" in run("audit").stdout


def test_a_relay_that_does_not_answer_loses_nothing(run: Run, home: Path) -> None:
    run("poll")
    run("subscribers", "add", "reader@example.org")
    run("publish")

    failed = run("deliver", DIGEST_SMTP_URL="smtp://127.0.0.1:1")
    check = run("check", DIGEST_SMTP_URL="smtp://127.0.0.1:1")
    audited = json.loads(run("audit", "--json").stdout)

    assert failed.returncode == check.returncode == 1
    assert "127.0.0.1:1" in failed.stderr
    assert "FAULT   relay: 127.0.0.1:1" in check.stdout
    assert audited["editions"][0]["queued"] == 1
    assert audited["balanced"] is True


class StopAtFirst:
    """An SMTP server's handler that tells this process to stop when the first mail arrives."""

    def __init__(self) -> None:
        self.received = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received += 1
        if self.received == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return "250 2.0.0 kept"


def test_a_stop_signal_lets_deliver_finish_what_is_in_flight(run: Run, home: Path) -> None:
    (home / "readers.csv").write_text("".join(f"r{number}@example.org\n" for number in range(200)), encoding="utf-8")
    run("poll")
    run("subscribers", "import", str(home / "readers.csv"), "--consent", "On paper")
    run("publish")
    handler = StopAtFirst()

    with servers.smtp_server(handler) as port:
        stopped = run("deliver", DIGEST_SMTP_URL=f"smtp://127.0.0.1:{port}")
    (audited,) = json.loads(run("audit", "--json").stdout)["editions"]

    assert stopped.returncode == 0
    assert "still waiting" in stopped.stdout
    assert 1 <= handler.received == audited["sent"] < 200
    assert audited["queued"] == 200 - audited["sent"]
    assert audited["balanced"] is True


def test_preview_writes_the_edition_without_publishing_it(run: Run, home: Path) -> None:
    run("poll")
    report = json.loads(run("preview", "--json").stdout)

    assert report["published"] is False
    assert [Path(name).suffix for name in report["files"]] == [".html", ".txt", ".eml"]
    assert all(Path(name).stat().st_size > 500 for name in report["files"])
    assert "No edition has been published yet" in run("audit").stdout


def test_an_edition_without_stories_is_skipped_with_its_reason(run: Run, home: Path) -> None:
    finished = run("publish")

    assert finished.returncode == 0
    assert "skipped" in finished.stdout


def test_every_command_and_option_has_help(run: Run, home: Path) -> None:
    listing = run("--help").stdout
    commands = re.findall(r"^  ([a-z][a-z-]*)  ", listing, flags=re.MULTILINE)

    assert sorted(commands) == sorted(name for names in SECTIONS.values() for name in names)
    for command in commands:
        text = run(command, "--help").stdout
        assert "Usage: main" not in text
        assert "Usage: " in text
        assert all(
            len(line.strip().split("  ")) > 1 for line in re.findall(r"^  --.*(?:\n {4,}.*)?", text, re.MULTILINE)
        )


def test_a_fault_ends_the_process_with_its_status_and_without_a_traceback(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "digest", "--home", str(tmp_path), "rank"], capture_output=True, text=True, timeout=60
    )

    assert finished.returncode == 2
    assert "The configuration has 1 fault:" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_command_may_open_as_many_files_as_the_system_grants() -> None:
    """A round of polls calls on thousands of servers, and the usual soft limit is 1,024 files."""
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import resource; from digest.cli.main import allow_open_files as allow; allow(); "
                "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 400)),
    )

    assert finished.stdout.split() == ["400", "400"]
