"""Safe mode, what came too late, and waits that a wrong clock set, on both databases."""

from datetime import timedelta

from sqlalchemy import Engine, select, update

from digest.config import UnknownPolicy
from digest.model import DeliveryState, Doubt
from digest.store import claims, deliveries, pulses, safe_modes, steps, tables
from digest.store import engine as engines
from digest.store.pulses import Part
from tests.conftest import NOW
from tests.delivery.audience import publish
from tests.editions.stock import TITLES, keep

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_safe_mode_lasts_until_it_is_ended_and_its_end_is_kept(engine: Engine) -> None:
    with engines.write(engine) as connection:
        assert safe_modes.lasting(connection) is None
        safe_modes.begin(connection, Doubt.CLOCK, "odd", NOW)
        safe_modes.begin(connection, Doubt.LEDGER, "odd as well", NOW + MINUTE)
        lasting = safe_modes.lasting(connection)
        assert lasting
        assert (lasting.doubt, lasting.sentence, lasting.since) == (Doubt.CLOCK, "odd", NOW)

        assert safe_modes.end(connection, NOW + HOUR, "set right")
        assert not safe_modes.end(connection, NOW + HOUR, "again")
        (ended,) = safe_modes.recent(connection, NOW)
        assert (ended.ended_at, ended.ended_because) == (NOW + HOUR, "set right")
        assert safe_modes.recent(connection, NOW + HOUR) == []


def test_the_last_sign_of_life_is_that_of_any_part(engine: Engine) -> None:
    with engines.write(engine) as connection:
        assert pulses.last_sign(connection) is None
        pulses.well(connection, Part.SEND, NOW)
        pulses.well(connection, Part.TICK, NOW - HOUR)
        assert pulses.last_sign(connection) == NOW
        pulses.forget_signs(connection)
        assert pulses.last_sign(connection) is None


def test_an_edition_is_being_sent_while_it_has_deliveries_to_go(engine: Engine) -> None:
    with engines.write(engine) as connection:
        publish(connection, 2, NOW)
        assert deliveries.sending(connection, NOW - HOUR, NOW)
        assert not deliveries.sending(connection, NOW, NOW + HOUR)
        assert not deliveries.sending(connection, NOW - HOUR, NOW - MINUTE)
        connection.execute(update(tables.deliveries).values(state=DeliveryState.SENT))
        assert not deliveries.sending(connection, NOW - HOUR, NOW)


def test_what_came_too_late_is_counted_by_edition(engine: Engine) -> None:
    with engines.write(engine) as connection:
        edition = publish(connection, 3, NOW)
        one = update(tables.deliveries).where(tables.deliveries.c.subscriber_id == 1)
        connection.execute(one.values(state=DeliveryState.SENT))
        assert deliveries.too_late(connection, NOW - HOUR) == []
        claims.sweep(connection, NOW + 13 * HOUR, UnknownPolicy.HOLD, 12 * HOUR, 16)

        title = "The Economic Digest of 2026-02-10"
        assert deliveries.too_late(connection, NOW - HOUR) == [(edition.id, title, 2)]
        assert deliveries.too_late(connection, NOW) == []


def test_only_waits_that_nothing_could_have_set_are_ended(engine: Engine) -> None:
    with engines.write(engine) as connection:
        publish(connection, 2, NOW)
        keep(connection, TITLES, NOW)
        connection.execute(update(tables.feeds).values(next_poll_at=NOW + 26 * HOUR))
        connection.execute(update(tables.deliveries).values(not_before=NOW + 67 * MINUTE))
        connection.execute(tables.letters.insert().values(key="a", taken_at=NOW))
        assert steps.bring_back(connection, NOW) == 0
        lease = {"state": DeliveryState.OFFERED, "lease_token": "t", "lease_until": NOW + 9 * HOUR}
        connection.execute(update(tables.deliveries).where(tables.deliveries.c.subscriber_id == 1).values(**lease))

        earlier = NOW - 12 * HOUR
        assert steps.bring_back(connection, earlier) == 3 + len(TITLES)
        assert set(connection.scalars(select(tables.feeds.c.next_poll_at))) == {earlier}
        rows = connection.execute(
            select(tables.deliveries.c.not_before, tables.deliveries.c.lease_until).order_by(
                tables.deliveries.c.subscriber_id
            )
        )
        assert [tuple(row) for row in rows] == [
            (NOW + 67 * MINUTE, earlier + 15 * MINUTE),
            (earlier, None),
        ]
        assert connection.execute(select(tables.letters)).all() == []
