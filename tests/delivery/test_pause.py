"""A sender at work stops within what it has in hand once its edition is paused, and nobody loses a try or a mail."""

from pathlib import Path

from sqlalchemy import Engine, func, select

from digest.model import DeliveryState, Outcome
from digest.store import editions
from digest.store import engine as engines
from digest.store.tables import deliveries
from digest.store.tables import editions as table
from tests.delivery.audience import NOW
from tests.delivery.runs import everyone, published, sent, states
from tests.delivery.sink import Sink

READERS, CONNECTIONS = 300, 2


def test_a_pause_stops_a_sender_at_work_and_its_end_lets_everybody_have_the_mail(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, READERS)
    with engines.read(sqlite_engine) as connection:
        edition_id = connection.scalars(select(table.c.id)).one()
    sink = Sink()
    heard: list[Outcome] = []

    def pause_soon(outcome: Outcome) -> None:
        heard.append(outcome)
        if len(heard) == 20:
            with engines.write(sqlite_engine) as connection:
                editions.pause(connection, edition_id, "A wrong figure.", NOW)

    report = sent(sqlite_engine, tmp_path, sink, progress=pause_soon, connections=CONNECTIONS)
    went = len(sink.accepted)
    # Those whose dot was allowed already may still go: one on each connection.
    assert 20 <= went <= 20 + CONNECTIONS
    assert (report.sent, report.left, report.problem) == (went, READERS - went, "")
    assert states(sqlite_engine) == {DeliveryState.SENT: went, DeliveryState.QUEUED: READERS - went}
    with engines.read(sqlite_engine) as connection:
        waits = deliveries.c.state == DeliveryState.QUEUED
        assert connection.scalar(select(func.max(deliveries.c.attempt)).where(waits)) == 0

    with engines.write(sqlite_engine) as connection:
        editions.resume(connection, edition_id, NOW)
    assert sent(sqlite_engine, tmp_path, sink, connections=CONNECTIONS).sent == READERS - went
    assert sorted(sink.recipients) == everyone(READERS)
