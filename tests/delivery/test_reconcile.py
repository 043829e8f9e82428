"""The policy `reconcile`: what nobody knows is asked of the relay's log, and the ledger says what it told."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import UnknownPolicy
from digest.delivery.deliver import DeliveryReport
from digest.model import DeliveryState
from digest.store import deliveries
from digest.store import engine as engines
from tests.delivery.audience import NOW
from tests.delivery.relay_logs import PostfixLog
from tests.delivery.runs import everyone, published, sent, states
from tests.delivery.sink import HANG_UP, Session, Sink

SOON = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def name(reader: int) -> str:
    return f"<economy.2026-02-10.{reader + 1}@news.example>"


class Relay:
    """A relay that hangs up after every dot, has taken some of the messages, and logs as Postfix does."""

    def __init__(self, home: Path) -> None:
        self.now = NOW - MINUTE
        self.log = PostfixLog(home / "mail.log", lambda: self.now)
        self.log.connected(7)

    def took(self, *readers: int) -> list[str]:
        self.now = NOW + SOON
        queued = [self.log.message(7, name(reader)) for reader in readers]
        self.log.loses(7, inside=False)
        return queued


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay(tmp_path)


def reconciling(engine: Engine, home: Path, sink: Sink, now: datetime) -> DeliveryReport:
    return sent(engine, home, sink, now, unknown=UnknownPolicy.RECONCILE, relay_log="mail.log", connections=2)


def in_doubt(engine: Engine, home: Path, readers: int) -> None:
    published(engine, readers)
    first = reconciling(engine, home, Sink(hangs_up), NOW)
    assert (first.unknown, states(engine)) == (readers, {DeliveryState.UNKNOWN: readers})


def hangs_up(verb: str, _session: Session) -> str | None:
    return HANG_UP if verb == "DOT" else None


def test_what_the_log_has_is_sent_and_what_it_has_not_is_sent_again(
    engine: Engine, tmp_path: Path, relay: Relay
) -> None:
    in_doubt(engine, tmp_path, 6)
    queued = relay.took(0, 2, 4, 5)
    sink = Sink()
    report = reconciling(engine, tmp_path, sink, NOW + MINUTE)

    assert (report.found, report.returned, report.sent, report.problem) == (4, 2, 2, "")
    assert sorted(sink.recipients) == ["r1@readers.example", "r3@readers.example"]
    assert states(engine) == {DeliveryState.SENT: 6}
    with engines.read(engine) as connection:
        told = [(event.kind, event.detail) for event in deliveries.history(connection, "r0@readers.example")]
        again = [(event.kind, event.detail) for event in deliveries.history(connection, "r1@readers.example")]
    assert told[-2:] == [
        (DeliveryState.UNKNOWN, "the connection was closed"),
        (DeliveryState.SENT, f"the relay's log has it as {queued[0]}"),
    ]
    assert (DeliveryState.QUEUED, "the relay's log does not have it") in again


def test_before_a_minute_is_over_nothing_is_concluded_from_silence(
    sqlite_engine: Engine, tmp_path: Path, relay: Relay
) -> None:
    in_doubt(sqlite_engine, tmp_path, 2)
    relay.took(0)
    early = reconciling(sqlite_engine, tmp_path, sink := Sink(), NOW + MINUTE - SOON)

    assert (early.found, early.returned, early.problem, sink.recipients) == (1, 0, "", [])
    assert states(sqlite_engine) == {DeliveryState.SENT: 1, DeliveryState.UNKNOWN: 1}


def test_a_log_that_cannot_be_read_leaves_all_unknown_and_says_so(sqlite_engine: Engine, tmp_path: Path) -> None:
    in_doubt(sqlite_engine, tmp_path, 2)
    report = reconciling(sqlite_engine, tmp_path, sink := Sink(), NOW + MINUTE)

    assert report.problem == (
        f"Whether 2 messages arrived is unknown, and the relay's log {tmp_path / 'mail.log'} cannot be read: "
        "no such file or directory."
    )
    assert (sink.recipients, states(sqlite_engine)) == ([], {DeliveryState.UNKNOWN: 2})


def test_a_log_that_proves_nothing_leaves_all_unknown_and_says_why(
    sqlite_engine: Engine, tmp_path: Path, relay: Relay
) -> None:
    in_doubt(sqlite_engine, tmp_path, 2)
    report = reconciling(sqlite_engine, tmp_path, Sink(), NOW + MINUTE)

    assert report.problem.endswith(
        "mail.log leaves that open: the relay has written nothing to it since they were offered."
    )
    assert states(sqlite_engine) == {DeliveryState.UNKNOWN: 2}


def test_what_is_unknown_twice_is_asked_for_twice(sqlite_engine: Engine, tmp_path: Path, relay: Relay) -> None:
    in_doubt(sqlite_engine, tmp_path, 1)
    relay.took()
    again = reconciling(sqlite_engine, tmp_path, Sink(hangs_up), NOW + MINUTE)
    assert (again.returned, states(sqlite_engine)) == (1, {DeliveryState.UNKNOWN: 1})
    relay.now = NOW + MINUTE + SOON
    relay.log.message(8, name(0))
    last = reconciling(sqlite_engine, tmp_path, Sink(), NOW + 2 * MINUTE)

    assert (last.found, states(sqlite_engine)) == (1, {DeliveryState.SENT: 1})
    assert everyone(1) == ["r0@readers.example"]
