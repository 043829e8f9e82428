"""Which verb when. The one home of APScheduler, which is asked for no more than to call again.

Nothing that matters is kept here: which edition is due, which feed and which delivery, the database says. Two
schedulers are harmless, a missed call is made up for by the next, and cron could call `tick` as well.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, Engine

from digest import health, logs, safe_mode
from digest.config import Config
from digest.delivery.correspond import correspond
from digest.delivery.deliver import DeliveryReport, deliver
from digest.delivery.feedback.collect import Collected, collect
from digest.delivery.orders import post_orders
from digest.delivery.post import PostReport
from digest.editions import policy
from digest.editions.due import publish_due
from digest.editions.publish import Published
from digest.editions.standing import Standing
from digest.errors import DatabaseUnreachable, DigestError
from digest.feeds import reports
from digest.feeds.poll import poll
from digest.feeds.reports import PollReport
from digest.model import EditionState, SafeMode
from digest.retention import tidy
from digest.steady import Steady, Steps, elapsed
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import jobs, pulses
from digest.store.pulses import Part
from digest.subscribers import signup
from digest.tick import Collect, Poll, Publish, TickReport, Write, tick
from digest.webhooks import Told, tell

log = structlog.get_logger(__name__)

TICK_SECONDS = 60
SEND_SECONDS = 5
LETTER_SECONDS = 2
TELL_SECONDS = 10
STOP_SECONDS = 8.0
LAST_MESSAGE_SECONDS = 4.0
NOTICE_SECONDS = 0.1
LOOKED_AT = 1000
"""How many of the deliveries that are due are asked for which edition they are of."""

A_STEP = timedelta(minutes=5)
"""By how much the clock may be set before a run of the sender ends, so that the next goes by the new time."""

BETWEEN_RETENTIONS = timedelta(days=1)
"""How often it is looked for what is kept too long."""

RETENTION_SECONDS = 20.0
"""For how long a tick does so: publishing and polling wait for its end."""

BETWEEN_COLLECTIONS = timedelta(minutes=4, seconds=30)
"""How long the mailbox is left alone: every fifth tick looks."""

Deliver = Callable[..., Coroutine[Any, Any, DeliveryReport]]
Tell = Callable[[Config, Engine, Callable[[], datetime]], Coroutine[Any, Any, Told]]
T = TypeVar("T")


async def answer_and_post(config: Config, engine: Engine, clock: Callable[[], datetime]) -> PostReport:
    """Answer those who asked for mail on the pages, and send the letters that were ordered."""
    signup.answer(config, engine, clock())
    return await post_orders(config, engine, clock)


class Service:
    """Ticks every minute, sends what is due, writes letters, and tells webhooks, each in a thread of its own, until it is stopped.

    `standing` has each digest's day as it stands, brought up to date whenever a tick has news.

    Args:
        config: asked at each of them what holds now.
        engine: the database.
        clock: what time it is.
        publish: the verbs, as are `poll`, `write`, `write_orders`, `collect` and `deliver`.
        poll: as above.
        write: as above.
        write_orders: as above.
        collect: as above.
        deliver: as above.
        tell: as above.
        have_polled: what to call for feeds that are due, where others poll them (`delivery/queue.py`).
        elapsed: seconds that go on evenly, by which it is noticed that the clock is set.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        engine: Engine,
        clock: Callable[[], datetime],
        *,
        publish: Publish = publish_due,
        poll: Poll = poll,
        write: Write = correspond,
        write_orders: Write = answer_and_post,
        collect: Collect = collect,
        deliver: Deliver = deliver,
        tell: Tell = tell,
        have_polled: Poll | None = None,
        elapsed: Callable[[], float] = elapsed,
    ) -> None:
        self._have_polled = have_polled
        self._elapsed, self._steps = elapsed, Steps(elapsed)
        self._step = timedelta()
        self._safe_mode: SafeMode | None = None
        self._config, self._engine, self._clock = config, engine, clock
        self._publish, self._poll, self._write, self._deliver = publish, poll, write, deliver
        self._write_orders, self._collect, self._tell = write_orders, collect, tell
        self.standing = Standing(engine)
        self._stopping = threading.Event()
        self._looked_at: datetime | None = None
        self._unwell: tuple[str, ...] = ()
        self._corresponded_at: datetime | None = None
        self._begun_at: datetime | None = None
        self._collected_at: datetime | None = None
        self._forgotten_at: datetime | None = None
        self._in_trouble = False
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin, with a tick at once, and return."""
        now = datetime.now(UTC)
        self._scheduler.add_job(self.tick, "interval", id="tick", seconds=TICK_SECONDS, next_run_time=now)
        self._scheduler.add_job(self.send, "interval", id="send", seconds=SEND_SECONDS, next_run_time=now)
        self._scheduler.add_job(self.letters, "interval", id="letters", seconds=LETTER_SECONDS, next_run_time=now)
        self._scheduler.add_job(self.tell, "interval", id="tell", seconds=TELL_SECONDS, next_run_time=now)
        self._scheduler.start()

    def stop(self) -> bool:
        """Start nothing more, break off polling, let the sender finish the messages in flight.

        A message that a relay keeps waiting for its answer is given up after `LAST_MESSAGE_SECONDS`, so that there is time
        to give back what has been claimed beside it. Waits up to `STOP_SECONDS`; whether everything has come to its end by then. Whatever has not is as after a crash:
        nothing is lost, and the next start takes it up.
        """
        self._stopping.set()
        # APScheduler waits for jobs without a limit, so it does so in a thread that need not be waited for.
        ending = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        ending.start()
        ending.join(STOP_SECONDS)
        return not ending.is_alive()

    def tick(self) -> None:
        """The tick, with a line in the log for what it did."""
        with logs.run("tick"):
            self._tick()

    def _tick(self) -> None:
        now = self._clock()
        try:
            self._doubted(now)
            report = tick(
                self._config(),
                self._engine,
                now,
                publish=self._publish,
                poll=self._poll_unless_stopped,
                write=self._write,
                collect=self._collect_now_and_then,
                have_polled=self._have_polled,
            )
        except asyncio.CancelledError:
            log.info("polling broken off", reason="the service stops")
            return
        except DigestError as error:
            log.error("failed", part="tick", reason=str(error))  # noqa: TRY400  # its sentence says it all
            return
        self._well(Part.TICK, *report.done)
        for published in report.published:
            _tell(published)
        if report.letters:
            log.info("letters sent", count=report.letters)
        if report.collected and report.collected.fates:
            _tell_of_returns(report.collected)
        if report.polled is not None:
            reports.tell(report.polled)
        self._look(report)
        self._forget(now, report)

    def _forget(self, now: datetime, report: TickReport) -> None:
        """Let go once a day of what is kept too long; not while the time is in doubt, by which it would be too much.

        What a tick has no time for is left to the next one, and what a stop breaks off to the next start.
        """
        due = self._forgotten_at is None or abs(now - self._forgotten_at) >= BETWEEN_RETENTIONS
        if report.safe_mode or self._stopping.is_set() or not due:
            return
        self._forgotten_at = now
        began = self._elapsed()

        def rest(seconds: float) -> bool:
            return self._stopping.wait(seconds) or self._elapsed() - began > RETENTION_SECONDS

        try:
            tidied = tidy(self._config(), self._engine, now, rest=rest)
        except DigestError as error:
            log.error("failed", part="forget", reason=str(error))  # noqa: TRY400  # its sentence says it all
            return
        if tidied.whole:
            self._well(Part.RETENTION)
        else:
            self._forgotten_at = None
        if tidied.counts.total():
            log.info("forgotten", **tidied.as_dict())

    def _look(self, report: TickReport) -> None:
        """Let the days take in what a tick brought: articles, or an edition after which the next one's day begins."""
        brought = report.polled is not None and report.polled.articles_new + report.polled.articles_updated > 0
        brought = brought or self._have_polled is not None  # what others brought is seen only by looking
        config = self._config()
        for digest in config.digests:
            known = self.standing.last(digest.slug) is not None
            if self._stopping.is_set() or (known and not brought and not report.published):
                continue
            began = time.perf_counter()
            try:
                day = self.standing.look(config, digest.slug, self._clock())
            except DigestError as error:
                log.error("failed", part="standing", reason=str(error))  # noqa: TRY400  # its sentence says it all
            except Exception:
                log.exception("failed", part="standing")
            else:
                log.info("standing", **day.as_dict(), milliseconds=round(1000 * (time.perf_counter() - began)))

    def send(self) -> None:
        """Deliver what is due; once a minute look also for what a sender that crashed has left behind.

        After a run that met with a problem the next one waits for that minute: every run claims and gives back, and logs
        in to the relay anew.
        """
        now = self._clock()
        try:
            if self._doubted(now):
                return
            with engines.read(self._engine) as connection:
                due = ledger.due(connection, now)
            # A clock that has been set back must not make a wait of a minute into one of hours.
            late = self._looked_at is None or abs(now - self._looked_at) >= timedelta(seconds=TICK_SECONDS)
            if (late or (due and not self._in_trouble)) and not self._stopping.is_set():
                self._looked_at = now
                with logs.run("send", editions=self._sent_now(now) if due else []):
                    report = asyncio.run(self._deliver_until_stopped(Steady(now, self._elapsed)))
                    self._in_trouble = bool(report.problem)
                    if replace(report, left=0, seconds=0.0) != DeliveryReport():
                        (log.warning if report.problem else log.info)("delivered", **report.as_dict())
        except asyncio.CancelledError:
            log.warning("sending broken off", reason="the service stops, and the relay kept it waiting")
        except DatabaseUnreachable as error:
            log.error("failed", part="deliver", reason=str(error))  # noqa: TRY400  # its sentence says it all
        except DigestError as error:
            log.error("failed", part="deliver", reason=str(error))  # noqa: TRY400  # its sentence says it all
            self._cannot_send(str(error))
        except Exception as error:
            log.exception("failed", part="deliver")
            self._cannot_send(f"{type(error).__name__}: {error}")

    def _sent_now(self, now: datetime) -> list[int]:
        """The editions of which something is due, among what is claimed next."""
        with engines.read(self._engine) as connection:
            return list(jobs.due_by_edition(connection, now, LOOKED_AT))

    def _cannot_send(self, reason: str) -> None:
        self._feel(lambda connection: pulses.ill(connection, Part.SEND, reason, self._clock()))

    def _well(self, *parts: Part) -> None:
        now = self._clock()

        def feel(connection: Connection) -> None:
            for part in parts:
                pulses.well(connection, part, now)

        self._feel(feel)

    def _feel(self, pulse: Callable[[Connection], None]) -> None:
        """Write down how a part does. Without a database nobody could read it either."""
        try:
            with engines.write(self._engine) as connection:
                pulse(connection)
        except DigestError as error:
            log.error("failed", part="pulse", reason=str(error))  # noqa: TRY400  # its sentence says it all

    def _tell_health(self, now: datetime) -> None:
        """Say once what is wrong, and once that it is over."""
        try:
            found = health.look(self._engine, now)
        except DigestError:
            return  # whoever works says so
        if found != self._unwell:
            for fault in found:
                log.error("not well", reason=fault)
            if not found:
                log.info("well again")
        self._unwell = found

    def letters(self) -> None:
        """Write the letters that were ordered, and once a minute those that a tick writes too, which may be busy for long.

        No edition and no feed is waited for.
        """
        if self._stopping.is_set():
            return
        now = self._clock()
        parts = [("letters", self._write_orders)]
        if self._corresponded_at is None or abs(now - self._corresponded_at) >= timedelta(seconds=TICK_SECONDS):
            self._corresponded_at = now
            # A service that has just begun has not had the time to tick.
            self._begun_at = self._begun_at or now
            if now - self._begun_at >= health.NO_TICK:
                self._tell_health(now)
            parts.append(("write letters", self._write))
        for part, write in parts:
            try:
                report = asyncio.run(write(self._config(), self._engine, self._clock))
            except DigestError as error:
                log.error("failed", part=part, reason=str(error))  # noqa: TRY400  # its sentence says it all
            except Exception:
                log.exception("failed", part=part)
            else:
                if report.sent:
                    log.info("letters sent", count=report.sent)
                for problem in report.problems:
                    log.warning("letter", reason=problem)

    def tell(self) -> None:
        """Tell webhooks what has happened. Nobody waits for a receiver that is slow."""
        if self._stopping.is_set():
            return
        try:
            told = asyncio.run(self._unless_stopped(self._tell(self._config(), self._engine, self._clock)))
        except asyncio.CancelledError:
            log.info("telling broken off", reason="the service stops")
        except DigestError as error:
            log.error("failed", part="webhooks", reason=str(error))  # noqa: TRY400  # its sentence says it all
        except Exception:
            log.exception("failed", part="webhooks")
        else:
            for problem in told.problems:
                (log.error if told.given_up else log.warning)("webhook", reason=problem)

    def _doubted(self, now: datetime) -> SafeMode | None:
        """Why the service is in safe mode; None where it is not. A step of the clock counts until it is written down."""
        step = self._steps.look(now)
        self._step = step if abs(step) >= safe_mode.STEP else self._step
        found = safe_mode.look(self._engine, now, self._config().delivery.late, self._step)
        self._step = timedelta()
        if found and found != self._safe_mode:
            log.error("safe mode", doubt=found.doubt.value, reason=found.sentence, to_do=safe_mode.HOW_TO_LEAVE)
        self._safe_mode = found
        return found

    async def _deliver_until_stopped(self, clock: Steady) -> DeliveryReport:
        stop = asyncio.Event()
        work = asyncio.create_task(self._deliver(self._config(), self._engine, clock, stop=stop))
        notice = asyncio.create_task(self._notice(stop, clock))
        await asyncio.wait({work, notice}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({work}, timeout=LAST_MESSAGE_SECONDS)
        (notice if work.done() else work).cancel()
        return await work

    async def _collect_now_and_then(self, config: Config, engine: Engine, clock: Callable[[], datetime]) -> Collected:
        now = clock()
        # As with sending, a clock that has been set back must not make a wait of minutes into one of hours.
        if self._collected_at is not None and abs(now - self._collected_at) < BETWEEN_COLLECTIONS:
            return Collected()
        self._collected_at = now
        return await self._collect(config, engine, self._clock)

    async def _poll_unless_stopped(self, config: Config, engine: Engine, now: datetime) -> PollReport:
        return await self._unless_stopped(self._poll(config, engine, now))

    async def _unless_stopped(self, waited_for: Coroutine[Any, Any, T]) -> T:
        """What some work comes to.

        Raises:
            CancelledError: the service is told to stop, and the work is broken off.
        """
        work = asyncio.create_task(waited_for)
        notice = asyncio.create_task(self._notice(asyncio.Event()))
        await asyncio.wait({work, notice}, return_when=asyncio.FIRST_COMPLETED)
        (notice if work.done() else work).cancel()
        return await work

    async def _notice(self, stop: asyncio.Event, clock: Steady | None = None) -> None:
        """Set `stop` once the service is told to stop, which happens in another thread, or the clock has left `clock`."""
        while not self._stopping.is_set():
            await asyncio.sleep(NOTICE_SECONDS)
            if clock and abs(self._clock() - clock()) > A_STEP:
                break
        stop.set()


def _tell(published: Published) -> None:
    """Say what became of an edition; a warning where somebody has something to do or to explain."""
    edition = published.edition
    said: dict[str, Any] = {"edition": edition.id, "digest": edition.digest, "date": edition.date.isoformat()}
    if edition.reason:
        said["reason"] = edition.reason
    match edition.state:
        case EditionState.PROPOSED:
            log.info("proposed", **said)
        case EditionState.HELD:
            log.warning("held", **said, to_do=policy.advice(edition))
        case EditionState.MISSED:
            log.warning("missed", **said)
        case EditionState.SKIPPED:
            log.info("skipped", **said)
        case EditionState.FROZEN:
            log.info("published", **said, queued=published.queued)


def _tell_of_returns(collected: Collected) -> None:
    fates = {fate.value: number for fate, number in collected.fates.items()}
    log.info("mail came back", suppressed=collected.suppressed, **fates)
    for warning in collected.warnings:
        log.warning("mail came back", reason=warning)
