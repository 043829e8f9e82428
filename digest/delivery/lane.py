"""The lane of editions: workers that take what is due, one after the other, at a pace that the relay and the limits allow."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from digest.config import Config
from digest.delivery import dkim, message, outbox, smtp
from digest.delivery.cuts import Cuts
from digest.delivery.feedback.absorb import return_addresses
from digest.delivery.ledger import Ledger
from digest.delivery.message import Reader
from digest.delivery.pace import Pace, is_throttle
from digest.delivery.quota import Quota
from digest.delivery.reconcile import Reconciled, Reconciler
from digest.errors import BadAddress, DatabaseUnreachable
from digest.links import Links
from digest.model import Accepted, Delivery, NotSent, Outcome, Phase, Refused, Withdrawn
from digest.store.claims import Swept

CLAIMS_A_CONNECTION, MOST_CLAIMED = 8, 400
"""How much is claimed at a time: enough that hundreds of connections have something to go on with while more is fetched,
and little for others to wait for when its sender has crashed.
"""

IN_HAND = 2
"""Messages that a connection is at work on: one, and the next, whose envelope goes ahead."""

LONGEST_CLAIM = 300
"""Seconds for which claims may lie before their turn, well inside a lease."""

MOST_REFUSED = 20
"""Messages refused for good, none having been taken, after which it is not their readers that are the reason."""

MOST_BREAKS = 3
"""Dialogues that may break one after the other before a connection is given up for this run."""

THROTTLED = timedelta(minutes=5)
"""How long a message waits that the relay would not take for now, so that others go first: it may be about its reader."""

BETWEEN_SWEEPS = timedelta(minutes=1)
"""How long a run goes on before it looks again for what others left behind, and for what has become too late."""

# Up to here a dialogue knows nothing of the reader, so its failure is not held against the reader's delivery.
_BEFORE_THE_READER = {Phase.CONNECT, Phase.LOGIN, Phase.MAIL}
_REFUSED_FOR_GOOD = 500

# Relays like to quote whom a reply is about; what goes into logs must not.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")


class Lane:
    """One run: the workers, each with a connection of its own, and what they share."""

    def __init__(
        self,
        config: Config,
        links: Links,
        ledger: Ledger,
        quota: Quota,
        cuts: Cuts,
        clock: Callable[[], datetime],
        stop: asyncio.Event,
        progress: Callable[[Outcome], None],
        doubts: Reconciler | None = None,
        share: int | None = None,
    ) -> None:
        self._config, self._links, self._ledger, self._quota, self._cuts = config, links, ledger, quota, cuts
        self._clock, self._stop, self._progress, self._doubts, self._share = clock, stop, progress, doubts, share
        self._tls = smtp.trust(config.relay) if config.relay else None
        self._returns, self._sign = return_addresses(config), dkim.signer(config)
        self._only_to = {address.casefold() for address in config.delivery.only_to}
        self._time = asyncio.get_running_loop().time
        self._workers: set[asyncio.Task[None]] = set()
        self._working = 0
        self._in_hand = 0
        self._went = 0
        self._accepted = self._refused = 0
        self._last_refusal: Refused | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._one_alone = False
        self._claiming = asyncio.Lock()
        self._claimed: deque[tuple[float, Delivery]] = deque()
        self._fetching: asyncio.Task[None] | None = None
        self._over = False
        self._next_turn = 0.0
        self._trouble: NotSent | Refused | None = None
        self._spoilt = ""
        self._sweep_at: datetime | None = None
        self.pace = Pace.first(config.delivery.connections, self._time())
        self.sweeps: list[Swept] = []
        self.looks: list[Reconciled] = []
        self.kept = 0
        self.put_off = 0

    async def all_workers(self) -> None:
        """Work until nothing is due. When one worker fails, the others finish what they have in hand."""
        failure: BaseException | None = None
        try:
            self._staff()
            while self._workers:
                done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
                self._workers -= done
                failures = (asyncio.CancelledError() if one.cancelled() else one.exception() for one in done)
                failure = failure or next((one for one in failures if one), None)
                self._staff()
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        if failure:
            raise failure

    async def finish(self) -> int:
        """Give back what nobody began, and write down the rest; how much is left waiting."""
        if self._fetching:
            await asyncio.gather(self._fetching, return_exceptions=True)
        await self._give_back_all("the run ended before its turn")
        return await self._ledger.finish()

    def problem(self, left: int) -> str:
        """What somebody should look at, in a sentence."""
        wait = f"{left:,} message{' waits' if left == 1 else 's wait'}; the next run tries again."
        if self._trouble and left:
            return f"{_sentence(self._trouble, self._config)} {wait}"
        doubted = self.looks[-1].problem if self.looks else ""
        return self._spoilt or doubted or self._quota.sentence(self._config.delivery.late_hours)

    def stuck(self) -> str:
        """What keeps all mail from going, in a sentence; empty where some went, or nothing stood in the way."""
        if self._accepted:
            return ""
        if self._trouble:
            return _sentence(self._trouble, self._config)
        if self._last_refusal and self._refused >= MOST_REFUSED:
            reason = _ADDRESS.sub("…", _reason(self._last_refusal))
            return f"All of {self._refused:,} messages were refused, the last with: {reason}."
        return ""

    def _staff(self) -> None:
        """As many workers as the pace allows."""
        while not self._over and not self._stop.is_set() and self._working < self.pace.connections(self._time()):
            self._working += 1
            self._workers.add(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        relay = self._config.relay
        connection = smtp.Connection(relay, tls=self._tls) if relay else None
        breaks = 0
        ahead: Delivery | None = None
        following: smtp.Envelope | None = None
        try:
            while breaks < MOST_BREAKS and (delivery := ahead or await self._next()):
                to = following or (self._envelope(delivery) if connection else None)
                ahead = self._follower() if connection else None
                following = self._envelope(ahead) if ahead else None
                try:
                    trouble = await self._carry(connection, delivery, to, following)
                finally:
                    self._let_go()
                if ahead and (self._stop.is_set() or self._trouble or self._too_many()):
                    self._put_back(ahead)
                    ahead = following = None
                breaks = breaks + 1 if trouble else 0
                if trouble and (breaks == MOST_BREAKS or trouble.phase in {Phase.CONNECT, Phase.LOGIN}):
                    self._lose_one(trouble)
                    return
        except BaseException:
            self._over = True
            raise
        finally:
            if ahead:
                self._put_back(ahead)
            self._working -= 1
            if connection:
                await connection.close()

    async def _carry(
        self,
        connection: smtp.Connection | None,
        delivery: Delivery,
        to: smtp.Envelope | None,
        following: smtp.Envelope | None,
    ) -> NotSent | Refused | None:
        """Bring one delivery to an outcome; what is wrong with the relay, or None."""
        outcome = await self._outcome(connection, delivery, to, following)
        if outcome is None:
            return None
        trouble = _trouble(outcome)
        if is_throttle(outcome):
            assert isinstance(outcome, NotSent | Refused)
            await self._slow_down(outcome)
            if outcome.phase in _BEFORE_THE_READER:
                await self._give_back(delivery, outcome)
            else:
                self.put_off += 1
                await self._ledger.excuse(delivery, _event(outcome), THROTTLED)
            return outcome if outcome.phase is Phase.LOGIN else None
        if trouble and trouble.phase in _BEFORE_THE_READER:
            await self._give_back(delivery, trouble)
            return trouble
        if isinstance(outcome, Accepted):
            self._accepted += 1
            self._went += 1
            # While all goes well, a round of them is soon enough.
            if self._went >= self.pace.window or self.pace.refusals or self.pace.rate:
                self._learn()
                self._staff()
        elif isinstance(outcome, Refused) and outcome.permanent:
            self._refused, self._last_refusal = self._refused + 1, outcome
        self._ledger.settle(delivery, outcome)
        self._progress(outcome)
        return trouble

    async def _slow_down(self, throttle: NotSent | Refused) -> None:
        self._learn()
        now = self._time()
        self.pace = self.pace.throttled(now)
        if self.pace.hopeless(now):
            self._trouble, self._over = throttle, True

    def _learn(self) -> None:
        if self._went:
            self.pace, self._went = self.pace.went(self._time(), self._went), 0

    def _lose_one(self, trouble: NotSent | Refused) -> None:
        """Go on with the other connections; when there is none, the run is over."""
        self._learn()
        others = self._working - 1
        self.pace = self.pace.crowded(others, self._time())
        if not others:
            self._trouble, self._over = trouble, True

    async def _next(self) -> Delivery | None:
        """The next delivery when its turn has come; None when there is no work for this worker."""
        async with self._claiming:
            if self._one_alone:
                await self._quiet.wait()
                self._one_alone = False
            while not self._done():
                if self._claimed and self._time() > self._claimed[0][0]:
                    await self._give_back_all("its turn did not come before its lease ran out")
                if not self._claimed:
                    await self._claim()
                elif self._time() >= (turn := max(self._next_turn, self.pace.resume_at)):
                    return await self._begin(max(turn, self._time()))
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stop.wait(), turn - self._time())
            return None

    def _done(self) -> bool:
        return self._over or self._stop.is_set() or self._too_many()

    def _too_many(self) -> bool:
        return self._working > self.pace.connections(self._time())

    async def _claim(self) -> None:
        """Wait for more, that somebody may be fetching already."""
        fetching = self._fetching = self._fetching or asyncio.create_task(self._fetch())
        await asyncio.shield(fetching)

    async def _fetch(self) -> None:
        await self._sweep()
        if self._over:
            self._fetching = None
            return
        stale_at = self._time() + LONGEST_CLAIM
        most = self._batch() if self._share is None else min(self._batch(), self._share)
        found = await self._ledger.claim(most) if most else []
        if self._share is not None:
            self._share -= len(found)
        self._claimed.extend((stale_at, delivery) for delivery in found)
        self._over = self._over or not (self._claimed or self._quota.more)
        self._fetching = None

    async def _begin(self, turn: float) -> Delivery:
        delivery = self._taken()
        if rate := self._rate():
            self._next_turn = turn + 1 / rate
        if delivery.suspect:
            await self._quiet.wait()
            if self._fetching:
                await asyncio.shield(self._fetching)
            await self._give_back_all("another, which may end its sender, goes alone")
            self._one_alone = True
        self._in_hand += 1
        self._quiet.clear()
        return delivery

    def _follower(self) -> Delivery | None:
        """The next delivery, if it can follow at once: one that need not wait for its turn, nor go alone."""
        now = self._time()
        if self._one_alone or self._claiming.locked() or self._rate() or now < self.pace.resume_at or self._done():
            return None
        if not self._claimed or self._claimed[0][1].suspect or now > self._claimed[0][0]:
            return None
        self._in_hand += 1
        return self._taken()

    def _taken(self) -> Delivery:
        """The first of what is claimed. Where it goes fast, more is fetched before the last is taken."""
        _, delivery = self._claimed.popleft()
        if len(self._claimed) < self._batch() and not (self._fetching or self._rate()):
            self._fetching = asyncio.create_task(self._fetch())
        return delivery

    def _put_back(self, delivery: Delivery) -> None:
        self._claimed.appendleft((self._time() + LONGEST_CLAIM, delivery))
        self._let_go()

    def _let_go(self) -> None:
        self._in_hand -= 1
        if not self._in_hand:
            self._quiet.set()

    async def _sweep(self) -> None:
        if self._share is not None:
            return
        now = self._clock()
        if self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now + BETWEEN_SWEEPS
            if await self._ledger.doubted():
                self._over = True
                return
            if self._accepted:
                await self._ledger.pulse()
            delivery = self._config.delivery
            self.sweeps.append(await self._ledger.sweep(delivery.unknown, delivery.connections * IN_HAND))
            if self._doubts:
                self.looks.append(await self._doubts.look(self._clock))

    def _batch(self) -> int:
        batch = min(self.pace.connections(self._time()) * CLAIMS_A_CONNECTION, MOST_CLAIMED)
        return max(1, min(batch, int(rate * LONGEST_CLAIM))) if (rate := self._rate()) else batch

    def _rate(self) -> float:
        """Messages a second, as is wanted and as the relay was found to allow; 0 where neither says anything."""
        wanted, learned = self._config.delivery.per_second, self.pace.rate
        return min(wanted, learned) if wanted and learned else wanted or learned

    async def _outcome(
        self,
        connection: smtp.Connection | None,
        delivery: Delivery,
        to: smtp.Envelope | None,
        following: smtp.Envelope | None,
    ) -> Outcome | None:
        """What became of one delivery; None if it could not even be made into a mail."""
        # First of all, since while the relay is away every run would make mails for nothing.
        if connection and to and (trouble := await connection.open()):
            return trouble
        try:
            mail = await self._cuts.mail(delivery)
            reader = message.reader_of(delivery, mail.edition, self._config.site, self._links, mail.language)
            body = self._sign(mail.fill(reader, now := self._clock(), text_only=delivery.text_only), now)
        except DatabaseUnreachable:
            raise
        except BadAddress as error:
            return Refused(Phase.RCPT, 0, str(error), permanent=True)
        except Exception as error:  # noqa: BLE001  # one reader's mail that cannot be made must not stop the others
            reason = f"{type(error).__name__}: {error}"
            self._spoilt = f"A mail of edition {delivery.edition_id} could not be made: {reason}"
            await self._ledger.set_aside(delivery, reason)
            return None
        if connection and to:
            return await connection.send(to, body, partial(self._ledger.offer, delivery), ahead=following)
        return await self._keep(delivery, reader, body)

    def _envelope(self, delivery: Delivery) -> smtp.Envelope | None:
        """None for one that may not be mailed."""
        if self._only_to and delivery.address.casefold() not in self._only_to:
            return None
        return smtp.Envelope(self._returns.of(delivery.id), delivery.address)

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

    async def _give_back_all(self, reason: str) -> None:
        claimed = [delivery for _, delivery in self._claimed]
        self._claimed.clear()
        await self._ledger.release(claimed, reason)

    async def _give_back(self, delivery: Delivery, trouble: NotSent | Refused) -> None:
        await self._ledger.release([delivery], _event(trouble))


def _trouble(outcome: Outcome) -> NotSent | Refused | None:
    """The outcome if it speaks of the relay and not of one reader's mail."""
    match outcome:
        case NotSent() | Refused(phase=Phase.MAIL):
            return outcome
        case Refused(code=code, permanent=False) if code >= _REFUSED_FOR_GOOD:
            return outcome
        case _:
            return None


def _event(trouble: NotSent | Refused) -> str:
    return f"{trouble.phase}: {_reason(trouble)}"


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
