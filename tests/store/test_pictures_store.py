"""Pictures in the store: found by where they came from, kept for as long as an edition shows them."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, Engine

from digest.model import Picture
from digest.store import editions, pictures
from digest.store.engine import read, write
from tests.editions import samples
from tests.editions.samples import NOW

DAY = timedelta(days=1)
PICTURE = Picture("a1-one-552x310.jpg", 552, 310, "A harbour at dawn", "Jo Doe/Harbour Wire")


def names(connection: Connection, *wanted: str) -> list[str]:
    return [name for name in wanted if pictures.body(connection, name)]


def test_a_picture_is_kept_as_it_is_and_once(engine: Engine) -> None:
    with write(engine) as connection:
        pictures.keep(connection, PICTURE.name, b"\xff\xd8\x00", NOW)
        pictures.keep(connection, PICTURE.name, b"\xff\xd8\x00", NOW + DAY)

    with read(engine) as connection:
        assert pictures.body(connection, PICTURE.name) == b"\xff\xd8\x00"
        assert pictures.body(connection, "another.jpg") is None


def test_of_the_pictures_from_one_place_the_newest_is_found(engine: Engine) -> None:
    with write(engine) as connection:
        pictures.keep(connection, "a1-new.jpg", b"2", NOW)
        pictures.keep(connection, "a1-old.jpg", b"1", NOW - 3 * DAY)
        pictures.keep(connection, "a%-other.jpg", b"3", NOW)

        assert pictures.newest(connection, "a1") == "a1-new.jpg"
        assert pictures.newest(connection, "a1", since=NOW) == "a1-new.jpg"
        assert pictures.newest(connection, "a1", since=NOW + DAY) is None
        assert pictures.newest(connection, "a%") == "a%-other.jpg"
        assert pictures.newest(connection, "b1") is None
        pictures.keep(connection, "a1-old.jpg", b"1", NOW + DAY)
        assert pictures.newest(connection, "a1") == "a1-old.jpg"


def test_a_picture_that_an_edition_shows_is_never_dropped_and_any_other_after_a_while(engine: Engine) -> None:
    first, *others = samples.edition().items
    edition = replace(samples.edition(), items=(replace(first, picture=PICTURE), *others))
    with write(engine) as connection:
        for name, age in ((PICTURE.name, 30 * DAY), ("old.jpg", 3 * DAY), ("new.jpg", DAY)):
            pictures.keep(connection, name, b"1", NOW - age)
        stored = editions.insert(connection, edition)
        assert stored is not None

        assert pictures.prune(connection, NOW - 2 * DAY) == 1
        assert names(connection, PICTURE.name, "old.jpg", "new.jpg") == [PICTURE.name, "new.jpg"]
        assert pictures.prune(connection, NOW - 2 * DAY) == 0


def test_pictures_are_dropped_where_no_edition_shows_any(engine: Engine) -> None:
    with write(engine) as connection:
        editions.insert(connection, samples.edition())
        pictures.keep(connection, "old.jpg", b"1", NOW - 3 * DAY)

        assert pictures.prune(connection, NOW) == 1
