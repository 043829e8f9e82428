"""Subscribers and their subscriptions.

Addresses arrive here as `subscribers.consent.checked` leaves them, in plain ASCII. Two spellings that differ in case
only are one subscriber, which is mailed as first written.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from digest.model import WEEKDAYS, Deed, DeliveryState, Subscription, SubscriptionState
from digest.store import happenings
from digest.store.deliveries import takes_mail
from digest.store.tables import (
    address_changes,
    deliveries,
    delivery_events,
    editions,
    past_subscriptions,
    signup_requests,
    subscribers,
    subscription_changes,
    subscriptions,
    suppression_changes,
    suppressions,
)
from digest.store.upsert import insert_if_absent

_change = subscription_changes.c


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """Something that was done to a subscription."""

    deed: Deed
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An address that is to be subscribed, with its key, the topics it chose (none: all) and its language (empty: the site's)."""

    address: str
    address_key: str
    topics: tuple[str, ...] = ()
    language: str = ""


def add(
    connection: Connection,
    address: str,
    address_key: str,
    digest: str,
    topics: tuple[str, ...],
    consent: Mapping[str, Any],
    now: datetime,
    *,
    language: str = "",
) -> Subscription:
    """Subscribe an address, as its new consent says, and return the subscription.

    One that is active already is returned as it stands. One that ended begins anew, with these topics, this language and a higher
    version, so that preferences links from its earlier life are retired.
    """
    newcomer = Newcomer(address, address_key, topics, language)
    before = by_keys(connection, digest, [address_key]).get(address_key)
    add_all(connection, digest, [newcomer], consent, now)
    subscriber_id = _ids(connection, [newcomer])[address_key]
    mine = (subscriptions.c.subscriber_id == subscriber_id) & (subscriptions.c.digest == digest)
    revived = connection.execute(
        update(subscriptions)
        .where(mine, subscriptions.c.state != SubscriptionState.ACTIVE)
        .values(**_fresh(topics, language, now), ended_at=None, version=subscriptions.c.version + 1)
    )
    if revived.rowcount:
        connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(consent=dict(consent)))
    after = of_row(connection.execute(with_address().where(mine)).one())
    if before is None or revived.rowcount:
        note(connection, after.id, Deed.BEGAN, {**consent, "topics": list(after.topics)}, now)
    return after


def ask(
    connection: Connection,
    address: str,
    address_key: str,
    digest: str,
    topics: tuple[str, ...],
    evidence: Mapping[str, Any],
    now: datetime,
    *,
    language: str = "",
) -> Subscription:
    """Note that somebody asked for an address to be subscribed, and return the subscription as it stands.

    A new one awaits its confirmation. One that has begun before stays as it is, ended or not, until it is confirmed: whoever asks
    may be a stranger.
    """
    newcomer = Newcomer(address, address_key, topics)
    insert_if_absent(
        connection,
        subscribers,
        [{"address": address, "address_key": address_key, "consent": dict(evidence), "created_at": now}],
    )
    subscriber_id = _ids(connection, [newcomer])[address_key]
    pending = {**_fresh(topics, language, now), "state": SubscriptionState.PENDING}
    insert_if_absent(
        connection, subscriptions, [{"subscriber_id": subscriber_id, "digest": digest, "version": 1, **pending}]
    )
    mine = (subscriptions.c.subscriber_id == subscriber_id) & (subscriptions.c.digest == digest)
    waiting = mine & (subscriptions.c.state == SubscriptionState.PENDING)
    connection.execute(update(subscriptions).where(waiting).values(**pending))
    found = of_row(connection.execute(with_address().where(mine)).one())
    note(connection, found.id, Deed.ASKED, {**evidence, "topics": _canonical(topics)}, now)
    return found


