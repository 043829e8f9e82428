"""Signing up: a visitor asks, we answer by mail, and whoever reads that mail confirms.

What a visitor sees never depends on whether we know the address, nor does how long it takes: `ask` does the same for every address,
and what is to be answered is found out later, by `answer`, when nobody waits for it.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Config, SignUp
from digest.links import address_key
from digest.model import Cause, Subscription, SubscriptionState, Suppression, Wish
from digest.store import engine as engines
from digest.store import letters, moves, signups, suppressions
from digest.store import subscribers as store
from digest.store.letters import Kind, LetterOrder
from digest.store.signups import Request, Traffic, Waiting
from digest.store.subscribers import SubscriptionChange
from digest.subscribers import moving

CONFIRMABLE = timedelta(days=7)
KEPT = timedelta(days=30)
"""How long requests are counted, and what was never confirmed is kept."""

AT_ONCE = 50
"""How many requests are answered in a transaction."""

ONE_IN, MOST_IN_KEPT = timedelta(days=1), 3
"""Of the letters that strangers can have sent to an address: one in a day, and so many in all the time that we look back."""


class Admission(Enum):
    """Whether a request is taken: or the visitor's network, or everybody together, has asked too often."""

    TAKEN = auto()
    NETWORK_BUSY = auto()
    ALL_BUSY = auto()


class Reply(Enum):
    """What a request is answered with."""

    NOTHING = auto()
    CONFIRMATION = auto()
    LINKS = auto()


class LinkState(Enum):
    """What the link of a confirmation is good for now."""

    OPEN = auto()
    CONFIRMED = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody agrees to who presses the button."""

    text: str

    @property
    def version(self) -> str:
        """The same for the same words."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def admission(traffic: Traffic, limits: SignUp) -> Admission:
    """Whether one more request is taken after so many."""
    if traffic.network >= limits.per_network:
        return Admission.NETWORK_BUSY
    if traffic.hour >= limits.per_hour or traffic.day >= limits.per_day:
        return Admission.ALL_BUSY
    return Admission.TAKEN


def reply(
    wish: Wish,
    known: Collection[Subscription],
    digest: str,
    suppression: Suppression | None,
    mailed: Sequence[datetime],
    now: datetime,
) -> Reply:
    """What a request is answered with.

    Args:
        wish: what was asked for.
        known: everything the address has subscribed to, ended or not.
        digest: the slug that a subscription was asked for.
        suppression: why the address must not be mailed. One whose mail came back may show that it works again by confirming.
        mailed: when letters went to the address because somebody had asked for the same.
        now: when it is answered.
    """
    if (suppression and suppression.cause is not Cause.BOUNCED) or _enough(mailed, now):
        return Reply.NOTHING
    active = {one.digest for one in known if one.state is SubscriptionState.ACTIVE}
    if wish is Wish.LINKS:
        return Reply.LINKS if active and not suppression else Reply.NOTHING
    return Reply.LINKS if digest in active and not suppression else Reply.CONFIRMATION


def _enough(mailed: Sequence[datetime], now: datetime) -> bool:
    return len(mailed) >= MOST_IN_KEPT or any(now - one < ONE_IN for one in mailed)


def version_to_confirm(subscription: Subscription) -> int:
    """The version that a confirmation makes: one that ended begins anew, which retires the links of its earlier life."""
    return subscription.version + (subscription.state is SubscriptionState.ENDED)


def link_state(
    found: Subscription | None,
    version: int,
    asked: SubscriptionChange | None,
    suppression: Suppression | None,
    now: datetime,
) -> LinkState:
    """What the link of a confirmation is good for.

    Args:
        found: the subscription it names, None once erased.
        version: which version of it.
        asked: the last time that somebody asked for it.
        suppression: why the address must not be mailed.
        now: when it is opened.
    """
    if found is None or (suppression and suppression.cause is not Cause.BOUNCED):
        return LinkState.CLOSED
    if found.state is SubscriptionState.ACTIVE and found.version == version and not suppression:
        return LinkState.CONFIRMED
    in_time = asked is not None and now - asked.at <= CONFIRMABLE
    # Who has left since then has changed their mind.
    left = asked is not None and found.ended_at is not None and found.ended_at >= asked.at
    return LinkState.OPEN if in_time and not left and version_to_confirm(found) == version else LinkState.CLOSED


def ask(config: Config, engine: Engine, request: Request, words: Words, now: datetime) -> Admission:
    """Take a visitor's request, unless there are too many; the same form is taken once."""
    with engines.write(engine) as connection:
        signups.take_turns(connection)
        verdict = admission(signups.traffic(connection, request.network, now), config.sign_up)
        if verdict is Admission.TAKEN:
            signups.keep_words(connection, words.version, words.text, now)
            signups.keep(connection, request, now)
        return verdict


