"""The scheduler calls again and again, survives what it calls, and stops when it is told to."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from digest import scheduler
from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.delivery.deliver import DeliveryReport
from digest.delivery.feedback.absorb import Fate
from digest.delivery.feedback.collect import Collected
from digest.delivery.post import PostReport
from digest.editions.publish import Published
from digest.errors import MailboxTrouble, WorkError
from digest.feeds.reports import FeedReport, PollReport
from digest.model import DeliveryState, Digest, Edition, EditionState, Feed, Memory, PollOutcome, Window
from digest.retention import Kind, Tidied
from digest.scheduler import STOP_SECONDS, Service
from digest.store import editions, feeds, pulses, tables
from digest.store import engine as engines
from digest.store.pulses import Part
from digest.tick import tick
from digest.webhooks import Told
from tests.conftest import NOW
from tests.editions.stock import CONFIG as STOCK
from tests.editions.stock import TITLES, keep

EDITION = Edition(
    "economy", "The Economic Digest", date(2026, 2, 10), Window(NOW - timedelta(hours=36), NOW), (), published_at=NOW
)
PUBLISHED = Published(EDITION, created=True, queued=3)
POLLED = PollReport((), 0.0)


class Verbs:
    """Notes who was called, in which order, and does as it is told."""

    def __init__(self, *, publish: Callable[[], None] = lambda: None, poll: Callable[[], None] = lambda: None) -> None:
        self.called: list[str] = []
        self._publish, self._poll = publish, poll
        self.delivering = threading.Event()
        self.polling = threading.Event()

    def publish(self, config: Config, engine: Engine, now: datetime) -> Sequence[Published]:
        self.called.append("publish")
        self._publish()
        return [PUBLISHED]

    async def poll(self, config: Config, engine: Engine, now: datetime) -> PollReport:
        self.called.append("poll")
        self.polling.set()
        self._poll()
        return POLLED

    async def poll_for_ever(self, config: Config, engine: Engine, now: datetime) -> PollReport:
        self.polling.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.called.append("poll broken off")
        return POLLED

    async def deliver(self, config: Config, engine: Engine, clock: object, *, stop: asyncio.Event) -> DeliveryReport:
        self.called.append("deliver")
        self.delivering.set()
        return DeliveryReport(sent=3)

    async def deliver_until_stopped(
        self, config: Config, engine: Engine, clock: object, *, stop: asyncio.Event
    ) -> DeliveryReport:
        self.delivering.set()
        await stop.wait()
        self.called.append("finished what was in flight")
        return DeliveryReport(sent=1)


def fail() -> None:
    raise WorkError("the disk is full")


def bug() -> None:
    raise ZeroDivisionError("in the ranking")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        home=tmp_path,
        site=Site(),
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(),
        digests=(Digest("economy", "The Economic Digest"),),
        topics=(),
        feeds=(),
        database_url="",
        keys=("a-key-for-these-tests-only",),
    )


@pytest.fixture
def at_work(sqlite_engine: Engine) -> Engine:
    """A database whose feeds were polled a minute ago."""
    with engines.write(sqlite_engine) as connection:
        feeds.sync(connection, [Feed("https://harbour.example/feed", "Harbour Wire")], NOW)
        (known,) = feeds.configured(connection)
        polled = Memory(NOW + timedelta(hours=1), polled_at=NOW - timedelta(minutes=1))
        feeds.remember(connection, [(known, polled)])
    return sqlite_engine


def queue(engine: Engine) -> None:
    """A delivery that is due."""
    with engines.write(engine) as connection:
        stored = editions.insert(connection, EDITION)
        assert stored is not None
        connection.execute(
            tables.deliveries.insert().values(
                edition_id=stored.id,
                subscriber_id=1,
                subscription_id=1,
                address_key="key",
                state=DeliveryState.QUEUED,
                not_before=NOW,
                queued_at=NOW,
                changed_at=NOW,
            )
        )


def test_a_tick_publishes_before_it_polls_so_that_no_edition_waits_for_slow_feeds(
    config: Config, at_work: Engine
) -> None:
    verbs = Verbs()

    report = tick(config, at_work, NOW, publish=verbs.publish, poll=verbs.poll)

    assert verbs.called == ["publish", "poll"]
    assert (report.published, report.polled, report.problems) == ((PUBLISHED,), POLLED, ())


def test_after_a_long_sleep_a_tick_polls_first_so_that_an_edition_has_news(config: Config, at_work: Engine) -> None:
    verbs = Verbs()

    tick(config, at_work, NOW + timedelta(hours=2), publish=verbs.publish, poll=verbs.poll)

    assert verbs.called == ["poll", "publish"]


def test_the_first_tick_of_all_polls_first(config: Config, sqlite_engine: Engine) -> None:
    verbs = Verbs()

    tick(config, sqlite_engine, NOW, publish=verbs.publish, poll=verbs.poll)

    assert verbs.called == ["poll", "publish"]


@pytest.mark.parametrize(
    ("accident", "words"), [(fail, "the disk is full"), (bug, "ZeroDivisionError: in the ranking")]
)
@pytest.mark.parametrize("hours", [0, 2])
def test_one_part_that_fails_is_told_and_keeps_no_other_from_its_work(
    config: Config, at_work: Engine, accident: Callable[[], None], words: str, hours: int
) -> None:
    now = NOW + timedelta(hours=hours)
    no_edition, no_news = Verbs(publish=accident), Verbs(poll=accident)

    without_edition = tick(config, at_work, now, publish=no_edition.publish, poll=no_edition.poll)
    without_news = tick(config, at_work, now, publish=no_news.publish, poll=no_news.poll)

    assert (without_edition.published, without_edition.polled, without_edition.problems) == ((), POLLED, (words,))
    assert (without_news.published, without_news.polled, without_news.problems) == ((PUBLISHED,), None, (words,))
    assert sorted(no_edition.called) == sorted(no_news.called) == ["poll", "publish"]


def test_without_a_database_a_tick_says_so_and_comes_to_its_end(config: Config, tmp_path: Path) -> None:
    verbs = Verbs()

    report = tick(
        config, engines.connect(f"sqlite:///{tmp_path}/absent/x.db"), NOW, publish=verbs.publish, poll=verbs.poll
    )

    assert verbs.called == ["publish", "poll"]
    assert len(set(report.problems)) == 1
    assert "cannot be used" in report.problems[0]


def test_what_came_back_is_taken_in_by_a_tick_and_trouble_with_it_keeps_nothing_else_from_its_work(
    config: Config, at_work: Engine
) -> None:
    verbs = Verbs()
    back = Collected(Counter({Fate.APPLIED: 2}), 1)

    async def collect(*_: object) -> Collected:
        return back

    async def fail_to(*_: object) -> Collected:
        raise MailboxTrouble("mail.example:993", "who are you")

    taken = tick(config, at_work, NOW, publish=verbs.publish, poll=verbs.poll, collect=collect)
    without = tick(config, at_work, NOW, publish=verbs.publish, poll=verbs.poll, collect=fail_to)

    assert (taken.collected, taken.problems) == (back, ())
    assert (without.collected, without.polled, len(without.problems)) == (None, POLLED, 1)
    assert "mail.example:993" in without.problems[0]


def test_the_mailbox_is_looked_into_every_few_minutes_and_what_it_held_is_told(config: Config, at_work: Engine) -> None:
    verbs, now = Verbs(), [NOW]
    visits: list[datetime] = []

    async def collect(_config: Config, _engine: Engine, clock: Callable[[], datetime]) -> Collected:
        visits.append(clock())
        return Collected(Counter({Fate.APPLIED: 3, Fate.FORGED: 1}), 2, ("Edition 1: 9 readers complained.",))

    service = Service(lambda: config, at_work, lambda: now[0], publish=verbs.publish, poll=verbs.poll, collect=collect)
    with structlog.testing.capture_logs() as logs:
        for _ in range(11):
            service.tick()
            now[0] += timedelta(minutes=1)
        now[0] = NOW - timedelta(hours=23)
        service.tick()

    assert visits == [NOW + timedelta(minutes=minute) for minute in (0, 5, 10)] + [NOW - timedelta(hours=23)]
    told = [line for line in logs if line["event"] == "mail came back"]
    assert told[0] == {"event": "mail came back", "log_level": "info", "suppressed": 2, "applied": 3, "forged": 1}
    assert told[1]["log_level"] == "warning"


def test_ticks_may_be_repeated(config: Config, sqlite_engine: Engine) -> None:
    """With the real verbs and nothing to read: the second tick does no more than the first."""
    first = tick(config, sqlite_engine, NOW)
    second = tick(config, sqlite_engine, NOW)

    assert (first.problems, second.problems) == ((), ())
    assert second.published == ()


def test_the_sender_is_called_when_something_is_due_and_looks_around_once_a_minute(
    config: Config, sqlite_engine: Engine
) -> None:
    verbs = Verbs()
    now = NOW
    service = Service(lambda: config, sqlite_engine, lambda: now, deliver=verbs.deliver)

    service.send()
    service.send()
    assert verbs.called == ["deliver"]

    queue(sqlite_engine)
    service.send()
    service.send()
    assert verbs.called == ["deliver"] * 3


def test_the_sender_looks_again_after_a_minute_for_what_a_crash_left_behind(
    config: Config, sqlite_engine: Engine
) -> None:
    verbs = Verbs()
    times = iter([NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])
    service = Service(lambda: config, sqlite_engine, lambda: next(times), deliver=verbs.deliver)

    for _ in range(3):
        service.send()

    assert verbs.called == ["deliver", "deliver"]


def test_a_sender_that_fails_is_called_again(config: Config, sqlite_engine: Engine) -> None:
    called = []

    async def deliver(*_: object, stop: asyncio.Event) -> DeliveryReport:
        called.append(stop)
        (fail if len(called) == 1 else bug)()
        return DeliveryReport()

    queue(sqlite_engine)
    service = Service(lambda: config, sqlite_engine, lambda: NOW, deliver=deliver)

    for _ in range(3):
        service.send()

    assert len(called) == 3


def test_a_started_service_ticks_and_sends_at_once(config: Config, sqlite_engine: Engine) -> None:
    verbs = Verbs()
    queue(sqlite_engine)
    service = Service(
        lambda: config, sqlite_engine, lambda: NOW, publish=verbs.publish, poll=verbs.poll, deliver=verbs.deliver
    )

    service.start()
    polled, delivered = verbs.polling.wait(5), verbs.delivering.wait(5)

    assert service.stop()
    assert polled
    assert delivered


def test_a_stopped_service_breaks_off_polling_and_lets_the_sender_finish(config: Config, at_work: Engine) -> None:
    verbs = Verbs()
    queue(at_work)
    service = Service(
        lambda: config,
        at_work,
        lambda: NOW,
        publish=verbs.publish,
        poll=verbs.poll_for_ever,
        deliver=verbs.deliver_until_stopped,
    )
    service.start()
    assert verbs.polling.wait(5)
    assert verbs.delivering.wait(5)
    began = time.monotonic()

    assert service.stop()
    assert time.monotonic() - began < STOP_SECONDS / 2
    assert sorted(verbs.called) == ["finished what was in flight", "poll broken off", "publish"]
    service.send()
    assert sorted(verbs.called) == ["finished what was in flight", "poll broken off", "publish"]


def test_a_stopped_service_does_not_wait_for_a_relay_that_says_nothing(
    config: Config, at_work: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "LAST_MESSAGE_SECONDS", 0.1)
    given_back = threading.Event()
    verbs = Verbs()

    async def deliver(*_: object, stop: asyncio.Event) -> DeliveryReport:
        verbs.delivering.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert stop.is_set()
            given_back.set()
        return DeliveryReport()

    queue(at_work)
    service = Service(lambda: config, at_work, lambda: NOW, publish=verbs.publish, poll=verbs.poll, deliver=deliver)
    service.start()
    assert verbs.delivering.wait(5)

    assert service.stop()
    assert given_back.is_set()


def test_the_calls_are_never_dropped_for_coming_late_and_never_run_twice_at_once(
    config: Config, sqlite_engine: Engine
) -> None:
    """APScheduler's own settings would drop a daily run that starts a second late."""
    verbs = Verbs()
    service = Service(
        lambda: config, sqlite_engine, lambda: NOW, publish=verbs.publish, poll=verbs.poll, deliver=verbs.deliver
    )
    service.start()
    jobs = {job.id: job for job in service._scheduler.get_jobs()}
    service.stop()

    assert {name: job.trigger.interval for name, job in jobs.items()} == {
        "tick": timedelta(seconds=60),
        "send": timedelta(seconds=5),
        "letters": timedelta(seconds=2),
        "tell": timedelta(seconds=10),
    }
    assert {(job.coalesce, job.misfire_grace_time, job.max_instances) for job in jobs.values()} == {(True, None, 1)}
    assert all(job.next_run_time.tzinfo is UTC for job in jobs.values())


