"""The verb that makes editions: gather what they are made of, propose them to the editors, freeze them with their deliveries.

`UNIQUE(digest, date)` decides which edition exists. Whoever comes second finds it there, so every function may be
called again, at any time, by anybody.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine

from digest import __version__, clock
from digest.config import Config
from digest.editions import calendars, market, policy, proof, week
from digest.editions.gates import Finding
from digest.editions.illustrate import illustrated
from digest.editions.pool import Pool, composed_of, edition_of, packed, ranked_of, unpacked
from digest.errors import EditionSettled, RecordUnreadable
from digest.model import (
    WAITING,
    Approval,
    Digest,
    Edition,
    EditionState,
    History,
    Override,
    OverrideKind,
    Policy,
    Window,
)
from digest.ranking.memory import told_by
from digest.store import (
    articles,
    deliveries,
    editions,
    feeds,
    happenings,
    overrides,
    pictures,
    quotes,
    records,
    subscribers,
)
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
    window = Window(press - week.SPAN, press) if digest.week_of else clock.window(press, config.ranking.hours)
    earlier = editions.frozen(
        connection, digest.slug, since=day - timedelta(days=config.ranking.memory_days), before=day
    )
    pool = Pool(
        rules=config.rules(digest),
        day=day,
        window=window,
        at=now,
        overrides=tuple(overrides.in_force(connection, digest.slug, now)),
        choices=subscribers.choices(connection, digest.slug, day),
        quotes=market.revised(market.quotes(market_standings(config, connection, day)), earlier),
        events=calendars.due(config, digest, day),
        coverage=feeds.coverage(connection, window),
    )
    return _with_the_week(connection, pool) if digest.week_of else _with_the_news(connection, pool, earlier)


def _with_the_news(connection: Connection, pool: Pool, earlier: Sequence[Edition]) -> Pool:
    """A daily edition is made of the window's articles, and of what earlier editions told."""
    told = [one for edition in earlier for one in told_by(edition)]
    known = articles.by_ids(connection, {number for one in told for number in one.article_ids})
    news = articles.between(connection, pool.window, pool.rules.digest.languages)
    return replace(pool, articles=tuple(news), history=History(tuple(told), tuple(known)))


def _with_the_week(connection: Connection, pool: Pool) -> Pool:
    """A weekly edition is made of the daily ones of the seven days before, and of their articles."""
    told = editions.frozen(connection, pool.rules.digest.week_of, since=pool.day - week.SPAN, before=pool.day)
    ids = {number for edition in told for item in edition.items for number in item.article_ids}
    return replace(pool, articles=tuple(articles.by_ids(connection, ids)), week=tuple(told))


def market_standings(config: Config, connection: Connection, day: date) -> tuple[market.Standing, ...]:
    """How the market series stand on a day, as they are stored now."""
    wanted = market.wanted(config.market)
    values = quotes.newest(connection, [one.series for one in wanted], day, market.LOOKED_AT)
    return market.standings(wanted, values, day)


def draft(config: Config, connection: Connection, digest: Digest, day: date, press: datetime, now: datetime) -> Edition:
    """The edition of `day` as it would be published with what is stored. The same input gives the same edition."""
    return edition_of(gather(config, connection, digest, day, press, now))


def propose(config: Config, engine: Engine, digest: Digest, day: date, press: datetime, now: datetime) -> Published:
    """Close the edition of `day` before its press time, so that editors see what will go out; nothing new comes in by itself.

    What editors do to it afterwards changes it, and it is proposed anew; so is one they held and hold no more. One that a check
    or a quiet or broken day holds is held at once. Nothing is stored of a day of which there is nothing to say yet, or that is to
    be skipped.
    """
    with engines.read(engine) as connection:
        existing = editions.by_date(connection, digest.slug, day)
        if existing and existing.state not in WAITING:
            return Published(existing, created=False, queued=0)
        pool = made_of(connection, existing, now) if existing else None
        if existing and pool and not _touched(connection, existing, pool):
            return Published(existing, created=False, queued=0)
        pool = pool or gather(config, connection, digest, day, press, now)
    pool, composed = _composed(config, engine, pool, now)
    # Whether it needs an approval is asked at press time.
    edition = _judged(config, engine, pool, composed, replace(pool.rules.digest, approval=Approval.UNLESS_HELD))
    if edition.state is EditionState.SKIPPED or not edition.items:
        return Published(existing or edition, created=False, queued=0)
    if edition.state is EditionState.FROZEN:
        edition = replace(edition, state=EditionState.PROPOSED)
    return freeze(engine, edition, pool, now)


