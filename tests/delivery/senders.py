"""Real sender processes against a sink in this one, and everything that they did to each other."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.delivery.sender_process import Order

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Sender:
    """One process, and how it ended: its exit status, or the signal that killed it as a negative number."""

    pid: int
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it has not ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Senders:
    """Starts senders."""

    def __init__(self, process: Process) -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._answers = process.stdin, process.stdout
        self._known: dict[int, Sender] = defaultdict(lambda: Sender(0))
        self._started: asyncio.Queue[Sender] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read())

    async def start(self, order: Order) -> Sender:
        self._orders.write(order.line())
        return await self._started.get()

    def kill_all(self) -> None:
        for sender in self._known.values():
            if sender.pid and not sender.ended.done():
                sender.signal(signal.SIGKILL)

    async def _read(self) -> None:
        async for line in self._answers:
            said, pid, *status = line.split()
            sender = self._known[int(pid)]
            sender.pid = int(pid)
            if said == b"started":
                self._started.put_nowait(sender)
            else:
                sender.ended.set_result(int(status[0]))
                del self._known[int(pid)]  # numbers of processes come again


@asynccontextmanager
async def senders(root: Path = ROOT) -> AsyncIterator[Senders]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.delivery.sender_process"),
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=PIPE,
        stdout=PIPE,
    )
    made = Senders(process)
    try:
        yield made
    finally:
        made.kill_all()
        assert process.stdin
        process.stdin.close()
        await made.reading
        await process.wait()
