"""The line to the relay: commands out, replies in, each with a time limit. What they mean is known in `smtp`."""

import asyncio
import os
import re
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache

MOST_REPLY = 10 * 1024
"""Bytes of one reply, all its lines together; more is not SMTP."""

MOST_KEPT = 500
"""Characters of a reply that are kept."""

CLOSING_CODE = 421
CLOSED = "the connection was closed"
_REPLY_LINE = re.compile(rb"(\d{3})(?:([ -])(.*?))?\r?\n", re.DOTALL)


class Broken(Exception):
    """The dialogue cannot go on."""


class Closing(Broken):
    """The relay said 421: it closes the connection, and takes nothing that it has not accepted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay answered: its code, and the text of each line."""

    code: int
    lines: tuple[str, ...]

    @property
    def hundred(self) -> int:
        """What kind of reply it is: 200 done, 300 go on, 400 not now, 500 no."""
        return self.code // 100 * 100

    @property
    def text(self) -> str:
        """The reply in one line of printable characters."""
        joined = " ".join(line for line in self.lines if line)
        if not joined.isprintable():
            joined = "".join(c if c.isprintable() else " " for c in joined)
        return joined[:MOST_KEPT]

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


class Wire(asyncio.Protocol):
    """One TCP connection, encrypted or not. `offers` is what the relay has said it can do, by keyword.

    Every method raises `Broken` when the relay does not answer in time, hangs up or does not speak SMTP. One may wait at a
    time. It is `full` while the operating system takes no more. A protocol of its own, since asyncio's streams cost more for each message than all the rest of sending it.
    """

    def __init__(self) -> None:
        self.offers: dict[str, str] = {}
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._lines: list[str] = []
        self._length = 0
        self._replies: deque[Reply] = deque()
        self._end: Broken | None = None
        self.full = False
        self._waiter: asyncio.Future[None] | None = None
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def connect(cls, host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> "Wire":
        """Connect, encrypted from the first byte if `tls` is given."""
        with _as_broken():
            async with _patience(seconds):
                _, wire = await asyncio.get_running_loop().create_connection(cls, host, port, ssl=tls)
        return wire

    @property
    def own_host(self) -> str:
        """The address on our side."""
        return str(self._open.get_extra_info("sockname")[0])

    @property
    def replies(self) -> int:
        """How many there are to read already."""
        return len(self._replies)

    @property
    def answered(self) -> bool:
        """Whether there is an answer to read already, or an end of the connection."""
        return bool(self._replies) or self._end is not None

    async def encrypt(self, host: str, tls: ssl.SSLContext, seconds: float) -> None:
        """Go on encrypted. Nothing may have come in beforehand: it need not be the relay who said it."""
        if self._unread or self.answered:
            raise Broken("it spoke before the encryption began")
        with _as_broken():
            async with _patience(seconds):
                transport = await self._loop.start_tls(self._open, self, tls, server_hostname=host)
        assert isinstance(transport, asyncio.Transport)
        self.connection_made(transport)

    async def command(self, line: str, seconds: float) -> Reply:
        """Send a command and wait for the reply."""
        self.write(f"{line}\r\n".encode())
        return await self.reply(seconds)

    def write(self, content: bytes) -> None:
        """Hand bytes to the operating system, or keep them until it takes them."""
        if self._end is None:
            self._open.write(content)

    async def taken(self, seconds: float) -> None:
        """Wait until everything written has left us, or until there is an answer already."""
        while self.full and not self.answered:
            await self._wait(seconds, "nothing taken")

    async def reply(self, seconds: float) -> Reply:
        """The next reply, within a time."""
        while not self._replies:
            if self._end is not None:
                raise self._end
            await self._wait(seconds, "no answer")
        return self.at_hand()

    def at_hand(self) -> Reply:
        """The next reply of those that are there already."""
        reply = self._replies.popleft()
        if reply.code == CLOSING_CODE:
            raise Closing(str(reply))
        return reply

    def drop(self) -> None:
        """Close at once. What has not left us yet never will."""
        self._finish(Broken(CLOSED))

    # ── what asyncio calls ───────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, or is encrypted from here on."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=0)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read whole lines, keep the rest."""
        unread = self._unread + data if self._unread else data
        start = 0
        while end := unread.find(b"\n", start) + 1:
            self._line(unread[start:end])
            start = end
        self._unread = unread[start:]
        if self._length + len(self._unread) > MOST_REPLY:
            self._finish(Broken("a reply without end"))
        if self.answered:
            self._wake()

    def pause_writing(self) -> None:
        """More is written than the operating system takes at once."""
        self.full = True

    def resume_writing(self) -> None:
        """It has taken all."""
        self.full = False
        self._wake()

    def eof_received(self) -> None:
        """The relay says nothing more; asyncio closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever ended it, replies that came before it still count."""
        self._finish(_broken_by(exc or ConnectionResetError()))

    # ── within ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _open(self) -> asyncio.Transport:
        if self._transport is None:
            raise Broken(CLOSED)
        return self._transport

    def _line(self, line: bytes) -> None:
        reply, is_last = _read(line)
        self._length += len(line)
        if reply is None or self._length > MOST_REPLY:
            self._finish(Broken("a reply without end" if self._length > MOST_REPLY else f"not SMTP: {line[:80]!r}"))
            return
        if self._lines or not is_last:
            self._lines += reply.lines
            reply = Reply(reply.code, tuple(self._lines))
        if is_last:
            self._replies.append(reply)
            self._lines, self._length = [], 0

    def _finish(self, end: Broken) -> None:
        """The first reason counts."""
        if self._end is None:
            self._end = end
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    async def _wait(self, seconds: float, what: str) -> None:
        """Wait for whatever happens next.

        One timer goes on from wait to wait, and looks when it fires whether it is time: to set one for each of them would
        cost more than what is waited for.
        """
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._look)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except TimeoutError as error:
            raise Broken(f"{what} within {seconds:g} s") from error
        finally:
            self._waiter = self._deadline = None

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@lru_cache(maxsize=64)
def _read(line: bytes) -> tuple[Reply | None, bool]:
    """A line as a reply of its own, and whether it is the last one of its reply. Relays say the same ones all day."""
    found = _REPLY_LINE.fullmatch(line)
    if found is None:
        return None, True
    return Reply(int(found[1]), ((found[3] or b"").decode("utf-8", "replace").rstrip(),)), found[2] != b"-"


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Broken(f"no answer within {seconds:g} s") from error


@contextmanager
def _as_broken() -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError) as error:
        raise _broken_by(error) from error


def _broken_by(error: Exception) -> Broken:
    """Errors of the network and of encryption, in words that fit into a sentence."""
    match error:
        case ssl.SSLCertVerificationError():
            return Broken(f"its certificate is not trusted: {error.verify_message}")
        case socket.gaierror() | UnicodeError():
            return Broken("its name is not known")
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            return Broken(CLOSED)
        case OSError():
            return Broken(_words(error))
        case _:
            return Broken(str(error))


def _words(error: OSError) -> str:
    # Where a name has several addresses, asyncio gives the failures of all of them in one text.
    numbers = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}
    return os.strerror(*numbers).lower() if len(numbers) == 1 else str(error)
