"""Stories are found by their words, the newest first, and alike on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, text, update

from digest.model import Correction, Edition, EditionState, Event, Item, Reference
from digest.store import corrections, editions, search, search_index, tables
from digest.store import engine as engines
from digest.store.search import Page, Search
from digest.words import question
from tests.conftest import NOW
from tests.editions import samples
from tests.test_words import TYPED

DAY = date(2026, 2, 10)
Ran = list[tuple[date, list[int]]]


def item(place: int, title: str, **values: object) -> Item:
    plain = replace(samples.edition().items[0], summary="", also=(), topics={}, section="trade", article_ids=())
    return replace(plain, place=place, story_id=f"s{place}", title=title, **values)  # type: ignore[arg-type]


def publish(engine: Engine, day: date, *items: Item, **values: object) -> Edition:
    edition = replace(samples.edition(), date=day, items=items, quotes=(), **values)  # type: ignore[arg-type]
    with engines.write(engine) as connection:
        stored = editions.insert(connection, edition)
    assert stored
    return stored


def page(engine: Engine, wanted: Search | str, most: int = 50, before: int | None = None) -> Page:
    asked = Search(question(wanted)) if isinstance(wanted, str) else wanted
    with engines.read(engine) as connection:
        return search.find(connection, asked, most, before)


def ran(engine: Engine, wanted: Search | str) -> Ran:
    return [(found.edition.date, [one.place for one in found.items]) for found in page(engine, wanted).found]


@pytest.fixture
def library(engine: Engine) -> Engine:
    """Two editions with stories about banks."""
    publish(
        engine,
        DAY,
        item(1, "Central bank lifts rates", summary="The Élysée was told beforehand."),
        item(2, "A bank of the central valley", publisher="Le Cahier des Marchés", section="central-banks"),
        item(
            3, "日銀が利上げを決定", also=(Reference("Nordic Post", "Bank of Japan raises rates", "https://n.example"),)
        ),
    )
    publish(engine, DAY + timedelta(days=1), item(1, "Banks merge", topics={"energy": 0.7, "jobs": 0.2}))
    return engine


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bank", [(11, [1]), (10, [1, 2, 3])]),
        ("central bank", [(10, [1, 2])]),
        ('"central bank"', [(10, [1])]),
        ("central -valley", [(10, [1])]),
        ("ELYSEE", [(10, [1])]),
        ("elysée", [(10, [1])]),
        ("利上げ", [(10, [3])]),
        ("上利", []),
        ("nordic japan", [(10, [3])]),
        ("marches", [(10, [2])]),
        ("tr", []),
        ("t:trade", []),
        ("2026-02-10", [(10, [])]),
        ("💶", []),
        ("-bank", []),
        ("", []),
    ],
)
def test_every_word_has_to_be_there(library: Engine, typed: str, expected: list[tuple[int, list[int]]]) -> None:
    assert ran(library, typed) == [(date(2026, 2, day), places) for day, places in expected]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Search(topic="central-banks"), [(10, [2])]),
        (Search(topic="banks"), []),
        (Search(topic="energy"), [(11, [1])]),
        (Search(topic="jobs"), []),
        (Search(question("bank"), topic="trade"), [(11, [1]), (10, [1, 3])]),
        (Search(publisher="le cahier des MARCHES"), [(10, [2])]),
        (Search(publisher="Nordic Post"), [(10, [3])]),
        (Search(publisher="Nordic"), []),
        (Search(question("bank"), since=date(2026, 2, 11)), [(11, [1])]),
        (Search(question("bank"), until=date(2026, 2, 10)), [(10, [1, 2, 3])]),
        (Search(since=date(2026, 2, 11), until=date(2026, 2, 11)), [(11, [1])]),
        (Search(since=date(2026, 2, 12)), []),
        (Search(until=date.max, since=date.min, topic="energy"), [(11, [1])]),
        (Search(question("💶"), topic="trade"), []),
        (Search(topic="'\" OR 1=1 --", publisher="\\'\0"), []),
    ],
)
def test_topic_publisher_and_dates_narrow_it_down(
    library: Engine, wanted: Search, expected: list[tuple[int, list[int]]]
) -> None:
    assert [(day, places) for day, places in ran(library, wanted) if places] == [
        (date(2026, 2, day), places) for day, places in expected
    ]


def test_an_edition_is_found_by_what_is_due_and_by_its_market_series(engine: Engine) -> None:
    event = Event("Monetary policy decision", DAY, None, "Central Bank of Norland")
    publish(engine, DAY, item(1, "Banks merge"), events=(event,))

    (found,) = page(engine, "norland decision").found

    assert (found.itself, found.items) == (True, ())


def test_pages_follow_each_other_without_a_gap_whatever_is_published_meanwhile(engine: Engine) -> None:
    for number in range(5):
        publish(engine, DAY + timedelta(days=number), *(item(place, f"Oil {place}") for place in range(1, 8)))

    def turned() -> Iterator[tuple[date, int]]:
        before = None
        while True:
            shown = page(engine, "oil", most=4, before=before)
            yield from ((found.edition.date, one.place) for found in shown.found for one in found.items)
            publish(engine, DAY + timedelta(days=50 + (before or 0) % 100_000), item(1, "Oil again"))
            if shown.older is None:
                return
            before = shown.older

    assert list(turned()) == [
        (DAY + timedelta(days=number), place) for number in (4, 3, 2, 1, 0) for place in range(1, 8)
    ]


def test_what_readers_do_not_see_is_not_found(engine: Engine) -> None:
    publish(engine, DAY, item(1, "Oil falls"), item(2, "Oil of a cut"), length=1)
    publish(engine, DAY + timedelta(days=1), item(1, "Oil is held"), state=EditionState.HELD, reason="wait")

    assert ran(engine, "oil") == [(DAY, [1])]


def test_a_correction_is_found_and_an_edition_that_is_gone_is_not(engine: Engine) -> None:
    stored = publish(engine, DAY, item(1, "Growth is 6.7%"), item(2, "Oil falls"))
    with engines.write(engine) as connection:
        corrections.add(connection, Correction(stored.id, "s2", "It was gasoline.", "ann", NOW))
    (found,) = page(engine, "gasoline").found
    assert [one.place for one in found.items] == [2]
    assert found.corrections[0].text == "It was gasoline."

    with engines.write(engine) as connection:
        connection.execute(delete(tables.editions))

    assert ran(engine, "gasoline") == ran(engine, "growth") == []


def test_what_is_not_committed_is_not_found(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), engines.write(engine) as connection:
        editions.insert(connection, replace(samples.edition(), items=(item(1, "Oil falls"),)))
        raise ZeroDivisionError

    assert ran(engine, "oil") == []


def test_an_index_that_has_gone_wrong_is_rebuilt(library: Engine) -> None:
    with engines.write(library) as connection:
        assert search.rebuild(connection) == 0
        connection.execute(update(tables.search_texts).values(words="nothing"))
        assert search.find(connection, Search(question("bank")), 9).found == ()

        assert search.rebuild(connection) == 2

        assert len(search.find(connection, Search(question("bank")), 9).found) == 2
        if library.dialect.name == "sqlite":
            connection.execute(text("INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(typed=TYPED, topic=TYPED, publisher=TYPED, before=st.integers(0, 10**20) | st.none())
def test_nothing_that_is_typed_is_an_error(
    library: Engine, typed: str, topic: str, publisher: str, before: int | None
) -> None:
    for found in (page(library, Search(question(typed), topic, publisher), before=before), page(library, typed)):
        assert {one.edition.date for one in found.found} <= {DAY, DAY + timedelta(days=1)}


@pytest.mark.parametrize(
    "typed", ["a " * 50_000, "東" * 100_000, '"' * 99_999, "a*" * 50_000, "-x " * 30_000 + "bank"], ids=range(5)
)
def test_a_hundred_kilobytes_are_searched_for(library: Engine, typed: str) -> None:
    for found in (page(library, typed), page(library, Search(topic=typed, publisher=typed))):
        assert {one.edition.date for one in found.found} <= {DAY, DAY + timedelta(days=1)}


def test_ids_are_in_the_order_in_which_texts_are_shown() -> None:
    days = (date.min, DAY, date(9999, 12, 31))
    keys = [
        search_index.key(day, edition, place) for day in days for edition in (1, 2**29 - 1) for place in (4095, 1, 0)
    ]

    assert keys == sorted(keys)
    assert keys[-1] < 2**63
    assert search_index.edition_and_place(search_index.key(DAY, 77, 12)) == (77, 12)
    for day in days:
        assert search_index.first_key(day) < search_index.key(day, 1, 4095) < search_index.end_key(day)


def test_the_words_of_a_text_are_counted_however_many_there_are(engine: Engine) -> None:
    publish(engine, DAY, item(1, "Oil " + "word " * 20_000 + "end", summary="x" * 5_000))

    assert ran(engine, "oil end") == [(DAY, [1])]
    with engines.read(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.search_texts)) == 2
