"""Lists of readers as files: the lines of a CSV, whatever program wrote it, told apart into fields.

A field in quotation marks may go on in the next lines. One that is left open spoils its own line and not the rest: it ends
where a line looks like a whole row. Of the columns those are known that our own export has, and those of listmonk's and Mailchimp's exports.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from digest.errors import NoAddresses
from digest.spreadsheet import unguarded

LONGEST_LINE = 64 * 1024
"""In bytes; what is longer is refused."""

MOST_LINES = 100
"""That a field may go on for, after the one in which it begins."""

COLUMNS = (
    *("email", "digest", "state", "topics", "paused_until", "since", "ended_at"),
    *("days", "text_only", "hour", "zone", "language", "suppressed", "consent"),
)
"""Of our own export."""

YES = "yes"

_SPELLINGS = {
    "email": "address|e mail|mail|email address|e mail address|adresse e mail|e mail adresse|dirección de correo electrónico",
    "topics": "topic",
    "state": "status|subscription status|subscriber status|email status|email marketing status",
    "since": "created at|optin time|opt in time|subscribed at",
    "agreed_at": "confirm time|confirmed at",
    "ended_at": "unsub time|unsubscribed at",
    "cleaned_at": "clean time",
}
_NAMES = {name.replace("_", " "): name for name in COLUMNS} | {
    spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split("|")
}
_QUOTED = re.compile(r'"[^"]*"')
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OPEN = "unexpected end of data"  # what csv says of a quotation mark that nothing closes
_ZEROS = 0.3  # addresses are plain ASCII, of which every second byte is zero in UTF-16


class Said(NamedTuple):
    """What a row has in each column that is read by itself; nothing where it has none. Its states are read together."""

    email: str
    digest: str
    topics: str
    paused_until: str
    since: str
    agreed_at: str
    ended_at: str
    days: str
    text_only: str
    hour: str
    zone: str
    language: str
    suppressed: str
    consent: str


@dataclass(frozen=True)
class Layout:
    """How a file's lines are divided, and where each column stands that we know.

    `header` has the names as the file has them; those of a file without a header are made up. `columns` has ours, and nothing
    where we have none. Mailchimp says by the file and
    not in its rows who has left or was cleaned: `all_left`, `all_cleaned`.
    """

    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    states: tuple[int, ...] = ()
    all_left: bool = False
    all_cleaned: bool = False

    @property
    def keeps_out(self) -> bool:
        """Whether its rows may say that somebody must not be mailed."""
        return bool(self.states or self.all_left or self.all_cleaned or self.has_suppressed)

    @cached_property
    def has_suppressed(self) -> bool:
        """Whether a column says of whom that they are suppressed."""
        return "suppressed" in self.columns

    @cached_property
    def blanks(self) -> tuple[str, ...]:
        """What makes any row long enough for `chosen`, put behind its fields."""
        return ("",) * (len(self.columns) + 1)

    @cached_property
    def chosen(self) -> Callable[[Sequence[str]], tuple[str, ...]]:
        """Takes what stands in each column of a `Said` out of fields, the last of which stands for columns that there are not."""
        return itemgetter(*(self.columns.index(name) if name in self.columns else -1 for name in Said._fields))

    @property
    def unused(self) -> tuple[str, ...]:
        """The columns of which nothing is kept."""
        return tuple(name for name, column in zip(self.header, self.columns, strict=True) if not column)


class Row(NamedTuple):  # there may be millions, and a tuple is made in a third of the time
    """One line of a file, which is counted from 1, as fields."""

    line: int
    fields: tuple[str, ...]
    layout: Layout

    @property
    def said(self) -> Said:
        """What the row has in the columns we know."""
        return Said(*self.layout.chosen(self.fields + self.layout.blanks))

    @property
    def states(self) -> tuple[str, ...] | None:
        """What its columns say about the subscription; None where the row ends before them."""
        places = self.layout.states
        if len(places) == 1 and places[0] < len(self.fields):
            return (self.fields[places[0]].casefold(),)
        if places and places[-1] >= len(self.fields):
            return None
        return tuple(self.fields[place].casefold() for place in places)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that could not be told apart into fields, and why."""

    line: int
    text: str
    reason: str


def lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a file without their ends, decoded; what is no text becomes U+FFFD.

    UTF-8 and UTF-16 are known by their byte order mark, UTF-16 also by its zeros; a line that is not UTF-8 is taken for
    Windows-1252. A line longer than `LONGEST_LINE` is cut to a little more than that, so that no file can fill the memory.
    """
    rest = b""
    for piece in _in_narrow_bytes(stream):
        full, end, last = piece.rpartition(b"\n")
        if end:
            yield from _texts(rest + full)
            rest = b""
        rest = (rest + last)[: LONGEST_LINE + 1]
    yield from _texts(rest)


def rows(name: str, numbered: Iterable[str]) -> Iterator[Row | Unreadable]:
    """The lines of the file `name` as fields, blank ones and the header left out.

    Raises:
        NoAddresses: neither is its first line a header with a column of addresses, nor has it an address itself.
    """
    layout: Layout | None = None
    ahead = _Ahead(numbered)
    for number, line in ahead:
        if len(line) > LONGEST_LINE:
            yield Unreadable(number, "", f"The line is longer than {LONGEST_LINE // 1024} KB.")
            continue
        delimiter = layout.delimiter if layout else _delimiter(line)
        try:
            fields = _fields(line, delimiter)
        except csv.Error as error:
            longer = ahead.closed(line, delimiter, layout) if str(error) == _OPEN else None
            if longer is None:
                yield Unreadable(number, line, f"The line is not CSV: {error}.")
                continue
            fields = longer
        if not any(fields):
            continue
        if layout is None:
            named = _named(fields, delimiter)
            layout = named or _unnamed(name, fields, delimiter)
            if named:
                continue
        yield Row(number, fields, layout)


class _Ahead:
    """Lines with their numbers from 1, of which some can be looked at before their turn."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = enumerate(lines, start=1)
        self._ahead: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for one in self._lines:
            yield one
            while self._ahead:
                yield self._ahead.popleft()

    def closed(self, line: str, delimiter: str, layout: Layout | None) -> tuple[str, ...] | None:
        """The fields of a line in which a quotation mark is open, with those lines that a field of it goes on in.

        None where nothing closes it before a line that is a whole row by itself. All lines then have their turn.
        """
        taken: list[tuple[int, str]] = []
        while len(taken) < MOST_LINES and len(line) <= LONGEST_LINE and (one := self._next()):
            taken.append(one)
            if _is_whole(one[1], delimiter, layout):
                break
            line = f"{line}\n{one[1]}"
            if '"' not in one[1]:
                continue
            try:
                return _fields(line, delimiter)
            except csv.Error as error:
                if str(error) != _OPEN:
                    break
        self._ahead.extendleft(reversed(taken))
        return None

    def _next(self) -> tuple[int, str] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)


def _is_whole(line: str, delimiter: str, layout: Layout | None) -> bool:
    """Whether a line looks like a row of its own, and not like a part of a field that somebody typed."""
    if line.count('"') % 2:
        return False
    if layout is None:
        return "@" in line
    fields = line.split(delimiter)
    return len(fields) >= len(layout.columns) and "@" in fields[layout.columns.index("email")]


def _in_narrow_bytes(stream: BinaryIO) -> Iterator[bytes]:
    """The file piece by piece, with UTF-16 as UTF-8, and without its byte order mark."""
    head = stream.read(LONGEST_LINE)
    pieces = chain([head.removeprefix(codecs.BOM_UTF8)], iter(partial(stream.read, LONGEST_LINE), b""))
    if (wide := _wide(head)) is None:
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(wide)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _wide(head: bytes) -> str | None:
    """Which UTF-16 a file is that begins so; None where it is none."""
    if marked := _MARKS.get(head[:2]):
        return marked
    first, second = (head[start::2].count(0) / max(len(head) // 2, 1) for start in (0, 1))
    if max(first, second) < _ZEROS:
        return None
    return "utf-16-le" if second > first else "utf-16-be"


def _texts(some: bytes) -> Iterable[str]:
    """Lines, decoded: all at once where all are UTF-8."""
    try:
        texts = some.decode().split("\n")
    except UnicodeDecodeError:
        texts = [_text(line) for line in some.split(b"\n")]
    return [text.removesuffix("\r") for text in texts] if b"\r" in some else texts


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _fields(line: str, delimiter: str) -> tuple[str, ...]:
    found = next(csv.reader([line], delimiter=delimiter, strict=True), []) if '"' in line else line.split(delimiter)
    fields = map(str.strip, found)
    return tuple(map(unguarded, fields) if "'" in line else fields)


def _delimiter(line: str) -> str:
    """The separator that comes first outside of quotation marks: neither a column's name nor an address holds one."""
    bare = _QUOTED.sub("", line)
    return min(",;\t", key=lambda separator: bare.find(separator) % (len(bare) + 1))


def _named(fields: tuple[str, ...], delimiter: str) -> Layout | None:
    """How to read the file that begins with this line, if it is a header."""
    names = [_NAMES.get(" ".join(re.split(r"[\s_-]+", field.casefold())), "") for field in fields]
    if "email" not in names:
        return None
    return Layout(
        delimiter,
        fields,
        # Of two that mean the same to us the first counts; but for the states, of which each is heard.
        tuple(name if name == "state" or name not in names[:place] else "" for place, name in enumerate(names)),
        tuple(place for place, name in enumerate(names) if name == "state"),
        # Our own export tells by each row's state who has left, and has this column for everybody.
        all_left="ended_at" in names and "state" not in names,
        all_cleaned="cleaned_at" in names,
    )


def _unnamed(name: str, fields: tuple[str, ...], delimiter: str) -> Layout:
    address = next((place for place, field in enumerate(fields) if "@" in field), None)
    if address is None:
        raise NoAddresses(name, fields)
    made_up = tuple("email" if place == address else f"column {place + 1}" for place in range(len(fields)))
    return Layout(delimiter, made_up, tuple("email" if place == address else "" for place in range(len(fields))))
