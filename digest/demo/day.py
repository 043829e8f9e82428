"""The demo's day: the same verbs as every other day, in a home folder of its own."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from digest import home as homefolder
from digest.config import Config
from digest.delivery.deliver import DeliveryReport, deliver
from digest.delivery.preview import write_preview
from digest.demo import samples, servers
from digest.editions.publish import publish
from digest.errors import UsageError
from digest.feeds.poll import poll
from digest.feeds.reports import PollReport
from digest.model import Edition
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import schema
from digest.subscribers import consent

MARKER = ".digest-demo"
SECRET = "demo-secret-key-for-this-machine-only"
READERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("everything@reader.example", ()),
    ("rates@reader.example", ("central-banks", "inflation", "currencies")),
    ("trade@reader.example", ("trade", "shipping", "energy", "commodities")),
)

DIGEST_TOML = """\
# Written by `digest demo`, anew at each run.
[site]
title = "The Economic Digest"
base_url = "https://news.demo.example"
from_address = "digest@demo.example"
contact = "editor@demo.example"
postal_address = "Demo Publisher, 1 Example Street, 12345 Example Town"

[fetch]
allow_private = true    # the sample feeds are served on loopback

[market]
ecb_url = "{feeds}/eurofxref-hist-90d.xml"

[[digest]]
slug = "economy"
title = "The Economic Digest"
zone = "UTC"
languages = ["en"]
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What came of it. `mails` are the received mails by address, `files` the edition's HTML, text and `.eml`."""

    config: Config
    polled: PollReport
    edition: Edition
    delivered: DeliveryReport
    balanced: bool
    mails: dict[str, list[Path]]
    files: list[Path]


def run(folder: Path, clock: Callable[[], datetime], say: Callable[[str], None]) -> Day:
    """Live through one day in `folder`, from empty feeds to mail in three inboxes.

    A folder that an earlier run made is used again from the start. `say` hears one sentence before each step.

    Raises:
        UsageError: the folder holds something else.
    """
    _prepare(folder)
    now = clock()
    documents = samples.feeds(now) | {"eurofxref-hist-90d.xml": samples.market(now)}
    inboxes = folder / "inbox"
    with servers.feed_server(documents) as address, servers.inbox_server(inboxes) as smtp_port:
        config = _configure(folder, address, smtp_port)
        engine = engines.connect(config.database_url)
        schema.migrate(engine)
        digest = config.digests[0]
        for reader, topics in READERS:
            consent.subscribe(config, engine, reader, digest, topics, now, how="demo")
        say(f"Reading {len(config.feeds)} sample feeds over HTTP from {address}")
        polled = asyncio.run(poll(config, engine, now))
        say(f"Ranking {polled.articles_new} articles and publishing the edition")
        published = publish(config, engine, digest, now.date(), now, now)
        say(f"Mailing {len(READERS)} readers by SMTP to {servers.LOOPBACK}:{smtp_port}")
        delivered = asyncio.run(deliver(config, engine, clock))
        with engines.read(engine) as connection:
            balanced = all(audited.balanced for audited in ledger.audit(connection, published.edition.id))
        engine.dispose()
    return Day(
        config=config,
        polled=polled,
        edition=published.edition,
        delivered=delivered,
        balanced=balanced,
        mails={reader: sorted((inboxes / reader).glob("*.eml")) for reader, _ in READERS},
        files=write_preview(config, published.edition, folder / "edition"),
    )


def _prepare(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise UsageError(f"{folder} is not empty and not a demo's; name another: `digest demo DIR`.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by `digest demo`; each run begins it anew.\n", encoding="utf-8")


def home_files(feeds: str) -> dict[str, str]:
    """The home folder's files by name, for sample feeds that are served below the address `feeds`."""
    sources = "\n".join(
        f'[[feed]]\nurl = "{feeds}/{source.file}"\npublisher = "{source.publisher}"\nweight = {source.weight}\n'
        f'language = "{source.language}"\ntopics = {list(source.topics)}\n'
        for source in samples.SOURCES
    )
    return {
        "digest.toml": DIGEST_TOML.format(feeds=feeds),
        "topics.toml": files("digest").joinpath("starter", "topics.toml").read_text(encoding="utf-8"),
        "feeds.toml": sources,
        "secret.key": f"{SECRET}\n",
    }


def _configure(folder: Path, feeds: str, smtp_port: int) -> Config:
    for name, text in home_files(feeds).items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = {"DIGEST_SECRET_KEY": SECRET, "DIGEST_SMTP_URL": f"smtp://{servers.LOOPBACK}:{smtp_port}"}
    return homefolder.load(folder, environment)
