"""One fetcher's calls on the hostile server, and what came of them."""

import asyncio
import ssl
from collections.abc import Callable, Iterable

from aiohttp.abc import AbstractResolver

from digest.config import Fetch
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified
from digest.model import Validators
from tests.feeds.hostile import Hostile, hostile

Outcome = Fetched | NotModified | FetchFailed
NONE = Validators()
LOCAL = Fetch(allow_private=True, total_seconds=5)


def calls(
    urls: Callable[[Hostile], Iterable[str]],
    settings: Callable[[Hostile], Fetch],
    *,
    validators: Validators = NONE,
    names: AbstractResolver | None = None,
    context: ssl.SSLContext | None = None,
) -> tuple[list[Outcome], Hostile]:
    """What one fetcher makes of URLs, one after another."""

    async def go() -> tuple[list[Outcome], Hostile]:
        async with hostile(context) as server, Fetcher(settings(server), "test (contact)", names) as fetcher:
            return [await fetcher.fetch(url, validators) for url in urls(server)], server

    return asyncio.run(go())


def call(path: str, settings: Fetch = LOCAL, validators: Validators = NONE) -> Outcome:
    outcomes, _ = calls(lambda server: [server.url(path)], lambda _: settings, validators=validators)
    return outcomes[0]


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, FetchFailed), outcome
    return outcome.reason


def body(outcome: Outcome) -> bytes:
    assert isinstance(outcome, Fetched), outcome
    return outcome.body
