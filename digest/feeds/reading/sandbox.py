"""Parsing in child processes that can be killed: the service hands over bytes and gets back values.

A few kilobytes of hostile XML can cost feedparser a minute; here they cost a child its life, and one poll its success.
Documents that take long give way to those that do not, so that nobody waits for the hostile.
"""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import digest
from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading import wire

WALL_SECONDS, CPU_SECONDS = 20.0, 10.0
QUICK_WALL_SECONDS, QUICK_CPU_SECONDS, QUICK_BYTES = 2.0, 0.1, 512 * 1024
"""How long and how large a document may be to be read while others wait."""
MOST_CHILDREN = 4

_EXHAUSTED, _OVERWORKED = ParseFailed(wire.EXHAUSTED), ParseFailed(wire.OVERWORKED)
_ROOT = Path(digest.__file__).resolve().parents[1]
_NICEST = 19
_BUFFER_BYTES = 1 << 20


class Parser:
    """Children that parse, started when first needed and replaced when one has to be killed.

    As many as there are processors read what is quickly read. What is large, or turns out to take longer, is read from
    its beginning by as many others, which compute only while nobody else wants to. An async context manager; it may
    live in any thread's event loop.

    Args:
        most_entries: how many entries of a document are kept, the newest.
        children: how many documents of each sort are read at the same time; as many as we may use processors where
            nothing is given.
        seconds: how long a document may take on the clock.
    """

    def __init__(self, most_entries: int, children: int | None = None, seconds: float = WALL_SECONDS) -> None:
        places = children or min(_processors(), MOST_CHILDREN)
        self._most_entries = most_entries
        self._seconds = seconds
        self._nursery = _Nursery()
        quick_seconds = min(QUICK_WALL_SECONDS, seconds)
        self._quick = _Lane(self._nursery, places, niceness=0, seconds=quick_seconds, cpu_seconds=QUICK_CPU_SECONDS)
        self._slow = _Lane(self._nursery, places, niceness=_NICEST, seconds=seconds, cpu_seconds=CPU_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._nursery.close()

    async def parse(self, body: bytes, url: str, content_type: str, known: bytes = b"") -> Parsed | ParseFailed:
        """Read a document in a child; see `parse.parse`. One that is too costly is given up, and its child with it."""
        question = wire.Question(body, url, content_type, self._most_entries, known)
        if len(body) <= QUICK_BYTES:
            with suppress(TimeoutError):
                outcome = await self._quick.ask(question)
                if outcome != _OVERWORKED:
                    return outcome
        try:
            return await self._slow.ask(question)
        except TimeoutError:
            return ParseFailed(f"the document takes longer than {self._seconds:g} seconds to read")


@dataclass(frozen=True, slots=True)
class _Child:
    """A process that reads documents, at the other end of a socket."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, question: wire.Question, cpu_seconds: float) -> Parsed | ParseFailed:
        self.writer.writelines(wire.asked(question, cpu_seconds))
        await self.writer.drain()
        length = int.from_bytes(await self.reader.readexactly(wire.LENGTH_BYTES))
        return wire.unpacked(await self.reader.readexactly(length))


class _Lane:
    """A few places at which documents are read one after the other, each within so many seconds."""

    def __init__(self, nursery: "_Nursery", places: int, niceness: int, seconds: float, cpu_seconds: float) -> None:
        self._nursery, self._niceness, self._seconds, self._cpu_seconds = nursery, niceness, seconds, cpu_seconds
        self._idle: asyncio.LifoQueue[_Child | None] = asyncio.LifoQueue()
        for _ in range(places):
            self._idle.put_nowait(None)

    async def ask(self, question: wire.Question) -> Parsed | ParseFailed:
        """A child's answer.

        Raises:
            TimeoutError: it took too long, not counting the wait for a place.
        """
        child = await self._idle.get()
        fit = None
        try:
            if child is None or child.reader.at_eof():
                child = await self._nursery.start(self._niceness)
            async with asyncio.timeout(self._seconds):
                outcome = await child.ask(question, self._cpu_seconds)
        except (asyncio.IncompleteReadError, ConnectionError):
            return ParseFailed("the parser broke down over the document")
        except (ValueError, TypeError, KeyError):
            return ParseFailed("the parser answered nonsense")
        else:
            fit = None if outcome in (_EXHAUSTED, _OVERWORKED) else child
            return outcome
        finally:
            if child is not None and fit is None:
                self._nursery.end(child)
            self._idle.put_nowait(fit)


class _Nursery:
    """The service's end of `parse_worker`: a process that starts children at once, since it has all they need loaded."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._opening = asyncio.Lock()
        self._children: dict[int, _Child] = {}

    async def start(self, niceness: int) -> _Child:
        """A new child. Raises `ConnectionError` or `IncompleteReadError` where there is none to be had."""
        async with self._opening:
            if self._process is None or self._process.returncode is not None:
                await self.close()
                await self._open()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [wire.ORDER.pack(wire.START, niceness)], [theirs.fileno()])
        reader, writer = await asyncio.open_connection(sock=ours, limit=_BUFFER_BYTES)
        try:
            pid = int.from_bytes(await reader.readexactly(wire.LENGTH_BYTES))
        except BaseException:
            writer.transport.abort()
            raise
        self._children[pid] = child = _Child(pid, reader, writer)
        return child

    def end(self, child: _Child) -> None:
        """Kill a child."""
        self._children.pop(child.pid, None)
        child.writer.transport.abort()
        if self._control is not None:
            with suppress(ConnectionError):
                self._control.send(wire.ORDER.pack(wire.END, child.pid))

    async def close(self) -> None:
        """End all children and the nursery itself."""
        for child in self._children.values():
            child.writer.transport.abort()
        self._children.clear()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            await self._process.wait()
            self._process = None

    async def _open(self) -> None:
        self._control, theirs = socket.socketpair()
        # Nothing of the service's environment, which holds its secrets; and out of reach of the terminal's Ctrl-C.
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "digest.feeds.reading.parse_worker"),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                stderr=DEVNULL,
                env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
