"""TOML files read so that every fault is found at once, with its line and what would be right.

`tomllib` forgets where a value stood, so the lines are found again by a scan of the table headers and keys.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from digest.errors import Fault

Where = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]+\")\s*=")
_SYNTAX_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_DURATION = re.compile(r"^(\d+)\s*(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REQUIRED: Any = object()


def parse_duration(text: str) -> timedelta | None:
    """Read "90s", "30m", "6h" or "2d"; None for anything else."""
    match = _DURATION.match(text.strip())
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else None


def read(path: Path, faults: list[Fault]) -> "Table":
    """Read a file into its root table.

    A missing or unreadable file is one fault, and an empty table of which nothing more is said.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Table(path, tomllib.loads(text), (), _lines(text), faults)
    except FileNotFoundError:
        faults.append(Fault(path, 0, "the file is missing; `digest init` writes a commented one"))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(path, 0, f"cannot be read as UTF-8 text: {error}"))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _SYNTAX_PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        reason = _SYNTAX_PLACE.sub("", message)
        faults.append(Fault(path, line, f"not valid TOML: {reason[:1].lower()}{reason[1:]}"))
    return Table(path, {}, (), {}, faults=[])


def _lines(text: str) -> dict[Where, int]:
    """Map each table and key to the line where it is first written."""
    found: dict[Where, int] = {}
    counts: dict[Where, int] = {}
    table: Where = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(part.strip().strip('"') for part in header[2].split("."))
            parent: Where = ()
            for name in names[:-1]:
                parent = (*parent, name)
                if parent in counts:
                    parent = (*parent, counts[parent] - 1)
            table = (*parent, names[-1])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                found.setdefault(table, number)
                table = (*table, index)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1].strip('"')), number)
    return found


