"""The books of one round: what came of each call is stored by one writer, together with whatever else has come by then.

A call's articles, validators and marks go into one transaction, so a crash loses both or neither. Many calls share it,
since a commit costs more than what it commits.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from digest.errors import DigestError
from digest.feeds import habits, health, identity
from digest.feeds.memory import Answer, Document, Kept, after_answer, after_failure
from digest.feeds.outcomes import FetchFailed
from digest.feeds.reports import FeedReport
from digest.feeds.visit import Call
from digest.model import Alert, Hold, Memory, PollOutcome
from digest.store import articles, feeds, quotes
from digest.store.engine import write

MOST_TOGETHER = 128
GATHER_SECONDS = 0.01

_Entry = tuple[Call, "asyncio.Future[FeedReport]"]


class Books:
    """The one writer of a round. An async context manager; leaving it drops what nobody waits for any more."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self._engine, self._now = engine, now
        self._waiting: asyncio.Queue[_Entry] = asyncio.Queue(MOST_TOGETHER)
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._writer is not None
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer

    async def enter(self, call: Call) -> "asyncio.Future[FeedReport]":
        """Hand over what came of a call, waiting for room; its report comes once it is stored.

        The report raises DatabaseUnreachable where the database does not answer.
        """
        report: asyncio.Future[FeedReport] = asyncio.get_running_loop().create_future()
        await self._waiting.put((call, report))
        return report

    async def _write(self) -> None:
        while True:
            together = [await self._waiting.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while len(together) < MOST_TOGETHER and not self._waiting.empty():
                together.append(self._waiting.get_nowait())
            calls = [call for call, _ in together]
            try:
                reports = await asyncio.to_thread(self._store, calls)
            except Exception as error:  # noqa: BLE001 - whoever waits for a report is told
                for _, waiting in together:
                    if not waiting.done():
                        waiting.set_exception(error)
                continue
            for (_, waiting), report in zip(together, reports, strict=True):
                if not waiting.done():
                    waiting.set_result(report)

    def _store(self, calls: Sequence[Call]) -> list[FeedReport]:
        """Store calls in one transaction; if one of them cannot be stored, each in its own."""
        try:
            return self._store_together(calls)
        except DigestError:
            raise
        except Exception as error:  # noqa: BLE001 - one feed's accident must not end the round
            if len(calls) > 1:
                return [report for call in calls for report in self._store([call])]
            reason = f"what it brought cannot be stored: {type(error).__name__}: {error}"
            return self._store_together([Call(calls[0].known, FetchFailed(reason))])

    def _store_together(self, calls: Sequence[Call]) -> list[FeedReport]:
        with write(self._engine) as conn:
            settled = [_settled(conn, call, self._now) for call in calls]
            feeds.remember(conn, [(call.known, memory) for call, (memory, _) in zip(calls, settled, strict=True)])
        return [report for _, report in settled]


def _settled(conn: Connection, call: Call, now: datetime) -> tuple[Memory, FeedReport]:
    """Store what a call brought; what is to be remembered of its feed, and how its poll ended."""
    feed, before, answer = call.known.feed, call.known.memory, call.answer
    kept = Kept()
    if isinstance(answer, Answer):
        kept = _kept(conn, call, answer.document, now) if answer.document else Kept()
        after = after_answer(feed, before, answer, kept, now)
    else:
        after = after_failure(feed, before, answer, now)
    holding = health.alerts(feed, after, now)
    told = tuple(holding)
    report = FeedReport(
        feed=feed.url,
        outcome=after.outcome or PollOutcome.FAILED,
        status=after.status,
        articles_new=kept.new,
        articles_updated=kept.updated,
        articles_held=kept.held,
        error=after.error,
        dropped=call.harvest.dropped,
        alerts=_untold(holding, before),
    )
    return after if told == after.told else replace(after, told=told), report


def _untold(holding: Mapping[Alert, str], before: Memory) -> dict[Alert, str]:
    return {alert: sentence for alert, sentence in holding.items() if alert not in before.told}


def _kept(conn: Connection, call: Call, document: Document, now: datetime) -> Kept:
    harvest, known = call.harvest, call.known
    if harvest.values:
        changes = [quotes.keep(conn, values, source) for source, values in harvest.values]
        return Kept(sum(change.new for change in changes), sum(change.revised for change in changes))
    stored = articles.similar(conn, known.id, harvest.articles) if known.memory.read_since else []
    sorted_out = identity.recognised(harvest.articles, stored, now)
    new, reissue = sorted_out.new, False
    if known.memory.read_since:
        usual = habits.usual(document.habits, known.memory.succeeded_at, now)
        reissue = identity.is_reissue(sorted_out, usual)
        if reissue:
            new = tuple(replace(article, hold=Hold.REISSUE) for article in new)
    articles.change(conn, sorted_out.changed, now)
    return Kept(
        new=articles.add(conn, known.id, new),
        updated=len(sorted_out.changed),
        held=len(new) if reissue else 0,
        known=harvest.known + sorted_out.known,
        reissue=reissue,
    )
