"""All that lies outside this machine and its database, asked at the same time, and waited for by a person: not for long."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from digest.config import Config, Relay
from digest.delivery import dkim, smtp
from digest.doctor import pages, records
from digest.doctor.dns import Ask
from digest.errors import MissingSecret
from digest.findings import Finding, Group, Level

SECONDS, DEADLINE = 4.0, 10.0
"""For one answer, and for everything."""

PATIENCE = smtp.Patience(connect=SECONDS, reply=SECONDS)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was found outside: the relay, if it was called, what time others have, and the rest."""

    relay: Finding | None = None
    times: Mapping[str, datetime] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def examine(config: Config, ask: Ask, deadline: float = DEADLINE) -> Beyond:
    """Call on everybody, for so many seconds at most."""
    return asyncio.run(_examine(config, ask, deadline))


async def _examine(config: Config, ask: Ask, deadline: float) -> Beyond:
    site, relay = config.site, config.relay
    called = _within(deadline, _relay(relay, config)) if relay else _nothing()
    published = _within(deadline, records.examine(_sender(config, relay), ask)) if relay else _nothing()
    readable = bool(relay) or not _local(site.base_url)
    reached = _within(deadline, _aside(lambda: pages.reach(site.base_url, SECONDS))) if readable else _nothing()
    asked = next((feed.url for feed in config.feeds if not feed.paused), "")
    told = _within(deadline, _aside(lambda: pages.time_at(asked, SECONDS))) if asked else _nothing()
    answer, policies, public, moment = await asyncio.gather(called, published, reached, told)
    secure = pages.secure(site.base_url) if relay else None
    if relay and answer is None:
        silent = f"{relay.host}:{relay.port} does not take us: it did not answer within {deadline:g} s. {_WAITS}"
        answer = Finding("relay", Level.FAULT, silent)
    if relay and policies is None:
        late = (
            f"it did not answer within {deadline:g} s, so SPF, DKIM and DMARC were not looked at; see /etc/resolv.conf."
        )
        policies = (Finding("records", Level.NOTE, late, Group.DNS),)
    times = {urlsplit(asked).hostname or asked: moment} if moment else {}
    return Beyond(answer, times, (*(policies or ()), *_some(secure), *_some(public)))


def relay_sentence(config: Config) -> str:
    """Where mail goes."""
    if config.relay is None:
        return f"no relay is named (DIGEST_SMTP_URL), so mail is written to {config.outbox}."
    limited = f", but only for {', '.join(config.delivery.only_to)}" if config.delivery.only_to else ""
    return f"mail goes to {config.relay.host}:{config.relay.port}{limited}."


_WAITS = "Mail waits in the ledger until it does."


async def _relay(relay: Relay, config: Config) -> Finding:
    place = f"{relay.host}:{relay.port}"
    if trouble := await smtp.probe(relay, patience=PATIENCE):
        return Finding("relay", Level.FAULT, f"{place} does not take us: {trouble} {_WAITS}")
    return Finding("relay", Level.OK, f"{place} answers and lets us in; {relay_sentence(config)}")


def _sender(config: Config, relay: Relay) -> records.Sender:
    try:
        signatures = dkim.signatures(config)
    except MissingSecret:
        signatures = ()
    from_domain = config.site.from_address.rpartition("@")[2]
    envelope = (config.bounces.address or config.site.from_address).rpartition("@")[2]
    return records.Sender(from_domain, envelope, signatures, relay.host)


async def _within(seconds: float, work: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return None


async def _aside(work: Callable[[], T]) -> T:
    """Do what may block in a thread for which nobody waits at the end, as one would for those of asyncio."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        result = work()
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, daemon=True).start()
    return await done


def _nothing() -> Coroutine[Any, Any, None]:
    return asyncio.sleep(0)


def _some(finding: Finding | None) -> tuple[Finding, ...]:
    return (finding,) if finding else ()


def _local(base_url: str) -> bool:
    return (urlsplit(base_url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
