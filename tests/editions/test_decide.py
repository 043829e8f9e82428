"""What editors decide about the edition of a date: to hold it, to approve it, to leave it out; before press time and after."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from digest.config import Config
from digest.editions import policy
from digest.editions import publish as publishing
from digest.editions.due import publish_due
from digest.editions.pool import Pool, composed_of, edition_of, is_same, unpacked
from digest.editions.publish import Published, as_it_stands, decide, publish
from digest.errors import EditionSettled
from digest.look import Template
from digest.model import Edition, EditionState, Override, OverrideKind, Policy, Ranked
from digest.store import deliveries, editions, overrides, records
from digest.store import engine as engines
from digest.store.tables import overrides as overrides_table
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, drafted, keep, settled_yesterday, states

QUIET = replace(DIGEST, fewest=9, quiet=Policy.HOLD)
QUIET_CONFIG = replace(CONFIG, digests=(QUIET,))
A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)


def order(kind: OverrideKind, since: datetime = PRESS - AN_HOUR, day: date = DAY) -> Override:
    return Override(kind, "economy", "ann", "we wait for the figures", since, PRESS + timedelta(days=2), day=day)


def decided(engine: Engine, kind: OverrideKind, at: datetime, config: Config = CONFIG) -> Published | None:
    return decide(config, engine, config.digests[0], order(kind, at), at).published


def stored(engine: Engine) -> Edition:
    with engines.read(engine) as connection:
        found = editions.by_date(connection, "economy", DAY)
    assert found is not None
    return found


@pytest.fixture
def waiting(stocked: Engine) -> Engine:
    """A database in which today's edition is held, since the day is a quiet one."""
    settled_yesterday(stocked)
    (published,) = publish_due(QUIET_CONFIG, stocked, PRESS)
    assert published.edition.state is EditionState.HELD
    return stocked


# ── before press time ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edition_that_an_editor_wants_held_is_held_at_press_time_and_told_once(stocked: Engine) -> None:
    settled_yesterday(stocked)
    assert decided(stocked, OverrideKind.HOLD, PRESS - AN_HOUR) is None

    (published,) = publish_due(CONFIG, stocked, PRESS)

    assert (published.edition.state, published.queued) == (EditionState.HELD, 0)
    assert published.edition.reason == "Held by ann: we wait for the figures"
    assert published.edition.items
    assert publish_due(CONFIG, stocked, PRESS + A_MINUTE) == []
    assert stored(stocked).id == published.edition.id


def test_an_edition_that_an_editor_wants_left_out_is_skipped_at_press_time_with_the_reason(stocked: Engine) -> None:
    settled_yesterday(stocked)
    assert decided(stocked, OverrideKind.SKIP, PRESS - AN_HOUR) is None

    (published,) = publish_due(CONFIG, stocked, PRESS)

    assert (published.edition.state, published.edition.items) == (EditionState.SKIPPED, ())
    assert published.edition.reason == "Skipped by ann: we wait for the figures"
    assert publish_due(CONFIG, stocked, PRESS + A_MINUTE) == []


def test_an_approval_before_press_time_lets_a_quiet_day_pass_at_press_time(stocked: Engine) -> None:
    settled_yesterday(stocked)
    assert decided(stocked, OverrideKind.APPROVE, PRESS - AN_HOUR, QUIET_CONFIG) is None

    (published,) = publish_due(QUIET_CONFIG, stocked, PRESS)

    assert (published.edition.state, published.queued) == (EditionState.FROZEN, 2)
    assert published.edition.reason.startswith("A quiet day")


def test_the_last_word_counts(stocked: Engine) -> None:
    settled_yesterday(stocked)
    for minutes, kind in enumerate((OverrideKind.HOLD, OverrideKind.SKIP, OverrideKind.APPROVE), start=1):
        decided(stocked, kind, PRESS - AN_HOUR + minutes * A_MINUTE)

    (published,) = publish_due(CONFIG, stocked, PRESS)

    assert published.edition.state is EditionState.FROZEN


@pytest.mark.parametrize("kind", [OverrideKind.HOLD, OverrideKind.APPROVE])
def test_without_a_story_there_is_nothing_to_hold_or_approve_and_the_date_stays_open(
    engine: Engine, kind: OverrideKind
) -> None:
    decided(engine, kind, PRESS - AN_HOUR)

    assert not publish(CONFIG, engine, DIGEST, DAY, PRESS, PRESS).edition.id
    with engines.write(engine) as connection:
        keep(connection, ("Crude falls as Saudi Arabia lifts supply",), PRESS - AN_HOUR)
    state = publish(CONFIG, engine, DIGEST, DAY, PRESS, PRESS + A_MINUTE).edition.state

    assert state is {OverrideKind.HOLD: EditionState.HELD, OverrideKind.APPROVE: EditionState.FROZEN}[kind]


