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

    `gone` means that the server has no such document (404, 410); `retry_after` that we should not ask earlier.
    """

    reason: str
    status: int | None = None
    retry_after: timedelta | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed document as read: its entries in document order and what it says of itself."""

    entries: tuple[Entry, ...]
    title: str = ""
    language: str = ""
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ParseFailed:
    """The body is not what was expected, and why, in words for the operator."""

    reason: str
