"""The ledger as many connections share it: group commit, one transaction at a time.

A mark that is on disk before every final dot is cheap only if connections share the wait for the disk. While one
transaction runs, what others ask for gathers, and goes into the next one together.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine

from digest import clock as clocks
from digest.config import UnknownPolicy
from digest.delivery.feedback import books
from digest.errors import DatabaseUnreachable
from digest.model import Delivery, DeliveryState, Outcome
from digest.store import claims, deliveries
from digest.store import engine as engines

DATABASE_PATIENCE = 60.0
"""Seconds for which the database may be away before a run gives up. Dots wait meanwhile."""

MOST_LAG = 0.05
"""Seconds for which an outcome may wait to be written down together with the next offer."""

GATHERING = 0.001
"""Seconds for which a transaction waits for what other connections may want to add to it."""

_AGAIN_AFTER = 0.5
_T = TypeVar("_T")


class Ledger:
    """What the senders of one run say to the store. `states` counts the deliveries they settled, by their new state.

    Every method raises `DatabaseUnreachable` once the database has been away for too long. What was settled is kept
    then, and written with the next transaction.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime], late: timedelta) -> None:
        self._engine, self._clock, self._late = engine, clock, late
        self._turn = asyncio.Lock()
        self._offers: list[tuple[Delivery, asyncio.Future[bool]]] = []
        self._outcomes: list[tuple[Delivery, Outcome]] = []
        self._commit_soon: asyncio.Task[None] | None = None
        self.states: Counter[DeliveryState] = Counter()

    async def sweep(self, policy: UnknownPolicy) -> claims.Swept:
        """Find again what an earlier run left behind."""
        return await self._write(lambda connection, now: claims.sweep(connection, now, policy, self._late))

    async def claim(self, limit: int) -> list[Delivery]:
        """Lease some of what is due, under a token of its own."""
        token = uuid.uuid4().hex
        return await self._write(
            lambda connection, now: claims.claim(connection, now, limit, token, now + clocks.LEASE)
        )

    async def offer(self, delivery: Delivery) -> bool:
        """Whether the final dot may be sent; if so, that it will be is on disk."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._offers.append((delivery, answer))
        await self._commit()
        return await answer

    def settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Have an outcome written down soon, at the latest with the next offer."""
        self._outcomes.append((delivery, outcome))
        if self._commit_soon is None or self._commit_soon.done():
            self._commit_soon = asyncio.create_task(self._commit_late())

    async def release(self, claimed: Collection[Delivery], reason: str, *, wait: timedelta | None = None) -> None:
        """Give claims back untried."""
        if claimed:
            await self._write(lambda connection, now: claims.release(connection, claimed, now, reason, wait=wait))

    async def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Put off what could not be made into a mail."""
        state = await self._write(lambda connection, now: claims.set_aside(connection, delivery, now, reason))
        self.states[state] += 1

    async def finish(self) -> int:
        """Write down whatever is still to be written; how many deliveries are left waiting."""
        if self._commit_soon is not None:
            await asyncio.gather(self._commit_soon, return_exceptions=True)
        await self._commit()
        return await self._write(lambda connection, _: deliveries.waiting(connection))

    async def _commit_late(self) -> None:
        await asyncio.sleep(MOST_LAG)
        await self._commit()

    async def _commit(self) -> None:
        async with self._turn:
            if not self._offers and not self._outcomes:
                return
            await asyncio.sleep(GATHERING)
            offers, self._offers = self._offers, []
            outcomes, self._outcomes = self._outcomes, []

            def both(connection: Connection, now: datetime) -> tuple[list[DeliveryState], set[int]]:
                # In this order, so that a connection has at most one delivery in doubt at any time.
                states = claims.settle(connection, outcomes, now) if outcomes else []
                books.refused(connection, outcomes, now)
                asked = [delivery for delivery, _ in offers]
                return states, claims.offer(connection, asked, now, self._late) if asked else set()

            try:
                states, offered = await self._transaction(both)
            except BaseException as error:
                self._outcomes[:0] = outcomes
                for _, answer in offers:
                    if not answer.done():
                        answer.set_exception(error)
                        answer.exception()  # looked at, since whoever commits raises it already
                raise
            self.states.update(states)
            for delivery, answer in offers:
                if not answer.done():
                    answer.set_result(delivery.id in offered)

    async def _write(self, work: Callable[[Connection, datetime], _T]) -> _T:
        async with self._turn:
            return await self._transaction(work)

    async def _transaction(self, work: Callable[[Connection, datetime], _T]) -> _T:
        def once() -> _T:
            with engines.write(self._engine) as connection:
                return work(connection, self._clock())

        return await patiently(once)


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
