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
_END = b"\r\n.\r\n"


class Taker(asyncio.Protocol):
    """One connection. Looks at no more of a message than is needed to find its end."""

    def __init__(self, delay: float) -> None:
        self._delay, self._unread, self._in_body = delay, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        replies: list[bytes] = []
        while True:
            end = self._unread.find(_END if self._in_body else b"\r\n")
            if end < 0:
                if self._in_body:
                    self._unread = self._unread[-len(_END) + 1 :]
                break
            if self._in_body:
                self._in_body, self._unread = False, self._unread[end + len(_END) :]
                replies.append(b"250 2.0.0 Ok: queued as 1\r\n")
                continue
            command, self._unread = self._unread[:end], self._unread[end + 2 :]
            verb = command[:4].upper()
            if verb == b"DATA":
                # The end of an empty body would have no line before it.
                self._in_body, self._unread = True, b"\r\n" + self._unread
            replies.append(
                {b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n"}.get(
                    verb, b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"
                )
            )
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
