"""SMTP servers that take everything, for measuring who sends to them.

`delayed` is ours: it answers each group of commands after a while, as a relay far away does, and costs next to nothing itself.
`smtp_sink` is Postfix's load tool, from Debian's `postfix` package; unpacking it is enough:

    apt-get download postfix && dpkg-deb -x postfix_*.deb POSTFIX
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

BACKLOG = 1024
PATIENCE_SECONDS = 10.0
ROOM = 256 * 1024
_END = b"\r\n.\r\n"
_REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Taker(asyncio.BufferedProtocol):
    """One connection. Looks at no more of a message than is needed to find its end, where it stands."""

    def __init__(self, delay: float) -> None:
        self._delay, self._room, self._filled, self._in_body = delay, bytearray(ROOM), 0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._room)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        replies: list[bytes] = []
        start = 0
        while (end := self._room.find(_END if self._in_body else b"\r\n", start, self._filled)) >= 0:
            if self._in_body:
                self._in_body, start = False, end + len(_END)
                replies.append(b"250 2.0.0 Ok: queued as 1\r\n")
                continue
            verb = self._room[start : start + 4].upper()
            # The line end before a body may be that of the command.
            self._in_body = verb == b"DATA"
            start = end if self._in_body else end + 2
            replies.append(_REPLIES.get(bytes(verb), b"250 ok\r\n"))
        unread = len(_END) - 1 if self._in_body else self._filled - start
        kept = self._room[max(start, self._filled - unread) : self._filled]
        self._room[: len(kept)] = kept
        self._filled = len(kept)
        if replies:
            self._answer(b"".join(replies))

    def _answer(self, replies: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, replies)
        else:
            self._transport.write(replies)


@contextmanager
def delayed(seconds: float) -> Iterator[int]:
    """Our sink in a process of its own; its port."""
    port = _free_port()
    command = [sys.executable, "-m", "bench.sinks", "--port", str(port), "--delay", str(seconds)]
    with _running(command, port):
        yield port


@contextmanager
def smtp_sink(postfix: Path) -> Iterator[int]:
    """Postfix's sink; its port."""
    port = _free_port()
    command = [str(postfix / "usr/sbin/smtp-sink"), "-c", *(["-u", "nobody"] if os.getuid() == 0 else [])]
    with _running([*command, f"127.0.0.1:{port}", str(BACKLOG)], port, tools(postfix)):
        yield port


def tools(postfix: Path) -> dict[str, str]:
    """The environment in which unpacked tools find their libraries."""
    return {**os.environ, "LD_LIBRARY_PATH": str(postfix / "usr/lib/postfix")}


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            _await(port, process)
            yield
        finally:
            process.terminate()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def _serve(port: int, delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(partial(Taker, delay), "127.0.0.1", port, backlog=BACKLOG)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.delay))
