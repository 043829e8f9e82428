"""Deliver: everything that is due goes to its readers, each mail once.

The ledger is written before the wire. A delivery is claimed before anybody connects; that it is offered is on disk
before its final dot; so a crash at any moment leaves it either certainly unsent or known by name as unknown.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine

from digest import safe_mode
from digest.config import Config, UnknownPolicy
from digest.delivery import message
from digest.delivery.cuts import Cuts, Prepare
from digest.delivery.lane import Lane
from digest.delivery.ledger import Ledger, patiently
from digest.delivery.message import CompiledMail
from digest.delivery.quota import Limits, Quota, Room
from digest.delivery.reconcile import Reconciler
from digest.editions import compose
from digest.editions.render import Renderers
from digest.errors import UnknownEdition
from digest.links import Links
from digest.model import DeliveryState, Outcome
from digest.store import deliveries, editions
from digest.store import engine as engines


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What came of a run: deliveries by the state it brought them to.

    `deferred` wait for another try, `left` is everything that waits, `outbox` how many of `sent` only became files.
    The relay's log knew of `found` that were unknown, and of `returned` that they never arrived; those wait again.
    `problem` says in a sentence what somebody should look at; empty if nothing.
    """

    sent: int = 0
    failed: int = 0
    deferred: int = 0
    unknown: int = 0
    suppressed: int = 0
    expired: int = 0
    quarantined: int = 0
    outbox: int = 0
    found: int = 0
    returned: int = 0
    left: int = 0
    seconds: float = 0.0
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The report for `--json`."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}


async def deliver(
    config: Config,
    engine: Engine,
    clock: Callable[[], datetime],
    *,
    prepare: Prepare | None = None,
    stop: asyncio.Event | None = None,
    progress: Callable[[Outcome], None] | None = None,
    share: int | None = None,
) -> DeliveryReport:
    """Send what is due until nothing is, or the relay takes no more; nothing in safe mode.

    Args:
        config: where mail goes: to the relay, or to the outbox without one and for addresses outside `only_to`.
        engine: the ledger's database.
        clock: what time it is.
        prepare: makes the mail of an edition's cut for some topics in a language; from the stored edition if left out.
        stop: once set, messages in flight are finished and claims given back.
        progress: hears every outcome.
        share: how many deliveries to claim at most, whichever are due first; whoever shared them out also sweeps.

    Raises:
        MissingSecret: links cannot be signed, or mail cannot that is to be.
        DatabaseUnreachable: the database stayed away; what was in flight then is found again by the next run.
    """
    began = clock()
    if doubted := await patiently(partial(safe_mode.look, engine, began, config.delivery.late)):
        left = await patiently(partial(_waiting, engine))
        return DeliveryReport(left=left, problem=f"Safe mode: {doubted.sentence} {safe_mode.HOW_TO_LEAVE}")
    links = Links(config.site.base_url, config.signing_keys)
    quota = Quota(Limits.of(config.delivery))
    ledger = Ledger(engine, clock, config.delivery.late, quota.claim)
    cuts = Cuts(prepare or preparation(config, engine, links))
    doubts = Reconciler(config, engine) if config.delivery.unknown is UnknownPolicy.RECONCILE else None
    heard = progress or (lambda _: None)
    run = Lane(config, links, ledger, quota, cuts, clock, stop or asyncio.Event(), heard, doubts, share)
    try:
        await run.all_workers()
    finally:
        left = await run.finish()
    states = ledger.states
    if states[DeliveryState.SENT]:
        await ledger.pulse()
    elif stuck := run.stuck():
        await ledger.pulse(stuck)
    return DeliveryReport(
        sent=states[DeliveryState.SENT],
        failed=states[DeliveryState.FAILED],
        deferred=states[DeliveryState.QUEUED] + run.put_off,
        unknown=states[DeliveryState.UNKNOWN] + sum(swept.unknown for swept in run.sweeps),
        suppressed=states[DeliveryState.SUPPRESSED],
        expired=quota.rooms[Room.WARM_UP] + sum(swept.expired for swept in run.sweeps),
        quarantined=states[DeliveryState.QUARANTINED] + sum(swept.quarantined for swept in run.sweeps),
        outbox=run.kept,
        found=sum(looked.found for looked in run.looks),
        returned=sum(looked.lost for looked in run.looks),
        left=left,
        seconds=(clock() - began).total_seconds(),
        problem=run.problem(left),
    )


def _waiting(engine: Engine) -> int:
    with engines.read(engine) as connection:
        return deliveries.waiting(connection)


def preparation(config: Config, engine: Engine, links: Links) -> Prepare:
    """Makes mails from stored editions: cut, rendered and compiled."""
    renderers = Renderers(config, links)

    def prepare(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        with engines.read(engine) as connection:
            edition = editions.by_id(connection, edition_id)
        if edition is None:
            raise UnknownEdition(f"with the number {edition_id}")
        cut = compose.cut(edition, topics)
        return message.compile_edition(renderers.of(language).edition_mail(cut), cut, config.site, links)

    return prepare
