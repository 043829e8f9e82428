"""What is kept too long is let go of, and what must outlive it does."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, func, insert, select, text

from digest import checkup, retention
from digest.config import Config, Retention
from digest.findings import Level
from digest.model import Accepted, Article, DeliveryState, Feed, KnownFeed, Phase, Refused, Severity
from digest.retention import Kind, Tidied
from digest.store import (
    articles,
    deliveries,
    feedback,
    feeds,
    letters,
    pulses,
    readings,
    records,
    reports,
    returns,
    tables,
)
from digest.store import engine as engines
from digest.store.pulses import Part
from tests.delivery.audience import DAY, NOW, configured, publish
from tests.store.books import claimed, offered, settled

A_DAY = timedelta(days=1)
LATER = NOW + 101 * A_DAY


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(configured(tmp_path), retention=Retention(100, 100, 100, 100))


def at_once(_seconds: float) -> bool:
    return False


def tidied(config: Config, engine: Engine, rest: Callable[[float], bool] = at_once) -> Tidied:
    return retention.tidy(config, engine, LATER, rest=rest)


def rows(engine: Engine, table: Table) -> int:
    with engines.read(engine) as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


def sent_long_ago(engine: Engine, readers: int) -> int:
    """An edition of which one was refused and the rest sent, that one found useful and another not; and one that is new."""
    with engines.write(engine) as connection:
        edition = publish(connection, readers)
    held = claimed(engine)
    offered(engine, held)
    settled(engine, held[1:], Accepted("queued"))
    settled(engine, held[:1], Refused(Phase.RCPT, 550, "5.1.1 no", permanent=True))
    with engines.write(engine) as connection:
        delivery = returns.addressed(connection, held[0].id)
        assert delivery
        returns.note_refusal(connection, delivery, Severity.HARD, NOW)
        feedback.keep(connection, edition.id, 1, useful=True, now=NOW)
        feedback.keep(connection, edition.id, 2, useful=False, now=NOW)
        publish(connection, readers, LATER, DAY + 101 * A_DAY)
    return edition.id


def test_an_edition_whose_deliveries_are_let_go_of_is_told_of_in_the_same_numbers(
    config: Config, engine: Engine
) -> None:
    old = sent_long_ago(engine, 5)

    def told() -> object:
        with engines.read(engine) as connection:
            return (
                deliveries.audit(connection),
                deliveries.counts(connection, old),
                reports.progress(connection, old).counts,
                [(one.audience, Counter(one.counts)) for one in readings.latest(connection, ["economy"], 3)],
                feedback.counts(connection, old),
            )

    before = told()
    expected = retention.waiting(config, engine, LATER)
    done = tidied(config, engine)

    assert told() == before
    assert done == expected == Tidied(Counter({Kind.DELIVERIES: 5, Kind.FEEDBACK: 2}))
    assert (rows(engine, tables.deliveries), rows(engine, tables.delivery_events)) == (5, 0)
    assert (rows(engine, tables.returns), rows(engine, tables.feedback)) == (0, 0)
    assert tidied(config, engine).counts.total() == 0
    with engines.write(engine) as connection:
        [audited] = deliveries.audit(connection, old)
        assert audited.counts[DeliveryState.FAILED] == 1


def test_an_edition_whose_deliveries_are_let_go_of_is_sent_to_nobody_again(config: Config, engine: Engine) -> None:
    old = sent_long_ago(engine, 3)
    tidied(config, engine)

    with engines.write(engine) as connection:
        edition = replace(publish(connection, 0, LATER, DAY + 102 * A_DAY), id=old, date=DAY)
        assert deliveries.freeze(connection, edition, LATER) == 0

    assert deliveries_of(engine, old) == 0


def deliveries_of(engine: Engine, edition_id: int) -> int:
    with engines.read(engine) as connection:
        mine = tables.deliveries.c.edition_id == edition_id
        return connection.scalars(select(func.count()).select_from(tables.deliveries).where(mine)).one()


def test_what_is_still_to_be_sent_and_the_newest_edition_stay_however_old(config: Config, engine: Engine) -> None:
    with engines.write(engine) as connection:
        publish(connection, 2)
        publish(connection, 2, NOW + A_DAY, DAY + A_DAY)
    assert tidied(config, engine).counts.total() == 0

    held = claimed(engine)
    offered(engine, held)
    assert tidied(config, engine).counts.total() == 0

    settled(engine, held, Accepted("queued"))
    assert tidied(config, engine).counts == {Kind.DELIVERIES: 2}
    assert rows(engine, tables.deliveries) == 2


def test_it_is_done_in_portions_and_goes_on_where_it_was_broken_off(
    config: Config, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    old = sent_long_ago(engine, 5)
    rests: list[float] = []

    def twice(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 3

    first = tidied(config, engine, twice)
    with engines.read(engine) as connection:
        [audited] = deliveries.audit(connection, old)
    second = tidied(config, engine)

    assert (first.whole, first.counts) == (False, {Kind.FEEDBACK: 2, Kind.DELIVERIES: 4})
    assert audited.balanced
    assert (second.whole, second.counts) == (True, {Kind.DELIVERIES: 1})
    assert min(rests) >= retention.LEAST_REST


def test_old_articles_go_but_for_what_their_feed_may_still_show_and_what_an_editor_has_ordered(
    config: Config, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "NEWEST", 2)
    feed = feed_of(engine)
    bring(engine, feed, [NOW - number * A_DAY for number in range(6, 0, -1)])
    bring(engine, feed, [LATER])
    with engines.write(engine) as connection:
        ordered = {"kind": "drop", "digest": "economy", "points": 0, "title": "", "author": "ann", "reason": ""}
        connection.execute(insert(tables.overrides).values(**ordered, articles=[2], since=NOW, until=LATER + A_DAY))

    assert retention.waiting(config, engine, LATER).counts == tidied(config, engine).counts == {Kind.ARTICLES: 4}
    with engines.read(engine) as connection:
        assert list(connection.scalars(select(tables.articles.c.id).order_by(tables.articles.c.id))) == [2, 6, 7]


def feed_of(engine: Engine) -> KnownFeed:
    with engines.write(engine) as connection:
        feeds.sync(connection, [Feed("https://press.example/feed", "Press")], NOW)
        found = feeds.by_url(connection, "https://press.example/feed")
        assert found
        return found


def bring(engine: Engine, feed: KnownFeed, moments: list[datetime]) -> None:
    with engines.write(engine) as connection:
        new = [
            Article(
                id=0,
                entry_id=str(at),
                url=f"https://press.example/{at:%Y%m%d%H}",
                title=f"Rates on {at}",
                summary="The bank kept its rates. " * 8,
                publisher="Press",
                published_at=at,
                first_seen_at=at,
                feed=feed.feed,
                fingerprint=str(at),
            )
            for at in moments
        ]
        articles.add(connection, feed.id, new)


def test_pools_and_letters_go_when_their_time_is_over(config: Config, engine: Engine) -> None:
    with engines.write(engine) as connection:
        for day, at in ((DAY, NOW), (DAY + 2 * A_DAY, NOW + 2 * A_DAY)):
            edition = publish(connection, 0, at, day)
            records.keep(connection, edition.id, "1.0", b"a pool")
            letters.take(connection, f"held {day}", at, A_DAY)

    assert tidied(config, engine).counts == {Kind.POOLS: 1, Kind.LETTERS: 1}
    assert (rows(engine, tables.edition_records), rows(engine, tables.letters)) == (1, 1)


def test_what_is_to_be_kept_for_good_is(config: Config, engine: Engine) -> None:
    for_good = replace(config, retention=Retention(0, 0, 0, 0))
    sent_long_ago(engine, 3)
    with engines.write(engine) as connection:
        letters.take(connection, "old", NOW, A_DAY)

    assert tidied(for_good, engine).counts.total() == 0
    assert rows(engine, tables.deliveries) == 6


def test_no_article_goes_that_an_editions_memory_may_ask_for(config: Config) -> None:
    long = replace(config, ranking=replace(config.ranking, memory_days=365))

    assert retention.Until.of(long, LATER).articles == LATER - timedelta(days=395)
    assert retention.Until.of(config, LATER).articles == LATER - timedelta(days=100)


def test_the_checkup_says_when_nothing_was_let_go_of_for_days_though_the_service_runs(
    config: Config, sqlite_engine: Engine
) -> None:
    asked = replace(config, database_url=sqlite_engine.url.render_as_string())

    def found() -> tuple[Level, str]:
        [one] = [one for one in checkup.examine(asked, LATER, call_relay=False) if one.subject == "retention"]
        return one.level, one.sentence

    assert found()[0] is Level.NOTE
    feel(sqlite_engine, Part.TICK, LATER)
    assert (found()[0], "yet" in found()[1]) == (Level.FAULT, True)
    feel(sqlite_engine, Part.RETENTION, LATER - 3 * A_DAY)
    assert found()[0] is Level.OK
    feel(sqlite_engine, Part.RETENTION, LATER - 4 * A_DAY)
    assert (found()[0], "digest tidy" in found()[1]) == (Level.FAULT, True)


def feel(engine: Engine, part: Part, at: datetime) -> None:
    with engines.write(engine) as connection:
        pulses.well(connection, part, at)


def test_a_years_file_of_sqlite_stays_as_large_as_what_is_kept(config: Config, sqlite_engine: Engine) -> None:
    """A year of an edition each day, all of whose rows are counted; the pages of what went are used again."""
    feed = feed_of(sqlite_engine)
    sizes = {}
    for day in range(365):
        at = NOW + day * A_DAY
        with engines.write(sqlite_engine) as connection:
            edition = publish(connection, 5, at, DAY + day * A_DAY)
            records.keep(connection, edition.id, "1.0", bytes(2000))
            letters.take(connection, f"sent {day}", at, A_DAY)
            connection.execute(text("UPDATE deliveries SET state = 'sent' WHERE state = 'queued'"))
        bring(sqlite_engine, feed, [at + timedelta(hours=hour) for hour in range(3)])
        if day % 10 == 0:
            retention.tidy(config, sqlite_engine, at, rest=at_once)
        if day in (120, 364):
            with engines.read(sqlite_engine) as connection:
                sizes[day] = connection.scalars(text("PRAGMA page_count")).one()

    assert sizes[364] < 1.25 * sizes[120]
    assert rows(sqlite_engine, tables.deliveries) <= 5 * 111
    assert rows(sqlite_engine, tables.articles) <= 3 * 111 + retention.NEWEST
    assert rows(sqlite_engine, tables.editions) == 365
    with engines.read(sqlite_engine) as connection:
        audits = deliveries.audit(connection)
    assert len(audits) == 365
    assert all(one.balanced and one.eligible == one.counts[DeliveryState.SENT] == 5 for one in audits)
