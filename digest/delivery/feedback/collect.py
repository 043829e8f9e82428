"""The verb that empties the mailbox: a mail goes from it only after what follows from it is on disk.

Whoever crashes in between finds the mail there again, and its report known.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from digest.config import Config
from digest.delivery.feedback import mailbox
from digest.delivery.feedback.absorb import FOR_A_PERSON, Absorbed, Fate, absorb
from digest.delivery.feedback.read import MOST_BYTES
from digest.delivery.feedback.reader import Reader

MOST_AT_ONCE = 1000
"""Mails of one visit; the next one takes up the rest."""


@dataclass
class Collected:
    """How many mails came back, by what became of them; what operators should know; how many suppressed an address."""

    fates: Counter[Fate] = field(default_factory=Counter)
    suppressed: int = 0
    warnings: tuple[str, ...] = ()

    def add(self, absorbed: Absorbed) -> None:
        """Count one mail more."""
        self.fates[absorbed.fate] += 1
        self.suppressed += absorbed.suppressed
        if absorbed.warning:
            self.warnings = tuple(dict.fromkeys((*self.warnings, absorbed.warning)))


async def collect(config: Config, engine: Engine, clock: Callable[[], datetime]) -> Collected:
    """Absorb what waits in the mailbox; nothing where none is configured.

    What may be somebody's letter is flagged and stays.

    Raises:
        MailboxTrouble: the mailbox cannot be read, or not to its end; what was absorbed is.
        MissingSecret: tags cannot be verified.
        DatabaseUnreachable: the rest waits in the mailbox.
    """
    collected = Collected()
    if config.mailbox is None:
        return collected
    with ExitStack() as open_folder:
        inbox = await asyncio.to_thread(open_folder.enter_context, mailbox.opened(config.mailbox))
        async with Reader() as reader:
            for number in await asyncio.to_thread(inbox.waiting, MOST_AT_ONCE):
                mail = await asyncio.to_thread(inbox.mail, number, MOST_BYTES)
                if mail is None:
                    continue
                absorbed = await absorb(config, engine, reader, mail, clock())
                collected.add(absorbed)
                if absorbed.fate in FOR_A_PERSON:
                    await asyncio.to_thread(inbox.leave_to_a_person, number)
                else:
                    await asyncio.to_thread(inbox.remove, number, config.bounces.handled)
    return collected
