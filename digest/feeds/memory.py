"""What is remembered of a feed after a poll, given what was remembered before it. Pure."""

import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from digest import clock
from digest.feeds import habits
from digest.feeds.fetching.headers import REFUSED_WAIT
from digest.feeds.outcomes import FetchFailed
from digest.model import Feed, Habits, Memory, Move, PollOutcome, Validators

SIGHTINGS, FOR_AT_LEAST = 3, timedelta(hours=24)
"""A permanent redirect is believed once it was seen so often, over so long a time."""
MISSING_FOR, GONE_FOR = timedelta(days=30), timedelta(hours=24)
"""A feed is retired once its server has answered 404 for the one, or 410 for the other, and nothing else between."""

_UNWELCOME = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_OVERFLOW_FROM = 5
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Document:
    """A document that differs from the last one: its hash, its items' marks, and what it shows of the feed."""

    body_hash: str
    marks: bytes
    habits: Habits


@dataclass(frozen=True, slots=True)
class Answer:
    """A useful answer: the document, or none where it is the one we have.

    `whole` says that we asked without conditions, `fault` what of the document could not be read; the rest is as in
    `outcomes.Fetched`.
    """

    status: int
    validators: Validators
    whole: bool
    moved_to: str | None = None
    fresh_for: timedelta | None = None
    document: Document | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a document was stored: new articles, those of them held back, changed ones, and how many were known."""

    new: int = 0
    updated: int = 0
    held: int = 0
    known: int = 0
    reissue: bool = False


def after_answer(feed: Feed, memory: Memory, answer: Answer, kept: Kept, now: datetime) -> Memory:
    """The memory after a poll that succeeded."""
    document = answer.document
    shown = habits.paced(document.habits if document else memory.habits, kept.new, memory.succeeded_at, now)
    move = _seen_again(memory.move, answer.moved_to, now)
    # A move is believed only with something in hand that we know from before.
    proven = memory.read_since is not None and (document is None or kept.known > 0)
    arrived = move is not None and proven and move.sightings >= SIGHTINGS and now - move.since >= FOR_AT_LEAST
    waits = [wait for wait in (answer.fresh_for, shown.wait) if wait]
    outcome = PollOutcome.FETCHED if document else PollOutcome.NOT_MODIFIED
    overflowed = _overflowed(memory, shown, kept) if document else False
    return replace(
        memory,
        next_poll_at=_next_poll(feed, shown, memory.read_since, now, at_least=max(waits, default=None)),
        validators=answer.validators,
        body_hash=document.body_hash if document else memory.body_hash,
        marks=document.marks if document else memory.marks,
        habits=shown,
        address=move.url if move and arrived else memory.address,
        move=None if arrived else move,
        outcome=PollOutcome.MOVED if answer.moved_to else outcome,
        status=answer.status,
        error=one_line(answer.fault or (f"moved for good to {answer.moved_to}" if answer.moved_to else "")) or None,
        polled_at=now,
        whole_at=now if answer.whole else memory.whole_at,
        succeeded_at=now,
        new_at=now if kept.new else memory.new_at,
        read_since=memory.read_since or now,
        failures=0,
        failing_since=None,
        missing_since=None,
        retired_at=None,
        flooded_at=now if kept.reissue else memory.flooded_at,
        overflowed_at=now if overflowed else memory.overflowed_at,
    )


def after_failure(feed: Feed, memory: Memory, failed: FetchFailed, now: datetime) -> Memory:
    """The memory after a poll that failed. What was known of the document stays."""
    failures = memory.failures + 1
    missing_since = (memory.missing_since or now) if failed.gone else None
    patience = GONE_FOR if failed.status == memory.status == HTTPStatus.GONE else MISSING_FOR
    first_wait = REFUSED_WAIT if failed.status in _UNWELCOME else clock.SHORTEST_POLL
    return replace(
        memory,
        next_poll_at=_next_poll(
            feed,
            memory.habits,
            memory.read_since,
            now,
            failures=failures,
            first_wait=first_wait,
            at_least=failed.retry_after,
        ),
        validators=Validators() if failed.stale else memory.validators,
        # A new home that does not work is no home: the feed's own address is asked next.
        address=None if failed.gone else memory.address,
        move=None,
        outcome=PollOutcome.GONE if failed.gone else PollOutcome.FAILED,
        status=failed.status,
        error=one_line(failed.reason),
        polled_at=now,
        failures=failures,
        failing_since=memory.failing_since or now,
        missing_since=missing_since,
        retired_at=now if missing_since and now - missing_since >= patience else memory.retired_at,
    )


def one_line(words: str) -> str:
    """A sentence fit for a log, a terminal and the database, whatever a stranger's server put into it."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(words.split()))[:_LONGEST_ERROR]


def _seen_again(move: Move | None, url: str | None, now: datetime) -> Move | None:
    if url is None:
        return None
    if move is None or move.url != url:
        return Move(url, now)
    return replace(move, sightings=move.sightings + 1)


def _overflowed(memory: Memory, shown: Habits, kept: Kept) -> bool:
    """Whether nothing of the document before is left in this one, so that there may have been more in between."""
    full = min(memory.habits.entries, shown.entries) >= _OVERFLOW_FROM
    return full and kept.known == 0 and kept.new > 0 and not kept.reissue


def _next_poll(
    feed: Feed,
    shown: Habits,
    read_since: datetime | None,
    now: datetime,
    *,
    failures: int = 0,
    first_wait: timedelta = clock.SHORTEST_POLL,
    at_least: timedelta | None = None,
) -> datetime:
    """A feed's next turn, moved a little by a share that is always the same for its address."""
    share = zlib.crc32(feed.url.encode()) / 0xFFFFFFFF
    return clock.next_poll(
        habits.interval(feed, shown, now - (read_since or now)),
        now,
        failures=failures,
        first_wait=first_wait,
        at_least=at_least,
        silent_hours=shown.silent_hours,
        silent_days=shown.silent_days,
        jitter=2 * share - 1,
    )
