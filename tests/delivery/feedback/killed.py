"""Empties a mailbox again and again, killed in the middle: run as a program, since only what is a process can be killed.

Each life is a fork of this process, which has everything loaded. On every line of standard input one life begins; it is killed
by whoever reads its number from standard output, or ends when the mailbox is empty.
"""

import asyncio
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from digest.config import Bounces, Mailbox, Security
from digest.delivery.feedback.collect import collect
from digest.store import engine as engines
from tests.delivery.audience import still
from tests.delivery.feedback.sent import ADDRESS, with_returns


def main() -> int:
    database, port, password, now = sys.argv[1:]
    mailbox = Mailbox("127.0.0.1", int(port), Security.NONE, "bounces", password)
    config = replace(with_returns(Path()), mailbox=mailbox, bounces=Bounces(ADDRESS, "Done"))
    for _ in sys.stdin:
        if (life := os.fork()) == 0:
            # Only the parent reads what begins the next life.
            os.close(0)
            status = 1
            try:
                engine = engines.connect(database)
                asyncio.run(collect(config, engine, still(datetime.fromisoformat(now))))
                status = 0
            finally:
                os._exit(status)
        _say(life)
        _, status = os.waitpid(life, 0)
        _say(os.waitstatus_to_exitcode(status))
    return 0


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
