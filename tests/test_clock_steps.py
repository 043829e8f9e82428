"""A clock that is set, a service that was down and a database from the past: nothing comes twice, and nothing is lost.

Time here is a number that a test sets: nothing waits. The ledger, the relay and the letters are real.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, select, update

from digest import health, safe_mode, scheduler
from digest.config import Config, Sending, Site
from digest.delivery.deliver import DeliveryReport, deliver
from digest.feeds.reports import PollReport
from digest.model import DeliveryState, Doubt, EditionState, SafeMode
from digest.scheduler import Service
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import safe_modes, tables
from tests.delivery.audience import KEYS, prepare
from tests.delivery.runs import everyone, published
from tests.delivery.runs import states as deliveries_by_state
from tests.delivery.sink import Script, Session, Sink, nothing_special, saying
from tests.editions.stock import CONFIG, DAY, PRESS, TITLES, keep, settled_yesterday, states

OPERATOR = "ops@news.example"
SITE = Site(
    base_url="https://news.example", from_address="digest@news.example", contact="ed@news.example", operators=(OPERATOR,)
)  # fmt: skip
SECOND, MINUTE, HOUR, DAYS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class World:
    """A running service without its threads, and what it lives by: a clock, true time, and a relay."""

    config: Config
    engine: Engine
    now: datetime = PRESS
    lived: float = 0.0
    polls: int = 0
    logs: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    """That a run of the sender was told to stop."""
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process that knows nothing of the last."""
        self.service = Service(
            lambda: self.config,
            self.engine,
            lambda: self.now,
            poll=self._poll,
            deliver=self._deliver,
            elapsed=lambda: self.lived,
        )

    def passes(self, span: timedelta) -> None:
        """Time passes, as it should."""
        self.now += span
        self.lived += span.total_seconds()

    def steps(self, span: timedelta) -> None:
        """Somebody sets the clock."""
        self.now += span

    def works(self) -> None:
        """Each loop comes round once."""
        with structlog.testing.capture_logs() as lines:
            self.service.tick()
            self.service.send()
            self.service.letters()
        self.logs += [f"{line['event']} {line.get('doubt', '')}".strip() for line in lines]

    def works_for(self, span: timedelta, every: timedelta = MINUTE) -> None:
        for _ in range(int(span / every)):
            self.passes(every)
            self.works()

    @property
    def faults(self) -> tuple[str, ...]:
        return health.look(self.engine, self.now)

    @property
    def safe_mode(self) -> SafeMode | None:
        return safe_mode.in_force(self.engine)

    async def _poll(self, *_: object) -> PollReport:
        self.polls += 1
        return PollReport((), 0.0)

    async def _deliver(
        self,
        config: Config,
        engine: Engine,
        clock: Callable[[], datetime],
        *,
        stop: asyncio.Event,
    ) -> DeliveryReport:
        async def note() -> None:
            await stop.wait()
            self.stopped.set()

        noting = asyncio.create_task(note())
        try:
            return await deliver(config, engine, clock, prepare=prepare, stop=stop)
        finally:
            noting.cancel()


@pytest.fixture
def world(sqlite_engine: Engine, tmp_path: Path) -> World:
    """A service whose editions are made beforehand, with no relay yet."""
    config = replace(CONFIG, home=tmp_path, site=SITE, keys=KEYS, digests=(), delivery=Sending(connections=2))
    return World(config, sqlite_engine)


@pytest.fixture
def stocked(world: World) -> World:
    """One that has news for an edition of its own, and readers of none."""
    with engines.write(world.engine) as connection:
        keep(connection, TITLES, PRESS - 3 * HOUR)
    settled_yesterday(world.engine)
    world.config = replace(world.config, digests=CONFIG.digests)
    return world


@contextmanager
def relay(world: World, script: Script = nothing_special) -> Iterator[Sink]:
    """A relay that goes on serving while the service has event loops of its own."""
    sink, ready, over = Sink(script=script), threading.Event(), threading.Event()

    async def serve() -> None:
        async with sink.serving():
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    world.config = replace(world.config, relay=sink.relay)
    try:
        yield sink
    finally:
        over.set()
        thread.join()


def mailed(sink: Sink) -> list[str]:
    """What operators were told, as plain words."""
    return [_words(body) for to, body in sink.accepted if to == OPERATOR]


def _words(body: bytes) -> str:
    mail = message_from_bytes(body, policy=policy.default)
    plain = mail.get_body(("plain",))
    assert plain is not None
    return " ".join(f"{mail['Subject']} {plain.get_content()}".split())


def readers(sink: Sink) -> list[str]:
    return sorted(to for to in sink.recipients if to != OPERATOR)


