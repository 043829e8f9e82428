"""Addresses that must not be mailed, by their keyed hashes; every change with who made it and why.

They outlive the subscriber: whoever is erased and comes again is still suppressed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from digest.model import Cause, Suppression, SuppressionChange
from digest.store import happenings
from digest.store.tables import subscribers, suppression_changes, suppressions
from digest.store.upsert import absent_into, insert_if_absent

OURSELVES = "the service"
"""The author of what nobody did by hand."""

_row, _change = suppressions.c, suppression_changes.c


def suppress(
    connection: Connection, address_key: str, cause: Cause, reason: str, now: datetime, *, author: str = OURSELVES
) -> bool:
    """Never mail this address again; whether that is news.

    The first reason stands, unless its reader complains: only an operator may undo that.
    """
    news = _suppress(connection, address_key, cause, reason, now, author)
    if news:
        happenings.note_suppression(connection, address_key, cause, now, lifted=False)
    return news


def _suppress(connection: Connection, address_key: str, cause: Cause, reason: str, now: datetime, author: str) -> bool:
    row = {"address_key": address_key, "cause": cause, "reason": reason}
    news = insert_if_absent(connection, suppressions, [{**row, "since": now}]) > 0
    if not news and cause is Cause.COMPLAINED:
        milder = (_row.address_key == address_key) & (_row.cause != cause)
        news = connection.execute(update(suppressions).where(milder).values(row)).rowcount > 0
    if news:
        _note(connection, Suppression(address_key, reason, now, cause), now, lifted=False, author=author, reason=reason)
    return news


def suppress_all(
    connection: Connection, wanted: Mapping[str, tuple[Cause, str]], now: datetime, *, author: str
) -> None:
    """Do as `suppress` for many address keys, each with a cause and a reason; but others are not told of each."""
    standing = reasons(connection, wanted)
    for key, (cause, reason) in wanted.items():
        if key in standing and cause is Cause.COMPLAINED:
            _suppress(connection, key, cause, reason, now, author)
    news = [
        {"address_key": key, "cause": cause, "reason": reason}
        for key, (cause, reason) in sorted(wanted.items())
        if key not in standing
    ]
    if news:
        connection.execute(absent_into(connection, suppressions), [{**one, "since": now} for one in news])
        told = [{**one, "lifted": False, "author": author, "at": now} for one in news]
        connection.execute(suppression_changes.insert(), told)


def lift(connection: Connection, address_key: str, reason: str, now: datetime, *, author: str) -> Suppression | None:
    """Undo a suppression, and say for good that it was; the suppression, or None where there is none."""
    found = connection.execute(_found().where(_row.address_key == address_key)).one_or_none()
    if found is None:
        return None
    connection.execute(delete(suppressions).where(_row.address_key == address_key))
    _note(connection, _suppression(found), now, lifted=True, author=author, reason=reason)
    happenings.note_suppression(connection, address_key, Cause(found.cause), now, lifted=True)
    return _suppression(found)


def reasons(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Those of the address keys that must not be mailed, each with the reason."""
    found = select(_row.address_key, _row.reason).where(_row.address_key.in_(keys))
    return {row.address_key: row.reason for row in connection.execute(found)}


def by_key(connection: Connection, address_key: str) -> Suppression | None:
    """The suppression of one address."""
    row = connection.execute(_found().where(_row.address_key == address_key)).one_or_none()
    return None if row is None else _suppression(row)


def listing(connection: Connection, *, limit: int | None = None) -> list[Suppression]:
    """Every suppression, the newest first."""
    found = _found().order_by(_row.since.desc(), _row.address_key).limit(limit)
    return [_suppression(row) for row in connection.execute(found)]


def changes(connection: Connection, address_key: str) -> list[SuppressionChange]:
    """What was ever done about one address, oldest first."""
    found = select(suppression_changes).where(_change.address_key == address_key).order_by(_change.id)
    return [
        SuppressionChange(row.address_key, row.lifted, Cause(row.cause), row.reason, row.author, row.at)
        for row in connection.execute(found)
    ]


def lifted_at(connection: Connection, address_key: str) -> datetime | None:
    """When a suppression of the address was last undone."""
    undone = (_change.address_key == address_key) & _change.lifted
    moment: datetime | None = connection.scalar(select(func.max(_change.at)).where(undone))
    return moment


def _note(connection: Connection, about: Suppression, now: datetime, *, lifted: bool, author: str, reason: str) -> None:
    row = {"address_key": about.address_key, "lifted": lifted, "cause": about.cause, "reason": reason}
    connection.execute(suppression_changes.insert().values(**row, author=author, at=now))


def _found() -> Select[Any]:
    return select(suppressions, func.coalesce(subscribers.c.address, "").label("address")).outerjoin_from(
        suppressions, subscribers, subscribers.c.address_key == _row.address_key
    )


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(row.address_key, row.reason, row.since, Cause(row.cause), row.address)
