"""Calling on one source: ask, read what it answers, and say what came of it. Nothing is stored here."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from operator import itemgetter

from digest.config import Series
from digest.feeds import habits
from digest.feeds.cleaning.clean import clean_all
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.markets import rates, series
from digest.feeds.markets.rates import Rate
from digest.feeds.memory import Answer, Document
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified, ParseFailed
from digest.feeds.reading.sandbox import Parser
from digest.model import Article, Habits, KnownFeed, Memory, Validators

ASK_WHOLE_AFTER = timedelta(hours=24)
"""How long conditions are put to a server before it is asked for the whole document: some answer 304 for ever."""
AWAY_FOR = timedelta(hours=48)
"""After how long without a successful poll a feed is read as if for the first time."""
EASTERNMOST = timedelta(hours=14)
"""How far ahead of UTC a day begins anywhere."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a document holds: articles or, by their source, market values; how many of its entries were known or dropped."""

    articles: tuple[Article, ...] = ()
    values: tuple[tuple[str, tuple[Rate, ...]], ...] = ()
    known: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What came of calling on a source."""

    known: KnownFeed
    answer: Answer | FetchFailed
    harvest: Harvest = field(default_factory=Harvest)


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as read: what it holds, what it shows of its feed, and what of it could not be read."""

    harvest: Harvest
    habits: Habits
    marks: bytes = b""
    fault: str = ""


Reader = Callable[[KnownFeed, Fetched], Awaitable[Reading | ParseFailed]]


def in_turns(sources: Sequence[KnownFeed]) -> list[KnownFeed]:
    """The sources in an order in which those of one server are far apart: its first, the first of the next, and so on.

    A later one then finds the connection of an earlier one open and idle, and no server has all its callers at once.
    """
    before: Counter[str] = Counter()
    turns: list[int] = []
    for known in sources:
        server = _address(known).partition("//")[2].partition("/")[0]
        turns.append(before[server])
        before[server] += 1
    return [known for _, known in sorted(zip(turns, sources, strict=True), key=itemgetter(0))]


class Visitor:
    """Calls on the sources of one round. `most_bytes` is how large a document may be that comes in a zip."""

    def __init__(self, fetcher: Fetcher, parser: Parser, now: datetime, most_bytes: int) -> None:
        self._fetcher, self._parser, self._now, self._most_bytes = fetcher, parser, now, most_bytes

    def turn(self, known: KnownFeed) -> AbstractAsyncContextManager[None]:
        """A place in the round, to be held for as long as a body is in memory."""
        return self._fetcher.turn(_address(known))

    async def call(self, known: KnownFeed, read: Reader) -> Call:
        """Call on one source; whatever goes wrong with it is what came of it."""
        try:
            return await self._call(known, read)
        except Exception as error:  # noqa: BLE001 - one feed's accident must not end the round
            return Call(known, FetchFailed(f"unexpected {type(error).__name__}: {error}"))

    async def read_articles(self, known: KnownFeed, fetched: Fetched) -> Reading | ParseFailed:
        """What a feed's document brings. Entries that are marked as known are left out."""
        memory = known.memory
        parsed = await self._parser.parse(fetched.body, fetched.url, fetched.content_type, memory.marks)
        if isinstance(parsed, ParseFailed):
            return parsed
        shown = habits.learned(memory.habits, parsed, known.feed, self._now)
        away = memory.succeeded_at is None or self._now - memory.succeeded_at > AWAY_FOR
        cleaned = clean_all(parsed, known.feed, shown, self._now, backlog=away)
        return Reading(Harvest(cleaned.articles, known=parsed.known, dropped=cleaned.dropped), shown, parsed.marks)

    async def read_rates(self, known: KnownFeed, fetched: Fetched) -> Reading | ParseFailed:
        """What the reference rates' document brings."""
        parsed = await asyncio.to_thread(rates.parse, fetched.body, self._today, self._most_bytes)
        if isinstance(parsed, ParseFailed):
            return parsed
        return Reading(Harvest(values=((rates.SOURCE, parsed),)), known.memory.habits)

    def read_series(self, wanted: Sequence[Series], marks: bytes) -> Reader:
        """A reader of a document to which series are mapped. `marks` tell this mapping from others."""

        async def read(known: KnownFeed, fetched: Fetched) -> Reading | ParseFailed:
            found = await asyncio.to_thread(series.read, fetched.body, wanted, self._today, self._most_bytes)
            if not found.values:
                return ParseFailed(found.fault)
            values = tuple(
                (one.source, tuple((one.key, day, value) for day, value in dated))
                for one, dated in found.values.items()
            )
            return Reading(Harvest(values=values), known.memory.habits, marks, found.fault)

        return read

    @property
    def _today(self) -> date:
        """The latest date that anybody has now."""
        return (self._now + EASTERNMOST).date()

    async def _call(self, known: KnownFeed, read: Reader) -> Call:
        memory = known.memory
        validators = memory.validators if _asked_whole_lately(memory, self._now) else Validators()
        result = await self._fetcher.fetch(_address(known), validators)
        if isinstance(result, FetchFailed):
            return Call(known, result)
        answer = Answer(
            status=HTTPStatus.NOT_MODIFIED if isinstance(result, NotModified) else result.status,
            validators=result.validators,
            whole=validators == Validators(),
            moved_to=result.moved_to,
            fresh_for=result.fresh_for,
        )
        if isinstance(result, NotModified):
            return Call(known, answer)
        body_hash = hashlib.blake2b(result.body, digest_size=32).hexdigest()
        if body_hash == memory.body_hash:
            return Call(known, answer)
        reading = await read(known, result)
        if isinstance(reading, ParseFailed):
            return Call(known, FetchFailed(reading.reason, result.status))
        document = Document(body_hash, reading.marks, reading.habits)
        return Call(known, replace(answer, document=document, fault=reading.fault), reading.harvest)


def _address(known: KnownFeed) -> str:
    return known.memory.address or known.feed.url


def _asked_whole_lately(memory: Memory, now: datetime) -> bool:
    return memory.whole_at is not None and timedelta() <= now - memory.whole_at < ASK_WHOLE_AFTER
