from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, select

from digest.editions.due import publish_due
from digest.editions.publish import Published, draft, publish
from digest.model import Digest, EditionState, Policy
from digest.store import deliveries, editions, quotes
from digest.store import engine as engines
from digest.store.tables import editions as editions_table
from digest.store.tables import feeds as feeds_table
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, drafted, keep, settled_yesterday, states


def test_a_draft_is_made_of_what_is_stored_and_the_same_each_time(stocked: Engine) -> None:
    edition = drafted(stocked)

    assert {item.title for item in edition.items} == set(TITLES)
    assert [(quote.series, quote.value) for quote in edition.quotes] == [("EUR/USD", Decimal("1.1742"))]
    assert edition.coverage is not None
    assert (edition.coverage.articles, edition.coverage.publishers) == (4, 4)
    assert edition.config_hash == CONFIG.rules(CONFIG.digests[0]).hash
    assert drafted(stocked) == edition


def test_an_edition_says_of_what_readers_were_told_that_it_has_been_revised(stocked: Engine) -> None:
    publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)
    with engines.write(stocked) as connection:
        rows = [("EUR/USD", DAY, Decimal("1.1800")), ("EUR/USD", DAY - timedelta(days=1), Decimal("1.1752"))]
        quotes.keep(connection, rows, "ECB")
    tomorrow = timedelta(days=1)

    with engines.read(stocked) as connection:
        (quote,) = draft(CONFIG, connection, DIGEST, DAY + tomorrow, PRESS + tomorrow, PRESS + tomorrow).quotes

    assert (quote.value, quote.previous, quote.previous_was) == (
        Decimal("1.1800"),
        Decimal("1.1752"),
        Decimal("1.1742"),
    )
    assert quote.was is None


def test_publishing_freezes_the_draft_with_a_delivery_for_each_reader(stocked: Engine) -> None:
    edition = drafted(stocked)

    published = publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    assert (published.created, published.queued) == (True, 2)
    assert replace(published.edition, id=0) == edition
    with engines.read(stocked) as connection:
        assert editions.by_date(connection, "economy", DAY) == published.edition


def test_publishing_again_returns_what_is_there_and_changes_nothing(stocked: Engine) -> None:
    first = publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)
    with engines.write(stocked) as connection:
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(hours=1))

    again = publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS + timedelta(hours=1))

    assert again == Published(first.edition, created=False, queued=0)


def test_a_draft_of_a_published_date_still_shows_the_same_stories(stocked: Engine) -> None:
    published = publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    assert drafted(stocked).items == published.edition.items


def test_two_who_publish_at_once_make_one_edition(stocked: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS), range(4)))

    assert sum(result.created for result in results) == 1
    assert sum(result.queued for result in results) == 2
    assert len({result.edition.id for result in results}) == 1


def test_a_fault_while_deliveries_are_queued_leaves_no_edition(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(deliveries, "freeze", broken)

    with pytest.raises(RuntimeError):
        publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    assert states(stocked) == {}


def test_a_story_that_ran_does_not_come_again_and_a_late_one_is_not_lost(stocked: Engine) -> None:
    publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)
    with engines.write(stocked) as connection:
        keep(connection, ("Crude jumps after a refinery fire in Rotterdam",), PRESS - timedelta(hours=1))

    tomorrow = PRESS + timedelta(days=1)
    (item,) = publish(CONFIG, stocked, DIGEST, DAY + timedelta(days=1), tomorrow, tomorrow).edition.items

    assert item.title == "Crude jumps after a refinery fire in Rotterdam"


def test_an_edition_keeps_to_the_languages_of_its_digest(stocked: Engine) -> None:
    german = replace(DIGEST, languages=("de",))
    english = replace(DIGEST, languages=("en",))

    with engines.read(stocked) as connection:
        assert draft(CONFIG, connection, german, DAY, PRESS, PRESS).items == ()
        assert (
            draft(CONFIG, connection, english, DAY, PRESS, PRESS).items
            == draft(CONFIG, connection, DIGEST, DAY, PRESS, PRESS).items
        )


