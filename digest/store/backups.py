"""A database as one SQLite file, taken while the service runs, and such a file put in a database's place."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, insert, literal, select, update
from sqlalchemy.exc import DatabaseError

from digest.errors import BackupRefused, DatabaseUnreachable
from digest.model import DeliveryState, Doubt
from digest.store import engine as engines
from digest.store import safe_modes, schema
from digest.store.tables import deliveries, delivery_events
from digest.store.transfer import transfer

_UNFINISHED = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.OFFERED)


def copy(engine: Engine, file: Path) -> None:
    """Write all of one moment to a new SQLite file. Nobody who writes meanwhile has to wait.

    On SQLite the file has no traces of what was deleted, which a copy page by page would have. PostgreSQL's own tools are not
    used: they have to be installed in the server's version, and their dumps fit no other kind of database.

    Raises:
        SchemaOutdated: the database is not at this version's schema.
        DatabaseUnreachable: it does not answer, or the disk is full.
    """
    schema.check(engine)
    if engine.dialect.name == "sqlite":
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
        except DatabaseError as error:
            raise DatabaseUnreachable(str(file), str(error.orig)) from error
        return
    with _opened(file) as target:
        schema.migrate(target)
        transfer(engine, target, busy=True)


def put_back(file: Path, engine: Engine, sentence: str, now: datetime, *, force: bool) -> tuple[int, int]:
    """Fill a database with what a copy has, in safe mode; return its rows, and how many deliveries nobody can vouch for.

    What the copy calls unfinished may have been sent after it was taken, and becomes `unknown`: nothing sends it by itself.

    Args:
        file: as `copy` wrote it, at this or an earlier revision; it is changed.
        engine: the database, which may have no schema yet.
        sentence: why safe mode begins.
        now: what time it is.
        force: delete what the database has.

    Raises:
        BackupRefused: the copy is of a later version.
        TargetRefused: the database is not empty; it is as it was.
        DatabaseUnreachable: as `copy`.
    """
    with _opened(file) as staged:
        with engines.read(staged) as connection:
            revision = schema.found(connection)
        if revision not in schema.revisions():
            raise BackupRefused(
                f"it is of a later version (its schema is {revision}). Install that version and restore again"
            )
        schema.migrate(staged)
        doubted = _doubt_unfinished(staged, sentence, now)
        schema.migrate(engine)
        return transfer(staged, engine, force=force).total, doubted


def _doubt_unfinished(engine: Engine, sentence: str, now: datetime) -> int:
    doubted = deliveries.c.state.in_(_UNFINISHED)
    told = select(
        *(deliveries.c.id, literal(DeliveryState.UNKNOWN.value), literal(now, delivery_events.c.at.type)),
        *(deliveries.c.attempt, literal("A backup was restored.")),
    ).where(doubted)
    with engines.write(engine) as connection:
        connection.execute(
            insert(delivery_events).from_select(("delivery_id", "kind", "at", "attempt", "detail"), told)
        )
        values = {"state": DeliveryState.UNKNOWN, "lease_token": None, "lease_until": None, "changed_at": now}
        number = connection.execute(update(deliveries).where(doubted).values(values)).rowcount
        safe_modes.begin(connection, Doubt.LEDGER, sentence, now)
    return number


@contextmanager
def _opened(file: Path) -> Iterator[Engine]:
    engine = engines.connect(f"sqlite:///{file}")
    try:
        yield engine
    finally:
        engine.dispose()
