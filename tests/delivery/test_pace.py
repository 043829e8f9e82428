"""What a relay answers decides how hard it is called on: each test plays a relay by the second, without any network."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.pace import FIRST_CONNECTIONS, GIVEN_UP, IN_A_ROW, LONGEST_PAUSE, Pace, is_throttle
from digest.model import Accepted, NotSent, Outcome, Phase, Refused, Unconfirmed


def after(pace: Pace, *, went: int = 0, throttled: int = 0, now: float = 0.0) -> Pace:
    for _ in range(went):
        pace = pace.went(now)
    for _ in range(throttled):
        pace = pace.throttled(now)
    return pace


def rounds(pace: Pace, upto: int) -> list[int]:
    """How many connections each round has in which every one of them brings a message."""
    seen = [pace.connections(0.0)]
    while seen[-1] < upto:
        pace = after(pace, went=seen[-1] + (not pace.untried))
        seen.append(pace.connections(0.0))
    return seen


def test_it_begins_with_five_connections_and_doubles_them_until_the_relay_says_that_it_is_too_much() -> None:
    assert rounds(Pace.first(200, 0.0), 200) == [5, 10, 20, 40, 80, 160, 200]


def test_after_the_first_refusal_it_goes_up_by_one_a_round() -> None:
    pace = after(Pace.first(20, 0.0), went=7, throttled=1)

    assert rounds(pace, 20) == list(range(11, 21))
    assert after(pace, went=1000).connections(0.0) == 20


def test_a_relay_that_will_not_take_another_connection_is_not_doubled_upon_again() -> None:
    pace = after(Pace.first(200, 0.0), went=45).crowded(30, 0.0)

    assert after(pace, went=30).connections(0.0) == 30
    assert not pace.untried


@pytest.mark.parametrize("most", [1, 3])
def test_it_never_opens_more_than_is_allowed(most: int) -> None:
    assert Pace.first(most, 0.0).connections(0.0) == after(Pace.first(most, 0.0), went=100).connections(0.0) == most


def test_a_refusal_for_now_is_one_connection_less_and_no_pause() -> None:
    pace = after(Pace.first(20, 0.0), went=10, throttled=1)

    assert pace.connections(0.0) == FIRST_CONNECTIONS + 10 - 1
    assert (pace.resume_at, pace.rate) == (0.0, 0.0)


def test_refusals_in_a_row_are_a_pause_and_then_one_connection() -> None:
    pace = after(Pace.first(20, 0.0), went=50, throttled=IN_A_ROW, now=10.0)

    assert pace.resume_at > 10.0
    assert pace.connections(pace.resume_at) == 1
    assert pace.rate == pytest.approx(5.0)


def test_what_was_under_way_when_a_pause_began_makes_it_no_longer() -> None:
    pace = after(Pace.first(20, 0.0), went=50, throttled=IN_A_ROW, now=10.0)

    assert after(pace, throttled=15, now=10.5) == pace


def test_pauses_grow_while_nothing_goes_and_end_in_giving_up() -> None:
    pace, now = after(Pace.first(20, 0.0), went=1), 1.0
    pauses: list[float] = []
    while not (pace := after(pace, throttled=IN_A_ROW if not pauses else 1, now=now)).hopeless(now):
        pauses.append(pace.resume_at - now)
        now = pace.resume_at

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, LONGEST_PAUSE)
    assert GIVEN_UP < now < GIVEN_UP + 2 * LONGEST_PAUSE


def test_a_relay_that_never_took_anything_is_left_alone_at_once() -> None:
    assert after(Pace.first(20, 0.0), throttled=IN_A_ROW).hopeless(0.0)
    assert not after(Pace.first(20, 0.0), went=1, throttled=IN_A_ROW).hopeless(0.0)


def test_a_connection_that_is_refused_is_tried_again_after_a_minute_and_then_one_more() -> None:
    pace = after(Pace.first(20, 0.0), went=200).crowded(4, 100.0)
    pace = after(pace, went=400, now=101.0)

    assert [pace.connections(100.0 + seconds) for seconds in (0, 59, 60, 120)] == [4, 4, 5, 6]


@dataclass
class Bucket:
    """A relay that takes `burst` messages at once, and `rate` a second after these."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def takes(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Window:
    """A relay that takes so many messages each minute, counted from the full minute."""

    most: int
    minute: int = -1
    taken: int = 0

    def takes(self, now: float) -> bool:
        if int(now / 60) != self.minute:
            self.minute, self.taken = int(now / 60), 0
        self.taken += 1
        return self.taken <= self.most


