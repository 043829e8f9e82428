"""Limits that all senders share: what fits goes, what does not waits once, and nobody waits for somebody else's limit."""

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update

from digest.config import UnknownPolicy
from digest.delivery.quota import DAY, HOUR, Forecast, Limits, Quota, Room, day_of, forecast, hour_of, places
from digest.model import Delivery, DeliveryState
from digest.store import claims, deliveries, quotas
from digest.store import engine as engines
from digest.store.quotas import Waiting
from digest.store.tables import allowances, delivery_events, subscribers
from digest.store.tables import deliveries as table
from tests.delivery.audience import LATE, NOW, publish
from tests.delivery.runs import everyone, published, sent, states
from tests.delivery.sink import Sink, saying

MINUTE = timedelta(minutes=1)


def waiting(number: int, domain: str = "readers.example", published_at: datetime = NOW) -> list[Waiting]:
    return [Waiting(one, domain, published_at, 0, None) for one in range(number)]


def move(engine: Engine, readers: int, domain: str) -> None:
    """The first readers have their addresses elsewhere."""
    with engines.write(engine) as connection:
        some = update(subscribers).where(subscribers.c.id <= readers)
        connection.execute(some.values(address=func.replace(subscribers.c.address, "readers.example", domain)))


def hours_of(engine: Engine) -> dict[datetime, int]:
    with engines.read(engine) as connection:
        found = select(table.c.not_before, func.count()).where(table.c.state == "queued").group_by(table.c.not_before)
        return {row[0]: row[1] for row in connection.execute(found)}


# ── where there is room ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_does_not_fit_into_this_hour_has_its_place_in_the_first_that_has_room() -> None:
    found = list(places(waiting(25), Counter(), Limits(LATE, per_hour=10), NOW + 20 * MINUTE))

    assert Counter(place.hour for place in found) == {NOW: 10, NOW + HOUR: 10, NOW + 2 * HOUR: 5}
    assert [place.room for place in found] == [Room.NOW] * 10 + [Room.LATER] * 15


def test_a_crowded_domain_holds_nobody_else_up() -> None:
    crowd, others = waiting(100, "crowd.example"), waiting(5, "quiet.example")
    found = list(places([*crowd, *others], Counter(), Limits(LATE, per_domain=10), NOW))

    assert [place.room for place in found[100:]] == [Room.NOW] * 5
    assert Counter(place.hour for place in found[:100])[NOW + 9 * HOUR] == 10


def test_a_domain_may_have_a_limit_of_its_own_or_none() -> None:
    limits = Limits(LATE, per_domain=1, domains={"big.example": 3, "free.example": 0})
    some = [one for name in ("big.example", "free.example", "small.example") for one in waiting(5, name)]
    found = [place for place in places(some, Counter(), limits, NOW) if place.room is Room.NOW]

    assert Counter(place.waiting.domain for place in found) == {"big.example": 3, "free.example": 5, "small.example": 1}


def test_what_has_room_in_no_hour_before_it_is_too_late_is_known_beforehand() -> None:
    found = Counter(place.room for place in places(waiting(30), Counter(), Limits(2 * HOUR, per_hour=10), NOW))

    assert found == {Room.NOW: 10, Room.LATER: 10, Room.TOO_LATE: 10}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a.example", "b.example", "c.example"]), st.integers(-11, 0)), max_size=80),
    st.integers(0, 15),
    st.integers(0, 6),
    st.lists(st.integers(1, 40), max_size=2),
    st.integers(0, 23),
)
def test_no_limit_is_ever_passed_and_everybody_is_accounted_for(
    who: list[tuple[str, int]], per_hour: int, per_domain: int, warm_up: list[int], hour: int
) -> None:
    now = NOW.replace(hour=hour)
    limits = Limits(LATE, per_hour, per_domain, {"c.example": 2}, tuple(warm_up), now.date())
    some = [Waiting(number, name, now + timedelta(hours=ago), 0, None) for number, (name, ago) in enumerate(who)]
    found = list(places(some, Counter(), limits, now))
    placed = [place for place in found if place.room in {Room.NOW, Room.LATER}]

    assert [place.waiting for place in found] == some
    for moment, number in Counter(place.hour for place in placed).items():
        assert not per_hour or number <= per_hour
        assert moment < now + LATE
    for (_, name), number in Counter((place.hour, place.waiting.domain) for place in placed).items():
        assert number <= (limits.of_domain(name) or number)
    for day, number in Counter(day_of(place.hour) for place in placed).items():
        assert number <= (limits.of_day(day.date()) or number)


