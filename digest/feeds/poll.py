"""One round over the feeds that are due: fetch, parse, clean, store.

Each feed is on its own: what it brought and what we remember of it are stored in one transaction, so that validators
never get ahead of articles, and whatever goes wrong with it stays its own failure.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import Connection, Engine

from digest import clock
from digest.config import Config
from digest.errors import UnknownFeed
from digest.feeds.books import Books
from digest.feeds.fetching.fetch import Fetcher, user_agent
from digest.feeds.markets import sources
from digest.feeds.markets.sources import MarketSource
from digest.feeds.reading.sandbox import Parser
from digest.feeds.reports import FeedReport, PollReport
from digest.feeds.visit import Reader, Visitor, in_turns
from digest.model import KnownFeed, PollOutcome
from digest.store import feeds
from digest.store.engine import write


async def poll(
    config: Config,
    engine: Engine,
    now: datetime,
    *,
    only: str | None = None,
    everything: bool = False,
    progress: Callable[[FeedReport], None] | None = None,
    most: int | None = None,
    market: bool = True,
) -> PollReport:
    """Poll the feeds that are due, and the sources of market data that are.

    Args:
        config: the feeds, the limits, and who we say we are.
        engine: the database.
        now: when the articles of this round are first seen.
        only: the address of the one feed to poll, due or not, backed off or not.
        everything: poll every feed, due or not; only one whose server refused us is left alone until its time comes.
        progress: told of each feed as it ends.
        most: how many of the feeds that are due; the rest stays due for others.
        market: whether to ask the sources of market data as well.

    Raises:
        UnknownFeed: no configured feed has the address `only`.
        DatabaseUnreachable: the database does not answer.
    """
    started = time.monotonic()
    with write(engine) as conn:
        feeds.sync(conn, config.feeds, now)
        chosen, backed_off = _chosen(conn, now, only, everything, most)
        asked = _market(conn, config, now, everything) if market and not only else []
    async with (
        Fetcher(config.fetch, user_agent(config.site)) as fetcher,
        Parser(config.fetch.most_entries) as parser,
        Books(engine, now) as books,
        _together() as group,
    ):
        visitor = Visitor(fetcher, parser, now, config.fetch.most_bytes)

        async def visit(known: KnownFeed, read: Reader, tell: Callable[[FeedReport], None] | None) -> FeedReport:
            # A place in the round is held until the writer has room, which bounds what waits for it.
            async with visitor.turn(known):
                entry = await books.enter(await visitor.call(known, read))
            report = await entry
            if tell:
                tell(report)
            return report

        visits = [group.create_task(visit(feed, visitor.read_articles, progress)) for feed in in_turns(chosen)]
        market_visits = [
            group.create_task(
                visit(
                    known,
                    visitor.read_series(source.series, source.marks) if source.series else visitor.read_rates,
                    None,
                )
            )
            for source, known in asked
        ]
    return PollReport(
        outcomes=(*(visit.result() for visit in visits), *backed_off),
        seconds=time.monotonic() - started,
        market=tuple(visit.result() for visit in market_visits),
    )


def due(config: Config, engine: Engine, now: datetime) -> int:
    """How many feeds and sources of market data it is time to ask.

    Raises:
        DatabaseUnreachable: the database does not answer.
    """
    with write(engine) as conn:
        feeds.sync(conn, config.feeds, now)
        return len(feeds.due(conn, now)) + len(_market(conn, config, now, everything=False))


def _chosen(
    conn: Connection, now: datetime, only: str | None, everything: bool, most: int | None
) -> tuple[list[KnownFeed], list[FeedReport]]:
    """The feeds to call on, and a report for each that was asked for but is left alone."""
    if only is None and not everything:
        return feeds.claim(conn, now, now + clock.LEASE, most), []
    known = feeds.configured(conn)
    if only is not None:
        chosen = [feed for feed in known if feed.feed.url == only]
        if not chosen:
            raise UnknownFeed(only)
        return chosen, []
    reasons = [(feed, _why_left_alone(feed, now)) for feed in known if not feed.feed.paused]
    left_alone = [
        FeedReport(feed.feed.url, PollOutcome.BACKED_OFF, error=f"{reason}; `digest poll --feed` asks it now")
        for feed, reason in reasons
        if reason
    ]
    return [feed for feed, reason in reasons if not reason], left_alone


def _why_left_alone(known: KnownFeed, now: datetime) -> str:
    """Why a feed is not called on although all are to be: its server itself has said no. Empty where it is."""
    memory = known.memory
    if memory.retired_at:
        return f"retired on {memory.retired_at:%Y-%m-%d}, since its server has had no such document for long"
    refused = memory.failures > 0 and memory.status is not None and memory.status >= HTTPStatus.BAD_REQUEST
    if refused and memory.next_poll_at > now:
        return f"left alone until {memory.next_poll_at:%Y-%m-%d %H:%M} UTC, since its server answered {memory.status}"
    return ""


def _market(conn: Connection, config: Config, now: datetime, everything: bool) -> list[tuple[MarketSource, KnownFeed]]:
    """The sources of market data that it is time to ask. They are remembered like feeds, but are none."""
    chosen = []
    wanted = sources.of(config.market)
    feeds.watch(conn, [source.feed for source in wanted], now)
    for source in wanted:
        known = feeds.by_url(conn, source.feed.url)
        assert known
        asked = sources.as_asked(source, known)
        wants_all = everything and not _why_left_alone(asked, now)
        if asked.memory.next_poll_at <= now or wants_all or sources.is_new(source, known):
            chosen.append((source, asked))
    return chosen


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Visits at the same time; if one raises, the others end, and it is raised as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
