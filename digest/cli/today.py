"""The day's stories as an editor sees them: with what earlier editions told, and with what editors did by hand."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digest import clock
from digest.cli.context import Home, local_day
from digest.editions.pool import Pool
from digest.editions.publish import gather
from digest.feeds.cleaning import urls
from digest.model import WAITING, Digest
from digest.store import articles as article_store
from digest.store import editions as edition_store

_ID = re.compile(r"s?(\d{1,18})")


def pool_at(home: Home, connection: Connection, digest: Digest, at: datetime, hours: float | None = None) -> Pool:
    """What the next edition after `at` would be made of if it went to press then; of a window of so many `hours`.

    Where the date's edition was made by then, that is the one of a later date, in which its stories have run.
    """
    day = local_day(digest, at)
    made = edition_store.by_date(connection, digest.slug, day)
    if made and made.state not in WAITING and made.published_at and made.published_at <= at:
        day += timedelta(days=1)
    ranking = home.config.ranking
    config = replace(home.config, ranking=replace(ranking, hours=hours or ranking.hours))
    return gather(config, connection, digest, clock.next_issue(digest, day), at, at)


def in_every_language(digest: Digest) -> Digest:
    """The digest as if it took articles of all languages."""
    return replace(digest, languages=())


def articles_named(connection: Connection, wanted: str) -> list[int]:
    """The ids of the articles that somebody means by a story's id or by an article's id or address."""
    if match := _ID.fullmatch(wanted):
        return [int(match[1])]
    written = urls.canonical(wanted, wanted)
    addresses = [wanted, written] if isinstance(written, str) else [wanted]
    return sorted({article.id for address in addresses for article in article_store.by_url(connection, address)})
