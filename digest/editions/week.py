"""The week of a daily digest, as its editions told it: which stories stayed, which grew, which mattered most. Pure.

Nothing is ranked anew: what a day's edition placed was weighed that day, with all the news of that day beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from digest.config import Rules
from digest.editions import wording
from digest.editions.compose import STRONG
from digest.model import Article, Edition, Factor, Item, Override, Ranked, Receipt, Story
from digest.ranking import hand
from digest.ranking.rank import best_first

SPAN = timedelta(days=7)
PERSISTENCE = 30.0
"""Points for each further day. A story of one day has some 30 to 70 points by the other two, so what ran on three days stands
before nearly all that ran on one, and of two stories with as many days the larger stands first."""
GROWTH = 30.0
GAINED_TO_HALVE = 6
"""So many publishers and reports that a story gained after it was first told bring half of the growth points still to be had."""
IMPORTANCE = 0.5
"""The share of its best day's points that a story keeps: a week later, that it stayed says more than that it was large once."""


@dataclass
class _Told:
    """A story of the week: the articles by which it is known again, and each day's telling, oldest first."""

    article_ids: set[int]
    tellings: list[tuple[date, Item]] = field(default_factory=list)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(sorted({day for day, _ in self.tellings}))


def ranked(
    week: Sequence[Edition], articles: Sequence[Article], rules: Rules, overrides: Sequence[Override]
) -> list[Ranked]:
    """The week's stories, the one that stayed longest, grew most and mattered most first.

    Args:
        week: the daily digest's editions.
        articles: those that they told stories by, in the words of now. What is no longer kept cannot be told again.
        rules: the weekly digest's.
        overrides: the editor's hand on it. What is merged or split is so in the daily editions.
    """
    known = {article.id: article for article in articles}
    computed = [one for told in _told(week) if (one := _ranked(told, known, rules))]
    by_hand = hand.aimed([one.story for one in computed], overrides)
    return sorted((hand.applied(one, by_hand.get(place, ())) for place, one in enumerate(computed)), key=best_first)


def _told(week: Sequence[Edition]) -> list[_Told]:
    """The items of all days as stories: two are the same if they share an article, or one is an update of the other."""
    stories: list[_Told] = []
    for edition in sorted(week, key=lambda one: one.date):
        for item in edition.items:
            ids = {*item.article_ids, *(item.update.told if item.update else ())}
            same = [story for story in stories if not story.article_ids.isdisjoint(ids)]
            whole = _Told(ids.union(*(story.article_ids for story in same)))
            whole.tellings = [*(one for story in same for one in story.tellings), (edition.date, item)]
            stories = [*(story for story in stories if story not in same), whole]
    return stories


def _ranked(told: _Told, known: Mapping[int, Article], rules: Rules) -> Ranked | None:
    tellings = sorted(told.tellings, key=lambda one: (one[0], -one[1].place))
    _, latest = tellings[-1]
    articles = tuple(dict.fromkeys(_newest_first(tellings, known)))
    if not articles:
        return None
    words = latest.title if latest.title != articles[0].title and latest.url == articles[0].url else ""
    return Ranked(
        Story(articles),
        _receipt(told.days, tellings, articles),
        _section(latest, rules),
        dict(latest.topics),
        title=words,
        ran=told.days,
    )


def _newest_first(tellings: Sequence[tuple[date, Item]], known: Mapping[int, Article]) -> Iterator[Article]:
    """The articles of a story, of each day first the one that was shown, the last day's before all others."""
    for _, item in reversed(tellings):
        those = [known[number] for number in item.article_ids if number in known]
        yield from sorted(those, key=lambda one: (one.url != item.url, -one.published_at.timestamp(), one.id))


def _section(latest: Item, rules: Rules) -> str:
    """The topic it was filed under last; in a digest limited to others, the one of these that it is most about, if any."""
    within = rules.digest.topics
    if not within or latest.section in within:
        return latest.section
    best = max(within, key=lambda topic: latest.topics.get(topic, 0.0))
    return best if latest.topics.get(best, 0.0) >= STRONG else ""


def _receipt(days: Sequence[date], tellings: Sequence[tuple[date, Item]], articles: Sequence[Article]) -> Receipt:
    day, best = max(tellings, key=lambda one: one[1].score)
    importance = Factor(
        "importance",
        best.score,
        IMPORTANCE,
        IMPORTANCE * best.score,
        f"it had {best.score:.1f} points on {day:%A}{', its best day' if len(days) > 1 else ''}",
    )
    return Receipt((_persistence(days), *_growth(tellings, articles), importance))


def _persistence(days: Sequence[date]) -> Factor:
    named = [f"{day:%A}" for day in days]
    when = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    further = len(days) - 1
    because = f"it ran on {wording.counted(len(days), 'day', 'days')}: {when}" if further else f"it ran on {when} alone"
    return Factor("persistence", float(len(days)), PERSISTENCE, PERSISTENCE * further, because)


def _growth(tellings: Sequence[tuple[date, Item]], articles: Sequence[Article]) -> list[Factor]:
    """What came to a story after the first day it was told."""
    first = tellings[0][0]
    begun = {number for day, item in tellings if day == first for number in item.article_ids}
    before = {article.publisher for article in articles if article.id in begun}
    joined = len({article.publisher for article in articles} - before)
    reports = sum(article.id not in begun for article in articles)
    if not reports:
        return []
    points = GROWTH * (1 - float(0.5 ** ((joined + reports) / GAINED_TO_HALVE)))
    gained = f"{wording.counted(joined, 'publisher', 'publishers')} and {wording.counted(reports, 'report', 'reports')}"
    return [Factor("growth", float(joined + reports), GROWTH, points, f"{gained} came to it after {first:%A}")]
