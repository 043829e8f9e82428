"""Our side of `bench/poll.py`, in a process of its own: `prepare` makes a home folder, `poll` does one round.

    python -m bench.poll_ours FOLDER prepare < addresses
    python -m bench.poll_ours FOLDER poll NOW

The round is the one that `digest poll --all` does.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from sqlalchemy import func, select

from bench.measured import measured
from digest import home as homefolder
from digest.config import Config
from digest.feeds.poll import poll
from digest.store import engine as engines
from digest.store import schema
from digest.store.tables import articles

HOME = """
[site]
postal_address = "1 Example Street"
[fetch]
allow_private = true
[[digest]]
slug = "economy"
title = "The Economic Digest"
"""


def prepare(folder: Path, urls: list[str]) -> None:
    """A home folder with these feeds, and its empty database."""
    (folder / "digest.toml").write_text(HOME, encoding="utf-8")
    (folder / "topics.toml").write_bytes(files("digest").joinpath("starter", "topics.toml").read_bytes())
    entries = (f'[[feed]]\nurl = "{url}"\npublisher = "Paper {number}"\n' for number, url in enumerate(urls))
    (folder / "feeds.toml").write_text("\n".join(entries), encoding="utf-8")
    engine = engines.connect(_config(folder).database_url)
    schema.migrate(engine)
    engine.dispose()


def one_round(folder: Path, now: datetime) -> None:
    """Poll every feed; print the cost, and how many articles there are then."""
    config = _config(folder)
    engine = engines.connect(config.database_url)
    cost = measured(lambda: asyncio.run(poll(config, engine, now, everything=True)))
    with engines.read(engine) as connection:
        total = connection.scalar(select(func.count()).select_from(articles))
    engine.dispose()
    print(json.dumps(asdict(cost) | {"total": total}))


def _config(folder: Path) -> Config:
    return homefolder.load(folder, {})


if __name__ == "__main__":
    home, verb, *rest = sys.argv[1:]
    if verb == "prepare":
        prepare(Path(home), sys.stdin.read().split())
    else:
        one_round(Path(home), datetime.fromisoformat(rest[0]))
