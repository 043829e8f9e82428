"""Is all well? One sentence about each part of the service, and what to do where it is not."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from digest.config import Config, Relay
from digest.delivery import smtp
from digest.errors import ConfigError, DigestError, MissingSecret
from digest.feeds import health
from digest.feeds.health import Health
from digest.language import FOLDER, template, untranslated
from digest.store import engine as engines
from digest.store import feeds as feed_store
from digest.store import schema

PATIENCE = smtp.Patience(connect=10, reply=10)
"""A check is waited for by a person."""
EXAMPLES = ("example.org", "Example Street")


class Level(StrEnum):
    """How much a finding matters: a fault needs somebody, a note only deserves to be known."""

    OK = "ok"
    NOTE = "note"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """What we found out about one part."""

    subject: str
    level: Level
    sentence: str


def well(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing needs anybody."""
    return all(finding.level is not Level.FAULT for finding in findings)


def examine(config: Config, now: datetime, *, call_relay: bool = True) -> tuple[Finding, ...]:
    """Look at everything; only the relay lies outside this machine and its database."""
    return (
        _configuration(config),
        _identity(config),
        _language(config),
        _secret(config),
        *_database(config, now),
        _relay(config.relay, config, call=call_relay),
    )


def faulty(error: ConfigError) -> tuple[Finding, ...]:
    """The faults of a configuration that cannot be used, as findings."""
    return tuple(Finding("configuration", Level.FAULT, str(fault)) for fault in error.faults)


def _configuration(config: Config) -> Finding:
    counted = ((len(config.digests), "digest"), (len(config.topics), "topic"), (len(config.feeds), "feed"))
    counts = ", ".join(f"{number} {name}{'s' * (number != 1)}" for number, name in counted)
    if not config.feeds:
        return Finding("configuration", Level.FAULT, "feeds.toml names no feed, so no edition can be made.")
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
        sentence = f"base_url is {site.base_url}, so every link in the mail would lead to the reader's own machine."
        return Finding("identity", Level.FAULT, sentence)
    if left and config.relay:
        sentence = f"{', '.join(left)} in digest.toml as in the example; readers would see it."
        return Finding("identity", Level.FAULT, sentence)
    if left:
        return Finding("identity", Level.NOTE, f"{', '.join(left)} in digest.toml as in the example.")
    return Finding("identity", Level.OK, f"mail comes from {site.from_address}.")


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
        return Finding("secret", Level.FAULT, str(missing))
    return Finding("secret", Level.OK, f"{number} signing key{'s' * (number > 1)}; the first one signs.")


def _database(config: Config, now: datetime) -> tuple[Finding, ...]:
    try:
        engine = engines.connect(config.database_url)
        schema.check(engine)
        with engines.read(engine) as connection:
            states = feed_store.states(connection)
        engine.dispose()
    except DigestError as error:
        return (Finding("database", Level.FAULT, str(error)),)
    kind = f"{engine.dialect.name}, at revision {schema.wanted()}."
    return Finding("database", Level.OK, kind), _feeds(states, now)


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


def relay_sentence(config: Config) -> str:
    """Where mail goes."""
    if config.relay is None:
        return f"no relay is named (DIGEST_SMTP_URL), so mail is written to {config.outbox}."
    limited = f", but only for {', '.join(config.delivery.only_to)}" if config.delivery.only_to else ""
    return f"mail goes to {config.relay.host}:{config.relay.port}{limited}."


def _relay(relay: Relay | None, config: Config, *, call: bool) -> Finding:
    if relay is None:
        return Finding("relay", Level.NOTE, relay_sentence(config))
    place = f"{relay.host}:{relay.port}"
    if not call:
        return Finding("relay", Level.OK, f"{relay_sentence(config)} Not called.")
    trouble = asyncio.run(smtp.probe(relay, patience=PATIENCE))
    if trouble:
        return Finding(
            "relay", Level.FAULT, f"{place} does not take us: {trouble} Mail waits in the ledger until it does."
        )
    return Finding("relay", Level.OK, f"{place} answers and lets us in; {relay_sentence(config)}")
