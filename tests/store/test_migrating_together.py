"""Several replicas that are upgraded at once run the migrations once, and an edition in flight goes on."""

import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from sqlalchemy import Engine

from digest.store import deliveries, schema
from digest.store import engine as engines
from tests.delivery.runs import published, sent
from tests.delivery.sink import Script, Session, Sink, nothing_special

REPLICAS, READERS, SENT_BEFORE = 4, 20, 5
ROOT = Path(schema.__file__).parents[2]
STARTING = """
import os, sys
from digest.store import engine as engines
from digest.store import schema

url, replicas = sys.argv[1], int(sys.argv[2])
schema.wanted()
start, go = os.pipe()
for _ in range(replicas):
    if not os.fork():
        os.close(go)
        engine = engines.connect(url)
        os.read(start, 1)
        before, after = schema.migrate(engine)
        schema.check(engine)
        os.write(1, f"{before} {after}\\n".encode())
        os._exit(0)
os.close(go)
sys.exit(sum(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(replicas)))
"""
"""Prints from which revision to which each of so many processes has brought the schema, all having started at one moment."""


def test_of_four_replicas_upgraded_at_once_one_migrates_and_an_edition_in_flight_goes_on(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    published(engine, READERS)
    sink = Sink(_closing_after(SENT_BEFORE))
    sent(engine, tmp_path, sink, connections=1)
    before = len(sink.accepted)
    assert 0 < before < READERS
    old, head = schema.revisions()[-2:]
    schema.migrate(engine, old)
    engine.dispose()

    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = (sys.executable, "-c", STARTING, database_url, str(REPLICAS))
    with Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=PIPE, text=True) as process:
        said, _ = process.communicate()
    sink.script = nothing_special
    sent(engine, tmp_path, sink)

    assert process.returncode == 0
    assert sorted(said.splitlines()) == sorted([f"{old} {head}", *[f"{head} {head}"] * (REPLICAS - 1)])
    assert sorted(sink.recipients) == sorted(f"r{number}@readers.example" for number in range(READERS))
    with engines.read(engine) as connection:
        (audit,) = deliveries.audit(connection)
    assert audit.balanced


def _closing_after(messages: int) -> Script:
    """A relay that takes so many messages, and no connection afterwards."""
    taken = 0

    def script(verb: str, _session: Session) -> str | None:
        nonlocal taken
        taken += verb == "DOT"
        return "421 4.3.2 closing" if taken >= messages and verb in {"MAIL", "GREETING"} else None

    return script
