"""What it takes to bring in a list of very many readers, a tenth of whose lines are bad.

    python -m bench.import [--rows 1000000] [--plain 3000] [--postgresql]

The list is as other services write it: seven in ten readers are at twenty providers, the others at fifty thousand domains. Its
bad lines are no addresses, cut short, of topics that there are not, unconfirmed, said to have left or been blocked,
repeated, of functions, suppressed here, or of readers who have left here. Beside it, the first good lines of the same list are inserted the plain way, one
by one, each with its own transaction, into an empty database; their rate stands for the whole.

Exits with 1 unless exactly the good readers are in, in less than 60 s a million, with less than 300 MB, and at least five
times as fast as the plain way.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, select

from bench.databases import postgresql, sqlite
from bench.measured import measured
from bench.render import MORNING
from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.links import address_key
from digest.model import Cause, Digest, SubscriptionState, Topic
from digest.store import engine as engines
from digest.store import schema, suppressions
from digest.store.tables import subscribers, subscriptions
from digest.subscribers import consent, preferences, transfer
from digest.subscribers.judge import Judge, Vouched

ROWS, PLAIN = 1_000_000, 3_000
MOST_SECONDS, MOST_MB, LEAST_GAIN = 60.0, 300.0, 5.0
SUPPRESSED, LEFT = "suppressed@readers.example", "left@readers.example"
BAD = (
    "no address {n},N,enabled,trade",
    "{a}",
    "{a},N,enabled,tarde",
    "{a},N,unconfirmed,trade",
    "{a},N,unsubscribed,trade",
    "{a},N,blocklisted,trade",
    "repeated@readers.example,N,enabled,trade",
    "postmaster@host{n}.example,N,enabled,trade",
    f"{SUPPRESSED},N,enabled,trade",
    f"{LEFT},N,enabled,trade",
)
REPEATED = BAD.index("repeated@readers.example,N,enabled,trade")


def address(number: int, chance: random.Random) -> str:
    host = f"mail{chance.randrange(20)}.example" if chance.random() < 0.7 else f"host{chance.randrange(50_000)}.example"
    return f"{(number * 2_654_435_761) % 2**32:08x}.{number}@{host}"


def people(rows: int) -> Iterator[tuple[int, str, str]]:
    """Lines by their numbers: the address of one that is good, or nothing; and the line."""
    chance = random.Random(1)
    for number in range(rows):
        one = address(number, chance)
        if number % 10:
            yield number, one, f"{one},Name {number},enabled,{'trade' if number % 3 else ''}"
        else:
            yield number, "", BAD[number // 10 % len(BAD)].format(a=one, n=number)


def written(folder: Path, rows: int) -> Path:
    file = folder / "readers.csv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write("email,name,status,topics\n")
        stream.writelines(f"{line}\n" for _, _, line in people(rows))
    return file


def config(folder: Path) -> Config:
    return Config(
        home=folder,
        site=Site(postal_address="1 Example Street"),
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(),
        digests=(Digest("economy", "The Economic Digest"),),
        topics=(Topic("trade", "Trade"),),
        feeds=(),
        database_url="",
        keys=("a key for measuring only",),
    )


def prepared(settings: Config, engine: Engine) -> None:
    """A database that knows of one who has left and of one who must not be mailed."""
    schema.migrate(engine)
    digest = settings.digests[0]
    left = consent.subscribe(settings, engine, LEFT, digest, (), MORNING, how="form").subscription
    preferences.leave(engine, left.id, MORNING)
    with engines.write(engine) as connection:
        key = address_key(SUPPRESSED, settings.signing_keys)
        suppressions.suppress(connection, key, Cause.COMPLAINED, "complained", MORNING)


def exact(engine: Engine, rows: int) -> bool:
    """Whether exactly the good readers are in: those of the list, and once the one whom it repeats."""
    reads = select(subscribers.c.address).join(subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)
    reads = reads.where(subscriptions.c.state == SubscriptionState.ACTIVE)
    missing = bytearray(int(bool(good)) for _, good, _ in people(rows))
    strangers = []
    with engines.read(engine) as connection:
        for found in connection.scalars(reads.execution_options(yield_per=10_000)):
            number = found.partition("@")[0].rpartition(".")[2]
            if number.isdecimal() and missing[int(number)]:
                missing[int(number)] = 0
            else:
                strangers.append(found)
    return not any(missing) and strangers in ([], ["repeated@readers.example"])


def plainly(settings: Config, engine: Engine, rows: int) -> None:
    """Subscribe one after the other."""
    good = (one for _, one, _ in people(sys.maxsize) if one)
    for one in islice(good, rows):
        consent.subscribe(settings, engine, one, settings.digests[0], ("trade",), MORNING, how="import")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--plain", type=int, default=PLAIN)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    place = postgresql if options.postgresql else sqlite
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="digest-import-") as name:
        folder = Path(name)
        settings, file = config(folder), written(folder, options.rows)
        judge = Judge(settings, settings.digests[0], Vouched("bench", file.name, "They agreed."), MORNING)
        for part in ("whole", "plain"):
            (folder / part).mkdir()
        with place(folder / "whole") as engine:
            prepared(settings, engine)
            cost = measured(
                lambda: counts.update(one.verdict.value for one in transfer.import_csv(engine, judge, file))
            )
            right = exact(engine, options.rows)
        with place(folder / "plain") as engine:
            schema.migrate(engine)
            plain = measured(lambda: plainly(settings, engine, options.plain))
    rate, plain_rate = options.rows / cost.wall, options.plain / plain.wall
    cpu_gain = (options.rows / cost.cpu) / (options.plain / plain.cpu)
    limit = MOST_SECONDS * options.rows / ROWS
    kept = right and cost.wall < limit and cost.peak_mb < MOST_MB and rate >= LEAST_GAIN * plain_rate
    print(f"{options.rows:,} rows: {', '.join(f'{number:,} {verdict}' for verdict, number in sorted(counts.items()))}")
    print(f"exactly the good ones are in: {'yes' if right else 'NO'}")
    print(
        f"whole list  {cost.wall:7.1f} s (limit {limit:g} s), {cost.cpu:.1f} s of computing, {cost.peak_mb:.0f} MB at most"
    )
    print(f"one by one  {plain.wall:7.1f} s, {plain.cpu:.1f} s of computing, for {options.plain:,} rows")
    print(f"gain        {rate / plain_rate:7.1f} times by the clock, {cpu_gain:.1f} times by computing")
    print("met" if kept else "MISSED")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
