"""What a reading for `/metrics` costs, with a million deliveries in the ledger.

    python -m bench.metrics [--deliveries 1000000] [--editions 10]

On SQLite and on a PostgreSQL of its own. Milliseconds are of the clock, the best of three, and of this process' computing, to which
PostgreSQL's own comes; the share is the most of a core's time that reading can take, however often somebody asks. Exits with 1
where a reading takes longer than 2 s.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from bench.databases import postgresql, sqlite
from bench.readers import filled, published
from bench.render import MORNING, edition
from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.metrics import KEPT_SECONDS, MOST_SHARE, Metrics
from digest.model import Digest
from digest.store import deliveries, schema
from digest.store import engine as engines

MOST_SECONDS = 2.0


def ledger(engine: Engine, readers: int, numbers: int) -> str:
    """Editions for as many readers, all sent but the newest; the digest they are of."""
    filled(engine, readers, MORNING)
    for back in range(numbers):
        day = edition(3).date - timedelta(days=back)
        stored = published(engine, replace(edition(3), date=day))
        with engines.write(engine) as connection:
            deliveries.freeze(connection, stored, MORNING)
            if back:
                sent = text("UPDATE deliveries SET state = 'sent' WHERE edition_id = :id")
                connection.execute(sent, {"id": stored.id})
                told = text(
                    "INSERT INTO delivery_events (delivery_id, kind, at, attempt, detail) "
                    "SELECT id, 'sent', changed_at, 1, 'q1' FROM deliveries WHERE edition_id = :id"
                )
                connection.execute(told, {"id": stored.id})
    with engines.write(engine) as connection:
        connection.execute(text("ANALYZE"))
    return edition(3).digest


def reading(engine: Engine, digest: str) -> tuple[float, float]:
    """Seconds of the clock, and of computing."""
    config = Config(
        home=Path(),
        site=Site(),
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(),
        digests=(Digest(digest, "The Digest"),),
        topics=(),
        feeds=(),
        database_url="",
    )
    metrics = Metrics(lambda: config, engine, lambda: MORNING, kept=0.0)
    best = float("inf"), float("inf")
    for _ in range(3):
        began, computed = time.perf_counter(), time.process_time()
        page = b"".join(str(family).encode() for family in metrics.collect())
        best = min(best, (time.perf_counter() - began, time.process_time() - computed))
        assert b"edition_deliveries" in page
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--editions", type=int, default=10)
    options = parser.parse_args()
    kept = True
    for place in (sqlite, postgresql):
        with tempfile.TemporaryDirectory(prefix="digest-metrics-") as folder, place(Path(folder)) as engine:
            schema.migrate(engine)
            digest = ledger(engine, options.deliveries // options.editions, options.editions)
            seconds, computing = reading(engine, digest)
        kept &= seconds <= MOST_SECONDS
        share = seconds / (seconds + max(KEPT_SECONDS, seconds / MOST_SHARE))
        print(
            f"{place.__name__:12} {options.deliveries:,} deliveries of {options.editions} editions: "
            f"{1000 * seconds:,.0f} ms, {1000 * computing:,.0f} ms computing, at most {share:.1%} of a core",
            flush=True,
        )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
