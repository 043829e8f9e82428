from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select

from digest.model import Edition, EditionState, Window
from digest.store import editions
from digest.store import engine as engines
from digest.store.editions import Month
from digest.store.tables import edition_articles, edition_items
from tests.editions import samples
from tests.editions.samples import DAY, NOW, STORIES

YESTERDAY, TOMORROW = DAY - timedelta(days=1), DAY + timedelta(days=1)
EDITION = samples.edition(choices=[("energy",)])
WITHOUT_ITEMS = Edition(
    digest="economy",
    title="The Economic Digest",
    date=DAY,
    window=Window(NOW, NOW),
    items=(),
    state=EditionState.MISSED,
    reason="Too late.",
    published_at=NOW,
)


def stored(engine: Engine, *published: Edition) -> list[Edition]:
    with engines.write(engine) as connection:
        return [edition for one in published if (edition := editions.insert(connection, one))]


def test_an_edition_comes_back_as_it_was_frozen(engine: Engine) -> None:
    (edition,) = stored(engine, EDITION)

    with engines.read(engine) as connection:
        assert editions.by_date(connection, "economy", DAY) == edition
        assert editions.by_id(connection, edition.id) == edition
        assert editions.latest(connection, "economy") == edition
    assert replace(edition, id=0) == EDITION


def test_an_edition_without_quotes_coverage_or_items_comes_back_too(engine: Engine) -> None:
    (edition,) = stored(engine, WITHOUT_ITEMS)

    with engines.read(engine) as connection:
        assert editions.by_id(connection, edition.id) == edition


def test_the_second_edition_of_a_date_is_not_stored_and_leaves_nothing_behind(engine: Engine) -> None:
    stored(engine, EDITION)

    assert stored(engine, samples.edition(STORIES[3:])) == []

    with engines.read(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(edition_items)) == len(EDITION.items)
        found = editions.by_date(connection, "economy", DAY)
        assert found is not None
        assert found.items == EDITION.items


def test_another_digest_has_a_calendar_of_its_own(engine: Engine) -> None:
    assert len(stored(engine, EDITION, replace(EDITION, digest="markets"))) == 2


def test_what_a_transaction_does_not_commit_was_never_there(engine: Engine) -> None:
    with pytest.raises(RuntimeError), engines.write(engine) as connection:
        editions.insert(connection, EDITION)
        raise RuntimeError

    with engines.read(engine) as connection:
        assert editions.by_date(connection, "economy", DAY) is None
        assert connection.scalar(select(func.count()).select_from(edition_articles)) == 0


def test_every_article_of_every_item_is_remembered_as_run(engine: Engine) -> None:
    stored(engine, EDITION)

    with engines.read(engine) as connection:
        (found,) = editions.frozen(connection, "economy", since=DAY, before=TOMORROW)
        ran = set(connection.scalars(select(edition_articles.c.article_id)))
    assert found.items == EDITION.items
    assert ran == {article_id for item in EDITION.items for article_id in item.article_ids}


def test_memory_reaches_from_a_date_up_to_the_day_before_another(engine: Engine) -> None:
    day_of = {10: YESTERDAY - timedelta(days=1), 20: YESTERDAY, 30: DAY}
    stored(engine, *(replace(samples.edition([STORIES[n // 10 - 1]]), date=day) for n, day in day_of.items()))

    with engines.read(engine) as connection:
        found = editions.frozen(connection, "economy", since=YESTERDAY, before=DAY)
        other = editions.frozen(connection, "markets", since=YESTERDAY, before=DAY)
    assert [item.article_ids for edition in found for item in edition.items] == [(20, 21, 22)]
    assert other == []


def test_an_article_that_ran_before_does_not_stop_a_later_edition(engine: Engine) -> None:
    assert len(stored(engine, EDITION, replace(EDITION, date=TOMORROW))) == 2


def test_the_last_date_is_settled_whatever_its_state(engine: Engine) -> None:
    with engines.read(engine) as connection:
        assert editions.last_date(connection, "economy", TOMORROW) is None
    stored(engine, EDITION, replace(WITHOUT_ITEMS, date=TOMORROW))

    with engines.read(engine) as connection:
        assert editions.last_date(connection, "economy", TOMORROW) == TOMORROW
        assert editions.last_date(connection, "economy", DAY) == DAY
        latest = editions.latest(connection, "economy")
    assert latest is not None
    assert latest.date == DAY


def test_the_newest_are_published_editions_the_newest_first(engine: Engine) -> None:
    older = replace(samples.edition(STORIES[3:5]), date=YESTERDAY)
    stored(engine, older, EDITION, replace(WITHOUT_ITEMS, date=TOMORROW))

    with engines.read(engine) as connection:
        found = editions.newest(connection, "economy", limit=10)
        assert editions.newest(connection, "economy", limit=1) == found[:1]
    assert [replace(one, id=0) for one in found] == [EDITION, older]


def test_months_are_those_of_published_editions_with_how_many_the_newest_first(engine: Engine) -> None:
    days = [date(2026, 1, 1), date(2025, 12, 31), date(2026, 1, 31), date(2024, 2, 29)]
    stored(engine, *(replace(EDITION, date=day) for day in days))
    stored(engine, replace(WITHOUT_ITEMS, date=TOMORROW), replace(EDITION, digest="markets"))

    with engines.read(engine) as connection:
        assert editions.months(connection, "economy") == [
            Month(date(2026, 1, 1), 2),
            Month(date(2025, 12, 1), 1),
            Month(date(2024, 2, 1), 1),
        ]
        assert editions.months(connection, "weekly") == []


def test_neighbours_are_the_published_editions_before_and_after(engine: Engine) -> None:
    last_week = date(2026, 2, 3)
    stored(engine, *(replace(EDITION, date=day) for day in (last_week, DAY)), replace(WITHOUT_ITEMS, date=TOMORROW))

    with engines.read(engine) as connection:
        assert editions.neighbours(connection, "economy", DAY) == (last_week, None)
        assert editions.neighbours(connection, "economy", YESTERDAY) == (last_week, DAY)
        assert editions.neighbours(connection, "markets", DAY) == (None, None)


def test_a_story_is_found_in_the_newest_edition_that_has_it(engine: Engine) -> None:
    stored(engine, EDITION, replace(samples.edition(STORIES[:2]), date=TOMORROW))

    with engines.read(engine) as connection:
        in_both, in_one = (editions.find_story(connection, "economy", story) for story in ("s10", "s120"))
        assert editions.find_story(connection, "economy", "s999") is None
        assert editions.find_story(connection, "sport", "s10") is None
    assert in_both is not None
    assert (in_both[0].date, in_both[1].title) == (TOMORROW, EDITION.items[0].title)
    assert in_one is not None
    assert (in_one[0].date, in_one[1]) == (DAY, EDITION.items[11])


def test_a_story_that_has_grown_is_found_by_any_of_its_articles_but_not_in_a_held_edition(engine: Engine) -> None:
    held = replace(samples.edition(STORIES[:2]), date=TOMORROW, state=EditionState.HELD)
    stored(engine, EDITION, held)

    with engines.read(engine) as connection:
        found = editions.find_story(connection, "economy", "s9", [9, EDITION.items[1].article_ids[-1]])
        assert editions.waiting(connection, "economy") == [(TOMORROW, held.window.end)]
    assert found is not None
    assert (found[0].date, found[1]) == (DAY, EDITION.items[1])
