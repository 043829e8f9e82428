"""What calling on a feed and reading its document can come to, as values."""

from dataclasses import dataclass, field
from datetime import timedelta

from digest.model import Entry, Validators


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole body, unpacked. `url` is where it was found, `moved_to` where it is for good if the server said so.

    `fresh_for` is how long the server wants us to stay away.
    """

    body: bytes
    url: str
    status: int
    validators: Validators = field(default_factory=Validators)
    content_type: str = ""
    moved_to: str | None = None
    fresh_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says that we have the newest document (304)."""

    validators: Validators
    moved_to: str | None = None
    fresh_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No document, and why, in a sentence for the operator.

    `gone` means that the server has no such document (404, 410); `retry_after` that we should not ask earlier;
    `stale` that the validators we asked with are to be forgotten.
    """

    reason: str
    status: int | None = None
    retry_after: timedelta | None = None
    gone: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed document as read: its entries in document order and what it says of itself.

    `entries` are those whose marks were not known; `known` counts the others, which nobody read. `marks` holds a mark
    for every item of the whole document, or nothing where the document could not be scanned and was read whole.
    `shared_ids` says that one identifier stands for several links in the whole document. `home` is the page that the
    feed belongs to. `wait`, `silent_hours` and `silent_days` are as in `Habits`.
    """

    entries: tuple[Entry, ...]
    title: str = ""
    language: str = ""
    home: str = ""
    wait: timedelta | None = None
    silent_hours: tuple[int, ...] = ()
    silent_days: tuple[int, ...] = ()
    marks: bytes = b""
    known: int = 0
    shared_ids: bool = False


@dataclass(frozen=True, slots=True)
class ParseFailed:
    """The body is not what was expected, and why, in words for the operator.

    `alternates` are the feeds that it names, best first, where it is a web page.
    """

    reason: str
    alternates: tuple[str, ...] = ()
