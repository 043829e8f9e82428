"""The jobs of workers, on PostgreSQL. The one home of Procrastinate, which keeps them.

A job names an edition and the number of a batch, or a batch of polls: never a message, never an address. A batch is no
fixed set of deliveries but leave to send so many of those that are due, which the ledger hands out one claim at a time.
So two workers on one batch, a job that runs twice, and one that is lost change nothing but who does the work.

Jobs are made in the transaction that counts what is due. Between publishing and that, or between claiming and the end of
a job, anything may die: what is still due is counted again a few seconds later.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count, islice
from math import ceil

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.manager import JobManager
from sqlalchemy import Connection, Engine

from digest import logs
from digest.config import Config, UnknownPolicy
from digest.delivery.cuts import MOST_CUTS, Prepare
from digest.delivery.deliver import DeliveryReport, deliver, preparation
from digest.delivery.lane import IN_HAND
from digest.delivery.ledger import Ledger
from digest.delivery.reconcile import Reconciled, Reconciler
from digest.feeds import reports
from digest.feeds.poll import due, poll
from digest.feeds.reports import PollReport
from digest.links import Links
from digest.steady import Steady, elapsed
from digest.store import engine as engines
from digest.store import jobs

log = structlog.get_logger(__name__)

DELIVERIES_A_JOB = 500
"""Enough that a job's connections and log-ins do not count, and few enough that several workers share an edition."""

FEEDS_A_JOB = 200

MOST_AHEAD = 100
"""Batches of deliveries for which jobs are made ahead; more are made as these are done."""

BETWEEN_LOOKS = timedelta(minutes=1)
"""How often one looks for what a worker that died has left, and for jobs that need not be kept."""

KEPT_HOURS = 24
"""For how long a job that came to no good end can be looked at. One that is done is not kept."""

LOOK_SECONDS = 1.0
"""How often an idle worker looks for jobs. Being told would need a session of its own, which a pooler does not give."""

REST_SECONDS = 60
"""For how long a worker leaves a relay alone that did not take its mail."""

AGAIN_SECONDS = 5
LAST_MESSAGE_SECONDS = 4
STOP_SECONDS = 8.0

# A pooler may give each transaction another session, and what was prepared in one is unknown in the next.
_SESSION = {"prepare_threshold": None, "application_name": "digest-work"}


class _PutOffError(Exception):
    """The job cannot be done now. The engine keeps it for later."""


