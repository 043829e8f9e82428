"""What it takes to freeze an edition for very many readers: a delivery for each, in one go.

    python -m bench.freeze [--readers 1000000] [--sqlite-only]

On SQLite in a file with `synchronous=FULL`, and on a PostgreSQL of its own with `fsync` on. Exits with 1 where it takes
longer than 15 s on SQLite or 30 s on PostgreSQL, or the audience equation does not hold.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, text

from bench.databases import postgresql, sqlite
from bench.measured import measured
from bench.readers import filled, published
from bench.render import MORNING, edition
from digest.store import deliveries
from digest.store import engine as engines

READERS = 1_000_000
MOST_SECONDS = {"sqlite": 15.0, "postgresql": 30.0}
STORIES = 12


def freeze(engine: Engine, readers: int) -> tuple[float, bool]:
    """Seconds that freezing takes, and whether everybody is accounted for."""
    filled(engine, readers, MORNING)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    stored = published(engine, edition(STORIES))
    began = time.perf_counter()
    with engines.write(engine) as connection:
        made = deliveries.freeze(connection, stored, MORNING)
    seconds = time.perf_counter() - began
    with engines.read(engine) as connection:
        audits = deliveries.audit(connection)
    return seconds, made == readers and all(audited.balanced for audited in audits)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    all_kept = True
    for place in (sqlite,) if options.sqlite_only else (sqlite, postgresql):
        with tempfile.TemporaryDirectory(prefix="digest-freeze-") as folder, place(Path(folder)) as engine:
            seconds, balanced = freeze(engine, options.readers)
        limit = MOST_SECONDS[place.__name__] * options.readers / READERS
        kept = balanced and seconds <= limit
        all_kept &= kept
        print(
            f"{place.__name__:12} {options.readers:,} readers: {seconds:6.1f} s, limit {limit:g} s "
            f"{'met' if kept else 'MISSED'}{'' if balanced else '; the books do not balance'}",
            flush=True,
        )
    print(f"most memory: {measured(lambda: None).peak_mb:.0f} MB")
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