def test_a_skip_settles_even_a_date_without_a_story(engine: Engine) -> None:
    decided(engine, OverrideKind.SKIP, PRESS - AN_HOUR)

    assert publish(CONFIG, engine, DIGEST, DAY, PRESS, PRESS).created
    assert states(engine) == {DAY: EditionState.SKIPPED}


def test_an_order_for_another_date_changes_nothing(stocked: Engine) -> None:
    tomorrow = order(OverrideKind.HOLD, day=DAY + timedelta(days=1))
    decide(CONFIG, stocked, DIGEST, tomorrow, PRESS - AN_HOUR)

    assert publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS).edition.state is EditionState.FROZEN


def test_a_hold_that_comes_while_the_edition_is_being_made_still_holds_it(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(pool: Pool, ranked: Sequence[Ranked]) -> Edition:
        decided(stocked, OverrideKind.HOLD, PRESS + timedelta(seconds=5))
        return composed_of(pool, ranked)

    monkeypatch.setattr(publishing, "composed_of", slowly)

    published = publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    assert (published.edition.state, published.queued) == (EditionState.HELD, 0)
    with engines.read(stocked) as connection:
        record = records.of(connection, published.edition.id)
    assert record is not None
    assert is_same(edition_of(unpacked(record.body, record.whose)), published.edition)


# ── an edition that is held ──────────────────────────────────────────────────────────────────────────────────────


def test_an_approval_publishes_a_held_edition_at_once_as_it_was_held(waiting: Engine) -> None:
    before = stored(waiting)
    with engines.write(waiting) as connection:
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(minutes=30))

    approved = decided(waiting, OverrideKind.APPROVE, PRESS + AN_HOUR, QUIET_CONFIG)

    assert approved is not None
    assert (approved.created, approved.queued) == (True, 2)
    assert [item.title for item in approved.edition.items] == [item.title for item in before.items]
    assert approved.edition.published_at == PRESS + AN_HOUR
    with engines.read(waiting) as connection:
        assert sum(deliveries.counts(connection, approved.edition.id).values()) == 2
    assert publish_due(QUIET_CONFIG, waiting, PRESS + AN_HOUR + A_MINUTE) == []


def test_an_approval_that_was_kept_before_a_crash_publishes_the_same_edition_at_the_next_tick(waiting: Engine) -> None:
    before = stored(waiting)
    with engines.write(waiting) as connection:
        overrides.add(connection, order(OverrideKind.APPROVE, PRESS + AN_HOUR))
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(minutes=30))

    (published,) = publish_due(QUIET_CONFIG, waiting, PRESS + AN_HOUR)

    assert published.edition.state is EditionState.FROZEN
    assert [item.title for item in published.edition.items] == [item.title for item in before.items]


def test_what_editors_did_to_the_stories_of_a_held_edition_counts_when_it_is_approved(waiting: Engine) -> None:
    (first, second, *rest) = drafted(waiting).items
    with engines.write(waiting) as connection:
        drop = Override(
            *(OverrideKind.DROP, "economy", "ann", "it was denied", PRESS, PRESS + timedelta(hours=36)),
            articles=first.article_ids,
        )
        overrides.add(connection, drop)
    with engines.read(waiting) as connection:
        shown = as_it_stands(connection, stored(waiting), PRESS + A_MINUTE)

    approved = decided(waiting, OverrideKind.APPROVE, PRESS + AN_HOUR, QUIET_CONFIG)

    assert approved is not None
    assert [item.title for item in approved.edition.items] == [item.title for item in (second, *rest)]
    assert (shown.state, shown.items) == (EditionState.HELD, approved.edition.items)


def test_a_held_edition_of_which_nothing_is_left_stays_held(waiting: Engine) -> None:
    with engines.write(waiting) as connection:
        for item in drafted(waiting).items:
            drop = Override(
                *(OverrideKind.DROP, "economy", "ann", "it was denied", PRESS, PRESS + timedelta(hours=36)),
                articles=item.article_ids,
            )
            overrides.add(connection, drop)

    approved = decided(waiting, OverrideKind.APPROVE, PRESS + AN_HOUR, QUIET_CONFIG)

    assert approved is not None
    assert (approved.created, approved.edition.items) == (False, ())
    assert stored(waiting).state is EditionState.HELD


def test_a_skip_settles_a_held_edition_at_once(waiting: Engine) -> None:
    skipped = decided(waiting, OverrideKind.SKIP, PRESS + AN_HOUR, QUIET_CONFIG)

    assert skipped is not None
    assert (skipped.created, skipped.queued) == (True, 0)
    assert (stored(waiting).state, stored(waiting).items) == (EditionState.SKIPPED, ())


