"""A published edition with readers, and a mail for it that needs no templates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from digest.config import Config, Fetch, Market, Ranking, Relay, Sending, Site, Web
from digest.delivery import message
from digest.delivery.message import CompiledMail
from digest.links import Links, address_key
from digest.model import Edition, Rendered, SubscriptionState, Window
from digest.store import deliveries
from digest.store.tables import editions, subscribers, subscriptions

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
DAY = date(2026, 2, 10)
LATE = timedelta(hours=12)
KEYS = ("a key for tests only",)
SITE = Site(
    title="Economic Digest",
    base_url="https://news.example",
    from_address="digest@news.example",
    contact="ed@news.example",
)
LINKS = Links(SITE.base_url, KEYS)
EDITION = Edition("economy", "The Economic Digest", DAY, Window(NOW - timedelta(hours=36), NOW), ())
RENDERED = Rendered(
    subject="Rates hold; oil falls",
    text="Rates hold\n\nYou get this as __ADDRESS__ since __SINCE__.\n__PREFERENCES__\n__UNSUBSCRIBE__\n",
    html='<p>Rates hold</p><p>__ADDRESS__, __SINCE__</p><a href="__UNSUBSCRIBE__">Leave</a> <a href="__PREFERENCES__">Set</a>',
)


def configured(home: Path, relay: Relay | None = None, **delivery: object) -> Config:
    return Config(
        home=home,
        site=SITE,
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=replace(Sending(), **delivery),  # type: ignore[arg-type]
        web=Web(),
        market=Market(),
        digests=(),
        topics=(),
        feeds=(),
        database_url="",
        relay=relay,
        keys=KEYS,
    )


def publish(connection: Connection, readers: int, at: datetime = NOW, day: date = DAY) -> Edition:
    """Freeze an edition for `r0@readers.example` and so on, who are subscribed unless they are already."""
    row = {
        "digest": EDITION.digest,
        "date": day,
        "state": "frozen",
        "reason": "",
        "title": EDITION.title,
        "window_start": EDITION.window.start,
        "window_end": at,
        "length": 12,
        "shared": 3,
        "quotes": [],
        "coverage": None,
        "topic_titles": {},
        "config_hash": "",
        "published_at": at,
    }
    edition_id = connection.scalars(insert(editions).values(**row).returning(editions.c.id)).one()
    if day == DAY:
        subscribe(connection, readers)
    window = Window(EDITION.window.start, at)
    edition = replace(EDITION, id=edition_id, date=day, window=window, published_at=at)
    deliveries.freeze(connection, edition, at)
    return edition


def subscribe(connection: Connection, readers: int) -> None:
    addresses = [f"r{number}@readers.example" for number in range(readers)]
    people = [
        {"id": number, "address": address, "address_key": address_key(address, KEYS), "consent": {}, "created_at": NOW}
        for number, address in enumerate(addresses, start=1)
    ]
    choices = [
        {
            "id": number,
            "subscriber_id": number,
            "digest": EDITION.digest,
            "state": SubscriptionState.ACTIVE,
            "topics": [],
            "since": NOW - timedelta(days=30),
            "version": 1,
        }
        for number in range(1, readers + 1)
    ]
    if people:
        connection.execute(insert(subscribers), people)
        connection.execute(insert(subscriptions), choices)


def prepare(edition_id: int, topics: tuple[str, ...], language: str = "") -> CompiledMail:
    return message.compile_edition(RENDERED, replace(EDITION, id=edition_id), SITE, LINKS)


def still(moment: datetime) -> Callable[[], datetime]:
    """A clock that does not move."""
    return lambda: moment