def confirm(
    connection: Connection,
    subscription_id: int,
    version: int,
    topics: tuple[str, ...],
    consent: Mapping[str, Any],
    now: datetime,
    *,
    language: str = "",
) -> Subscription | None:
    """Let a subscription begin, as its reader has confirmed, with these topics, in this language; None once its subscriber is erased.

    One that was active already keeps what its reader chose.
    """
    mine = subscriptions.c.id == subscription_id
    connection.execute(
        update(subscriptions)
        .where(mine, subscriptions.c.state != SubscriptionState.ACTIVE)
        .values(**_fresh(topics, language, now), ended_at=None, version=version)
    )
    found = subscription(connection, subscription_id)
    if found is not None:
        holder = subscribers.c.id == found.subscriber_id
        connection.execute(update(subscribers).where(holder).values(consent=dict(consent)))
        note(connection, found.id, Deed.BEGAN, {**consent, "topics": list(found.topics)}, now)
    return found


def note(connection: Connection, subscription_id: int, deed: Deed, detail: Mapping[str, Any], now: datetime) -> None:
    """Write into a subscription's history what was done to it."""
    row = {"subscription_id": subscription_id, "deed": deed, "detail": dict(detail), "at": now}
    connection.execute(subscription_changes.insert().values(row))
    happenings.note_deed(connection, subscription_id, deed, now)


def history(connection: Connection, subscription_id: int) -> list[SubscriptionChange]:
    """What was ever done to a subscription, the oldest first. One that began with a list is told of from its first change on."""
    found = _changes().where(_change.subscription_id == subscription_id).order_by(_change.id)
    return [_as_change(row) for row in connection.execute(found)]


def last_asked(connection: Connection, subscription_id: int) -> SubscriptionChange | None:
    """The last time that somebody asked for the subscription; None where nobody did."""
    asked = (_change.subscription_id == subscription_id) & (_change.deed == Deed.ASKED)
    row = connection.execute(_changes().where(asked).order_by(_change.id.desc()).limit(1)).one_or_none()
    return None if row is None else _as_change(row)


def unconfirmed(connection: Connection, since: datetime, until: datetime, most: int) -> tuple[int, int]:
    """Of the last `most` times that somebody asked within a span: how many there are, and how many nobody confirmed."""
    later = subscription_changes.alias()
    began = (
        select(later.c.id)
        .where(later.c.subscription_id == _change.subscription_id, later.c.id > _change.id, later.c.deed == Deed.BEGAN)
        .exists()
    )
    last = (
        select(case((began, 0), else_=1).label("open"))
        .where(_change.deed == Deed.ASKED, _change.at >= since, _change.at <= until)
        .order_by(_change.at.desc())
        .limit(most)
        .subquery()
    )
    row = connection.execute(select(func.count(), func.coalesce(func.sum(last.c.open), 0)).select_from(last)).one()
    return row[0], row[1]


def forgotten(connection: Connection, before: datetime) -> bool:
    """Whether somebody asked before a moment and nobody has confirmed."""
    return connection.execute(select(subscriptions.c.id).where(_stale(before)).limit(1)).first() is not None


def forget(connection: Connection, before: datetime) -> int:
    """Drop what was asked for before a moment and never confirmed, and who has nothing else; how many subscriptions."""
    gone = connection.scalars(
        delete(subscriptions).where(_stale(before)).returning(subscriptions.c.subscriber_id)
    ).all()
    others = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscribers.c.id).exists()
    connection.execute(delete(subscribers).where(subscribers.c.id.in_(gone), ~others))
    return len(gone)


def add_all(
    connection: Connection, digest: str, newcomers: Collection[Newcomer], consent: Mapping[str, Any], now: datetime
) -> None:
    """Subscribe those who have no subscription to the digest, and leave everybody else as they are, ended ones too."""
    insert_if_absent(
        connection,
        subscribers,
        [
            {"address": one.address, "address_key": one.address_key, "consent": dict(consent), "created_at": now}
            for one in newcomers
        ],
    )
    ids = _ids(connection, newcomers)
    insert_if_absent(
        connection,
        subscriptions,
        [
            {
                "subscriber_id": ids[one.address_key],
                "digest": digest,
                "version": 1,
                **_fresh(one.topics, one.language, now),
            }
            for one in newcomers
        ],
    )


