"""Nobody holds a connection who does not say what for: requests that do not come, or come a byte at a time, are not waited for.

uvicorn waits for the first request, and for the rest of one that has begun, for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

REQUEST_SECONDS = 10.0
"""From the first moment of a connection, or the first byte of a later request on it, to the end of the request's headers."""


class Hurried(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # which of uvicorn's two it is depends on what is installed
    """HTTP as uvicorn speaks it, to those who come to the point. A body has a time of its own (`guard.py`)."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting while there is no whole request; further bytes do not make the wait longer."""
        super().data_received(data)
        if self._is_owed_a_request():
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _is_owed_a_request(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        self._deadline = self._deadline or self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
