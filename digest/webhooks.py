"""The verb that tells other programs what has happened, by signed calls that are repeated for about a day until they are taken.

What happened is noted with the change itself, and is called by the same key each time: nothing is lost, and who is told twice, since we
ended between the call and its note, knows it by the key.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine

from digest.config import Config, Fetch, Webhook
from digest.feeds.cleaning import text
from digest.feeds.fetching.fetch import Fetcher, user_agent
from digest.feeds.outcomes import FetchFailed
from digest.model import Happening
from digest.store import deliveries, listings
from digest.store import engine as engines
from digest.store import webhooks as store
from digest.store.webhooks import Call
from digest.webhook_signing import headers

RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720)
"""How long after each try that failed the next one follows: about 22 hours in all."""
AT_ONCE = 100
"""How many calls a webhook is sent in a round."""
SECONDS = 10.0
LEASE = timedelta(minutes=2)
KEPT = timedelta(days=30)
"""How long it is known what was told."""
SENT_LOOKED_BACK = timedelta(days=4)
MOST_TEXT = 300
"""Characters of a reason that are sent; so no body has more than 4 kB."""
TO_ALLOW = "if the receiver is yours, set allow_private = true in its [[webhook]]"
GONE = 410
"""What a receiver answers that wants to hear no more."""


@dataclass(frozen=True, slots=True)
class Told:
    """How many calls were taken, were not and wait, and were given up; with a sentence on each webhook that did not take one."""

    told: int = 0
    put_off: int = 0
    given_up: int = 0
    problems: tuple[str, ...] = ()


def retry_at(attempt: int, now: datetime) -> datetime | None:
    """When a call is tried again after its `attempt`-th try (counted from 1) failed; None where it is given up."""
    return now + timedelta(minutes=RETRY_MINUTES[attempt - 1]) if attempt <= len(RETRY_MINUTES) else None


def body(call: Call, address: str | None) -> bytes:
    """What is sent: the words, the time and the numbers of what happened, and an address where there is one to tell."""
    about = {
        name: text.cut(value, MOST_TEXT) if isinstance(value, str) else value for name, value in call.about.items()
    }
    data = about | ({"address": address} if address else {})
    said = {"type": call.what.value, "timestamp": call.at.isoformat(), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


async def tell(config: Config, engine: Engine, clock: Callable[[], datetime]) -> Told:
    """Tell each webhook what it has not been told, in the order in which it happened, until one call of its is not taken."""
    now = clock()
    _spread(config, engine, now)
    rounds = await asyncio.gather(*(_tell(config, engine, one, clock) for one in config.webhooks))
    return Told(
        told=sum(one.told for one in rounds),
        put_off=sum(one.put_off for one in rounds),
        given_up=sum(one.given_up for one in rounds),
        problems=tuple(problem for one in rounds for problem in one.problems),
    )


async def test(config: Config, webhook: Webhook, now: datetime) -> int | FetchFailed:
    """Tell one webhook at once that this is a test, which nobody has to remember; what it answers."""
    key = f"{Happening.TEST}.{now.timestamp():.0f}"
    async with _caller(config, webhook) as caller:
        return await _post(caller, webhook, Call(0, webhook.name, key, Happening.TEST, {}, now, 0), None, now)


def took(answer: int | FetchFailed) -> bool:
    """Whether a receiver took what it was told."""
    return not isinstance(answer, FetchFailed) and 200 <= answer < 300  # noqa: PLR2004


def in_words(answer: int | FetchFailed) -> str:
    """What a receiver answered."""
    return answer.reason if isinstance(answer, FetchFailed) else f"the receiver answered {answer}"


def _spread(config: Config, engine: Engine, now: datetime) -> None:
    to_hear = [one.name for one in config.webhooks if one.wants(Happening.SENT)]
    with engines.read(engine) as connection:
        happened = store.waits(connection)
        sent = store.sent_untold(connection, to_hear, now - SENT_LOOKED_BACK) if to_hear else []
    if not happened and not sent:
        return
    with engines.write(engine) as connection:
        for edition, digest, day in sent:
            counts = {state.value: number for state, number in deliveries.counts(connection, edition).items()}
            about = {"edition": edition, "digest": digest, "date": day.isoformat(), "deliveries": counts}
            store.call(connection, to_hear, store.sent_key(edition), Happening.SENT, about, now)
        store.spread(connection, {one.name: one.wants for one in config.webhooks})
        store.forget(connection, now - KEPT)


async def _tell(config: Config, engine: Engine, webhook: Webhook, clock: Callable[[], datetime]) -> Told:
    said = Told()
    async with _caller(config, webhook) as caller:
        for _ in range(AT_ONCE):
            now = clock()
            with engines.read(engine) as connection:
                call = store.next_due(connection, webhook.name, now)
                address = _address(connection, webhook, call) if call else None
            if call is None:
                break
            with engines.write(engine) as connection:
                if not store.claim(connection, call, now, LEASE):
                    break
            answer = await _post(caller, webhook, call, address, now)
            said = _settled(engine, webhook, call, answer, clock(), said)
            if said.problems:
                break
    return said


async def _post(caller: Fetcher, webhook: Webhook, call: Call, address: str | None, now: datetime) -> int | FetchFailed:
    said = body(call, address)
    signed = {"Content-Type": "application/json", **headers(call.key, said, webhook.secrets, now)}
    return await caller.post(webhook.url, said, signed)


def _caller(config: Config, webhook: Webhook) -> Fetcher:
    """Calls as feeds are called, at the port that the address names; inside addresses only where that is allowed."""
    parts = urlsplit(webhook.url)
    limits = Fetch(
        allow_private=webhook.allow_private,
        ports=(parts.port or (443 if parts.scheme == "https" else 80),),
        proxy=config.fetch.proxy,
        concurrency=1,
        per_host=1,
        connect_seconds=SECONDS,
        total_seconds=SECONDS,
    )
    return Fetcher(limits, user_agent(config.site), accept="*/*", to_allow=TO_ALLOW)


def _address(connection: Connection, webhook: Webhook, call: Call) -> str | None:
    number = call.about.get("subscriber")
    return listings.address_of(connection, number) if webhook.addresses and number else None


def _settled(
    engine: Engine, webhook: Webhook, call: Call, answer: int | FetchFailed, now: datetime, said: Told
) -> Told:
    words = in_words(answer)
    again = None if answer == GONE else retry_at(call.attempt + 1, now)
    with engines.write(engine) as connection:
        if took(answer):
            store.told(connection, call.id, words, now)
            return replace(said, told=said.told + 1)
        if again:
            store.put_off(connection, call.id, words, again)
            problem = f"{webhook.name} did not take {call.what}: {words}. It is tried again at {again:%H:%M} UTC."
            return replace(said, put_off=said.put_off + 1, problems=(problem,))
        store.give_up(connection, call.id, words, now)
    problem = f"{webhook.name} did not take {call.what}: {words}. It is given up; `digest webhooks retry {webhook.name}` tries anew."
    return replace(said, given_up=said.given_up + 1, problems=(problem,))
