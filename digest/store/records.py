"""Records: what editions were made of, so that they can be made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from digest.model import EditionState
from digest.store.tables import edition_records, editions


@dataclass(frozen=True, slots=True)
class Record:
    """The packed pool of an edition, and which release of the service made it."""

    edition_id: int
    day: date
    release: str
    body: bytes

    @property
    def whose(self) -> str:
        """Which edition it is of, for a sentence."""
        return f"the edition of {self.day}, which release {self.release} made,"


def keep(connection: Connection, edition_id: int, release: str, body: bytes) -> None:
    """Put away what an edition was made of, with the edition."""
    connection.execute(edition_records.insert().values(edition_id=edition_id, release=release, body=body))


def of(connection: Connection, edition_id: int) -> Record | None:
    """What an edition was made of; None where that was not kept."""
    wanted = (
        select(edition_records, editions.c.date)
        .join_from(edition_records, editions)
        .where(edition_records.c.edition_id == edition_id)
    )
    row = connection.execute(wanted).one_or_none()
    return None if row is None else Record(row.edition_id, row.date, row.release, row.body)


def since(connection: Connection, digest: str, day: date) -> Iterator[Record]:
    """What the editions of a digest from `day` on were made of, oldest first; of those that were decided upon.

    One is read at a time, since each holds a day's news.
    """
    settled = (EditionState.FROZEN, EditionState.SKIPPED)
    wanted = (
        select(editions.c.id)
        .where(editions.c.digest == digest, editions.c.date >= day, editions.c.state.in_(settled))
        .order_by(editions.c.date)
    )
    records = (of(connection, edition_id) for edition_id in connection.scalars(wanted).all())
    return (record for record in records if record is not None)
