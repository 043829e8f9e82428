"""A look at what stands at an address: fetched, read and cleaned as a poll would do it, and nothing stored."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.config import Config
from digest.feeds.cleaning.clean import clean_all
from digest.feeds.fetching.fetch import Fetcher, user_agent
from digest.feeds.habits import learned
from digest.feeds.outcomes import Fetched, FetchFailed, Parsed, ParseFailed
from digest.feeds.reading.sandbox import Parser
from digest.model import Feed, Habits


@dataclass(frozen=True, slots=True)
class Look:
    """What stands at `url`: a feed's document, or why there is none.

    `found_at` is where redirects led, `moved_to` where the server says that it is for good; `size` is in bytes, unpacked.
    `fresh_for` is how long the server wants us to stay away.
    """

    url: str
    document: Parsed | ParseFailed
    seconds: float
    status: int | None = None
    found_at: str = ""
    moved_to: str | None = None
    content_type: str = ""
    size: int = 0
    fresh_for: timedelta | None = None

    @property
    def failure(self) -> str | None:
        """Why there is no feed here, if there is none."""
        return self.document.reason if isinstance(self.document, ParseFailed) else None

    @property
    def address(self) -> str:
        """Under which address a feed that was found here is to be listed."""
        return self.moved_to or self.url


@dataclass(frozen=True, slots=True)
class Trial:
    """What a poll of a feed would bring: how many articles, why entries were dropped, and what it shows of itself."""

    feed: Feed
    look: Look
    articles: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)


async def look(url: str, fetcher: Fetcher, parser: Parser) -> Look:
    """Call on an address without conditions and read what it answers."""
    async with fetcher.turn(url):
        started = time.monotonic()
        answer = await fetcher.fetch(url)
        if isinstance(answer, FetchFailed):
            return Look(url, ParseFailed(answer.reason), time.monotonic() - started, answer.status)
        assert isinstance(answer, Fetched), "nobody who was asked without conditions can say that nothing has changed"
        document = await parser.parse(answer.body, answer.url, answer.content_type)
        return Look(
            url=url,
            document=document,
            seconds=time.monotonic() - started,
            status=answer.status,
            found_at=answer.url,
            moved_to=answer.moved_to,
            content_type=answer.content_type,
            size=len(answer.body),
            fresh_for=answer.fresh_for,
        )


async def try_out(
    config: Config, feeds: Sequence[Feed], now: datetime, progress: Callable[[Trial], None] | None = None
) -> tuple[Trial, ...]:
    """Look at feeds, several at a time, and clean what they hold as at their first poll; in the order given.

    `progress` is told of each as it ends.
    """
    async with Fetcher(config.fetch, user_agent(config.site)) as fetcher, Parser(config.fetch.most_entries) as parser:

        async def tried(feed: Feed) -> Trial:
            trial = _tried(feed, await look(feed.url, fetcher, parser), now)
            if progress:
                progress(trial)
            return trial

        return tuple(await asyncio.gather(*(tried(feed) for feed in feeds)))


def _tried(feed: Feed, seen: Look, now: datetime) -> Trial:
    if isinstance(seen.document, ParseFailed):
        return Trial(feed, seen)
    habits = learned(Habits(), seen.document, feed, now)
    cleaned = clean_all(seen.document, feed, habits, now)
    return Trial(feed, seen, len(cleaned.articles), cleaned.dropped, habits)
