"""A run of the sender is told in lines that come now and then, and never with --json."""

import pytest

from digest.cli.sending import Lines, Tally, shown
from digest.model import Accepted, NotSent, Outcome, Phase, Refused, Unconfirmed, Withdrawn

OUTCOMES: list[Outcome] = [
    Accepted("Q1"),
    NotSent(Phase.BODY, "it hung up"),
    Refused(Phase.RCPT, 450, "later", permanent=False),
    Refused(Phase.RCPT, 550, "never", permanent=True),
    Unconfirmed("no answer"),
    Withdrawn("left"),
]


def test_a_line_names_what_there_is_of_everything() -> None:
    tally = Tally(due=3000, began=0.0)
    for outcome in OUTCOMES:
        tally.hear(outcome, 1.0)
    for _ in range(1999):
        tally.hear(Accepted(), 1.0)

    assert tally.words(1.0) == "2,000 sent, 2,000/s, 2 deferred, 1 failed, 1 unknown, 995 left"
    assert tally.to_go(1.0) == "0.5 s"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    tally = Tally(due=100, began=0.0)
    for second in range(50):
        tally.hear(Accepted(), float(second))

    assert tally.rate(50.0) == pytest.approx(0.9, abs=0.2)
    assert tally.rate(100.0) == 0
    assert tally.to_go(100.0) == ""


def test_lines_come_every_ten_seconds_or_when_a_twentieth_is_done() -> None:
    tally = Tally(due=1000, began=0.0)
    lines = Lines(tally, told_at=0.0)
    told = []
    for tenth in range(1, 301):
        for _ in range(1 if tenth < 200 else 10):
            tally.hear(Accepted(), tenth / 10)
        if lines.due(tenth / 10):
            told.append(tenth / 10)

    assert told == [5.0, 10.0, 15.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0]


def test_a_slow_run_has_a_line_every_ten_seconds() -> None:
    tally = Tally(due=1_000_000, began=0.0)
    lines = Lines(tally, told_at=0.0)

    assert [second for second in range(1, 40) if lines.due(float(second))] == [10, 20, 30]


def test_more_than_was_due_leaves_nothing() -> None:
    tally = Tally(due=1, began=0.0)
    for _ in range(3):
        tally.hear(Accepted(), 1.0)

    assert tally.left == 0


def test_a_quick_run_and_a_quiet_one_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with shown(6, quiet=quiet) as hear:
            for outcome in OUTCOMES:
                hear(outcome)

    assert capsys.readouterr() == ("", "")