# ── down for a while ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("down", "back", "made"),
    [
        (10 * MINUTE, 5 * MINUTE, [DAY]),
        (5 * HOUR, 2 * HOUR, [DAY]),
        (3 * DAYS, 2 * HOUR, [DAY]),
        (3 * DAYS, 13 * HOUR, []),
    ],
)
def test_after_being_down_the_newest_edition_is_made_once_unless_it_is_too_late_and_older_ones_are_missed(
    stocked: World, down: timedelta, back: timedelta, made: list[date]
) -> None:
    """`back` after a slot; the editions before the service went down were made."""
    world = stocked
    went_down = PRESS + back - down
    last = DAY - timedelta(days=1)
    while last > went_down.date() or (last == went_down.date() and went_down < PRESS - (DAY - last)):
        last -= timedelta(days=1)
    _only_edition(world, last)
    world.now = PRESS + back
    world.works()
    world.works_for(2 * MINUTE)

    found = states(world.engine)
    assert [day for day, state in found.items() if state is EditionState.FROZEN and day > last] == made
    between = [last + timedelta(days=days) for days in range(1, (DAY - last).days + (not made))]
    assert [day for day, state in found.items() if state is EditionState.MISSED] == between
    assert world.safe_mode is None


def _only_edition(world: World, day: date) -> None:
    with engines.write(world.engine) as connection:
        connection.execute(update(tables.editions).values(date=day))


def test_an_edition_resumed_thirteen_hours_late_is_sent_to_nobody_and_operators_are_told_once(world: World) -> None:
    published(world.engine, 5)
    with relay(world, saying(MAIL="451 4.3.0 later")):
        world.works()
    world.passes(13 * HOUR)
    world.restart()
    with relay(world) as sink:
        world.works_for(5 * MINUTE)

    assert (readers(sink), world.safe_mode) == ([], None)
    assert deliveries_by_state(world.engine) == {DeliveryState.EXPIRED: 5}
    assert [told for told in mailed(sink) if "5 messages were not sent" in told] == [
        told for told in mailed(sink) if "Too late" in told
    ]
    assert len([told for told in mailed(sink) if "Too late" in told]) == 1


# ── the clock is set ────────────────────────────────────────────────────────────────────────────────────────

