"""One round over the feeds that are due: fetch, parse, clean, store.

Each feed is on its own: what it brought and what we remember of it are stored in one transaction, so that validators
never get ahead of articles, and whatever goes wrong with it stays its own failure.
"""

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, Engine

from digest import __version__, clock
from digest.config import Config, Site
from digest.errors import DigestError, UnknownFeed
from digest.feeds import rates
from digest.feeds.clean import clean_all
from digest.feeds.fetch import Fetcher
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified, ParseFailed
from digest.feeds.sandbox import Parser
from digest.model import Feed, PollOutcome, Validators
from digest.store import articles, feeds, quotes
from digest.store.articles import Kept
from digest.store.engine import write
from digest.store.feeds import KnownFeed, Visit


@dataclass(frozen=True, slots=True)
class _Brought:
    """What a document holds, ready to be stored."""

    keep: Callable[[Connection], Kept]
    ttl: timedelta | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


_Reader = Callable[[KnownFeed, Fetched], Awaitable[_Brought | ParseFailed]]
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class FeedReport:
    """How the poll of one feed ended. `error` is a sentence for the operator, also where a feed moved and still works.

    `dropped` counts the entries that became no article, by reason.
    """

    feed: str
    outcome: PollOutcome
    status: int | None = None
    articles_new: int = 0
    articles_updated: int = 0
    error: str | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PollReport:
    """How a round ended, feed by feed; `market` is the reference rates' part in it, if they were due."""

    outcomes: tuple[FeedReport, ...]
    seconds: float
    market: FeedReport | None = None

    @property
    def articles_new(self) -> int:
        """Articles that we did not know."""
        return sum(report.articles_new for report in self.outcomes)

    @property
    def articles_updated(self) -> int:
        """Articles whose words changed."""
        return sum(report.articles_updated for report in self.outcomes)

    def count(self, *outcomes: PollOutcome) -> int:
        """How many feeds ended in one of these ways."""
        return sum(report.outcome in outcomes for report in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """What `poll --json` prints."""
        return {
            "feeds": len(self.outcomes),
            "fetched": self.count(PollOutcome.FETCHED, PollOutcome.MOVED),
            "not_modified": self.count(PollOutcome.NOT_MODIFIED),
            "failed": self.count(PollOutcome.FAILED, PollOutcome.GONE),
            "articles_new": self.articles_new,
            "articles_updated": self.articles_updated,
            "seconds": round(self.seconds, 3),
            "outcomes": [
                {
                    "feed": report.feed,
                    "outcome": report.outcome.value,
                    "status": report.status,
                    "articles_new": report.articles_new,
                    "error": report.error,
                }
                for report in self.outcomes
            ],
        }


async def poll(
    config: Config,
    engine: Engine,
    now: datetime,
    *,
    only: str | None = None,
    everything: bool = False,
    progress: Callable[[FeedReport], None] | None = None,
) -> PollReport:
    """Poll the feeds that are due, and the reference rates if they are.

    Args:
        config: the feeds, the limits, and who we say we are.
        engine: the database.
        now: when the articles of this round are first seen.
        only: the address of the one feed to poll, due or not, backed off or not.
        everything: poll every feed, due or not; only one whose server refused us is left alone until its time comes.
        progress: told of each feed as it ends.

    Raises:
        UnknownFeed: no configured feed has the address `only`.
        DatabaseUnreachable: the database does not answer.
    """
    started = time.monotonic()
    with write(engine) as conn:
        feeds.sync(conn, config.feeds, now)
        chosen, backed_off = _chosen(conn, now, only, everything)
        market = None if only else _market(conn, config, now, everything)
    async with (
        Fetcher(config.fetch, _user_agent(config.site)) as fetcher,
        Parser(config.fetch.most_entries) as parser,
        _together() as group,
    ):
        this_round = _Round(engine, now, fetcher, parser)
        visits = [group.create_task(this_round.visit(feed, this_round.read_articles, progress)) for feed in chosen]
        rates_visit = group.create_task(this_round.visit(market, this_round.read_rates, None)) if market else None
    return PollReport(
        outcomes=(*(visit.result() for visit in visits), *backed_off),
        seconds=time.monotonic() - started,
        market=rates_visit.result() if rates_visit else None,
    )


def _chosen(
    conn: Connection, now: datetime, only: str | None, everything: bool
) -> tuple[list[KnownFeed], list[FeedReport]]:
    """The feeds to call on, and a report for each that was asked for but is backed off."""
    if only is None and not everything:
        return feeds.due(conn, now), []
    known = feeds.configured(conn)
    if only is None:
        waiting = [feed for feed in known if _refused(feed) and feed.next_poll_at > now]
        return [feed for feed in known if feed not in waiting], [_backed_off(feed) for feed in waiting]
    chosen = [feed for feed in known if feed.feed.url == only]
    if not chosen:
        raise UnknownFeed(only)
    return chosen, []


def _refused(known: KnownFeed) -> bool:
    """Whether the server itself said no the last time."""
    return known.failures > 0 and known.status is not None and known.status >= HTTPStatus.BAD_REQUEST


def _backed_off(known: KnownFeed) -> FeedReport:
    until = known.next_poll_at.strftime("%Y-%m-%d %H:%M UTC")
    sentence = f"left alone until {until}, since its server answered {known.status}; `digest poll --feed` asks it now"
    return FeedReport(known.feed.url, PollOutcome.BACKED_OFF, error=sentence)


def _market(conn: Connection, config: Config, now: datetime, everything: bool) -> KnownFeed | None:
    """The reference rates, if it is time to ask for them. They are remembered like a feed, but are none."""
    if not config.market.ecb_url:
        return None
    source = Feed(config.market.ecb_url, rates.SOURCE)
    feeds.watch(conn, [source], now)
    known = feeds.by_url(conn, source.url)
    is_due = known is not None and (known.next_poll_at <= now or (everything and not known.failures))
    return known if is_due else None


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Visits at the same time; if one raises, the others end, and it is raised as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


class _Round:
    """What the visits of one round share."""

    def __init__(self, engine: Engine, now: datetime, fetcher: Fetcher, parser: Parser) -> None:
        self._engine, self._now = engine, now
        self._fetcher, self._parser = fetcher, parser

    async def visit(self, known: KnownFeed, read: _Reader, progress: Callable[[FeedReport], None] | None) -> FeedReport:
        """Call on one source and store what it brought; whatever goes wrong with it is its report."""
        async with self._fetcher.turn(known.feed.url):
            try:
                report = await self._call(known, read)
            except DigestError:
                raise
            except Exception as error:  # noqa: BLE001 - one feed's accident must not end the round
                report = self._failed(known, f"unexpected {type(error).__name__}: {error}")
        if progress:
            progress(report)
        return report

    async def read_articles(self, known: KnownFeed, fetched: Fetched) -> _Brought | ParseFailed:
        """What a feed's document brings."""
        parsed = await self._parser.parse(fetched.body, fetched.url, fetched.content_type)
        if isinstance(parsed, ParseFailed):
            return parsed
        cleaned = clean_all(parsed, known.feed, self._now)
        return _Brought(
            lambda conn: articles.keep(conn, known.id, cleaned.articles, self._now), parsed.ttl, cleaned.dropped
        )

    async def read_rates(self, known: KnownFeed, fetched: Fetched) -> _Brought | ParseFailed:  # noqa: ARG002
        """What the reference rates' document brings."""
        parsed = rates.parse(fetched.body)
        if isinstance(parsed, ParseFailed):
            return parsed
        return _Brought(lambda conn: Kept(quotes.keep(conn, parsed, rates.SOURCE), updated=0))

    async def _call(self, known: KnownFeed, read: _Reader) -> FeedReport:
        # Once a day without conditions, since some servers say 304 for ever.
        asked_today = known.polled_at is not None and known.polled_at.date() == self._now.date()
        result = await self._fetcher.fetch(known.feed.url, known.validators if asked_today else Validators())
        if isinstance(result, FetchFailed):
            return self._failed(known, result.reason, result.status, result.retry_after, gone=result.gone)
        if isinstance(result, NotModified):
            return self._succeeded(known, result, HTTPStatus.NOT_MODIFIED)
        body_hash = hashlib.sha256(result.body).hexdigest()
        if body_hash == known.body_hash:
            return self._succeeded(known, result, result.status)
        brought = await read(known, result)
        if isinstance(brought, ParseFailed):
            return self._failed(known, brought.reason, result.status)
        return self._succeeded(known, result, result.status, body_hash, brought)

    def _succeeded(
        self,
        known: KnownFeed,
        result: Fetched | NotModified,
        status: int,
        body_hash: str | None = None,
        brought: _Brought | None = None,
    ) -> FeedReport:
        outcome = PollOutcome.FETCHED if brought else PollOutcome.NOT_MODIFIED
        error = None
        if result.moved_to:
            outcome, error = PollOutcome.MOVED, _one_line(f"moved for good to {result.moved_to}")
        waits = [wait for wait in (result.fresh_for, brought.ttl if brought else None) if wait]
        with write(self._engine) as conn:
            kept = brought.keep(conn) if brought else Kept(0, 0)
            visit = Visit(
                outcome=outcome,
                status=status,
                error=error,
                next_poll_at=_next_poll(known, self._now, 0, max(waits, default=None)),
                validators=result.validators,
                body_hash=body_hash,
                brought_new=kept.new > 0,
            )
            feeds.record(conn, known.id, visit, self._now)
        dropped = brought.dropped if brought else {}
        return FeedReport(known.feed.url, outcome, status, kept.new, kept.updated, error, dropped)

    def _failed(
        self,
        known: KnownFeed,
        reason: str,
        status: int | None = None,
        retry_after: timedelta | None = None,
        *,
        gone: bool = False,
    ) -> FeedReport:
        outcome, error = PollOutcome.GONE if gone else PollOutcome.FAILED, _one_line(reason)
        visit = Visit(
            outcome=outcome,
            status=status,
            error=error,
            next_poll_at=_next_poll(known, self._now, known.failures + 1, retry_after),
            succeeded=False,
        )
        with write(self._engine) as conn:
            feeds.record(conn, known.id, visit, self._now)
        return FeedReport(known.feed.url, outcome, status, error=error)


def _next_poll(known: KnownFeed, now: datetime, failures: int, at_least: timedelta | None) -> datetime:
    """A feed's next turn, moved a little by a share that is always the same for its address."""
    share = zlib.crc32(known.feed.url.encode()) / 0xFFFFFFFF
    return clock.next_poll(known.feed.poll, now, failures=failures, at_least=at_least, jitter=2 * share - 1)


def _one_line(words: str) -> str:
    """A sentence fit for a log, a terminal and the database, whatever a stranger's server put into it."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(words.split()))[:_LONGEST_ERROR]


def _user_agent(site: Site) -> str:
    return f"economic-digest/{__version__} (+{site.base_url}; {site.contact})"