def test_a_warm_up_has_a_step_a_day_and_then_no_limit() -> None:
    limits = Limits(LATE, warm_up=(50, 100), warm_up_from=date(2026, 1, 5))
    days = [date(2026, 1, 5) + timedelta(days=number) for number in (-30, 0, 1, 2, 300)]

    assert [limits.of_day(day) for day in days] == [50, 50, 100, 0, 0]
    assert [limits.hold(datetime(2026, 1, day, tzinfo=UTC)) for day in (5, 6, 7)] == [True, True, False]


@pytest.mark.parametrize(
    ("limits", "per_second", "told"),
    [
        (Limits(LATE), 0.0, None),
        (Limits(LATE, per_hour=500), 0.0, Forecast(24, "500 an hour", 6000)),
        (Limits(LATE, per_hour=2000), 0.0, Forecast(6, "2,000 an hour", 12000)),
        (Limits(LATE), 0.5, Forecast(7, "0.5 a second", 12000)),
        (Limits(LATE, per_domain=100), 1.0, Forecast(50, "100 an hour to the 5,000 at big.example", 8200)),
        (Limits(LATE, domains={"big.example": 0}), 0.0, None),
    ],
)
def test_what_the_limits_mean_can_be_told(limits: Limits, per_second: float, told: Forecast | None) -> None:
    assert forecast(12_000, {"big.example": 5000, "small.example": 7}, limits, per_second) == told


# ── in the ledger ────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_hour_takes_its_share_until_all_are_reached(engine: Engine, tmp_path: Path) -> None:
    published(engine, 250)
    sink = Sink()
    gone = []
    for hour in range(4):
        for minute in (0, 1, 30):
            sent(engine, tmp_path, sink, NOW + hour * HOUR + minute * MINUTE, per_hour=100)
        gone.append(len(sink.accepted))

    assert gone == [100, 200, 250, 250]
    assert sorted(sink.recipients) == everyone(250)


def test_a_message_is_put_off_once_and_that_counts_as_no_try(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 30)
    for minute in range(5):
        sent(sqlite_engine, tmp_path, Sink(), NOW + minute * MINUTE, per_hour=10)

    assert hours_of(sqlite_engine) == {NOW + HOUR: 10, NOW + 2 * HOUR: 10}
    with engines.read(sqlite_engine) as connection:
        queued = table.c.state == DeliveryState.QUEUED
        assert set(connection.scalars(select(table.c.attempt).where(queued))) == {0}
        told = select(delivery_events.c.detail).where(delivery_events.c.detail.startswith("until"))
        assert Counter(connection.scalars(told)) == {
            "until 07:00 UTC, when there is room for it": 10,
            "until 08:00 UTC, when there is room for it": 10,
        }


def test_readers_elsewhere_are_mailed_though_one_domain_is_full(engine: Engine, tmp_path: Path) -> None:
    published(engine, 60)
    move(engine, 50, "crowd.example")
    sink = Sink()
    report = sent(engine, tmp_path, sink, domains=(("crowd.example", 5),))

    assert Counter(address.split("@")[1] for address in sink.recipients) == {"readers.example": 10, "crowd.example": 5}
    assert (report.sent, report.left, report.failed) == (15, 45, 0)


