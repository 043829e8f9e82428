"""The policy `reconcile`: ask the relay's log about the deliveries of which nobody knows whether they were sent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from digest.config import Config
from digest.delivery import message
from digest.delivery.ledger import patiently
from digest.delivery.relay_log import RelayLog
from digest.store import claims, editions
from digest.store import engine as engines
from digest.store.claims import Unknown

SETTLED = timedelta(seconds=60)
"""How long after a delivery became unknown its absence from the log counts: a relay may still be writing."""

RECENT = timedelta(days=3)
"""Logs are not searched for what became unknown longer ago."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of a look: how many deliveries the log knew as sent, and how many as never arrived; those wait again.

    `left` stay unknown, and `problem` says why in a sentence unless it is only too early.
    """

    found: int = 0
    lost: int = 0
    left: int = 0
    problem: str = ""


class Reconciler:
    """Looks into the relay's log, each time only at what is new in it."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self._site, self._engine = config.site, engine
        self._path = config.home / config.delivery.relay_log
        self._log = RelayLog(self._path)

    async def look(self, clock: Callable[[], datetime]) -> Reconciled:
        """Settle what the log is clear about.

        Raises:
            DatabaseUnreachable: the database stayed away.
        """
        now = clock()
        unknown = await patiently(partial(self._unknown, now - RECENT))
        if not unknown:
            return Reconciled()
        wanted = {name: one.offered_at for name, one in unknown.items()}
        try:
            reading = await asyncio.to_thread(self._log.look, wanted)
        except (OSError, EOFError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            return Reconciled(left=len(unknown), problem=self._sentence(len(unknown), f"cannot be read: {reason}"))
        found = {unknown[name].id: queue_id for name, queue_id in reading.taken.items()}
        lost = [unknown[name].id for name in reading.absent if now - unknown[name].unknown_at >= SETTLED]
        if found or lost:
            await patiently(partial(self._settle, found, lost, clock))
        left = len(unknown) - len(found) - len(lost)
        doubtful = len(unknown) - len(found) - len(reading.absent)
        problem = self._sentence(doubtful, f"leaves that open: {reading.doubt}") if doubtful else ""
        return Reconciled(len(found), len(lost), left, problem)

    def _unknown(self, since: datetime) -> dict[str, Unknown]:
        """What is unknown, by Message-ID. Of an edition that is no longer stored nothing can be known."""
        with engines.read(self._engine) as connection:
            unknown = claims.unknowns(connection, since)
            known = {number: editions.by_id(connection, number) for number in {one.edition_id for one in unknown}}
        return {
            message.message_id(edition, one.subscriber_id, self._site): one
            for one in unknown
            if (edition := known[one.edition_id])
        }

    def _settle(self, found: dict[int, str], lost: list[int], clock: Callable[[], datetime]) -> None:
        with engines.write(self._engine) as connection:
            claims.reconciled(connection, found, lost, clock())

    def _sentence(self, number: int, why: str) -> str:
        messages = f"{number:,} message{'s' * (number != 1)}"
        return f"Whether {messages} arrived is unknown, and the relay's log {self._path} {why}."
