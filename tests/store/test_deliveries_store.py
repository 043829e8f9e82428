"""Every reader of an edition is in the ledger once and accounted for, on both databases."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, insert, select, update

from digest import clock
from digest.model import (
    Accepted,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    NotSent,
    Outcome,
    Phase,
    Refused,
    SubscriptionState,
    Unconfirmed,
    Withdrawn,
)
from digest.store import deliveries
from digest.store import engine as engines
from digest.store.tables import deliveries as table
from digest.store.tables import delivery_events, editions, subscribers, subscriptions
from tests.delivery.audience import DAY, EDITION, NOW, publish
from tests.delivery.runs import states
from tests.store.books import change, claimed, events, offered, published, settled, suppress, swept

MINUTE = timedelta(minutes=1)


# ── freeze ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everyone_who_takes_an_edition_gets_one_delivery(engine: Engine) -> None:
    edition = published(engine, 5)

    assert states(engine) == {DeliveryState.QUEUED: 5}
    with engines.read(engine) as connection:
        assert deliveries.due(connection, NOW) == deliveries.waiting(connection) == 5
        assert deliveries.due(connection, NOW - MINUTE) == 0
        assert deliveries.counts(connection, edition.id)[DeliveryState.QUEUED] == 5


def test_freezing_again_changes_nothing(engine: Engine) -> None:
    edition = published(engine, 3)
    held = claimed(engine, limit=1)
    with engines.write(engine) as connection:
        assert deliveries.freeze(connection, edition, NOW + MINUTE) == 0

    assert states(engine) == {DeliveryState.QUEUED: 2, DeliveryState.CLAIMED: 1}
    assert offered(engine, held) == {held[0].id}
    assert events(engine).count(DeliveryState.QUEUED) == 1


@pytest.mark.parametrize("place", range(7))
def test_an_edition_goes_to_those_who_want_the_mail_of_its_weekday(engine: Engine, place: int) -> None:
    """Also whoever changes that after it was frozen is asked once more before the final dot, on either database."""
    day = DAY + timedelta(days=place)
    bit = 1 << day.weekday()
    with engines.write(engine) as connection:
        edition = publish(connection, 3)
        connection.execute(delete(table))
    change(engine, 1, days=127 - bit)
    change(engine, 2, days=bit)
    with engines.write(engine) as connection:
        connection.execute(update(editions).values(date=day))
        assert deliveries.freeze(connection, replace(edition, date=day), NOW) == 2
    held = claimed(engine)
    change(engine, 3, days=127 - bit)

    kept = [delivery.id for delivery in held if delivery.subscription_id == 2]
    assert offered(engine, held) == set(kept)


def test_who_has_left_or_paused_or_not_confirmed_is_not_in_the_audience(engine: Engine) -> None:
    with engines.write(engine) as connection:
        publish(connection, 6)
        connection.execute(delete(table))
    change(engine, 1, state=SubscriptionState.ENDED)
    change(engine, 2, state=SubscriptionState.PENDING)
    change(engine, 3, paused_until=DAY + timedelta(days=1))
    change(engine, 4, paused_until=DAY)
    change(engine, 5, digest="another")
    with engines.write(engine) as connection:
        edition_id = connection.scalars(select(editions.c.id)).one()
        made = deliveries.freeze(connection, _numbered(edition_id), NOW)
        readers = set(connection.scalars(select(table.c.subscriber_id)))

    assert made == 2
    assert readers == {4, 6}


def test_a_suppressed_address_is_counted_and_not_mailed(engine: Engine) -> None:
    with engines.write(engine) as connection:
        edition = publish(connection, 2)
        connection.execute(delete(table))
        connection.execute(update(editions).values(audience=0))
    suppress(engine, 1)
    with engines.write(engine) as connection:
        assert deliveries.freeze(connection, edition, NOW) == 2

    assert states(engine) == {DeliveryState.QUEUED: 1, DeliveryState.SUPPRESSED: 1}
    assert [delivery.subscriber_id for delivery in claimed(engine)] == [2]
    assert events(engine) == [DeliveryState.QUEUED, DeliveryState.SUPPRESSED]


@pytest.mark.parametrize("state", [EditionState.MISSED, EditionState.SKIPPED])
def test_an_edition_that_was_not_made_is_delivered_to_nobody(engine: Engine, state: EditionState) -> None:
    edition = published(engine, 2)
    with engines.write(engine) as connection:
        connection.execute(delete(table))
        assert deliveries.freeze(connection, _numbered(edition.id, state), NOW) == 0


def _numbered(edition_id: int, state: EditionState = EditionState.FROZEN) -> Edition:
    return Edition(EDITION.digest, EDITION.title, DAY, EDITION.window, (), state=state, id=edition_id)


# ── audit, history ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_audit_names_every_edition_newest_first(engine: Engine) -> None:
    first = published(engine, 2)
    with engines.write(engine) as connection:
        second = publish(connection, 0, NOW + timedelta(days=1), date(2026, 2, 11))
    with engines.read(engine) as connection:
        audits = deliveries.audit(connection)
        one = deliveries.audit(connection, first.id)

    assert [audited.edition_id for audited in audits] == [second.id, first.id]
    assert one == audits[1:]
    assert one[0].as_dict() == {
        "edition": first.id, "digest": "economy", "date": DAY, "eligible": 2, "queued": 2, "claimed": 0, "offered": 0,
        "sent": 0, "failed": 0, "unknown": 0, "suppressed": 0, "expired": 0, "quarantined": 0, "balanced": True,
    }  # fmt: skip


def test_an_audit_fails_when_a_delivery_is_lost(engine: Engine) -> None:
    published(engine, 3)
    with engines.write(engine) as connection:
        connection.execute(delete(table).where(table.c.subscriber_id == 2))
    with engines.read(engine) as connection:
        (audited,) = deliveries.audit(connection)

    assert (audited.eligible, sum(audited.counts.values()), audited.balanced) == (3, 2, False)


def test_an_audit_fails_when_a_delivery_came_in_by_the_back_door(engine: Engine) -> None:
    edition = published(engine, 2)
    with engines.write(engine) as connection:
        stray = {"edition_id": edition.id, "subscriber_id": 9, "subscription_id": 9, "address_key": "k"}
        times = dict.fromkeys(("not_before", "queued_at", "changed_at"), NOW)
        connection.execute(insert(table).values(state=DeliveryState.SENT, **stray, **times))
    with engines.read(engine) as connection:
        (audited,) = deliveries.audit(connection)

    assert (audited.eligible, sum(audited.counts.values()), audited.balanced) == (2, 3, False)


def test_the_history_of_an_address_tells_all_that_happened(engine: Engine) -> None:
    edition = published(engine, 2)
    held = [delivery for delivery in claimed(engine) if delivery.subscriber_id == 2]
    settled(engine, held, Refused(Phase.RCPT, 550, "no", permanent=True), NOW + MINUTE)
    with engines.read(engine) as connection:
        told = deliveries.history(connection, "R1@Readers.Example")

    assert [(event.kind, event.at, event.attempt) for event in told] == [
        (DeliveryState.QUEUED, NOW, 0),
        (DeliveryState.CLAIMED, NOW, 1),
        (DeliveryState.FAILED, NOW + MINUTE, 1),
    ]
    assert told[-1].detail == "rcpt: 550 no"
    assert {(event.edition_id, event.digest, event.date) for event in told} == {(edition.id, "economy", DAY)}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_the_books_balance_and_nobody_gets_a_third_copy(
    sqlite_engine: Engine, data: st.DataObject
) -> None:
    """Claims, dots, outcomes, crashes, sweeps and readers who leave, in any order; every dot may have been a copy."""
    with engines.write(sqlite_engine) as connection:
        for emptied in (delivery_events, table, editions, subscriptions, subscribers):
            connection.execute(delete(emptied))
        publish(connection, 6)
    now, copies = NOW, dict.fromkeys(range(1, 7), 0)
    held: list[Delivery] = []
    dotted: set[tuple[int, int]] = set()
    for turn in range(data.draw(st.integers(1, 14))):
        match data.draw(st.sampled_from(["claim", "offer", "settle", "crash", "sweep", "leave"])):
            case "claim":
                held += claimed(sqlite_engine, now, data.draw(st.integers(1, 3)), f"{turn:032}")
            case "offer":
                going = offered(sqlite_engine, held, now)
                for delivery in held:
                    copies[delivery.subscriber_id] += delivery.id in going
                    dotted |= {(delivery.id, delivery.attempt)} if delivery.id in going else set()
            case "settle" if held:
                delivery = held.pop()
                after_dot: list[Outcome] = [Accepted("Q"), Unconfirmed("closed")]
                before_dot: list[Outcome] = [NotSent(Phase.DATA, "closed"), Withdrawn("no")]
                possible = after_dot if (delivery.id, delivery.attempt) in dotted else before_dot
                settled(sqlite_engine, [delivery], data.draw(st.sampled_from(possible)), now)
            case "crash":
                held.clear()
            case "sweep":
                swept(sqlite_engine, now)
            case "leave":
                change(sqlite_engine, data.draw(st.integers(1, 6)), state=SubscriptionState.ENDED)
        now += data.draw(st.sampled_from([MINUTE, clock.LEASE, timedelta(hours=2)]))
        states(sqlite_engine)
    assert max(copies.values()) <= 2


def test_what_came_too_late_is_looked_for_among_what_did_not_arrive_alone(sqlite_engine: Engine) -> None:
    """It is asked each minute. SQLite, which has no statistics, takes the small index only where a statement has its very words."""
    published(sqlite_engine, 3)
    begun: list[tuple[str, Any]] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda *args: begun.append((args[2], args[3])))
    with engines.read(sqlite_engine) as connection:
        assert deliveries.too_late(connection, NOW) == []
        statement, parameters = next(one for one in begun if one[0].startswith("SELECT"))
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]

    assert [step for step in plan if "deliveries" in step] == [
        "SEARCH deliveries USING INDEX ix_deliveries_astray (edition_id=? AND state=?)"
    ]
    assert [step for step in plan if step.startswith("SCAN")] == ["SCAN editions"]
