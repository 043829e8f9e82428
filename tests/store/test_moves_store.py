"""A subscriber at another address: everything comes along, on both databases, and who makes two changes at once makes one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Engine, select, update

from digest.model import Deed, DeliveryState, SubscriptionState
from digest.store import deliveries, moves, subscribers, tables
from digest.store import engine as engines
from digest.subscribers import moving
from digest.subscribers.moving import End
from tests.conftest import NOW
from tests.delivery.runs import published

NEW = "new@readers.example"
A_DAY = timedelta(days=1)


def asked(engine: Engine, number: int = 1) -> int:
    """A change that the reader of a subscription has asked for; its id."""
    with engines.write(engine) as connection:
        found = subscribers.subscription(connection, number)
        assert found is not None
        key = connection.scalars(select(tables.subscribers.c.address_key).where(tables.subscribers.c.id == 1)).one()
        return moves.keep(connection, found, key, (NEW, "new key"), {"how": "test"}, NOW)


def test_what_waits_goes_along_and_what_the_new_address_has_had_does_not(engine: Engine) -> None:
    published(engine, 3)
    with engines.write(engine) as connection:
        leaver = (tables.subscriptions.c.subscriber_id == 2, tables.deliveries.c.subscriber_id == 2)
        connection.execute(
            update(tables.subscriptions).where(leaver[0]).values(state=SubscriptionState.ENDED, ended_at=NOW)
        )
        connection.execute(update(tables.deliveries).where(leaver[1]).values(state=DeliveryState.SENT))
        moves.relocate(connection, 3, "third@readers.example", "third key", {}, NOW - 30 * A_DAY, NOW)
        there = connection.execute(select(tables.subscribers).where(tables.subscribers.c.id == 2)).one()
        moves.relocate(connection, 1, there.address, there.address_key, {}, NOW - 30 * A_DAY, NOW)

    with engines.read(engine) as connection:
        ledger = {
            row.subscriber_id: (row.state, row.address_key) for row in connection.execute(select(tables.deliveries))
        }
        first = subscribers.subscription(connection, 1)
        [audit] = deliveries.audit(connection)
        assert subscribers.subscription(connection, 2) is None
        assert subscribers.successor(connection, 2) == 1
    assert ledger[1][0] == DeliveryState.SUPPRESSED
    assert ledger[2] == (DeliveryState.SENT, there.address_key)
    assert ledger[3] == (DeliveryState.QUEUED, "third key")
    assert audit.balanced
    assert first is not None
    assert (first.address, first.version) == (there.address, 2)


def test_a_change_that_is_confirmed_many_times_at_once_is_made_once(engine: Engine) -> None:
    published(engine, 1)
    number = asked(engine)
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda _: moving.confirm(engine, number, {}, NOW).end, range(4)))

    with engines.read(engine) as connection:
        found = subscribers.subscription(connection, 1)
        deeds = [one.deed for one in subscribers.history(connection, 1)]
    assert ends == [End.DONE] * 4
    assert found is not None
    assert (found.address, found.version) == (NEW, 2)
    assert deeds.count(Deed.MOVED) == 1


def test_an_old_address_that_refuses_while_the_new_one_confirms_keeps_its_mail(engine: Engine) -> None:
    published(engine, 1)
    number = asked(engine)
    with engines.read(engine) as connection:
        before = subscribers.subscription(connection, 1)
    with ThreadPoolExecutor(2) as pool:
        confirming = pool.submit(moving.confirm, engine, number, {}, NOW)
        stopped = pool.submit(moving.stop, engine, number, NOW).result()
        confirming.result()

    with engines.read(engine) as connection:
        found = subscribers.subscription(connection, 1)
    assert stopped.end is End.DONE
    assert before is not None
    assert found is not None
    assert found.address == before.address
