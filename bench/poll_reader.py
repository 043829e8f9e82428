"""The other side of `bench/poll.py`: `reader` (https://github.com/lemon24/reader), in a process of its own.

    python -m bench.poll_reader FOLDER prepare < addresses
    python -m bench.poll_reader FOLDER poll

It keeps a schedule of its own, which is switched off: a second update within the hour would do nothing at all.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import reader  # type: ignore[import-not-found]

from bench.measured import measured

WORKERS = 16


def prepare(folder: Path, urls: list[str]) -> None:
    """A database with these feeds."""
    with _open(folder) as store:
        for url in urls:
            store.add_feed(url)


def one_round(folder: Path) -> None:
    """Update every feed; print the cost, and how many entries there are then."""
    with _open(folder) as store:
        cost = measured(lambda: store.update_feeds(workers=WORKERS, scheduled=False))
        total = store.get_entry_counts().total
    print(json.dumps(asdict(cost) | {"total": total}))


def _open(folder: Path) -> reader.Reader:
    return reader.make_reader(str(folder / "reader.db"))


if __name__ == "__main__":
    home, verb, *_ = sys.argv[1:]
    if verb == "prepare":
        prepare(Path(home), sys.stdin.read().split())
    else:
        one_round(Path(home))
