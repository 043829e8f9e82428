"""Feeds in the store: what is configured, what is due, and how each is doing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from digest.model import (
    Alert,
    Article,
    Coverage,
    Feed,
    Habits,
    Hold,
    KnownFeed,
    Memory,
    Move,
    PollOutcome,
    Validators,
    Window,
)
from digest.store import articles, feeds
from digest.store.engine import read, write
from digest.store.feeds import FeedState
from digest.store.tables import feeds as table

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WIRE = Feed("https://wire.example/feed", "Harbour Wire", 1.2, "en", ("trade",), timedelta(minutes=30))
PAPER = Feed("https://paper.example/feed", "Paper")


def sync(engine: Engine, *configured: Feed, now: datetime = NOW) -> None:
    with write(engine) as conn:
        feeds.sync(conn, configured, now)


def known(engine: Engine, feed: Feed) -> KnownFeed:
    with read(engine) as conn:
        found = feeds.by_url(conn, feed.url)
    assert found
    return found


def remember(engine: Engine, feed: Feed, memory: Memory) -> None:
    with write(engine) as conn:
        feeds.remember(conn, [(known(engine, feed), memory)])


def due(engine: Engine, now: datetime) -> list[Feed]:
    with read(engine) as conn:
        return [known.feed for known in feeds.due(conn, now)]


def states(engine: Engine) -> list[FeedState]:
    with read(engine) as conn:
        return feeds.states(conn)


def test_a_new_feed_is_due_at_once_with_all_its_settings(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)

    assert set(due(engine, NOW)) == {WIRE, PAPER}


def test_what_the_editor_changes_takes_effect_and_the_rest_is_remembered(engine: Engine) -> None:
    sync(engine, WIRE)
    remember(engine, WIRE, Memory(LATER, Validators('"1"'), "h"))
    changed = replace(WIRE, publisher="The Harbour Wire", weight=0.5, language=None, topics=(), poll=None, paused=True)

    sync(engine, changed, now=LATER)

    assert known(engine, WIRE).feed == changed
    assert known(engine, WIRE).memory == Memory(LATER, Validators('"1"'), "h")


def test_everything_that_is_remembered_comes_back_and_can_be_forgotten(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)
    moments = {
        name: NOW + timedelta(minutes=number)
        for number, name in enumerate(
            (
                *("next_poll_at", "polled_at", "whole_at", "succeeded_at", "new_at", "read_since", "failing_since"),
                *("missing_since", "retired_at", "flooded_at", "overflowed_at"),
            )
        )
    }
    memory = Memory(
        **moments,
        validators=Validators('"1"', "Tue, 10 Feb 2026 06:00:00 GMT"),
        body_hash="h",
        marks=b"\x00\xff",
        habits=Habits(timedelta(minutes=5), (1, 23), (0, 6), 2.5, 30, NOW, gathers=True, reuses_ids=True),
        address="https://wire.example/new",
        move=Move("https://wire.example/newer", NOW, 2),
        outcome=PollOutcome.MOVED,
        status=200,
        error="moved",
        failures=3,
        told=(Alert.MOVED, Alert.SILENT),
    )

    remember(engine, WIRE, memory)

    assert known(engine, WIRE).memory == memory
    assert known(engine, PAPER).memory == Memory(NOW)

    remember(engine, WIRE, Memory(NOW))

    assert known(engine, WIRE).memory == Memory(NOW)


def test_what_somebody_else_changed_meanwhile_is_kept_where_a_poll_did_not_change_it(engine: Engine) -> None:
    sync(engine, WIRE)
    remember(engine, WIRE, Memory(NOW, flooded_at=NOW))
    before = known(engine, WIRE)

    with write(engine) as conn:
        articles.release(conn, before.id)
        feeds.remember(conn, [(before, replace(before.memory, polled_at=LATER))])

    assert known(engine, WIRE).memory == Memory(NOW, polled_at=LATER)


def test_habits_of_an_older_release_keep_what_they_say(engine: Engine) -> None:
    sync(engine, WIRE)
    with write(engine) as conn:
        conn.execute(table.update().values(habits={"pace": 2.0, "wait": 60.0, "gone_by_now": 1}))

    assert known(engine, WIRE).memory.habits == Habits(wait=timedelta(minutes=1), pace=2.0)


def test_a_feed_that_is_taken_out_is_not_polled_and_one_that_is_back_is_due_at_once(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)
    remember(engine, WIRE, Memory(NOW + timedelta(days=9)))

    sync(engine, PAPER)
    assert due(engine, LATER) == [PAPER]
    sync(engine, WIRE, PAPER, now=LATER)

    assert set(due(engine, LATER)) == {WIRE, PAPER}


def test_a_paused_feed_and_a_retired_one_are_not_due_until_somebody_wakes_them(engine: Engine) -> None:
    sync(engine, replace(WIRE, paused=True), PAPER)
    remember(engine, PAPER, Memory(NOW, failures=9, failing_since=NOW, missing_since=NOW, retired_at=NOW))

    assert due(engine, LATER) == []
    with write(engine) as conn:
        feeds.wake(conn, PAPER.url, LATER)

    assert due(engine, LATER) == [PAPER]
    assert known(engine, PAPER).memory == Memory(LATER)


def test_a_feed_whose_address_follows_its_move_stays_the_feed_it_was(engine: Engine) -> None:
    new, newer = replace(WIRE, url="https://wire.example/new"), replace(WIRE, url="https://wire.example/newer")
    sync(engine, WIRE, PAPER)
    memory = Memory(LATER, body_hash="h", address=new.url)
    remember(engine, WIRE, memory)
    number = known(engine, WIRE).id

    sync(engine, new, PAPER)
    assert known(engine, new) == KnownFeed(number, new, replace(memory, address=None))
    remember(engine, new, replace(memory, address=None, move=Move(newer.url, NOW)))
    sync(engine, newer, PAPER)

    assert known(engine, newer).id == number
    assert [state.feed for state in states(engine)] == [newer, PAPER]


def test_a_source_that_is_only_watched_is_no_configured_feed(engine: Engine) -> None:
    rates = Feed("https://bank.example/rates.xml", "Bank")
    with write(engine) as conn:
        feeds.watch(conn, [rates], NOW)
        feeds.watch(conn, [rates], LATER)

    assert due(engine, LATER) == []
    assert states(engine) == []
    assert (known(engine, rates).feed, known(engine, rates).memory.next_poll_at) == (rates, NOW)
    with read(engine) as conn:
        assert feeds.by_url(conn, "https://nobody.example/") is None


def test_a_due_feed_goes_to_one_caller_and_is_due_again_if_that_one_is_never_heard_of(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)
    remember(engine, PAPER, Memory(LATER))

    with write(engine) as conn:
        assert feeds.claim(conn, NOW, NOW + timedelta(minutes=15)) == [
            KnownFeed(known(engine, WIRE).id, WIRE, Memory(NOW))
        ]
        assert feeds.claim(conn, NOW, NOW + timedelta(minutes=15)) == []

    assert due(engine, NOW + timedelta(minutes=14)) == []
    assert due(engine, NOW + timedelta(minutes=15)) == [WIRE]


def test_the_last_poll_of_all_is_known(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)
    with read(engine) as conn:
        assert feeds.last_polled(conn) is None
    remember(engine, WIRE, Memory(LATER, polled_at=NOW))
    remember(engine, PAPER, Memory(LATER, polled_at=LATER))

    with read(engine) as conn:
        assert feeds.last_polled(conn) == LATER


def test_coverage_counts_feeds_failures_and_the_windows_articles_and_publishers(engine: Engine) -> None:
    gone = Feed("https://gone.example/feed", "Gone")
    sync(engine, WIRE, PAPER, gone)
    with write(engine) as conn:
        for number, (feed, hours) in enumerate([(WIRE, 1), (WIRE, 2), (PAPER, 3), (gone, 30), (gone, 4), (PAPER, 1)]):
            moment = NOW - timedelta(hours=hours)
            name = str(number)
            found = Article(name, f"https://a.example/{name}", name, "", feed.publisher, moment, NOW, feed, name)
            found = replace(found, hold=Hold.REISSUE if number == 5 else None)
            articles.add(conn, known(engine, feed).id, [found])
    remember(engine, PAPER, Memory(LATER, failures=1))
    sync(engine, WIRE, PAPER)
    window = Window(NOW - timedelta(days=1), NOW)

    with read(engine) as conn:
        assert feeds.coverage(conn, window) == Coverage(2, 1, 3, 2, NOW - timedelta(hours=1))
        assert feeds.coverage(conn, Window(LATER, LATER + timedelta(days=1))) == Coverage(2, 1, 0, 0, None)
    assert states(engine) == [
        FeedState(WIRE, Memory(NOW), articles=2, held=0),
        FeedState(PAPER, Memory(LATER, failures=1), articles=2, held=1),
    ]