def test_letters_are_written_while_a_tick_polls_and_an_edition_is_under_way(config: Config, at_work: Engine) -> None:
    verbs = Verbs()
    written = threading.Event()

    async def write_orders(*_: object) -> PostReport:
        if verbs.polling.is_set() and verbs.delivering.is_set():
            written.set()
        return PostReport()

    queue(at_work)
    service = Service(
        lambda: config,
        at_work,
        lambda: NOW,
        publish=verbs.publish,
        poll=verbs.poll_for_ever,
        write_orders=write_orders,
        deliver=verbs.deliver_until_stopped,
    )
    service.start()
    while_busy = written.wait(6)

    assert service.stop()
    assert while_busy


def test_editors_and_operators_are_written_to_once_a_minute_beside_the_ticks(
    config: Config, sqlite_engine: Engine
) -> None:
    called = []

    async def write(*_: object) -> PostReport:
        called.append("matters")
        return PostReport()

    async def write_orders(*_: object) -> PostReport:
        called.append("orders")
        (fail if called.count("orders") == 1 else bug)()
        return PostReport()

    times = iter([NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])
    service = Service(lambda: config, sqlite_engine, lambda: next(times), write=write, write_orders=write_orders)
    for _ in range(3):
        service.letters()

    assert called == ["orders", "matters", "orders", "orders", "matters"]


