"""Lists of readers, carried in and out as CSV (RFC 4180).

Each line of a file is a record of its own, so that a quotation mark left open spoils that line and not the rest.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO

from sqlalchemy import Connection, Engine

from digest.config import Config
from digest.errors import BadAddress
from digest.links import address_key
from digest.model import MUTE, Digest, SubscriptionState
from digest.spreadsheet import guarded, unguarded
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions
from digest.subscribers.consent import acceptable, consent, suppressed_sentence

COLUMNS = ("email", "digest", "state", "topics", "paused_until", "since", "ended_at")
LONGEST_LINE = 64 * 1024
BATCH = 500

_COLUMN_NAMES = {
    **dict.fromkeys(("email", "e-mail", "address", "email address", "e-mail address"), "email"),
    **dict.fromkeys(("topic", "topics"), "topics"),
    "digest": "digest",
    "state": "state",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One reader of a file, not yet judged. Lines are counted from 1; what the file does not say is empty."""

    line: int
    address: str
    topics: tuple[str, ...] = ()
    digest: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of which nobody became a reader, and why."""

    line: int
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many are readers now who were not, how many were already, and every line that was refused."""

    added: int
    already: int
    refused: tuple[Refusal, ...]


def import_csv(config: Config, engine: Engine, file: Path, digest: Digest, now: datetime) -> ImportReport:
    """Subscribe everyone in a CSV file whose consent the operator vouches for.

    The file is UTF-8, or UTF-16 with a byte order mark; fields are separated by `,`, `;` or tabs. A first line that names
    a column `email` or `address` is a header and may also name `topics` (slugs separated by spaces or `;`), and `digest`
    and `state` as our own export does; without a header the first field that holds an @-sign is the address. The file
    is read as a stream and may be of any length.

    A line that cannot be used is refused, with its number and the reason, and the rest goes on. Whoever has left, by our
    books or by the file's, or is suppressed is refused too: no file brings anyone back. To import a file twice is to import it once.
    """
    added = already = 0
    refused: list[Refusal] = []
    with file.open("rb") as stream:
        rows = records(lines(stream))
        while batch := list(islice(rows, BATCH)):
            with engines.write(engine) as connection:
                taken = _take(config, connection, batch, digest, now)
            added, already = added + taken.added, already + taken.already
            refused += taken.refused
    return ImportReport(added, already, tuple(refused))


def export_csv(engine: Engine, stream: TextIO) -> int:
    """Write every subscription, ended ones too, under a header; return their number. `import_csv` reads the file.

    A field that a spreadsheet would take for a formula begins with an apostrophe, which the import takes off again.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    number = 0
    with engines.read(engine) as connection:
        for number, one in enumerate(store.each(connection), start=1):  # noqa: B007
            row = (
                one.address,
                one.digest,
                one.state.value,
                " ".join(one.topics),
                one.paused_until or "",
                one.since.isoformat() if one.since else "",
                one.ended_at.isoformat() if one.ended_at else "",
            )
            writer.writerow(guarded(str(field)) for field in row)
    return number


def lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a file without their ends, decoded; what is no text becomes U+FFFD.

    A line longer than `LONGEST_LINE` characters is cut to one more than that, so that no file can fill the memory.
    """
    head = stream.read(LONGEST_LINE)
    utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if utf_16 else "utf-8-sig")("replace")
    rest = ""
    for chunk in chain([head], iter(partial(stream.read, LONGEST_LINE), b"")):
        *full, last = decoder.decode(chunk).split("\n")
        for line in full:
            yield _cut(rest + line)
            rest = ""
        rest = (rest + last)[: LONGEST_LINE + 1]
    yield _cut(rest + decoder.decode(b"", final=True))


