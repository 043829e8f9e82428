"""What a returned mail says, as a value: it is made in a child process, or by whoever calls the webhook."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MOST_ADDRESSES = 20
LONGEST_ADDRESS = 320
LONGEST_DETAIL = 300

# Reports like to quote whom they are about; what is kept must not, so that erasing a reader is not undone by one.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")


class Kind(StrEnum):
    """What kind of mail it is. A notice says that all is well; what is none of these is for a person to read."""

    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    NOTICE = "notice"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """What a returned mail says.

    `returned_to` are all addresses that may be the return address of a mail of ours; nobody has checked them. `key` is the
    same as often as the same mail comes. `status` is an enhanced status code (RFC 3463), empty where none is known.
    """

    kind: Kind
    returned_to: tuple[str, ...]
    key: str
    status: str = ""
    detail: str = ""

    def packed(self) -> bytes:
        """The report as bytes, for `unpacked`."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that took too much to read, and why."""

    reason: str


def unpacked(packed: bytes) -> Report:
    """A report from the bytes of `Report.packed`, cut to what a report may be.

    Raises:
        ValueError, TypeError, KeyError: they are something else.
    """
    said: Mapping[str, Any] = json.loads(packed)
    addresses = [str(address)[:LONGEST_ADDRESS] for address in said["returned_to"][:MOST_ADDRESSES]]
    return Report(
        Kind(said["kind"]),
        tuple(addresses),
        str(said["key"])[:64],
        str(said["status"])[:11],
        plain(str(said["detail"])),
    )


def plain(text: str) -> str:
    """A stranger's words in one line of printable characters, without the addresses in them."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * LONGEST_DETAIL])
    return _ADDRESS.sub("…", " ".join(printable.split()))[:LONGEST_DETAIL]
