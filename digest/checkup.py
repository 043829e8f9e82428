"""Is all well? One sentence about each part of the service, and what to do where it is not."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from sqlalchemy import Connection

from digest.config import Calendar, Config, Queue, UnknownPolicy, Webhook
from digest.delivery import dkim, quota, relay_log
from digest.doctor import dns, machine, outside
from digest.doctor.dns import Ask
from digest.editions import calendars
from digest.editions.market import Standing
from digest.editions.publish import market_standings
from digest.errors import ConfigError, DigestError, MissingSecret
from digest.feeds import health
from digest.feeds.health import Health
from digest.feeds.markets import sources as market_sources
from digest.findings import Finding, Group, Level
from digest.language import FOLDER, template, untranslated
from digest.model import Memory
from digest.safe_mode import HOW_TO_LEAVE
from digest.store import engine as engines
from digest.store import feeds as feed_store
from digest.store import jobs, pulses, quotas, returns, safe_modes, schema, webhooks
from digest.store.pulses import Part, Pulse

EXAMPLES = ("example.org", "Example Street")
MOST_DOMAINS = 1000
"""How many of the domains with the most readers are looked at."""
CAME_BACK = timedelta(days=7)
TIDIED = timedelta(days=3)
"""How long ago it may be that what is kept too long was let go of; the alert has the same limit."""
NAMED = 3
"""More faults of one calendar than these are not all told."""


def well(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing needs anybody."""
    return all(finding.level is not Level.FAULT for finding in findings)


def examine(
    config: Config,
    now: datetime,
    *,
    call_relay: bool = True,
    environment: Mapping[str, str] = MappingProxyType({}),
    ask: Ask | None = None,
) -> tuple[Finding, ...]:
    """Look at everything.

    Args:
        config: what is to be looked at.
        now: what this machine says the time is.
        call_relay: call on other machines too: the relay, the DNS, our pages, a feed's server. All at the same time, for no longer
            than `outside.DEADLINE`.
        environment: where secrets came from.
        ask: how the DNS is asked; by itself as this machine does.
    """
    began = time.monotonic()
    times, database = _database(config, now)
    beyond = outside.examine(config, ask or dns.system(outside.SECONDS)) if call_relay else outside.Beyond()
    passed = timedelta(seconds=time.monotonic() - began)
    clocks = times | {who: moment - passed for who, moment in beyond.times.items()}
    signing = tuple((name, keys) for name, keys in _signing(config) if keys)
    return (
        _configuration(config),
        _identity(config),
        *(_calendar(config, one, now) for one in config.calendars),
        _language(config),
        _secret(config),
        *((machine.keys(signing),) if signing else ()),
        machine.secret_files(environment),
        *database,
        machine.disk(_free(config)),
        machine.clock(now, clocks),
        _of(Group.MAIL, _dkim(config)),
        _of(Group.MAIL, beyond.relay or _uncalled(config)),
        *(_of(Group.MAIL, finding) for finding in _relay_log(config)),
        *beyond.findings,
    )


def _of(group: Group, finding: Finding) -> Finding:
    return replace(finding, group=group)


def _signing(config: Config) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("DIGEST_SECRET_KEY", config.keys), ("DIGEST_HOOK_SECRET", config.hook_secrets)


def _free(config: Config) -> dict[Path, int]:
    """What is left on the disks that we write to."""
    folders = {config.home}
    if config.database_url.startswith("sqlite:///"):
        folders.add(Path(config.database_url.removeprefix("sqlite:///")).parent)
    return {folder: shutil.disk_usage(folder).free for folder in folders if folder.is_dir()}


def faulty(error: ConfigError) -> tuple[Finding, ...]:
    """The faults of a configuration that cannot be used, as findings."""
    return tuple(Finding("configuration", Level.FAULT, str(fault)) for fault in error.faults)


def _configuration(config: Config) -> Finding:
    counted = ((len(config.digests), "digest"), (len(config.topics), "topic"), (len(config.feeds), "feed"))
    counts = ", ".join(f"{number} {name}{'s' * (number != 1)}" for number, name in counted)
    if not config.feeds:
        return Finding(
            "configuration",
            Level.FAULT,
            "feeds.toml names no feed, so no edition can be made; `digest feeds add URL` adds one.",
        )
    return Finding("configuration", Level.OK, f"{counts}; nothing wrong in them.")


