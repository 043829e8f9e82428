"""What letters say: mails that are no edition, each to be rendered by the `Renderer`'s method of its name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from digest.model import Approval, Correction, Edition


@dataclass(frozen=True, slots=True)
class Managed:
    """A subscription of somebody who asked for the links to it."""

    title: str
    preferences_url: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that somebody must see to.

    `what` happened is the subject, in a few words; the explanation has a sentence or two; `steps` are what to do, the first
    one first; `details` are lines such as addresses or replies of a server.
    """

    what: str
    explanation: str
    steps: tuple[str, ...]
    since: datetime | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What editors are told about a finished edition: when it goes out, what they can do, and what there is to see to.

    The addresses lead to pages with a button. `changes` say what is new since it was last proposed.
    """

    goes_out_at: datetime
    approval: Approval
    approve_url: str
    hold_url: str
    desk_url: str
    findings: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corrected:
    """A story of an edition by its headline, and what was wrong in it."""

    title: str
    text: str


def corrected(edition: Edition, corrections: Iterable[Correction]) -> tuple[Corrected, ...]:
    """The corrections of an edition in its order of stories, the older first; those of no story of it are left out."""
    ordered = sorted(corrections, key=lambda correction: correction.at)
    return tuple(
        Corrected(item.title, correction.text)
        for item in edition.items
        for correction in ordered
        if correction.story_id == item.story_id
    )