def play(relay: Bucket | Window, messages: int, reply_seconds: float = 0.01) -> tuple[list[float], int]:
    """When each message went, and how many were refused meanwhile."""
    pace, now, next_turn = Pace.first(20, 0.0), 0.0, 0.0
    went: list[float] = []
    refused = 0
    while len(went) < messages:
        now = max(now + reply_seconds / pace.connections(now), next_turn, pace.resume_at)
        next_turn = now + 1 / pace.rate if pace.rate else 0.0
        if relay.takes(now):
            went.append(now)
            pace = pace.went(now)
        else:
            refused += 1
            pace = pace.throttled(now)
        assert not pace.hopeless(now)
    return went, refused


@pytest.mark.parametrize(
    ("relay", "a_second"),
    [
        (Window(50), 50 / 60),
        (Bucket(50 / 60, 50), 50 / 60),
        (Bucket(50 / 60, 1), 50 / 60),
        (Bucket(14, 14), 14.0),
        (Window(300), 5.0),
    ],
    ids=["50 a minute", "50 a minute, spread", "one each 1.2 s", "14 a second", "300 a minute"],
)
def test_the_rate_of_a_relay_is_found_and_kept_to(relay: Bucket | Window, a_second: float) -> None:
    went, refused = play(relay, 2000)
    settled = went[len(went) // 2 :]

    assert len(settled) / (settled[-1] - settled[0]) == pytest.approx(a_second, rel=0.2)
    assert refused < len(went) / 8


def test_a_relay_whose_limit_is_raised_is_soon_sent_more() -> None:
    pace = after(Pace.first(20, 0.0), went=50, throttled=IN_A_ROW, now=60.0)
    limited = pace.rate

    assert after(pace, went=150, now=100.0).rate > 2 * limited


SAYS: list[tuple[Outcome, bool]] = [
    (Refused(Phase.RCPT, 421, "4.3.2 closing", permanent=False), True),
    (Refused(Phase.DATA, 454, "Throttling failure: maximum sending rate exceeded", permanent=False), True),
    (Refused(Phase.DOT, 450, "4.7.28 too much mail from your address", permanent=False), True),
    (Refused(Phase.RCPT, 452, "4.5.3 too many recipients", permanent=False), True),
    (Refused(Phase.MAIL, 451, "4.3.0 queue file write error", permanent=False), True),
    (NotSent(Phase.DATA, "421 4.7.0 try again later"), True),
    (NotSent(Phase.DOT, "421 4.7.0 try again later"), True),
    (NotSent(Phase.CONNECT, "421 too many connections"), False),
    (NotSent(Phase.DATA, "the connection was closed"), False),
    (Refused(Phase.RCPT, 450, "4.2.1 the mailbox is busy", permanent=False), False),
    (Refused(Phase.RCPT, 451, "4.2.0 greylisted", permanent=False), False),
    (Refused(Phase.RCPT, 452, "4.2.2 the mailbox is full", permanent=False), False),
    (Refused(Phase.RCPT, 550, "5.7.1 not you", permanent=False), False),
    (Refused(Phase.RCPT, 550, "5.1.1 no such user", permanent=True), False),
    (Unconfirmed("no answer within 600 s"), False),
    (Accepted("Q1"), False),
]


@pytest.mark.parametrize(("outcome", "throttle"), SAYS, ids=lambda value: str(value)[:50])
def test_what_is_about_us_and_what_is_about_a_reader_is_told_apart(outcome: Outcome, throttle: bool) -> None:
    assert is_throttle(outcome) is throttle


@given(st.integers(1, 200), st.lists(st.tuples(st.sampled_from(["went", "throttled", "crowded"]), st.floats(0, 100))))
def test_whatever_a_relay_does_there_is_at_least_one_connection_and_never_too_many(
    most: int, told: list[tuple[str, float]]
) -> None:
    pace, now = Pace.first(most, 0.0), 0.0
    for word, seconds in told:
        now += seconds
        pace = pace.crowded(most - 1, now) if word == "crowded" else getattr(pace, word)(now)

        assert 1 <= pace.connections(now) <= most
        assert pace.rate >= 0
        assert pace.resume_at <= now + LONGEST_PAUSE
