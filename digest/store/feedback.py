"""What readers thought of editions: the last word of each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from digest.store.tables import editions, feedback
from digest.store.upsert import insert_if_absent

USEFUL, NOT_USEFUL = "useful", "not_useful"
"""How answers are called that are only counted any more."""

_row = feedback.c


@dataclass(frozen=True, slots=True)
class Feedback:
    """How many readers found an edition useful, and how many did not."""

    useful: int = 0
    not_useful: int = 0

    @property
    def answers(self) -> int:
        """How many said anything."""
        return self.useful + self.not_useful


def keep(connection: Connection, edition_id: int, subscription_id: int, *, useful: bool, now: datetime) -> None:
    """Keep what a reader thinks of an edition, in place of what it thought before."""
    row = {"edition_id": edition_id, "subscription_id": subscription_id, "useful": useful, "at": now}
    if not insert_if_absent(connection, feedback, [row]):
        same = (_row.edition_id == edition_id) & (_row.subscription_id == subscription_id)
        connection.execute(update(feedback).where(same).values(useful=useful, at=now))


def counts(connection: Connection, edition_id: int) -> Feedback:
    """What an edition's readers thought of it, also those whose answers are no longer kept."""
    found = select(_row.useful, func.count()).where(_row.edition_id == edition_id).group_by(_row.useful)
    numbers = {bool(useful): int(number) for useful, number in connection.execute(found)}
    let_go = connection.scalar(select(editions.c.let_go).where(editions.c.id == edition_id)) or {}
    return Feedback(numbers.get(True, 0) + let_go.get(USEFUL, 0), numbers.get(False, 0) + let_go.get(NOT_USEFUL, 0))
