"""One real day, end to end: poll, rank, publish, deliver to many, with the time of each step.

    python bench/day.py [--feeds FOLDER] [--day 2026-02-10] [--subscribers 1000] [--database-url URL]

FOLDER holds the day's feed documents as `<day>-<name>.xml`; they are served over HTTP on loopback, and the mail goes to
an SMTP server on loopback that counts it. Exits with 1 unless every subscriber has exactly one message.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from digest import home as homefolder
from digest.config import Config
from digest.delivery.deliver import deliver
from digest.demo.servers import LOOPBACK, feed_server, smtp_server
from digest.editions import compose
from digest.editions.publish import publish
from digest.feeds.poll import poll
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import schema
from digest.subscribers import consent

FEEDS = Path(__file__).resolve().parents[2] / "shared" / "feeds" / "week-2026-02-09"
CHOICES: tuple[tuple[str, ...], ...] = ((), ("energy", "commodities"), ("central-banks", "inflation"), ("trade",))


class Counting:
    """Counts messages by recipient."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.update(envelope.rcpt_tos)
        return "250 2.0.0 counted"


def home(folder: Path, documents: dict[str, bytes], address: str, smtp_port: int, database_url: str) -> Config:
    """A home folder whose feeds are the served documents."""
    feeds = "".join(
        f'[[feed]]\nurl = "{address}/{name}"\npublisher = "{name.split("-", 3)[-1].removesuffix(".xml")}"\n\n'
        for name in documents
    )
    (folder / "feeds.toml").write_text(feeds, encoding="utf-8")
    (folder / "topics.toml").write_bytes(files("digest").joinpath("starter", "topics.toml").read_bytes())
    (folder / "digest.toml").write_text(
        '[site]\npostal_address = "1 Example Street"\n[fetch]\nallow_private = true\n[delivery]\nconnections = 8\n'
        '[[digest]]\nslug = "economy"\ntitle = "The Economic Digest"\n',
        encoding="utf-8",
    )
    environment = {
        "DIGEST_SECRET_KEY": "a-secret-key-for-this-bench",
        "DIGEST_SMTP_URL": f"smtp://{LOOPBACK}:{smtp_port}",
        "DIGEST_DATABASE_URL": database_url,
    }
    return homefolder.load(folder, environment)


@contextmanager
def step(name: str, steps: dict[str, float]) -> Iterator[None]:
    """Time a step."""
    started = time.perf_counter()
    yield
    steps[name] = time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=Path, default=FEEDS)
    parser.add_argument("--day", default="2026-02-10")
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--database-url", default=os.environ.get("DIGEST_DATABASE_URL", ""))
    options = parser.parse_args()
    documents = {path.name: path.read_bytes() for path in sorted(options.feeds.glob(f"{options.day}-*.xml"))}
    if not documents:
        print(f"No {options.day}-*.xml in {options.feeds}.", file=sys.stderr)
        return 2
    now = datetime.fromisoformat(options.day).replace(tzinfo=UTC) + timedelta(hours=23)
    counting = Counting()
    steps: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        feed_server(documents) as address,
        smtp_server(counting) as port,
    ):
        folder = Path(name)
        database_url = options.database_url or f"sqlite:///{folder / 'digest.db'}"
        config = home(folder, documents, address, port, database_url)
        engine = engines.connect(database_url)
        schema.migrate(engine)
        digest = config.digests[0]
        with step("subscribe", steps):
            for number in range(options.subscribers):
                choice = CHOICES[number % len(CHOICES)]
                consent.subscribe(config, engine, f"reader{number}@reader.example", digest, choice, now, how="bench")
        with step("poll", steps):
            polled = asyncio.run(poll(config, engine, now))
        with step("poll again", steps):
            again = asyncio.run(poll(config, engine, now, everything=True))
        with step("rank and publish", steps):
            published = publish(config, engine, digest, now.date(), now, now)
        with step("deliver", steps):
            report = asyncio.run(deliver(config, engine, lambda: now))
        with engines.read(engine) as connection:
            balanced = all(audited.balanced for audited in ledger.audit(connection, published.edition.id))
        kind = engine.dialect.name
        engine.dispose()
    print(
        f"{kind}: {polled.articles_new} articles from {len(polled.outcomes)} feeds, {options.subscribers} subscribers"
    )
    for name, seconds in steps.items():
        print(f"  {name:18}{seconds:8.2f} s")
    print(f"  {'in all':18}{sum(steps.values()):8.2f} s")
    print(f"  second poll: {again.articles_new} new; sent {report.sent}; balanced: {balanced}")
    for item in compose.cut(published.edition, ()).items:
        print(f"  {item.place:2}. [{item.section}] {item.title} ({item.publisher}, +{len(item.also)}) {item.score:.1f}")
    once = len(counting.received) == options.subscribers and set(counting.received.values()) == {1}
    print("every subscriber has exactly one message" if once else f"WRONG: {len(counting.received)} got mail")
    return 0 if once and balanced and again.articles_new == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
