"""The schema's revision: bring it to head, or refuse to work with another."""

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from digest import resources
from digest.errors import SchemaOutdated
from digest.store import engine as engines

# Any number will do as long as every copy of the service uses the same one.
_MIGRATION_LOCK = 7_146_532


def wanted() -> str:
    """The revision that this code works with."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    assert head is not None
    return head


def revisions() -> tuple[str, ...]:
    """Every revision there is, the oldest first."""
    return tuple(reversed([script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()]))


def found(connection: Connection) -> str | None:
    """The database's revision; None where it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, revision: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to `revision` in one transaction; return the revisions before and after.

    Several processes may do so at once: the first one works, the others wait and find it done.
    """
    with engines.rebuild(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        before = found(connection)
        config = _alembic()
        config.attributes["connection"] = connection
        upward = revision == "head" or before is None
        (command.upgrade if upward else command.downgrade)(config, revision)
        return before, found(connection)


def check(engine: Engine) -> None:
    """Refuse a database that is not at this code's revision.

    Raises:
        SchemaOutdated: it is older, newer or empty; says what to run.
        DatabaseUnreachable: it does not answer.
    """
    with engines.read(engine) as connection:
        revision = found(connection)
    if revision != wanted():
        raise SchemaOutdated(revision, wanted())


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(resources.folder("migrations")).replace("%", "%%"))
    return config
