"""Whatever goes wrong on the way is known by name: nobody is lost, nobody gets a third copy."""

import asyncio
import socket
import time
from collections import Counter
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from digest import clock
from digest.config import Relay, UnknownPolicy
from digest.delivery import deliver as verb
from digest.delivery.deliver import DeliveryReport
from digest.delivery.ledger import Ledger
from digest.delivery.message import CompiledMail
from digest.errors import DatabaseUnreachable
from digest.model import DeliveryState
from digest.store import claims, deliveries
from digest.store import engine as engines
from digest.store.tables import deliveries as table
from digest.store.tables import subscriptions
from tests.delivery.audience import DAY, LATE, NOW, configured, prepare, still
from tests.delivery.runs import everyone, leave, published, sent, states
from tests.delivery.sink import HANG_UP, Script, Session, Sink, saying

LEASE = clock.LEASE


# ── refusals and a relay in trouble ──────────────────────────────────────────────────────────────────────────────


def about(recipient: str, verb_name: str, reply: str) -> Script:
    """One reader whom the relay treats differently."""

    def script(heard: str, session: Session) -> str | None:
        ours = session.recipient.startswith(f"{recipient}@") if heard != "RCPT" else False
        return reply if heard == verb_name and ours else None

    return script


def test_one_refused_reader_keeps_nobody_else_from_getting_mail(engine: Engine, tmp_path: Path) -> None:
    published(engine, 20)
    sink = Sink(about("r7", "DATA", "550 5.1.1 no such reader"))
    report = sent(engine, tmp_path, sink, connections=2)

    assert (report.sent, report.failed, report.problem) == (19, 1, "")
    assert sorted(sink.recipients) == sorted(set(everyone(20)) - {"r7@readers.example"})
    with engines.read(engine) as connection:
        told = deliveries.history(connection, "r7@readers.example")[-1]
    assert (told.kind, told.detail) == ("failed", "data: 550 5.1.1 no such reader")


def test_a_reader_put_off_is_tried_again_when_its_time_has_come(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 5)
    greylisting = Sink(about("r3", "DATA", "451 4.7.1 come again"))
    first = sent(sqlite_engine, tmp_path, greylisting)
    early = sent(sqlite_engine, tmp_path, Sink(), NOW + timedelta(minutes=4))
    sink = Sink()
    later = sent(sqlite_engine, tmp_path, sink, NOW + timedelta(minutes=5))

    assert (first.sent, first.deferred, first.left) == (4, 1, 1)
    assert (early.sent, early.left) == (0, 1)
    assert (later.sent, sink.recipients) == (1, ["r3@readers.example"])


def test_a_relay_that_is_away_costs_nothing_and_is_named(engine: Engine, tmp_path: Path) -> None:
    published(engine, 1000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        relay = Relay("127.0.0.1", taken.getsockname()[1])
        report = asyncio.run(verb.deliver(configured(tmp_path, relay), engine, still(NOW), prepare=prepare))

    assert report.problem == (
        f"The relay at 127.0.0.1:{relay.port} does not answer: connection refused. "
        "1,000 messages wait; the next run tries again."
    )
    assert (report.sent, report.deferred, report.left) == (0, 0, 1000)
    with engines.read(engine) as connection:
        assert set(connection.scalars(select(table.c.attempt))) == {0}
        assert deliveries.due(connection, NOW) == 1000


def test_while_a_relay_is_away_no_mail_is_made(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 20)
    made: list[int] = []

    def counted(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        made.append(edition_id)
        return prepare(edition_id, topics)

    assert sent(sqlite_engine, tmp_path, Sink(saying(GREETING="421 shutting down")), make=counted).left == 20
    assert made == []
    assert sent(sqlite_engine, tmp_path, Sink(), make=counted).sent == 20
    assert len(made) == 1


def test_once_a_relay_is_back_everybody_gets_mail(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 30)
    away = Sink(saying(GREETING="421 shutting down"))
    assert sent(sqlite_engine, tmp_path, away).left == 30
    sink = Sink()
    assert sent(sqlite_engine, tmp_path, sink).sent == 30
    assert sorted(sink.recipients) == everyone(30)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (saying(EHLO="550 not you"), "does not let us in: 550 not you."),
        (saying(MAIL="550 5.7.1 not yours"), "takes no mail from digest@news.example: 550 5.7.1 not yours."),
        (saying(MAIL="454 4.7.0 slow down"), "takes no mail from digest@news.example: 454 4.7.0 slow down."),
        (saying(DATA=HANG_UP), "Mail cannot be handed over: the connection was closed."),
    ],
)
def test_a_relay_that_takes_nothing_is_soon_left_alone(
    sqlite_engine: Engine, tmp_path: Path, script: Script, sentence: str
) -> None:
    published(sqlite_engine, 100)
    sink = Sink(script)
    report = sent(sqlite_engine, tmp_path, sink, connections=3)

    assert sentence in report.problem
    assert (report.sent, report.failed, report.left) == (0, 0, 100)
    assert len(sink.senders) <= 9
    assert states(sqlite_engine) == {DeliveryState.QUEUED: 100}