def _identity(config: Config) -> Finding:
    site = config.site
    left = [
        key
        for key in ("from_address", "contact", "postal_address")
        if any(example in getattr(site, key) for example in EXAMPLES)
    ]
    host = urlsplit(site.base_url).hostname or ""
    if config.relay and (host == "localhost" or host.startswith("127.")):
        sentence = f"base_url is {site.base_url}, so every link in the mail would lead to the reader's own machine. Set it to the address under which readers reach these pages."
        return Finding("identity", Level.FAULT, sentence)
    if left and config.relay:
        sentence = f"{', '.join(left)} in digest.toml as in the example; readers would see it. Set it in [site]."
        return Finding("identity", Level.FAULT, sentence)
    if left:
        return Finding("identity", Level.NOTE, f"{', '.join(left)} in digest.toml as in the example.")
    return Finding("identity", Level.OK, f"mail comes from {site.from_address}.")


def _calendar(config: Config, calendar: Calendar, now: datetime) -> Finding:
    today = now.astimezone(UTC).date()
    subject, reading = f"calendar {calendar.name}", calendars.read(config.home, calendar, (today,), "UTC")
    told = " ".join(f"{fault}." for fault in reading.faults[:NAMED])
    if len(reading.faults) > NAMED:
        told += f" {len(reading.faults) - NAMED} more; `digest calendar` shows them."
    if not reading.whole:
        return Finding(subject, Level.FAULT, f"{told} Editions are made without it.")
    if reading.last and reading.last < today:
        told = f"its last event was on {reading.last}; fetch a newer {calendar.file}. {told}".strip()
    return Finding(subject, Level.NOTE, told) if told else Finding(subject, Level.OK, f"{calendar.file} can be read.")


def _language(config: Config) -> Finding:
    locale = config.site.locale
    missing = untranslated(locale, config.home)
    if not missing:
        return Finding("language", Level.OK, f"{locale}; every phrase has words in it.")
    sentence = f"{locale}; readers see {len(missing)} phrases in English, such as “{missing[0]}”."
    own = config.home / FOLDER / f"{locale.replace('-', '_')}.po"
    return Finding(
        "language", Level.NOTE, f"{sentence} {own} can have words for them; it begins as a copy of {template()}."
    )


def _secret(config: Config) -> Finding:
    try:
        number = len(config.signing_keys)
    except MissingSecret as missing:
        return Finding("secret", Level.FAULT, str(missing), Group.SECRETS)
    sentence = f"{number} signing key{'s' * (number > 1)}; the first one signs."
    return Finding("secret", Level.OK, sentence, Group.SECRETS)


def _dkim(config: Config) -> Finding:
    try:
        signatures = dkim.signatures(config)
    except MissingSecret as missing:
        return Finding("dkim", Level.FAULT, str(missing))
    if signatures:
        names = " and ".join(f"{one.name} ({one.key.algorithm})" for one in signatures)
        return Finding("dkim", Level.OK, f"mail is signed by {names}; `digest dkim` prints what the DNS must say.")
    if config.dkim_key:
        sentence = (
            "there is a key to sign mail with, but [dkim] in digest.toml names no selector, so mail is not signed."
        )
        return Finding("dkim", Level.FAULT, sentence)
    return Finding("dkim", Level.NOTE, "mail is not signed by us; a relay may do it.")


def _database(config: Config, now: datetime) -> tuple[dict[str, datetime], tuple[Finding, ...]]:
    """What time the database has, where it is not ours, and what is found in it."""
    try:
        engine = engines.connect(config.database_url)
        schema.check(engine)
        with engines.read(engine) as connection:
            states = feed_store.states(connection)
            series = market_series(config, connection, now.date(), now)
            pace = _pace(config, quotas.readers(connection), quotas.domains(connection, MOST_DOMAINS), now)
            came_back = returns.counts(connection, (now - CAME_BACK).date())
            at_work = _queue(config, connection)
            doubted = safe_modes.lasting(connection)
            felt = pulses.standing(connection)
            told = [_webhook(one, webhooks.standing(connection, one.name)) for one in config.webhooks]
            theirs = engines.time_of(connection)
        engine.dispose()
    except DigestError as error:
        return {}, (Finding("database", Level.FAULT, str(error), Group.DATABASE),)
    kind = f"{engine.dialect.name}, at revision {schema.wanted()}."
    safe = [Finding("safe mode", Level.FAULT, f"{doubted.sentence} {HOW_TO_LEAVE}")] if doubted else []
    found = [
        _of(Group.DATABASE, one)
        for one in (Finding("database", Level.OK, kind), *safe, *at_work, _retention(felt, now))
    ]
    found += [_of(Group.FEEDS, one) for one in (_feeds(states, now), *_market(series, now))]
    found += [_of(Group.MAIL, one) for one in (pace, _returns(config, came_back), *told)]
    return {"the database": theirs} if theirs else {}, tuple(found)


