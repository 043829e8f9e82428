"""A real week, one edition after the other, to be read as an editor would: what runs, what comes again, what is junk.

    python bench/week.py [--feeds FOLDER] [--keep HOME] [--top 12]

FOLDER holds the documents of several days as `<day>-<name>.xml`; each day's are served over HTTP on loopback, polled, and
an edition is published at eleven in the evening. Prints its headlines with their receipts' strongest lines; then every
edition is made again from its record, and a backtest with unchanged topics is run. Exits with 1 if an edition comes out
otherwise, or the backtest finds a difference. HOME keeps the home folder, for `digest explain` and the like.
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from bench.place import place
from digest import home as homefolder
from digest.config import Config
from digest.demo.servers import feed_server
from digest.editions import backtest, layout
from digest.editions.publish import publish
from digest.feeds.poll import poll
from digest.model import Item
from digest.store import editions as edition_store
from digest.store import engine as engines
from digest.store import schema

FEEDS = Path(__file__).resolve().parents[2] / "shared" / "feeds" / "week-2026-02-09"
PRESS = timedelta(hours=23)
PUBLISHERS = {
    "economist": "The Economist",
    "ft-home": "Financial Times",
    "nyt_econ": "The New York Times",
    "wsj_econ": "The Wall Street Journal",
    "wsj_world": "The Wall Street Journal",
    "world-pool": "world-pool",
}
REASONS = 3


def by_day(folder: Path) -> dict[date, dict[str, bytes]]:
    """The documents of each day by their name without it."""
    days: dict[date, dict[str, bytes]] = defaultdict(dict)
    for path in sorted(folder.glob("????-??-??-*.xml")):
        days[date.fromisoformat(path.name[:10])][path.name[11:]] = path.read_bytes()
    return dict(days)


def home(folder: Path, names: set[str], address: str) -> Config:
    """A home folder with the starter's topics whose feeds are the served documents."""
    blocks = (
        f'[[feed]]\nurl = "{address}/{name}"\npublisher = "{PUBLISHERS.get(stem := Path(name).stem, stem)}"\n'
        for name in sorted(names)
    )
    (folder / "feeds.toml").write_text("\n".join(blocks), encoding="utf-8")
    (folder / "topics.toml").write_bytes(files("digest").joinpath("starter", "topics.toml").read_bytes())
    (folder / "digest.toml").write_text(
        '[site]\npostal_address = "1 Example Street"\n[fetch]\nallow_private = true\n'
        '[[digest]]\nslug = "economy"\ntitle = "The Economic Digest"\nlanguages = ["en"]\npress = "23:00"\n',
        encoding="utf-8",
    )
    return homefolder.load(folder, {"DIGEST_SECRET_KEY": "a-secret-key-for-this-bench"})


def told(item: Item) -> str:
    """An item as an editor reads it."""
    strongest = sorted(item.receipt.factors, key=lambda factor: -abs(factor.points))[:REASONS]
    update = f"\n      UPDATE of {item.update.first}: {item.update.news}" if item.update else ""
    also = f"; also {', '.join(other.publisher for other in item.also)}" if item.also else ""
    reasons = "; ".join(f"{factor.name} {factor.points:+.1f}" for factor in strongest)
    return (
        f"  {item.place:2}. {item.score:5.1f} [{item.section}] {item.title} ({item.publisher}{also}){update}\n"
        f"      {reasons}"
    )


def live(config: Config, engine: Engine, day: date, top: int) -> None:
    """One day: poll, publish, print."""
    now = datetime.combine(day, datetime.min.time(), UTC) + PRESS
    polled = asyncio.run(poll(config, engine, now))
    started = time.perf_counter()
    edition = publish(config, engine, config.digests[0], day, now, now).edition
    print(
        f"\n{day:%A} {day}: {polled.articles_new} new articles; ranked and published in "
        f"{time.perf_counter() - started:.2f} s; {edition.state} {edition.reason}"
    )
    print(*(told(item) for item in layout.shown(edition)[:top]), sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=Path, default=FEEDS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--top", type=int, default=12)
    options = parser.parse_args()
    days = by_day(options.feeds)
    if not days:
        print(f"No <day>-<name>.xml in {options.feeds}.", file=sys.stderr)
        return 2
    served: dict[str, bytes] = {}
    with place(options.keep) as folder, feed_server(served) as address:
        config = home(folder, {name for documents in days.values() for name in documents}, address)
        engine = engines.connect(config.database_url)
        schema.migrate(engine)
        for day, documents in days.items():
            served.clear()
            served.update(documents)
            live(config, engine, day, options.top)
        with engines.read(engine) as connection:
            stored = edition_store.frozen(connection, "economy", min(days), max(days) + timedelta(days=1))
            same = [backtest.rebuild(connection, edition).same for edition in stored]
            started = time.perf_counter()
            pools = backtest.pools_since(connection, "economy", min(days))
            replayed = list(backtest.replay(pools, lambda rules: rules))
            seconds = time.perf_counter() - started
        engine.dispose()
    differences = sum(len(day.changes) for day in replayed)
    print(f"\nmade again from their records: {sum(same)} of {len(same)} the same, byte for byte")
    print(f"backtest with the same rules: {differences} differences over {len(replayed)} days in {seconds:.1f} s")
    return 0 if all(same) and not differences else 1


if __name__ == "__main__":
    sys.exit(main())