def test_a_service_that_has_just_begun_is_not_said_to_be_unwell_and_one_that_never_ticks_is(
    config: Config, sqlite_engine: Engine
) -> None:
    async def write(*_: object) -> PostReport:
        return PostReport()

    moment, said = [NOW], []
    service = Service(lambda: config, sqlite_engine, lambda: moment[0], write=write, write_orders=write)
    for minute in range(5):
        moment[0] = NOW + timedelta(minutes=minute)
        with structlog.testing.capture_logs() as logs:
            service.letters()
        said.append([line["event"] for line in logs])

    assert said == [[], [], [], ["not well"], []]


def test_what_a_webhook_did_not_take_is_logged_and_an_accident_keeps_nothing_from_being_told_later(
    config: Config, sqlite_engine: Engine
) -> None:
    calls = []

    async def tell(*_: object) -> Told:
        calls.append(1)
        (fail, bug, lambda: None)[len(calls) - 1]()
        return Told(put_off=1, problems=("crm did not take it.",))

    service = Service(lambda: config, sqlite_engine, lambda: NOW, tell=tell)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            service.tell()

    assert [line.get("part", line.get("reason")) for line in logs] == ["webhooks", "webhooks", "crm did not take it."]


def test_a_stopped_service_does_not_wait_for_a_receiver_that_says_nothing(
    config: Config, sqlite_engine: Engine
) -> None:
    verbs, waiting = Verbs(), threading.Event()

    async def tell(*_: object) -> Told:
        waiting.set()
        await asyncio.Event().wait()
        return Told()

    service = Service(
        lambda: config,
        sqlite_engine,
        lambda: NOW,
        publish=verbs.publish,
        poll=verbs.poll,
        deliver=verbs.deliver,
        tell=tell,
    )
    service.start()
    assert waiting.wait(6)

    assert service.stop()


