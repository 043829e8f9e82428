"""What the API changes, by the verbs that the pages and the commands use: the same history, reasons and refusals."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from msgspec import UNSET

from digest.editions import order
from digest.errors import TooLate
from digest.feeds.cleaning import text
from digest.links import address_key, visitor_key
from digest.model import Cause, Digest, OverrideKind, Subscription, SubscriptionState, Wish
from digest.store import engine as engines
from digest.store import listings, signups, subscribers, suppressions
from digest.subscribers import consent, preferences, roles, signup
from digest.subscribers.signup import Admission, Words
from digest.web.api import shapes
from digest.web.api.problems import Refusal
from digest.web.api.reads import digest_of, given, known_by, told, told_all
from digest.web.pages import Pages

log = structlog.get_logger(__name__)

OUT_OF_OUR_SIGHT = "The reader asked elsewhere, and whoever runs this service passed it on."
"""Kept as the words that a reader agreed to, where the caller says nothing of them."""


def subscribe(pages: Pages, asked: shapes.Subscribe) -> shapes.Subscribed:
    """Have a reader asked by mail whether it wants a digest, or let it begin at once where the caller vouches for it."""
    config, now, digest = pages.config, pages.clock(), digest_of(pages, asked.digest)
    known = [topic.slug for topic in config.topics]
    if strange := [topic for topic in asked.topics if topic not in known]:
        raise Refusal(422, f"topics has {strange[0]!r}, which is none. There are: {', '.join(known)}.")
    if (language := preferences.language_of(asked.language, config.languages)) is None:
        raise Refusal(422, f"language is {asked.language!r}, which is none. There are: {', '.join(config.languages)}.")
    address = consent.acceptable(asked.address, config)
    if roles.is_role(address) and not config.sign_up.role_accounts:
        raise Refusal(
            422, "address is one that several people read; `role_accounts` below [sign_up] lets such ones in."
        )
    said, key = text.plain(asked.consent), address_key(address, config.signing_keys)
    with engines.read(pages.engine) as connection:
        mine = [one for one in subscribers.by_key(connection, address, key) if one.digest == digest.slug]
        suppression = suppressions.by_key(connection, key)
    # One whose mail came back may show by confirming that it works again.
    if suppression and not (asked.confirm and suppression.cause is Cause.BOUNCED):
        raise Refusal(
            409, f"address is suppressed: {suppression.reason} `digest suppressions remove` lets it in again."
        )
    if mine and mine[0].state is SubscriptionState.ACTIVE and suppression is None:
        return shapes.Subscribed(outcome="already", subscription=told(mine[0], shapes.Subscription))
    if asked.confirm:
        _ask(pages, address, key, digest, tuple(asked.topics), language, said, now)
        shown = told(mine[0], shapes.Subscription) if mine else None
        return shapes.Subscribed(outcome="asked", subscription=shown)
    return _begin(pages, address, digest, asked, language, said, mine, now)


def _ask(
    pages: Pages,
    address: str,
    key: str,
    digest: Digest,
    topics: tuple[str, ...],
    language: str,
    said: str,
    now: datetime,
) -> None:
    """Take the wish as the form does. Asked again on the same day it is the same wish, and nobody gets a second mail."""
    config = pages.config
    words = Words(said or OUT_OF_OUR_SIGHT)
    wanted = signups.Request(
        wish=Wish.SUBSCRIBE,
        address=address,
        address_key=key,
        form=hashlib.sha256(f"api:{digest.slug}:{now.date()}".encode()).hexdigest(),
        # The limit of a network is for visitors; the caller is known, and what everybody may ask together holds for it too.
        network=visitor_key(f"api:{key}", config.signing_keys),
        digest=digest.slug,
        topics=topics,
        evidence={"how": "api", "at": now.isoformat(), "words": words.version, "language": language},
    )
    if signup.ask(config, pages.engine, wanted, words, now) is not Admission.TAKEN:
        sentence = (
            "More are asked for their confirmation than [sign_up] allows in an hour or a day. Please try again later."
        )
        raise Refusal(429, sentence, {"Retry-After": "3600"})
    log.info("api", did="asked for a confirmation", digest=digest.slug)


def _begin(
    pages: Pages,
    address: str,
    digest: Digest,
    asked: shapes.Subscribe,
    language: str,
    said: str,
    mine: list[Subscription],
    now: datetime,
) -> shapes.Subscribed:
    if not said:
        raise Refusal(422, "consent is missing: without a confirmation, say in a sentence how the reader agreed.")
    if mine and mine[0].state is SubscriptionState.ENDED and not asked.again:
        raise Refusal(409, f"The reader has left {digest.title}; `again` lets one begin who asked for it.")
    begun = consent.subscribe(
        pages.config,
        pages.engine,
        address,
        digest,
        tuple(asked.topics),
        now,
        how=f"operator, by the API: {said}",
        language=language,
    )
    log.info("api", did="subscribed", subscription=begun.subscription.id)
    shown = told(begun.subscription, shapes.Subscription)
    return shapes.Subscribed(outcome="began" if begun.created else "already", subscription=shown)


def unsubscribe(pages: Pages, asked: shapes.Unsubscribe) -> shapes.Unsubscribed:
    """End a reader's subscription to a digest, or all of them, as their own link would. Said again it changes nothing."""
    theirs = known_by(pages, asked.address).subscriptions
    meant = [one for one in theirs if asked.digest is UNSET or one.digest == asked.digest]
    if not meant:
        raise Refusal(404, "Nobody is subscribed to that digest with this address.")
    now = pages.clock()
    after = [preferences.leave(pages.engine, one.id, now) or one for one in meant]
    ended = [one.id for one in meant if one.state is not SubscriptionState.ENDED]
    if ended:
        log.info("api", did="unsubscribed", subscriptions=ended)
    return shapes.Unsubscribed(ended=len(ended), subscriptions=told_all(after))


def hold(pages: Pages, asked: shapes.Order) -> shapes.Ordered:
    """Keep an edition from being published until somebody approves it."""
    return _order(pages, OverrideKind.HOLD, asked)


def approve(pages: Pages, asked: shapes.Order) -> shapes.Ordered:
    """Publish an edition that is held, at once; or let one that is proposed go out at its press time."""
    return _order(pages, OverrideKind.APPROVE, asked)


def _order(pages: Pages, kind: OverrideKind, asked: shapes.Order) -> shapes.Ordered:
    digest, now = digest_of(pages, asked.digest), pages.clock()
    author, reason = text.plain(asked.author), text.plain(asked.reason)
    if not author or not reason:
        raise Refusal(422, f"{'reason' if author else 'author'} has no words that could be shown.")
    day = given(asked.date) or now.astimezone(ZoneInfo(digest.zone)).date()
    try:
        decided = order.give(pages.config, pages.engine, digest, kind, day, author=author, reason=reason, now=now)
    except TooLate as late:
        raise Refusal(409, f"It is too late for the edition of {day}; `date` names another.") from late
    published = decided.published
    log.info("api", did=kind.value, digest=digest.slug, date=day.isoformat())
    with engines.read(pages.engine) as connection:
        shown = listings.edition(connection, published.edition.id) if published else None
    return shapes.Ordered(
        order=decided.order.id,
        edition=told(shown, shapes.Edition) if shown else None,
        queued=published.queued if published else 0,
    )
