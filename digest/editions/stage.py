"""How far an edition has come on its way from the news to its readers. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from digest.model import DeliveryState, Edition, EditionState


class Stage(StrEnum):
    """Where the edition of a date stands, in an editor's words.

    `building`: nothing is closed yet. `approved`: an editor let it pass, or its time has come, and nothing has been sent. `failed`:
    it was to be sent, and nobody was.
    """

    BUILDING = "building"
    PROPOSED = "proposed"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    SKIPPED = "skipped"
    MISSED = "missed"
    FAILED = "failed"


_STORED = {
    EditionState.PROPOSED: Stage.PROPOSED,
    EditionState.HELD: Stage.HELD,
    EditionState.SKIPPED: Stage.SKIPPED,
    EditionState.MISSED: Stage.MISSED,
}
_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.OFFERED)
_ARRIVED = (DeliveryState.SENT, DeliveryState.UNKNOWN)


def stage(edition: Edition | None, counts: Mapping[DeliveryState, int], *, approved: bool = False) -> Stage:
    """The stage of an edition; None is one that is not stored.

    Args:
        edition: as it is stored.
        counts: how many of its deliveries stand in each state.
        approved: whether an editor's last word on it is to let it pass.
    """
    if edition is None:
        return Stage.BUILDING
    if edition.state is EditionState.FROZEN:
        return _on_its_way(counts)
    if edition.state is EditionState.PROPOSED and approved:
        return Stage.APPROVED
    return _STORED[edition.state]


def _on_its_way(counts: Mapping[DeliveryState, int]) -> Stage:
    readers = sum(counts.values()) - counts.get(DeliveryState.SUPPRESSED, 0)
    if readers and counts.get(DeliveryState.QUEUED, 0) == readers:
        return Stage.APPROVED
    if any(counts.get(state, 0) for state in _UNDER_WAY):
        return Stage.SENDING
    if readers and not any(counts.get(state, 0) for state in _ARRIVED):
        return Stage.FAILED
    return Stage.SENT
