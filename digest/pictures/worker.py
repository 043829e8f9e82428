"""The child process: one picture on standard input, what was made of it on standard output, within narrow limits."""

import json
import sys

from digest import child
from digest.pictures.make import Unfit, make
from digest.pictures.outcomes import LENGTH_BYTES

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 8


def main() -> int:
    """Make one picture: first what came of it, as JSON, then the picture, each after its length."""
    child.confine(MEMORY_BYTES, CPU_SECONDS)
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


if __name__ == "__main__":
    sys.exit(main())
