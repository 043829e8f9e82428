"""What ran does not run again, unless there is news of it.

A story of today is one that ran if the clusterer put it together with articles that an earlier edition told it by. It is
judged by what is new in it: nothing, and it is barred; something material, and it comes back as an update.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.config import Ranking
from digest.model import Article, Edition, Factor, History, Story, Told, Update
from digest.ranking.figures import figures
from digest.ranking.form import form

NAMED = 3
"""So many publishers are named in what is new; the others are counted."""
STRAY, STRAY_OF_TOLD = 0.2, 0.5
"""Articles that ran are stray in a story if they are less than the one share of it, and less than the other of what was
told: a few articles of another event, and not the event."""
MARKET_REPORT = "a market report"
"""The form of article that is about its own day, however much like yesterday's it is worded."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A story as it may run today: its new articles alone, where others of it ran. `told` says when, `update` what is new.

    With `told` and no `update` there is nothing new, and the story is whole.
    """

    story: Story
    told: Told | None = None
    update: Update | None = None

    @property
    def barred(self) -> str:
        """Why it may not run; empty where it may."""
        if self.told is None or self.update is not None:
            return ""
        return f"it ran on {self.told.date.isoformat()} as “{self.told.titles[0]}”, and there is no news of it"

    def factor(self, settings: Ranking) -> Factor | None:
        """What memory does to the score: an update must be worth coming back for."""
        if self.told is None:
            return None
        if self.update is None:
            return Factor("memory", 1.0, 0.0, 0.0, self.barred)
        because = f"an update of “{self.told.titles[0]}” of {self.told.date.isoformat()}: {self.update.news}"
        return Factor("memory", 1.0, -settings.update, -settings.update, because)


def told_by(edition: Edition) -> list[Told]:
    """The stories of an edition, as later ones remember them."""
    return [
        Told(
            first=item.update.first if item.update else edition.date,
            until=edition.window.end,
            titles=tuple(dict.fromkeys([item.title, *(reference.title for reference in item.also)])),
            publishers=(item.publisher, *(reference.publisher for reference in item.also)),
            article_ids=item.article_ids,
            date=edition.date,
        )
        for item in edition.items
    ]


class Recollection:
    """A digest's history, ready to be asked about one story after the other.

    Args:
        history: what was told.
        settings: what is news.
        vouch: whether two articles alone would be one story.
    """

    def __init__(self, history: History, settings: Ranking, vouch: Callable[[Article, Article], bool]) -> None:
        self._settings, self._vouch = settings, vouch
        self._by_article: dict[int, list[Told]] = {}
        for told in history.told:
            for article_id in told.article_ids:
                self._by_article.setdefault(article_id, []).append(told)

    def of(self, story: Story) -> Recalled:
        """What earlier editions make of a story.

        To call a story old where it is not hides news, so being put together with what was told is not enough: one of its
        new articles and one of the old must be alike by themselves, and the old be no few that went astray into it.
        """
        told = [one for article in story.articles for one in self._by_article.get(article.id, ())]
        if not told:
            return Recalled(story)
        before = _together(told)
        new = tuple(article for article in story.articles if article.id not in self._by_article)
        old = tuple(article for article in story.articles if article.id in self._by_article)
        if new and not self._is_the_same(new, old, len(story.articles), before):
            return Recalled(Story(new))
        later = [article for article in new if article.first_seen_at >= before.until]
        update = _update(later, old, before, self._settings)
        return Recalled(Story(new), before, update) if update else Recalled(story, before)

    def _is_the_same(self, new: Sequence[Article], old: Sequence[Article], size: int, before: Told) -> bool:
        if form(new[0]) == MARKET_REPORT:
            return False
        if len(old) < STRAY * size and len(old) < STRAY_OF_TOLD * len(before.article_ids):
            return False
        return any(self._vouch(one, other) for one in new for other in old)


def _together(told: Sequence[Told]) -> Told:
    """Everything that was told of one story, as if it had been told once, the latest first."""
    told = sorted(told, key=lambda one: one.date, reverse=True)
    return Told(
        date=max(one.date for one in told),
        first=min(one.first for one in told),
        until=max(one.until for one in told),
        titles=tuple(dict.fromkeys(title for one in told for title in one.titles)),
        publishers=tuple(dict.fromkeys(publisher for one in told for publisher in one.publishers)),
        article_ids=tuple(dict.fromkeys(article_id for one in told for article_id in one.article_ids)),
    )


def _update(new: Sequence[Article], old: Sequence[Article], before: Told, settings: Ranking) -> Update | None:
    """What is materially new; None where nothing is.

    That is an official source that had not spoken, a figure in the leading headline that no headline had, or as many
    publishers as `update_publishers` that had not covered it.
    """
    if not new:
        return None
    official = ""
    if not any(article.feed.official for article in old):
        official = next((article.publisher for article in new if article.feed.official), "")
    if official in before.publishers:
        official = ""
    known = {figure for title in (*before.titles, *(one.title for one in old)) for figure in figures(title)}
    figure = next((figure.shown for figure in figures(new[0].title) if figure not in known), "")
    joined = [name for name in dict.fromkeys(one.publisher for one in new) if name not in before.publishers]
    publishers = tuple(joined) if len(joined) >= settings.update_publishers else ()
    parts = []
    if official:
        parts.append(f"a statement by {official}")
    if figure:
        parts.append(f"a new figure, {figure}")
    if publishers:
        parts.append(f"now also covered by {_listed(publishers)}")
    return Update(before.first, "; ".join(parts), official, figure, publishers) if parts else None


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
