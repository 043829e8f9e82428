"""Letters that were ordered are written within seconds, whatever else is under way, and once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from digest.config import Config
from digest.delivery import deliver as verb
from digest.delivery.orders import enqueue, post_orders
from digest.delivery.post import PostReport
from digest.delivery.quota import ALL, hour_of
from digest.links import Purpose
from digest.model import Digest, SubscriptionState
from digest.scheduler import Service
from digest.store import engine as engines
from digest.store import quotas
from digest.store.letters import Kind, LetterOrder
from digest.store.tables import letter_orders, subscribers, subscriptions
from tests.delivery import hurried
from tests.delivery.audience import EDITION, LINKS, NOW, configured, prepare, still
from tests.delivery.runs import published
from tests.delivery.sink import Session, Sink, saying

ORDER = LetterOrder("confirmation:1:1", Kind.CONFIRMATION, 1, {})
READER = "r0@readers.example"


def pending(engine: Engine, number: int = 1) -> None:
    """A reader who has signed up and not confirmed it yet."""
    with engines.write(engine) as connection:
        waiting = update(subscriptions).where(subscriptions.c.id == number)
        connection.execute(waiting.values(state=SubscriptionState.PENDING))


def ordered(engine: Engine, order: LetterOrder = ORDER) -> bool:
    with engines.write(engine) as connection:
        return enqueue(connection, order, NOW)


def with_digest(config: Config) -> Config:
    return replace(config, digests=(Digest(EDITION.digest, EDITION.title),))


def posted(engine: Engine, home: Path, sink: Sink, minutes: int = 0, **delivery: object) -> PostReport:
    async def scenario() -> PostReport:
        async with sink.serving():
            config = with_digest(configured(home, sink.relay, **delivery))
            return await post_orders(config, engine, still(NOW + timedelta(minutes=minutes)))

    return asyncio.run(scenario())


def left(engine: Engine) -> int:
    with engines.read(engine) as connection:
        return connection.scalars(select(func.count()).select_from(letter_orders)).one()


def test_a_confirmation_is_written_once_with_the_link_that_confirms(engine: Engine, tmp_path: Path) -> None:
    published(engine, 1)
    pending(engine)
    sink = Sink()
    assert ordered(engine)
    assert not ordered(engine)
    reports = [posted(engine, tmp_path, sink) for _ in range(2)]

    assert [report.sent for report in reports] == [1, 0]
    assert (left(engine), ordered(engine)) == (0, False)
    ((recipient, body),) = sink.accepted
    mail = message_from_bytes(body, policy=policy.default)
    part = mail.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    assert recipient == READER
    assert LINKS.signed(Purpose.CONFIRM, 1, 1) in text
    assert LINKS.signed(Purpose.UNSUBSCRIBE, 1, 1) in text
    assert "__" not in text
    assert mail["List-Unsubscribe"] is None


def test_what_waits_holds_no_address(sqlite_engine: Engine) -> None:
    published(sqlite_engine, 1)
    ordered(sqlite_engine)

    with engines.read(sqlite_engine) as connection:
        assert "@" not in str(connection.execute(select(letter_orders)).all())


def test_a_letter_to_whom_it_concerns_no_more_is_dropped(engine: Engine, tmp_path: Path) -> None:
    published(engine, 2)
    ordered(engine)  # confirmed meanwhile
    ordered(engine, replace(ORDER, key="confirmation:2:1", subscription_id=2))
    with engines.write(engine) as connection:
        connection.execute(subscribers.delete().where(subscribers.c.id == 2))
    sink = Sink()

    assert posted(engine, tmp_path, sink).sent == 0
    assert (sink.accepted, left(engine)) == ([], 0)


def test_a_letter_that_is_put_off_is_tried_again_and_dropped_in_the_end(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    pending(sqlite_engine)
    ordered(sqlite_engine)
    away = Sink(saying(RCPT="450 4.2.1 later"))
    tries = []
    for minutes in range(0, 200, 2):
        before = len(away.senders)
        posted(sqlite_engine, tmp_path, away, minutes)
        tries += [minutes] * (len(away.senders) - before)

    assert tries == [0, 6, 16, 36, 76, 144]
    assert left(sqlite_engine) == 0


def test_a_letter_that_is_refused_for_good_is_dropped_and_says_why(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    pending(sqlite_engine)
    ordered(sqlite_engine)
    report = posted(sqlite_engine, tmp_path, Sink(saying(RCPT="550 5.1.1 nobody")))

    assert "nobody" in report.problems[0]
    assert left(sqlite_engine) == 0


@pytest.mark.parametrize("kind", ["unheard of", Kind.CONFIRMATION])
def test_a_letter_that_cannot_be_written_stops_no_other(sqlite_engine: Engine, tmp_path: Path, kind: str) -> None:
    published(sqlite_engine, 2)
    pending(sqlite_engine)
    ordered(sqlite_engine, LetterOrder("odd", kind, 2, {}))
    ordered(sqlite_engine)
    report = posted(sqlite_engine, tmp_path, Sink())

    assert report.sent == 1
    assert left(sqlite_engine) == (kind != Kind.CONFIRMATION)


def test_a_letter_goes_though_the_hour_is_full_and_counts_in_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    pending(sqlite_engine)
    ordered(sqlite_engine)
    with engines.write(sqlite_engine) as connection:
        used = quotas.Used({(ALL, hour_of(NOW)): 5})
        quotas.add(connection, used)

    assert posted(sqlite_engine, tmp_path, Sink(), per_hour=5).sent == 1
    with engines.read(sqlite_engine) as connection:
        assert quotas.used(connection, {ALL}, NOW) == {(ALL, NOW): 6}


class Slow(Sink):
    """Takes two seconds for each message of an edition."""

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> bool:
        if session.recipient != READER:
            await asyncio.sleep(2)
        return await super()._message(reader, writer, session)


def test_a_letter_that_is_ordered_in_the_middle_of_an_edition_goes_at_once(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, 400)
    pending(sqlite_engine)
    sink = Slow()

    async def scenario() -> int:
        async with sink.serving():
            config = with_digest(configured(tmp_path, sink.relay, connections=3, per_second=1.0))
            service = Service(lambda: config, sqlite_engine, still(NOW))
            stop, begun = asyncio.Event(), asyncio.Event()
            run = verb.deliver(
                config, sqlite_engine, still(NOW), prepare=prepare, stop=stop, progress=lambda _: begun.set()
            )
            edition = asyncio.create_task(run)
            await begun.wait()
            ordered(sqlite_engine)
            before = len(sink.accepted)
            await asyncio.to_thread(service.letters)
            between = sink.recipients.index(READER) - before
            assert not edition.done()
            stop.set()
            await edition
            return between

    # The relay's seconds are half as long here; what a letter takes is not shortened, and it comes soon all the same.
    assert hurried.run(scenario(), 2.0) <= 3
