"""What visitors asked for who gave an address, and how often: requests wait here for their answer, and are counted for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, func, select, update

from digest.model import Wish
from digest.store.tables import consent_texts, signup_requests
from digest.store.upsert import insert_if_absent

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)

_LOCK = 0x7369676E7570  # any number that nobody else locks
_row = signup_requests.c


@dataclass(frozen=True, slots=True)
class Request:
    """An address and what is asked for it.

    `address_key` and `network` are keyed hashes, `form` is a hash of the form; `evidence` says how it came to us.
    """

    wish: Wish
    address: str
    address_key: str
    form: str
    network: str
    digest: str
    topics: tuple[str, ...]
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that nobody has answered yet."""

    id: int
    asked_at: datetime
    request: Request


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many requests there were of late: by one network within the hour, and by everybody."""

    network: int
    hour: int
    day: int


def take_turns(connection: Connection) -> None:
    """Let nobody else count before this transaction ends. A write transaction of SQLite is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def traffic(connection: Connection, network: str, now: datetime) -> Traffic:
    """How busy it has been up to now."""
    recent = _row.asked_at > now - AN_HOUR

    def how_many(which: Any) -> Any:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0)

    counted = select(how_many(recent & (_row.network == network)), how_many(recent), func.count())
    return Traffic(*connection.execute(counted.where(_row.asked_at > now - A_DAY)).one())


def keep(connection: Connection, request: Request, now: datetime) -> bool:
    """Let a request wait for its answer; False where the same form has asked it already."""
    row = {
        "wish": request.wish,
        "address": request.address,
        "address_key": request.address_key,
        "form": request.form,
        "network": request.network,
        "digest": request.digest,
        "topics": sorted(request.topics),
        "evidence": dict(request.evidence),
        "asked_at": now,
    }
    return insert_if_absent(connection, signup_requests, [row]) > 0


def keep_words(connection: Connection, version: str, words: str, now: datetime) -> None:
    """Keep what readers agree to, under the version that the evidence names."""
    insert_if_absent(connection, consent_texts, [{"version": version, "words": words, "first_at": now}])


def words(connection: Connection, version: str) -> str | None:
    """What readers agreed to under a version."""
    found: str | None = connection.scalar(select(consent_texts.c.words).where(consent_texts.c.version == version))
    return found


def waiting(connection: Connection, most: int) -> list[Waiting]:
    """Requests without an answer, the oldest first."""
    found = select(signup_requests).where(_row.answered_at.is_(None)).order_by(_row.id).limit(most)
    return [
        Waiting(
            row.id,
            row.asked_at,
            Request(
                Wish(row.wish),
                row.address,
                row.address_key,
                row.form,
                row.network,
                row.digest,
                tuple(row.topics),
                row.evidence,
            ),
        )
        for row in connection.execute(found)
    ]


def mailed(connection: Connection, address_key: str, wish: Wish, since: datetime) -> list[datetime]:
    """When requests of one kind brought an address a letter, the oldest first."""
    theirs = (_row.address_key == address_key) & (_row.wish == wish) & _row.mailed
    found = select(_row.answered_at).where(theirs, _row.asked_at > since).order_by(_row.answered_at)
    return list(connection.scalars(found))


def answer(connection: Connection, request_id: int, now: datetime, *, by_mail: bool) -> bool:
    """Note that a request is answered, and forget its address; False where somebody else has done so."""
    mine = (_row.id == request_id) & _row.answered_at.is_(None)
    done = connection.execute(update(signup_requests).where(mine).values(address="", answered_at=now, mailed=by_mail))
    return done.rowcount > 0


def forgotten(connection: Connection, before: datetime) -> bool:
    """Whether there are requests from before a moment."""
    return connection.execute(select(_row.id).where(_row.asked_at < before).limit(1)).first() is not None


def forget(connection: Connection, before: datetime) -> int:
    """Drop the requests from before a moment; how many."""
    return connection.execute(delete(signup_requests).where(_row.asked_at < before)).rowcount
