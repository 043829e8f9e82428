"""How hard a relay is called on, learned from what it answers: how many connections, how many messages a second, and pauses.

Connections go up by one with each round of successes and down by one with each refusal for now, which is the feedback that
Postfix gives itself; it too begins with 5 and ends at 20. Until the relay has said once that it is too much they double
instead, as TCP begins (RFC 5681, section 3.1). A relay that counts messages lets so many through, then none for
a while: from one such moment to the next one learns what it allows. `now` is seconds on any clock that never goes back.
"""

from dataclasses import dataclass, replace

from digest.model import NotSent, Outcome, Phase, Refused

FIRST_CONNECTIONS = 5

IN_A_ROW = 3
"""So many refusals for now, with nothing accepted in between, are about us; fewer may be about their readers."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

GIVEN_UP = 600.0
"""Seconds without any message accepted after which a run comes to its end. The next one begins by trying."""

BACK_OFF, GROWTH = 0.9, 1.005
"""What a learned rate is multiplied by after a refusal for now, and after a message that went."""

BETWEEN_CONNECTIONS = 60.0
"""Seconds before one connection more is tried after the relay would not take another."""

_NOT_NOW, _CLOSING, _THROTTLED, _TOO_MANY = 400, 421, 454, 452


@dataclass(frozen=True, slots=True)
class Pace:
    """What has been learned. `rate` is messages a second, 0 as many as it takes; nothing is begun before `resume_at`.

    `window` is how many connections do well, as a number that grows by fractions once the relay is not `untried` any more;
    `ceiling` how many the relay let us open at `ceiling_at`. `accepted` counts since `since`, when it last would take no more; `heard_at` is when it last took one.
    """

    most: int
    window: float
    ceiling: int
    since: float
    ceiling_at: float = 0.0
    rate: float = 0.0
    refusals: int = 0
    accepted: int = 0
    heard_at: float | None = None
    pause: float = 0.0
    resume_at: float = 0.0
    untried: bool = True

    @classmethod
    def first(cls, most: int, now: float) -> "Pace":
        """Of a run that begins, with at most so many connections."""
        return cls(most=most, window=float(min(FIRST_CONNECTIONS, most)), ceiling=most, since=now)

    def connections(self, now: float) -> int:
        """How many may be open."""
        allowed = self.ceiling + int((now - self.ceiling_at) / BETWEEN_CONNECTIONS)
        return max(1, min(int(self.window), allowed, self.most))

    def went(self, now: float, messages: int = 1) -> "Pace":
        """After so many messages that the relay took, one after the other."""
        window = self.window
        for _ in range(messages):
            window += 1 if self.untried else 1 / window
        return replace(
            self,
            window=min(window, float(self.most)),
            rate=self.rate * GROWTH**messages,
            refusals=0,
            accepted=self.accepted + messages,
            heard_at=now,
            pause=0.0,
        )

    def throttled(self, now: float) -> "Pace":
        """After a refusal for now.

        A few are one connection less. When the relay takes nothing at all, there is a pause, twice as long each time, then
        one connection, and no more messages a second than came through since the last time.
        """
        if now < self.resume_at:
            return self
        refusals, rate = self.refusals + 1, self.rate * BACK_OFF
        if refusals < IN_A_ROW:
            return replace(self, window=max(1.0, self.window - 1), rate=rate, refusals=refusals, untried=False)
        came_through = self.accepted / max(now - self.since, 1.0)
        if self.accepted:
            rate = min(self.rate, came_through) if self.rate else came_through
        pause = min(max(SHORTEST_PAUSE, 2 * self.pause), LONGEST_PAUSE)
        return replace(
            self,
            window=1.0,
            rate=rate if self.accepted else self.rate,
            refusals=refusals,
            accepted=0,
            since=now,
            pause=pause,
            resume_at=now + pause,
            untried=False,
        )

    def crowded(self, others: int, now: float) -> "Pace":
        """After a connection that was refused or lost while so many others stand."""
        window = max(1.0, min(self.window, float(others)))
        return replace(self, ceiling=max(1, others), ceiling_at=now, window=window, untried=False)

    def hopeless(self, now: float) -> bool:
        """Whether the relay takes nothing, and waiting for it is for the next run."""
        if self.refusals < IN_A_ROW:
            return False
        return self.heard_at is None or now - self.heard_at > GIVEN_UP


def is_throttle(outcome: Outcome) -> bool:
    """Whether the relay has enough of us for now, and not of one reader: 421, 454, 4.7.x, 452 4.5.3, and any 4xx to MAIL."""
    match outcome:
        case NotSent(phase, reason):
            return phase is not Phase.CONNECT and reason.startswith(str(_CLOSING))
        case Refused(phase, code, reply, permanent=False) if _NOT_NOW <= code < _NOT_NOW + 100:
            return (
                phase is Phase.MAIL
                or code in {_CLOSING, _THROTTLED}
                or reply.startswith("4.7.")
                or (code == _TOO_MANY and reply.startswith("4.5.3"))
            )
        case _:
            return False
