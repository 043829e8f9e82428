"""What becomes of an edition on a day that is not as others are, and the sentence that says why."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digest.editions.policy import judged
from digest.model import Coverage, Digest, Edition, EditionState, Override, OverrideKind, Policy
from tests.editions import samples
from tests.editions.samples import DAY, DIGEST, NOW, STORIES

FROZEN, HELD, SKIPPED = EditionState.FROZEN, EditionState.HELD, EditionState.SKIPPED
WELL = Coverage(feeds=10, failed=1, articles=500, publishers=9)
BROKEN = Coverage(feeds=10, failed=8, articles=40, publishers=2)


def edition(stories: int, coverage: Coverage = WELL) -> Edition:
    return replace(samples.edition(STORIES[:stories]), coverage=coverage)


def order(kind: OverrideKind, *, day: date = DAY, minutes: int = 0) -> Override:
    since = NOW + timedelta(minutes=minutes)
    return Override(kind, DIGEST.slug, "ana", "the jobs report is due", since, since + timedelta(days=1), day=day)


@pytest.mark.parametrize(
    ("stories", "coverage", "state", "reason"),
    [
        (12, WELL, FROZEN, ""),
        (2, WELL, FROZEN, "A quiet day: 2 stories led by 2 publishers; a whole edition has at least 3 by 2."),
        (0, WELL, SKIPPED, "No new story was read in the 36 hours before press time."),
        (12, BROKEN, HELD, "8 of 10 feeds could not be read, more than the 50% with which a day is still whole."),
    ],
)
def test_a_day_is_sent_whole_or_short_or_held_or_left_out(
    stories: int, coverage: Coverage, state: EditionState, reason: str
) -> None:
    found = judged(edition(stories, coverage), DIGEST, ())

    assert (found.state, found.reason) == (state, reason)
    assert len(found.items) == stories


@pytest.mark.parametrize(("policy", "state"), [(Policy.SHORT, FROZEN), (Policy.HOLD, HELD), (Policy.SKIP, SKIPPED)])
def test_the_digest_says_what_becomes_of_quiet_and_of_broken_days(policy: Policy, state: EditionState) -> None:
    digest = Digest("economy", "The Economic Digest", quiet=policy, broken=policy)

    quiet, broken = judged(edition(1), digest, ()), judged(edition(12, BROKEN), digest, ())

    assert (quiet.state, broken.state) == (state, state)
    assert quiet.reason.startswith("A quiet day")
    assert broken.reason.startswith("8 of 10 feeds")
    assert (quiet.items == ()) is (state is SKIPPED)


def test_stories_of_too_few_publishers_make_a_quiet_day_as_well() -> None:
    assert judged(edition(3), replace(DIGEST, fewest_publishers=4), ()).reason.startswith(
        "A quiet day: 3 stories led by 3 publishers"
    )


def test_half_the_feeds_down_is_still_a_day_and_one_more_is_not() -> None:
    half, more = Coverage(10, 5, 100, 5), Coverage(10, 6, 100, 5)

    assert judged(edition(12, half), DIGEST, ()).state is FROZEN
    assert judged(edition(12, more), DIGEST, ()).state is HELD


def test_an_editor_holds_or_skips_a_day_with_a_reason() -> None:
    held, skipped = (judged(edition(12), DIGEST, [order(kind)]) for kind in (OverrideKind.HOLD, OverrideKind.SKIP))

    assert (held.state, held.reason) == (HELD, "Held by ana: the jobs report is due")
    assert (skipped.state, skipped.reason) == (SKIPPED, "Skipped by ana: the jobs report is due")
    assert len(held.items) == 12
    assert skipped.items == ()


def test_what_an_editor_approves_is_sent_and_still_says_what_was_wrong_with_the_day() -> None:
    found = judged(edition(12, BROKEN), DIGEST, [order(OverrideKind.APPROVE)])

    assert found.state is FROZEN
    assert found.reason.startswith("8 of 10 feeds could not be read")


def test_of_several_orders_the_last_counts_and_those_for_other_dates_do_not() -> None:
    orders = [
        order(OverrideKind.SKIP, day=DAY + timedelta(days=1), minutes=9),
        order(OverrideKind.APPROVE, minutes=2),
        order(OverrideKind.HOLD, minutes=1),
    ]

    assert judged(edition(12), DIGEST, orders).state is FROZEN


def test_approval_makes_no_edition_out_of_nothing() -> None:
    assert judged(edition(0), DIGEST, [order(OverrideKind.APPROVE)]).state is SKIPPED
