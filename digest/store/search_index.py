"""What searching looks through: the words of each story of a published edition, and of each edition around its stories.

An ordinary table has them. Beside it PostgreSQL keeps a `tsvector` and SQLite an FTS5 table, each by itself, from then on
whenever a row comes or goes. Here rows are written, in the transaction that publishes, corrects or withdraws an edition.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete

from digest.model import Correction, Edition, EditionState, Item
from digest.store.tables import search_texts
from digest.words import words

TOPIC, PUBLISHER = "t:", "p:"
"""How the words begin that stand for a story's topic and publisher. Nothing that is typed has a colon in it."""

ABOUT = 0.5
"""How relevant a story is to a topic, under which it does not stand, at least, to be one of its stories."""

_LONGEST = 200
"""Characters of such a word: PostgreSQL takes 2,046 bytes."""

_PLACES, _EDITIONS = 12, 29
"""Bits. Up to 4,095 places in 500 million editions, which leaves a date for every day until the year 9999."""

_LAST_PLACE = (1 << _PLACES) - 1


def key(day: date, edition_id: int, place: int) -> int:
    """The id of a text. The greater one is shown first: of the later date, then the better placed; 0 is the edition itself."""
    return (day.toordinal() << _EDITIONS | edition_id) << _PLACES | (_LAST_PLACE - place)


def first_key(day: date) -> int:
    """No text of that date or a later one has a smaller id."""
    return day.toordinal() << _EDITIONS + _PLACES


def end_key(day: date) -> int:
    """No text of that date or an earlier one has a greater id."""
    return (day.toordinal() + 1 << _EDITIONS + _PLACES) - 1


def edition_and_place(text_id: int) -> tuple[int, int]:
    """Of which edition a text is, and of which place in it."""
    return text_id >> _PLACES & (1 << _EDITIONS) - 1, _LAST_PLACE - (text_id & _LAST_PLACE)


def rows(edition: Edition, corrections: Sequence[Correction]) -> Iterator[dict[str, Any]]:
    """The texts of an edition as readers see it; none, where it is not published."""
    if edition.state is not EditionState.FROZEN:
        return
    yield _row(edition, 0, _around(edition))
    for item in edition.items[: edition.length]:
        yield _row(edition, item.place, _of_story(item, corrections))


def keep(connection: Connection, edition: Edition, corrections: Sequence[Correction] = ()) -> None:
    """Have an edition found by what it says now."""
    connection.execute(delete(search_texts).where(search_texts.c.edition_id == edition.id))
    if found := list(rows(edition, corrections)):
        connection.execute(search_texts.insert(), found)


def topic_word(slug: str) -> str:
    """The word by which the stories of a topic are found."""
    return f"{TOPIC}{re.sub(r'[^a-z0-9-]', '', slug.lower())}"[:_LONGEST]


def publisher_word(name: str) -> str:
    """The word by which the stories of a publisher are found, however its name is written."""
    return f"{PUBLISHER}{'-'.join(words(name))}"[:_LONGEST]


def around(day: date, markets: Iterable[str], events: Iterable[str]) -> str:
    """By what an edition itself is found: its date, its market series and its events.

    Not by its title, which all editions of a digest share: whoever types a word of that means stories.
    """
    return " ".join(words(" ".join((day.isoformat(), *markets, *events))))


def of_story(said: Iterable[str], publishers: Sequence[str], section: str, topics: Mapping[str, float]) -> str:
    """By what a story is found: all that is said in it or of it, and whose it is."""
    about = {slug for slug, relevance in topics.items() if relevance >= ABOUT} | {section} - {""}
    found = words(" ".join((*said, *publishers)))
    found += (topic_word(slug) for slug in sorted(about))
    found += (publisher_word(name) for name in dict.fromkeys(publishers))
    return " ".join(found)


def _row(edition: Edition, place: int, found: str) -> dict[str, Any]:
    return {"id": key(edition.date, edition.id, place), "edition_id": edition.id, "words": found}


def _around(edition: Edition) -> str:
    events = (text for event in edition.events for text in (event.title, event.calendar))
    return around(edition.date, (quote.name for quote in edition.quotes), events)


def _of_story(item: Item, corrections: Sequence[Correction]) -> str:
    news = item.update.news if item.update else ""
    corrected = (one.text for one in corrections if one.story_id == item.story_id)
    said = (item.title, item.summary, news, *(other.title for other in item.also), *corrected)
    return of_story(said, (item.publisher, *(other.publisher for other in item.also)), item.section, item.topics)
