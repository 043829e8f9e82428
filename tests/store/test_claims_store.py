"""A sender's words to the ledger: none is lost, none counts twice, whoever else is at work."""

import asyncio
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select

from digest import clock
from digest.config import UnknownPolicy
from digest.delivery.ledger import Ledger
from digest.model import (
    Accepted,
    Delivery,
    DeliveryState,
    NotSent,
    Outcome,
    Phase,
    Refused,
    SubscriptionState,
    Unconfirmed,
    Withdrawn,
)
from digest.store import claims
from digest.store import engine as engines
from digest.store.tables import deliveries as table
from digest.store.tables import delivery_events, subscribers
from tests.delivery.audience import DAY, LATE, NOW
from tests.delivery.runs import states
from tests.store.books import change, claimed, events, offered, published, settled, suppress, swept

MINUTE = timedelta(minutes=1)
TOKEN = "a" * 32
HOLD = UnknownPolicy.HOLD


def kinds(engine: Engine) -> list[str]:
    """The events of all deliveries."""
    with engines.read(engine) as connection:
        return list(connection.scalars(select(delivery_events.c.kind)))


# ── claim ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_says_who_gets_what(engine: Engine) -> None:
    edition = published(engine, 1)
    change(engine, 1, topics=["central-banks", "trade"], version=3)
    (delivery,) = claimed(engine)

    assert delivery == Delivery(
        id=delivery.id, edition_id=edition.id, subscriber_id=1, subscription_id=1, address="r0@readers.example",
        topics=("central-banks", "trade"), version=3, since=NOW - timedelta(days=30), attempt=1, lease_token=TOKEN,
    )  # fmt: skip
    assert events(engine) == [DeliveryState.QUEUED, DeliveryState.CLAIMED]


def test_nothing_is_claimed_twice(engine: Engine) -> None:
    published(engine, 7)
    first, second, third = claimed(engine, limit=4), claimed(engine, limit=4), claimed(engine, limit=4)

    assert [len(first), len(second), len(third)] == [4, 3, 0]
    assert len({delivery.id for delivery in first + second}) == 7


