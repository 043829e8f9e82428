"""A home folder with a day's articles in its database, on a day that stands still."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.model import Article, Feed
from digest.store import articles, feeds
from digest.store import engine as engines

NOW = datetime(2026, 2, 10, 5, 0, tzinfo=UTC)
"""A Tuesday, an hour before press time."""

TOLD = (
    ("Harbour Wire", "Central bank raises interest rates to 4.5%"),
    ("Exchange Post", "Central bank raises interest rates to 4.5%"),
    ("Harbour Wire", "Crude oil falls as Saudi Arabia lifts supply"),
    ("Meridian Review", "Unemployment in Canada holds steady at 6.7 percent"),
    ("Exchange Post", "City beat United in the cup final"),
)
"""Whose articles, with which titles; their ids count from 1. The first two are one story."""


def furnish(home: Path) -> None:
    """Give a home that `digest init` has made its feeds and its articles."""
    publishers = sorted({publisher for publisher, _ in TOLD})
    sources = {name: Feed(f"https://{_host(name)}/feed", name) for name in publishers}
    (home / "feeds.toml").write_text(
        "".join(f'[[feed]]\nurl = "{feed.url}"\npublisher = "{feed.publisher}"\n' for feed in sources.values()),
        encoding="utf-8",
    )
    configuration = (home / "digest.toml").read_text(encoding="utf-8")
    configuration = re.sub(r'ecb_url = ".*"', 'ecb_url = ""', configuration)
    (home / "digest.toml").write_text(configuration, encoding="utf-8")
    engine = engines.connect(f"sqlite:///{home / 'digest.db'}")
    with engines.write(engine) as connection:
        feeds.sync(connection, list(sources.values()), NOW)
        ids = {known.feed.publisher: known.id for known in feeds.configured(connection)}
        for number, (publisher, title) in enumerate(TOLD, start=1):
            moment = NOW - timedelta(hours=number)
            url = f"https://{_host(publisher)}/{number}"
            article = Article(url, url, title, "", publisher, moment, moment, sources[publisher], url)
            articles.add(connection, ids[publisher], [article])
    engine.dispose()


def _host(publisher: str) -> str:
    return f"{publisher.lower().replace(' ', '-')}.example.org"