def subscription(connection: Connection, subscription_id: int) -> Subscription | None:
    """One subscription; None once its subscriber is erased."""
    row = connection.execute(with_address().where(subscriptions.c.id == subscription_id)).one_or_none()
    return None if row is None else of_row(row)


def by_address(connection: Connection, address: str) -> list[Subscription]:
    """Everything an address has subscribed to, ended or not, in the order of the digests' slugs."""
    found = with_address().where(_is(address)).order_by(subscriptions.c.digest)
    return [of_row(row) for row in connection.execute(found)]


def by_key(connection: Connection, address: str, address_key: str) -> list[Subscription]:
    """The same, found by the key or by this very spelling, however many addresses there are."""
    theirs = or_(subscribers.c.address_key == address_key, subscribers.c.address == address)
    found = with_address().where(theirs).order_by(subscriptions.c.digest)
    return [of_row(row) for row in connection.execute(found)]


def consent_of(connection: Connection, address: str) -> Mapping[str, Any] | None:
    """How and when an address agreed; None where it is nobody's."""
    found: Mapping[str, Any] | None = connection.scalar(select(subscribers.c.consent).where(_is(address)))
    return found


def by_keys(connection: Connection, digest: str, keys: Collection[str]) -> dict[str, Subscription]:
    """Those of the address keys that have a subscription to the digest, ended or not."""
    found = with_address().where(subscriptions.c.digest == digest, subscribers.c.address_key.in_(keys))
    return {row.address_key: of_row(row) for row in connection.execute(found)}


def listing(connection: Connection, digest: str | None = None) -> list[Subscription]:
    """Every subscription, or those to one digest, ended or not, in the order of their addresses."""
    return list(each(connection, digest))


def each(connection: Connection, digest: str | None = None) -> Iterator[Subscription]:
    """The same as `listing` one by one, for lists too long to hold. The connection is busy until the last one."""
    wanted = with_address().order_by(subscribers.c.address, subscriptions.c.digest)
    if digest is not None:
        wanted = wanted.where(subscriptions.c.digest == digest)
    for row in connection.execute(wanted.execution_options(yield_per=1000)):
        yield of_row(row)


def choices(connection: Connection, digest: str, day: date) -> tuple[tuple[str, ...], ...]:
    """The distinct topic choices of everyone who gets the digest's edition of that day."""
    wanted = select(subscriptions.c.topics).distinct().where(subscriptions.c.digest == digest, takes_mail(day))
    return tuple(sorted(tuple(topics) for topics in connection.scalars(wanted)))


def who_were_sent(connection: Connection, edition_id: int, today: date) -> list[Subscription]:
    """Those who were sent an edition, or may have been, and still take mail; in the order in which they subscribed.

    Who has left since, takes a pause on the local date `today`, or is suppressed does not.
    """
    sent = select(deliveries.c.subscription_id).where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.state.in_((DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.OFFERED)),
    )
    found = (
        with_address()
        .where(subscriptions.c.id.in_(sent), subscriptions.c.state == SubscriptionState.ACTIVE)
        .where(or_(subscriptions.c.paused_until.is_(None), subscriptions.c.paused_until <= today))
        .where(subscribers.c.address_key.not_in(select(suppressions.c.address_key)))
        .order_by(subscriptions.c.id)
    )
    return [of_row(row) for row in connection.execute(found)]


def end(connection: Connection, subscription_id: int, now: datetime) -> bool:
    """End a subscription; whether this call did. One that has ended keeps the time at which it did."""
    before = subscription(connection, subscription_id)
    ended = connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.state != SubscriptionState.ENDED)
        .values(state=SubscriptionState.ENDED, ended_at=now)
    )
    if before and ended.rowcount:
        note(connection, subscription_id, Deed.ENDED, {"was": before.state}, now)
    return ended.rowcount > 0


