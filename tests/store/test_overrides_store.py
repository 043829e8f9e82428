"""Overrides are kept as they were made, count in their time, and end once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.model import Override, OverrideKind
from digest.store import engine as engines
from digest.store import overrides
from tests.editions.samples import DAY, NOW

HOUR = timedelta(hours=1)
BOOST = Override(OverrideKind.BOOST, "economy", "ann", "it matters", NOW, NOW + 36 * HOUR, (12, 7), points=-5.0)
HOLD = Override(OverrideKind.HOLD, "economy", "ann", "we wait", NOW + HOUR, NOW + 48 * HOUR, day=DAY)


def kept(engine: Engine, *made: Override) -> list[Override]:
    with engines.write(engine) as connection:
        return [overrides.add(connection, one) for one in made]


def test_an_override_comes_back_as_it_was_made(engine: Engine) -> None:
    boost, hold = kept(engine, BOOST, HOLD)

    with engines.read(engine) as connection:
        assert overrides.made(connection, "economy") == [boost, hold]
        assert overrides.by_id(connection, boost.id) == boost
        assert overrides.by_id(connection, 99) is None
    assert replace(boost, id=0) == BOOST


def test_an_override_counts_from_its_beginning_and_before_its_end(engine: Engine) -> None:
    kept(engine, BOOST)

    with engines.read(engine) as connection:
        times = (NOW - HOUR, NOW, BOOST.until - HOUR, BOOST.until)
        assert [bool(overrides.in_force(connection, "economy", at)) for at in times] == [False, True, True, False]
        assert overrides.in_force(connection, "sport", NOW) == []


def test_one_that_is_ended_counts_no_longer_and_cannot_be_ended_again(engine: Engine) -> None:
    (boost,) = kept(engine, BOOST)

    with engines.write(engine) as connection:
        ended = overrides.end(connection, boost.id, NOW + HOUR)
        again = overrides.end(connection, boost.id, NOW + 2 * HOUR)

    assert ended == replace(boost, until=NOW + HOUR)
    assert ended is not None
    assert isinstance(ended.points, float)
    assert again is None
    with engines.read(engine) as connection:
        assert overrides.in_force(connection, "economy", NOW + HOUR) == []


@pytest.mark.parametrize(("hours", "count"), [(0, 1), (47, 1), (48, 0)])
def test_the_orders_for_a_date_are_those_that_have_not_ended_even_of_a_later_moment(
    engine: Engine, hours: int, count: int
) -> None:
    kept(engine, BOOST, HOLD, replace(HOLD, day=DAY + timedelta(days=1)))

    with engines.read(engine) as connection:
        assert len(overrides.orders(connection, "economy", DAY, NOW + hours * HOUR)) == count
