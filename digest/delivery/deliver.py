"""Deliver: everything that is due goes to its readers, each mail once.

The ledger is written before the wire. A delivery is claimed before anybody connects; that it is offered is on disk
before its final dot; so a crash at any moment leaves it either certainly unsent or known by name as unknown.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine

from digest.config import Config
from digest.delivery import message, outbox, smtp
from digest.delivery.ledger import Ledger, patiently
from digest.delivery.message import CompiledMail, Reader
from digest.editions import compose
from digest.editions.render import Renderer
from digest.errors import BadAddress, DatabaseUnreachable, UnknownEdition
from digest.links import Links
from digest.model import Accepted, Delivery, DeliveryState, NotSent, Outcome, Phase, Refused, Withdrawn
from digest.store import editions
from digest.store import engine as engines
from digest.store.claims import Swept

MOST_CUTS = 256
"""Compiled cuts kept at a time, of some 100 kB each."""

CLAIMS_A_CONNECTION, MOST_CLAIMED = 8, 200
"""How much is claimed at a time: little, since a crash costs everything claimed one of its tries."""

LONGEST_CLAIM = 300
"""Seconds for which claims may lie before their turn, well inside a lease."""

MOST_BREAKS = 3
"""Dialogues that may break one after the other before a connection is given up for this run."""

THROTTLED = timedelta(minutes=5)

BETWEEN_SWEEPS = timedelta(minutes=1)
"""How long a run goes on before it looks again for what others left behind, and for what has become too late."""

# Up to here a dialogue knows nothing of the reader, so its failure is not held against the reader's delivery.
_BEFORE_THE_READER = {Phase.CONNECT, Phase.LOGIN, Phase.MAIL}
_REFUSED_FOR_GOOD = 500

# Relays like to quote whom a reply is about; what goes into logs must not.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")

Prepare = Callable[[int, tuple[str, ...]], CompiledMail]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What came of a run: deliveries by the state it brought them to.

    `deferred` wait for another try, `left` is everything that waits, `outbox` how many of `sent` only became files.
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
    """Send what is due until nothing is, or the relay takes no more.

    Args:
        config: where mail goes: to the relay, or to the outbox without one and for addresses outside `only_to`.
        engine: the ledger's database.
        clock: what time it is.
        prepare: makes the mail of an edition's cut for some topics; from the stored edition if left out.
        stop: once set, messages in flight are finished and claims given back.
        progress: hears every outcome.
        share: how many deliveries to claim at most, whichever are due first; whoever shared them out also sweeps.

    Raises:
        MissingSecret: links cannot be signed.
        DatabaseUnreachable: the database stayed away; what was in flight then is found again by the next run.
    """
    began = clock()
    links = Links(config.site.base_url, config.signing_keys)
    ledger = Ledger(engine, clock, timedelta(hours=config.delivery.late_hours))
    cuts = _Cuts(prepare or preparation(config, engine, links))
    run = _Run(config, links, ledger, cuts, clock, stop or asyncio.Event(), progress or (lambda _: None), share)
    try:
        await run.all_workers()
    finally:
        left = await run.finish()
    states = ledger.states
    return DeliveryReport(
        sent=states[DeliveryState.SENT],
        failed=states[DeliveryState.FAILED],
        deferred=states[DeliveryState.QUEUED],
        unknown=states[DeliveryState.UNKNOWN] + sum(swept.unknown for swept in run.sweeps),
        suppressed=states[DeliveryState.SUPPRESSED],
        expired=sum(swept.expired for swept in run.sweeps),
        quarantined=states[DeliveryState.QUARANTINED] + sum(swept.quarantined for swept in run.sweeps),
        outbox=run.kept,
        left=left,
        seconds=(clock() - began).total_seconds(),
        problem=run.problem(left),
    )


def preparation(config: Config, engine: Engine, links: Links) -> Prepare:
    """Makes mails from stored editions: cut, rendered and compiled."""
    renderer = Renderer(config.site, links, config.language, config.look)

    def prepare(edition_id: int, topics: tuple[str, ...]) -> CompiledMail:
        with engines.read(engine) as connection:
            edition = editions.by_id(connection, edition_id)
        if edition is None:
            raise UnknownEdition(f"with the number {edition_id}")
        cut = compose.cut(edition, topics)
        return message.compile_edition(renderer.edition_mail(cut), cut, config.site, links)

    return prepare


class _Cuts:
    """Every cut is made once. One that cannot be made fails for each of its readers, without being tried again."""

    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare
        self._making = asyncio.Lock()
        self._made: dict[tuple[int, tuple[str, ...]], CompiledMail | Exception] = {}

    async def mail(self, delivery: Delivery) -> CompiledMail:
        key = delivery.edition_id, tuple(sorted(delivery.topics))
        if key not in self._made:
            async with self._making:
                if key not in self._made:
                    await self._make(key)
        made = self._made[key]
        if isinstance(made, Exception):
            raise made
        return made

    async def _make(self, key: tuple[int, tuple[str, ...]]) -> None:
        if len(self._made) >= MOST_CUTS:
            del self._made[next(iter(self._made))]
        try:
            self._made[key] = await patiently(partial(self._prepare, *key))
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one cut must not stop the others
            self._made[key] = error


class _Run:
    """One run: the workers, each with a connection of its own, and what they share."""

    def __init__(
        self,
        config: Config,
        links: Links,
        ledger: Ledger,
        cuts: _Cuts,
        clock: Callable[[], datetime],
        stop: asyncio.Event,
        progress: Callable[[Outcome], None],
        share: int | None,
    ) -> None:
        self._config, self._links, self._ledger, self._cuts = config, links, ledger, cuts
        self._clock, self._stop, self._progress = clock, stop, progress
        self._share = share
        self._tls = smtp.trust(config.relay) if config.relay else None
        self._only_to = {address.casefold() for address in config.delivery.only_to}
        self._claiming = asyncio.Lock()
        self._claimed: deque[Delivery] = deque()
        self._over = False
        self._next_turn = 0.0
        self._trouble: NotSent | Refused | None = None
        self._spoilt = ""
        self._sweep_at: datetime | None = None
        self.sweeps: list[Swept] = []
        self.kept = 0

    async def all_workers(self) -> None:
        """Work until nothing is due. When one worker fails, the others finish what they have in hand."""
        workers = (self._work() for _ in range(self._config.delivery.connections))
        for failure in await asyncio.gather(*workers, return_exceptions=True):
            if failure is not None:
                raise failure

    async def finish(self) -> int:
        """Give back what nobody began, and write down the rest; how much is left waiting."""
        await self._ledger.release(self._claimed, "the run ended before its turn")
        return await self._ledger.finish()

    def problem(self, left: int) -> str:
        """What somebody should look at, in a sentence."""
        wait = f"{left:,} message{' waits' if left == 1 else 's wait'}; the next run tries again."
        if self._trouble and left:
            return f"{_sentence(self._trouble, self._config)} {wait}"
        return self._spoilt

    async def _work(self) -> None:
        relay = self._config.relay
        connection = smtp.Connection(relay, tls=self._tls) if relay else None
        breaks = 0
        try:
            while breaks < MOST_BREAKS and (delivery := await self._next()):
                outcome = await self._outcome(connection, delivery)
                if outcome is None:
                    continue
                trouble = _trouble(outcome)
                breaks = breaks + 1 if trouble else 0
                if trouble and trouble.phase in _BEFORE_THE_READER:
                    await self._give_back(delivery, trouble)
                else:
                    self._ledger.settle(delivery, outcome)
                    self._progress(outcome)
                if trouble and (breaks == MOST_BREAKS or trouble.phase in {Phase.CONNECT, Phase.LOGIN}):
                    self._trouble = trouble
                    return
        except BaseException:
            self._over = True
            raise
        finally:
            if connection:
                await connection.close()

    async def _next(self) -> Delivery | None:
        async with self._claiming:
            if not self._claimed and not self._over and not self._stop.is_set():
                await self._sweep()
                most = self._batch() if self._share is None else min(self._batch(), self._share)
                self._claimed.extend(await self._ledger.claim(most) if most else ())
                if self._share is not None:
                    self._share -= len(self._claimed)
                self._over = not self._claimed
            if self._over or self._stop.is_set():
                return None
            await self._pace()
            return None if self._stop.is_set() else self._claimed.popleft()

    async def _sweep(self) -> None:
        if self._share is not None:
            return
        now = self._clock()
        if self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now + BETWEEN_SWEEPS
            self.sweeps.append(await self._ledger.sweep(self._config.delivery.unknown))

    def _batch(self) -> int:
        delivery = self._config.delivery
        batch = min(delivery.connections * CLAIMS_A_CONNECTION, MOST_CLAIMED)
        return max(1, min(batch, int(delivery.per_second * LONGEST_CLAIM))) if delivery.per_second else batch

    async def _pace(self) -> None:
        """Wait for a turn, if so many a second are all that is wanted."""
        if not self._config.delivery.per_second:
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._next_turn, now)
        self._next_turn = turn + 1 / self._config.delivery.per_second
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), turn - now)

    async def _outcome(self, connection: smtp.Connection | None, delivery: Delivery) -> Outcome | None:
        """What became of one delivery; None if it could not even be made into a mail."""
        try:
            mail = await self._cuts.mail(delivery)
            reader = message.reader_of(delivery, mail.edition, self._config.site, self._links)
            body = mail.fill(reader, self._clock())
        except DatabaseUnreachable:
            raise
        except BadAddress as error:
            return Refused(Phase.RCPT, 0, str(error), permanent=True)
        except Exception as error:  # noqa: BLE001  # one reader's mail that cannot be made must not stop the others
            reason = f"{type(error).__name__}: {error}"
            self._spoilt = f"A mail of edition {delivery.edition_id} could not be made: {reason}"
            await self._ledger.set_aside(delivery, reason)
            return None
        if connection and (not self._only_to or delivery.address.casefold() in self._only_to):
            sender = self._config.site.from_address
            return await connection.send(sender, delivery.address, body, lambda: self._ledger.offer(delivery))
        return await self._keep(delivery, reader, body)

    async def _keep(self, delivery: Delivery, reader: Reader, body: bytes) -> Outcome:
        """Safe mode: the same steps as by SMTP, into a file."""
        if not await self._ledger.offer(delivery):
            return Withdrawn(smtp.WITHDRAWN)
        try:
            path = outbox.write(self._config.outbox, reader.message_id, body)
        except OSError as error:
            return NotSent(Phase.BODY, f"the outbox takes no file: {error}")
        self.kept += 1
        return Accepted(path.name)

    async def _give_back(self, delivery: Delivery, trouble: NotSent | Refused) -> None:
        # A relay that does not answer is tried again by the next run; one that has had enough gets a rest.
        wait = THROTTLED if trouble.phase is Phase.MAIL else None
        await self._ledger.release([delivery], f"{trouble.phase}: {_reason(trouble)}", wait=wait)


def _trouble(outcome: Outcome) -> NotSent | Refused | None:
    """The outcome if it speaks of the relay and not of one reader's mail."""
    match outcome:
        case NotSent() | Refused(phase=Phase.MAIL):
            return outcome
        case Refused(code=code, permanent=False) if code >= _REFUSED_FOR_GOOD:
            return outcome
        case _:
            return None


def _reason(trouble: NotSent | Refused) -> str:
    return trouble.reason if isinstance(trouble, NotSent) else f"{trouble.code} {trouble.reply}"


def _sentence(trouble: NotSent | Refused, config: Config) -> str:
    reason = _ADDRESS.sub("…", _reason(trouble))
    faults = {
        Phase.CONNECT: "does not answer",
        Phase.LOGIN: "does not let us in",
        Phase.MAIL: f"takes no mail from {config.site.from_address}",
    }
    if config.relay and trouble.phase in faults:
        return f"The relay at {config.relay.host}:{config.relay.port} {faults[trouble.phase]}: {reason}."
    return f"Mail cannot be handed over: {reason}."