def test_what_a_tick_brought_is_in_the_day_as_it_stands_and_is_told(sqlite_engine: Engine) -> None:
    """With a real store: the first tick looks at what is there, a poll with news adds it, one without changes nothing."""
    titles: list[tuple[str, ...]] = [TITLES[:2], (), ("Crude jumps after a refinery fire in Rotterdam",)]

    async def poll(config: Config, engine: Engine, now: datetime) -> PollReport:
        new = titles.pop(0)
        with engines.write(engine) as connection:
            keep(connection, new, now - timedelta(minutes=10))
        return PollReport((FeedReport("a feed", PollOutcome.FETCHED, articles_new=len(new)),), 0.0)

    times = iter([NOW + timedelta(hours=hours) for hours in range(9)])
    service = Service(lambda: STOCK, sqlite_engine, lambda: next(times), publish=lambda *_: (), poll=poll)
    days = []
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            service.tick()
            days.append(service.standing.last("economy"))

    first, second, third = days
    assert first is not None
    assert third is not None
    assert {item.title for item in first.edition.items} == set(TITLES[:2])
    assert second is first
    assert "Crude jumps after a refinery fire in Rotterdam" in {item.title for item in third.edition.items}
    told = [line for line in logs if line["event"] == "standing"]
    assert [(line["new"], line["changed"], line["stories"]) for line in told] == [(2, 2, 2), (1, 1, 3)]
    assert told[0]["top"] == first.edition.items[0].title
    assert told[0]["milliseconds"] >= 0


def test_each_loop_leaves_a_sign_when_it_came_to_its_end_and_none_when_it_failed(at_work: Engine) -> None:
    verbs = Verbs(publish=fail)
    Service(lambda: STOCK, at_work, lambda: NOW, publish=verbs.publish, poll=verbs.poll).tick()
    with engines.read(at_work) as connection:
        felt = pulses.standing(connection)

    assert {part for part, pulse in felt.items() if pulse.well_at == NOW} == {
        *(Part.TICK, Part.POLL, Part.COLLECT, Part.RETENTION)
    }
    assert felt[Part.PUBLISH].well_at is None