def test_what_no_hour_has_room_for_is_told_before_it_expires(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 100)
    first = sent(sqlite_engine, tmp_path, Sink(), per_hour=10, late_hours=3.0)
    again = sent(sqlite_engine, tmp_path, Sink(), NOW + MINUTE, per_hour=10, late_hours=3.0)

    assert first.problem == (
        "At this pace 30 of 100 readers are reached in time: the limits of [delivery] leave no room for the others within "
        "late_hours = 3. Their mail expires unless the limits are raised before."
    )
    assert (first.sent, first.left, again.problem) == (10, 90, "")
    for hour in (1, 2, 3):
        sent(sqlite_engine, tmp_path, Sink(), NOW + hour * HOUR, per_hour=10, late_hours=3.0)
    assert states(sqlite_engine) == {DeliveryState.SENT: 30, DeliveryState.EXPIRED: 70}


def test_whoever_raises_a_limit_in_time_reaches_everybody(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 100)
    sent(sqlite_engine, tmp_path, Sink(), per_hour=10, late_hours=3.0)
    for hour in (1, 2):
        sent(sqlite_engine, tmp_path, Sink(), NOW + hour * HOUR, per_hour=60, late_hours=3.0)

    assert states(sqlite_engine) == {DeliveryState.SENT: 100}


def test_a_relay_that_is_away_uses_nothing_up(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 30)
    for minute in range(4):
        sent(sqlite_engine, tmp_path, Sink(saying(GREETING="554 closed")), NOW + minute * MINUTE, per_hour=20)
    sink = Sink()
    sent(sqlite_engine, tmp_path, sink, NOW + 5 * MINUTE, per_hour=20)

    assert len(sink.accepted) == 20


def test_a_message_tried_twice_in_an_hour_counts_once(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 10)
    assert sent(sqlite_engine, tmp_path, Sink(saying(RCPT="450 4.2.1 later")), per_hour=10).deferred == 10
    assert sent(sqlite_engine, tmp_path, Sink(), NOW + 5 * MINUTE, per_hour=10).sent == 10


