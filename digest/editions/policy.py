"""What becomes of an edition: sent whole, sent short, held for an editor, or left out; and why, in a sentence. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from digest.editions import layout, wording
from digest.model import Approval, Coverage, Digest, Edition, EditionState, Override, OverrideKind, Policy

UNAPPROVED = "No editor has approved it yet, and only what is approved goes out."

_OF_EDITIONS = (OverrideKind.HOLD, OverrideKind.APPROVE, OverrideKind.SKIP)
_STATES = {
    Policy.SHORT: EditionState.FROZEN,
    Policy.HOLD: EditionState.HELD,
    Policy.SKIP: EditionState.SKIPPED,
}


def judged(edition: Edition, digest: Digest, overrides: Sequence[Override]) -> Edition:
    """The edition with its state and reason. One that is skipped has no items any more.

    An editor's last word on the date counts first, and where it takes one, there is no edition without. Then comes a broken day, on which too few of the feeds could be read to
    know what matters, and then a quiet one, on which too little happened. What an editor approves is sent, and still says
    what was wrong with the day. An edition without a story is skipped whatever anybody says: there is nothing to hold.
    """
    order = order_for(edition.date, overrides)
    broken, quiet = _broken(edition.coverage, digest), _quiet(edition, digest)
    if order and order.kind is OverrideKind.SKIP:
        state, reason = EditionState.SKIPPED, f"Skipped by {order.author}: {order.reason}"
    elif not edition.items:
        state, reason = EditionState.SKIPPED, edition.reason
    elif order and order.kind is OverrideKind.HOLD:
        state, reason = EditionState.HELD, f"Held by {order.author}: {order.reason}"
    elif order:
        state, reason = EditionState.FROZEN, broken or quiet
    elif digest.approval is Approval.ONLY_APPROVED:
        state, reason = EditionState.HELD, " ".join(filter(None, (UNAPPROVED, broken or quiet)))
    elif broken:
        state, reason = _STATES[digest.broken], broken
    elif quiet:
        state, reason = _STATES[digest.quiet], quiet
    else:
        state, reason = EditionState.FROZEN, ""
    items = () if state is EditionState.SKIPPED else edition.items
    return replace(edition, state=state, reason=reason, items=items)


def order_for(day: date, overrides: Sequence[Override]) -> Override | None:
    """The editors' last word on the edition of a date."""
    orders = [one for one in overrides if one.kind in _OF_EDITIONS and one.day == day]
    return max(orders, key=lambda order: (order.since, order.id), default=None)


def prospect(digest: Digest) -> str:
    """What becomes of an edition that is proposed, if nobody says anything."""
    at = f"at its press time, {digest.press:%H:%M} ({digest.zone})"
    if digest.approval is Approval.ONLY_APPROVED:
        return f"it goes out {at} only if an editor approves it"
    return f"it goes out {at} unless an editor holds it"


def advice(edition: Edition) -> str:
    """What an editor can do about an edition that is held."""
    named = f"--digest {edition.digest} --date {edition.date}"
    return f"`digest approve {named} --reason …` publishes it, `digest skip {named} --reason …` leaves it out."


def _broken(coverage: Coverage | None, digest: Digest) -> str:
    if coverage is None or coverage.failed <= digest.most_failed * coverage.feeds:
        return ""
    return (
        f"{coverage.failed} of {wording.counted(coverage.feeds, 'feed', 'feeds')} could not be read, "
        f"more than the {digest.most_failed:.0%} with which a day is still whole."
    )


def _quiet(edition: Edition, digest: Digest) -> str:
    stories, publishers = len(layout.shown(edition)), len({item.publisher for item in layout.shown(edition)})
    if stories >= digest.fewest and publishers >= digest.fewest_publishers:
        return ""
    return (
        f"{wording.QUIET_DAY}: {wording.counted(stories, 'story', 'stories')} led by "
        f"{wording.counted(publishers, 'publisher', 'publishers')}; a whole edition has at least "
        f"{digest.fewest} by {digest.fewest_publishers}."
    )
