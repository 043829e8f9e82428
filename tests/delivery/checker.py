"""Judges the history of an edition: who was to get it, what the relay took, and what the books say at the end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from digest.model import DeliveryState
from digest.store import engine as engines
from digest.store.tables import deliveries, delivery_events, subscribers
from tests.delivery.audience import DAY, EDITION, SITE

LISTED = {
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,
    DeliveryState.SUPPRESSED,
    DeliveryState.EXPIRED,
    DeliveryState.QUARANTINED,
}
"""States that say by name who did not get the edition, or may not have."""


@dataclass(frozen=True)
class History:
    """By Message-ID: to whom each message was to go, how it stands in the books, and how often it was offered.

    `accepted` are the messages that the relay took, with their recipients, in order.
    """

    eligible: Mapping[str, str]
    states: Mapping[str, DeliveryState]
    offered: Mapping[str, int]
    accepted: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a history. Only `listed` and `in_doubt` are no faults.

    Args:
        lost: was not taken and is not listed; the books may even say that it was sent.
        copies: of what was taken more than once.
        phantom: was taken though nobody was to get it, or by another recipient.
        unannounced: was taken more often than the books had offered it.
        listed: did not arrive, and the books say so.
        in_doubt: is unknown.
    """

    lost: frozenset[str]
    copies: Mapping[str, int]
    phantom: tuple[tuple[str, str], ...]
    unannounced: frozenset[str]
    listed: frozenset[str]
    in_doubt: frozenset[str]

    @property
    def duplicates(self) -> int:
        """Copies beyond the first."""
        return sum(self.copies.values()) - len(self.copies)

    @property
    def most(self) -> int:
        """The most copies that anybody got."""
        return max(self.copies.values(), default=1)

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)}, duplicates {self.duplicates} (at most {self.most} copies), phantom {len(self.phantom)}, "
            f"unannounced {len(self.unannounced)}, listed {len(self.listed)}, in doubt {len(self.in_doubt)}"
        )


def judge(history: History) -> Verdict:
    """Compare who was to get a message, what was taken, and what the books say."""
    copies = Counter(name for name, _ in history.accepted)
    missing = set(history.eligible) - set(copies)
    listed = frozenset(name for name in missing if history.states.get(name) in LISTED)
    return Verdict(
        lost=frozenset(missing - listed),
        copies={name: number for name, number in copies.items() if number > 1},
        phantom=tuple(one for one in history.accepted if history.eligible.get(one[0]) != one[1]),
        unannounced=frozenset(name for name, number in copies.items() if number > history.offered.get(name, 0)),
        listed=listed,
        in_doubt=frozenset(name for name, state in history.states.items() if state is DeliveryState.UNKNOWN),
    )


def message_id(subscriber_id: int) -> str:
    """Written here once more, so that the checker does not believe what it checks."""
    return f"<{EDITION.digest}.{DAY.isoformat()}.{subscriber_id}@{SITE.from_address.partition('@')[2]}>"


def history(engine: Engine, accepted: Iterable[tuple[str, str]]) -> History:
    """The history of the only edition in the books. Whoever was suppressed from the first was never to get it."""
    row, event = deliveries.c, delivery_events.c
    offered = (
        select(event.delivery_id, func.count().label("times"))
        .where(event.kind == DeliveryState.OFFERED)
        .group_by(event.delivery_id)
        .subquery()
    )
    found = (
        select(row.subscriber_id, row.state, row.attempt, subscribers.c.address, offered.c.times)
        .join_from(deliveries, subscribers, subscribers.c.id == row.subscriber_id)
        .outerjoin(offered, offered.c.delivery_id == row.id)
    )
    with engines.read(engine) as connection:
        rows = connection.execute(found).all()
    return History(
        eligible={
            message_id(one.subscriber_id): one.address
            for one in rows
            if one.attempt or one.state != DeliveryState.SUPPRESSED
        },
        states={message_id(one.subscriber_id): DeliveryState(one.state) for one in rows},
        offered={message_id(one.subscriber_id): one.times or 0 for one in rows},
        accepted=tuple(accepted),
    )
