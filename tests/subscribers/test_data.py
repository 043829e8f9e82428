"""What is erased is gone from every file, and what is kept too long is erased by itself.

`READERS=4000 pytest tests/subscribers/test_data.py` is the whole measure.
"""

import os
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.config import Config, Privacy
from digest.links import address_key
from digest.model import Cause, Deed, Phase, Refused
from digest.store import deliveries, subscribers, suppressions, tables
from digest.store import engine as engines
from digest.subscribers import data, preferences, transfer
from digest.subscribers.consent import subscribe
from tests.conftest import NOW
from tests.delivery.audience import publish
from tests.store.books import claimed, settled

READERS = int(os.environ.get("READERS", "400"))


def test_after_erasing_no_file_of_the_database_has_the_address(
    config: Config, sqlite_engine: Engine, tmp_path: Path
) -> None:
    """T18: database, log of writes and export are searched byte by byte; only the keyed hash of the suppression stays."""
    chance = random.Random(18)
    addresses = [f"needle{number:05}.{chance.random()}@haystack.example" for number in range(READERS)]
    digest = replace(config.digests[0], slug="economy")
    for address in addresses:
        subscribe(config, sqlite_engine, address, digest, (), NOW, how="form")
    with engines.write(sqlite_engine) as connection:
        publish(connection, 0)
    for delivery in claimed(sqlite_engine, limit=READERS):
        settled(sqlite_engine, [delivery], Refused(Phase.RCPT, 550, f"<{delivery.address.upper()}> unknown", True))
    erased = chance.sample(addresses, READERS // 10)
    with engines.write(sqlite_engine) as connection:
        for address in erased:
            key = address_key(address, config.keys)
            suppressions.suppress(connection, key, Cause.BOUNCED, f"hard bounce: <{address}> unknown", NOW)
        connection.execute(update(tables.editions).values(paused_because=f"refused: {erased[0]}"))
        subscribers_by_id = {one.address: one.id for one in subscribers.listing(connection)}
    for address in erased:
        preferences.leave(sqlite_engine, subscribers_by_id[address], NOW)
    assert _found(sqlite_engine, erased) == set(erased)

    for address in erased:
        assert data.erase(sqlite_engine, address, NOW)

    with (tmp_path / "export.csv").open("w", encoding="utf-8", newline="") as stream:
        transfer.export_csv(sqlite_engine, stream)
    exported = (tmp_path / "export.csv").read_bytes().lower()
    assert _found(sqlite_engine, erased) == set()
    assert [address for address in erased if address.encode() in exported] == []
    kept = set(addresses) - set(erased)
    assert _found(sqlite_engine, kept) == kept
    with engines.read(sqlite_engine) as connection:
        keys = [address_key(address, config.keys) for address in erased]
        assert set(suppressions.reasons(connection, keys)) == set(keys)
        assert all(audited.balanced for audited in deliveries.audit(connection))
    assert not data.erase(sqlite_engine, erased[0], NOW)


def test_history_and_the_addresses_of_those_who_left_are_kept_as_long_as_the_settings_say(
    config: Config, engine: Engine
) -> None:
    kept = replace(config, privacy=Privacy(history_days=100, left_days=50))
    ann, bob, cat = (
        subscribe(kept, engine, f"{name}@reader.example", kept.digests[0], (), NOW, how="form").subscription
        for name in ("ann", "bob", "cat")
    )
    preferences.choose(engine, bob.id, preferences.Choice(("trade",)), NOW)
    preferences.leave(engine, ann.id, NOW)
    preferences.leave(engine, cat.id, NOW + timedelta(days=1))
    later = NOW + timedelta(days=50, seconds=1)

    assert data.forget_old(kept, engine, later) == data.Forgotten(changes=0, addresses=1)
    assert data.forget_old(kept, engine, later) == data.Forgotten(0, 0)
    with engines.read(engine) as connection:
        assert [one.address for one in subscribers.listing(connection)] == [bob.address, cat.address]
        assert [one.deed for one in subscribers.history(connection, bob.id)] == [Deed.BEGAN, Deed.CHOSE]

    assert data.forget_old(kept, engine, NOW + timedelta(days=100, seconds=1)).changes == 1
    with engines.read(engine) as connection:
        assert [one.address for one in subscribers.listing(connection)] == [bob.address]
        assert [one.deed for one in subscribers.history(connection, bob.id)] == [Deed.BEGAN]


@pytest.mark.parametrize("tested", [100, 0])
def test_many_who_left_are_forgotten_in_portions(
    config: Config, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tested: int
) -> None:
    monkeypatch.setattr(data, "AT_ONCE", 3)
    for number in range(7 if tested else 6):
        one = subscribe(config, sqlite_engine, f"{number}@reader.example", config.digests[0], (), NOW, how="form")
        preferences.leave(sqlite_engine, one.subscription.id, NOW)

    found = data.forget_old(config, sqlite_engine, NOW + timedelta(days=731))

    assert found.addresses == (7 if tested else 6)


def _found(engine: Engine, addresses: Collection[str]) -> set[str]:
    """Those of the addresses that any file of a SQLite database holds, in whatever case."""
    path = Path(str(engine.url.database))
    files = [one.read_bytes().lower() for one in path.parent.glob(f"{path.name}*")]
    assert files
    return {address for address in addresses if any(address.lower().encode() in content for content in files)}
