"""A database with a published edition and very many readers, for what is measured against their number."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from digest.links import address_key
from digest.model import Edition
from digest.store import editions, schema
from digest.store import engine as engines
from digest.store.tables import subscribers, subscriptions

KEYS = ("a key for measuring only",)
CHUNK = 20_000


def address(number: int) -> str:
    """The address of a reader. Their order says nothing of the order in which they came, as in life."""
    return f"{(number * 2_654_435_761) % 2**32:08x}.{number}@readers.example"


def filled(engine: Engine, readers: int, at: datetime) -> None:
    """Bring the schema to its head, and have so many readers of the digest `economy`."""
    schema.migrate(engine)
    for first in range(1, readers + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, readers + 1))
        with engines.write(engine) as connection:
            connection.execute(insert(subscribers), list(_people(numbers, at)))
            connection.execute(insert(subscriptions), list(_choices(numbers, at)))


def published(engine: Engine, edition: Edition) -> Edition:
    """The edition as it is stored, not yet with deliveries."""
    with engines.write(engine) as connection:
        stored = editions.insert(connection, edition)
    assert stored is not None
    return stored


def _people(numbers: range, at: datetime) -> Iterator[dict[str, Any]]:
    for number in numbers:
        one = address(number)
        yield {"id": number, "address": one, "address_key": address_key(one, KEYS), "consent": {}, "created_at": at}


def _choices(numbers: range, at: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(numbers[0])
    for number in numbers:
        yield {
            "id": number,
            "subscriber_id": number,
            "digest": "economy",
            "state": "active",
            "topics": [],
            "version": 1,
            "since": at - timedelta(days=chance.randrange(1, 900)),
        }
