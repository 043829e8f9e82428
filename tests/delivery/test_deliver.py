"""Everything that is due goes out, each mail once."""

import asyncio
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.config import Config
from digest.delivery import deliver as verb
from digest.delivery.deliver import DeliveryReport
from digest.delivery.message import CompiledMail
from digest.errors import MissingSecret
from digest.model import Accepted, DeliveryState, Outcome
from digest.store import deliveries
from digest.store import engine as engines
from digest.store.tables import subscriptions
from tests.delivery.audience import NOW, configured, prepare, still
from tests.delivery.runs import everyone, published, sent, states
from tests.delivery.sink import Sink

# ── the usual day ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_readers_get_one_mail_each(engine: Engine, tmp_path: Path) -> None:
    published(engine, 1000)
    sink = Sink()
    report = sent(engine, tmp_path, sink, connections=8)

    assert sorted(sink.recipients) == everyone(1000)
    assert report.as_dict() == {
        "sent": 1000, "failed": 0, "deferred": 0, "unknown": 0, "suppressed": 0, "expired": 0, "quarantined": 0,
        "outbox": 0, "found": 0, "returned": 0, "left": 0, "seconds": 0.0, "problem": "",
    }  # fmt: skip
    assert states(engine) == {DeliveryState.SENT: 1000}
    assert len(sink.sessions) <= 8


def test_two_senders_at_once_send_nothing_twice(engine: Engine, tmp_path: Path) -> None:
    published(engine, 120)
    sink = Sink()

    async def scenario() -> list[DeliveryReport]:
        async with sink.serving():
            config = configured(tmp_path, sink.relay)
            runs = (verb.deliver(config, engine, still(NOW), prepare=prepare) for _ in range(2))
            return await asyncio.gather(*runs)

    reports = asyncio.run(scenario())
    assert sorted(sink.recipients) == everyone(120)
    assert sum(report.sent for report in reports) == 120


def test_every_reader_gets_a_mail_of_its_own(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 3)
    sink = Sink()
    sent(sqlite_engine, tmp_path, sink)
    mails = [message_from_bytes(body, policy=policy.default) for _, body in sink.accepted]

    assert sorted(mail["To"] for mail in mails) == everyone(3)
    assert [mail["To"] for mail in mails] == sink.recipients
    assert len({mail["Message-ID"] for mail in mails}) == len({mail["List-Unsubscribe"] for mail in mails}) == 3
    assert {mail["Date"].datetime for mail in mails} == {NOW}
    assert set(sink.senders) == {"MAIL FROM:<digest@news.example>"}


def test_a_cut_is_made_once_for_all_who_chose_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 40)
    with engines.write(sqlite_engine) as connection:
        some = update(subscriptions).where(subscriptions.c.id <= 20)
        connection.execute(some.values(topics=["trade", "central-banks"]))
    made: list[tuple[str, ...]] = []

    def counting(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        made.append(topics)
        return prepare(edition_id, topics, language)

    sent(sqlite_engine, tmp_path, Sink(), make=counting)
    assert sorted(made) == [(), ("central-banks", "trade")]


def test_a_run_with_nothing_due_calls_nobody(sqlite_engine: Engine, tmp_path: Path) -> None:
    sink = Sink()
    assert sent(sqlite_engine, tmp_path, sink) == DeliveryReport()
    assert sink.sessions == []


def test_progress_hears_every_outcome(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 5)
    heard: list[Outcome] = []
    sent(sqlite_engine, tmp_path, Sink(), progress=heard.append)

    assert {type(outcome) for outcome in heard} == {Accepted}
    assert len(heard) == 5


def test_links_that_cannot_be_signed_stop_the_run_before_it_begins(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    config = Config(
        **{name: getattr(configured(tmp_path), name) for name in Config.__dataclass_fields__} | {"keys": ()}
    )
    with pytest.raises(MissingSecret):
        asyncio.run(verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare))
    assert states(sqlite_engine) == {DeliveryState.QUEUED: 1}


# ── safe mode ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_relay_mail_goes_through_the_same_states_into_the_outbox(engine: Engine, tmp_path: Path) -> None:
    published(engine, 6)
    report = asyncio.run(verb.deliver(configured(tmp_path), engine, still(NOW), prepare=prepare))
    files = sorted((tmp_path / "outbox").iterdir())

    assert (report.sent, report.outbox, report.left, report.problem) == (6, 6, 0, "")
    assert [path.name for path in files] == [f"economy.2026-02-10.{n}@news.example.eml" for n in range(1, 7)]
    assert message_from_bytes(files[0].read_bytes())["To"] == "r0@readers.example"
    with engines.read(engine) as connection:
        kinds = [event.kind for event in deliveries.history(connection, "r0@readers.example")]
    assert kinds == ["queued", "claimed", "offered", "sent"]


def test_with_only_to_everybody_else_is_written_to_the_outbox(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 4)
    sink = Sink()
    report = sent(sqlite_engine, tmp_path, sink, only_to=("R2@readers.example",))

    assert sink.recipients == ["r2@readers.example"]
    assert (report.sent, report.outbox) == (4, 3)
    assert len(list((tmp_path / "outbox").iterdir())) == 3


def test_an_outbox_that_cannot_be_written_loses_nothing(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 30)
    (tmp_path / "outbox").write_text("a file where the folder should be")
    report = asyncio.run(verb.deliver(configured(tmp_path), sqlite_engine, still(NOW), prepare=prepare))

    assert report.problem.startswith("Mail cannot be handed over: the outbox takes no file: ")
    assert (report.sent, report.left) == (0, 30)
    assert states(sqlite_engine) == {DeliveryState.QUEUED: 30}
