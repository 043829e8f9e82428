"""Publishes an edition in a process of its own for each line it reads, which may kill itself before any statement.

A line is the database's address and the number of the statement, or of the commit behind the last one, that is not
reached; 0 for none. It prints the child's id, how it ended, and how many statements and commits it has made.
"""

import os
import signal
import sys
from functools import lru_cache

from sqlalchemy import Engine, event

from digest.editions.publish import publish
from digest.store import engine as engines
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS

engine_of = lru_cache(engines.connect)


def watched(engine: Engine, last: int) -> list[int]:
    """Count what the engine is asked for, and die at a point of it."""
    count = [0]

    def point(*_: object) -> None:
        count[0] += 1
        if count[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", point)
    event.listen(engine, "commit", point)
    return count


def main() -> None:
    for line in sys.stdin:
        url, last = line.split()
        pid = os.fork()
        if not pid:
            engine = engine_of(url)
            count = watched(engine, int(last))
            publish(CONFIG, engine, DIGEST, DAY, PRESS, PRESS)
            os.write(1, f"{count[0]}\n".encode())
            os._exit(0)
        os.write(1, f"{pid}\n".encode())
        os.write(1, f"ended {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())


if __name__ == "__main__":
    main()
