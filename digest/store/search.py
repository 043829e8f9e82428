"""Searching the stories of published editions, and the editions themselves. What each database is asked is made here.

The newest is shown first and not the best: who searches an archive of news asks what is known of a thing by now, and the
same page shows the same stories until new ones come. It is also the only order in which neither database needs to look at
every match of a common word.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, Text, column, literal_column, select, table, text

from digest.model import Correction, Edition, Item
from digest.store import corrections, editions, search_index
from digest.store.tables import editions as editions_table
from digest.store.tables import search_texts
from digest.words import Question, Term

LEAST_KEY, GREATEST_KEY = 0, 2**63 - 1
GONE_THROUGH = 8000

_FTS = table("search_index", column("rowid"), column("search_index"))


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: words, within a topic and a publisher where they are named, from one date to another, both included."""

    question: Question = field(default_factory=Question)
    topic: str = ""
    publisher: str = ""
    since: date | None = None
    until: date | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for at all."""
        return bool(self.question.text or self.topic or self.publisher or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Found:
    """What matches in an edition: the stories that `edition` has here, and whether its own words do, such as an event."""

    edition: Edition
    itself: bool
    corrections: tuple[Correction, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The stories that match, by place."""
        return self.edition.items


@dataclass(frozen=True, slots=True)
class Page:
    """Matches, the newest edition first. `older` is where the next page begins; None where this is the last."""

    found: tuple[Found, ...]
    older: int | None = None


def find(connection: Connection, wanted: Search, most: int, before: int | None = None) -> Page:
    """At most so many matches, from `before` on, which is the `older` of the page before.

    A search that asks for nothing finds nothing, and so does one whose question has no words.
    """
    if not wanted or (wanted.question.text and not wanted.question.wanted):
        return Page(())
    keys = _matches(connection, wanted, most + 1, before)
    shown = keys[:most]
    return Page(tuple(_found(connection, shown)), shown[-1] if len(keys) > most else None)


def fts5(question: Question, filters: Collection[str] = ()) -> str:
    """The question as SQLite's FTS5 takes it; "" where nothing is wanted. Words are letters and figures, and stand in quotes."""
    wanted = [*(_in_fts5(term) for term in question.wanted), *(f'"{word}"' for word in filters)]
    if not wanted:
        return ""
    asked = " AND ".join(wanted)
    for term in question.unwanted:
        asked = f"({asked}) NOT {_in_fts5(term)}"
    return asked


def tsquery(question: Question, filters: Collection[str] = ()) -> str:
    """The question as PostgreSQL's `tsquery`; "" where nothing is wanted."""
    wanted = [*(_in_tsquery(term) for term in question.wanted), *(f"'{word}'" for word in filters)]
    if not wanted:
        return ""
    return " & ".join([*wanted, *(f"!{_in_tsquery(term)}" for term in question.unwanted)])


def rebuild(connection: Connection) -> int:
    """Make the texts of every published edition anew, and what the database makes of them; how many had been wrong."""
    wrong = 0
    for edition_id in connection.scalars(select(editions_table.c.id).order_by(editions_table.c.id)).all():
        edition = editions.by_id(connection, edition_id)
        assert edition is not None
        corrected = corrections.of(connection, edition_id)
        due = {row["id"]: row["words"] for row in search_index.rows(edition, corrected)}
        kept = select(search_texts.c.id, search_texts.c.words).where(search_texts.c.edition_id == edition_id)
        if due != {row.id: row.words for row in connection.execute(kept)}:
            search_index.keep(connection, edition, corrected)
            wrong += 1
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search_index (search_index) VALUES ('rebuild')"))
    return wrong


def _in_fts5(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" * term.beginning}'


def _in_tsquery(term: Term) -> str:
    *firsts, last = (f"'{word}'" for word in term.words)
    return f"({' <-> '.join([*firsts, last + ':*' * term.beginning])})"


def _matches(connection: Connection, wanted: Search, most: int, before: int | None) -> list[int]:
    """The ids of at most so many matches, the newest first."""
    filters = [search_index.topic_word(wanted.topic)] if wanted.topic else []
    filters += [search_index.publisher_word(wanted.publisher)] if wanted.publisher else []
    low = search_index.first_key(wanted.since) if wanted.since else LEAST_KEY
    high = search_index.end_key(wanted.until) if wanted.until else GREATEST_KEY
    if before is not None:
        high = min(high, before - 1)
    if not (wanted.question.wanted or filters):
        ids = search_texts.c.id
        return list(connection.scalars(select(ids).where(ids.between(low, high)).order_by(ids.desc()).limit(most)))
    if connection.dialect.name == "postgresql":
        return _on_postgresql(connection, tsquery(wanted.question, filters), (low, high), most)
    rowid, index = _FTS.c.rowid, _FTS.c.search_index
    matches = select(rowid).where(index.op("MATCH")(fts5(wanted.question, filters)), rowid.between(low, high))
    return list(connection.scalars(matches.order_by(rowid.desc()).limit(most)))


def _on_postgresql(connection: Connection, asked: str, between: tuple[int, int], most: int) -> list[int]:
    """FTS5 goes from the newest match to older ones, which no index of PostgreSQL's can.

    It would either collect every match of a common word, or go through the whole table for a rare one, as it guesses. So the newest
    texts are gone through first; where that is not enough, the words are rare, and all that have them are collected.
    """
    id_, vector = search_texts.c.id, literal_column("search_vector", Text())
    newest = select(id_, vector).where(id_.between(*between)).order_by(id_.desc()).limit(GONE_THROUGH).subquery()
    match = text("search_vector @@ CAST(:asked AS tsquery)").bindparams(asked=asked)
    found = list(connection.scalars(select(newest.c.id).where(match).order_by(newest.c.id.desc()).limit(most)))
    if len(found) == most:
        return found
    # Ids that are in no index leave only the way by the words, whatever is guessed.
    anyhow = id_ + 0
    rare = select(id_).where(match, anyhow.between(*between)).order_by(anyhow.desc()).limit(most)
    return list(connection.scalars(rare))


def _found(connection: Connection, keys: Collection[int]) -> Iterator[Found]:
    wanted: dict[int, list[int]] = {}
    for edition_id, place in map(search_index.edition_and_place, keys):
        wanted.setdefault(edition_id, []).append(place)
    known = editions.with_places(connection, wanted)
    corrected = corrections.of_all(connection, wanted)
    for edition_id, places in wanted.items():
        own = tuple(one for one in corrected if one.edition_id == edition_id)
        yield Found(known[edition_id], 0 in places, own)
