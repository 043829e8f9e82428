"""The line to the relay: commands out, replies in, each with a time limit. What they mean is known in `smtp`."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

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
        return "".join(c if c.isprintable() else " " for c in joined)[:MOST_KEPT]

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


class Wire:
    """One TCP connection, encrypted or not. `offers` is what the relay has said it can do, by keyword.

    Every method raises `Broken` when the relay does not answer in time, hangs up or does not speak SMTP.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.offers: dict[str, str] = {}

    @classmethod
    async def connect(cls, host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> "Wire":
        """Connect, encrypted from the first byte if `tls` is given."""
        with _as_broken():
            async with _patience(seconds):
                return cls(*await asyncio.open_connection(host, port, ssl=tls, limit=MOST_REPLY))

    @property
    def own_host(self) -> str:
        """The address on our side."""
        return str(self._writer.get_extra_info("sockname")[0])

    async def encrypt(self, host: str, tls: ssl.SSLContext, seconds: float) -> None:
        """Go on encrypted. Nothing may have come in beforehand: it need not be the relay who said it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await self._reader.read(1)
                raise Broken("it spoke before the encryption began")
        with _as_broken():
            async with _patience(seconds):
                await self._writer.start_tls(tls, server_hostname=host)

    async def command(self, line: str, seconds: float) -> Reply:
        """Send a command and wait for the reply."""
        self.write(f"{line}\r\n".encode())
        return await self.reply(seconds)

    def write(self, content: bytes) -> None:
        """Hand bytes to the operating system, or keep them until it takes them."""
        self._writer.write(content)

    async def taken(self, answer: asyncio.Future[Reply], seconds: float) -> None:
        """Wait until nearly everything written has left us, or until there is an answer already."""
        if not self._writer.transport.get_write_buffer_size():
            return
        drained = asyncio.ensure_future(self._writer.drain())
        try:
            waiting: set[asyncio.Future[None] | asyncio.Future[Reply]] = {drained, answer}
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if drained.done():
                with _as_broken():
                    drained.result()
            elif not answer.done():
                raise Broken(f"nothing taken within {seconds:g} s")
        finally:
            drained.cancel()

    async def reply(self, seconds: float) -> Reply:
        """The next reply, within a time."""
        async with _patience(seconds):
            return await self.listen()

    async def listen(self) -> Reply:
        """The next reply, however long it takes."""
        lines: list[str] = []
        left = MOST_REPLY
        while True:
            with _as_broken():
                line = await self._reader.readline()
            left -= len(line)
            if not line.endswith(b"\n"):
                raise Broken(CLOSED)
            found = _REPLY_LINE.fullmatch(line)
            if found is None or left < 0:
                raise Broken("a reply without end" if left < 0 else f"not SMTP: {line[:80]!r}")
            lines.append((found[3] or b"").decode("utf-8", "replace").rstrip())
            if found[2] != b"-":
                reply = Reply(int(found[1]), tuple(lines))
                if reply.code == CLOSING_CODE:
                    raise Closing(str(reply))
                return reply

    def drop(self) -> None:
        """Close at once. What has not left us yet never will."""
        self._writer.transport.abort()


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Broken(f"no answer within {seconds:g} s") from error


@contextmanager
def _as_broken() -> Iterator[None]:
    """Errors of the network and of encryption, in words that fit into a sentence."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Broken(f"its certificate is not trusted: {error.verify_message}") from error
    except (socket.gaierror, UnicodeError) as error:
        raise Broken("its name is not known") from error
    except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError) as error:
        raise Broken(CLOSED) from error
    except OSError as error:
        raise Broken(_words(error)) from error
    except ValueError as error:
        raise Broken("a reply without end") from error


def _words(error: OSError) -> str:
    # Where a name has several addresses, asyncio gives the failures of all of them in one text.
    numbers = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}
    return os.strerror(*numbers).lower() if len(numbers) == 1 else str(error)
