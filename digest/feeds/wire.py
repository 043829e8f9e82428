"""What the service and its parsing child say to each other: JSON, since a child that met hostile input is not trusted."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.model import Entry, Image

LENGTH_BYTES = 4
"""Both directions put the length of a message before it, as so many bytes, the highest first."""

EXHAUSTED = 3
"""The exit status of a child whose document did not fit into its memory."""


def packed(outcome: Parsed | ParseFailed) -> bytes:
    """An outcome as bytes."""
    return json.dumps(asdict(outcome), default=_plain).encode()


def unpacked(message: bytes) -> Parsed | ParseFailed:
    """The outcome that `packed` made these bytes of.

    Raises:
        ValueError, TypeError, KeyError: it was not `packed` that made them.
    """
    fields = json.loads(message)
    if "reason" in fields:
        return ParseFailed(**fields)
    ttl = fields.pop("ttl")
    entries = tuple(_entry(entry) for entry in fields.pop("entries"))
    return Parsed(entries=entries, ttl=None if ttl is None else timedelta(seconds=ttl), **fields)


def _plain(value: datetime | timedelta) -> str | float:
    return value.isoformat() if isinstance(value, datetime) else value.total_seconds()


def _entry(fields: dict[str, Any]) -> Entry:
    for name in ("published", "updated"):
        if fields[name] is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    fields["categories"] = tuple(fields["categories"])
    fields["images"] = tuple(Image(**image) for image in fields["images"])
    return Entry(**fields)
