"""Returned mails are read in a child process that can be killed: the service hands over bytes and gets back a value."""

import asyncio
from asyncio.subprocess import Process
from types import TracebackType
from typing import Self

from digest import child
from digest.delivery.feedback import report
from digest.delivery.feedback.read import MOST_BYTES, MOST_PARTS
from digest.delivery.feedback.report import Report, Unreadable
from digest.delivery.feedback.worker import LENGTH_BYTES

SECONDS = 5.0
_MOST_SAID_BYTES = 64 * 1024


class Reader:
    """One child that reads mail after mail; it is started when first needed, and replaced when it has to be killed.

    An async context manager. One mail at a time.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def read(self, mail: bytes) -> Report | Unreadable:
        """What a mail says; of a long one, its first `MOST_BYTES`."""
        if self._child is None or self._child.returncode is not None:
            self._child = await child.start("digest.delivery.feedback.worker")
        fit = False
        try:
            async with asyncio.timeout(self._seconds):
                said = await _answer(self._child, mail[:MOST_BYTES])
            fit = True
            return report.unpacked(said) if said else Unreadable(f"it has more than {MOST_PARTS} parts")
        except TimeoutError:
            return Unreadable(f"it takes longer than {self._seconds:g} seconds to read")
        except (asyncio.IncompleteReadError, ConnectionError):
            return Unreadable("it takes more memory or time to read than a mail may")
        except (ValueError, TypeError, KeyError):
            fit = False
            return Unreadable("the child that read it answered nonsense")
        finally:
            if not fit:
                await self._end()

    async def _end(self) -> None:
        if self._child is not None:
            await child.end(self._child)
            self._child = None


async def _answer(process: Process, mail: bytes) -> bytes:
    assert process.stdin
    assert process.stdout
    process.stdin.write(len(mail).to_bytes(LENGTH_BYTES) + mail)
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
    if length > _MOST_SAID_BYTES:
        raise ValueError
    return await process.stdout.readexactly(length)