def test_a_relay_that_allows_fewer_connections_gets_its_mail_over_fewer(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 40)
    sink = Sink()
    sink.script = lambda heard, _: "421 too many connections" if heard == "GREETING" and sink.busy > 2 else None
    report = sent(sqlite_engine, tmp_path, sink, connections=6)

    assert sorted(sink.recipients) == everyone(40)
    assert (report.sent, report.left, report.problem) == (40, 0, "")


def test_in_bad_weather_nobody_is_lost_and_nobody_gets_three(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Every seventh dialogue is cut after the dot, others are put off or cut before it; runs go on until all is said."""
    published(sqlite_engine, 60)
    heard = Counter[str]()

    def weather(verb_name: str, _session: Session) -> str | None:
        heard[verb_name] += 1
        storms = {("DOT", 0): HANG_UP, ("DATA", 3): HANG_UP, ("RCPT", 5): "450 later"}
        return storms.get((verb_name, heard[verb_name] % 7))

    sink, now = Sink(weather), NOW
    while (report := sent(sqlite_engine, tmp_path, sink, now)).left or report.unknown:
        if now > NOW + LATE:
            break
        now += timedelta(minutes=70)

    copies = Counter(sink.recipients)
    assert sorted(copies) == everyone(60)
    assert max(copies.values()) <= 2
    assert set(states(sqlite_engine)) <= {DeliveryState.SENT, DeliveryState.UNKNOWN}


# ── between claim and dot ────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_who_leaves_while_the_body_is_on_its_way_gets_no_mail(engine: Engine, tmp_path: Path) -> None:
    published(engine, 3)

    def leaving(heard: str, session: Session) -> str | None:
        if heard == "DATA" and session.recipient == "r1@readers.example":
            leave(engine, 2)
        return None

    sink = Sink(leaving)
    report = sent(engine, tmp_path, sink, connections=1)

    assert "r1@readers.example" not in sink.recipients
    assert (report.sent, report.suppressed) == (2, 1)
    assert states(engine) == {DeliveryState.SENT: 2, DeliveryState.SUPPRESSED: 1}


def test_an_outcome_nobody_knows_is_sent_again_once_with_the_same_name(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    sink = Sink(saying(DOT=HANG_UP))
    reports = [sent(sqlite_engine, tmp_path, sink, NOW + timedelta(minutes=n), connections=1) for n in range(4)]

    assert [report.unknown for report in reports] == [1, 1, 0, 0]
    assert len(sink.accepted) == 2
    assert len({message_from_bytes(body)["Message-ID"] for _, body in sink.accepted}) == 1
    assert states(sqlite_engine) == {DeliveryState.UNKNOWN: 1}


def test_an_outcome_nobody_knows_is_held_for_who_wants_no_copies(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    sink = Sink(saying(DOT=HANG_UP))
    for minutes in range(3):
        sent(sqlite_engine, tmp_path, sink, NOW + timedelta(minutes=minutes), unknown=UnknownPolicy.HOLD)

    assert len(sink.accepted) == 1
    assert states(sqlite_engine) == {DeliveryState.UNKNOWN: 1}


@pytest.mark.parametrize("moment", ["claimed", "offered"])
def test_after_a_crash_the_next_run_picks_up_what_was_left(engine: Engine, tmp_path: Path, moment: str) -> None:
    published(engine, 10)
    with engines.write(engine) as connection:
        held = claims.claim(connection, NOW, 4, "a" * 32, NOW + LEASE)
        if moment == "offered":
            claims.offer(connection, held, NOW, LATE)
    sink = Sink()

    assert sent(engine, tmp_path, sink).sent == 6
    assert sent(engine, tmp_path, sink, NOW + LEASE).sent == 4
    assert sorted(sink.recipients) == everyone(10)
    assert states(engine) == {DeliveryState.SENT: 10}


def test_mail_that_would_come_too_late_expires(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 8)
    sink = Sink()
    report = sent(sqlite_engine, tmp_path, sink, NOW + timedelta(hours=13))

    assert sink.accepted == []
    assert (report.sent, report.expired, report.left) == (0, 8, 0)
    assert states(sqlite_engine) == {DeliveryState.EXPIRED: 8}


# ── what goes wrong on our side ──────────────────────────────────────────────────────────────────────────────────


def test_a_mail_that_cannot_be_made_is_quarantined_and_stops_nobody(engine: Engine, tmp_path: Path) -> None:
    published(engine, 12)
    with engines.write(engine) as connection:
        connection.execute(update(subscriptions).where(subscriptions.c.id == 5).values(topics=["poison"]))

    def poisoned(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        if topics == ("poison",):
            raise ZeroDivisionError("template")
        return prepare(edition_id, topics, language)

    sink, now = Sink(), NOW
    reports = []
    for _ in range(3):
        reports.append(sent(engine, tmp_path, sink, now, make=poisoned))
        now += timedelta(hours=1)

    assert [report.sent for report in reports] == [11, 0, 0]
    assert [report.deferred for report in reports] == [1, 1, 0]
    assert [report.quarantined for report in reports] == [0, 0, 1]
    assert "could not be made: ZeroDivisionError: template" in reports[0].problem
    assert states(engine) == {DeliveryState.SENT: 11, DeliveryState.QUARANTINED: 1}


def test_an_address_that_reads_as_more_than_one_fails_for_good(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 2)
    with engines.write(sqlite_engine) as connection:
        connection.exec_driver_sql("UPDATE subscribers SET address = 'a@b.example, c@d.example' WHERE id = 1")
    sink = Sink()
    report = sent(sqlite_engine, tmp_path, sink)

    assert sink.recipients == ["r1@readers.example"]
    assert (report.sent, report.failed) == (1, 1)


def test_a_run_that_is_told_to_stop_finishes_what_it_has_begun_and_gives_back_the_rest(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, 200)
    stop = asyncio.Event()

    def stopping(heard: str, session: Session) -> str | None:
        if heard == "DATA" and len(sink.accepted) >= 10:
            stop.set()
        return None

    sink = Sink(stopping)

    async def scenario() -> DeliveryReport:
        async with sink.serving():
            config = configured(tmp_path, sink.relay)
            return await verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare, stop=stop)

    report = asyncio.run(scenario())
    assert 10 <= report.sent == len(sink.accepted) < 20
    assert report.left == 200 - report.sent
    assert states(sqlite_engine) == {DeliveryState.SENT: report.sent, DeliveryState.QUEUED: report.left}
    with engines.read(sqlite_engine) as connection:
        assert deliveries.due(connection, NOW) == report.left


def test_a_run_that_is_cancelled_leaves_nothing_silently(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 50)

    async def scenario() -> None:
        reached = asyncio.Event()
        sink = Sink(lambda heard, _: reached.set() if heard == "DATA" and len(sink.accepted) >= 5 else None)
        async with sink.serving():
            config = configured(tmp_path, sink.relay)
            run = asyncio.create_task(verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare))
            await reached.wait()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

    asyncio.run(scenario())
    sink = Sink()
    report = sent(sqlite_engine, tmp_path, sink, NOW + LEASE)
    assert report.left == 0
    assert set(states(sqlite_engine)) == {DeliveryState.SENT}


def test_mail_goes_no_faster_than_is_wanted(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 11)
    arrivals: list[float] = []

    def noting(heard: str, _session: Session) -> str | None:
        if heard == "MAIL":
            arrivals.append(time.monotonic())
        return None

    began = time.monotonic()
    assert sent(sqlite_engine, tmp_path, Sink(noting), per_second=50).sent == 11
    assert arrivals[-1] - began >= 10 / 50


def test_a_database_that_is_away_for_a_moment_only_makes_the_dots_wait(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's file is locked by another process for longer than a write waits, then free again."""
    published(sqlite_engine, 20)
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0)
    impatient = engines.connect(str(sqlite_engine.url))
    blocker = sqlite_engine.raw_connection()
    freed: list[bool] = []

    def blocking(heard: str, _session: Session) -> str | None:
        if heard == "DATA" and not freed:
            freed.append(True)
            blocker.cursor().execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.2, blocker.rollback)
        return None

    sink = Sink(blocking)
    report = sent(impatient, tmp_path, sink, connections=1)
    blocker.close()
    impatient.dispose()
    assert (report.sent, len(sink.accepted)) == (20, 20)


