"""Subscribers are kept alike on both databases, and what has ended stays ended until somebody agrees anew."""

import threading
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, func, select

from digest.clock import LEASE
from digest.model import Cause, DeliveryState, Phase, Refused, Subscription, SubscriptionState
from digest.store import claims, deliveries, subscribers, suppressions, tables
from digest.store import engine as engines
from tests.conftest import NOW
from tests.delivery.audience import publish

CONSENT = {"how": "operator"}


def add(
    connection: Connection, address: str = "ann@reader.example", digest: str = "economy", topics: tuple[str, ...] = ()
) -> Subscription:
    return subscribers.add(connection, address, f"key:{address.lower()}", digest, topics, CONSENT, NOW)


def test_a_new_address_is_subscribed_at_once(engine: Engine) -> None:
    with engines.write(engine) as connection:
        added = add(connection, topics=("trade", "energy"))

    assert added == Subscription(
        id=added.id,
        subscriber_id=added.subscriber_id,
        address="ann@reader.example",
        digest="economy",
        state=SubscriptionState.ACTIVE,
        topics=("energy", "trade"),
        since=NOW,
    )
    with engines.read(engine) as connection:
        assert subscribers.subscription(connection, added.id) == added


def test_adding_an_active_address_again_changes_nothing_whatever_its_case(engine: Engine) -> None:
    with engines.write(engine) as connection:
        first = add(connection, topics=("trade",))
        again = add(connection, "Ann@Reader.example", topics=("energy",))

    assert again == first


def test_an_address_is_found_again_after_the_key_was_changed(engine: Engine) -> None:
    with engines.write(engine) as connection:
        first = add(connection)
        again = subscribers.add(connection, first.address, "another key", "economy", (), CONSENT, NOW)

    assert again == first


def test_a_new_consent_revives_an_ended_subscription_and_retires_its_older_links(engine: Engine) -> None:
    later = NOW + timedelta(days=9)
    with engines.write(engine) as connection:
        first = add(connection, topics=("trade",))
        subscribers.set_choice(connection, replace(first, topics=("trade",), paused_until=date(2026, 3, 1)))
        subscribers.end(connection, first.id, NOW)
        consent = {"how": "form"}
        again = subscribers.add(connection, first.address, "key:ann@reader.example", "economy", (), consent, later)

        assert (again.id, again.version, again.since, again.topics) == (first.id, 2, later, ())
        assert (again.state, again.paused_until, again.ended_at) == (SubscriptionState.ACTIVE, None, None)
        assert connection.scalar(select(tables.subscribers.c.consent)) == consent


def test_an_end_counts_once_and_keeps_its_time(engine: Engine) -> None:
    with engines.write(engine) as connection:
        added = add(connection)

        assert subscribers.end(connection, added.id, NOW)
        assert not subscribers.end(connection, added.id, NOW + timedelta(days=1))
        ended = subscribers.subscription(connection, added.id)

    assert ended is not None
    assert (ended.state, ended.ended_at) == (SubscriptionState.ENDED, NOW)


def test_an_undo_gives_back_what_was_chosen(engine: Engine) -> None:
    with engines.write(engine) as connection:
        added = add(connection, topics=("trade",))

        assert not subscribers.resume(connection, added.id, NOW)
        subscribers.end(connection, added.id, NOW)
        assert subscribers.resume(connection, added.id, NOW)
        assert subscribers.subscription(connection, added.id) == added


def test_an_address_shows_all_its_subscriptions(engine: Engine) -> None:
    with engines.write(engine) as connection:
        economy, weekly = add(connection), add(connection, digest="weekly")
        other = add(connection, "bob@reader.example")

        assert economy.subscriber_id == weekly.subscriber_id != other.subscriber_id
        assert subscribers.by_address(connection, "ANN@reader.example") == [economy, weekly]
        assert subscribers.by_keys(connection, "weekly", ["key:ann@reader.example", "key:bob@reader.example"]) == {
            "key:ann@reader.example": weekly
        }
        assert subscribers.listing(connection) == [economy, weekly, other]
        assert subscribers.listing(connection, "economy") == [economy, other]


