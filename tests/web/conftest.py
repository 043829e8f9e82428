"""The pages on a real port, and a client that sends exactly what it is told."""

import http.client
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import lxml.html
import pytest
import uvicorn
from sqlalchemy import Engine, select

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.links import Links, Purpose
from digest.model import (
    Digest,
    Edition,
    EditionState,
    Feed,
    Item,
    Receipt,
    Reference,
    Subscription,
    Topic,
    Window,
)
from digest.store import editions, subscribers, tables
from digest.store import engine as engines
from digest.subscribers.consent import subscribe
from digest.web import server
from digest.web.app import create_app
from tests.conftest import NOW

KEY = "a-key-for-these-tests-only"
HOSTILE = "<script>alert(1)</script> {{7*7}} \u202e \" ' __UNSUBSCRIBE__"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def page(self) -> Any:
        return lxml.html.document_fromstring(self.text)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.page.xpath("string(//main)")).strip()


@dataclass
class Service:
    """The running pages, and the hands of those who use them."""

    config: Config
    engine: Engine
    port: int
    now: datetime = NOW

    @property
    def links(self) -> Links:
        return Links(self.config.site.base_url, self.config.keys)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, **fields: str | list[str]) -> Answer:
        body = urlencode(fields, doseq=True).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def path(self, purpose: Purpose, subscription: Subscription) -> str:
        return f"/{purpose}/{self.links.token(purpose, subscription.id, subscription.version)}"

    def feedback(self, subscription: Subscription, word: str = "useful", edition: int = 1) -> str:
        link = self.links.feedback(edition, subscription.id, subscription.version)
        return f"{link.removeprefix(self.config.site.base_url)}/{word}"

    def reader(self, address: str = "ann@reader.example", topics: tuple[str, ...] = ()) -> Subscription:
        return subscribe(
            self.config, self.engine, address, self.config.digests[0], topics, self.now, how="test"
        ).subscription

    def form(self) -> str:
        """The mark of a form that was shown long enough ago for a person to have filled it in."""
        return self.links.form(self.now - timedelta(seconds=10))

    def subscription(self, address: str) -> Subscription:
        with engines.read(self.engine) as connection:
            return subscribers.by_address(connection, address)[0]

    def stored(self, subscription: Subscription) -> Subscription | None:
        with engines.read(self.engine) as connection:
            return subscribers.subscription(connection, subscription.id)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with engines.read(self.engine) as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in tables.metadata.sorted_tables
            }


ONE_DIGEST = (Digest("economy", "The Economic Digest", zone="Asia/Tokyo", topics=("growth", "trade", "energy")),)


def configuration(home: Path, digests: tuple[Digest, ...] = ONE_DIGEST) -> Config:
    return Config(
        home=home,
        site=Site(base_url="https://news.example", contact="editor@news.example", postal_address="1 Example Street"),
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(),
        digests=digests,
        topics=(
            Topic("growth", "Growth", 1.2, description="Output, activity and forecasts"),
            Topic("trade", "Trade", description=HOSTILE),
            Topic("energy", "Energy"),
            Topic("shipping", "Shipping", 0.8),
        ),
        feeds=(
            Feed("https://harbour.example/feed", "Harbour Wire"),
            Feed("https://ledger.example/a", "Continental Ledger"),
            Feed("https://ledger.example/b", "Continental Ledger"),
        ),
        database_url="",
        keys=(KEY,),
        languages=("en", "ar", "de"),
    )


def edition(day: date, digest: str = "economy", state: EditionState = EditionState.FROZEN) -> Edition:
    def item(place: int, title: str) -> Item:
        return Item(
            place=place,
            story_id=f"s{place}",
            section="trade",
            title=title,
            summary=f"What is known of it so far. {HOSTILE}",
            url=f"https://harbour.example/{place}",
            publisher="Harbour Wire",
            published_at=NOW - timedelta(hours=place),
            score=50.0,
            receipt=Receipt(()),
            topics={"trade": 0.9},
            also=(Reference("Continental Ledger", title, "javascript:alert(1)"),),
        )

    items = tuple(item(place, f"Headline {place} {HOSTILE}") for place in range(1, 6))
    frozen = state is EditionState.FROZEN
    return Edition(
        digest=digest,
        title="The Economic Digest",
        date=day,
        window=Window(NOW - timedelta(hours=36), NOW),
        items=items if frozen else (),
        topic_titles={"trade": "Trade"},
        state=state,
        reason="" if frozen else "nothing was read",
        published_at=NOW,
    )


@pytest.fixture(scope="session")
def listening(sqlite_template: Path) -> Iterator[tuple[uvicorn.Server, int]]:
    """A server as it runs, on a port of its own; which pages it answers with is each test's affair."""
    engine = engines.connect(f"sqlite:///{sqlite_template}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = server.build(lambda: configuration(sqlite_template.parent), engine, lambda: NOW)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        port = listener.getsockname()[1]
        Service(configuration(sqlite_template.parent), engine, port).get("/health/live")
        yield running, port
        running.should_exit = True
        thread.join()
    engine.dispose()


def serve(listening: tuple[uvicorn.Server, int], config: Config, engine: Engine) -> Service:
    running, port = listening
    service = Service(config, engine, port)
    running.config.loaded_app = create_app(lambda: config, engine, lambda: service.now)
    return service


@pytest.fixture
def service(listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine) -> Service:
    """The pages of one digest with three editions, and nobody subscribed."""
    with engines.write(sqlite_engine) as connection:
        for day in (date(2026, 2, 8), date(2026, 2, 10)):
            editions.insert(connection, edition(day))
        editions.insert(connection, edition(date(2026, 2, 9), state=EditionState.SKIPPED))
    return serve(listening, configuration(tmp_path, ONE_DIGEST), sqlite_engine)


@pytest.fixture
def two_digests(listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine) -> Service:
    """The pages of two digests, of which nothing has been published."""
    return serve(listening, configuration(tmp_path, (*ONE_DIGEST, Digest("weekly", "The Week"))), sqlite_engine)
