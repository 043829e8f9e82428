"""What failed or is in doubt can be queued once more, and nothing else can."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.model import Accepted, DeliveryState, Edition, Phase, Refused, Unconfirmed
from digest.store import engine as engines
from digest.store import resend
from digest.store.resend import Found
from tests.delivery.audience import DAY, LATE, NOW
from tests.delivery.runs import leave, states
from tests.store.books import claimed, events, offered, published, settled, suppress

FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN
NO = Refused(Phase.RCPT, 550, "5.1.1 no such user", permanent=True)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def edition(engine: Engine) -> Edition:
    """An edition that was sent to r0, failed for r1 and r2, and is unknown for r3; r4 waits."""
    edition = published(engine, 5)
    held = sorted(claimed(engine), key=lambda one: one.subscriber_id)
    offered(engine, held[:4])
    settled(engine, held[:1], Accepted("Q1"))
    settled(engine, held[1:3], NO)
    settled(engine, held[3:4], Unconfirmed("it hung up"))
    return edition


def again(engine: Engine, edition: Edition, state: DeliveryState, address: str | None = None) -> int:
    with engines.write(engine) as connection:
        found = resend.find(connection, edition.id, DAY, state, LATER - LATE, address)
        queued = resend.again(connection, edition.id, DAY, state, LATER - LATE, LATER, address)
    assert found.wanted == queued
    return queued


def test_only_the_failed_are_queued_and_their_tries_begin_anew(engine: Engine, edition: Edition) -> None:
    assert again(engine, edition, FAILED) == 2
    assert events(engine, "r1@readers.example")[-2:] == [FAILED, DeliveryState.QUEUED]

    retried = claimed(engine, LATER)
    assert sorted((one.address, one.attempt) for one in retried) == [
        ("r1@readers.example", 1),
        ("r2@readers.example", 1),
    ]
    assert states(engine) == {DeliveryState.SENT: 1, UNKNOWN: 1, DeliveryState.CLAIMED: 3}


def test_only_the_unknown_are_queued(engine: Engine, edition: Edition) -> None:
    assert again(engine, edition, UNKNOWN) == 1
    assert [one.address for one in claimed(engine, LATER)] == ["r3@readers.example"]


def test_one_address_alone_is_queued_however_it_is_spelt(engine: Engine, edition: Edition) -> None:
    assert again(engine, edition, FAILED, "R2@readers.example") == 1
    assert [one.address for one in claimed(engine, LATER)] == ["r2@readers.example"]


def test_what_was_sent_is_never_queued_again(engine: Engine, edition: Edition) -> None:
    for state in (FAILED, UNKNOWN):
        assert again(engine, edition, state, "r0@readers.example") == 0
    assert again(engine, edition, FAILED) + again(engine, edition, UNKNOWN) == 3
    assert again(engine, edition, FAILED) + again(engine, edition, UNKNOWN) == 0
    assert DeliveryState.SENT in states(engine)
    with engines.read(engine) as connection:
        assert resend.state_of(connection, edition.id, "r0@readers.example") is DeliveryState.SENT
        assert resend.state_of(connection, edition.id, "nobody@readers.example") is None


def test_who_no_longer_takes_mail_is_left_out_and_counted(engine: Engine, edition: Edition) -> None:
    leave(engine, 2)
    suppress(engine, 4)

    with engines.read(engine) as connection:
        assert resend.find(connection, edition.id, DAY, FAILED, LATER - LATE) == Found(wanted=1, unwanted=1)
        assert resend.find(connection, edition.id, DAY, UNKNOWN, LATER - LATE) == Found(wanted=0, unwanted=1)
    assert again(engine, edition, FAILED) == 1
    assert again(engine, edition, UNKNOWN) == 0