def test_an_empty_edition_is_not_stored_so_that_the_date_stays_open(sqlite_engine: Engine) -> None:
    empty = publish(CONFIG, sqlite_engine, DIGEST, DAY, PRESS, PRESS)

    assert (empty.created, empty.edition.id, empty.edition.state) == (False, 0, EditionState.SKIPPED)
    assert empty.edition.reason == "No new story was read in the 36 hours before press time."
    with engines.write(sqlite_engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
    assert publish(CONFIG, sqlite_engine, DIGEST, DAY, PRESS, PRESS).created


def test_stories_that_only_one_readers_topics_show_are_frozen_with_the_edition(stocked: Engine) -> None:
    short = replace(DIGEST, length=2, shared=1)

    edition = publish(CONFIG, stocked, short, DAY, PRESS, PRESS).edition

    assert len(edition.items) > 2
    assert {item.section for item in edition.items[2:]} == {"energy"}


# ── the calendar ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_due_before_press_time_and_one_edition_after_it(stocked: Engine) -> None:
    settled_yesterday(stocked)

    assert publish_due(CONFIG, stocked, PRESS - timedelta(minutes=1)) == []
    (published,) = publish_due(CONFIG, stocked, PRESS)
    assert (published.edition.date, published.created, published.queued) == (DAY, True, 2)
    assert publish_due(CONFIG, stocked, PRESS + timedelta(minutes=1)) == []


def test_the_first_slot_ever_is_published_when_it_is_not_too_late(stocked: Engine) -> None:
    assert [one.edition.date for one in publish_due(CONFIG, stocked, PRESS + timedelta(hours=11))] == [DAY]


def test_the_first_slot_ever_is_passed_over_when_it_is_too_late(stocked: Engine) -> None:
    assert publish_due(CONFIG, stocked, PRESS + timedelta(hours=12)) == []
    assert states(stocked) == {}


def test_after_days_of_silence_the_newest_edition_is_made_and_the_others_are_missed(stocked: Engine) -> None:
    with engines.write(stocked) as connection:
        editions.insert(connection, replace(drafted(stocked), date=DAY - timedelta(days=4), items=()))

    found = publish_due(CONFIG, stocked, PRESS + timedelta(hours=5))

    assert [(one.edition.date.day, one.edition.state) for one in found] == [
        (7, EditionState.MISSED),
        (8, EditionState.MISSED),
        (9, EditionState.MISSED),
        (10, EditionState.FROZEN),
    ]
    assert found[2].edition.reason == "Press time had passed 29 hours before this edition could be made."
    assert list(states(stocked).values())[1:] == [one.edition.state for one in found]


def test_a_slot_is_missed_once_it_is_too_late(stocked: Engine) -> None:
    settled_yesterday(stocked)

    (missed,) = publish_due(CONFIG, stocked, PRESS + timedelta(hours=13))

    assert (missed.edition.date, missed.edition.state, missed.queued) == (DAY, EditionState.MISSED, 0)
    assert publish_due(CONFIG, stocked, PRESS + timedelta(hours=14)) == []


def test_an_empty_edition_is_tried_again_until_it_is_too_late(sqlite_engine: Engine) -> None:
    with engines.write(sqlite_engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(days=3))
        editions.insert(connection, replace(drafted(sqlite_engine), date=DAY - timedelta(days=1), published_at=PRESS))

    assert publish_due(CONFIG, sqlite_engine, PRESS) == []
    assert publish_due(CONFIG, sqlite_engine, PRESS + timedelta(hours=11)) == []
    (missed,) = publish_due(CONFIG, sqlite_engine, PRESS + timedelta(hours=13))
    assert missed.edition.state is EditionState.MISSED


def test_each_digest_has_its_own_calendar(stocked: Engine) -> None:
    evening = Digest("evening", "The Evening Digest", press=time(18, 0))
    config = replace(CONFIG, digests=(DIGEST, evening))

    assert [one.edition.digest for one in publish_due(config, stocked, PRESS + timedelta(hours=1))] == ["economy"]
    assert [one.edition.digest for one in publish_due(config, stocked, PRESS + timedelta(hours=12))] == ["evening"]
    with engines.read(stocked) as connection:
        assert connection.scalar(select(func.count()).select_from(editions_table)) == 2


def test_an_edition_of_a_day_to_come_holds_up_none_before_it(stocked: Engine) -> None:
    """As a clock that was wrong for a minute leaves one behind, or somebody who published ahead."""
    with engines.write(stocked) as connection:
        for days in (-1, 400):
            early = replace(drafted(stocked), date=DAY + timedelta(days=days), items=(), state=EditionState.MISSED)
            editions.insert(connection, early)

    assert [one.edition.date for one in publish_due(CONFIG, stocked, PRESS)] == [DAY]


def test_a_broken_day_that_shall_be_skipped_is_settled_at_once_with_the_reason(stocked: Engine) -> None:
    config = replace(CONFIG, digests=(replace(DIGEST, broken=Policy.SKIP, most_failed=0.2),))
    with engines.write(stocked) as connection:
        connection.execute(feeds_table.update().values(failures=3))

    published = publish(config, stocked, config.digests[0], DAY, PRESS, PRESS)

    assert (published.created, published.queued) == (True, 0)
    assert published.edition.state is EditionState.SKIPPED
    assert published.edition.reason.startswith("4 of 4 feeds could not be read")