def test_senders_at_the_same_moment_stay_within_the_limits_together(engine: Engine) -> None:
    published(engine, 120)
    taken: list[Delivery] = []
    quotas_of = [Quota(Limits(LATE, per_hour=50)) for _ in range(3)]

    def sender(quota: Quota, name: str) -> None:
        while True:
            with engines.write(engine) as connection:
                some = quota.claim(connection, NOW, 7, name * 32, NOW + LATE)
            taken.extend(some)
            if not some and not quota.more:
                return

    threads = [
        threading.Thread(target=sender, args=(quota, name)) for quota, name in zip(quotas_of, "abc", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len({delivery.id for delivery in taken}) == 50
    assert hours_of(engine) == {NOW + HOUR: 50, NOW + 2 * HOUR: 20}


def test_without_limits_nothing_is_counted(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 10)
    sent(sqlite_engine, tmp_path, Sink())

    with engines.read(sqlite_engine) as connection:
        assert connection.scalar(select(func.count()).select_from(allowances)) == 0
        assert set(connection.scalars(select(table.c.booked_for))) == {None}


def test_places_of_an_hour_in_which_nobody_sent_are_given_anew(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 30)
    sent(sqlite_engine, tmp_path, Sink(), NOW, per_hour=10)
    sink = Sink()
    sent(sqlite_engine, tmp_path, sink, NOW + 2 * HOUR, per_hour=10)
    sent(sqlite_engine, tmp_path, sink, NOW + 3 * HOUR, per_hour=10)

    assert len(sink.accepted) == 20


# ── warm-up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_a_day_of_the_warm_up_a_part_of_the_readers_gets_the_edition(engine: Engine, tmp_path: Path) -> None:
    published(engine, 40)
    report = sent(engine, tmp_path, Sink(), warm_up=(15, 30), warm_up_from=NOW.date())

    assert (report.sent, report.expired, report.left, report.problem) == (15, 25, 0, "")
    assert states(engine) == {DeliveryState.SENT: 15, DeliveryState.EXPIRED: 25}
    with engines.read(engine) as connection:
        expired = delivery_events.c.kind == DeliveryState.EXPIRED
        reasons = set(connection.scalars(select(delivery_events.c.detail).where(expired)))
    assert reasons == {"warm-up: 15 messages on 2026-02-10"}


def test_the_part_changes_from_day_to_day_until_everybody_has_been_reached(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    published(sqlite_engine, 100)
    reached: Counter[str] = Counter()
    for day in range(20):
        now = NOW + timedelta(days=day)
        if day:
            with engines.write(sqlite_engine) as connection:
                publish(connection, 100, now, now.date())
        sink = Sink()
        sent(sqlite_engine, tmp_path, sink, now, warm_up=(10,) * 20, warm_up_from=NOW.date())
        assert len(sink.accepted) == 10
        reached.update(sink.recipients)

    assert sorted(reached) == everyone(100)
    assert max(reached.values()) <= 3


def test_a_day_counts_across_hours_and_runs(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 40)
    for hour in range(4):
        sent(sqlite_engine, tmp_path, Sink(), NOW + hour * HOUR, per_hour=6, warm_up=(15,), warm_up_from=NOW.date())

    assert states(sqlite_engine) == {DeliveryState.SENT: 15, DeliveryState.EXPIRED: 25}
    with engines.read(sqlite_engine) as connection:
        assert quotas.used(connection, {DAY}, day_of(NOW)) == {(DAY, day_of(NOW)): 15}


# ── books ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_used_adds_up_and_is_forgotten(engine: Engine) -> None:
    with engines.write(engine) as connection:
        quotas.add(connection, Counter({("all", NOW): 3, ("@a.example", NOW): 1}))
        quotas.add(connection, Counter({("all", NOW): 2, ("all", NOW + HOUR): 1}))
        assert quotas.used(connection, {"all"}, NOW) == {("all", NOW): 5, ("all", NOW + HOUR): 1}
        quotas.forget(connection, NOW + HOUR)
        assert quotas.used(connection, {"all", "@a.example"}, NOW) == {("all", NOW + HOUR): 1}


def test_domains_are_counted_without_regard_to_case(engine: Engine) -> None:
    published(engine, 5)
    move(engine, 2, "Crowd.Example")
    with engines.read(engine) as connection:
        assert quotas.domains(connection, 10) == {"readers.example": 3, "crowd.example": 2}
        assert quotas.domains(connection, 1) == {"readers.example": 3}


def test_an_erased_reader_takes_nobodys_place(engine: Engine, tmp_path: Path) -> None:
    published(engine, 6)
    with engines.write(engine) as connection:
        connection.execute(subscribers.delete().where(subscribers.c.id <= 2))
    sink = Sink()
    sent(engine, tmp_path, sink, per_hour=4)

    assert len(sink.accepted) == 4
    assert states(engine) == {DeliveryState.SENT: 4, DeliveryState.SUPPRESSED: 2}


def test_hours_and_days_begin_in_utc() -> None:
    assert hour_of(NOW + 59 * MINUTE) == NOW
    assert day_of(NOW) == datetime(2026, 2, 10, tzinfo=UTC)


def test_a_crash_gives_what_was_booked_its_place_again(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 10)
    quota = Quota(Limits(LATE, per_hour=10))
    with engines.write(sqlite_engine) as connection:
        assert len(quota.claim(connection, NOW, 4, "a" * 32, NOW + MINUTE)) == 4
    with engines.write(sqlite_engine) as connection:
        claims.sweep(connection, NOW + MINUTE, UnknownPolicy.RESEND_ONCE, LATE)
        assert deliveries.due(connection, NOW + MINUTE) == 10
    sink = Sink()
    sent(sqlite_engine, tmp_path, sink, NOW + MINUTE, per_hour=10)

    assert sorted(sink.recipients) == everyone(10)
