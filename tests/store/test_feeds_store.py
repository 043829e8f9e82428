"""Feeds in the store: what is configured, what is due, and how each is doing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from digest.model import Article, Coverage, Feed, PollOutcome, Validators, Window
from digest.store import articles, feeds
from digest.store.engine import read, write
from digest.store.feeds import FeedState, Visit

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WIRE = Feed("https://wire.example/feed", "Harbour Wire", 1.2, "en", ("trade",), timedelta(minutes=30))
PAPER = Feed("https://paper.example/feed", "Paper")


def sync(engine: Engine, *configured: Feed, now: datetime = NOW) -> None:
    with write(engine) as conn:
        feeds.sync(conn, configured, now)


def record(engine: Engine, feed: Feed, visit: Visit, now: datetime = NOW) -> None:
    with write(engine) as conn:
        known = feeds.by_url(conn, feed.url)
        assert known
        feeds.record(conn, known.id, visit, now)


def due(engine: Engine, now: datetime) -> list[Feed]:
    with read(engine) as conn:
        return [known.feed for known in feeds.due(conn, now)]


def state(engine: Engine, feed: Feed) -> FeedState:
    with read(engine) as conn:
        return next(state for state in feeds.states(conn) if state.url == feed.url)


def test_a_new_feed_is_due_at_once_with_all_its_settings(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)

    assert set(due(engine, NOW)) == {WIRE, PAPER}


def test_what_the_editor_changes_takes_effect_and_the_rest_is_remembered(engine: Engine) -> None:
    sync(engine, WIRE)
    record(engine, WIRE, Visit(PollOutcome.FETCHED, LATER, 200, validators=Validators('"1"'), body_hash="h"))
    changed = replace(WIRE, publisher="The Harbour Wire", weight=0.5, language=None, topics=(), poll=timedelta(hours=6))

    sync(engine, changed, now=LATER)

    with read(engine) as conn:
        known = feeds.by_url(conn, WIRE.url)
    assert known
    assert (known.feed, known.validators, known.body_hash) == (changed, Validators('"1"'), "h")
    assert known.next_poll_at == LATER


def test_a_feed_that_is_taken_out_is_not_polled_and_one_that_is_back_is_due_at_once(engine: Engine) -> None:
    sync(engine, WIRE, PAPER)
    record(engine, WIRE, Visit(PollOutcome.FETCHED, NOW + timedelta(days=9)))

    sync(engine, PAPER)
    assert due(engine, LATER) == [PAPER]
    sync(engine, WIRE, PAPER, now=LATER)

    assert set(due(engine, LATER)) == {WIRE, PAPER}


def test_a_source_that_is_only_watched_is_no_configured_feed(engine: Engine) -> None:
    rates = Feed("https://bank.example/rates.xml", "Bank")
    with write(engine) as conn:
        feeds.watch(conn, [rates], NOW)
        feeds.watch(conn, [rates], LATER)

    assert due(engine, LATER) == []
    with read(engine) as conn:
        known = feeds.by_url(conn, rates.url)
        assert feeds.states(conn) == []
        assert feeds.by_url(conn, "https://nobody.example/") is None
    assert known
    assert (known.feed, known.next_poll_at) == (rates, NOW)


def test_failures_are_counted_until_a_poll_succeeds(engine: Engine) -> None:
    sync(engine, WIRE)
    good = Visit(PollOutcome.FETCHED, LATER, 200, validators=Validators('"1"'), body_hash="h", brought_new=True)
    bad = Visit(PollOutcome.FAILED, LATER, 500, "the server answered 500", succeeded=False)

    record(engine, WIRE, good)
    record(engine, WIRE, bad, LATER)
    record(engine, WIRE, bad, LATER)

    assert state(engine, WIRE) == FeedState(
        url=WIRE.url,
        publisher="Harbour Wire",
        outcome=PollOutcome.FAILED,
        error="the server answered 500",
        polled_at=LATER,
        succeeded_at=NOW,
        new_at=NOW,
        failures=2,
        next_poll_at=LATER,
        articles=0,
    )
    with read(engine) as conn:
        known = feeds.by_url(conn, WIRE.url)
    assert known
    assert (known.validators, known.body_hash, known.failures) == (Validators('"1"'), "h", 2)
    record(engine, WIRE, Visit(PollOutcome.NOT_MODIFIED, LATER, 304), LATER)
    assert (state(engine, WIRE).failures, state(engine, WIRE).error) == (0, None)


def test_coverage_counts_feeds_failures_and_the_windows_articles_and_publishers(engine: Engine) -> None:
    gone = Feed("https://gone.example/feed", "Gone")
    sync(engine, WIRE, PAPER, gone)
    with write(engine) as conn:
        for number, (feed, hours) in enumerate([(WIRE, 1), (WIRE, 2), (PAPER, 3), (gone, 30), (gone, 4)]):
            known = feeds.by_url(conn, feed.url)
            assert known
            moment = NOW - timedelta(hours=hours)
            name = str(number)
            found = Article(name, f"https://a.example/{name}", name, "", feed.publisher, moment, NOW, feed, name)
            articles.keep(conn, known.id, [found], NOW)
    record(engine, PAPER, Visit(PollOutcome.GONE, LATER, 410, "gone", succeeded=False))
    sync(engine, WIRE, PAPER)
    window = Window(NOW - timedelta(days=1), NOW)

    with read(engine) as conn:
        assert feeds.coverage(conn, window) == Coverage(2, 1, 3, 2, NOW - timedelta(hours=1))
        assert feeds.coverage(conn, Window(LATER, LATER + timedelta(days=1))) == Coverage(2, 1, 0, 0, None)
        assert [(state.publisher, state.articles) for state in feeds.states(conn)] == [
            ("Harbour Wire", 2),
            ("Paper", 1),
        ]
