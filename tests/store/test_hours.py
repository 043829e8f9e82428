"""An edition waits for the hour that a reader chose: nobody gets it earlier, twice or never, and lateness counts from then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, select, update

from digest import clock
from digest.config import UnknownPolicy
from digest.model import Cause, DeliveryState
from digest.store import claims, deliveries, moves, quotas, resend, steps, subscribers, suppressions
from digest.store import engine as engines
from digest.store.resend import Found
from digest.store.tables import deliveries as table
from tests.delivery.audience import EDITION, LATE, NOW, publish, subscribe
from tests.delivery.runs import states
from tests.store.books import change, claimed, offered

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
DUE = NOW + 6 * HOUR


def chosen(engine: Engine, *choices: tuple[int, str], at: datetime = NOW) -> None:
    """Publish an edition for readers of these hours and zones, and one without a choice."""
    with engines.write(engine) as connection:
        subscribe(connection, len(choices) + 1)
    for number, (hour, zone) in enumerate(choices, start=1):
        change(engine, number, hour=hour, zone=zone)
    with engines.write(engine) as connection:
        publish(connection, 0, at)


@pytest.mark.parametrize(
    ("zone", "hour", "press", "strikes"),
    [
        ("Europe/Berlin", 2, "2026-03-29T00:30", "2026-03-29T01:00"),  # skipped: the first minute after it
        ("Europe/Berlin", 2, "2026-10-24T23:30", "2026-10-25T00:00"),  # comes twice: at the first
        ("Europe/Berlin", 2, "2026-10-25T00:30", "2026-10-26T01:00"),  # and not again at the second
        ("America/New_York", 2, "2026-03-08T06:59", "2026-03-08T07:00"),
        ("Australia/Lord_Howe", 2, "2026-10-03T15:00", "2026-10-03T15:30"),  # half an hour is skipped
        ("America/Nuuk", 23, "2026-03-29T01:00", "2026-03-29T01:00"),  # skipped into the next date
        ("Pacific/Apia", 9, "2011-12-29T19:30", "2011-12-30T19:00"),  # a date that never was
        ("Asia/Kolkata", 7, "2026-02-10T01:30", "2026-02-10T01:30"),  # at press time itself
    ],
)
def test_an_hour_strikes_once_whatever_clocks_do(
    engine: Engine, zone: str, hour: int, press: str, strikes: str
) -> None:
    at, due = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (press, strikes))

    assert clock.strike(hour, zone, at) == due
    chosen(engine, (hour, zone), at=at)

    with engines.read(engine) as connection:
        kept = connection.execute(select(table.c.not_before, table.c.due_at).order_by(table.c.subscriber_id)).all()
        assert all(audit.balanced for audit in deliveries.audit(connection))
    assert [tuple(row) for row in kept] == [(due, due if due > at else None), (at, None)]


def test_nothing_is_claimed_before_its_hour(engine: Engine) -> None:
    chosen(engine, (12, "UTC"), (13, "Europe/Berlin"), (15, "UTC"))

    assert [one.subscription_id for one in claimed(engine)] == [4]
    assert claimed(engine, now=DUE - SECOND) == []
    with engines.write(engine) as connection:
        assert steps.bring_back(connection, NOW) == 0
    assert {one.subscription_id for one in claimed(engine, now=DUE)} == {1, 2}


def test_lateness_counts_from_the_hour(engine: Engine) -> None:
    chosen(engine, (12, "UTC"))
    last = DUE + LATE - SECOND
    with engines.write(engine) as connection:
        swept = claims.sweep(connection, last, UnknownPolicy.RESEND_ONCE, LATE)
        assert swept.expired == 1, "the one without a choice"
        assert [one.due_at for one in quotas.unbooked(connection, last, last, 9)] == [DUE]

    held = claimed(engine, now=last)
    assert offered(engine, held, last) == {held[0].id}


def test_what_is_not_sent_in_time_after_its_hour_expires(engine: Engine) -> None:
    chosen(engine, (12, "UTC"))
    with engines.write(engine) as connection:
        claims.sweep(connection, DUE + LATE, UnknownPolicy.RESEND_ONCE, LATE)
        assert [late for *_, late in deliveries.too_late(connection, DUE - SECOND)] == [1]

    assert states(engine) == {DeliveryState.EXPIRED: 2}


def test_an_edition_that_is_made_after_the_hour_comes_at_once(engine: Engine) -> None:
    """Lateness then counts from its publication, so that an outage costs nobody an edition."""
    chosen(engine, (7, "UTC"))
    with engines.write(engine) as connection:
        edition = publish(connection, 0, NOW, EDITION.date - timedelta(days=1))
        connection.execute(delete(table))
        assert deliveries.freeze(connection, edition, NOW + 2 * HOUR) == 2

    assert len(claimed(engine, now=NOW + 2 * HOUR)) == 2


@pytest.mark.parametrize("zone", ["", "Atlantis/Harbour", "../../etc/localtime"])
@pytest.mark.parametrize("others", [(), ((12, "UTC"),)])
def test_a_zone_that_the_machine_does_not_know_keeps_nobody_from_the_edition(
    engine: Engine, zone: str, others: tuple[tuple[int, str], ...]
) -> None:
    """It may have been known when it was chosen, or where a list came from. Such a reader has the mail at once."""
    chosen(engine, (12, zone), *others)

    with engines.read(engine) as connection:
        kept = connection.execute(select(table.c.not_before, table.c.due_at).order_by(table.c.subscriber_id)).all()
        assert all(audit.balanced for audit in deliveries.audit(connection))
    assert [tuple(row) for row in kept] == [(NOW, None), *((DUE, DUE) for _ in others), (NOW, None)]


def waits(engine: Engine, number: int, now: datetime) -> datetime | None:
    with engines.read(engine) as connection:
        reader = subscribers.subscription(connection, number)
        assert reader is not None
        return deliveries.waits_until(connection, reader, now)


def test_a_reader_is_told_when_the_mail_comes_that_waits_for_its_hour(engine: Engine) -> None:
    chosen(engine, (12, "UTC"), (13, "UTC"))

    assert [waits(engine, number, NOW) for number in (1, 2, 3)] == [DUE, DUE + HOUR, None]
    assert waits(engine, 1, DUE - SECOND) == DUE
    assert waits(engine, 1, DUE) is None, "then it is on its way"
    change(engine, 1, digest="markets")
    assert waits(engine, 1, NOW) is None, "it is no edition of that digest"


def test_of_two_mails_that_wait_the_first_to_come_is_told(engine: Engine) -> None:
    chosen(engine, (12, "UTC"))
    a_day = timedelta(days=1)
    with engines.write(engine) as connection:
        publish(connection, 0, DUE - HOUR, EDITION.date - a_day)
        publish(connection, 0, DUE + HOUR, EDITION.date + a_day)

    assert waits(engine, 1, NOW) == DUE
    assert waits(engine, 1, DUE) == DUE + a_day


@pytest.mark.parametrize("state", [DeliveryState.SUPPRESSED, DeliveryState.EXPIRED, DeliveryState.SENT])
def test_what_does_not_wait_any_more_is_not_told_of(engine: Engine, state: DeliveryState) -> None:
    chosen(engine, (12, "UTC"))
    with engines.write(engine) as connection:
        connection.execute(update(table).values(state=state))

    assert waits(engine, 1, NOW) is None


def test_what_waits_goes_to_the_address_that_its_reader_has_when_the_hour_strikes(engine: Engine) -> None:
    """It does so though its edition may be too old by then for who gets it at press time."""
    chosen(engine, (12, "UTC"), (12, "UTC"))
    with engines.write(engine) as connection:
        old_key = connection.scalars(select(table.c.address_key).where(table.c.subscriber_id == 1)).one()
        moves.relocate(connection, 1, "new@readers.example", "new key", {}, NOW + SECOND, NOW + HOUR)
        suppressions.suppress(connection, old_key, Cause.BOUNCED, "the old mailbox is gone", NOW + HOUR)
        kept = connection.execute(select(table.c.address_key, table.c.due_at).where(table.c.subscriber_id == 1)).one()
    assert tuple(kept) == ("new key", DUE)
    assert waits(engine, 1, NOW + HOUR) == DUE

    assert [one.subscription_id for one in claimed(engine, now=DUE - SECOND)] == [3]
    held = claimed(engine, now=DUE)
    assert {one.subscription_id: one.address for one in held} == {1: "new@readers.example", 2: "r1@readers.example"}
    assert offered(engine, held, DUE) == {one.id for one in held}
    with engines.write(engine) as connection:
        assert deliveries.freeze(connection, replace(EDITION, id=1, published_at=NOW), DUE) == 0, "nobody gets it twice"


def test_a_change_that_is_taken_back_before_the_hour_leaves_one_mail_to_the_old_address(engine: Engine) -> None:
    chosen(engine, (12, "UTC"))
    with engines.write(engine) as connection:
        old_key = connection.scalars(select(table.c.address_key).where(table.c.subscriber_id == 1)).one()
        for address, key in (("new@readers.example", "new key"), ("r0@readers.example", old_key)):
            moves.relocate(connection, 1, address, key, {}, NOW + SECOND, NOW + HOUR)

    assert [one.address for one in claimed(engine, now=DUE) if one.subscription_id == 1] == ["r0@readers.example"]


def test_who_leaves_before_the_hour_gets_nothing(engine: Engine) -> None:
    chosen(engine, (12, "UTC"), (12, "UTC"))
    change(engine, 1, paused_until=EDITION.date + timedelta(days=3))

    held = claimed(engine, now=DUE)
    assert offered(engine, held, DUE) == {one.id for one in held if one.subscription_id != 1}


def test_what_failed_at_its_hour_is_sent_once_more_for_as_long_as_it_is_not_late(engine: Engine) -> None:
    """Its edition may be too old by then for who gets it at press time."""
    chosen(engine, (12, "UTC"))
    with engines.write(engine) as connection:
        connection.execute(update(table).values(state=DeliveryState.FAILED))
    last = DUE + LATE - SECOND
    for now, found in ((last, Found(1, 0, 1)), (last + SECOND, Found(0, 0, 2))):
        with engines.read(engine) as connection:
            assert resend.find(connection, 1, EDITION.date, DeliveryState.FAILED, now - LATE) == found

    with engines.write(engine) as connection:
        assert resend.again(connection, 1, EDITION.date, DeliveryState.FAILED, last - LATE, last) == 1
    held = claimed(engine, now=last)
    assert [one.subscription_id for one in held] == [1]
    assert offered(engine, held, last) == {held[0].id}
