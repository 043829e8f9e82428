"""A small digest with a day's articles, as the tests of publishing start from it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.editions.publish import draft
from digest.model import Article, Digest, Edition, EditionState, Feed, Term, Topic
from digest.store import articles, editions, feeds, subscribers
from digest.store import engine as engines
from digest.store.tables import editions as editions_table

DAY = date(2026, 2, 10)
PRESS = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
DIGEST = Digest("economy", "The Economic Digest", press=time(6, 0))
TOPICS = (
    Topic("energy", "Energy", terms=(Term("crude"), Term("gas pipeline"))),
    Topic("jobs", "Jobs", terms=(Term("unemployment"), Term("payrolls"))),
)
FEEDS = tuple(Feed(f"https://wire-{n}.example/feed", f"Wire {n}") for n in range(1, 5))
CONFIG = Config(
    home=Path(),
    site=Site(),
    fetch=Fetch(),
    ranking=Ranking(),
    delivery=Sending(late_hours=12.0),
    web=Web(),
    market=Market("https://bank.example/rates.xml", ("USD", "JPY")),
    digests=(DIGEST,),
    topics=TOPICS,
    feeds=FEEDS,
    database_url="sqlite://",
)
TITLES = (
    "Crude falls as Saudi Arabia lifts supply",
    "Unemployment in Canada holds steady at 6.7 percent",
    "Kazakhstan opens a gas pipeline to Uzbekistan",
    "Payrolls in Mexico shrink for a second month",
)


def keep(connection: Connection, titles: tuple[str, ...], published: datetime) -> None:
    """Store an article with each title, each from a feed of its own."""
    feeds.sync(connection, FEEDS, published)
    for number, (feed, title) in enumerate(zip(FEEDS, titles, strict=False)):
        known = feeds.by_url(connection, feed.url)
        assert known is not None
        moment = published - timedelta(minutes=number)
        article = Article(
            entry_id=f"{published:%m%d%H}-{number}",
            url=f"https://wire-{number}.example/{published:%m%d%H}",
            title=title,
            summary="",
            publisher=feed.publisher,
            published_at=moment,
            first_seen_at=moment,
            feed=feed,
            fingerprint=f"{published:%m%d%H}{number}",
        )
        articles.add(connection, known.id, [article])


def subscribe(connection: Connection, address: str, topics: tuple[str, ...] = ()) -> None:
    subscribers.add(connection, address, f"key of {address}", "economy", topics, {"how": "operator"}, PRESS)


def drafted(engine: Engine, config: Config = CONFIG) -> Edition:
    with engines.read(engine) as connection:
        return draft(config, connection, DIGEST, DAY, PRESS, PRESS)


def states(engine: Engine) -> dict[date, EditionState]:
    with engines.read(engine) as connection:
        rows = connection.execute(select(editions_table.c.date, editions_table.c.state).order_by(editions_table.c.date))
        return {row.date: EditionState(row.state) for row in rows}


def settled_yesterday(engine: Engine) -> None:
    """Yesterday's edition was made, so that today's is next."""
    with engines.write(engine) as connection:
        editions.insert(connection, replace(drafted(engine), date=DAY - timedelta(days=1), items=()))
