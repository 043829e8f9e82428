"""One campaign: a sender that is killed and started again until its queue is empty, and what the checker says."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from digest import clock as clocks
from digest.config import UnknownPolicy
from digest.model import DeliveryState
from tests.delivery.audience import NOW
from tests.delivery.checker import Verdict, history, judge
from tests.delivery.relay_logs import PostfixLog, message_id
from tests.delivery.runs import published, states
from tests.delivery.sender_process import Order, running
from tests.delivery.senders import Sender, Senders
from tests.delivery.sink import Session, Sink

BETWEEN = clocks.LEASE + timedelta(minutes=5)
"""How far the clock goes on between two senders: the leases of the first have run out."""

SLOWEST_REPLY = 0.02
MOST_ENDINGS = 10
"""Senders that may be needed after the last kill until everything is said."""

UNFINISHED = {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.OFFERED}


@dataclass
class Campaign:
    """How often which sender is killed over how many messages; `seed` chooses the moments."""

    kind: str
    unknown: str
    connections: int
    kills: int
    messages: int
    seed: int
    chance: random.Random = field(init=False)
    struck: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def run(self, senders: Senders, engine: Engine, url: str, home: Path) -> Verdict:
        published(engine, self.messages)
        began = time.monotonic()
        sink = asyncio.run(self._fight(senders, engine, url, home))
        self.seconds = time.monotonic() - began
        accepted = ((message_id(body), recipient) for recipient, body in sink.accepted)
        return judge(history(engine, accepted))

    async def _fight(self, senders: Senders, engine: Engine, url: str, home: Path) -> Sink:
        now, clock = NOW, running(NOW - timedelta(minutes=1))
        log = PostfixLog(home / "mail.log", lambda: clock())  # noqa: PLW0108  # there will be others
        log.connected(0)
        taken = Taken(log.witness)
        sink = Sink(witness=taken, reply_after=lambda: self.chance.uniform(0, SLOWEST_REPLY))
        async with sink.serving():
            for killing in (True, False):
                for number in range(self.kills if killing else MOST_ENDINGS):
                    order = self._order(url, home, sink, now)
                    clock = running(now, order.made_at)
                    sender = await senders.start(order)
                    if killing:
                        await self._kill(sender, sink, taken, self.kills - number)
                    else:
                        assert await sender.ended() == 0
                    await _until_quiet(sink)
                    found = states(engine)
                    now = clock() + BETWEEN
                    if not killing and not self._unfinished & set(found):
                        break
        return sink

    @property
    def _unfinished(self) -> set[DeliveryState]:
        """What a later sender still does something about."""
        return UNFINISHED | ({DeliveryState.UNKNOWN} if self.unknown == UnknownPolicy.RECONCILE else set())

    def _order(self, url: str, home: Path, sink: Sink, now: datetime) -> Order:
        return Order(
            url,
            str(home),
            sink.relay.port,
            now.isoformat(),
            kind=self.kind,
            unknown=self.unknown,
            connections=self.connections,
        )

    async def _kill(self, sender: Sender, sink: Sink, taken: "Taken", kills_left: int) -> None:
        """Somewhere among what is left for the kills that are left, or before it has sent anything."""
        share = max(0, self.messages - len(sink.accepted)) / kills_left
        enough = taken.more(int(self.chance.uniform(0, 2 * share)))
        ended = asyncio.ensure_future(sender.ended())
        waiting: set[asyncio.Future[Any]] = {enough, ended}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(self.chance.uniform(0, SLOWEST_REPLY))
        sender.signal(signal.SIGKILL)
        status = await ended
        assert status in {0, -signal.SIGKILL}
        self.struck += status != 0


class Taken:
    """Counts what a sink takes, and passes on what it sees."""

    def __init__(self, further: Callable[[str, Session, bytes], None]) -> None:
        self._further, self._number, self._goal = further, 0, 0
        self._reached: asyncio.Future[None] | None = None

    def more(self, number: int) -> asyncio.Future[None]:
        """Done once so many more have been taken."""
        self._goal = self._number + number
        self._reached = asyncio.get_running_loop().create_future()
        self._look()
        return self._reached

    def __call__(self, what: str, session: Session, content: bytes) -> None:
        self._further(what, session, content)
        self._number += what == "taken"
        self._look()

    def _look(self) -> None:
        if self._reached and not self._reached.done() and self._number >= self._goal:
            self._reached.set_result(None)


async def _until_quiet(sink: Sink) -> None:
    """Until the sink has dealt with everything that a dead sender had said."""
    async with asyncio.timeout(20):
        while sink.busy:  # noqa: ASYNC110  # the sink counts, and tells nobody
            await asyncio.sleep(0.001)
