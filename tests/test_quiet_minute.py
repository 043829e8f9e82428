"""What a service asks of its database again and again while nothing happens, which must not grow with what has ever happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, update

from digest.config import Market
from digest.model import DeliveryState, Digest
from digest.scheduler import Service
from digest.store import engine as engines
from digest.store import tables
from tests.delivery.audience import NOW, configured, publish

MINUTE = timedelta(minutes=1)
GROWS = ("articles", "deliveries", "delivery_events", "edition_items", "subscribers", "subscriptions")


@contextmanager
def heard(engine: Engine) -> Iterator[dict[str, Any]]:
    """The statements that are run meanwhile, each with what it was given the first time."""
    found: dict[str, Any] = {}

    def hear(_: Connection, __: object, statement: str, given: Any, ___: object, many: bool) -> None:
        found.setdefault(statement, given[0] if many else given)

    event.listen(engine, "before_cursor_execute", hear)
    yield found
    event.remove(engine, "before_cursor_execute", hear)


def plan(connection: Connection, statement: str, given: Any) -> list[str]:
    """How SQLite goes about a statement, step by step."""
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]


def test_no_question_of_a_quiet_minute_goes_through_the_whole_of_what_grows(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    config = replace(
        configured(tmp_path), digests=(Digest("economy", "The Economic Digest"),), market=Market(ecb_url="")
    )
    with engines.write(sqlite_engine) as connection:
        publish(connection, 3, NOW)
        connection.execute(update(tables.deliveries).values(state=DeliveryState.SENT))
    now = NOW
    service = Service(lambda: config, sqlite_engine, lambda: now)
    timers = service.tick, service.send, service.letters, service.tell
    for timer in timers:
        timer()  # what is done once a day
    now += MINUTE
    with heard(sqlite_engine) as asked:
        for timer in timers:
            timer()

    plans = {}
    with engines.read(sqlite_engine) as connection:
        for statement, given in asked.items():
            if statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
                plans[statement] = plan(connection, statement, given)
    assert len(plans) > 20
    whole = {
        statement: step
        for statement, steps in plans.items()
        for step in steps
        if step.startswith("SCAN") and step.split()[1] in GROWS and "INDEX" not in step
    }
    assert whole == {}