def answer(config: Config, engine: Engine, now: datetime) -> int:
    """Have the letters written that visitors asked for, and drop what nobody has confirmed in time; how many letters."""
    with engines.read(engine) as connection:
        waiting = signups.waiting(connection, AT_ONCE)
        stale = any(one.forgotten(connection, now - KEPT) for one in (signups, store, moves))
    if not waiting and not stale:
        return 0
    with engines.write(engine) as connection:
        signups.take_turns(connection)
        for one in (signups, store, moves):
            one.forget(connection, now - KEPT)
        return sum(_answer(config, connection, one, now) for one in waiting)


def _answer(config: Config, connection: Connection, waiting: Waiting, now: datetime) -> bool:
    asked = waiting.request
    if asked.wish is Wish.MOVE:
        mailed = signups.mailed(connection, asked.address_key, asked.wish, now - KEPT)
        by_mail = moving.answer(config, connection, asked, now, enough=_enough(mailed, now))
        return signups.answer(connection, waiting.id, now, by_mail=by_mail) and by_mail
    chosen = (
        reply(
            asked.wish,
            store.by_key(connection, asked.address, asked.address_key),
            asked.digest,
            suppressions.by_key(connection, asked.address_key),
            signups.mailed(connection, asked.address_key, asked.wish, now - KEPT),
            now,
        )
        if any(one.slug == asked.digest for one in config.digests)
        else Reply.NOTHING
    )
    if not signups.answer(connection, waiting.id, now, by_mail=chosen is not Reply.NOTHING):
        return False
    match chosen:
        case Reply.CONFIRMATION:
            found = store.ask(
                connection,
                asked.address,
                asked.address_key,
                asked.digest,
                asked.topics,
                asked.evidence,
                now,
                language=asked.evidence.get("language", ""),
            )
            state = {"state": found.state}
            _order(connection, Kind.CONFIRMATION, f"confirmation:{found.id}:{waiting.id}", found, state, now)
        case Reply.LINKS:
            active = [
                one
                for one in store.by_key(connection, asked.address, asked.address_key)
                if one.state is SubscriptionState.ACTIVE
            ]
            theirs = {"subscriptions": [[one.digest, one.id, one.version] for one in active]}
            _order(connection, Kind.LINKS, f"links:{active[0].id}:{waiting.id}", active[0], theirs, now)
    return chosen is not Reply.NOTHING


@dataclass(frozen=True, slots=True)
class Opened:
    """A link of a confirmation: what it is good for, and the subscription it names, if there still is one."""

    state: LinkState
    subscription: Subscription | None = None


def opened(config: Config, engine: Engine, subscription_id: int, version: int, now: datetime) -> Opened:
    """Look at what the link of a confirmation is good for, and change nothing."""
    with engines.read(engine) as connection:
        return _opened(config, connection, subscription_id, version, now)


def confirm(
    config: Config, engine: Engine, subscription_id: int, version: int, evidence: Mapping[str, Any], now: datetime
) -> Opened:
    """Let a subscription begin, as whoever reads its mail wishes, and have a welcome written. Once confirmed it stays so.

    An address whose mail came back is mailed again: the confirmation has arrived.
    """
    with engines.write(engine) as connection:
        found = _opened(config, connection, subscription_id, version, now)
        asked = store.last_asked(connection, subscription_id)
        if found.state is not LinkState.OPEN or found.subscription is None or asked is None:
            return found
        key = address_key(found.subscription.address, config.signing_keys)
        suppressions.lift(connection, key, "Its reader has confirmed it anew.", now, author=suppressions.OURSELVES)
        consent = {**asked.detail, "asked_at": asked.at.isoformat(), **evidence, "at": now.isoformat()}
        topics, language = tuple(consent.pop("topics", ())), consent.pop("language", "")
        begun = store.confirm(connection, subscription_id, version, topics, consent, now, language=language)
        if begun is not None:
            at = {"at": now.isoformat()}
            _order(connection, Kind.WELCOME, f"welcome:{begun.id}:{version}", begun, at, now)
        return Opened(LinkState.CONFIRMED, begun)


def _opened(config: Config, connection: Connection, subscription_id: int, version: int, now: datetime) -> Opened:
    found = store.subscription(connection, subscription_id)
    suppression = None
    if found is not None:
        suppression = suppressions.by_key(connection, address_key(found.address, config.signing_keys))
    asked = store.last_asked(connection, subscription_id)
    return Opened(link_state(found, version, asked, suppression, now), found)


def _order(
    connection: Connection, kind: Kind, key: str, to: Subscription, parameters: Mapping[str, Any], now: datetime
) -> None:
    letters.order(connection, LetterOrder(key, kind, to.id, parameters), now)