def _retention(felt: Mapping[Part, Pulse], now: datetime) -> Finding:
    """Whether what is kept too long is let go of. A service that has never run has nothing of the kind."""
    tidied = felt[Part.RETENTION].well_at
    if not felt[Part.TICK].well_at:
        return Finding(
            "retention", Level.NOTE, "the service has not run yet; it lets go once a day of what is kept too long."
        )
    if tidied and now - tidied <= TIDIED:
        return Finding("retention", Level.OK, f"what is kept too long was let go of {tidied:%Y-%m-%d %H:%M} UTC.")
    since = f"since {tidied:%Y-%m-%d %H:%M} UTC" if tidied else "yet"
    sentence = f"nothing was let go of {since}, though it is looked for once a day. `digest tidy` does it by hand and says what is wrong."
    return Finding("retention", Level.FAULT, sentence)


def _queue(config: Config, connection: Connection) -> tuple[Finding, ...]:
    if config.delivery.queue is Queue.INLINE:
        return ()
    standing = jobs.standing(connection)
    sentence = (
        f"{standing.open} job{'s' * (standing.open != 1)} for {standing.workers} worker{'s' * (standing.workers != 1)}."
    )
    if not standing.workers:
        return (Finding("queue", Level.FAULT, f"{sentence} Nothing is sent or polled until `digest work` runs."),)
    return (Finding("queue", Level.OK, sentence),)


def _webhook(webhook: Webhook, standing: webhooks.Standing) -> Finding:
    subject = f"webhook {webhook.name}"
    last = f" The last answer: {standing.answer}." if standing.answer else ""
    counted = f"{standing.told:,} told, {standing.waiting:,} waiting"
    if standing.given_up:
        sentence = (
            f"{counted}, {standing.given_up:,} given up.{last} `digest webhooks retry {webhook.name}` tries them anew."
        )
        return Finding(subject, Level.FAULT, sentence)
    return Finding(subject, Level.NOTE if standing.failing else Level.OK, f"{counted}.{last}")


def _feeds(states: list[feed_store.FeedState], now: datetime) -> Finding:
    doing = [(health.state(state.feed, state.memory, now), state) for state in states if not state.feed.paused]
    read = [(word, state) for word, state in doing if word is not Health.UNREAD]
    if not read:
        return Finding("feeds", Level.NOTE, "none has been read yet; `digest poll` reads them.")
    failing = [state for word, state in read if word in {Health.FAILING, Health.RETIRED}]
    odd = [state for word, state in read if word in {Health.LOUD, Health.SILENT}]
    newest = max((state.memory.new_at for _, state in read if state.memory.new_at), default=None)
    hours = (
        "nothing new yet"
        if newest is None
        else f"the newest article came {(now - newest).total_seconds() / 3600:.0f} h ago"
    )
    sentence = f"{len(read) - len(failing)} of {len(read)} answer; {hours}."
    for word, some in (("Failing", failing), ("Silent or suddenly loud", odd)):
        if some:
            sentence += f" {word}: {', '.join(state.feed.url for state in some[:5])}; `digest feeds list` says why."
    if len(failing) == len(read):
        return Finding("feeds", Level.FAULT, sentence)
    return Finding("feeds", Level.NOTE if failing or odd else Level.OK, sentence)


def _returns(config: Config, came_back: Mapping[str, int]) -> Finding:
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(came_back.items()))
    told = f"in the last {CAME_BACK.days} days: {counted or 'nothing'}."
    if config.relay and not config.bounces.address:
        sentence = f"[bounces] address is empty, so nothing follows from what comes back to {config.site.from_address};"
        return Finding("returned mail", Level.NOTE, f"{sentence} {told}")
    return Finding("returned mail", Level.OK, told)


