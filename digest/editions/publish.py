"""The verb that makes editions: gather what they are made of, freeze them with their deliveries, catch up with the calendar.

`UNIQUE(digest, date)` decides which edition exists. Whoever comes second finds it there, so every function may be
called again, at any time, by anybody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest import __version__, clock
from digest.config import Config
from digest.editions import market, policy
from digest.editions.pool import Pool, composed_of, edition_of, packed, unpacked
from digest.errors import EditionSettled, RecordUnreadable
from digest.model import Digest, Edition, EditionState, History, Override, OverrideKind, Policy, Window
from digest.ranking.memory import told_by
from digest.store import articles, deliveries, editions, feeds, overrides, quotes, records, subscribers
from digest.store import engine as engines


@dataclass(frozen=True, slots=True)
class Published:
    """The edition of a date, whether this call created it, and for how many readers it queued it.

    An edition with `id` 0 is not stored: there was nothing to publish yet, and the date is still open.
    """

    edition: Edition
    created: bool
    queued: int


@dataclass(frozen=True, slots=True)
class Decided:
    """An order as it was kept, and the edition that was held; None where it has yet to be made, and the order waits."""

    order: Override
    published: Published | None


def gather(config: Config, connection: Connection, digest: Digest, day: date, press: datetime, now: datetime) -> Pool:
    """All that the edition of `day` is made of, as it is stored now.

    Args:
        config: for what the editors have set, and the market series.
        connection: to read from.
        digest: whose edition.
        day: its local date.
        press: the end of its window.
        now: stated as its time of publication; overrides count if they are in force at it.
    """
    window = clock.window(press, config.ranking.hours)
    remembered = day - timedelta(days=config.ranking.memory_days)
    earlier = editions.frozen(connection, digest.slug, since=remembered, before=day)
    told = [one for edition in earlier for one in told_by(edition)]
    return Pool(
        rules=config.rules(digest),
        day=day,
        window=window,
        at=now,
        articles=tuple(articles.between(connection, window, digest.languages)),
        history=History(
            tuple(told), tuple(articles.by_ids(connection, {number for one in told for number in one.article_ids}))
        ),
        overrides=tuple(overrides.in_force(connection, digest.slug, now)),
        choices=subscribers.choices(connection, digest.slug, day),
        quotes=market.revised(market.quotes(market_standings(config, connection, day)), earlier),
        coverage=feeds.coverage(connection, window),
    )


def market_standings(config: Config, connection: Connection, day: date) -> tuple[market.Standing, ...]:
    """How the market series stand on a day, as they are stored now."""
    wanted = market.wanted(config.market)
    values = quotes.newest(connection, [one.series for one in wanted], day, market.LOOKED_AT)
    return market.standings(wanted, values, day)


def draft(config: Config, connection: Connection, digest: Digest, day: date, press: datetime, now: datetime) -> Edition:
    """The edition of `day` as it would be published with what is stored. The same input gives the same edition."""
    return edition_of(gather(config, connection, digest, day, press, now))


def publish(config: Config, engine: Engine, digest: Digest, day: date, press: datetime, now: datetime) -> Published:
    """Freeze the edition of `day` together with a delivery for each of its readers, in one transaction.

    An edition that exists is returned as it is, but for one that is held: once an editor approves it, it is published as it
    was held; once nothing holds it any more, it is made anew. One for which there is nothing to say is not stored, so that
    it can still be made when articles arrive.
    """
    with engines.read(engine) as connection:
        existing = editions.by_date(connection, digest.slug, day)
        if existing and existing.state is not EditionState.HELD:
            return Published(existing, created=False, queued=0)
        order = policy.order_for(day, overrides.in_force(connection, digest.slug, now))
        ordered = order.kind if order else None
        if existing and ordered is OverrideKind.HOLD:
            return Published(existing, created=False, queued=0)
        as_held = made_of(connection, existing, now) if existing and ordered is OverrideKind.APPROVE else None
        pool = as_held or gather(config, connection, digest, day, press, now)
    composed = composed_of(pool)
    edition = policy.judged(composed, pool.rules.digest, pool.overrides)
    if existing and edition.state is EditionState.HELD:
        return Published(existing, created=False, queued=0)
    if not composed.items and _is_open(edition, pool):
        return Published(edition, created=False, queued=0)
    return _freeze(engine, edition, pool, now)


def made_of(connection: Connection, existing: Edition, now: datetime) -> Pool | None:
    """What a stored edition was made of; None where that was not kept, or cannot be read any more.

    Of one that is held, as an approval would publish it: with what editors did while it was held, since it was held to be
    seen to, and without what they took back. What only ran out in the meantime still counts.
    """
    record = records.of(connection, existing.id)
    if record is None:
        return None
    try:
        pool = unpacked(record.body, record.whose)
    except RecordUnreadable:
        return None
    if existing.state is not EditionState.HELD:
        return pool
    return replace(pool, overrides=tuple(_still_meant(connection, existing.digest, pool, now)), at=now)


def _still_meant(connection: Connection, digest: str, pool: Pool, now: datetime) -> Iterator[Override]:
    in_force = overrides.in_force(connection, digest, now)
    for held in pool.overrides:
        kept = overrides.by_id(connection, held.id)
        taken_back = kept is not None and kept.until < held.until
        if not taken_back and all(held.id != other.id for other in in_force):
            yield held
    yield from in_force


def held(connection: Connection, existing: Edition, now: datetime) -> Edition:
    """A held edition as an approval would publish it."""
    if (pool := made_of(connection, existing, now)) is None:
        return existing
    return replace(edition_of(pool), id=existing.id, state=existing.state, reason=existing.reason)


def decide(config: Config, engine: Engine, digest: Digest, order: Override, now: datetime) -> Decided:
    """Keep what an editor orders for the edition of a date: to hold, approve or skip it. One that is held obeys at once.

    Raises:
        EditionSettled: it is published, missed or skipped, and the order is not kept.
    """
    assert order.day
    with engines.write(engine) as connection:
        existing = editions.by_date(connection, digest.slug, order.day)
        if existing and existing.state is not EditionState.HELD:
            raise EditionSettled(digest.slug, order.day, existing.state, existing.reason)
        kept = overrides.add(connection, order)
    published = publish(config, engine, digest, order.day, existing.window.end, now) if existing else None
    return Decided(kept, published)


def publish_due(config: Config, engine: Engine, now: datetime) -> list[Published]:
    """Publish what each digest's calendar asks for: its newest slot, unless that is `late_hours` ago or more.

    The slots before it, and one that is too late, become missed editions, so that every date is settled once. A digest
    that has no edition yet has nothing to catch up with: its first slot is published or passed over. The result holds
    what is stored now and was not before.
    """
    found: list[Published] = []
    for digest in config.digests:
        today = now.astimezone(ZoneInfo(digest.zone)).date()
        late = timedelta(hours=config.delivery.late_hours)
        with engines.read(engine) as connection:
            last = editions.last_date(connection, digest.slug, today)
            waiting = editions.held(connection, digest.slug)
        due = _settling(digest, last, now, late)
        for day, press, in_time in [*_forgotten(digest, waiting, due, now, late), *due]:
            if in_time:
                published = publish(config, engine, digest, day, press, now)
            else:
                published = _give_up(config, engine, digest, day, press, now)
            if published.created:
                found.append(published)
    return found


def _is_open(edition: Edition, pool: Pool) -> bool:
    """Whether an edition for which there is nothing to say yet may still come, nobody having decided otherwise."""
    if edition.state is not EditionState.SKIPPED:
        return False
    if order := policy.order_for(edition.date, pool.overrides):
        return order.kind is not OverrideKind.SKIP
    return pool.rules.digest.quiet is not Policy.SKIP or not pool.articles


def _settling(digest: Digest, last: date | None, now: datetime, late: timedelta) -> list[tuple[date, datetime, bool]]:
    """The open slots, each with whether it can still be published."""
    slots = clock.due_slots(digest, last, now)
    judged = [(day, press, (day, press) == slots[-1] and now - press < late) for day, press in slots]
    return [slot for slot in judged if slot[-1] or last is not None]


def _forgotten(
    digest: Digest,
    waiting: Sequence[tuple[date, datetime]],
    due: Sequence[tuple[date, datetime, bool]],
    now: datetime,
    late: timedelta,
) -> list[tuple[date, datetime, bool]]:
    """The held editions for which it is too late, and which the calendar asks for no more."""
    asked_for = {day for day, _, _ in due}
    left = [(day, clock.slot(day, digest.press, digest.zone) or end) for day, end in waiting if day not in asked_for]
    return [(day, press, False) for day, press in left if now - press >= late]


def _freeze(engine: Engine, edition: Edition, pool: Pool | None, now: datetime) -> Published:
    with engines.write(engine) as connection:
        # Making it took a while; what an editor ordered meanwhile was promised to count.
        if pool and (new := _since(connection, pool)):
            pool = replace(pool, overrides=(*pool.overrides, *new))
            edition = policy.judged(edition, pool.rules.digest, pool.overrides)
        editions.discard_held(connection, edition.digest, edition.date)
        stored = editions.insert(connection, edition)
        if stored is not None:
            if pool is not None:
                records.keep(connection, stored.id, __version__, packed(pool))
            return Published(stored, created=True, queued=deliveries.freeze(connection, stored, now))
        existing = editions.by_date(connection, edition.digest, edition.date)
    assert existing is not None
    return Published(existing, created=False, queued=0)


def _since(connection: Connection, pool: Pool) -> list[Override]:
    """What was ordered for the edition since its pool was read."""
    known = {override.id for override in pool.overrides}
    orders = overrides.orders(connection, pool.rules.digest.slug, pool.day, pool.at)
    return [order for order in orders if order.id not in known]


def _give_up(config: Config, engine: Engine, digest: Digest, day: date, press: datetime, now: datetime) -> Published:
    """Settle a date of which nothing can come any more, with the reason."""
    with engines.read(engine) as connection:
        existing = editions.by_date(connection, digest.slug, day)
    hours = (now - press) / timedelta(hours=1)
    missed = Edition(
        digest=digest.slug,
        title=digest.title,
        date=day,
        window=Window(press, press),
        items=(),
        config_hash=config.rules(digest).hash,
        state=EditionState.MISSED,
        reason=f"Nobody approved it in time. {existing.reason}".rstrip(".") + "."
        if existing
        else f"Press time had passed {hours:.0f} hours before this edition could be made.",
        published_at=now,
    )
    return _freeze(engine, missed, None, now)
