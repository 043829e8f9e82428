"""What stage an edition is said to be at follows from how it is stored and how its deliveries stand."""

from dataclasses import replace

import pytest

from digest.editions.stage import Stage, stage
from digest.model import DeliveryState, EditionState
from tests.editions import samples

EDITION = samples.edition()
Q, C, D, S, F, U, X = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.OFFERED,
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SUPPRESSED,
)


def test_an_edition_that_is_not_stored_is_being_built() -> None:
    assert stage(None, {}) is Stage.BUILDING


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (EditionState.PROPOSED, Stage.PROPOSED),
        (EditionState.HELD, Stage.HELD),
        (EditionState.SKIPPED, Stage.SKIPPED),
        (EditionState.MISSED, Stage.MISSED),
    ],
)
def test_an_edition_that_is_not_published_is_at_the_stage_of_its_state(state: EditionState, expected: Stage) -> None:
    assert stage(replace(EDITION, state=state), {}) is expected


def test_a_proposed_edition_that_an_editor_let_pass_is_approved() -> None:
    assert stage(replace(EDITION, state=EditionState.PROPOSED), {}, approved=True) is Stage.APPROVED


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({Q: 3, X: 1}, Stage.APPROVED),
        ({Q: 2, S: 1}, Stage.SENDING),
        ({C: 1, S: 2}, Stage.SENDING),
        ({D: 1, F: 2}, Stage.SENDING),
        ({S: 3, F: 1}, Stage.SENT),
        ({U: 1, F: 3}, Stage.SENT),
        ({F: 3, X: 1}, Stage.FAILED),
        ({X: 2}, Stage.SENT),
        ({}, Stage.SENT),
    ],
)
def test_a_published_edition_is_as_far_as_its_deliveries(counts: dict[DeliveryState, int], expected: Stage) -> None:
    assert stage(EDITION, counts) is expected
