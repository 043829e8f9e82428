"""What an editor orders for the edition of a date, whether by a command, at the desk or by the API."""

from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from digest import clock
from digest.config import Config
from digest.editions.publish import Decided, decide
from digest.errors import TooLate
from digest.model import Digest, Override, OverrideKind


def give(
    config: Config,
    engine: Engine,
    digest: Digest,
    kind: OverrideKind,
    day: date,
    *,
    author: str,
    reason: str,
    now: datetime,
) -> Decided:
    """Hold, approve or skip the edition of a date, for as long as anything can become of it.

    Raises:
        TooLate: nothing can become of it any more.
        EditionSettled: it is published, missed or skipped, and the order is not kept.
    """
    until = clock.given_up(digest, day, timedelta(hours=config.delivery.late_hours))
    if until <= now:
        raise TooLate(day)
    return decide(config, engine, digest, Override(kind, digest.slug, author, reason, now, until, day=day), now)