def records(numbered: Iterable[str]) -> Iterator[Record | Refusal]:
    """The readers that the lines of a CSV file name, blank lines left out."""
    layout: _Layout | None = None
    for number, line in enumerate(numbered, start=1):
        if len(line) > LONGEST_LINE:
            yield Refusal(number, "", f"The line is longer than {LONGEST_LINE:,} characters.")
            continue
        delimiter = layout.delimiter if layout else _delimiter(line)
        try:
            fields = [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error as error:
            yield Refusal(number, "", f"The line is not CSV: {error}.")
            continue
        if not any(fields):
            continue
        if layout is None:
            layout, is_header = _layout(fields, delimiter)
            if is_header:
                continue
        yield layout.record(number, fields)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file's lines are divided, and in which field each column we know stands."""

    delimiter: str
    columns: Mapping[str, int]

    def record(self, number: int, fields: list[str]) -> Record | Refusal:
        def field(column: str) -> str:
            position = self.columns.get(column, len(fields))
            return fields[position] if position < len(fields) else ""

        if not field("email"):
            return Refusal(number, "", "The line has no address.")
        topics = tuple(unguarded(field("topics")).replace(";", " ").split())
        return Record(number, unguarded(field("email")), topics, field("digest"), field("state"))


def _delimiter(line: str) -> str:
    """The separator that comes first: neither a column's name nor an address holds any of them."""
    return min(",;\t", key=lambda separator: line.find(separator) % (len(line) + 1))


def _layout(fields: list[str], delimiter: str) -> tuple[_Layout, bool]:
    """How to read the file that begins with this line, and whether it is a header."""
    names = [_COLUMN_NAMES.get(field.casefold()) for field in fields]
    if "email" in names:
        return _Layout(delimiter, {name: names.index(name) for name in names if name}), True
    first = next((index for index, field in enumerate(fields) if "@" in field), 0)
    return _Layout(delimiter, {"email": first}), False


def _take(
    config: Config, connection: Connection, batch: list[Record | Refusal], digest: Digest, now: datetime
) -> ImportReport:
    """Subscribe those of a few lines who may be."""
    judged = [_judged(config, one, digest) if isinstance(one, Record) else one for one in batch]
    refused = [one for one in judged if isinstance(one, Refusal)]
    named = [one for one in judged if not isinstance(one, Refusal)]
    keys = {newcomer.address_key for _, newcomer in named}
    known, suppressed = store.by_keys(connection, digest.slug, keys), suppressions.reasons(connection, keys)
    added: dict[str, store.Newcomer] = {}
    already = 0
    for line, newcomer in named:
        key = newcomer.address_key
        if key in suppressed:
            refused.append(Refusal(line, newcomer.address, suppressed_sentence(suppressed[key])))
        elif key in known and known[key].state is SubscriptionState.ENDED:
            refused.append(Refusal(line, newcomer.address, "Has unsubscribed; only a new consent brings them back."))
        elif key in known or key in added:
            already += 1
        else:
            added[key] = newcomer
    store.add_all(connection, digest.slug, added.values(), consent("import", now), now)
    return ImportReport(len(added), already, tuple(sorted(refused, key=lambda refusal: refusal.line)))


def _judged(config: Config, record: Record, digest: Digest) -> tuple[int, store.Newcomer] | Refusal:
    """The record's line and whom it names, or what is wrong with it."""
    try:
        address = acceptable(record.address, config)
    except BadAddress as bad:
        return Refusal(record.line, bad.address, bad.reason)
    known = {topic.slug for topic in config.topics}
    if stray := [topic for topic in record.topics if topic.removeprefix(MUTE) not in known]:
        return Refusal(record.line, address, f"No topic is called {stray[0]!r}.")
    if record.state not in {"", SubscriptionState.ACTIVE}:
        return Refusal(record.line, address, f"The file itself says that this subscription is {record.state}.")
    if record.digest not in {"", digest.slug}:
        return Refusal(record.line, address, f"Reads {record.digest!r}, not {digest.slug!r}.")
    return record.line, store.Newcomer(address, address_key(address, config.signing_keys), record.topics)


def _cut(line: str) -> str:
    return line.removesuffix("\r")[: LONGEST_LINE + 1]
