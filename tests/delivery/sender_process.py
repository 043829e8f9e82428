"""Senders as processes of their own: a process that has loaded everything makes one for each line it reads.

So a restart costs milliseconds. It prints `started PID` and `ended PID STATUS`.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from digest import clock as clocks
from digest.config import Relay, UnknownPolicy
from digest.delivery import deliver as verb
from digest.delivery import lane, ledger
from digest.errors import DatabaseUnreachable
from digest.model import Accepted
from digest.store import claims
from digest.store import engine as engines
from tests.delivery import bad_senders
from tests.delivery.audience import LATE, NOW, configured, prepare

UNREACHABLE = 3
"""The exit status of a sender whose database stayed away."""


@dataclass(frozen=True)
class Order:
    """What a sender is to do; `kind` is `deliver`, or one of the bad senders.

    Its clock stood at `now` when the order was made, at `made_at` of the clock that all processes share.
    """

    url: str
    home: str
    port: int
    now: str
    kind: str = "deliver"
    unknown: str = UnknownPolicy.RESEND_ONCE
    connections: int = 8
    lease: float = clocks.LEASE.total_seconds()
    between_sweeps: float = lane.BETWEEN_SWEEPS.total_seconds()
    most_pause: float = ledger.MOST_PAUSE
    patience: float = ledger.DATABASE_PATIENCE
    late_hours: float = 10_000.0
    relay_log: str = "mail.log"
    made_at: float = field(default_factory=time.monotonic)
    relay: Relay = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relay", Relay("127.0.0.1", self.port))

    def line(self) -> bytes:
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return f"{json.dumps(given)}\n".encode()


def running(since: datetime, began: float | None = None) -> Callable[[], datetime]:
    """A clock that begins at a given time, now or at an earlier moment."""
    at = time.monotonic() if began is None else began
    return lambda: since + timedelta(seconds=time.monotonic() - at)


async def send(order: Order, engine: Engine) -> None:
    """What `digest deliver` does."""
    clocks.LEASE = timedelta(seconds=order.lease)
    lane.BETWEEN_SWEEPS = timedelta(seconds=order.between_sweeps)
    ledger.MOST_PAUSE = order.most_pause
    ledger.DATABASE_PATIENCE = order.patience
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = configured(
        Path(order.home),
        order.relay,
        unknown=UnknownPolicy(order.unknown),
        connections=order.connections,
        late_hours=order.late_hours,
        relay_log=order.relay_log,
    )
    clock = running(datetime.fromisoformat(order.now), order.made_at)
    if bad := bad_senders.KINDS.get(order.kind):
        await bad(engine, order.relay, order.connections)
    else:
        report = await verb.deliver(config, engine, clock, prepare=prepare, stop=stop)
        if report.problem:
            sys.stderr.write(f"{report.problem}\n")


class _Rehearsal(Exception):
    """Nothing of it is kept."""


def ready(url: str) -> Engine:
    """An engine that has no connection, and knows its statements already."""
    engine = engines.connect(url)
    with suppress(_Rehearsal, DatabaseUnreachable), engines.write(engine) as connection:
        claims.sweep(connection, NOW, UnknownPolicy.RESEND_ONCE, LATE)
        if held := claims.claim(connection, NOW, 2, "rehearsal", NOW + clocks.LEASE):
            claims.offer(connection, held, NOW, LATE)
            claims.settle(connection, [(one, Accepted("")) for one in held], NOW)
        claims.reconciled(connection, {0: ""}, [0], NOW)
        raise _Rehearsal
    engine.dispose()
    return engine


def _note_ends(_number: int, _frame: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        os.write(1, f"ended {pid} {os.waitstatus_to_exitcode(status)}\n".encode())


def main() -> None:
    signal.signal(signal.SIGCHLD, _note_ends)
    engine_of = lru_cache(ready)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        engine = engine_of(order.url)
        # Whoever dies at once is not to be told of before it is told that it was started.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            try:
                asyncio.run(send(order, engine))
            except DatabaseUnreachable:
                os._exit(UNREACHABLE)
            os._exit(0)
        os.write(1, f"started {pid}\n".encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    main()
