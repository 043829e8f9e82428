"""Publishers whose documents change between rounds, rounds of polls over them, and what is stored afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.feeds.poll import poll
from digest.feeds.reports import PollReport
from digest.model import Article, Feed, KnownFeed, Memory, Window
from digest.store import articles, feeds
from digest.store.engine import read
from tests.feeds.servers import Handler, Server, serving

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
EVER = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)


def configured(*urls: str, ecb_url: str = "", **fetching: Any) -> Config:
    return Config(
        home=Path(),
        site=Site(contact="desk@digest.example"),
        fetch=Fetch(**{"allow_private": True, "total_seconds": 10, **fetching}),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(ecb_url=ecb_url),
        digests=(),
        topics=(),
        feeds=tuple(Feed(url, f"Publisher of {url.rpartition('/')[2]}") for url in urls),
        database_url="",
    )


class Press:
    """Publishers' documents by path, to be changed between rounds, with honest validators."""

    def __init__(self, **pages: bytes | Handler) -> None:
        self.pages = pages

    def __call__(self, request: web.Request) -> web.StreamResponse | Awaitable[web.StreamResponse]:
        page = self.pages[request.path.strip("/")]
        if not isinstance(page, bytes):
            return page(request)
        etag = f'"{hash(page)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=page, content_type="application/rss+xml", headers={"ETag": etag})


def rounds(
    engine: Engine,
    press: Press,
    *steps: Callable[[Config], Awaitable[Any] | None],
    config: Callable[[Server], Config] | None = None,
) -> tuple[list[Any], Server]:
    """Steps one after another against one server: rounds of polls, or what happens between them."""

    async def go() -> tuple[list[Any], Server]:
        async with serving(press) as server:
            made = config(server) if config else configured(*(server.url(f"/{name}") for name in press.pages))
            results: list[Any] = []
            for step in steps:
                outcome = step(made)
                if outcome is not None:
                    results.append(await outcome)
            return results, server

    return asyncio.run(go())


def at(engine: Engine, hours: float, **options: Any) -> Callable[[Config], Awaitable[PollReport]]:
    return lambda config: poll(config, engine, NOW + hours * HOUR, **options)


def stored(engine: Engine) -> list[Article]:
    with read(engine) as conn:
        return articles.between(conn, EVER)


def memory(engine: Engine, name: str) -> Memory:
    with read(engine) as conn:
        return next(known.memory for known in feeds.configured(conn) if known.feed.url.endswith(f"/{name}"))


def known(engine: Engine, url: str) -> KnownFeed:
    with read(engine) as conn:
        found = feeds.by_url(conn, url)
    assert found
    return found


def status(code: int, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.Response(status=code, headers=named)
