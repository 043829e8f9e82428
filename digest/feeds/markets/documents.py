"""Documents as they were sent, taken apart: a zip of one file, CSV, XML. Pure, and wary: a stranger wrote them."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

MOST_OBSERVATIONS = 500_000
DELIMITERS = (",", ";", "\t", "|")
MOST_NAMED = 12
"""How many columns a fault lists."""

_ZIP = b"PK\x03\x04"
_MARKUP = re.compile(r"\s*<")


class Unreadable(ValueError):
    """The document is not what was expected; says why in a sentence's end."""


Observation = tuple[str, str]
"""The words for a day, and those for its value."""


def unzipped(body: bytes, most_bytes: int) -> bytes:
    """The body, or where it is a zip of one file, that file.

    Raises:
        Unreadable: it is a zip of anything else, a broken one, or too large unpacked.
    """
    if not body.startswith(_ZIP):
        return body
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.infolist()
            if len(names) != 1:
                raise Unreadable(f"the zip holds {len(names)} files; one was expected")
            with archive.open(names[0]) as file:
                content = file.read(most_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise Unreadable(f"the zip cannot be unpacked: {error}") from error
    if len(content) > most_bytes:
        raise Unreadable(f"the file in the zip is larger than {most_bytes} bytes")
    return content


def tree(body: bytes) -> etree._Element:
    """The root of an XML document. What its document type would bring is refused, not read.

    Raises:
        Unreadable: it is not well-formed, or has a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    # Also before parsing, since entities in attributes are expanded by it.
    if b"<!DOCTYPE" in body:
        raise Unreadable("the document has a document type")
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"the document is not well-formed XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the document has a document type")
    return root


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV document with the names of its columns, and the lines that stood above these."""

    above: Sequence[str]
    names: Sequence[str]
    delimiter: str
    lines: Sequence[str]

    def column(self, name: str) -> int:
        """Where the column of a name is.

        Raises:
            Unreadable: there is none, or more than one.
        """
        if self.names.count(name) == 1:
            return self.names.index(name)
        if name in self.names:
            raise Unreadable(f'{self.names.count(name)} columns are named "{name}"')
        named = ", ".join(found for found in self.names[:MOST_NAMED] if found)[:200]
        raise Unreadable(f'there is no column "{name}"; there are: {named}{", …" * (len(self.names) > MOST_NAMED)}')

    def rows(self, day: int | None, value: int, where: Mapping[int, str]) -> Iterator[Observation]:
        """The words in two columns of each row that says what it is asked for; short rows, such as footnotes, are none.

        Raises:
            Unreadable: what follows cannot be told apart into fields.
        """
        last = max(value, day or 0, *where)
        try:
            for number, row in enumerate(csv.reader(self.lines, delimiter=self.delimiter)):
                if number >= MOST_OBSERVATIONS:
                    raise Unreadable(f"the document has more than {MOST_OBSERVATIONS} rows")
                if len(row) > last and all(row[column].strip() == wanted for column, wanted in where.items()):
                    # A decimal comma between commas shifts what follows it; such a row says nothing for certain.
                    shifted = any(field.strip() for field in row[len(self.names) :])
                    text = f"row {self.delimiter.join(row)}" if shifted else row[value]
                    yield row[day] if day is not None else "", text
        except csv.Error as error:
            raise Unreadable(f"the document is no proper CSV: {error}") from error


def sheet(body: bytes, header: int, wanted: Sequence[str]) -> Sheet:
    """A CSV document.

    Args:
        body: in UTF-8 or UTF-16, or else in the code page of Western Windows.
        header: the line of the columns' names, from 1.
        wanted: columns by which its delimiter is known.

    Raises:
        Unreadable: it is none.
    """
    text = _decoded(body)
    if _MARKUP.match(text):
        raise Unreadable("the document is a web page or XML, no CSV")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) < header:
        raise Unreadable(f"the document has no line {header}")
    above, line, rest = lines[: header - 1], lines[header - 1], [f"{one}\n" for one in lines[header:] if one.strip()]
    headers = {delimiter: _fields(line, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda one: (set(wanted) <= set(headers[one]), len(headers[one])))
    return Sheet(above, headers[delimiter], delimiter, rest)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _decoded(body: bytes) -> str:
    utf16 = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1252"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("the document is no text")
