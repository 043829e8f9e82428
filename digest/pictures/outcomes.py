"""What becomes of a publisher's picture, as values."""

import hashlib
from dataclasses import dataclass

WIDTH = 552
"""Of the column of the mail, in pixels. A narrower picture stays as it is."""
LEAST_WIDTH = 300
LENGTH_BYTES = 4
"""Before each part of what the child process says."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture of ours: a progressive JPEG without metadata, in sRGB, and its size in pixels."""

    body: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NoPicture:
    """There is none to show, and why, in a sentence for the operator."""

    reason: str


def name_of(url: str, made: Made) -> str:
    """What a picture from that address is called: by its origin, its content and its size.

    By the first it is found again, by the second what is behind a name never changes.
    """
    content = hashlib.sha256(made.body).hexdigest()[:32]
    return f"{origin(url)}-{content}-{made.width}x{made.height}.jpg"


def origin(url: str) -> str:
    """How the name of every picture from that address begins."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def size_in(name: str) -> tuple[int, int]:
    """The width and the height that a name states."""
    width, _, height = name.removesuffix(".jpg").rpartition("-")[2].partition("x")
    return int(width), int(height)
