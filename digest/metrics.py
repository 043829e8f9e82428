"""The service in figures, for Prometheus: everything is read from the database, so that whichever process is asked says the same.

No label holds an address, a URL or a number that grows: labels are digests of the configuration and fixed words.
"""

import platform
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine

from digest import __version__, health
from digest.config import Config, Queue
from digest.editions.overdue import overdue
from digest.errors import DigestError
from digest.feeds import health as feed_health
from digest.feeds.health import Health
from digest.model import Cause, DeliveryState, EditionState, PollOutcome, Returned, SubscriptionState
from digest.steady import elapsed
from digest.store import deliveries, jobs, pulses, readings, returns, safe_modes, schema, subscribers
from digest.store import engine as engines
from digest.store import feeds as feed_store
from digest.store.pulses import Part

EDITIONS_BACK = 3
"""How many of each digest's latest editions are told of."""

KEPT_SECONDS = 10.0
MOST_SHARE = 0.05
"""A reading is kept for that long, or so much longer that reading takes no more than this share of the time."""

SIGN_UPS, SIGN_UPS_FROM, TIME_TO_CONFIRM = 200, timedelta(days=30), timedelta(hours=2)
RETURNED = timedelta(days=7)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REPLY = re.compile(r"(?:connect|login|mail|rcpt|data|body|dot): ([245])\d\d")
_CLASSES = ("2xx", "4xx", "5xx")

Samples = Mapping[Any, float]
"""Values by tuples of labels, in words of whatever kind."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric: its name without `digest_`, what it says, its labels, and the values by these."""

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Samples
    counter: bool = False

    @property
    def family(self) -> Metric:
        """As the client library has it."""
        kind = CounterMetricFamily if self.counter else GaugeMetricFamily
        family = kind(f"digest_{self.name}", self.help, labels=self.labels)
        for labels, value in self.samples.items():
            family.add_metric(labels, value)
        return family


@dataclass(slots=True)
class Tally:
    """Counts the ledger's events from when it was first asked.

    An event may be committed after one with a higher id. So each reading counts up to the id that was the highest at the
    reading before: what had been given an id then is committed by now.
    """

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    _until: int | None = None
    _seen: int = 0

    def read(self, connection: Connection) -> None:
        """Count what has come since."""
        newest = readings.last_event(connection)
        if self._until is None:
            self._until = self._seen = newest
        if self._seen > self._until:
            self.counted += readings.events(connection, self._until, self._seen)
            self._until = self._seen
        self._seen = newest


class Metrics(Collector):
    """What `/metrics` says. A reading is shared by all who ask within a short time, so that asking costs nothing.

    Args:
        in_force: what holds now.
        engine: the database.
        clock: what time it is.
        kept: seconds for which a reading is kept at least.
        elapsed: seconds that go on evenly.
    """

    def __init__(
        self,
        in_force: Callable[[], Config],
        engine: Engine,
        clock: Callable[[], datetime],
        kept: float = KEPT_SECONDS,
        elapsed: Callable[[], float] = elapsed,
    ) -> None:
        self._in_force, self._engine, self._clock = in_force, engine, clock
        self._kept, self._elapsed = kept, elapsed
        self._tally, self._turn = Tally(), threading.Lock()
        self._page, self._good_until = b"", 0.0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def page(self) -> bytes:
        """Everything in Prometheus' text format; one reading at a time, whoever asks."""
        with self._turn:
            began = self._elapsed()
            if not self._page or began >= self._good_until:
                self._page = generate_latest(self._registry)
                ended = self._elapsed()
                self._good_until = ended + max(self._kept, (ended - began) / MOST_SHARE)
            return self._page

    def describe(self) -> Iterable[Metric]:
        """Nothing is read only to be registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read everything, as far as the database can be read."""
        began = self._elapsed()
        try:
            schema.check(self._engine)
            with engines.read(self._engine) as connection:
                figures = [*self._figures(connection)]
        except DigestError:
            figures = []
        built = (__version__, platform.python_version(), self._engine.dialect.name)
        yield Figure("build_info", "The release that answers.", ("version", "python", "database"), {built: 1}).family
        readable = Figure(
            "readable", "Whether the database answers and has this release's schema.", (), _one(bool(figures))
        )
        yield readable.family
        yield Figure("reading_seconds", "How long this reading took.", (), _one(self._elapsed() - began)).family
        for figure in figures:
            yield figure.family

    def _figures(self, connection: Connection) -> Iterator[Figure]:
        config, now = self._in_force(), self._clock()
        self._tally.read(connection)
        yield from _of_editions(config, connection, now)
        yield from _of_feeds(connection, now)
        yield from _of_queues(config, connection, now)
        yield from _of_sending(self._tally.counted, connection, now)
        yield from _of_readers(config, connection, now)
        yield from _of_the_service(connection, now)


