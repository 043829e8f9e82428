"""Parsing in child processes that can be killed: the service hands over bytes and gets back values.

A few kilobytes of hostile XML can cost feedparser a minute; here they cost a child its life, and one poll its success.
"""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import digest
from digest.feeds import wire
from digest.feeds.outcomes import Parsed, ParseFailed

WALL_SECONDS = 20.0
CHILDREN = 2

_ROOT = Path(digest.__file__).resolve().parents[1]


class Parser:
    """A few children that parse, started when first needed and replaced when one has to be killed.

    An async context manager. It may live in any thread's event loop: children are started afresh, never forked.

    Args:
        most_entries: how many entries of a document are kept, the newest.
        children: how many documents are read at the same time.
        seconds: how long a document may take on the clock.
    """

    def __init__(self, most_entries: int, children: int = CHILDREN, seconds: float = WALL_SECONDS) -> None:
        self._most_entries = most_entries
        self._seconds = seconds
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(children):
            self._idle.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            if child := self._idle.get_nowait():
                await _end(child)

    async def parse(self, body: bytes, url: str, content_type: str) -> Parsed | ParseFailed:
        """Read a document in a child; see `parse.parse`. One that is too costly is given up, and its child with it."""
        child = await self._idle.get()
        healthy = None
        try:
            if child is None or child.returncode is not None:
                child = await _start()
            async with asyncio.timeout(self._seconds):
                outcome = await self._ask(child, body, url, content_type)
            healthy = child
        except TimeoutError:
            return ParseFailed(f"the document takes longer than {self._seconds:g} seconds to read")
        except (asyncio.IncompleteReadError, ConnectionError):
            assert child is not None
            return ParseFailed(await _last_words(child))
        except (ValueError, TypeError, KeyError):
            return ParseFailed("the parser answered nonsense")
        else:
            return outcome
        finally:
            if child is not None and healthy is None:
                await _end(child)
            self._idle.put_nowait(healthy)

    async def _ask(self, child: Process, body: bytes, url: str, content_type: str) -> Parsed | ParseFailed:
        assert child.stdin is not None
        assert child.stdout is not None
        request = {
            "url": url,
            "content_type": content_type,
            "most_entries": self._most_entries,
            "length": len(body),
        }
        head = json.dumps(request).encode()
        child.stdin.write(len(head).to_bytes(wire.LENGTH_BYTES) + head + body)
        await child.stdin.drain()
        length = int.from_bytes(await child.stdout.readexactly(wire.LENGTH_BYTES))
        return wire.unpacked(await child.stdout.readexactly(length))


async def _start() -> Process:
    # Nothing of the service's environment, which holds its secrets; and out of reach of the terminal's Ctrl-C.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "digest.feeds.parse_worker"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )


async def _end(child: Process) -> None:
    with suppress(ProcessLookupError):
        child.kill()
    await child.communicate()


async def _last_words(child: Process) -> str:
    status = await child.wait()
    if status == -signal.SIGXCPU:
        return "the document takes more computing time than a feed may"
    if status == wire.EXHAUSTED:
        return "the document takes more memory than a feed may"
    return "the parser broke down over the document"
