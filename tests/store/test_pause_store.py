"""A paused edition goes to nobody, whatever a sender holds; resumed, it goes to everybody whom it had not reached."""

from datetime import timedelta

from sqlalchemy import Engine

from digest.model import Accepted, DeliveryState, Withdrawn
from digest.store import deliveries, editions
from digest.store import engine as engines
from tests.delivery.audience import DAY, NOW, publish
from tests.delivery.runs import states
from tests.store.books import claimed, events, offered, published, settled, swept

MINUTE = timedelta(minutes=1)


def pause(engine: Engine, edition_id: int) -> bool:
    with engines.write(engine) as connection:
        return editions.pause(connection, edition_id, "A wrong figure.", NOW)


def resume(engine: Engine, edition_id: int) -> bool:
    with engines.write(engine) as connection:
        return editions.resume(connection, edition_id, NOW)


def test_nothing_of_a_paused_edition_is_claimed_or_counts_as_due(engine: Engine) -> None:
    edition = published(engine, 3)

    assert pause(engine, edition.id)
    assert claimed(engine) == []
    with engines.read(engine) as connection:
        assert (deliveries.due(connection, NOW), deliveries.waiting(connection)) == (0, 3)

    assert resume(engine, edition.id)
    assert len(claimed(engine)) == 3


def test_other_editions_go_on(engine: Engine) -> None:
    paused = published(engine, 2)
    with engines.write(engine) as connection:
        other = publish(connection, 2, NOW, DAY + timedelta(days=1))
    pause(engine, paused.id)

    assert {delivery.edition_id for delivery in claimed(engine)} == {other.id}


def test_what_a_sender_holds_is_not_offered_and_waits_untried(engine: Engine) -> None:
    edition = published(engine, 2)
    held = claimed(engine)
    pause(engine, edition.id)

    assert offered(engine, held) == set()
    assert settled(engine, held, Withdrawn("not let go"), NOW + MINUTE) == [DeliveryState.QUEUED] * 2
    resume(engine, edition.id)
    again = claimed(engine, NOW + MINUTE)
    assert [delivery.attempt for delivery in again] == [1, 1]
    assert offered(engine, again, NOW + MINUTE) == {delivery.id for delivery in again}


def test_what_was_offered_before_the_pause_may_still_be_settled(engine: Engine) -> None:
    edition = published(engine, 1)
    held = claimed(engine)
    offered(engine, held)
    pause(engine, edition.id)

    assert settled(engine, held, Accepted("Q1")) == [DeliveryState.SENT]


def test_a_pause_does_not_stop_the_clock(engine: Engine) -> None:
    edition = published(engine, 1)
    pause(engine, edition.id)
    swept(engine, NOW + timedelta(hours=12))

    assert states(engine) == {DeliveryState.EXPIRED: 1}
    assert events(engine)[-1] is DeliveryState.EXPIRED


def test_an_edition_is_paused_once_and_resumed_once(engine: Engine) -> None:
    edition = published(engine, 1)

    assert [pause(engine, edition.id), pause(engine, edition.id), pause(engine, edition.id + 1)] == [True, False, False]
    assert [resume(engine, edition.id), resume(engine, edition.id)] == [True, False]
