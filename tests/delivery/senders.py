"""Real sender processes, made by one that has loaded everything beforehand."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tests.delivery.sender_process import Order

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Sender:
    """One process. `status` is how it ended: its exit status, or the signal that killed it as a negative number."""

    pid: int
    status: Future[int] = field(default_factory=Future)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it has not ended."""
        if not self.status.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for its end."""
        return await asyncio.shield(asyncio.wrap_future(self.status))


class Senders:
    """Starts senders, as many at once as are wanted."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._running: dict[int, Sender] = {}
        self._asked: SimpleQueue[Future[Sender]] = SimpleQueue()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    async def start(self, order: Order) -> Sender:
        assert self._process.stdin
        started: Future[Sender] = Future()
        self._asked.put(started)
        self._process.stdin.write(order.line())
        self._process.stdin.flush()
        return await asyncio.wrap_future(started)

    def close(self) -> None:
        """End whatever still runs."""
        for sender in list(self._running.values()):
            sender.signal(signal.SIGKILL)
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._reading.join()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as answers:
            for line in answers:
                said, pid, *status = line.split()
                if said == b"started":
                    sender = self._running[int(pid)] = Sender(int(pid))
                    self._asked.get().set_result(sender)
                else:
                    self._running.pop(int(pid)).status.set_result(int(status[0]))


@contextmanager
def ready_senders() -> Iterator[Senders]:
    """Senders that can be started within milliseconds."""
    with subprocess.Popen(
        (sys.executable, "-m", "tests.delivery.sender_process"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        senders = Senders(process)
        try:
            yield senders
        finally:
            senders.close()
