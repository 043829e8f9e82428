"""Editions that editors review are closed some time before press time, and what goes out is what was proposed."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.config import Config
from digest.editions import policy
from digest.editions.due import publish_due
from digest.editions.pool import edition_of, is_same, unpacked
from digest.editions.publish import Published, decide
from digest.model import Approval, Edition, EditionState, Override, OverrideKind, Policy
from digest.store import deliveries, editions, overrides, records
from digest.store import engine as engines
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, keep, settled_yesterday

REVIEWED = replace(DIGEST, review=60)
UNLESS_HELD = replace(CONFIG, digests=(REVIEWED,))
ONLY_APPROVED = replace(CONFIG, digests=(replace(REVIEWED, approval=Approval.ONLY_APPROVED),))
A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)
CUT_OFF = PRESS - AN_HOUR


def decided(engine: Engine, kind: OverrideKind, at: datetime, config: Config = UNLESS_HELD) -> Published | None:
    order = Override(kind, "economy", "ann", "we checked", at, PRESS + timedelta(days=2), day=DAY)
    return decide(config, engine, config.digests[0], order, at).published


def drop(engine: Engine, edition: Edition, at: datetime) -> Override:
    """Drop the first story of an edition."""
    dropped = Override(
        *(OverrideKind.DROP, "economy", "ann", "it was denied", at, PRESS + timedelta(days=2)),
        articles=edition.items[0].article_ids,
    )
    with engines.write(engine) as connection:
        return overrides.add(connection, dropped)


def titles(edition: Edition) -> list[str]:
    return [item.title for item in edition.items]


@pytest.fixture
def proposed(stocked: Engine) -> Engine:
    """A database in which today's edition was proposed an hour before press time."""
    settled_yesterday(stocked)
    (one,) = publish_due(UNLESS_HELD, stocked, CUT_OFF)
    assert (one.edition.state, one.queued) == (EditionState.PROPOSED, 0)
    return stocked


def stored(engine: Engine) -> Edition:
    with engines.read(engine) as connection:
        found = editions.by_date(connection, "economy", DAY)
    assert found is not None
    return found


def test_nothing_is_proposed_before_the_cut_off_nor_where_nobody_reviews(stocked: Engine) -> None:
    settled_yesterday(stocked)

    assert publish_due(UNLESS_HELD, stocked, CUT_OFF - A_MINUTE) == []
    assert publish_due(CONFIG, stocked, PRESS - A_MINUTE) == []


def test_what_was_proposed_goes_out_at_press_time_though_more_has_come_in(proposed: Engine) -> None:
    before = titles(stored(proposed))
    with engines.write(proposed) as connection:
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(minutes=30))

    assert publish_due(UNLESS_HELD, proposed, PRESS - A_MINUTE) == []
    (published,) = publish_due(UNLESS_HELD, proposed, PRESS)

    assert (published.edition.state, published.queued) == (EditionState.FROZEN, 2)
    assert titles(published.edition) == before
    assert published.edition.published_at == PRESS
    with engines.read(proposed) as connection:
        assert sum(deliveries.counts(connection, published.edition.id).values()) == 2
        record = records.of(connection, published.edition.id)
    assert record is not None
    assert is_same(edition_of(unpacked(record.body, record.whose)), published.edition)


def test_what_came_too_late_for_a_closed_edition_is_in_the_next(proposed: Engine) -> None:
    late = "Crude jumps after a refinery fire in Rotterdam"
    with engines.write(proposed) as connection:
        keep(connection, (late,), PRESS - timedelta(minutes=30))
    publish_due(UNLESS_HELD, proposed, PRESS)

    (tomorrow,) = publish_due(UNLESS_HELD, proposed, CUT_OFF + timedelta(days=1))

    assert titles(tomorrow.edition) == [late]


def test_a_change_by_an_editor_is_proposed_anew_once_and_goes_out(proposed: Engine) -> None:
    first, *rest = titles(stored(proposed))
    dropped = drop(proposed, stored(proposed), CUT_OFF + A_MINUTE)

    (again,) = publish_due(UNLESS_HELD, proposed, CUT_OFF + 2 * A_MINUTE)

    assert (again.edition.state, titles(again.edition)) == (EditionState.PROPOSED, rest)
    assert publish_due(UNLESS_HELD, proposed, CUT_OFF + 3 * A_MINUTE) == []
    with engines.write(proposed) as connection:
        overrides.end(connection, dropped.id, CUT_OFF + 4 * A_MINUTE)
    (as_before,) = publish_due(UNLESS_HELD, proposed, CUT_OFF + 5 * A_MINUTE)
    assert titles(as_before.edition) == [first, *rest]
    (published,) = publish_due(UNLESS_HELD, proposed, PRESS)
    assert titles(published.edition) == [first, *rest]


