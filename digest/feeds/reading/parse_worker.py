"""The nursery: a process that reads no document itself, but forks children that do.

It has loaded everything that reading takes, so that a new child costs milliseconds, and it has met nothing hostile.
It does what it is ordered on its standard input, a socket, until that ends; then its children end with it. Children
live under limits of their own making. What those do not stop, the service stops by having them killed.
"""

import gc
import os
import resource
import signal
import socket
import sys
from dataclasses import astuple
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from digest.feeds.outcomes import ParseFailed
from digest.feeds.reading import wire
from digest.feeds.reading.parse import parse, prepare

MEMORY_BYTES = 512 * 1024 * 1024

_ADDRESS_SPACE = Path("/proc/self/statm")


class _Overworked(BaseException):
    """A document has used up its computing time; nothing but the child's own loop may catch it."""


def main() -> int:
    """Start and end children as ordered."""
    prepare()
    gc.freeze()
    control = socket.socket(fileno=sys.stdin.fileno())
    children: set[int] = set()
    while True:
        order, channels, _, _ = socket.recv_fds(control, wire.ORDER.size, 1)
        # A child's number is its own until it is waited for, so that an order to end it never meets a stranger.
        while children and (ended := os.waitpid(-1, os.WNOHANG)[0]):
            children.discard(ended)
        if not order:
            break
        kind, number = wire.ORDER.unpack(order)
        if kind == wire.START:
            if (pid := os.fork()) == 0:
                control.close()
                _live(channels[0], number)
            os.close(channels[0])
            children.add(pid)
        elif number in children:
            os.kill(number, signal.SIGKILL)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 0


def _live(channel: int, niceness: int) -> None:
    """A child's whole life, which never returns."""
    try:
        os.nice(niceness)
        connection = socket.socket(fileno=channel)
        connection.sendall(os.getpid().to_bytes(wire.LENGTH_BYTES))
        with connection.makefile("rb") as questions, connection.makefile("wb") as answers:
            serve(questions, answers)
    finally:
        os._exit(0)


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Parse document after document; one that comes to a limit is the last."""
    _limit_memory()
    signal.signal(signal.SIGPROF, _stop)
    # Next to nothing of what reading leaves behind is circular; what is goes between two documents.
    gc.disable()
    while heard := wire.heard(questions):
        question, seconds = heard
        last_words = ""
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = wire.packed(parse(*astuple(question)))
            signal.setitimer(signal.ITIMER_PROF, 0)
        except MemoryError:
            last_words = wire.EXHAUSTED
        except _Overworked:
            last_words = wire.OVERWORKED
        if last_words:
            answer = wire.packed(ParseFailed(last_words))
        answers.write(answer)
        answers.flush()
        if last_words:
            return
        gc.collect()


def _stop(_: int, __: FrameType | None) -> None:
    raise _Overworked


def _limit_memory() -> None:
    if _ADDRESS_SPACE.exists():
        now = int(_ADDRESS_SPACE.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_BYTES, now + MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(main())