def test_the_choices_of_a_day_are_those_of_readers_who_get_its_edition(engine: Engine) -> None:
    today, tomorrow = date(2026, 2, 10), date(2026, 2, 11)
    with engines.write(engine) as connection:
        for number, topics in enumerate([(), ("trade", "energy"), ("energy", "trade"), ("jobs",), ("banking",)]):
            added = add(connection, f"{number}@reader.example", topics=topics)
        subscribers.end(connection, added.id, NOW)
        paused = subscribers.by_address(connection, "3@reader.example")[0]
        subscribers.set_choice(connection, replace(paused, paused_until=tomorrow))
        add(connection, "other@reader.example", digest="weekly", topics=("growth",))

        assert subscribers.choices(connection, "economy", today) == ((), ("energy", "trade"))
        assert subscribers.choices(connection, "economy", tomorrow) == ((), ("energy", "trade"), ("jobs",))


def test_erasing_leaves_nothing_of_a_subscriber_but_its_suppression(engine: Engine) -> None:
    with engines.write(engine) as connection:
        added = add(connection)
        suppressions.suppress(connection, "key:ann@reader.example", Cause.BOUNCED, "hard bounce", NOW)

        assert subscribers.remove(connection, "Ann@reader.example", NOW)
        assert not subscribers.remove(connection, "Ann@reader.example", NOW)
        assert subscribers.subscription(connection, added.id) is None
        for table in (tables.subscribers, tables.subscriptions):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
        assert suppressions.reasons(connection, ["key:ann@reader.example", "other"]) == {
            "key:ann@reader.example": "hard bounce"
        }


def test_a_suppression_keeps_its_first_reason(engine: Engine) -> None:
    with engines.write(engine) as connection:
        suppressions.suppress(connection, "key", Cause.COMPLAINED, "complaint", NOW)
        suppressions.suppress(connection, "key", Cause.BOUNCED, "hard bounce", NOW)

        assert suppressions.reasons(connection, ["key"]) == {"key": "complaint"}


def test_two_who_add_the_same_address_at_once_make_one_subscription(engine: Engine) -> None:
    found: list[Subscription] = []

    def subscribe() -> None:
        for number in range(20):
            with engines.write(engine) as connection:
                found.append(add(connection, f"{number}@reader.example"))

    threads = [threading.Thread(target=subscribe) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 60
    assert len({one.id for one in found}) == 20


def test_erasing_takes_along_what_relays_said_of_an_address(engine: Engine) -> None:
    with engines.write(engine) as connection:
        publish(connection, 2)
        held = claims.claim(connection, NOW, 2, "a" * 32, NOW + LEASE)
        refusals = [(one, Refused(Phase.RCPT, 550, f"5.1.1 <{one.address}>: unknown", permanent=True)) for one in held]
        claims.settle(connection, refusals, NOW)
        subscribers.remove(connection, "r0@readers.example", NOW)
        said = [
            *connection.scalars(select(tables.deliveries.c.last_reply)),
            *connection.scalars(select(tables.delivery_events.c.detail)),
        ]
        (audited,) = deliveries.audit(connection)

    assert [one for one in said if one and "r0@" in one] == []
    assert len([one for one in said if one and "r1@" in one]) == 2
    assert audited.balanced
    assert audited.counts[DeliveryState.FAILED] == 2


def test_nobody_inherits_the_number_and_so_the_links_of_an_erased_subscriber(engine: Engine) -> None:
    with engines.write(engine) as connection:
        ann = add(connection)
        subscribers.remove(connection, ann.address, NOW)
        bob = add(connection, "bob@reader.example")

    assert bob.id > ann.id
    assert bob.subscriber_id > ann.subscriber_id
