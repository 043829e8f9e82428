"""What a long file has named so far, kept in a file of its own on disk: no list is too long for that."""

import sqlite3
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from digest.store.given import packed

_CACHE_KB = 16_000


class Seen:
    """At which line something was first named. It is gone when it is closed."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("", isolation_level=None)  # "": a temporary file that SQLite removes
        self._kept.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._kept.execute("PRAGMA journal_mode = OFF")
        self._kept.execute("PRAGMA synchronous = OFF")
        self._kept.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def first_lines(self, names: Iterable[str]) -> dict[str, int]:
        """Where those of the names stood that have been noted."""
        asked = packed([name] for name in names)
        found = "SELECT name, line FROM json_each(?) JOIN seen ON name = json_extract(value, '$[0]')"
        return dict(self._kept.execute(found, (asked,)))

    def note(self, lines: Iterable[tuple[str, int]]) -> None:
        """Keep where names stand; a name that has been noted stays where it was."""
        self._kept.execute("BEGIN")
        # In the order of the index, so that few of its pages are turned.
        self._kept.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", sorted(lines))
        self._kept.execute("COMMIT")
