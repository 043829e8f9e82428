"""Errors are loud, once: whoever has to act hears within five minutes, and nobody hears of what is merely slow."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest import health
from digest.config import Config, Dkim, Relay, Security
from digest.delivery import deliver as verb
from digest.delivery.correspond import correspond
from digest.scheduler import Service
from digest.store import engine as engines
from digest.store import pulses
from digest.store.pulses import Part, Pulse
from tests.delivery.audience import NOW, configured, prepare, still
from tests.delivery.runs import published
from tests.delivery.sink import Script, Sink, nothing_special, saying

A_MINUTE = timedelta(minutes=1)
TICKING = Pulse(well_at=NOW)


def at(minutes: float) -> datetime:
    return NOW + minutes * A_MINUTE


# ── the judgement ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tick", "send", "waiting_since", "now", "wrong"),
    [
        (TICKING, Pulse(), None, at(1), ""),
        (Pulse(), Pulse(), None, at(0), "There was no tick yet"),
        (TICKING, Pulse(), None, at(4), "There was no tick since 2026-02-10 06:00 UTC"),
        (TICKING, Pulse(NOW, "gone", at(0)), at(0), at(1), ""),
        (TICKING, Pulse(NOW, "gone", at(0)), at(0), at(2), "Nothing is sent since 2026-02-10 06:00 UTC: gone"),
        (TICKING, Pulse(NOW, "gone", at(-60), at(-30)), None, at(1), ""),
        # Slow, and at work: something has been due for long, and messages go.
        (TICKING, Pulse(at(1)), at(-300), at(2), ""),
        # Hung: nothing goes, and nobody says why.
        (TICKING, Pulse(at(-20)), at(-30), at(2), "Mail has been due since 2026-02-10 05:30 UTC"),
        (TICKING, Pulse(), at(-5), at(2), ""),
    ],
)  # fmt: skip
def test_what_somebody_must_act_on_is_wrong_and_nothing_else(
    tick: Pulse, send: Pulse, waiting_since: datetime | None, now: datetime, wrong: str
) -> None:
    found = health.faults({Part.TICK: tick, Part.SEND: send}, waiting_since, now)
    assert [fault.startswith(wrong) for fault in found] == ([True] if wrong else [])


def test_an_episode_ends_with_the_next_message_and_another_begins_anew(engine: Engine) -> None:
    with engines.write(engine) as connection:
        pulses.ill(connection, Part.SEND, "gone", at(0))
        pulses.ill(connection, Part.SEND, "still gone", at(1))
        first = pulses.standing(connection)[Part.SEND]
        pulses.well(connection, Part.SEND, at(5))
        over = pulses.standing(connection)[Part.SEND]
        pulses.ill(connection, Part.SEND, "gone again", at(9))
        second = pulses.standing(connection)[Part.SEND]

    assert first == Pulse(None, "still gone", at(0), None)
    assert over == Pulse(at(5), "still gone", at(0), at(5))
    assert second == Pulse(at(5), "gone again", at(9), None)


# ── a relay that takes nothing ───────────────────────────────────────────────────────────────────────────────────


class Morning:
    """A service whose sender runs each minute, and writes to its operators; what they were written."""

    def __init__(self, engine: Engine, home: Path, readers: int = 30) -> None:
        self.engine, self.home = engine, home
        self.mails: list[tuple[float, str]] = []
        published(engine, readers)

    def minute(
        self,
        number: float,
        script: Script = nothing_special,
        wrong: Callable[[Config], Config] | None = None,
        share: int | None = None,
    ) -> None:
        now = at(number)
        sink = Sink(script, offers=("AUTH PLAIN",))

        async def scenario() -> None:
            async with sink.serving():
                config = configured(self.home, sink.relay, connections=2)
                changed = wrong(config) if wrong else config
                await verb.deliver(changed, self.engine, still(now), prepare=prepare, share=share)
                with engines.write(self.engine) as connection:
                    pulses.well(connection, Part.TICK, now)
                await correspond(changed, self.engine, still(now))

        asyncio.run(scenario())
        for recipient, body in sink.accepted:
            if recipient == "ed@news.example":
                self.mails.append((number, str(message_from_bytes(body, policy=policy.default)["Subject"])))

    def faults(self, number: float) -> tuple[str, ...]:
        return health.look(self.engine, at(number))


def expired_password(config: Config) -> Config:
    assert config.relay
    return replace(config, relay=replace(config.relay, user="me", password="old"))


def nobody_there(config: Config) -> Config:
    return replace(config, relay=Relay("127.0.0.1", 1))


def no_such_name(config: Config) -> Config:
    return replace(config, relay=Relay("a..b", 25, Security.NONE))


@pytest.mark.parametrize(
    ("script", "wrong", "reason"),
    [
        (saying(AUTH="535 5.7.8 no"), expired_password, "does not let us in: 535 5.7.8 no"),
        (nothing_special, nobody_there, "does not answer: connection refused"),
        (nothing_special, no_such_name, "does not answer: its name is not known"),
        (saying(MAIL="550 5.7.1 no"), None, "takes no mail from digest@news.example: 550 5.7.1 no"),
    ],
    ids=["expired password", "no relay", "no name", "refused sender"],
)
def test_a_relay_that_takes_nothing_is_red_within_five_minutes_and_told_once(
    sqlite_engine: Engine, tmp_path: Path, script: Script, wrong: Callable[[Config], Config] | None, reason: str
) -> None:
    """Such a relay does not take the notice either, so it goes when the relay is back; the log and the health page tell at once."""
    morning = Morning(sqlite_engine, tmp_path)
    for number in range(5):
        morning.minute(number, script, wrong)
    (fault,) = morning.faults(4)
    assert reason in fault
    for number in range(5, 12):
        morning.minute(number)

    assert morning.faults(11) == ()
    assert [subject for _, subject in morning.mails] == ["Economic Digest: No mail went out for a while"]


def test_a_relay_that_refuses_every_reader_is_told_once_by_mail(sqlite_engine: Engine, tmp_path: Path) -> None:
    def readers_only(verb: str, session: object) -> str | None:
        recipient = getattr(session, "recipient", "")
        return "550 5.0.0 no" if verb == "RCPT" and recipient.endswith("@readers.example") else None

    morning = Morning(sqlite_engine, tmp_path)
    for number in range(8):
        morning.minute(number, readers_only)

    (fault,) = morning.faults(7)
    assert "All of 30 messages were refused, the last with: 550 5.0.0 no." in fault
    assert len(morning.mails) == 1
    assert morning.mails[0][0] <= 5
    assert morning.mails[0][1] == "Economic Digest: No mail goes out"


def test_a_key_that_is_missing_is_red_within_five_minutes(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Nothing goes unsigned, the notice no more than the edition; the log and the health page tell."""
    published(sqlite_engine, 3)
    config = replace(configured(tmp_path, Relay("127.0.0.1", 1)), dkim=Dkim(selector="s1"))
    minute = 0
    service = Service(lambda: config, sqlite_engine, lambda: at(minute), elapsed=lambda: 60.0 * minute)
    for minute in range(5):
        service.send()
        with engines.write(sqlite_engine) as connection:
            pulses.well(connection, Part.TICK, at(minute))

    (fault,) = health.look(sqlite_engine, at(4))
    assert "DIGEST_DKIM_KEY" in fault


def test_a_run_that_is_merely_slow_alarms_nobody(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Three messages go in a minute, and most wait for longer than anything else may."""
    morning = Morning(sqlite_engine, tmp_path, readers=60)
    for number in range(20):
        morning.minute(number, share=3)
        assert morning.faults(number) == ()
    assert morning.mails == []


def test_what_is_told_names_no_reader(sqlite_engine: Engine, tmp_path: Path) -> None:
    morning = Morning(sqlite_engine, tmp_path)
    for number in range(4):
        morning.minute(number, saying(MAIL="550 5.7.1 <r1@readers.example> no"))
    (fault,) = morning.faults(3)
    assert "r1@readers.example" not in fault