def test_what_a_tick_has_no_time_to_let_go_of_is_left_to_the_next_and_then_to_the_next_day(
    at_work: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = Verbs()
    moments = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2), NOW + timedelta(days=1, minutes=1)]
    ends = iter([Tidied(Counter({Kind.ARTICLES: 7}), whole=False), Tidied(Counter()), Tidied(Counter())])
    asked: list[datetime] = []

    def tidy(config: Config, engine: Engine, moment: datetime, **_: object) -> Tidied:
        asked.append(moment)
        return next(ends)

    monkeypatch.setattr(scheduler, "tidy", tidy)
    time_of_tick = [NOW]
    service = Service(lambda: STOCK, at_work, lambda: time_of_tick[0], publish=verbs.publish, poll=verbs.poll)
    felt = []
    with structlog.testing.capture_logs() as logs:
        for moment in moments:
            time_of_tick[0] = moment
            service.tick()
            with engines.read(at_work) as connection:
                felt.append(pulses.standing(connection)[Part.RETENTION].well_at)

    assert asked == [moments[0], moments[1], moments[3]]
    assert felt == [None, moments[1], moments[1], moments[3]]
    assert [line["articles"] for line in logs if line["event"] == "forgotten"] == [7]


def test_a_stop_breaks_off_what_is_being_let_go_of(at_work: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    broken_off: list[bool] = []

    def tidy(*_: object, rest: Callable[[float], bool]) -> Tidied:
        begun.set()
        broken_off.append(rest(60.0))
        return Tidied(Counter(), whole=False)

    monkeypatch.setattr(scheduler, "tidy", tidy)
    verbs = Verbs()
    service = Service(
        lambda: STOCK, at_work, lambda: NOW, publish=verbs.publish, poll=verbs.poll, deliver=verbs.deliver
    )
    service.start()

    assert begun.wait(10)
    assert service.stop()
    assert broken_off == [True]


def test_a_day_that_cannot_be_looked_at_is_told_and_stops_nothing(
    at_work: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = Verbs()
    service = Service(lambda: STOCK, at_work, lambda: NOW, publish=verbs.publish, poll=verbs.poll)
    with structlog.testing.capture_logs() as logs:
        for accident in (fail, bug):
            monkeypatch.setattr(service.standing, "look", lambda *_, accident=accident: accident())
            service.tick()

    assert [line["event"] for line in logs if line.get("part") == "standing"] == ["failed", "failed"]
    assert verbs.called == ["publish", "poll"] * 2


def test_a_relay_in_trouble_is_left_alone_for_a_minute(config: Config, sqlite_engine: Engine) -> None:
    """Every run claims and gives back, logs in anew and writes to the log, so that one every five seconds harms."""
    called = []
    times = iter([NOW, NOW + timedelta(seconds=5), NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])

    async def deliver(*_: object, stop: asyncio.Event) -> DeliveryReport:
        called.append(stop)
        return DeliveryReport(left=1, problem="The relay does not answer.")

    queue(sqlite_engine)
    service = Service(lambda: config, sqlite_engine, lambda: next(times), deliver=deliver)

    for _ in range(3):
        service.send()
    assert len(called) == 1
    service.send()
    assert len(called) == 2


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        (EditionState.FROZEN, "", {"event": "published", "log_level": "info", "queued": 3}),
        (EditionState.FROZEN, "A quiet day.", {"event": "published", "log_level": "info", "reason": "A quiet day."}),
        (EditionState.HELD, "A quiet day.", {"event": "held", "log_level": "warning", "reason": "A quiet day."}),
        (EditionState.SKIPPED, "A holiday.", {"event": "skipped", "log_level": "info", "reason": "A holiday."}),
        (EditionState.MISSED, "Too late.", {"event": "missed", "log_level": "warning", "reason": "Too late."}),
    ],
)
def test_the_log_says_what_became_of_an_edition_and_why(
    config: Config, at_work: Engine, state: EditionState, reason: str, told: dict[str, object]
) -> None:
    edition = replace(EDITION, state=state, reason=reason)
    verbs = Verbs()
    service = Service(
        lambda: config,
        at_work,
        lambda: NOW,
        publish=lambda *_: [Published(edition, created=True, queued=3)],
        poll=verbs.poll,
    )

    with structlog.testing.capture_logs() as lines:
        service.tick()

    (line,) = (line for line in lines if line["event"] != "standing")
    assert {key: line[key] for key in told} == told
    assert (line["digest"], line["date"]) == ("economy", "2026-02-10")
    assert ("digest approve" in str(line.get("to_do"))) is (state is EditionState.HELD)
