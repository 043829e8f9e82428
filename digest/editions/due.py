"""What the calendar asks for: editions whose time has come, and those for which it is too late."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from structlog.contextvars import bound_contextvars

from digest import clock
from digest.config import Config
from digest.editions.publish import Published, freeze, propose, publish
from digest.model import Digest, Edition, EditionState, Window
from digest.store import editions
from digest.store import engine as engines


def publish_due(config: Config, engine: Engine, now: datetime) -> list[Published]:
    """Publish what each digest's calendar asks for: its newest slot, unless that is `late_hours` ago or more.

    The slots before it, and one that is too late, become missed editions, so that every date is settled once. A digest
    that has no edition yet has nothing to catch up with: its first slot is published or passed over. An edition that editors
    review is proposed some time before its slot. The result holds what is stored now and was not before.
    """
    found: list[Published] = []
    for digest in config.digests:
        today = now.astimezone(ZoneInfo(digest.zone)).date()
        late = timedelta(hours=config.delivery.late_hours)
        with engines.read(engine) as connection:
            last = editions.last_date(connection, digest.slug, today)
            waiting = editions.waiting(connection, digest.slug)
        due = _settling(digest, last, now, late)
        for day, press, in_time in [*_forgotten(digest, waiting, due, now, late), *due]:
            with bound_contextvars(digest=digest.slug, date=day.isoformat()):
                if in_time:
                    published = publish(config, engine, digest, day, press, now)
                else:
                    published = _give_up(config, engine, digest, day, press, now)
            if published.created:
                found.append(published)
        if closing := clock.closing_slot(digest, now):
            with bound_contextvars(digest=digest.slug, date=closing[0].isoformat()):
                proposed = propose(config, engine, digest, *closing, now)
            if proposed.created:
                found.append(proposed)
    return found


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
    """The editions that wait and for which it is too late, and which the calendar asks for no more."""
    asked_for = {day for day, _, _ in due}
    left = [(day, clock.slot(day, digest.press, digest.zone) or end) for day, end in waiting if day not in asked_for]
    return [(day, press, False) for day, press in left if now - press >= late]


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
    return freeze(engine, missed, None, now)
