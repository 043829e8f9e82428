"""A correction reaches those who were sent the edition, and nobody else; the archive shows it from then on."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.config import Config, Site
from digest.delivery.correction import letters_of
from digest.delivery.deliver import deliver
from digest.delivery.letter import Letter
from digest.editions.publish import publish
from digest.errors import RenderFault
from digest.model import Correction, Edition
from digest.store import corrections, editions, subscribers
from digest.store import engine as engines
from digest.store.tables import subscriptions
from tests.delivery.audience import KEYS, still
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, keep, subscribe

SITE = Site(base_url="https://news.example", from_address="digest@news.example", contact="editor@news.example")
NOON = PRESS + timedelta(hours=6)
READERS = ("ann@readers.example", "bob@readers.example", "cy@readers.example")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(CONFIG, home=tmp_path, site=SITE, keys=KEYS)


@pytest.fixture
def sent(config: Config, sqlite_engine: Engine) -> Edition:
    """An edition that three readers were sent; a fourth came afterwards."""
    with engines.write(sqlite_engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
        for address in READERS:
            subscribe(connection, address)
    edition = publish(config, sqlite_engine, DIGEST, DAY, PRESS, PRESS).edition
    assert asyncio.run(deliver(config, sqlite_engine, still(PRESS))).sent == len(READERS)
    with engines.write(sqlite_engine) as connection:
        subscribe(connection, "dee@readers.example")
    return edition


def letters(config: Config, engine: Engine, edition: Edition, **changes: object) -> list[Letter]:
    first = edition.items[0]
    made = Correction(edition.id, first.story_id, "It is 6.7 per cent, not 7.6.", "ann", NOON, id=1)
    return list(letters_of(config, engine, edition, replace(made, **changes), NOON))  # type: ignore[arg-type]


def test_everyone_who_was_sent_the_edition_is_written_to_with_a_way_to_leave(
    config: Config, sqlite_engine: Engine, sent: Edition
) -> None:
    found = letters(config, sqlite_engine, sent)

    assert [letter.to for letter in found] == list(READERS)
    assert len({letter.key for letter in found}) == len(READERS)
    for letter in found:
        assert "It is 6.7 per cent, not 7.6." in letter.rendered.text
        assert sent.items[0].title in letter.rendered.text
        assert letter.unsubscribe in letter.rendered.text
        assert letter.to in letter.rendered.text
        assert "__" not in letter.rendered.text


def test_whoever_has_left_or_takes_a_pause_is_not_written_to(
    config: Config, sqlite_engine: Engine, sent: Edition
) -> None:
    with engines.write(sqlite_engine) as connection:
        ann, bob = (subscribers.by_address(connection, address)[0] for address in READERS[:2])
        subscribers.end(connection, ann.id, NOON)
        pause = update(subscriptions).where(subscriptions.c.id == bob.id)
        connection.execute(pause.values(paused_until=DAY + timedelta(days=5)))

    assert [letter.to for letter in letters(config, sqlite_engine, sent)] == [READERS[2]]


def test_a_correction_of_no_story_of_the_edition_is_refused(
    config: Config, sqlite_engine: Engine, sent: Edition
) -> None:
    with pytest.raises(RenderFault):
        letters(config, sqlite_engine, sent, story_id="s999")


def test_corrections_are_kept_with_their_edition_in_order(engine: Engine, config: Config) -> None:
    with engines.write(engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
    edition = publish(config, engine, DIGEST, DAY, PRESS, PRESS).edition
    later, first = (Correction(edition.id, "s1", text, "ann", NOON + wait) for text, wait in (
        ("later", timedelta(hours=1)), ("first", timedelta(0))))  # fmt: skip

    with engines.write(engine) as connection:
        stored = [corrections.add(connection, one) for one in (later, first)]
        found = corrections.of(connection, edition.id)

    assert found == stored[::-1]
    with engines.read(engine) as connection:
        assert corrections.of(connection, edition.id + 1) == []
        assert editions.by_id(connection, edition.id) == edition
