"""The day as it stands: the next edition of each digest, as it would go to press now, kept up to date poll by poll.

A poll brings some dozens of articles to thousands that are there, so stories are kept and only what an article touches
is formed anew. An edition that is published is never made from here: it is formed from scratch, so that what it was made
of is enough to make it again (`docs/decisions/0013-how-stories-are-formed.md`).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest import clock
from digest.config import Config, Ranking
from digest.editions.pool import Pool, edition_of, ranked_of
from digest.editions.publish import gather
from digest.errors import UnknownDigest
from digest.model import WAITING, Article, Digest, Edition, Ranked, Story
from digest.ranking.rank import material
from digest.ranking.stories.cluster import formed
from digest.store import editions
from digest.store import engine as engines

STALE = 0.1
"""Stories are formed from scratch once so many articles have come or gone, as a share of those that taught what is rare.

Replayed hour by hour, a real day's stories were at this share other than those formed from scratch in 1 of 80 cases; at
.2 in 1 of 30, at .05 in 1 of 130. Some 3,000 articles in 36 hours reach it every two hours, and then it takes a second.
"""


@dataclass(frozen=True, slots=True)
class Day:
    """A digest's day as it stood at `pool.at`: its stories, best first, and the edition that they would make.

    Since it was last looked at, `new` articles have come or been corrected, and `changed` stories are not as they were. `anew`
    where all of them were formed from scratch.
    """

    pool: Pool
    ranked: tuple[Ranked, ...]
    edition: Edition
    new: int
    changed: int
    anew: bool

    def as_dict(self) -> dict[str, Any]:
        """What the log says of it."""
        return {
            "digest": self.edition.digest,
            "date": self.edition.date.isoformat(),
            "stories": len(self.ranked),
            "changed": self.changed,
            "new": self.new,
            "anew": self.anew,
            "top": self.edition.items[0].title if self.edition.items else "",
        }


class Kept:
    """The stories of a window that moves on. Not to be shared between threads."""

    def __init__(self, articles: Sequence[Article], settings: Ranking) -> None:
        self.settings = settings
        self.stories = formed(articles, settings)
        self.taught = tuple(articles)
        self._here = {article.id: article for article in articles}

    def is_stale(self, articles: Sequence[Article]) -> bool:
        """Whether these are so many others than at the beginning that what is rare must be learned anew."""
        exchanged = {article.id for article in self.taught} ^ {article.id for article in articles}
        return len(exchanged) > STALE * len(self.taught)

    def new_among(self, articles: Sequence[Article]) -> list[Article]:
        """Those of the articles that are not here, or here in other words."""
        return [article for article in articles if self._here.get(article.id) != article]

    def follow(self, articles: Sequence[Article]) -> None:
        """Let go of what is not among these articles, and take in what is new."""
        here = {article.id: article for article in articles}
        new = self.new_among(articles)
        self.stories.drop(article for number, article in self._here.items() if number not in here)
        self.stories.add(new)
        self._here = here


class Standing:
    """The day of every digest as it stands. May be asked by several threads at once; they wait for each other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Kept, frozenset[Story]]] = {}
        self._days: dict[str, Day] = {}

    def last(self, slug: str) -> Day | None:
        """The day as it was when it was last looked at; None where it has not been. Never waits."""
        return self._days.get(slug)

    def look(self, config: Config, slug: str, now: datetime) -> Day:
        """The digest's day as it stands at `now`, with every article that is stored and what editors have done by hand.

        Raises:
            UnknownDigest: the configuration has none of that slug.
            DatabaseUnreachable: it does not answer.
        """
        digest = next((one for one in config.digests if one.slug == slug), None)
        if digest is None:
            raise UnknownDigest(slug, tuple(one.slug for one in config.digests))
        with self._lock:
            with engines.read(self._engine) as connection:
                pool = pool_at(config, connection, digest, now)
            day = self._days[slug] = self._stands(pool)
        return day

    def _stands(self, pool: Pool) -> Day:
        slug, settings = pool.rules.digest.slug, pool.rules.ranking
        articles = material(pool.articles, pool.history)
        # Taken out while it changes: what an error leaves half done must not be gone on with.
        kept, before = self._kept.pop(slug, (None, frozenset()))
        new = len(kept.new_among(articles) if kept else articles)
        anew = kept is None or kept.settings != settings or kept.is_stale(articles)
        if kept is None or anew:
            kept = Kept(articles, settings)
        else:
            kept.follow(articles)
        after = frozenset(kept.stories.stories())
        ranked = tuple(ranked_of(pool, kept.stories))
        self._kept[slug] = kept, after
        return Day(pool, ranked, edition_of(pool, ranked), new, len(after - before), anew)


def pool_at(config: Config, connection: Connection, digest: Digest, at: datetime, hours: float | None = None) -> Pool:
    """What the next edition after `at` would be made of if it went to press then; of a window of so many `hours`.

    Where the date's edition was made by then, that is the one of a later date, in which its stories have run.
    """
    day = at.astimezone(ZoneInfo(digest.zone)).date()
    made = editions.by_date(connection, digest.slug, day)
    if made and made.state not in WAITING and made.published_at and made.published_at <= at:
        day += timedelta(days=1)
    config = replace(config, ranking=replace(config.ranking, hours=hours or config.ranking.hours))
    return gather(config, connection, digest, clock.next_issue(digest, day), at, at)