def publish(config: Config, engine: Engine, digest: Digest, day: date, press: datetime, now: datetime) -> Published:
    """Freeze the edition of `day` together with a delivery for each of its readers, in one transaction.

    An edition that exists is returned as it is, but for one that waits. One that was proposed is published as it was proposed,
    with what editors have done to it since. One that is held is published as it was held once an editor approves it; once
    nothing holds it any more, it is made anew. One for which there is nothing to say is not stored, so that it can still be made
    when articles arrive.
    """
    with engines.read(engine) as connection:
        existing = editions.by_date(connection, digest.slug, day)
        if existing and existing.state not in WAITING:
            return Published(existing, created=False, queued=0)
        order = policy.order_for(day, overrides.in_force(connection, digest.slug, now))
        ordered = order.kind if order else None
        if existing and _stays_held(existing, digest, ordered):
            return Published(existing, created=False, queued=0)
        if existing and ordered is None and _nothing_new(config, connection, digest, existing, now):
            return Published(existing, created=False, queued=0)
        closed = existing and (existing.state is EditionState.PROPOSED or ordered is OverrideKind.APPROVE)
        as_closed = made_of(connection, existing, now) if existing and closed else None
        pool = as_closed or gather(config, connection, digest, day, press, now)
    # What is held is looked at every minute, and a publisher's server need not be.
    fetch = existing is None or existing.state is not EditionState.HELD or ordered is OverrideKind.APPROVE
    pool, composed = _composed(config, engine, pool, now, fetch=fetch)
    edition = _judged(config, engine, pool, composed, pool.rules.digest)
    if existing and existing.state is edition.state is EditionState.HELD:
        return Published(existing, created=False, queued=0)
    if not fetch and edition.state is EditionState.FROZEN:
        pool, composed = _composed(config, engine, pool, now)
        edition = _judged(config, engine, pool, composed, pool.rules.digest)
    if not composed.items and _is_open(edition, pool):
        return Published(edition, created=False, queued=0)
    return freeze(engine, edition, pool, now)


def _composed(config: Config, engine: Engine, pool: Pool, now: datetime, *, fetch: bool = True) -> tuple[Pool, Edition]:
    """What the edition is made of, with its picture, and the edition before anybody judges it."""
    ranked = ranked_of(pool)
    pool = illustrated(pool, config, engine, now, ranked=ranked, fetch=fetch)
    return pool, composed_of(pool, ranked)


def _judged(config: Config, engine: Engine, pool: Pool, composed: Edition, digest: Digest) -> Edition:
    """The edition with its state and reason: also held where a check says that it may not be sent, unless an editor approved it.

    Whoever approves an edition that a check holds has read why.
    """
    edition = policy.judged(composed, digest, pool.overrides)
    order = policy.order_for(pool.day, pool.overrides)
    if edition.state is not EditionState.FROZEN or (order and order.kind is OverrideKind.APPROVE):
        return edition
    found = findings(config, engine, edition, pool.choices)
    refused = [finding.sentence for finding in found if finding.refuses]
    return replace(edition, state=EditionState.HELD, reason=" ".join(refused)) if refused else edition


def findings(
    config: Config, engine: Engine, edition: Edition, choices: Collection[tuple[str, ...]]
) -> tuple[Finding, ...]:
    """What is wrong with the edition or one of its cuts, as they would be sent."""
    names = {item.picture.name for item in edition.items if item.picture}
    with engines.read(engine) as connection:
        kept = {name for name in names if pictures.body(connection, name) is not None}
    return proof.findings(config, edition, choices, kept)


def made_of(connection: Connection, existing: Edition, now: datetime) -> Pool | None:
    """What a stored edition was made of; None where that was not kept, or cannot be read any more.

    Of one that waits, as it would be published: with what editors have done to it since, for it waits to be seen to, and without
    what they took back. What only ran out in the meantime still counts.
    """
    record = records.of(connection, existing.id)
    if record is None:
        return None
    try:
        pool = unpacked(record.body, record.whose)
    except RecordUnreadable:
        return None
    if existing.state not in WAITING:
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


