"""From a window's articles to its stories, best first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from digest.config import Ranking
from digest.model import Article, Ranked, Topic
from digest.ranking.cluster import cluster
from digest.ranking.score import best_topic, score
from digest.ranking.topics import Matcher


def rank(
    articles: Sequence[Article],
    topics: Sequence[Topic],
    settings: Ranking,
    at: datetime,
    within: Collection[str] = (),
) -> list[Ranked]:
    """Form stories and put the one that matters most at the time `at` first.

    Args:
        articles: in any order; the result does not depend on it.
        topics: all that the editors weigh.
        settings: the points each factor can give.
        at: the moment ages are counted from, usually the end of the window.
        within: the slugs a story may be filed under and scored by; none means all topics.

    Returns:
        Every story. Of equal scores the newer comes first, then the one stored earlier.
    """
    matcher = Matcher(topics)
    counted = [topic for topic in topics if not within or topic.slug in within]
    ranked = []
    for story in cluster(articles, settings):
        reading = matcher.read(story)
        best = best_topic(reading, counted)
        ranked.append(
            Ranked(
                story,
                score(story, reading, counted, settings, at),
                best.slug if best else "",
                _rounded(reading.relevance),
            )
        )
    return sorted(ranked, key=_best_first)


def article_topics(articles: Iterable[Article], topics: Sequence[Topic]) -> dict[int, dict[str, float]]:
    """Every topic's relevance to each single article, by the article's id."""
    matcher = Matcher(topics)
    return {article.id: _rounded(matcher.read(article).relevance) for article in articles}


def _rounded(relevance: Mapping[str, float]) -> dict[str, float]:
    return {slug: round(value, 4) for slug, value in relevance.items()}


def _best_first(ranked: Ranked) -> tuple[float, float, int, str]:
    lead = ranked.story.lead
    return (-ranked.score, -lead.published_at.timestamp(), lead.id, lead.url)