def resume(connection: Connection, subscription_id: int, now: datetime) -> bool:
    """Undo an end, with everything as it was; whether there was an end to undo.

    What was never confirmed awaits that again.
    """
    ends = (_change.subscription_id == subscription_id) & (_change.deed == Deed.ENDED)
    last = connection.execute(_changes().where(ends).order_by(_change.id.desc()).limit(1)).one_or_none()
    was = last.detail.get("was", SubscriptionState.ACTIVE) if last else SubscriptionState.ACTIVE
    resumed = connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.state == SubscriptionState.ENDED)
        .values(state=was, ended_at=None)
    )
    if resumed.rowcount:
        note(connection, subscription_id, Deed.RESUMED, {}, now)
    return resumed.rowcount > 0


def set_choice(connection: Connection, chosen: Subscription) -> None:
    """Keep what a reader chose: topics, days, hour, form, language and pause, as they stand in the subscription given."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == chosen.id)
        .values(
            topics=_canonical(chosen.topics),
            paused_until=chosen.paused_until,
            days=bits(chosen.days),
            text_only=chosen.text_only,
            hour=chosen.hour,
            zone=chosen.zone,
            language=chosen.language,
        )
    )


def forget_changes(connection: Connection, before: datetime, most: int) -> int:
    """Drop what readers chose, and that they took copies, before a moment; how much it was. The evidence of consent stays."""
    choices = select(_change.id).where(_forgettable(before)).limit(most)
    return connection.execute(delete(subscription_changes).where(_change.id.in_(choices))).rowcount


def changes_before(connection: Connection, before: datetime) -> int:
    """How much of that there is."""
    return connection.scalars(select(func.count()).select_from(subscription_changes).where(_forgettable(before))).one()


def _forgettable(before: datetime) -> ColumnElement[bool]:
    return and_(_change.deed.in_((Deed.CHOSE, Deed.EXPORTED)), _change.at < before)


def gone_since(connection: Connection, before: datetime, most: int | None = None) -> list[str]:
    """Addresses all of whose subscriptions ended before a moment."""
    staying = exists().where(
        subscriptions.c.subscriber_id == subscribers.c.id,
        or_(subscriptions.c.ended_at.is_(None), subscriptions.c.ended_at >= before),
    )
    ever = exists().where(subscriptions.c.subscriber_id == subscribers.c.id)
    return list(connection.scalars(select(subscribers.c.address).where(ever, ~staying).limit(most)))


def successor(connection: Connection, subscription_id: int) -> int | None:
    """The subscription that an erased one's reader has begun since, to the same digest; None where there is none."""
    return connection.scalar(
        select(subscriptions.c.id)
        .join_from(past_subscriptions, subscribers, subscribers.c.address_key == past_subscriptions.c.address_key)
        .join(subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)
        .where(past_subscriptions.c.id == subscription_id, subscriptions.c.digest == past_subscriptions.c.digest)
    )


def remove(connection: Connection, address: str, now: datetime) -> bool:
    """Erase a subscriber with all subscriptions; whether there was one.

    What relays replied goes too, since they like to quote the address. A suppression stays, without what was quoted in it;
    and so does what a link to leave must know for ever: that it was for this keyed hash.
    """
    theirs = deliveries.c.subscriber_id.in_(select(subscribers.c.id).where(_is(address)))
    told = delivery_events.c.delivery_id.in_(select(deliveries.c.id).where(theirs))
    connection.execute(update(delivery_events).where(told).values(detail=""))
    connection.execute(update(deliveries).where(theirs).values(last_reply=None))
    for subscriber_id in connection.scalars(select(subscribers.c.id).where(_is(address))).all():
        happenings.note_erased(connection, subscriber_id, now)
    keys = select(subscribers.c.address_key).where(_is(address))
    for table, key in (
        *((signup_requests, signup_requests.c.address_key), (address_changes, address_changes.c.new_key)),
        (address_changes, address_changes.c.old_key),
    ):
        connection.execute(delete(table).where(key.in_(keys)))
    for quoting in (suppressions.c.reason, suppression_changes.c.reason, editions.c.paused_because):
        _take_out(connection, quoting, address)
    named = (
        select(subscriptions.c.id, subscribers.c.address_key, subscriptions.c.digest)
        .join_from(subscriptions, subscribers, subscriptions.c.subscriber_id == subscribers.c.id)
        .where(_is(address))
    )
    connection.execute(insert(past_subscriptions).from_select(("id", "address_key", "digest"), named))
    return connection.execute(delete(subscribers).where(_is(address))).rowcount > 0


