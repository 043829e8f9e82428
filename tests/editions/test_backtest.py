"""Past days under other rules: what enters, leaves and moves, and nothing where nothing was changed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from digest import __version__
from digest.config import Ranking, Rules
from digest.editions import backtest
from digest.editions.backtest import ChangeKind
from digest.editions.pool import Pool, edition_of, is_same, packed, unpacked
from digest.editions.publish import publish
from digest.errors import RecordUnreadable
from digest.model import Article, Digest, Edition, History, Override, OverrideKind, Term, Topic, Window
from digest.ranking.memory import told_by
from digest.store import editions, overrides
from digest.store import engine as engines
from digest.store.tables import articles as articles_table
from digest.store.tables import edition_items, edition_records
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, keep
from tests.ranking.articles import NOW, QUICK, article, pools

BANKS = Topic("central-banks", "Central banks", 1.2, (Term("interest rates", 2.0), Term("ECB", 2.0), Term("Fed")))
ENERGY = Topic("energy", "Energy", 1.0, (Term("oil", 2.0), Term("OPEC", 2.0)))
TRADE = Topic("trade", "Trade", 1.0, (Term("tariffs", 2.0),))
RULES = Rules(Digest("economy", "The Economic Digest", length=2, shared=0), Ranking(), (BANKS, ENERGY, TRADE))
MONDAY, TUESDAY = date(2026, 2, 9), date(2026, 2, 10)
ECB = article(1, "ECB holds interest rates in Frankfurt", "Reuters")
OPEC = article(2, "OPEC delays oil output increase", "AP")
STEEL = article(3, "Brazil answers tariffs on steel in kind", "FT")


def pool(*articles: Article, day: date = TUESDAY, history: History = History(), **others: object) -> Pool:  # noqa: B008
    window = Window(NOW - timedelta(hours=36), NOW)
    made = Pool(RULES, day, window, NOW, tuple(articles), history)
    return replace(made, **others)  # type: ignore[arg-type]


def with_weight(slug: str, weight: float, rules: Rules) -> Rules:
    topics = tuple(replace(topic, weight=weight) if topic.slug == slug else topic for topic in rules.topics)
    return replace(rules, topics=topics)


def test_the_same_rules_make_no_difference() -> None:
    (day,) = backtest.replay([pool(ECB, OPEC, STEEL)], lambda rules: rules)

    assert day.changes == ()
    assert day.before == day.after


@QUICK
@given(st.lists(pools(), min_size=1, max_size=3))
def test_the_same_rules_make_no_difference_on_any_days(days: list[list[Article]]) -> None:
    made: list[Pool] = []
    for number, articles in enumerate(days):
        told = [one for earlier in made for one in told_by(edition_of(earlier))]
        seen = {one.id: one for earlier in made for one in earlier.articles}
        known = tuple(seen[number] for number in sorted({i for one in told for i in one.article_ids}))
        numbered = [replace(one, id=one.id + 100 * number) for one in articles]
        made.append(pool(*numbered, day=MONDAY + timedelta(days=number), history=History(tuple(told), known)))

    assert [day.changes for day in backtest.replay(made, lambda rules: rules)] == [()] * len(days)


def test_a_weight_brings_one_story_in_and_pushes_another_out_and_says_why() -> None:
    (day,) = backtest.replay([pool(ECB, OPEC, STEEL)], lambda rules: with_weight("central-banks", 0.1, rules))

    entered, left, *moved = day.changes
    assert [item.title for item in day.before.items] == [ECB.title, OPEC.title]
    assert (entered.kind, entered.title, entered.place_before, entered.place_after) == (
        ChangeKind.ENTERED,
        STEEL.title,
        None,
        2,
    )
    assert (left.kind, left.title, left.place_before, left.place_after) == (ChangeKind.LEFT, ECB.title, 1, None)
    assert [name for name, _, _ in left.points] == ["topic"]
    assert left.score_before
    assert left.score_after
    assert left.score_after < left.score_before
    assert [(change.title, change.place_before, change.place_after) for change in moved] == [(OPEC.title, 2, 1)]


def test_a_story_that_changed_rules_bring_in_on_one_day_does_not_come_in_again_on_the_next() -> None:
    monday = pool(ECB, OPEC, STEEL, day=MONDAY)
    again = [replace(one, id=one.id + 10, title=one.title + ", again") for one in (STEEL, ECB)]
    told = tuple(told_by(edition_of(monday)))
    tuesday = pool(STEEL, *again, history=History(told, (ECB, OPEC)))

    first, second = backtest.replay([monday, tuesday], lambda rules: with_weight("central-banks", 0.1, rules))

    assert STEEL.title in [item.title for item in first.after.items]
    assert [item.title for item in second.before.items] == [STEEL.title]
    assert [item.title for item in second.after.items] == [again[1].title]


def test_overrides_of_the_day_are_replayed() -> None:
    pinned = Override(OverrideKind.PIN, "economy", "ana", "the day's talk", NOW, NOW + timedelta(days=1), (3,))

    (day,) = backtest.replay(
        [pool(ECB, OPEC, STEEL, overrides=(pinned,))], lambda rules: with_weight("trade", 0.1, rules)
    )

    assert [edition.items[0].title for edition in (day.before, day.after)] == [STEEL.title] * 2


def test_shares_count_the_places_of_all_days() -> None:
    editions = [edition_of(pool(*articles)) for articles in ((ECB, OPEC), (ECB, STEEL))]

    assert backtest.shares(editions, lambda item: item.section) == {
        "central-banks": 0.5,
        "energy": 0.25,
        "trade": 0.25,
    }
    assert backtest.shares([], lambda item: item.section) == {}


@QUICK
@given(pools())
def test_a_pool_that_was_put_away_makes_the_same_edition(articles: list[Article]) -> None:
    made = pool(*articles)

    assert unpacked(packed(made), "it") == made
    assert is_same(edition_of(unpacked(packed(made), "it")), edition_of(made))


def stored(engine: Engine, first: date, last: date) -> list[Edition]:
    with engines.read(engine) as connection:
        return editions.frozen(connection, "economy", since=first, before=last + timedelta(days=1))


@pytest.fixture
def published(engine: Engine) -> Engine:
    """A database in which two days were published."""
    for day in range(2):
        press = PRESS + timedelta(days=day)
        titles = (
            TITLES if day == 0 else ("Crude jumps as a pipeline in Libya bursts", TITLES[1], "Payrolls in Chile swell")
        )
        with engines.write(engine) as connection:
            keep(connection, titles, press - timedelta(hours=3))
        assert publish(CONFIG, engine, DIGEST, press.date(), press, press).created
    return engine


def test_every_edition_can_be_made_again_byte_for_byte(published: Engine) -> None:
    found = stored(published, DAY, DAY + timedelta(days=1))

    with engines.read(published) as connection:
        rebuilt = [backtest.rebuild(connection, edition) for edition in found]
    assert [(one.same, one.release) for one in rebuilt] == [(True, __version__)] * 2


def test_a_publisher_that_changes_its_words_later_changes_no_edition_and_no_backtest(published: Engine) -> None:
    with engines.write(published) as connection:
        connection.execute(update(articles_table).values(title="Nothing happened", summary="", publisher="Nobody"))

    with engines.read(published) as connection:
        days = list(backtest.replay(backtest.pools_since(connection, "economy", DAY), lambda rules: rules))
    assert [(day.day, day.changes) for day in days] == [(DAY, ()), (DAY + timedelta(days=1), ())]
    assert {item.title for item in days[0].after.items} == set(TITLES)


def test_an_edition_that_was_altered_is_not_the_same(published: Engine) -> None:
    with engines.write(published) as connection:
        connection.execute(update(edition_items).where(edition_items.c.place == 2).values(summary="altered"))

    (edition,) = stored(published, DAY, DAY)
    with engines.read(published) as connection:
        assert not backtest.rebuild(connection, edition).same


def test_a_story_that_an_editor_pins_once_more_runs_again_and_can_be_made_again(published: Engine) -> None:
    press = PRESS + timedelta(days=1)
    (first, second) = stored(published, DAY, press.date())
    ran = first.items[0]
    pin = Override(OverrideKind.PIN, "economy", "ana", "it is the talk of the day", press, press + timedelta(days=2))
    third = press + timedelta(hours=6)
    with engines.write(published) as connection:
        overrides.add(connection, replace(pin, articles=ran.article_ids))

    again = publish(CONFIG, published, DIGEST, press.date() + timedelta(days=1), third, third).edition

    assert [item.title for item in again.items] == [ran.title]
    assert again.items[0].article_ids == ran.article_ids
    with engines.read(published) as connection:
        assert backtest.rebuild(connection, stored(published, again.date, again.date)[0]).same
    assert second.items


def test_a_record_that_this_release_does_not_understand_is_named_with_its_edition(published: Engine) -> None:
    with engines.write(published) as connection:
        connection.execute(update(edition_records).values(body=b"nonsense"))

    (first, _) = stored(published, DAY, DAY + timedelta(days=1))
    with engines.read(published) as connection, pytest.raises(RecordUnreadable, match="the edition of 2026-02-10"):
        backtest.rebuild(connection, first)
