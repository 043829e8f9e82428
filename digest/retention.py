"""What is let go when its time is over: `[privacy]` and `[retention]` as they are carried out, a few rows at a time.

Each portion has a short transaction of its own, and rests as long as it worked before the next, so that a sender never waits for long. Broken off
at any moment, it goes on the next time.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Config
from digest.store import engine as engines
from digest.store import retention as store
from digest.subscribers import data

AT_ONCE = 250
"""Rows that are let go of in one transaction: with what hangs on them, 10 ms of work among a million, and 25 ms with the disk's."""
POOLS_AT_ONCE = 10
"""What an edition was made of is a fifth of a megabyte."""
LEAST_REST = 0.05
"""Seconds. Who waits for SQLite looks again every tenth of a second at most."""
NEWEST = 200
"""Articles of each feed that stay: what a feed still shows and we do not know would be news again."""
LONGEST_LIST = 100_000
"""Articles of which is found out at once that their time is over; more are for the next time."""
OF_MEMORY = timedelta(days=30)
"""For so much longer than an edition looks back the articles of what it told are kept, whatever the settings say."""


class Kind(StrEnum):
    """What is let go of."""

    DELIVERIES = "deliveries"
    FEEDBACK = "feedback"
    ARTICLES = "articles"
    POOLS = "pools"
    LETTERS = "letters"
    CHANGES = "changes"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class Until:
    """Before which moments what is let go lies; None: it is kept for good."""

    deliveries: datetime | None
    articles: datetime | None
    pools: datetime | None
    letters: datetime | None

    @classmethod
    def of(cls, config: Config, now: datetime) -> "Until":
        """By what the settings say. No article goes that an edition's memory may still ask for."""
        keep = config.retention
        articles = _back(keep.articles_days, now)
        remembered = now - timedelta(days=config.ranking.memory_days) - OF_MEMORY
        return cls(
            deliveries=_back(keep.deliveries_days, now),
            articles=articles and min(articles, remembered),
            pools=_back(keep.pools_days, now),
            letters=_back(keep.letters_days, now),
        )


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many of each kind were let go of; `whole` unless it was broken off."""

    counts: Counter[Kind]
    whole: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the log."""
        return {**{kind.value: self.counts[kind] for kind in Kind}, "whole": self.whole}


def tidy(
    config: Config,
    engine: Engine,
    now: datetime,
    *,
    rest: Callable[[float], bool],
    hear: Callable[[Kind, int], None] = lambda *_: None,
) -> Tidied:
    """Let go of everything whose time is over.

    Args:
        config: for how long what is kept.
        engine: the database.
        now: the moment it is about.
        rest: called between two transactions with the seconds to wait; whether to break off.
        hear: told of each portion.
    """
    counts: Counter[Kind] = Counter()
    broken_off = False

    def rested(seconds: float) -> bool:
        nonlocal broken_off
        broken_off = broken_off or rest(seconds)
        return broken_off

    forgotten = data.forget_old(config, engine, now, rested)
    for kind, number in ((Kind.CHANGES, forgotten.changes), (Kind.ADDRESSES, forgotten.addresses)):
        if number:
            counts[kind] = number
            hear(kind, number)
    if broken_off:
        return Tidied(counts, whole=False)
    began = time.perf_counter()
    for kind, number in _portions(engine, Until.of(config, now), now):
        counts[kind] += number
        hear(kind, number)
        if rested(max(LEAST_REST, time.perf_counter() - began)):
            return Tidied(counts, whole=False)
        began = time.perf_counter()
    return Tidied(counts)


def waiting(config: Config, engine: Engine, now: datetime) -> Tidied:
    """What `tidy` would let go of."""
    until = Until.of(config, now)
    counts: Counter[Kind] = Counter()
    with engines.read(engine) as connection:
        if until.deliveries:
            past = store.past_editions(connection, until.deliveries)
            counts[Kind.DELIVERIES] = store.deliveries_of(connection, past)
            counts[Kind.FEEDBACK] = store.feedback_of(connection, past)
        forgotten = data.to_forget(config, connection, now)
        counts |= Counter({Kind.CHANGES: forgotten.changes, Kind.ADDRESSES: forgotten.addresses})
        for kind, keys, _, _ in _listed(connection, until, now):
            counts[kind] = len(keys)
    return Tidied(counts)


Take = Callable[[Connection, Sequence[Any]], int]


def _listed(connection: Connection, until: Until, now: datetime) -> Iterator[tuple[Kind, Sequence[Any], int, Take]]:
    """What is known by its keys: the kind, the keys, how many of them at once, and how they are let go of."""
    if before := until.articles:
        ids = store.past_articles(connection, before, NEWEST, LONGEST_LIST, now)
        yield Kind.ARTICLES, ids, AT_ONCE, lambda connection, some: store.take_articles(connection, some, before)
    if until.pools:
        yield Kind.POOLS, store.past_pools(connection, until.pools.date()), POOLS_AT_ONCE, store.take_pools
    if sent := until.letters:
        keys = store.past_letters(connection, sent)
        yield Kind.LETTERS, keys, AT_ONCE, lambda connection, some: store.take_letters(connection, some, sent)


def _portions(engine: Engine, until: Until, now: datetime) -> Iterator[tuple[Kind, int]]:
    """Let go of one portion after the other, each in a transaction that has ended when it is told."""
    if until.deliveries:
        yield from _deliveries(engine, until.deliveries)
    with engines.read(engine) as connection:
        listed = list(_listed(connection, until, now))
    for kind, keys, at_once, take in listed:
        for start in range(0, len(keys), at_once):
            with engines.write(engine) as connection:
                number = take(connection, keys[start : start + at_once])
            yield kind, number


def _deliveries(engine: Engine, before: datetime) -> Iterator[tuple[Kind, int]]:
    with engines.read(engine) as connection:
        past = store.past_editions(connection, before)
    for edition_id in past:
        # The deliveries last, since it is by them that an edition is found which is not done with.
        number = AT_ONCE
        while number == AT_ONCE:
            with engines.write(engine) as connection:
                number = store.take_feedback(connection, edition_id, AT_ONCE)
            if number:
                yield Kind.FEEDBACK, number
        with engines.read(engine) as connection:
            start = store.first_delivery(connection, edition_id) or 0
        number = AT_ONCE
        while number == AT_ONCE:
            with engines.write(engine) as connection:
                number, start = store.take_deliveries(connection, edition_id, start, AT_ONCE)
            if number:
                yield Kind.DELIVERIES, number
    with engines.write(engine) as connection:
        store.take_return_counts(connection, before.date())


def _back(days: int, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None
