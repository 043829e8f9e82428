"""What readers change for themselves: leave, come back, choose topics, pause.

Each verb takes the subscription that a signed link named. An erased subscriber's links live on, so it may be gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from digest.config import Config
from digest.language import Language
from digest.links import address_key
from digest.model import Deed, Subscription, SubscriptionState, Topic
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions

UNDO = timedelta(days=30)
LONGEST_PAUSE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a save changed, for the page that says so. `everything`: the reader has gone over to all topics.

    `paused_until` is a pause that is new or has moved, `unpaused` says that one was lifted.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    everything: bool = False
    paused_until: date | None = None
    unpaused: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


def leave(engine: Engine, subscription_id: int, now: datetime) -> Subscription | None:
    """End the subscription at once; one that has ended stays as it is. None for an erased subscriber."""
    with engines.write(engine) as connection:
        store.end(connection, subscription_id, now)
        return store.subscription(connection, subscription_id)


def may_return(subscription: Subscription, now: datetime) -> bool:
    """Whether an end can still be undone by its link. Later it takes a new consent."""
    return (
        subscription.state is SubscriptionState.ENDED
        and subscription.ended_at is not None
        and now - subscription.ended_at <= UNDO
    )


def undo(config: Config, engine: Engine, subscription_id: int, now: datetime) -> Subscription | None:
    """Take back an end, with topics and pause as they were.

    Nothing happens where it is too late for that, or where the address has been suppressed since. The subscription as
    it now stands, or None for an erased subscriber.
    """
    with engines.write(engine) as connection:
        found = store.subscription(connection, subscription_id)
        if found is not None and may_return(found, now):
            key = address_key(found.address, config.signing_keys)
            if not suppressions.reasons(connection, [key]):
                store.resume(connection, subscription_id, now)
                return store.subscription(connection, subscription_id)
        return found


def choose(
    engine: Engine, subscription_id: int, topics: tuple[str, ...], paused_until: date | None, now: datetime
) -> Subscription | None:
    """Keep what a reader chose; `topics` none means all. The subscription as it now stands; None once erased."""
    with engines.write(engine) as connection:
        before = store.subscription(connection, subscription_id)
        store.set_choice(connection, subscription_id, topics, paused_until)
        after = store.subscription(connection, subscription_id)
        if after is not None and after != before:
            pause = after.paused_until.isoformat() if after.paused_until else None
            chosen = {"topics": list(after.topics), "paused_until": pause}
            store.note(connection, subscription_id, Deed.CHOSE, chosen, now)
        return after


def choice(ticked: Collection[str], offered: Collection[Topic]) -> tuple[str, ...]:
    """The topics to keep for these ticks: none, which means all, where every box is ticked."""
    chosen = tuple(topic.slug for topic in offered if topic.slug in ticked)
    return () if len(chosen) == len(offered) else chosen


def pause(until: str, today: date, language: Language) -> date | None:
    """The date on which mail shall come again, as a form sends it; None for an empty field or today.

    Raises:
        ValueError: it is no date, lies in the past, or more than a year ahead; the message is for the reader, in the
            language.
    """
    if not until.strip():
        return None
    try:
        day = date.fromisoformat(until.strip())
    except ValueError as error:
        raise ValueError(language.gettext("Please write the date as year-month-day, such as 2026-03-01.")) from error
    if day < today:
        raise ValueError(language.gettext("This date has passed. Please choose a later one, or leave the field empty."))
    if day - today > LONGEST_PAUSE:
        raise ValueError(
            language.gettext("A pause can last up to a year. Please choose an earlier date, or unsubscribe.")
        )
    return day if day > today else None


def paused(subscription: Subscription, today: date) -> date | None:
    """The first date on which mail comes again; None where there is no pause, or it is over."""
    until = subscription.paused_until
    return until if until is not None and until > today else None


def changes(before: Subscription, after: Subscription, offered: Collection[Topic], today: date) -> Changes:
    """The difference between two states of one subscription, in topics' slugs."""
    slugs = tuple(topic.slug for topic in offered)
    had, has = set(before.topics or slugs), set(after.topics or slugs)
    was, until = paused(before, today), paused(after, today)
    everything = bool(before.topics) and not after.topics
    return Changes(
        added=() if everything else tuple(slug for slug in slugs if slug in has - had),
        removed=tuple(slug for slug in slugs if slug in had - has),
        everything=everything,
        paused_until=until if until != was else None,
        unpaused=was is not None and until is None,
    )