def test_senders_that_claim_at_the_same_moment_share_the_work(engine: Engine) -> None:
    published(engine, 60)
    taken: list[int] = []

    def sender(name: str) -> None:
        while batch := claimed(engine, limit=5, token=name * 32):
            taken.extend(delivery.id for delivery in batch)

    threads = [threading.Thread(target=sender, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 60


def test_what_was_tried_before_comes_after_what_was_not(engine: Engine) -> None:
    published(engine, 4)
    first = claimed(engine, limit=2)
    settled(engine, first, NotSent(Phase.DATA, "closed"))
    later = NOW + 6 * MINUTE

    assert {delivery.attempt for delivery in claimed(engine, later, limit=2)} == {1}
    assert {delivery.attempt for delivery in claimed(engine, later, limit=2)} == {2}


def test_neighbours_in_the_list_are_not_neighbours_in_the_order(engine: Engine) -> None:
    published(engine, 50)

    assert [delivery.subscriber_id for delivery in claimed(engine, limit=10)] != list(range(1, 11))


def test_an_erased_subscriber_is_settled_at_the_claim(engine: Engine) -> None:
    published(engine, 2)
    with engines.write(engine) as connection:
        connection.execute(delete(subscribers).where(subscribers.c.id == 1))

    assert [delivery.subscriber_id for delivery in claimed(engine)] == [2]
    assert states(engine) == {DeliveryState.CLAIMED: 1, DeliveryState.SUPPRESSED: 1}


def test_a_claim_goes_on_behind_however_many_erased_subscribers(engine: Engine) -> None:
    published(engine, 5)
    with engines.write(engine) as connection:
        connection.execute(delete(subscribers).where(subscribers.c.id != 4))

    assert [delivery.subscriber_id for delivery in claimed(engine, limit=1)] == [4]


# ── offer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_is_made_once(engine: Engine) -> None:
    published(engine, 3)
    held = claimed(engine)

    assert offered(engine, held[:2]) == {delivery.id for delivery in held[:2]}
    assert offered(engine, held) == {held[2].id}
    assert states(engine) == {DeliveryState.OFFERED: 3}


def test_what_was_offered_under_an_earlier_claim_is_offered_again_and_told_again(engine: Engine) -> None:
    published(engine, 3)
    first = claimed(engine)
    offered(engine, first)
    with engines.write(engine) as connection:
        for delivery in first[:2]:
            claims.excuse(connection, delivery, NOW, "454 slow down", MINUTE)
    again = claimed(engine, NOW + MINUTE, token="b" * 32)

    assert offered(engine, [*again, *first], NOW + MINUTE) == {delivery.id for delivery in again}
    assert Counter(kinds(engine)) == {DeliveryState.CLAIMED: 5, DeliveryState.OFFERED: 5, DeliveryState.QUEUED: 2}


@pytest.mark.parametrize("how", ["left", "paused", "suppressed", "erased"])
def test_a_reader_who_went_after_the_claim_is_not_offered_anything(engine: Engine, how: str) -> None:
    published(engine, 2)
    held = claimed(engine)
    match how:
        case "left":
            change(engine, 1, state=SubscriptionState.ENDED)
        case "paused":
            change(engine, 1, paused_until=DAY + timedelta(days=3))
        case "suppressed":
            suppress(engine, 1)
        case "erased":
            with engines.write(engine) as connection:
                connection.execute(delete(subscribers).where(subscribers.c.id == 1))
    gone = [delivery for delivery in held if delivery.subscriber_id == 1]

    assert gone[0].id not in offered(engine, held)
    assert settled(engine, gone, Withdrawn("no")) == [DeliveryState.SUPPRESSED]
    assert states(engine) == {DeliveryState.OFFERED: 1, DeliveryState.SUPPRESSED: 1}


def test_a_lost_lease_offers_nothing(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    later = NOW + clock.LEASE

    assert offered(engine, held, later) == set()
    swept(engine, later)
    again = claimed(engine, later, token="b" * 32)
    assert offered(engine, held, later) == set()
    assert offered(engine, again, later) == {held[0].id}


def test_who_asks_under_an_old_claim_too_is_let_go_under_the_new_one_alone(engine: Engine) -> None:
    """As a sender does that was stopped for longer than its lease, and claims again what it still has in hand."""
    published(engine, 2)
    old = claimed(engine)
    later = NOW + clock.LEASE
    swept(engine, later)
    new = claimed(engine, later, token="b" * 32)
    ledger = Ledger(engine, lambda: later, LATE)

    async def asked() -> list[bool]:
        return await asyncio.gather(*map(ledger.offer, (*old, *new, *old)))

    assert asyncio.run(asked()) == [False, False, True, True, False, False]
    assert kinds(engine).count(DeliveryState.OFFERED) == 2


def test_an_edition_that_is_too_old_is_not_offered(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine, NOW + LATE)

    assert offered(engine, held, NOW + LATE) == set()
    assert settled(engine, held, Withdrawn("no"), NOW + LATE) == [DeliveryState.QUEUED]
    assert swept(engine, NOW + LATE).expired == 1


# ── settle ───────────────────────────────────────────────────────────────────────────────────────────────────────


OUTCOMES: tuple[tuple[Outcome, DeliveryState], ...] = (
    (Accepted("Q1"), DeliveryState.SENT),
    (Refused(Phase.RCPT, 550, "no", permanent=True), DeliveryState.FAILED),
    (Refused(Phase.RCPT, 450, "later", permanent=False), DeliveryState.QUEUED),
    (NotSent(Phase.DATA, "closed"), DeliveryState.QUEUED),
    (Unconfirmed("closed"), DeliveryState.UNKNOWN),
    (Withdrawn("no"), DeliveryState.QUEUED),
)


@pytest.mark.parametrize("dot", [True, False])
def test_every_outcome_has_its_state_and_its_event(engine: Engine, dot: bool) -> None:
    published(engine, len(OUTCOMES))
    held = claimed(engine)
    if dot:
        offered(engine, held)
    told = [(delivery, outcome) for delivery, (outcome, _) in zip(held, OUTCOMES, strict=True)]
    with engines.write(engine) as connection:
        found = claims.settle(connection, told, NOW)

    assert found == [state for _, state in OUTCOMES]
    assert states(engine) == Counter(found)
    assert [events(engine, delivery.address)[-1] for delivery in held] == list(found)


def test_what_the_relay_said_is_kept(engine: Engine) -> None:
    published(engine, 2)
    held = claimed(engine)
    settled(engine, held[:1], Refused(Phase.RCPT, 550, "5.1.1 no such reader", permanent=True))
    settled(engine, held[1:], Accepted("4Xy1Zk"))

    with engines.read(engine) as connection:
        rows = {row.id: row for row in connection.execute(select(table))}
    refused, sent = rows[held[0].id], rows[held[1].id]
    assert (refused.last_phase, refused.last_code, refused.last_reply) == ("rcpt", 550, "5.1.1 no such reader")
    assert sent.remote_id == "4Xy1Zk"


def test_a_delivery_put_off_waits_longer_each_time_and_fails_in_the_end(engine: Engine) -> None:
    published(engine, 1)
    now, waits = NOW, []
    while held := claimed(engine, now):
        settled(engine, held, Refused(Phase.RCPT, 451, "later", permanent=False), now)
        with engines.read(engine) as connection:
            row = connection.execute(select(table)).one()
        if row.state == DeliveryState.QUEUED:
            assert claimed(engine, row.not_before - MINUTE) == []
            waits.append((row.not_before - now) // MINUTE)
            now = row.not_before

    assert waits == list(clock.RETRY_MINUTES)
    assert states(engine) == {DeliveryState.FAILED: 1}


def test_who_has_lost_the_lease_settles_nothing(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    swept(engine, NOW + clock.LEASE)
    again = claimed(engine, NOW + clock.LEASE, token="b" * 32)

    assert settled(engine, held, Refused(Phase.RCPT, 550, "no", permanent=True)) == [DeliveryState.CLAIMED]
    assert settled(engine, again, Accepted("Q1")) == [DeliveryState.SENT]
    assert settled(engine, again, Refused(Phase.DOT, 550, "no", permanent=True)) == [DeliveryState.SENT]


def test_of_many_outcomes_only_those_under_a_lease_change_anything(engine: Engine) -> None:
    published(engine, 3)
    held = claimed(engine)
    settled(engine, held[:1], Accepted("Q1"))
    lost = replace(held[1], lease_token="b" * 32)

    assert settled(engine, [held[0], lost, held[2]], Accepted("Q2")) == [
        *(DeliveryState.SENT, DeliveryState.CLAIMED, DeliveryState.SENT)
    ]
    with engines.read(engine) as connection:
        told = connection.execute(
            select(delivery_events.c.delivery_id, delivery_events.c.detail)
            .where(delivery_events.c.kind == DeliveryState.SENT)
            .order_by(delivery_events.c.id)
        ).all()
        assert told == [(held[0].id, "Q1"), (held[2].id, "Q2")]
        names = dict(connection.execute(select(table.c.id, table.c.remote_id)).all())
    assert [names[delivery.id] for delivery in held] == ["Q1", None, "Q2"]


def test_who_was_slow_may_still_say_what_became_of_an_unknown_delivery(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    offered(engine, held)
    assert swept(engine, NOW + clock.LEASE, HOLD).unknown == 1

    assert settled(engine, held, Accepted("Q1")) == [DeliveryState.SENT]


# ── release, set aside ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_given_back_untried_costs_no_try_and_no_place(engine: Engine) -> None:
    published(engine, 3)
    first = claimed(engine, limit=1)
    with engines.write(engine) as connection:
        claims.release(connection, first, NOW + MINUTE, "the relay is away")
    again = claimed(engine, NOW + MINUTE, limit=1)

    assert again == first
    assert events(engine, first[0].address)[-2:] == [DeliveryState.QUEUED, DeliveryState.CLAIMED]


@pytest.mark.parametrize("after_the_dot", [False, True])
def test_a_message_refused_because_of_us_waits_and_costs_no_try(engine: Engine, after_the_dot: bool) -> None:
    published(engine, 1)
    held = claimed(engine)
    if after_the_dot:
        offered(engine, held)
    with engines.write(engine) as connection:
        claims.excuse(connection, held[0], NOW, "dot: 454 slow down", 5 * MINUTE)

    assert claimed(engine, NOW + 4 * MINUTE) == []
    assert claimed(engine, NOW + 5 * MINUTE)[0].attempt == 1


def test_who_has_lost_a_lease_cannot_put_off_what_somebody_else_sends(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    with engines.write(engine) as connection:
        claims.excuse(connection, replace(held[0], lease_token="b" * 32), NOW, "454 slow down", 5 * MINUTE)

    assert states(engine) == {DeliveryState.CLAIMED: 1}


def test_what_may_end_its_sender_is_claimed_alone_the_last_time(engine: Engine) -> None:
    published(engine, 6)
    now = NOW
    for _ in range(2):
        claimed(engine, now)
        now += clock.LEASE
        with engines.write(engine) as connection:
            claims.sweep(connection, now, UnknownPolicy.RESEND_ONCE, LATE)
    alone = [claimed(engine, now) for _ in range(6)]

    assert [len(some) for some in alone] == [1] * 6
    assert all(delivery.suspect for some in alone for delivery in some)


def test_what_was_offered_is_never_given_back(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    offered(engine, held)
    with engines.write(engine) as connection:
        claims.release(connection, held, NOW, "stop")

    assert states(engine) == {DeliveryState.OFFERED: 1}


def test_what_cannot_be_made_into_a_mail_is_quarantined_at_its_third_claim(engine: Engine) -> None:
    published(engine, 1)
    now, found = NOW, []
    for _ in range(3):
        (delivery,) = claimed(engine, now)
        with engines.write(engine) as connection:
            found.append(claims.set_aside(connection, delivery, now, "UndefinedError"))
        now += timedelta(hours=1)

    assert found == [DeliveryState.QUEUED, DeliveryState.QUEUED, DeliveryState.QUARANTINED]
    assert states(engine) == {DeliveryState.QUARANTINED: 1}


# ── sweep ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_crash_before_the_offer_loses_nothing(engine: Engine) -> None:
    published(engine, 2)
    claimed(engine)

    assert swept(engine, NOW + 14 * MINUTE) == claims.Swept(0, 0, 0, 0, 0)
    assert swept(engine, NOW + clock.LEASE).requeued == 2
    assert states(engine) == {DeliveryState.QUEUED: 2}


def test_a_crash_after_the_offer_is_sent_again_once_and_no_more(engine: Engine) -> None:
    published(engine, 1)
    now = NOW
    for found in (claims.Swept(0, 0, 1, 0, 0), claims.Swept(0, 1, 0, 0, 0)):
        offered(engine, claimed(engine, now), now)
        now += clock.LEASE
        assert swept(engine, now) == found

    assert states(engine) == {DeliveryState.UNKNOWN: 1}
    assert swept(engine, now + clock.LEASE) == claims.Swept(0, 0, 0, 0, 0)


def test_a_crash_after_the_offer_stays_unknown_for_who_would_rather_have_a_gap(engine: Engine) -> None:
    published(engine, 1)
    offered(engine, claimed(engine))

    assert swept(engine, NOW + clock.LEASE, HOLD).unknown == 1
    assert swept(engine, NOW + clock.LEASE + MINUTE, HOLD) == claims.Swept(0, 0, 0, 0, 0)
    assert states(engine) == {DeliveryState.UNKNOWN: 1}


def test_an_unconfirmed_message_is_sent_again_by_the_next_sweep(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    offered(engine, held)
    settled(engine, held, Unconfirmed("closed"))

    assert swept(engine, NOW + MINUTE).resent == 1
    assert claimed(engine, NOW + MINUTE)[0].attempt == 2


def test_a_delivery_that_is_never_heard_of_again_is_quarantined(engine: Engine) -> None:
    published(engine, 1)
    now = NOW
    for _ in range(claims.MOST_CLAIMS):
        claimed(engine, now)
        now += clock.LEASE
        found = swept(engine, now)

    assert found.quarantined == 1
    assert states(engine) == {DeliveryState.QUARANTINED: 1}


def test_tries_that_were_heard_of_are_not_poison(engine: Engine) -> None:
    published(engine, 1)
    now = NOW
    for _ in range(claims.MOST_CLAIMS - 1):
        settled(engine, claimed(engine, now), NotSent(Phase.RCPT, "closed"), now)
        now += timedelta(hours=1)
    claimed(engine, now)

    assert swept(engine, now + clock.LEASE).requeued == 1


def test_what_is_still_queued_when_its_edition_is_old_expires(engine: Engine) -> None:
    published(engine, 2)
    assert swept(engine, NOW + LATE - MINUTE).expired == 0
    assert swept(engine, NOW + LATE).expired == 2
    assert states(engine) == {DeliveryState.EXPIRED: 2}


def test_an_unknown_message_of_an_old_edition_is_not_sent_again(engine: Engine) -> None:
    published(engine, 1)
    offered(engine, claimed(engine))

    assert swept(engine, NOW + LATE) == claims.Swept(0, 1, 0, 0, 0)
    assert states(engine) == {DeliveryState.UNKNOWN: 1}


def test_what_a_dead_sender_had_not_begun_costs_no_try_and_no_place(engine: Engine) -> None:
    """It takes its claim in order: two senders had two each in hand, and then a claim is new."""
    published(engine, 5)
    now, held = NOW, claimed(engine)
    for _ in range(2):
        now += clock.LEASE
        with engines.write(engine) as connection:
            claims.sweep(connection, now, UnknownPolicy.HOLD, LATE, 2)
        held = claimed(engine, now)

    assert states(engine) == {DeliveryState.CLAIMED: 5}
    assert sorted(delivery.attempt for delivery in held) == [1, 2, 2, 2, 2]


def test_what_a_dead_sender_had_fetched_beforehand_costs_no_try_either(engine: Engine) -> None:
    """Its claims count as one: it had two in hand, and began none of its second claim."""
    published(engine, 6)
    first, second = (claimed(engine, limit=3, token=claims.lease_token("s" * 24, number)) for number in range(2))
    now = NOW + clock.LEASE
    with engines.write(engine) as connection:
        claims.sweep(connection, now, UnknownPolicy.HOLD, LATE, 2)

    attempts = {delivery.id: delivery.attempt for delivery in claimed(engine, now)}
    assert [attempts[delivery.id] for delivery in (*first, *second)] == [2, 2, 1, 1, 1, 1]


def test_what_was_once_offered_is_never_taken_for_poison(engine: Engine) -> None:
    published(engine, 1)
    held = claimed(engine)
    offered(engine, held)
    now = NOW + clock.LEASE
    swept(engine, now)
    for _ in range(3):
        claimed(engine, now)
        now += clock.LEASE
        swept(engine, now)

    assert states(engine) == {DeliveryState.QUEUED: 1}


def test_the_subscription_of_a_message_is_found_by_its_id_also_where_postgresql_knows_no_numbers_yet(
    postgres_url: str,
) -> None:
    """It went through all subscriptions for each delivery: seventeen seconds of ten thousand readers, in one offer."""
    engine = engines.connect(postgres_url)
    published(engine, 300)
    held = claimed(engine, limit=50)
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, terms, *_: asked.append((statement, terms)))
    offered(engine, held[:10])
    with engines.write(engine) as connection:
        claims.settle(connection, [(one, Withdrawn("")) for one in held[:10]], NOW)
        looks = [one for one in asked if "FROM subscriptions" in one[0] and "jsonb_array_elements" in one[0]]
        plans = [connection.exec_driver_sql(f"EXPLAIN {look}", terms).scalars().all() for look, terms in looks]
    engine.dispose()

    assert len(plans) == 2
    for plan in map("\n".join, plans):
        assert "Scan on subscriptions" not in plan.replace("Index Scan using pk_subscriptions on subscriptions", "")