def as_it_stands(connection: Connection, existing: Edition, now: datetime) -> Edition:
    """An edition that waits as it would be published if it were approved now."""
    if (pool := made_of(connection, existing, now)) is None:
        return existing
    return replace(edition_of(pool), id=existing.id, state=existing.state, reason=existing.reason)


def decide(config: Config, engine: Engine, digest: Digest, order: Override, now: datetime) -> Decided:
    """Keep what an editor orders for the edition of a date: to hold, approve or skip it. One that waits obeys at once.

    One that is approved before its press time waits for that all the same.

    Raises:
        EditionSettled: it is published, missed or skipped, and the order is not kept.
    """
    assert order.day
    with engines.write(engine) as connection:
        existing = editions.by_date(connection, digest.slug, order.day)
        if existing and existing.state not in WAITING:
            raise EditionSettled(digest.slug, order.day, existing.state, existing.reason)
        kept = overrides.add(connection, order)
    if existing is None or (order.kind is OverrideKind.APPROVE and now < existing.window.end):
        return Decided(kept, None)
    return Decided(kept, publish(config, engine, digest, order.day, existing.window.end, now))


def _is_open(edition: Edition, pool: Pool) -> bool:
    """Whether an edition for which there is nothing to say yet may still come, nobody having decided otherwise."""
    if edition.state is not EditionState.SKIPPED:
        return False
    if order := policy.order_for(edition.date, pool.overrides):
        return order.kind is not OverrideKind.SKIP
    return pool.rules.digest.quiet is not Policy.SKIP or not pool.articles


def _stays_held(existing: Edition, digest: Digest, ordered: OverrideKind | None) -> bool:
    """Whether an edition is held that nothing but an editor's word can release."""
    if existing.state is not EditionState.HELD:
        return False
    return ordered is OverrideKind.HOLD or (ordered is None and digest.approval is Approval.ONLY_APPROVED)


def _nothing_new(config: Config, connection: Connection, digest: Digest, existing: Edition, now: datetime) -> bool:
    """Whether an edition is held by the kind of its day, and neither the news, the rules nor what editors did has changed.

    It need not be made again. One that a check holds is: what was wrong with a template or an address may be mended.
    """
    if existing.state is not EditionState.HELD or existing.config_hash != config.rules(digest).hash:
        return False
    if policy.judged(existing, digest, ()).state is not EditionState.HELD:
        return False
    if feeds.coverage(connection, existing.window) != existing.coverage:
        return False
    pool = made_of(connection, existing, now)
    return pool is not None and not _touched(connection, existing, pool)


def _touched(connection: Connection, existing: Edition, pool: Pool) -> bool:
    """Whether editors have done something since the edition was made of what its record holds; `pool` is as it is now."""
    record = records.of(connection, existing.id)
    return record is None or unpacked(record.body, record.whose).overrides != pool.overrides


def freeze(engine: Engine, edition: Edition, pool: Pool | None, now: datetime) -> Published:
    """Store an edition in its state, with what it was made of; with its deliveries if it is published.

    Whoever comes second finds the first one's. What waits gives way.
    """
    with engines.write(engine) as connection:
        # Making it took a while; what an editor ordered meanwhile was promised to count.
        if pool and (new := _since(connection, pool)):
            pool = replace(pool, overrides=(*pool.overrides, *new))
            judged = policy.judged(edition, pool.rules.digest, pool.overrides)
            waits = edition.state is EditionState.PROPOSED and judged.state is EditionState.FROZEN
            edition = edition if waits else judged
        editions.discard_waiting(connection, edition.digest, edition.date)
        stored = editions.insert(connection, edition)
        if stored is not None:
            if pool is not None:
                records.keep(connection, stored.id, __version__, packed(pool))
            happenings.note_edition(connection, stored, now)
            return Published(stored, created=True, queued=deliveries.freeze(connection, stored, now))
        existing = editions.by_date(connection, edition.digest, edition.date)
    assert existing is not None
    return Published(existing, created=False, queued=0)


def _since(connection: Connection, pool: Pool) -> list[Override]:
    """What was ordered for the edition since its pool was read."""
    known = {override.id for override in pool.overrides}
    orders = overrides.orders(connection, pool.rules.digest.slug, pool.day, pool.at)
    return [order for order in orders if order.id not in known]
