"""Readers leave, come back, choose and pause by themselves, and are told exactly what changed."""

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from digest.config import Config
from digest.language import english
from digest.links import address_key
from digest.model import WEEKDAYS, Cause, Deed, Digest, Subscription, SubscriptionState, Topic
from digest.store import engine as engines
from digest.store import subscribers, suppressions
from digest.subscribers import preferences
from digest.subscribers.consent import subscribe
from digest.subscribers.preferences import Changes, Choice
from tests.conftest import NOW

TODAY = date(2026, 2, 10)
OFFERED = (Topic("trade", "Trade"), Topic("energy", "Energy"), Topic("jobs", "Jobs"))
ANN = Subscription(1, 1, "ann@reader.example", "economy", SubscriptionState.ACTIVE, since=NOW)


@pytest.fixture
def ann(config: Config, sqlite_engine: Engine) -> Subscription:
    done = subscribe(config, sqlite_engine, ANN.address, config.digests[0], ("trade",), NOW, how="operator")
    return done.subscription


def test_leaving_twice_is_leaving_once(sqlite_engine: Engine, ann: Subscription) -> None:
    first = preferences.leave(sqlite_engine, ann.id, NOW)
    again = preferences.leave(sqlite_engine, ann.id, NOW + timedelta(days=1))

    assert first == again == replace(ann, state=SubscriptionState.ENDED, ended_at=NOW)


def test_whoever_is_erased_has_left(sqlite_engine: Engine) -> None:
    assert preferences.leave(sqlite_engine, 4711, NOW) is None


@pytest.mark.parametrize(("days", "back"), [(0, True), (30, True), (31, False)])
def test_leaving_can_be_taken_back_for_thirty_days(
    config: Config, sqlite_engine: Engine, ann: Subscription, days: int, back: bool
) -> None:
    left = preferences.leave(sqlite_engine, ann.id, NOW)

    found = preferences.undo(config, sqlite_engine, ann.id, NOW + timedelta(days=days))

    assert found == (ann if back else left)


def test_an_undo_of_nothing_does_nothing(config: Config, sqlite_engine: Engine, ann: Subscription) -> None:
    assert preferences.undo(config, sqlite_engine, ann.id, NOW) == ann
    assert preferences.undo(config, sqlite_engine, 4711, NOW) is None


def test_an_address_suppressed_since_cannot_come_back_by_its_old_link(
    config: Config, sqlite_engine: Engine, ann: Subscription
) -> None:
    left = preferences.leave(sqlite_engine, ann.id, NOW)
    with engines.write(sqlite_engine) as connection:
        suppressions.suppress(connection, address_key(ann.address, config.keys), Cause.COMPLAINED, "complaint", NOW)

    assert preferences.undo(config, sqlite_engine, ann.id, NOW) == left


def test_a_choice_is_kept(sqlite_engine: Engine, ann: Subscription) -> None:
    wanted = Choice(("jobs", "energy", "-trade"), date(2026, 3, 1), ("sat",), text_only=True)

    kept = preferences.choose(sqlite_engine, ann.id, wanted, NOW)

    assert kept == replace(
        ann,
        topics=("-trade", "energy", "jobs"),
        paused_until=date(2026, 3, 1),
        days=("sat",),
        text_only=True,
    )
    assert preferences.choose(sqlite_engine, 4711, wanted, NOW) is None


def test_each_change_is_a_row_of_history_and_what_changes_nothing_is_none(
    config: Config, sqlite_engine: Engine, ann: Subscription
) -> None:
    wanted = Choice(("trade",), None, ("sat",))
    for _ in range(2):
        preferences.choose(sqlite_engine, ann.id, wanted, NOW)
    for _ in range(2):
        preferences.leave(sqlite_engine, ann.id, NOW)
    for _ in range(2):
        preferences.undo(config, sqlite_engine, ann.id, NOW)
    with engines.read(sqlite_engine) as connection:
        told = subscribers.history(connection, ann.id)

    assert [(one.deed, one.detail) for one in told[1:]] == [
        (Deed.CHOSE, {"days": [list(WEEKDAYS), ["sat"]]}),
        (Deed.ENDED, {"was": "active"}),
        (Deed.RESUMED, {}),
    ]


@pytest.mark.parametrize(
    ("frequency", "day", "days"),
    [
        ("daily", "sat", WEEKDAYS),
        ("weekdays", "sat", WEEKDAYS[:5]),
        ("weekly", "sat", ("sat",)),
        ("weekly", "sun", ("sat",)),
        ("hourly", "", WEEKDAYS),
    ],
)
def test_a_frequency_is_days_of_the_week_and_a_week_has_one_that_the_digest_has(
    frequency: str, day: str, days: tuple[str, ...]
) -> None:
    assert preferences.days_of(frequency, day, Digest("economy", "Economy", days=WEEKDAYS[:6])) == days


