"""The parsing child: reads documents from standard input, answers on standard output, until the input ends.

It lives under limits of its own making. What they do not stop, the service stops by killing it.
"""

import json
import math
import resource
import sys
from pathlib import Path

from digest.feeds import wire
from digest.feeds.parse import parse

CPU_SECONDS = 10
MEMORY_BYTES = 512 * 1024 * 1024

_ADDRESS_SPACE = Path("/proc/self/statm")


def main() -> int:
    """Parse document after document; `wire.EXHAUSTED` at one that needs more memory than there is."""
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while prefix := requests.read(wire.LENGTH_BYTES):
        request = json.loads(requests.read(int.from_bytes(prefix)))
        _limit_cpu()
        try:
            answer = wire.packed(parse(requests.read(request.pop("length")), **request))
        except MemoryError:
            return wire.EXHAUSTED
        answers.write(len(answer).to_bytes(wire.LENGTH_BYTES) + answer)
        answers.flush()
    return 0


def _limit_memory() -> None:
    if _ADDRESS_SPACE.exists():
        now = int(_ADDRESS_SPACE.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_BYTES, now + MEMORY_BYTES))


def _limit_cpu() -> None:
    """Allow the next document its seconds; the limit counts from the child's birth, so it moves along."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.exit(main())