def _of_editions(config: Config, connection: Connection, now: datetime) -> Iterator[Figure]:
    slugs = [digest.slug for digest in config.digests]
    states = readings.edition_states(connection)
    counted = {(slug, state): states.get((slug, state), 0) for slug in slugs for state in EditionState}
    yield Figure("editions", "Editions by state.", ("digest", "state"), counted)
    latest = readings.latest(connection, slugs, EDITIONS_BACK)
    named = {(one.digest, str(one.back)): one for one in latest}
    place = ("digest", "back")
    audiences = {key: one.audience for key, one in named.items()}
    yield Figure("edition_audience", "Everyone who was to get an edition when it was frozen.", place, audiences)
    parts = {(*key, state): number for key, one in named.items() for state, number in one.counts.items()}
    yield Figure(
        "edition_deliveries",
        "Deliveries of an edition by state; they add up to its audience.",
        (*place, "state"),
        parts,
    )
    complaints = {key: one.complaints for key, one in named.items()}
    yield Figure("edition_complaints", "Readers who complained about an edition.", place, complaints)
    lateness = {(one.digest,): (one.published_at - one.press_at).total_seconds() for one in latest if not one.back}
    yield Figure(
        "edition_lateness_seconds", "From press time until the newest edition was frozen.", ("digest",), lateness
    )
    missing = {}
    for digest in config.digests:
        slot = overdue(connection, digest, now)
        missing[digest.slug,] = (now - slot[1]).total_seconds() if slot else 0.0
    yield Figure(
        "edition_overdue_seconds", "Since the press time of an edition that is not there.", ("digest",), missing
    )
    paused = readings.paused_editions(connection)
    yield Figure(
        "editions_paused", "Editions that are paused.", ("digest",), {(slug,): paused.get(slug, 0) for slug in slugs}
    )


def _of_feeds(connection: Connection, now: datetime) -> Iterator[Figure]:
    known = feed_store.configured(connection)
    words = Counter(feed_health.state(one.feed, one.memory, now) for one in known)
    yield Figure(
        "feeds",
        "Feeds by how they are doing.",
        ("health",),
        {(word.replace(" ", "_"),): words[word] for word in Health},
    )
    outcomes = Counter(one.memory.outcome for one in known if one.memory.outcome)
    ended = {(outcome,): outcomes[outcome] for outcome in PollOutcome}
    yield Figure("feed_outcomes", "Feeds by how their last poll ended.", ("outcome",), ended)
    newest = max((one.memory.new_at for one in known if one.memory.new_at), default=None)
    brought = _one(newest.timestamp()) if newest else {}
    yield Figure("newest_article_timestamp_seconds", "When a feed last brought an article that was new.", (), brought)


def _of_queues(config: Config, connection: Connection, now: datetime) -> Iterator[Figure]:
    waiting = readings.queued(connection, now)
    if config.delivery.queue is Queue.PROCRASTINATE:
        standing = jobs.standing(connection)
        waiting["jobs", "due"] = standing.open
        yield Figure("workers", "Workers that have lately been heard of.", (), _one(standing.workers))
    yield Figure("queue", "What waits: deliveries, letters, requests for letters, jobs.", ("lane", "state"), waiting)
    since = deliveries.due_since(connection)
    age = (now - since).total_seconds() if since and since < now else 0.0
    yield Figure("oldest_due_seconds", "How long the delivery that waits longest has been due.", (), _one(age))


def _of_sending(counted: Counter[tuple[str, str]], connection: Connection, now: datetime) -> Iterator[Figure]:
    kinds: Counter[str] = Counter()
    replies: Counter[str] = Counter()
    for (kind, begins), number in counted.items():
        kinds[kind] += number
        reply = _REPLY.match(begins)
        if kind == DeliveryState.SENT:
            replies["2xx"] += number
        elif reply:
            replies[f"{reply[1]}xx"] += number
    events = {(kind,): kinds[kind] for kind in (*DeliveryState, *Returned)}
    text = "What the ledger has written since this process was first asked."
    yield Figure("delivery_events", text, ("kind",), events, counter=True)
    text = "Replies of relays that decided over a delivery, since this process was first asked."
    yield Figure("smtp_replies", text, ("class",), {(one,): replies[one] for one in _CLASSES}, counter=True)
    back = returns.counts(connection, (now - RETURNED).date())
    yield Figure(
        "returned_mails", "Mails that came back in seven days, by what became of them.", ("outcome",), _keyed(back)
    )


def _of_readers(config: Config, connection: Connection, now: datetime) -> Iterator[Figure]:
    states = readings.subscription_states(connection)
    slugs = [digest.slug for digest in config.digests]
    counted = {(slug, state): states.get((slug, state), 0) for slug in slugs for state in SubscriptionState}
    yield Figure("subscriptions", "Subscriptions by state.", ("digest", "state"), counted)
    causes = readings.suppression_causes(connection)
    suppressed = {(cause,): causes.get(cause, 0) for cause in Cause}
    yield Figure(
        "suppressions", "Addresses that must not be mailed, by who brought that about.", ("cause",), suppressed
    )
    asked, open_still = subscribers.unconfirmed(connection, now - SIGN_UPS_FROM, now - TIME_TO_CONFIRM, SIGN_UPS)
    yield Figure("sign_ups", f"Of the last sign-ups, {SIGN_UPS} at most, those older than two hours.", (), _one(asked))
    share = open_still / asked if asked else 0.0
    yield Figure("sign_ups_unconfirmed_ratio", "The share of these that nobody confirmed.", (), _one(share))


def _of_the_service(connection: Connection, now: datetime) -> Iterator[Figure]:
    felt = pulses.standing(connection)
    well = {(part,): pulse.well_at.timestamp() for part, pulse in felt.items() if pulse.well_at}
    yield Figure("last_success_timestamp_seconds", "When each loop last did its work.", ("loop",), well)
    trouble = _one(health.lasting(felt[Part.SEND], now))
    yield Figure("sending_trouble", "Whether something keeps all mail from going.", (), trouble)
    doubted = _one(safe_modes.lasting(connection) is not None)
    yield Figure("safe_mode", "Whether the service is in safe mode.", (), doubted)


def _one(value: float) -> Samples:
    return {(): float(value)}


def _keyed(values: Mapping[str, int]) -> Samples:
    return {(key,): float(number) for key, number in values.items()}