def test_a_digest_offers_the_frequencies_that_make_a_difference() -> None:
    def offered(*days: str) -> list[str]:
        return list(preferences.frequencies(Digest("economy", "Economy", days=days)))

    assert offered(*WEEKDAYS) == ["daily", "weekdays", "weekly"]
    assert offered(*WEEKDAYS[:5]) == offered("sat", "sun") == ["daily", "weekly"]
    assert offered("sat") == []


def test_the_next_mail_comes_on_a_chosen_day_after_the_pause_or_never() -> None:
    digest = Digest("economy", "Economy", press=time(6), zone="UTC", days=WEEKDAYS[:5])
    weekly = replace(ANN, days=("wed",))

    assert preferences.next_mail(digest, weekly, NOW) == datetime(2026, 2, 11, 6, tzinfo=UTC)
    paused = replace(weekly, paused_until=date(2026, 2, 12))
    assert preferences.next_mail(digest, paused, NOW) == datetime(2026, 2, 18, 6, tzinfo=UTC)
    assert preferences.next_mail(digest, replace(ANN, days=("sun",)), NOW) is None
    assert preferences.next_mail(digest, replace(ANN, state=SubscriptionState.ENDED), NOW) is None


def test_all_boxes_ticked_means_every_topic_also_those_to_come() -> None:
    assert preferences.choice({"trade", "energy", "jobs"}, (), OFFERED) == ()
    assert preferences.choice({"jobs", "energy", "not-offered"}, (), OFFERED) == ("energy", "jobs")
    assert preferences.choice({"trade", "energy", "jobs"}, {"jobs", "not-offered"}, OFFERED) == ("-jobs",)
    assert preferences.choice({"trade", "jobs"}, {"jobs"}, OFFERED) == ("trade", "-jobs")


def test_an_empty_field_or_today_is_no_pause() -> None:
    assert preferences.pause(" ", TODAY, english()) is None
    assert preferences.pause("2026-02-10", TODAY, english()) is None
    assert preferences.pause("2026-02-11", TODAY, english()) == date(2026, 2, 11)
    assert preferences.pause("2027-02-10", TODAY, english()) == date(2027, 2, 10)


@pytest.mark.parametrize("until", ["2026-02-09", "2027-02-11", "tomorrow", "2026-02-30", "9999-99-99", "\x00", "²"])
def test_a_pause_that_makes_no_sense_is_refused_in_words(until: str) -> None:
    with pytest.raises(ValueError, match="Please"):
        preferences.pause(until, TODAY, english())


@given(st.text(max_size=20))
def test_whatever_a_form_sends_is_a_date_ahead_no_pause_or_refused(until: str) -> None:
    day: date | None = None
    with contextlib.suppress(ValueError):
        day = preferences.pause(until, TODAY, english())

    assert day is None or day > TODAY


def test_a_pause_that_is_over_is_none() -> None:
    assert preferences.paused(replace(ANN, paused_until=TODAY), TODAY) is None
    assert preferences.paused(replace(ANN, paused_until=date(2026, 2, 11)), TODAY) == date(2026, 2, 11)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {}, Changes()),
        ({}, {"topics": ("trade",)}, Changes(removed=("energy", "jobs"))),
        ({"topics": ("trade",)}, {"topics": ("jobs",)}, Changes(added=("jobs",), removed=("trade",))),
        ({"topics": ("trade",)}, {}, Changes(everything=True)),
        ({}, {"topics": ("-jobs",)}, Changes(muted=("jobs",))),
        ({"topics": ("-jobs",)}, {}, Changes(added=("jobs",))),
        ({"topics": ("-jobs", "trade")}, {"topics": ("trade",)}, Changes(unmuted=("jobs",))),
        ({}, {"days": ("sat",)}, Changes(days=("sat",))),
        ({"text_only": True}, {}, Changes(text_only=False)),
        ({"topics": ("trade", "gone")}, {"topics": ("trade",)}, Changes()),
        ({}, {"paused_until": date(2026, 3, 1)}, Changes(paused_until=date(2026, 3, 1))),
        ({"paused_until": date(2026, 3, 1)}, {}, Changes(unpaused=True)),
        ({"paused_until": date(2026, 2, 1)}, {}, Changes()),
        (
            {"paused_until": date(2026, 3, 1)},
            {"paused_until": date(2026, 4, 1)},
            Changes(paused_until=date(2026, 4, 1)),
        ),
    ],
)
def test_a_save_says_what_changed_and_nothing_else(
    before: dict[str, object], after: dict[str, object], changes: Changes
) -> None:
    found = preferences.changes(replace(ANN, **before), replace(ANN, **after), OFFERED, TODAY)  # type: ignore[arg-type]

    assert found == changes
    assert bool(found) == (changes != Changes())