def test_a_hold_takes_a_proposed_edition_off_at_once_and_lifting_it_proposes_it_again(proposed: Engine) -> None:
    held = decided(proposed, OverrideKind.HOLD, CUT_OFF + A_MINUTE)

    assert held is not None
    assert (held.edition.state, held.edition.reason) == (EditionState.HELD, "Held by ann: we checked")
    assert publish_due(UNLESS_HELD, proposed, CUT_OFF + 2 * A_MINUTE) == []
    with engines.write(proposed) as connection:
        (order,) = overrides.in_force(connection, "economy", CUT_OFF + 2 * A_MINUTE)
        overrides.end(connection, order.id, CUT_OFF + 3 * A_MINUTE)
    (again,) = publish_due(UNLESS_HELD, proposed, CUT_OFF + 4 * A_MINUTE)
    assert again.edition.state is EditionState.PROPOSED


def test_a_hold_outlasts_press_time(proposed: Engine) -> None:
    decided(proposed, OverrideKind.HOLD, CUT_OFF + A_MINUTE)

    assert publish_due(UNLESS_HELD, proposed, PRESS) == []
    assert stored(proposed).state is EditionState.HELD


def test_an_approval_before_press_time_waits_for_press_time(proposed: Engine) -> None:
    assert decided(proposed, OverrideKind.APPROVE, CUT_OFF + A_MINUTE) is None

    assert all(
        one.edition.state is EditionState.PROPOSED for one in publish_due(UNLESS_HELD, proposed, PRESS - A_MINUTE)
    )
    (published,) = publish_due(UNLESS_HELD, proposed, PRESS)
    assert published.edition.state is EditionState.FROZEN


def test_what_only_an_approval_lets_out_is_held_at_press_time_and_sent_once_approved(stocked: Engine) -> None:
    settled_yesterday(stocked)
    (first,) = publish_due(ONLY_APPROVED, stocked, CUT_OFF)
    assert first.edition.state is EditionState.PROPOSED

    (held,) = publish_due(ONLY_APPROVED, stocked, PRESS)
    assert (held.edition.state, held.edition.reason) == (EditionState.HELD, policy.UNAPPROVED)
    assert publish_due(ONLY_APPROVED, stocked, PRESS + A_MINUTE) == []

    approved = decided(stocked, OverrideKind.APPROVE, PRESS + AN_HOUR, ONLY_APPROVED)
    assert approved is not None
    assert (approved.edition.state, approved.edition.reason, approved.queued) == (EditionState.FROZEN, "", 2)
    assert titles(approved.edition) == titles(first.edition)


def test_what_was_approved_in_time_goes_out_at_press_time(stocked: Engine) -> None:
    settled_yesterday(stocked)
    publish_due(ONLY_APPROVED, stocked, CUT_OFF)
    decided(stocked, OverrideKind.APPROVE, CUT_OFF + A_MINUTE, ONLY_APPROVED)

    publish_due(ONLY_APPROVED, stocked, CUT_OFF + 2 * A_MINUTE)
    (published,) = publish_due(ONLY_APPROVED, stocked, PRESS)

    assert published.edition.state is EditionState.FROZEN


def test_a_skip_settles_a_proposed_edition_at_once(proposed: Engine) -> None:
    skipped = decided(proposed, OverrideKind.SKIP, CUT_OFF + A_MINUTE)

    assert skipped is not None
    assert (skipped.created, skipped.edition.state) == (True, EditionState.SKIPPED)
    assert publish_due(UNLESS_HELD, proposed, PRESS) == []


def test_a_quiet_day_is_held_at_the_cut_off_already_so_that_there_is_time_to_look(stocked: Engine) -> None:
    quiet = replace(UNLESS_HELD, digests=(replace(REVIEWED, fewest=9, quiet=Policy.HOLD),))
    settled_yesterday(stocked)

    (held,) = publish_due(quiet, stocked, CUT_OFF)

    assert held.edition.state is EditionState.HELD
    assert held.edition.reason.startswith("A quiet day")


def test_a_day_of_which_nothing_is_known_yet_is_not_proposed_and_stays_open(engine: Engine) -> None:
    assert publish_due(UNLESS_HELD, engine, CUT_OFF) == []
    with engines.read(engine) as connection:
        assert editions.by_date(connection, "economy", DAY) is None


def test_a_proposal_that_is_forgotten_becomes_a_missed_edition(proposed: Engine) -> None:
    found = publish_due(UNLESS_HELD, proposed, PRESS + timedelta(hours=13))

    assert [one.edition.state for one in found] == [EditionState.MISSED]
