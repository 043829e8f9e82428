"""From a window's articles to its stories, best first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from digest.config import Ranking
from digest.model import Article, History, Override, Ranked, Receipt, Story, Topic
from digest.ranking import hand
from digest.ranking.cluster import formed
from digest.ranking.kinship import echo, kin
from digest.ranking.memory import Recollection
from digest.ranking.publishers import named
from digest.ranking.score import best_topic, score
from digest.ranking.topics import Matcher

_NOTHING = History()


def rank(
    articles: Sequence[Article],
    topics: Sequence[Topic],
    settings: Ranking,
    at: datetime,
    within: Collection[str] = (),
    *,
    history: History = _NOTHING,
    overrides: Sequence[Override] = (),
) -> list[Ranked]:
    """Form stories and put the one that matters most at the time `at` first.

    Args:
        articles: in any order; the result does not depend on it.
        topics: all that the editors weigh.
        settings: the points each factor can give.
        at: the moment ages are counted from, usually the end of the window.
        within: the slugs a story may be filed under and scored by; none means all topics.
        history: what earlier editions told. Its articles help to know a story again; they do not make one.
        overrides: the editor's hand, as far as it is in force.

    Returns:
        Every story that has an article of the window. Of equal scores the newer comes first, then the one stored earlier.
    """
    matcher = Matcher(topics)
    counted = [topic for topic in topics if not within or topic.slug in within]
    recollection = Recollection(history, settings)
    inside = {article.id for article in articles}
    known = [article for article in history.articles if article.id not in inside]
    state = formed(named([*articles, *known]), settings)
    stories = hand.regrouped(state.stories(), overrides)
    near = kin(stories, state.kinships())
    by_hand = hand.aimed(stories, overrides)
    ranked = []
    for place, whole in enumerate(stories):
        recalled = recollection.of(whole)
        story = Story(tuple(article for article in recalled.story.articles if article.id in inside))
        if not story.articles:
            continue
        reading = matcher.read(story)
        best = best_topic(reading, counted)
        receipt = score(story, reading, counted, settings, at)
        beside = (echo(near.get(place, ()), stories, settings), recalled.factor(settings))
        receipt = Receipt((*receipt.factors, *(factor for factor in beside if factor)))
        one = Ranked(
            story,
            receipt,
            best.slug if best else "",
            _rounded(reading.relevance),
            update=recalled.update,
            barred=recalled.barred,
            kin=tuple(stories[one.place].id for one in near.get(place, ())),
        )
        ranked.append(hand.applied(one, by_hand.get(place, ())))
    return sorted(ranked, key=best_first)


def article_topics(articles: Iterable[Article], topics: Sequence[Topic]) -> dict[int, dict[str, float]]:
    """Every topic's relevance to each single article, by the article's id."""
    matcher = Matcher(topics)
    return {article.id: _rounded(matcher.read(article).relevance) for article in articles}


def _rounded(relevance: Mapping[str, float]) -> dict[str, float]:
    return {slug: round(value, 4) for slug, value in relevance.items()}


def best_first(ranked: Ranked) -> tuple[float, float, int, str]:
    """What stories are sorted by: of equal scores the newer comes first, then the one stored earlier."""
    lead = ranked.story.lead
    return (-ranked.score, -lead.published_at.timestamp(), lead.id, lead.url)