def _take_out(connection: Connection, quoting: Column[Any], address: str) -> None:
    """Take an address, in whatever case, out of sentences that quote it."""
    table, keys = quoting.table, tuple(quoting.table.primary_key)
    spelt = re.compile(re.escape(address), re.IGNORECASE)
    found = select(quoting, *keys).where(func.lower(quoting).contains(address.lower(), autoescape=True))
    for sentence, *key in connection.execute(found).all():
        this = and_(*(column == value for column, value in zip(keys, key, strict=True)))
        connection.execute(update(table).where(this).values({quoting: spelt.sub("…", sentence)}))


def _ids(connection: Connection, newcomers: Collection[Newcomer]) -> dict[str, int]:
    """Subscribers by the newcomers' keys. The address finds one whose key was made with a secret that is gone."""
    keys = {one.address: one.address_key for one in newcomers}
    found = select(subscribers.c.id, subscribers.c.address, subscribers.c.address_key).where(
        or_(subscribers.c.address_key.in_(keys.values()), subscribers.c.address.in_(keys))
    )
    return {keys.get(row.address, row.address_key): row.id for row in connection.execute(found)}


def _fresh(topics: tuple[str, ...], language: str, now: datetime) -> dict[str, Any]:
    """A subscription at its beginning."""
    usual = {"days": bits(WEEKDAYS), "text_only": False, "paused_until": None, "hour": None, "zone": ""}
    chosen = {"topics": _canonical(topics), "language": language}
    return {"state": SubscriptionState.ACTIVE, "since": now, **chosen, **usual}


def _canonical(topics: tuple[str, ...]) -> list[str]:
    """Equal choices are written alike, so that they share one cut."""
    return sorted(set(topics))


def bits(days: Collection[str]) -> int:
    """Days of the week as they are kept."""
    return sum(1 << place for place, day in enumerate(WEEKDAYS) if day in days)


def days_in(kept: int) -> tuple[str, ...]:
    """Days of the week as `bits` keeps them."""
    return tuple(day for place, day in enumerate(WEEKDAYS) if kept >> place & 1)


def _is(address: str) -> Any:
    return func.lower(subscribers.c.address) == address.lower()


def _stale(before: datetime) -> Any:
    # As the partial index says it, so that both databases see that it serves.
    return (subscriptions.c.state == literal_column("'pending'")) & (subscriptions.c.since < before)


def _changes() -> Select[Any]:
    return select(_change.deed, _change.at, _change.detail)


def _as_change(row: Row[Any]) -> SubscriptionChange:
    return SubscriptionChange(Deed(row.deed), row.at, row.detail)


def with_address() -> Select[Any]:
    """Every subscription with its address; `of_row` reads one."""
    return select(subscriptions, subscribers.c.address, subscribers.c.address_key).join_from(
        subscriptions, subscribers, subscriptions.c.subscriber_id == subscribers.c.id
    )


def of_row(row: Row[Any]) -> Subscription:
    """A subscription as `with_address` selects it."""
    return Subscription(
        id=row.id,
        subscriber_id=row.subscriber_id,
        address=row.address,
        digest=row.digest,
        state=SubscriptionState(row.state),
        topics=tuple(row.topics),
        paused_until=row.paused_until,
        version=row.version,
        since=row.since,
        ended_at=row.ended_at,
        days=days_in(row.days),
        text_only=row.text_only,
        hour=row.hour,
        zone=row.zone,
        language=row.language,
    )
