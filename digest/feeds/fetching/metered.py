"""Sockets that count what arrives, so that no server keeps us busy with what is no document."""

import socket
from typing import Any

MOST_BESIDE_BYTES = 256 * 1024
"""What may arrive after a question besides the body: headers, interim answers, and what chunks are wrapped in."""

_GULP_BYTES = 16 * 1024


class Flood(OSError):
    """More has arrived than the answer to a question can hold."""


class MeteredSocket(socket.socket):
    """Takes what arrives in small gulps, so that between two of one server's every other server has its turn.

    More than was allowed since the last question raises Flood: interim answers, extensions of chunks, and whatever else
    HTTP lets stand beside a body, cost far more to read than to send.
    """

    _left = MOST_BESIDE_BYTES

    def allow(self, size: int) -> None:
        """Let so many more bytes arrive: those of a body."""
        self._left += size

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send, which is a question and begins the count anew."""
        self._left = MOST_BESIDE_BYTES
        return super().send(data, flags)

    def sendmsg(self, *args: Any) -> int:
        """As `send`."""
        self._left = MOST_BESIDE_BYTES
        return super().sendmsg(*args)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Take a gulp of at most `size`. Raises Flood."""
        taken = super().recv(min(size, _GULP_BYTES), flags)
        self._count(len(taken))
        return taken

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0, /) -> int:
        """As `recv`."""
        taken = super().recv_into(buffer, min(size or len(buffer), _GULP_BYTES), flags)
        self._count(taken)
        return taken

    def _count(self, taken: int) -> None:
        self._left -= taken
        if self._left < 0:
            raise Flood("the server sends more than a document")
