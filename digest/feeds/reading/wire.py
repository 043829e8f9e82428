"""What the service and its parsing children say to each other: JSON, since a child that met hostile input is not trusted.

A question is a head in JSON with the length of what follows: the body and the known marks, as they are. An answer is
JSON. Before each head and answer stands its length in `LENGTH_BYTES`, the highest byte first. The first thing a child
says is its process id, in as many bytes.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, BinaryIO

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.model import Entry, Image

LENGTH_BYTES = 4

ORDER = struct.Struct("!cI")
"""An order to the nursery: `START` with how nice the child shall be, its end of a socket coming along, or `END` with
the child's process id."""
START, END = b"s", b"e"

EXHAUSTED = "the document takes more memory than a feed may"
OVERWORKED = "the document takes more computing time than a feed may"
"""What a child says that has come to a limit and is not to be asked again."""

_ENTRY = tuple(field.name for field in fields(Entry))
_IMAGE = tuple(field.name for field in fields(Image))
_entry_values: Callable[[Entry], tuple[Any, ...]] = attrgetter(*_ENTRY)
_image_values: Callable[[Image], tuple[Any, ...]] = attrgetter(*_IMAGE)


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of `parse.parse`."""

    body: bytes
    url: str
    content_type: str
    most_entries: int
    known: bytes


def asked(question: Question, seconds: float) -> tuple[bytes, ...]:
    """A question, and how much computing time it may take, as what is to be sent, one piece after the other."""
    numbers = len(question.body), len(question.known), question.most_entries, seconds
    head = json.dumps([*numbers, question.url, question.content_type]).encode()
    pieces = len(head).to_bytes(LENGTH_BYTES) + head, question.body, question.known
    # From Python 3.12 on asyncio never has done with an empty piece at the end: it computes until the other end closes.
    return tuple(piece for piece in pieces if piece)


def heard(stream: BinaryIO) -> tuple[Question, float] | None:
    """What `asked` was given, or None where the stream has ended."""
    prefix = stream.read(LENGTH_BYTES)
    if len(prefix) < LENGTH_BYTES:
        return None
    body, known, most_entries, seconds, url, content_type = json.loads(stream.read(int.from_bytes(prefix)))
    return Question(stream.read(body), url, content_type, most_entries, stream.read(known)), seconds


def packed(outcome: Parsed | ParseFailed) -> bytes:
    """An outcome as bytes, their length before them."""
    answer = json.dumps(_plain(outcome), check_circular=False, separators=(",", ":")).encode()
    return len(answer).to_bytes(LENGTH_BYTES) + answer


def unpacked(answer: bytes) -> Parsed | ParseFailed:
    """The outcome that `packed` made these bytes of, without their length.

    Raises:
        ValueError, TypeError, KeyError: it was not `packed` that made them.
    """
    outcome = json.loads(answer)
    if "reason" in outcome:
        return ParseFailed(outcome["reason"], tuple(outcome["alternates"]))
    wait = outcome.pop("wait")
    return Parsed(
        entries=tuple(_entry(values) for values in outcome.pop("entries")),
        wait=None if wait is None else timedelta(seconds=wait),
        silent_hours=tuple(outcome.pop("silent_hours")),
        silent_days=tuple(outcome.pop("silent_days")),
        marks=bytes.fromhex(outcome.pop("marks")),
        **outcome,
    )


def _plain(outcome: Parsed | ParseFailed) -> dict[str, Any]:
    values = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    if isinstance(outcome, Parsed):
        values |= {
            "entries": [_entry_plain(entry) for entry in outcome.entries],
            "wait": None if outcome.wait is None else outcome.wait.total_seconds(),
            "marks": outcome.marks.hex(),
        }
    return values


def _entry_plain(entry: Entry) -> list[Any]:
    values = dict(zip(_ENTRY, _entry_values(entry), strict=True))
    values["published"] = entry.published and entry.published.timestamp()
    values["updated"] = entry.updated and entry.updated.timestamp()
    values["images"] = [_image_values(image) for image in entry.images]
    return list(values.values())


def _entry(values: list[Any]) -> Entry:
    named = dict(zip(_ENTRY, values, strict=True))
    for name in ("published", "updated"):
        if named[name] is not None:
            named[name] = datetime.fromtimestamp(named[name], UTC)
    named["categories"] = tuple(named["categories"])
    named["images"] = tuple(Image(**dict(zip(_IMAGE, image, strict=True))) for image in named["images"])
    return Entry(**named)