def test_a_held_edition_is_released_when_the_day_is_no_longer_quiet_unless_an_editor_holds_it(waiting: Engine) -> None:
    decided(waiting, OverrideKind.HOLD, PRESS + A_MINUTE, QUIET_CONFIG)
    assert publish_due(CONFIG, waiting, PRESS + 2 * A_MINUTE) == []

    with engines.write(waiting) as connection:
        (kept,) = overrides.in_force(connection, "economy", PRESS + 2 * A_MINUTE)
        overrides.end(connection, kept.id, PRESS + 2 * A_MINUTE)
    (published,) = publish_due(CONFIG, waiting, PRESS + 2 * A_MINUTE)

    assert (published.edition.state, published.queued) == (EditionState.FROZEN, 2)


def test_a_held_edition_is_made_again_only_when_something_has_changed(
    waiting: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(pool: Pool, ranked: Sequence[Ranked]) -> Edition:
        made.append(pool.at)
        return composed_of(pool, ranked)

    monkeypatch.setattr(publishing, "composed_of", counted)

    assert publish_due(QUIET_CONFIG, waiting, PRESS + A_MINUTE) == []
    assert made == []
    with engines.write(waiting) as connection:
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(minutes=30))
    assert publish_due(QUIET_CONFIG, waiting, PRESS + 2 * A_MINUTE) == []
    assert made == [PRESS + 2 * A_MINUTE]


def test_an_edition_that_a_check_holds_is_released_once_what_was_wrong_is_mended(stocked: Engine) -> None:
    settled_yesterday(stocked)
    broken = {"email/edition/body.txt": Template(Path("body.txt"), "__MARK_LEFT__")}
    spoilt = replace(CONFIG, look=replace(CONFIG.look, templates=broken))

    (held_,) = publish_due(spoilt, stocked, PRESS)
    assert (held_.edition.state, held_.queued) == (EditionState.HELD, 0)
    assert publish_due(spoilt, stocked, PRESS + A_MINUTE) == []
    (published,) = publish_due(CONFIG, stocked, PRESS + 2 * A_MINUTE)

    assert (published.edition.state, published.queued) == (EditionState.FROZEN, 2)


def test_an_edition_that_nobody_approves_is_missed_once_it_is_too_late(waiting: Engine) -> None:
    assert publish_due(QUIET_CONFIG, waiting, PRESS + timedelta(hours=11)) == []

    (missed,) = publish_due(QUIET_CONFIG, waiting, PRESS + timedelta(hours=12))

    assert missed.edition.state is EditionState.MISSED
    assert missed.edition.reason.startswith("Nobody approved it in time. A quiet day")
    assert missed.edition.reason.endswith("by 2.")


def test_the_first_edition_of_all_is_missed_too_when_it_was_held_for_too_long(stocked: Engine) -> None:
    (first,) = publish_due(QUIET_CONFIG, stocked, PRESS)
    assert first.edition.state is EditionState.HELD

    (missed,) = publish_due(QUIET_CONFIG, stocked, PRESS + timedelta(hours=12))

    assert (missed.edition.date, missed.edition.state) == (DAY, EditionState.MISSED)
    assert publish_due(QUIET_CONFIG, stocked, PRESS + timedelta(hours=13)) == []


def test_a_held_edition_before_one_that_is_settled_is_not_forgotten(waiting: Engine) -> None:
    with engines.write(waiting) as connection:
        editions.insert(connection, replace(drafted(waiting), date=DAY + timedelta(days=1), items=()))

    found = publish_due(QUIET_CONFIG, waiting, PRESS + timedelta(days=1))

    assert [(one.edition.date, one.edition.state) for one in found] == [(DAY, EditionState.MISSED)]


# ── an edition that is settled ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [OverrideKind.HOLD, OverrideKind.APPROVE, OverrideKind.SKIP])
def test_nothing_can_be_decided_about_an_edition_that_is_published(stocked: Engine, kind: OverrideKind) -> None:
    publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    with pytest.raises(EditionSettled, match="of economy of 2026-02-10 is published already"):
        decided(stocked, kind, PRESS + AN_HOUR)

    with engines.read(stocked) as connection:
        assert connection.execute(select(overrides_table)).all() == []


def test_the_advice_names_the_edition_and_both_ways_out(waiting: Engine) -> None:
    advice = policy.advice(stored(waiting))

    assert "`digest approve --digest economy --date 2026-02-10" in advice
    assert "`digest skip --digest economy --date 2026-02-10" in advice
