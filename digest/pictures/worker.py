"""The child process: one picture on standard input, what was made of it on standard output, within narrow limits."""

import json
import resource
import sys
from pathlib import Path

from digest.pictures.make import Unfit, make
from digest.pictures.outcomes import LENGTH_BYTES

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 8

_ADDRESS_SPACE = Path("/proc/self/statm")


def main() -> int:
    """Make one picture: first what came of it, as JSON, then the picture, each after its length."""
    _limit()
    said: dict[str, int | str]
    made = b""
    try:
        found = make(sys.stdin.buffer.read(), int(sys.argv[1]))
        said, made = {"width": found.width, "height": found.height}, found.body
    except Unfit as error:
        said = {"unfit": str(error)}
    except MemoryError:
        said = {"unfit": "takes more memory than a picture may"}
    for part in (json.dumps(said).encode(), made):
        sys.stdout.buffer.write(len(part).to_bytes(LENGTH_BYTES) + part)
    return 0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if _ADDRESS_SPACE.exists():
        most = int(_ADDRESS_SPACE.read_text().split()[0]) * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
