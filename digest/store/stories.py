"""Stories as published editions told them: by its id, and by its articles, wherever it ran."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, or_, select, tuple_

from digest.model import Correction, Edition, EditionState, Item, Update
from digest.store import corrections
from digest.store import editions as edition_store
from digest.store.tables import edition_articles, edition_items, editions

FOLLOWED = timedelta(days=60)
"""So long after a story ran it may come back as an update; editions remember stories for a week or two."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A story as an edition told it; `edition` has this item only, `corrections` are those of the story."""

    edition: Edition
    item: Item
    corrections: tuple[Correction, ...]


def tellings(connection: Connection, story_id: str, digests: Collection[str]) -> list[Telling]:
    """Where a story ran in these digests, the newest first: under its id, and under others, where it was an update or became one.

    Empty where no edition told a story of that id to all of its readers.
    """
    columns = edition_items.c
    places = {
        (row.edition_id, row.place) for row in connection.execute(_shown(digests).where(columns.story_id == story_id))
    }
    if not places:
        return []
    known: set[tuple[int, int]] = set()
    while places != known:
        known = places
        rows = connection.execute(_shown(digests).where(tuple_(columns.edition_id, columns.place).in_(places))).all()
        articles = {article for row in rows for article in (*row.article_ids, *_told(row))}
        places = known | _by_articles(connection, articles, digests) | _updates(connection, rows, articles)
    wanted: dict[int, list[int]] = {}
    for edition_id, place in places:
        wanted.setdefault(edition_id, []).append(place)
    found = edition_store.with_places(connection, wanted)
    corrected = corrections.of_all(connection, wanted)
    told = [
        Telling(
            edition,
            item,
            tuple(one for one in corrected if (one.edition_id, one.story_id) == (edition.id, item.story_id)),
        )
        for edition in found.values()
        for item in edition.items
    ]
    return sorted(told, key=lambda one: (one.edition.date, one.edition.id, -one.item.place), reverse=True)


def _shown(digests: Collection[str]) -> Select[tuple[int, int, list[int], object, str, object]]:
    """The stories that readers of published editions have seen, whatever topics they chose."""
    items = edition_items.c
    return (
        select(items.edition_id, items.place, items.article_ids, items.update, editions.c.digest, editions.c.date)
        .join_from(edition_items, editions)
        .where(editions.c.state == EditionState.FROZEN, editions.c.digest.in_(digests))
        .where(items.place <= editions.c.length)
    )


def _by_articles(connection: Connection, articles: Collection[int], digests: Collection[str]) -> set[tuple[int, int]]:
    ran = edition_articles.c
    same = (edition_items.c.edition_id == ran.edition_id) & (edition_items.c.place == ran.place)
    found = _shown(digests).join(edition_articles, same)
    found = found.where(ran.digest.in_(digests), ran.article_id.in_(articles))
    return {(row.edition_id, row.place) for row in connection.execute(found)}


def _updates(connection: Connection, rows: Collection[Row[Any]], articles: set[int]) -> set[tuple[int, int]]:
    """The later stories that are updates of what ran by these articles."""
    later = [
        (editions.c.digest == row.digest) & (editions.c.date > row.date) & (editions.c.date <= row.date + FOLLOWED)
        for row in rows
    ]
    found = _shown({row.digest for row in rows}).where(or_(*later))
    return {(row.edition_id, row.place) for row in connection.execute(found) if not articles.isdisjoint(_told(row))}


def _told(row: Row[Any]) -> tuple[int, ...]:
    """The articles by which the story ran before."""
    update = msgspec.convert(row.update, Update | None)
    return update.told if update else ()
