"""The mails of a run: every cut of an edition is made once in each language, for all who chose it."""

import asyncio
from collections.abc import Callable
from functools import partial

from digest.delivery.ledger import patiently
from digest.delivery.message import CompiledMail
from digest.errors import DatabaseUnreachable
from digest.model import Delivery

MOST_CUTS = 256
"""Compiled cuts kept at a time, of some 100 kB each."""

Prepare = Callable[[int, tuple[str, ...], str], CompiledMail]
"""Makes the mail of an edition, by its id, for some topics in a language."""

_Key = tuple[int, tuple[str, ...], str]


class Cuts:
    """Every cut is made once. One that cannot be made fails for each of its readers, without being tried again."""

    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare
        self._making = asyncio.Lock()
        self._made: dict[_Key, CompiledMail | Exception] = {}

    async def mail(self, delivery: Delivery) -> CompiledMail:
        """The cut that a delivery is for.

        Raises:
            DatabaseUnreachable: it cannot be made for now.
            Exception: whatever was raised when it was made.
        """
        key = delivery.edition_id, tuple(sorted(delivery.topics)), delivery.language
        if key not in self._made:
            async with self._making:
                if key not in self._made:
                    await self._make(key)
        made = self._made[key]
        if isinstance(made, Exception):
            raise made
        return made

    async def _make(self, key: _Key) -> None:
        if len(self._made) >= MOST_CUTS:
            del self._made[next(iter(self._made))]
        try:
            self._made[key] = await patiently(partial(self._prepare, *key))
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one cut must not stop the others
            self._made[key] = error
