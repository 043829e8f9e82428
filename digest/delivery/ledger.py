"""The ledger as many connections share it: group commit, one transaction at a time.

A mark that is on disk before every final dot is cheap only if connections share the wait for the disk. While one
transaction runs, what others ask for gathers, and goes into the next one together.
"""

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine

from digest import clock as clocks
from digest import safe_mode
from digest.config import UnknownPolicy
from digest.delivery.feedback import books
from digest.errors import DatabaseUnreachable
from digest.model import Delivery, DeliveryState, Outcome
from digest.store import claims, deliveries, pulses
from digest.store import engine as engines
from digest.store.pulses import Part

DATABASE_PATIENCE = 60.0
"""Seconds for which the database may be away before a run gives up. Dots wait meanwhile."""

MOST_LAG = 0.05
"""Seconds for which an outcome may wait to be written down together with the next offer."""

GATHERING = 0.001
"""Seconds for which a transaction waits for what other connections may want to add to it."""

MOST_PAUSE = 5.0
"""Seconds after its offer was written down within which a final dot must follow. A process that was stopped meanwhile
may find that others have long taken the message for lost.
"""

_AGAIN_AFTER = 0.5
_T = TypeVar("_T")
Claim = Callable[[Connection, datetime, int, str, datetime], list[Delivery]]


class Ledger:
    """What the senders of one run say to the store. `states` counts the deliveries they settled, by their new state.

    Every method raises `DatabaseUnreachable` once the database has been away for too long. What was settled is kept
    then, and written with the next transaction.
    """

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], late: timedelta, claim: Claim = claims.claim
    ) -> None:
        self._engine, self._clock, self._late, self._claim = engine, clock, late, claim
        self._sender, self._claims = uuid.uuid4().hex[: claims.SENDER_LETTERS], itertools.count()
        self._turn = asyncio.Lock()
        self._offers: list[tuple[Delivery, asyncio.Future[float | None]]] = []
        self._outcomes: list[tuple[Delivery, Outcome]] = []
        self._committer: asyncio.Task[None] | None = None
        self._soon: asyncio.TimerHandle | None = None
        self.states: Counter[DeliveryState] = Counter()

    async def sweep(self, policy: UnknownPolicy, connections: int) -> claims.Swept:
        """Find again what an earlier run left behind, which had as many connections."""
        return await self._write(lambda connection, now: claims.sweep(connection, now, policy, self._late, connections))

    async def claim(self, limit: int) -> list[Delivery]:
        """Lease some of what is due, under a token of its own."""
        token = claims.lease_token(self._sender, next(self._claims))
        return await self._write(lambda connection, now: self._claim(connection, now, limit, token, now + clocks.LEASE))

    async def offer(self, delivery: Delivery) -> bool:
        """Whether the final dot may be sent, at once; if so, that it will be is on disk."""
        answer: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        self._offers.append((delivery, answer))
        self._commit()
        offered_at = await answer
        return offered_at is not None and time.monotonic() - offered_at <= MOST_PAUSE

    def settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Have an outcome written down soon, at the latest with the next offer."""
        self._outcomes.append((delivery, outcome))
        # A timer that finds nothing left to write costs less than one that is called off with each offer.
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(MOST_LAG, self._commit_soon)

    async def release(self, claimed: Collection[Delivery], reason: str) -> None:
        """Give claims back untried."""
        if claimed:
            await self._write(lambda connection, now: claims.release(connection, claimed, now, reason))

    async def excuse(self, delivery: Delivery, reason: str, wait: timedelta) -> None:
        """Put off what the relay refused because of us."""
        await self._write(lambda connection, now: claims.excuse(connection, delivery, now, reason, wait))

    async def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Put off what could not be made into a mail."""
        state = await self._write(lambda connection, now: claims.set_aside(connection, delivery, now, reason))
        self.states[state] += 1

    async def pulse(self, trouble: str = "") -> None:
        """Let it be known how sending goes: what keeps all mail from going, or that mail goes."""
        if trouble:
            await self._write(lambda connection, now: pulses.ill(connection, Part.SEND, trouble, now))
        else:
            await self._write(lambda connection, now: pulses.well(connection, Part.SEND, now))

    async def doubted(self) -> bool:
        """Whether the service has come into safe mode, so that nothing more is to be sent."""
        return await patiently(lambda: safe_mode.in_force(self._engine) is not None)

    async def finish(self) -> int:
        """Write down whatever is still to be written; how many deliveries are left waiting."""
        self._commit()
        if self._committer is not None:
            await self._committer
        return await self._write(lambda connection, _: deliveries.waiting(connection))

    def _commit(self) -> None:
        """See to it that what has gathered is written down. One task does so, for as long as there is something."""
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_all())
            self._committer.add_done_callback(_looked_at)

    def _commit_soon(self) -> None:
        self._soon = None
        if self._outcomes:
            self._commit()

    async def _commit_all(self) -> None:
        failure: DatabaseUnreachable | None = None
        # Offers that came while another transaction failed get one of their own: somebody waits for each.
        while self._offers or (self._outcomes and not failure):
            failure = None
            async with self._turn:
                await asyncio.sleep(GATHERING)
                try:
                    await self._commit_once()
                except DatabaseUnreachable as error:
                    failure = error
        if failure:
            raise failure

    async def _commit_once(self) -> None:
        offers, self._offers = self._offers, []
        outcomes, self._outcomes = self._outcomes, []

        def both(connection: Connection, now: datetime) -> tuple[list[DeliveryState], set[claims.Lease], float]:
            began = time.monotonic()
            # In this order, so that a connection has at most one delivery in doubt at any time.
            states = claims.settle(connection, outcomes, now) if outcomes else []
            books.refused(connection, outcomes, now)
            asked = [delivery for delivery, _ in offers]
            return states, claims.offer(connection, asked, now, self._late) if asked else set(), began

        try:
            states, offered, began = await self._transaction(both)
        except BaseException as error:
            self._outcomes[:0] = outcomes
            for _, answer in offers:
                if not answer.done():
                    answer.set_exception(error)
            raise
        self.states.update(states)
        for delivery, answer in offers:
            if not answer.done():
                answer.set_result(began if claims.lease(delivery) in offered else None)

    async def _write(self, work: Callable[[Connection, datetime], _T]) -> _T:
        async with self._turn:
            return await self._transaction(work)

    async def _transaction(self, work: Callable[[Connection, datetime], _T]) -> _T:
        def once() -> _T:
            with engines.write(self._engine) as connection:
                return work(connection, self._clock())

        return await patiently(once)


def _looked_at(task: asyncio.Task[None]) -> None:
    """Whoever waits for an offer hears what went wrong; nobody else need be told that nobody looked."""
    if not task.cancelled():
        task.exception()


async def patiently(work: Callable[[], _T]) -> _T:
    """Do something with the database in a thread, and again while the database is away.

    Raises:
        DatabaseUnreachable: it has been away for `DATABASE_PATIENCE`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DATABASE_PATIENCE
    while True:
        try:
            return await asyncio.to_thread(work)
        except DatabaseUnreachable:
            if loop.time() > deadline:
                raise
        await asyncio.sleep(_AGAIN_AFTER)
