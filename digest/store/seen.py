"""What a long file has named so far, kept in a file of its own on disk: no list is too long for that."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from digest.store.given import packed

ANY = ""
"""The digest for which an address is named that is named for all of them."""

_CACHE_KB = 16_000
_DIGITS = 32  # of the keyed hash of an address: 128 bits tell any two apart, and half the length is half the file


class Seen:
    """At which line an address, given by its key, was first named for a digest. It is gone when it is closed."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("", isolation_level=None)  # "": a temporary file that SQLite removes
        self._kept.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._kept.execute("PRAGMA journal_mode = OFF")
        self._kept.execute("PRAGMA synchronous = OFF")
        self._kept.execute(
            "CREATE TABLE seen (name TEXT, digest TEXT, line INTEGER, PRIMARY KEY (name, digest)) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def first_lines(self, keys: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
        """Where those of the addresses stood that have been noted, by the digests for which they were."""
        asked = {key[:_DIGITS]: key for key in keys}
        wanted = "SELECT name, digest, line FROM json_each(?) JOIN seen ON name = value"
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, digest, line in self._kept.execute(wanted, (packed(asked),)):
            found[asked[name]][digest] = line
        return found

    def note(self, named: Iterable[tuple[str, str, int]]) -> dict[int, int]:
        """Keep which addresses are named for which digests, at which lines.

        Returns:
            The lines that name nobody new, each with the first one that names the same.
        """
        kept = self._kept.cursor()
        repeated = {}
        kept.execute("BEGIN")
        # In the order of the index, so that few of its pages are turned.
        for name, digest, line in sorted((key[:_DIGITS], digest, line) for key, digest, line in named):
            if not kept.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (name, digest, line)).rowcount:
                first = "SELECT line FROM seen WHERE name = ? AND digest = ?"
                repeated[line] = kept.execute(first, (name, digest)).fetchone()[0]
        kept.execute("COMMIT")
        return repeated