class _BackOff(BaseRetryStrategy):
    """Again after half a minute, then twice that, up to five minutes, for as long as it takes."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002
        return RetryDecision(retry_in={"seconds": min(30 * 2 ** min(job.attempts, 10), 300)})


class PostgresJobs:
    """Shares out what is due as jobs, and does jobs."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock
        self._address = engines.driver_address(engine)
        self._maker = JobManager(SyncPsycopgConnector())
        self._looked_at: datetime | None = None

    # ── sharing out ──────────────────────────────────────────────────────────────────────────────────────────────

    async def deliver(
        self,
        config: Config,
        engine: Engine,
        clock: Callable[[], datetime],
        *,
        stop: asyncio.Event,  # noqa: ARG002  # nothing here takes long
    ) -> DeliveryReport:
        """Make jobs for the deliveries that are due; once a minute also look for what has been left behind.

        The report says what the look found; what is sent, workers' reports say.

        Raises:
            DatabaseUnreachable: the database does not answer.
        """
        now = clock()
        late = self._looked_at is None or abs(now - self._looked_at) >= BETWEEN_LOOKS
        report = DeliveryReport()
        if late:
            self._looked_at = now
            delivery = config.delivery
            ledger = Ledger(engine, clock, delivery.late)
            swept = await ledger.sweep(delivery.unknown, delivery.connections * IN_HAND)
            looked = Reconciled()
            if delivery.unknown is UnknownPolicy.RECONCILE:
                looked = await Reconciler(config, engine).look(clock)
            report = DeliveryReport(
                unknown=swept.unknown,
                expired=swept.expired,
                quarantined=swept.quarantined,
                found=looked.found,
                returned=looked.lost,
                problem=looked.problem,
            )
            await self._tidy()
        standing = await asyncio.to_thread(self._share_out_deliveries, now)
        if standing.open and not standing.workers:
            waiting = f"{standing.open:,} job{' waits' if standing.open == 1 else 's wait'}"
            return DeliveryReport(problem=f"No worker is at work, and {waiting}. `digest work` starts one.")
        return report

    async def poll(self, config: Config, engine: Engine, now: datetime) -> PollReport:
        """Make jobs for the feeds that are due. What they bring, workers' reports say."""
        sources = await asyncio.to_thread(due, config, engine, now)
        await asyncio.to_thread(self._share_out_polls, ceil(sources / FEEDS_A_JOB))
        return PollReport((), 0.0)

    def _share_out_deliveries(self, now: datetime) -> jobs.Standing:
        with engines.write(self._engine) as connection:
            jobs.take_turn(connection)
            for edition, number in jobs.due_by_edition(connection, now, MOST_AHEAD * DELIVERIES_A_JOB).items():
                named = {"edition": edition}
                self._make(connection, "deliver", f"deliver:{edition}:", ceil(number / DELIVERIES_A_JOB), named)
            return jobs.standing(connection)

    def _share_out_polls(self, batches: int) -> None:
        with engines.write(self._engine) as connection:
            jobs.take_turn(connection)
            self._make(connection, "poll", "poll:", batches, {})

    def _make(self, connection: Connection, task: str, names: str, wanted: int, arguments: Mapping[str, int]) -> None:
        """Make so many jobs wait, each of a name of its own.

        Those that are being done do not count: the worker may have died. Their names are not given again, since the
        engine puts a job that failed back to those that wait.
        """
        there = {name: waits for name, waits in jobs.open_jobs(connection).items() if name.startswith(names)}
        free = (batch for batch in count() if f"{names}{batch}" not in there)
        new = [
            Job(
                queue=task,
                task_name=task,
                lock=None,
                queueing_lock=f"{names}{batch}",
                task_kwargs={**arguments, "batch": batch},
            )
            for batch in islice(free, max(0, wanted - sum(there.values())))
        ]
        if new:
            self._maker.batch_defer_jobs(new, connection=engines.driver(connection))
            log.info("shared out", jobs=len(new), first=new[0].queueing_lock)

    async def _tidy(self) -> None:
        """Put back the jobs of workers that have died, and let go of those that came to no good end long ago."""
        app = self._app()
        with suppress(ConnectorException):  # a worker that only seemed dead has ended its job meanwhile
            async with app.open_async():
                stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=jobs.HEARTBEAT_SECONDS)
                for job in stalled:
                    log.warning("put back", job=job.queueing_lock, reason="its worker has died")
                    await app.job_manager.retry_job(job)
                await app.job_manager.delete_old_jobs(
                    KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
                )

    # ── working ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def work(self, config: Callable[[], Config], *, concurrency: int, stop: asyncio.Event) -> bool:
        """Do jobs until `stop` is set; whether all that was in hand then came to its end within `STOP_SECONDS`.

        A database that is away is waited for.

        Args:
            config: asked at each job what holds now.
            concurrency: how many jobs at the same time.
            stop: once set, messages in flight are finished, polls broken off, and claims given back.
        """
        work = _Work(self._engine, self._clock, config, stop)
        stopped = asyncio.create_task(stop.wait())
        while True:
            worker = asyncio.create_task(self._worker(work, concurrency))
            await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                worker.cancel()
                await asyncio.wait({worker}, timeout=STOP_SECONDS)
                return worker.done()
            log.error("work broken off", reason=str(worker.exception() or "the database does not answer"))
            await asyncio.wait({stopped}, timeout=AGAIN_SECONDS)

    async def _worker(self, work: "_Work", concurrency: int) -> None:
        app = self._app()
        app.task(name="deliver", queue="deliver", retry=_BackOff())(work.deliver)
        app.task(name="poll", queue="poll", retry=_BackOff())(work.poll)
        async with app.open_async():
            await app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                listen_notify=False,
                fetch_job_polling_interval=LOOK_SECONDS,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
                shutdown_graceful_timeout=LAST_MESSAGE_SECONDS,
                update_heartbeat_interval=jobs.HEARTBEAT_SECONDS / 3,
                stalled_worker_timeout=jobs.HEARTBEAT_SECONDS,
            )

    def _app(self) -> App:
        return App(connector=PsycopgConnector(conninfo=self._address, min_size=1, max_size=4, kwargs=_SESSION))


class _Work:
    """What a worker does, and what it keeps between jobs: each cut is made once, and a relay in trouble has its rest."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], config: Callable[[], Config], stop: asyncio.Event
    ) -> None:
        self._engine, self._clock, self._config, self._stop = engine, clock, config, stop
        self._prepared: tuple[Config, Prepare] | None = None
        self._rest_until = 0.0

    async def deliver(self, edition: int, batch: int) -> None:
        """Send so many of the deliveries that are due."""
        with logs.run("send", edition=edition, batch=batch):
            await self._deliver()

    async def _deliver(self) -> None:
        loop, config = asyncio.get_running_loop(), self._config()
        if loop.time() < self._rest_until:
            raise _PutOffError("the relay has its rest")
        report = await deliver(
            config,
            self._engine,
            Steady(self._clock(), elapsed),
            prepare=self._prepare(config),
            stop=self._stop,
            share=DELIVERIES_A_JOB,
        )
        if replace(report, left=0, seconds=0.0) != DeliveryReport():
            told = log.warning if report.problem else log.info
            told("delivered", **report.as_dict())
        if report.problem:
            self._rest_until = loop.time() + REST_SECONDS
            raise _PutOffError(report.problem)

    async def poll(self, batch: int) -> None:
        """Poll so many of the feeds that are due; the first batch also asks the sources of market data."""
        with logs.run("poll", batch=batch):
            await self._poll(batch)

    async def _poll(self, batch: int) -> None:
        work = asyncio.create_task(
            poll(self._config(), self._engine, self._clock(), most=FEEDS_A_JOB, market=batch == 0)
        )
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not work.done():
                work.cancel()
        with suppress(asyncio.CancelledError):
            reports.tell(await work)

    def _prepare(self, config: Config) -> Prepare:
        if self._prepared is None or self._prepared[0] is not config:
            links = Links(config.site.base_url, config.signing_keys)
            self._prepared = config, lru_cache(MOST_CUTS)(preparation(config, self._engine, links))
        return self._prepared[1]
