"""What comes back, by a mail server's pipe; and the operator's hand on who must not be mailed."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine

from digest.delivery.feedback.tag import ReturnAddresses
from digest.store import engine as engines
from tests.cli.shell import Finished, Run
from tests.delivery.audience import KEYS, NOW
from tests.delivery.feedback import mails
from tests.delivery.feedback.sent import edition

ADDRESS = "bounces@news.example"
OWN = ReturnAddresses(ADDRESS, KEYS, "").of(1)
READER = "r0@readers.example"


class Input:
    """Standard input of bytes."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.fixture
def returned(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`digest` in a home from which one mail was sent; `mail` is its standard input."""
    monkeypatch.setenv("USER", "ana")
    with time_machine.travel(NOW, tick=False):
        assert run("init").returncode == 0
    settings = tmp_path / "digest.toml"
    settings.write_text(
        settings.read_text()
        .replace("[bounces]", f'[bounces]\naddress = "{ADDRESS}"', 1)
        .replace('\naddress = ""\n', "\n", 1)
    )
    engine = engines.connect(f"sqlite:///{tmp_path / 'digest.db'}")
    edition(engine, 1)
    engine.dispose()

    def _run(*arguments: str, mail: bytes = b"", **environment: str) -> Finished:
        monkeypatch.setattr(sys, "stdin", Input(mail))
        with time_machine.travel(NOW, tick=False):
            return run(*arguments, **{"DIGEST_SECRET_KEY": KEYS[0]} | environment)

    return _run


def test_a_bounce_on_standard_input_is_applied_once_and_said_in_a_sentence(returned: Run) -> None:
    mail = mails.postfix(OWN)
    first, again = returned("bounce", mail=mail), returned("bounce", mail=mail)
    told = json.loads(returned("bounce", "--json", mail=mails.complaint(OWN)).stdout)

    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout.startswith("Delivery 1: it came back, hard (5.1.1 550 5.1.1 <…>")
    assert first.stdout.endswith(". Its address is suppressed.\n")
    assert again.stdout == "This report about delivery 1 was applied before.\n"
    assert (told["fate"], told["delivery"], told["severity"], told["suppressed"]) == ("applied", 1, "complaint", True)


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        (mails.out_of_office(OWN, Auto_Submitted="auto-replied"), "an automatic reply"),
        (mails.out_of_office(OWN), "neither a bounce nor a complaint"),
        (mails.postfix("somebody@news.example"), "no return address of ours"),
        (mails.postfix(OWN.replace("+1.", "+2.")), "not one that we made"),
        (mails.postfix(OWN) + b"x" * 5_000_000, "suppressed"),
        (b"", "neither"),
    ],
)
def test_a_mail_that_changes_nothing_is_no_failure(returned: Run, mail: bytes, said: str) -> None:
    finished = returned("bounce", mail=mail)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert said in finished.stdout


def test_where_the_mail_server_says_whom_it_was_delivered_to_that_counts(returned: Run) -> None:
    finished = returned("bounce", "--recipient", OWN, mail=mails.postfix("list@news.example"))

    assert "suppressed" in finished.stdout


@pytest.mark.parametrize(
    "trouble",
    [
        {"DIGEST_DATABASE_URL": "sqlite:////nowhere/at/all/digest.db"},
        {"DIGEST_SECRET_KEY": ""},
        {"DIGEST_SMTP_URL": "nonsense"},
        {"DIGEST_HOME": "/nowhere/at/all"},
    ],
)
def test_what_cannot_be_judged_for_now_is_to_be_brought_again(returned: Run, trouble: dict[str, str]) -> None:
    finished = returned("bounce", mail=mails.postfix(OWN), **trouble)

    assert (finished.returncode, finished.stdout) == (75, "")
    assert finished.stderr.endswith("The mail should be brought again.\n")


def test_a_pipe_of_a_mail_server_runs_it_as_a_program(returned: Run, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "digest", "--home", str(tmp_path), "bounce", "--json"],
        input=mails.postfix(OWN.replace("+1.", "+2.")),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "DIGEST_SECRET_KEY": KEYS[0],
        },
        capture_output=True,
    )

    assert (finished.returncode, finished.stderr) == (0, b"")
    assert json.loads(finished.stdout)["fate"] == "forged"


def test_an_operator_suppresses_and_undoes_with_a_reason_and_both_are_kept(returned: Run) -> None:
    assert "No address is suppressed." in returned("suppressions", "list").stdout
    added = returned("suppressions", "add", READER, "--reason", "asked by letter", "--by", "ana")
    twice = returned("suppressions", "add", READER, "--reason", "again", "--by", "bob")
    listed = json.loads(returned("suppressions", "list", "--json").stdout)["suppressions"]
    undone = returned("suppressions", "remove", READER, "--reason", "asked by phone", "--by", "bob")
    shown = json.loads(returned("suppressions", "show", READER, "--json").stdout)
    words = returned("suppressions", "show", READER).stdout

    assert added.stdout == f"{READER} is suppressed.\n"
    assert "already" in twice.stdout
    assert [(one["address"], one["cause"], one["reason"]) for one in listed] == [
        (READER, "operator", "asked by letter")
    ]
    assert undone.stdout.startswith(f"{READER} may be mailed again.")
    assert shown["suppression"] is None
    assert [(one["lifted"], one["author"], one["reason"]) for one in shown["changes"]] == [
        (False, "ana", "asked by letter"),
        (True, "bob", "asked by phone"),
    ]
    assert words.splitlines()[1:] == [
        "  2026-02-10 06:00 suppressed by ana (operator): asked by letter",
        "  2026-02-10 06:00 undone by bob (operator): asked by phone",
    ]


def test_an_undo_needs_a_reason_and_a_suppression(returned: Run) -> None:
    returned("bounce", mail=mails.complaint(OWN))

    assert returned("suppressions", "remove", READER).returncode == 2
    assert READER in returned("suppressions", "list").stdout
    assert returned("suppressions", "remove", READER, "--reason", "a mistake of theirs").returncode == 0
    again = returned("suppressions", "remove", READER, "--reason", "a mistake of theirs")
    assert (again.returncode, "is not suppressed" in again.stderr) == (1, True)


def test_a_suppression_outlives_its_reader_and_then_has_no_address(returned: Run) -> None:
    returned("bounce", mail=mails.complaint(OWN))
    assert returned("subscribers", "remove", READER).returncode == 0
    added = returned("subscribers", "add", READER)

    assert (added.returncode, "must not be mailed" in added.stderr) == (2, True)
    assert "not a reader any more" in returned("suppressions", "list").stdout
    assert returned("suppressions", "show", READER).stdout.startswith(f"{READER} is suppressed: complaint: abuse")


def test_the_check_says_what_came_back_and_whether_anything_follows_from_it(returned: Run, tmp_path: Path) -> None:
    returned("bounce", mail=mails.postfix(OWN))
    returned("bounce", mail=mails.postfix("somebody@news.example"))

    def said(**environment: str) -> str:
        findings = json.loads(returned("check", "--json", **environment).stdout)["findings"]
        return str(next(one["sentence"] for one in findings if one["subject"] == "returned mail"))

    assert said() == "in the last 7 days: 1 hard, 1 untagged."
    settings = tmp_path / "digest.toml"
    settings.write_text(settings.read_text().replace(f'address = "{ADDRESS}"', "", 1))
    assert said(DIGEST_SMTP_URL="smtp://127.0.0.1:1").startswith("[bounces] address is empty")
