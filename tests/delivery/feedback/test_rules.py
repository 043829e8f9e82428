"""What follows from what comes back: decided by codes and counts alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.feedback import rules
from digest.delivery.feedback.rules import Alarm
from digest.model import Phase, Refused, Severity
from tests.conftest import NOW

PARTS = st.integers(0, 999)


@given(st.sampled_from([4, 5]), PARTS, PARTS)
def test_only_six_codes_say_that_a_mailbox_does_not_exist(kind: int, subject: int, detail: int) -> None:
    status = f"{kind}.{subject}.{detail}"
    judged = rules.severity(rules.status_in(f"{status} whatever it says"))

    assert (judged is Severity.HARD) == (status in {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
    assert (judged is Severity.TRANSIENT) == (kind == 4)
    assert (judged is Severity.POLICY) == (kind == 5 and subject == 7)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1", "5.1.1"),
        (" 5.01.001 (bad mailbox)", "5.1.1"),
        ("5.1.10 not found", "5.1.10"),
        ("4.2.2 full", "4.2.2"),
        ("5.1.1.1", ""),
        ("5.1", ""),
        ("5.1.1000", ""),
        ("3.1.1", ""),
        ("no such user 5.1.1", ""),
        ("55.1.1", ""),
        ("", ""),
    ],
)
def test_a_status_is_one_where_it_begins_the_text(text: str, status: str) -> None:
    assert rules.status_in(text) == status


@pytest.mark.parametrize(
    ("phase", "code", "reply", "severity"),
    [
        (Phase.RCPT, 550, "5.1.1 no such user", Severity.HARD),
        (Phase.DATA, 550, "5.1.1 no such user", Severity.HARD),
        (Phase.RCPT, 550, "no such user", Severity.SOFT),
        (Phase.RCPT, 552, "5.2.2 mailbox full", Severity.SOFT),
        (Phase.RCPT, 550, "5.7.1 blocked", Severity.POLICY),
        (Phase.DOT, 554, "message rejected", Severity.POLICY),
        (Phase.DOT, 552, "5.2.2 mailbox full", Severity.SOFT),
        (Phase.RCPT, 450, "4.2.1 try later", None),
        (Phase.MAIL, 550, "5.1.1 you do not exist", None),
        (Phase.LOGIN, 535, "5.7.8 wrong password", None),
        (Phase.RCPT, 0, "it is not one plain address", None),
    ],
)
def test_a_refusal_is_judged_as_the_bounce_that_it_would_have_become(
    phase: Phase, code: int, reply: str, severity: Severity | None
) -> None:
    assert rules.refusal(Refused(phase, code, reply, permanent=code >= 500)) is severity


@pytest.mark.parametrize(
    ("days", "editions", "worn_out"),
    [
        ((0, 3, 7), (1, 2, 3), True),
        ((0, 3, 6.9), (1, 2, 3), False),
        ((0, 7), (1, 2), False),
        ((0, 7, 8, 9), (1, 1, 2, 2), False),
        ((0, 1, 2, 7), (1, 2, 3, 4), True),
        ((), (), False),
    ],
)
def test_only_three_soft_bounces_on_three_editions_over_seven_days_wear_a_mailbox_out(
    days: tuple[float, ...], editions: tuple[int, ...], worn_out: bool
) -> None:
    came = [(edition, NOW + timedelta(days=day)) for edition, day in zip(editions, days, strict=True)]

    assert rules.worn_out(came) is worn_out


@pytest.mark.parametrize(
    ("refused", "attempts", "alarm"),
    [(5, 100, Alarm.NONE), (6, 100, Alarm.PAUSE), (100, 100, Alarm.PAUSE), (99, 99, Alarm.NONE), (0, 0, Alarm.NONE)],
)
def test_more_than_five_policy_refusals_in_a_hundred_attempts_pause(refused: int, attempts: int, alarm: Alarm) -> None:
    assert rules.refused_as_sender(refused, attempts) is alarm


@pytest.mark.parametrize(
    ("complaints", "sent", "alarm"),
    [
        (1, 1000, Alarm.NONE),
        (2, 1000, Alarm.WARN),
        (3, 1000, Alarm.PAUSE),
        (299, 100_000, Alarm.WARN),
        (300, 100_000, Alarm.PAUSE),
        (1, 100, Alarm.PAUSE),
        (9, 99, Alarm.NONE),
    ],
)
def test_more_than_one_complaint_in_a_thousand_warns_and_three_pause(complaints: int, sent: int, alarm: Alarm) -> None:
    assert rules.complained_about(complaints, sent) is alarm
