"""A story is found by its id and by its articles, wherever it ran, alike on both databases."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Engine

from digest.model import Correction, Edition, Item, Update
from digest.store import corrections, editions, stories
from digest.store import engine as engines
from tests.conftest import NOW
from tests.editions import samples

DAY = date(2026, 2, 10)


def item(story: int, *articles: int, place: int = 1, told: tuple[int, ...] = ()) -> Item:
    update = Update(DAY, "there is news", told=told) if told else None
    plain = samples.edition().items[0]
    return replace(plain, place=place, story_id=f"s{story}", article_ids=(story, *articles), update=update)


def publish(engine: Engine, day: date, *items: Item, digest: str = "economy", length: int = 12) -> Edition:
    edition = replace(samples.edition(), digest=digest, date=day, items=items, length=length)
    with engines.write(engine) as connection:
        stored = editions.insert(connection, edition)
    assert stored
    return stored


def ran(engine: Engine, story: int, *digests: str) -> list[tuple[str, date, str]]:
    with engines.read(engine) as connection:
        found = stories.tellings(connection, f"s{story}", digests or ("economy",))
    return [(one.edition.digest, one.edition.date, one.item.story_id) for one in found]


def test_a_story_its_updates_and_its_week_are_one_whichever_of_them_is_asked_for(engine: Engine) -> None:
    publish(engine, DAY, item(10, 11), item(20, place=2))
    publish(engine, DAY + timedelta(days=1), item(30, told=(10, 11)))
    publish(engine, DAY + timedelta(days=2), item(40, told=(30,)), item(50, told=(20,), place=2))
    publish(engine, DAY + timedelta(days=3), item(10, 30, 40), digest="week")

    whole = [
        ("economy", DAY + timedelta(days=2), "s40"),
        ("economy", DAY + timedelta(days=1), "s30"),
        ("economy", DAY, "s10"),
    ]
    assert ran(engine, 10) == ran(engine, 30) == ran(engine, 40) == whole
    assert ran(engine, 10, "economy", "week") == [("week", DAY + timedelta(days=3), "s10"), *whole]
    assert [one[2] for one in ran(engine, 20)] == ["s50", "s20"]


def test_what_only_a_choice_of_topics_shows_and_what_waits_is_not_found(engine: Engine) -> None:
    publish(engine, DAY, item(10), item(20, place=2), length=1)

    assert ran(engine, 10)
    assert ran(engine, 20) == ran(engine, 99) == ran(engine, 10, "another") == []


def test_a_story_comes_with_its_own_corrections(engine: Engine) -> None:
    made = publish(engine, DAY, item(10), item(20, place=2))
    with engines.write(engine) as connection:
        for story in ("s10", "s20"):
            corrections.add(connection, Correction(made.id, story, f"{story} was wrong.", "ann", NOW))
        (found,) = stories.tellings(connection, "s10", ["economy"])

    assert [one.text for one in found.corrections] == ["s10 was wrong."]
