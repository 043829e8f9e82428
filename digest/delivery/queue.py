"""Who does what is due: the service itself, or workers on any number of machines.

Either way the ledger alone says what has been sent, and the feeds' own rows what has been polled. A job is no more than
the word that there is something to do: one that is lost is made again, and one that is done twice finds nothing the
second time.
"""

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import Engine

from digest import config as configuration
from digest.config import Config
from digest.delivery.deliver import DeliveryReport, deliver
from digest.errors import NoQueue
from digest.feeds.reports import PollReport

Deliver = Callable[..., Coroutine[Any, Any, DeliveryReport]]
Poll = Callable[[Config, Engine, datetime], Coroutine[Any, Any, PollReport]]

_JOBS = "digest.delivery.jobs"


@dataclass(frozen=True, slots=True)
class Queue:
    """What a service calls when deliveries or feeds are due.

    `deliver` is called as the verb of that name. Without `poll` the service polls by itself.
    """

    deliver: Deliver
    poll: Poll | None


INLINE = Queue(deliver, None)
"""The service does everything itself, at once."""


class Jobs(Protocol):
    """What `delivery/jobs.py` does with the engine that keeps jobs."""

    async def deliver(
        self, config: Config, engine: Engine, clock: Callable[[], datetime], *, stop: asyncio.Event
    ) -> DeliveryReport:
        """Have what is due delivered."""

    async def poll(self, config: Config, engine: Engine, now: datetime) -> PollReport:
        """Have what is due polled."""

    async def work(self, config: Callable[[], Config], *, concurrency: int, stop: asyncio.Event) -> bool:
        """Do jobs until `stop` is set; whether all that was in hand then came to its end."""


def of(config: Config, engine: Engine, clock: Callable[[], datetime]) -> Queue:
    """The queue that the configuration names.

    Raises:
        NoQueue: what it needs is not installed.
    """
    if config.delivery.queue is configuration.Queue.INLINE:
        return INLINE
    made = jobs(config, engine, clock)
    return Queue(made.deliver, made.poll)


def jobs(config: Config, engine: Engine, clock: Callable[[], datetime]) -> Jobs:
    """The jobs of a database.

    Raises:
        NoQueue: the configuration wants none, or what they need is not installed.
    """
    if config.delivery.queue is configuration.Queue.INLINE:
        raise NoQueue('[delivery] queue is "inline", so the service does everything itself and has no jobs for workers')
    try:
        # The engine comes with PostgreSQL's driver, and most installations have neither.
        module = importlib.import_module(_JOBS)
    except ImportError as error:
        missing = f"{error}. `pip install 'economic-digest[postgres]'` brings what is missing"
        raise NoQueue(missing) from error
    return cast("Jobs", module.PostgresJobs(engine, clock))
