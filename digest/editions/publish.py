"""The verb that makes editions: draft one from what is stored, freeze it with its deliveries, catch up with the calendar.

`UNIQUE(digest, date)` decides which edition exists. Whoever comes second finds it there, so every function may be
called again, at any time, by anybody.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest import clock
from digest.config import Config
from digest.editions.compose import compose
from digest.model import Digest, Edition, EditionState, Window
from digest.ranking import memory, rank
from digest.store import articles, deliveries, editions, feeds, quotes, subscribers
from digest.store import engine as engines


@dataclass(frozen=True, slots=True)
class Published:
    """The edition of a date, whether this call created it, and for how many readers it queued it.

    An edition with `id` 0 is not stored: there was nothing to publish yet, and the date is still open.
    """

    edition: Edition
    created: bool
    queued: int


def draft(config: Config, connection: Connection, digest: Digest, day: date, press: datetime, now: datetime) -> Edition:
    """The edition of `day` as it would be published with what is stored. The same input gives the same edition.

    Args:
        config: for the ranking, the topics and the market series.
        connection: to read from.
        digest: whose edition.
        day: its local date.
        press: the end of its window.
        now: stated as its time of publication.
    """
    window = clock.window(press, config.ranking.hours)
    ran = editions.ran_article_ids(
        connection, digest.slug, since=day - timedelta(days=config.ranking.memory_days), before=day
    )
    ranked = rank.rank(
        articles.between(connection, window, digest.languages), config.topics, config.ranking, press, digest.topics
    )
    return compose(
        memory.unseen(ranked, ran),
        digest,
        day,
        window,
        config.ranking,
        config.topics,
        subscribers.choices(connection, digest.slug, day),
        quotes=quotes.latest(connection, [f"EUR/{currency}" for currency in config.market.currencies], day),
        coverage=feeds.coverage(connection, window),
        config_hash=config.editorial_hash(),
        now=now,
    )


def publish(config: Config, engine: Engine, digest: Digest, day: date, press: datetime, now: datetime) -> Published:
    """Freeze the edition of `day` together with a delivery for each of its readers, in one transaction.

    An edition that exists is returned as it is. One that would be empty is not stored, so that it can still be made
    when its articles arrive.
    """
    with engines.read(engine) as connection:
        existing = editions.by_date(connection, digest.slug, day)
        edition = existing or draft(config, connection, digest, day, press, now)
    if existing or not edition.items:
        return Published(edition, created=False, queued=0)
    return _freeze(engine, edition, now)


def publish_due(config: Config, engine: Engine, now: datetime) -> list[Published]:
    """Publish what each digest's calendar asks for: its newest slot, unless that is `late_hours` ago or more.

    The slots before it, and one that is too late, become missed editions, so that every date is settled once. A digest
    that has no edition yet has nothing to catch up with: its first slot is published or passed over. The result holds
    what is stored now and was not before.
    """
    found: list[Published] = []
    for digest in config.digests:
        today = now.astimezone(ZoneInfo(digest.zone)).date()
        with engines.read(engine) as connection:
            last = editions.last_date(connection, digest.slug, today)
        for day, press, in_time in _settling(digest, last, now, timedelta(hours=config.delivery.late_hours)):
            if in_time:
                published = publish(config, engine, digest, day, press, now)
            else:
                published = _freeze(engine, _missed(config, digest, day, press, now), now)
            if published.created:
                found.append(published)
    return found


def _settling(digest: Digest, last: date | None, now: datetime, late: timedelta) -> list[tuple[date, datetime, bool]]:
    """The open slots, each with whether it can still be published."""
    slots = clock.due_slots(digest, last, now)
    judged = [(day, press, (day, press) == slots[-1] and now - press < late) for day, press in slots]
    return [slot for slot in judged if slot[-1] or last is not None]


def _freeze(engine: Engine, edition: Edition, now: datetime) -> Published:
    with engines.write(engine) as connection:
        stored = editions.insert(connection, edition)
        if stored is not None:
            return Published(stored, created=True, queued=deliveries.freeze(connection, stored, now))
        existing = editions.by_date(connection, edition.digest, edition.date)
    assert existing is not None
    return Published(existing, created=False, queued=0)


def _missed(config: Config, digest: Digest, day: date, press: datetime, now: datetime) -> Edition:
    hours = (now - press) / timedelta(hours=1)
    return Edition(
        digest=digest.slug,
        title=digest.title,
        date=day,
        window=Window(press, press),
        items=(),
        config_hash=config.editorial_hash(),
        state=EditionState.MISSED,
        reason=f"Press time had passed {hours:.0f} hours before this edition could be made.",
        published_at=now,
    )