def test_offers_of_many_connections_share_a_transaction(sqlite_engine: Engine) -> None:
    published(sqlite_engine, 30)
    begun = 0

    async def scenario() -> list[bool]:
        nonlocal begun
        ledger = Ledger(sqlite_engine, counting, LATE)
        held = await ledger.claim(30)
        begun = 0
        return await asyncio.gather(*(ledger.offer(delivery) for delivery in held))

    def counting() -> datetime:
        nonlocal begun
        begun += 1
        return NOW

    assert asyncio.run(scenario()) == [True] * 30
    assert begun == 1


def test_the_day_of_a_pause_is_the_editions(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 2)
    with engines.write(sqlite_engine) as connection:
        connection.execute(update(subscriptions).where(subscriptions.c.id == 1).values(paused_until=DAY))
    sink = Sink()

    assert sent(sqlite_engine, tmp_path, sink).sent == 2


def test_a_database_that_is_away_while_a_mail_is_made_costs_no_reader_a_try(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, 10)
    asked = []

    def stumbling(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        asked.append(topics)
        if len(asked) == 1:
            raise DatabaseUnreachable("postgresql://db", "it restarts")
        return prepare(edition_id, topics, language)

    report = sent(sqlite_engine, tmp_path, Sink(), make=stumbling)

    assert (report.sent, report.deferred, report.problem) == (10, 0, "")


def sent_while_time_passes(engine: Engine, home: Path, mails: int, span: timedelta) -> tuple[Sink, DeliveryReport]:
    """One run over one connection, in which `span` passes once so many mails have been taken."""
    now = [NOW]

    def passing(heard: str, _session: Session) -> str | None:
        if heard == "DATA" and len(sink.accepted) == mails:
            now[0] = NOW + span
        return None

    sink = Sink(passing)

    async def scenario() -> DeliveryReport:
        async with sink.serving():
            config = configured(home, sink.relay, connections=1)
            return await verb.deliver(config, engine, lambda: now[0], prepare=prepare)

    return sink, asyncio.run(scenario())


def test_a_long_run_lets_go_of_what_has_become_too_late(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Else what is too late is claimed, carried to the relay and withdrawn, again and again, and the run never ends."""
    published(sqlite_engine, 200)

    sink, report = sent_while_time_passes(sqlite_engine, tmp_path, 10, LATE)

    assert len(sink.accepted) == report.sent == 10
    assert len(sink.senders) < 30
    assert report.expired > 170


def test_what_a_crashed_sender_left_behind_is_found_during_a_long_run(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 40)
    with engines.write(sqlite_engine) as connection:
        left_behind = claims.claim(connection, NOW, 8, "a" * 32, NOW + LEASE)

    sink, _ = sent_while_time_passes(sqlite_engine, tmp_path, 5, LEASE)

    assert {delivery.address for delivery in left_behind} <= set(sink.recipients)


def test_a_relay_that_refuses_us_and_not_a_reader_costs_nobody_the_edition(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, 100)
    closed = Sink(saying(RCPT="554 5.7.1 Relay access denied"))
    first = sent(sqlite_engine, tmp_path, closed)
    sink = Sink()
    sent(sqlite_engine, tmp_path, sink, NOW + timedelta(minutes=5))

    assert (first.failed, first.left) == (0, 100)
    assert "Relay access denied" in first.problem
    assert sorted(sink.recipients) == everyone(100)


def test_a_problem_is_told_without_a_readers_address(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 20)

    def quoting(heard: str, session: Session) -> str | None:
        return f"421 4.3.2 <{session.recipient}>: later" if heard == "DATA" else None

    report = sent(sqlite_engine, tmp_path, Sink(quoting))

    assert "4.3.2" in report.problem
    assert "@readers.example" not in report.problem