class Table:
    """One table of a file. Each getter returns a usable value and notes a fault where the file's is not one."""

    def __init__(
        self, file: Path, data: Mapping[str, Any], where: Where, lines: Mapping[Where, int], faults: list[Fault]
    ) -> None:
        self._file, self._data, self._where, self._lines, self._faults = file, data, where, lines, faults
        self._asked: set[str] = set()

    def fault(self, key: str, message: str) -> None:
        """Note what is wrong with `key`, at its line, or at the table's where the key is missing."""
        line = self._lines.get((*self._where, key)) or self._lines.get(self._where, 0)
        name = ".".join(str(part) for part in self._where if not isinstance(part, int))
        self._faults.append(Fault(self._file, line, f"{f'[{name}] ' if name else ''}{key}: {message}"))

    @property
    def names(self) -> tuple[str, ...]:
        """All that the file names here, for tables whose keys are anybody's choice."""
        return tuple(self._data)

    def has(self, key: str) -> bool:
        """Whether the file says anything of `key`."""
        return key in self._data

    def _value(self, key: str, default: Any, kinds: type | tuple[type, ...], wanted: str) -> Any:
        self._asked.add(key)
        if key not in self._data:
            if default is _REQUIRED:
                self.fault(key, f"is missing; it should be {wanted}")
            return None
        value = self._data[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            self.fault(key, f"is {value!r}; it should be {wanted}")
            return None
        return value

    def text(self, key: str, default: str = _REQUIRED, *, wanted: str = "a text in quotes") -> str:
        """A non-empty text; an empty default means that it may be left out or empty."""
        value = self._value(key, default, str, wanted)
        if value is not None and not value.strip() and default != "":
            self.fault(key, f"is empty; it should be {wanted}")
            value = None
        fallback = "" if default is _REQUIRED else default
        return fallback if value is None else str(value).strip()

    def number(self, key: str, default: float, *, least: float = 0.0, most: float = 1e6) -> float:
        """A number within bounds."""
        wanted = f"a number from {least:g} to {most:g}"
        value = self._value(key, default, (int, float), wanted)
        if value is not None and not least <= value <= most:
            self.fault(key, f"is {value}; it should be {wanted}")
            value = None
        return default if value is None else float(value)

    def integer(self, key: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number within bounds."""
        wanted = f"a whole number from {least} to {most}"
        value = self._value(key, default, int, wanted)
        if value is not None and not least <= value <= most:
            self.fault(key, f"is {value}; it should be {wanted}")
            value = None
        return default if value is None else int(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default, bool, "true or false")
        return default if value is None else bool(value)

    def choice(self, key: str, options: Collection[str], default: str) -> str:
        """One of a few words."""
        wanted = "one of " + ", ".join(f'"{option}"' for option in options)
        value = self._value(key, default, str, wanted)
        if value is not None and value not in options:
            self.fault(key, f'is "{value}"; it should be {wanted}{_meant(value, options)}')
            value = None
        return default if value is None else str(value)

    def texts(self, key: str, options: Collection[str] | None = None, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts, each one of `options` where these are given."""
        wanted = 'a list of texts such as ["one", "two"]'
        values = self._value(key, default, list, wanted)
        if values is None:
            return default
        good = []
        for value in values:
            if not isinstance(value, str) or not value.strip():
                self.fault(key, f"holds {value!r}; it should be {wanted}")
            elif options is not None and value not in options:
                self.fault(key, f'holds "{value}", which is not one of {", ".join(options)}{_meant(value, options)}')
            else:
                good.append(value.strip())
        return tuple(good)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Texts by name, such as { currency = "USD" }."""
        wanted = 'texts by name such as { currency = "USD" }'
        values = self._value(key, {}, dict, wanted) or {}
        for name, value in values.items():
            if not isinstance(value, str):
                self.fault(key, f"gives {name} the value {value!r}; it should be {wanted}")
        return tuple((name.strip(), value.strip()) for name, value in values.items() if isinstance(value, str))

    def duration(self, key: str, *, least: timedelta) -> timedelta | None:
        """A span such as "30m", "6h" or "1d", if one is given."""
        wanted = f'a span such as "30m", "6h" or "1d", at least {int(least.total_seconds() // 60)} minutes'
        value = self._value(key, None, str, wanted)
        span = None if value is None else parse_duration(value)
        if value is not None and (span is None or span < least):
            self.fault(key, f'is "{value}"; it should be {wanted}')
            span = None
        return span

    def local_time(self, key: str, default: time) -> time:
        """A time of day such as "06:30"."""
        value = self._value(key, default, (str, time), 'a time of day such as "06:30"')
        if isinstance(value, time):
            return value.replace(tzinfo=None)
        if value is not None:
            try:
                return time.fromisoformat(value).replace(tzinfo=None)
            except ValueError:
                self.fault(key, f'is "{value}"; it should be a time of day such as "06:30"')
        return default

    def date(self, key: str) -> date | None:
        """A date such as 2026-01-05, also as a text; None where it is left out or empty."""
        wanted = "a date such as 2026-01-05"
        value = self._value(key, None, (str, date), wanted)
        if isinstance(value, str) and value:
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.fault(key, f'is "{value}"; it should be {wanted}')
        elif isinstance(value, datetime):
            self.fault(key, f"is {value}; it should be {wanted}, without a time")
        elif value:
            return cast("date", value)
        return None

    def zone(self, key: str, default: str) -> str:
        """The name of an IANA time zone."""
        wanted = 'a time zone such as "Europe/Berlin" or "UTC"'
        value = self._value(key, default, str, wanted)
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                self.fault(key, f'is "{value}"; it should be {wanted}')
                value = None
        return default if value is None else str(value)

    def raw_list(self, key: str) -> list[Any]:
        """A list of whatever the file holds, for values that check themselves."""
        value = self._value(key, [], list, "a list in square brackets")
        return [] if value is None else list(value)

    def table(self, key: str) -> "Table":
        """The table `[key]`, empty where it is missing."""
        value = self._value(key, {}, dict, f"a table [{key}]")
        return Table(self._file, value or {}, (*self._where, key), self._lines, self._faults)

    def tables(self, key: str) -> "list[Table]":
        """Every table `[[key]]`, in order."""
        values = self._value(key, [], list, f"tables headed [[{key}]]") or []
        tables = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                tables.append(Table(self._file, value, (*self._where, key, index), self._lines, self._faults))
            else:
                self.fault(key, f"holds {value!r}; it should be tables headed [[{key}]]")
        return tables

    def finish(self) -> None:
        """Note every key that nothing asked for."""
        for key in self._data:
            if key not in self._asked:
                known = sorted(self._asked)
                hint = _meant(key, known) or f"; known here: {', '.join(known)}"
                self.fault(key, f"is not a setting{hint}")


def _meant(word: str, options: Collection[str]) -> str:
    """Say what a misspelt word may have meant, if anything is near."""
    near = difflib.get_close_matches(word, list(options), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