@dataclass(frozen=True, slots=True)
class MarketSeries:
    """How a market series stands on a day, when its source last answered, and all that is wrong with it."""

    standing: Standing
    url: str
    read_at: datetime | None
    faults: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        return self.standing.wanted.name


def market_series(config: Config, connection: Connection, day: date, now: datetime) -> tuple[MarketSeries, ...]:
    """Every market series in the order of the block, as the edition of a day would have it."""
    sources = market_sources.of(config.market)
    known = {source.feed.url: feed_store.by_url(connection, source.feed.url) for source in sources}
    urls = {series.key: series.url for series in config.market.series}
    found = []
    for standing in market_standings(config, connection, day):
        url = urls.get(standing.wanted.series, config.market.ecb_url)
        feed = known[url]
        memory = feed.memory if feed else Memory(next_poll_at=now)
        concerned = memory.error if memory.failures or f"{standing.wanted.name}: " in (memory.error or "") else None
        unread = () if memory.polled_at else ("not read yet; `digest poll` reads it",)
        faults = (
            *unread,
            *([concerned.removeprefix(f"{standing.wanted.name}: ")] if concerned else []),
            *(standing.faults if memory.polled_at else ()),
        )
        found.append(MarketSeries(standing, url, memory.succeeded_at, faults))
    return tuple(found)


def _market(series: tuple[MarketSeries, ...], now: datetime) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            f"market, {one.name}",
            Level.NOTE if one.faults else Level.OK,
            f"{'; '.join([*_last_value(one, now), *one.faults])}.",
        )
        for one in series
    )


def _last_value(series: MarketSeries, now: datetime) -> list[str]:
    if not (quote := series.standing.quote):
        return []
    read = f", read {(now - series.read_at).total_seconds() / 3600:.0f} h ago" if series.read_at else ""
    return [f"{quote.value:f} of {quote.day}{read}"]


def _pace(config: Config, readers: int, domains: Mapping[str, int], now: datetime) -> Finding:
    """What the limits on sending mean for the digest with the most readers."""
    delivery = config.delivery
    limits = quota.Limits.of(delivery)
    step = limits.of_day(now.astimezone(UTC).date())
    warm_up = f"Warm-up: {step:,} messages today" if step else ""
    if 0 < step < readers:
        warm_up += f", so {readers - step:,} of {readers:,} readers get none"
    told = quota.forecast(readers, domains, limits, delivery.per_second)
    if told is None:
        rest = f"as fast as the relay takes it, over up to {delivery.connections} connections"
        return Finding("pace", Level.NOTE if step else Level.OK, f"{warm_up or rest}.")
    hours = f"{told.hours:,} hour{'s' * (told.hours != 1)}"
    sentence = f"{readers:,} readers at {told.limit} take {hours}"
    level = Level.NOTE if step else Level.OK
    if told.reached < readers:
        level = Level.FAULT
        sentence += (
            f", longer than late_hours = {delivery.late_hours:g}: {told.reached:,} are reached in time, and the others' mail "
            "expires. Raise the limit or late_hours in [delivery]"
        )
    return Finding("pace", level, f"{sentence}.{f' {warm_up}.' if warm_up else ''}")


def _uncalled(config: Config) -> Finding:
    called = " Not called." if config.relay else ""
    return Finding("relay", Level.OK if config.relay else Level.NOTE, f"{outside.relay_sentence(config)}{called}")


def _relay_log(config: Config) -> tuple[Finding, ...]:
    if config.delivery.unknown is not UnknownPolicy.RECONCILE:
        return ()
    place = config.home / config.delivery.relay_log
    try:
        begins = relay_log.examine(place)
    except (OSError, EOFError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        sentence = (
            f"{place} cannot be read: {reason}. What it would tell of messages in doubt stays unknown until it can."
        )
        return (Finding("relay log", Level.FAULT, sentence),)
    if begins is None:
        return (Finding("relay log", Level.NOTE, f"{place} can be read; nothing in it says when it was written."),)
    return (Finding("relay log", Level.OK, f"{place} can be read; it begins at {begins:%Y-%m-%d %H:%M} UTC."),)
