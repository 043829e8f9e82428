"""The verb of a service that runs by itself: all that is due at a moment, but for mail, which is sent by its own verb.

Safe to call at any time, by anyone: the scheduler does so every minute, and cron could as well.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine

from digest import safe_mode
from digest.config import Config
from digest.delivery.correspond import correspond
from digest.delivery.feedback.collect import Collected, collect
from digest.delivery.post import PostReport
from digest.editions.due import publish_due
from digest.editions.publish import Published
from digest.errors import DigestError
from digest.feeds.poll import poll
from digest.feeds.reports import PollReport
from digest.model import Doubt, SafeMode
from digest.store import engine as engines
from digest.store import feeds as feed_store
from digest.store import steps
from digest.store.pulses import Part

log = structlog.get_logger(__name__)

AWAY = timedelta(hours=1)
"""For so long no feed has been polled when nobody can have been at work."""

Publish = Callable[[Config, Engine, datetime], Sequence[Published]]
Poll = Callable[[Config, Engine, datetime], Coroutine[Any, Any, PollReport]]
Write = Callable[[Config, Engine, Callable[[], datetime]], Coroutine[Any, Any, PostReport]]
Collect = Callable[[Config, Engine, Callable[[], datetime]], Coroutine[Any, Any, Collected]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did. A part that failed says why in `problems`, and has kept nothing else from being done.

    `done` are the parts that came to their end, be it with nothing to do.
    """

    published: tuple[Published, ...] = ()
    polled: PollReport | None = None
    letters: int = 0
    collected: Collected | None = None
    problems: tuple[str, ...] = ()
    safe_mode: SafeMode | None = None
    done: tuple[Part, ...] = ()


def tick(
    config: Config,
    engine: Engine,
    now: datetime,
    *,
    publish: Publish = publish_due,
    poll: Poll = poll,
    write: Write = correspond,
    collect: Collect = collect,
    have_polled: Poll | None = None,
) -> TickReport:
    """Publish what is due, write to editors and operators about it, take in what came back, then poll the feeds that are due.

    Safe to repeat at any time, by anyone. In safe mode nothing is published; where the time is in doubt, operators are written
    to and nothing else is done.

    An edition does not wait for slow feeds: the ticks before press time have polled them. Where nothing has been polled
    for an hour there were no such ticks, and so the feeds come first; then the tick polls by itself also where it usually
    has that done by others (`have_polled`), since publishing has to wait for it.
    """
    problems: list[str] = []
    done: list[Part] = []

    def attempt(part: Part | str, work: Callable[[], T]) -> T | None:
        try:
            result = work()
        except DigestError as error:
            log.error("failed", part=part, reason=str(error))  # noqa: TRY400  # its sentence says it all
            problems.append(str(error))
        except Exception as error:
            log.exception("failed", part=part)
            problems.append(f"{type(error).__name__}: {error}")
        else:
            if isinstance(part, Part):
                done.append(part)
            return result
        return None

    def poll_due(poll: Poll) -> PollReport | None:
        return attempt(Part.POLL, lambda: asyncio.run(poll(config, engine, now)))

    doubted = attempt("look for safe mode", lambda: safe_mode.look(engine, now, config.delivery.late))
    if doubted and doubted.doubt is Doubt.CLOCK:
        written = attempt("write letters", lambda: asyncio.run(write(config, engine, lambda: now)))
        problems += written.problems if written else ()
        return TickReport(letters=written.sent if written else 0, problems=tuple(problems), safe_mode=doubted)
    attempt("end waits", lambda: _bring_back(engine, now))
    feeds_first = attempt("look at the feeds", lambda: _been_away(engine, now))
    polled = poll_due(poll) if feeds_first else None
    published = () if doubted else attempt(Part.PUBLISH, lambda: tuple(publish(config, engine, now))) or ()
    written = attempt("write letters", lambda: asyncio.run(write(config, engine, lambda: now)))
    collected = attempt(Part.COLLECT, lambda: asyncio.run(collect(config, engine, lambda: now)))
    if not feeds_first:
        polled = poll_due(have_polled or poll)
    if written:
        problems += written.problems
    letters = written.sent if written else 0
    return TickReport(published, polled, letters, collected, tuple(problems), doubted, tuple(done))


def _bring_back(engine: Engine, now: datetime) -> None:
    with engines.write(engine) as connection:
        if ended := steps.bring_back(connection, now):
            log.warning("waits ended", count=ended, reason="a clock that ran ahead had set them")


def _been_away(engine: Engine, now: datetime) -> bool:
    """Whether no feed has been polled for so long that nobody can have been at work."""
    with engines.read(engine) as connection:
        polled_at = feed_store.last_polled(connection)
    return polled_at is None or now - polled_at > AWAY
