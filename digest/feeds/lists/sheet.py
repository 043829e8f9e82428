"""Lists of feeds as CSV (RFC 4180), for those who keep them in a spreadsheet. Pure.

Each line is a record of its own, so that a quotation mark left open spoils that line and not the rest.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.feeds.lists.records import Record, Refusal, duration
from digest.model import Feed
from digest.spreadsheet import guarded, unguarded

COLUMNS = ("url", "publisher", "weight", "language", "topics", "poll", "paused", "official")
LONGEST_LINE = 64 * 1024

_COLUMN_NAMES = {
    **{name: name for name in COLUMNS},
    **dict.fromkeys(("xmlurl", "feed", "feed url", "address", "link"), "url"),
    **dict.fromkeys(("name", "title", "text"), "publisher"),
    "topic": "topics",
    **dict.fromkeys(("folder", "folders", "category", "categories", "tag", "tags"), "folders"),
}
_ADDRESS = re.compile(r"(?:https?|feed):", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")


def read(body: bytes) -> list[Record | Refusal]:
    """Every feed of a CSV file in its order, and every line that is wrong. Blank lines and those behind a `#` are left out.

    The file is UTF-8, or UTF-16 with a byte order mark; fields are separated by `,`, `;` or tabs. A first line that names
    a column `url` is a header and may also name `publisher`, `weight`, `language`, `topics` (slugs separated by spaces or
    `;`), `folders`, `poll`, `paused` and `official`. Without a header the first field that begins like an address is the feed's, and the
    first other one its publisher, so that a plain list of addresses will do.
    """
    utf_16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return list(_records(body.decode("utf-16" if utf_16 else "utf-8-sig", "replace")))


def write(feeds: Sequence[Feed]) -> bytes:
    """A file that `read` makes the same feeds of. A field that a spreadsheet would take for a formula begins with an
    apostrophe, which is taken off again.
    """  # noqa: D205
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for feed in feeds:
        row = (
            feed.url,
            " ".join(feed.publisher.split()),
            repr(feed.weight),
            feed.language or "",
            " ".join(feed.topics),
            duration(feed.poll) if feed.poll else "",
            "true" if feed.paused else "false",
            "true" if feed.official else "false",
        )
        writer.writerow(guarded(field) for field in row)
    return stream.getvalue().encode()


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file's lines are divided, and in which field each column stands; none is known where there is no header."""

    delimiter: str
    columns: Mapping[str, int]

    def record(self, line: int, fields: list[str]) -> Record | Refusal:
        columns = self.columns or _guessed(fields)
        values = {name: unguarded(fields[at]) for name, at in columns.items() if at < len(fields)}
        if not values.get("url"):
            return Refusal(line, "the line has no address")
        topics = values.pop("topics", "").replace(";", " ").split()
        folders = re.split(r"[,;/]", values.pop("folders", ""))
        return Record(line, **values, topics=tuple(topics), folders=tuple(folders))


def _records(text: str) -> Iterator[Record | Refusal]:
    layout: _Layout | None = None
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(line) > LONGEST_LINE:
            yield Refusal(number, f"the line is longer than {LONGEST_LINE:,} characters")
        elif "\ufffd" in line or "\0" in line:
            yield Refusal(number, "the line is not UTF-8 text")
        else:
            delimiter = layout.delimiter if layout else _delimiter(line)
            try:
                fields = [field.strip() for field in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
            except csv.Error as error:
                yield Refusal(number, f"the line is not CSV: {error}")
                continue
            if layout is None:
                layout, is_header = _layout(fields, delimiter)
                if is_header:
                    continue
            if any(fields):
                yield layout.record(number, fields)


def _delimiter(line: str) -> str:
    """The separator of a first line: the one that stands in it most often, the comma where none does."""
    return max(",;\t", key=line.count)


def _layout(fields: list[str], delimiter: str) -> tuple[_Layout, bool]:
    """How to read the file that begins with this line, and whether it is a header."""
    names = [_COLUMN_NAMES.get(field.casefold()) for field in fields]
    if "url" in names:
        return _Layout(delimiter, {name: names.index(name) for name in names if name}), True
    return _Layout(delimiter, {}), False


def _guessed(fields: list[str]) -> dict[str, int]:
    url = next((at for at, field in enumerate(fields) if _ADDRESS.match(field)), 0)
    other = next((at for at, field in enumerate(fields) if at != url and field), len(fields))
    return {"url": url, "publisher": other}