STEPS = [HOUR, -HOUR, DAYS, -DAYS, 3653 * DAYS]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_clock_set_while_idle_makes_no_edition_twice_and_loses_none(stocked: World, step: timedelta) -> None:
    """Set right again after ten minutes; a step of a day or more is confirmed by an operator before."""
    world = stocked
    world.works_for(10 * MINUTE)
    world.steps(step)
    world.works_for(10 * MINUTE)
    assert bool(world.safe_mode) == (abs(step) >= DAYS)
    world.steps(-step)
    world.works_for(10 * MINUTE)
    safe_mode.leave(world.engine, world.now, "set right")
    world.works_for(10 * MINUTE)

    assert (world.safe_mode, world.faults) == (None, ())
    assert states(world.engine) == {DAY - timedelta(days=1): EditionState.FROZEN, DAY: EditionState.FROZEN}
    with engines.write(world.engine) as connection:
        keep(connection, ("Crude jumps after a fire in Rotterdam", "Payrolls in Chile swell"), PRESS + 20 * HOUR)
    world.passes(DAYS - 40 * MINUTE)
    world.works()
    assert states(world.engine)[DAY + timedelta(days=1)] is EditionState.FROZEN


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_clock_set_while_sending_sends_nothing_twice_and_loses_nobody(world: World, step: timedelta) -> None:
    published(world.engine, 60)
    stepped: list[str] = []

    def script(verb: str, _session: Session) -> str | None:
        if verb == "DOT" and len(sink.accepted) == 20 and not stepped:
            stepped.append(verb)
            world.steps(step)
            world.stopped.wait(5)
        return None

    with relay(world, script) as sink:
        world.works()
        assert world.stopped.is_set()
        assert 20 < len(readers(sink)) < 60
        world.works_for(10 * MINUTE)
        if abs(step) >= DAYS:
            assert world.safe_mode
            held = len(readers(sink))
            world.works_for(HOUR, 10 * MINUTE)
            assert len(readers(sink)) == held
        world.steps(-step)
        world.works_for(2 * MINUTE)
        safe_mode.leave(world.engine, world.now, "set right")
        world.works_for(20 * MINUTE)

    assert stepped
    assert readers(sink) == everyone(60)
    assert deliveries_by_state(world.engine) == {DeliveryState.SENT: 60}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_run_goes_on_by_the_time_that_passes_however_late_a_step_is_noticed(
    world: World, step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither leases nor `late_hours` are judged by the clock that was set."""
    monkeypatch.setattr(scheduler, "NOTICE_SECONDS", 60)
    published(world.engine, 60)

    def script(verb: str, _session: Session) -> str | None:
        if verb == "DOT" and len(sink.accepted) == 20:
            world.now = PRESS + step
        return None

    with relay(world, script) as sink:
        world.service.send()

    assert readers(sink) == everyone(60)
    assert deliveries_by_state(world.engine) == {DeliveryState.SENT: 60}


@pytest.mark.parametrize("ahead", [HOUR, 20 * HOUR, 3653 * DAYS])
def test_what_a_clock_that_ran_ahead_put_off_is_not_put_off_for_as_long(world: World, ahead: timedelta) -> None:
    """A deferral, a lease and a feed's next poll, written by a clock that was wrong."""
    published(world.engine, 2)
    with engines.write(world.engine) as connection:
        keep(connection, TITLES, PRESS - HOUR)
        ids = connection.scalars(select(tables.deliveries.c.id).order_by(tables.deliveries.c.id)).all()
        one, other = (update(tables.deliveries).where(tables.deliveries.c.id == key) for key in ids)
        wrong = PRESS + ahead + 5 * HOUR
        connection.execute(one.values(not_before=wrong))
        connection.execute(other.values(state=DeliveryState.CLAIMED, attempt=1, lease_token="t", lease_until=wrong))
        connection.execute(update(tables.feeds).values(next_poll_at=PRESS + ahead + 50 * HOUR))
    with relay(world) as sink:
        world.works_for(20 * MINUTE)

    assert readers(sink) == everyone(2)
    with engines.read(world.engine) as connection:
        assert set(connection.scalars(select(tables.feeds.c.next_poll_at <= world.now))) == {True}


def test_waits_that_are_in_order_are_left_alone(world: World) -> None:
    published(world.engine, 1)
    with engines.write(world.engine) as connection:
        keep(connection, TITLES, PRESS - HOUR)
        connection.execute(update(tables.deliveries).values(not_before=PRESS + 67 * MINUTE))
        connection.execute(update(tables.feeds).values(next_poll_at=PRESS + 26 * HOUR))
    world.works()

    with engines.read(world.engine) as connection:
        assert connection.scalar(select(tables.deliveries.c.not_before)) == PRESS + 67 * MINUTE
        assert set(connection.scalars(select(tables.feeds.c.next_poll_at))) == {PRESS + 26 * HOUR}


# ── safe mode ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_of_a_day_stops_everything_that_writes_times_and_is_told_once(stocked: World) -> None:
    world = stocked
    world.now -= 12 * HOUR
    world.works()
    with relay(world) as sink:
        world.steps(3653 * DAYS)
        polls = world.polls
        world.works_for(10 * MINUTE)

    (told,) = mailed(sink)
    assert "Safe mode: the clock cannot be right" in told
    assert "digest safe-mode --leave" in told
    assert world.logs.count("safe mode clock") == 1
    assert world.polls == polls
    assert [fault.startswith("Safe mode") for fault in world.faults] == [True]
    assert DAY not in states(world.engine)


def test_a_restored_backup_is_not_mailed_again_until_an_operator_says_so(world: World) -> None:
    """Half of the edition is sent, a backup is made, the rest is sent; then the backup is put in place."""
    published(world.engine, 10)
    with relay(world) as sink:
        world.works()
        assert readers(sink) == everyone(10)
        with engines.write(world.engine) as connection:
            half = tables.deliveries.c.id % 2 == 0
            connection.execute(update(tables.deliveries).where(half).values(state=DeliveryState.QUEUED))
        world.passes(6 * HOUR + MINUTE)
        world.restart()
        world.works_for(30 * MINUTE)

        assert len(readers(sink)) == 10
        (told,) = mailed(sink)
        assert "If it comes from a backup" in told
        assert world.polls > 20
        assert safe_mode.leave(world.engine, world.now, "looked")
        world.works()
        assert len(readers(sink)) == 15


def test_hours_of_silence_are_not_doubtful_where_no_edition_is_being_sent(world: World) -> None:
    world.works()
    world.passes(3 * DAYS)
    world.restart()
    world.works()

    assert world.safe_mode is None


def test_a_sender_that_is_at_work_when_safe_mode_begins_elsewhere_takes_no_more(world: World) -> None:
    published(world.engine, 60)

    def script(verb: str, _session: Session) -> str | None:
        if verb == "DOT" and len(sink.accepted) == 5 and not world.safe_mode:
            with engines.write(world.engine) as connection:
                safe_modes.begin(connection, Doubt.LEDGER, "It is doubtful.", world.now)
            world.passes(2 * MINUTE)
        return None

    with relay(world, script) as sink:
        world.service.send()

    assert 5 < len(readers(sink)) < 40
    with engines.read(world.engine) as connection:
        assert ledger.waiting(connection) == 60 - len(readers(sink))


@pytest.mark.parametrize(
    ("last", "step", "doubted"),
    [
        (None, timedelta(), None),
        (-5 * HOUR, timedelta(), None),
        (-7 * HOUR, timedelta(), Doubt.LEDGER),
        (23 * HOUR, timedelta(), None),
        (24 * HOUR, timedelta(), Doubt.CLOCK),
        (-MINUTE, 23 * HOUR, None),
        (-MINUTE, 24 * HOUR, Doubt.CLOCK),
        (-MINUTE, -24 * HOUR, Doubt.CLOCK),
    ],
)
def test_what_is_doubtful(last: timedelta | None, step: timedelta, doubted: Doubt | None) -> None:
    found = safe_mode.doubt(None if last is None else PRESS + last, PRESS, step)

    assert (found[0] if found else None) == doubted
