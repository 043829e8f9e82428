"""Post: letters go to those they are for, each once, over connections of their own and never behind an edition.

There are few of them and they are not the edition, so they need no ledger: that a letter is taken is on disk before anybody
connects, and one that was taken by a process that died is taken again after a while. It may then come twice, and never not at all.

No limit on the pace of editions holds a letter up, but it counts in those that all senders share.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from digest import clock as clocks
from digest.config import Config
from digest.delivery import dkim, outbox, quota, smtp
from digest.delivery import letter as letters
from digest.delivery.letter import Letter
from digest.delivery.quota import Limits
from digest.delivery.smtp import PATIENCE, Envelope, Patience
from digest.errors import BadAddress, RenderFault
from digest.model import Accepted, NotSent, Outcome, Phase, Refused, Unconfirmed, Withdrawn
from digest.store import engine as engines
from digest.store import letters as store

MOST_CONNECTIONS = 3
"""To the relay, beside those of an edition."""


@dataclass
class PostReport:
    """How many letters went, and what kept the others, in sentences. `outcomes` has what became of each, by its key."""

    sent: int = 0
    problems: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)


async def post(
    config: Config,
    engine: Engine,
    letters: Iterable[Letter],
    clock: Callable[[], datetime],
    *,
    patience: Patience = PATIENCE,
) -> PostReport:
    """Send the letters that have not gone yet. What cannot be sent now can be taken again by the next call.

    Without a relay, and for addresses outside `only_to`, they become files in the outbox.

    Raises:
        MissingSecret: mail is to be signed and there is no key.
    """
    report, sign = PostReport(), dkim.signer(config)
    waiting = deque(letters)
    workers = min(config.delivery.connections, MOST_CONNECTIONS, len(waiting))
    await asyncio.gather(*(_work(config, engine, waiting, clock, report, sign, patience) for _ in range(workers)))
    return report


async def _work(
    config: Config,
    engine: Engine,
    waiting: deque[Letter],
    clock: Callable[[], datetime],
    report: PostReport,
    sign: dkim.Sign,
    patience: Patience,
) -> None:
    connection = smtp.Connection(config.relay, patience=patience) if config.relay else None
    try:
        while waiting:
            letter = waiting.popleft()
            if not await asyncio.to_thread(_take, engine, letter.key, clock()):
                continue
            try:
                outcome = await _send(config, connection, letter, sign, clock())
            except (BadAddress, RenderFault) as error:
                outcome = Refused(Phase.RCPT, 0, str(error), permanent=True)
            gone = isinstance(outcome, Accepted | Unconfirmed)
            report.outcomes[letter.key] = outcome
            await asyncio.to_thread(_settle, config, engine, letter, clock(), gone=gone)
            if gone:
                report.sent += 1
            else:
                problem = f"“{letter.rendered.subject}” could not be mailed: {_reason(outcome)}"
                report.problems = tuple(dict.fromkeys((*report.problems, problem)))
    finally:
        if connection:
            await connection.close()


def _take(engine: Engine, key: str, now: datetime) -> bool:
    with engines.write(engine) as connection:
        return store.take(connection, key, now, clocks.LEASE)


def _settle(config: Config, engine: Engine, letter: Letter, now: datetime, *, gone: bool) -> None:
    with engines.write(engine) as connection:
        if gone:
            store.sent(connection, letter.key, now)
            quota.count(connection, letter.to, Limits.of(config.delivery), now)
        else:
            store.give_back(connection, letter.key)


async def _send(
    config: Config, connection: smtp.Connection | None, letter: Letter, sign: dkim.Sign, now: datetime
) -> Outcome:
    body = sign(letters.compiled(letter, config.site, now), now)
    allowed = {address.casefold() for address in config.delivery.only_to}
    if connection and (not allowed or letter.to.casefold() in allowed):
        return await connection.send(Envelope(config.site.from_address, letter.to), body, _always)
    try:
        write = partial(outbox.write, config.outbox, letters.message_id(letter, config.site), body)
        return Accepted((await asyncio.to_thread(write)).name)
    except OSError as error:
        return NotSent(Phase.BODY, f"the outbox takes no file: {error}")


async def _always() -> bool:
    return True


def _reason(outcome: Outcome) -> str:
    match outcome:
        case Refused(reply=reason) | NotSent(reason=reason) | Withdrawn(reason=reason):
            return f"{reason.rstrip('.')}."
        case _:
            return ""
