"""How much a story matters, as a receipt whose factors add up to its score."""

from collections.abc import Sequence
from datetime import datetime

from digest.config import Ranking
from digest.model import Article, Factor, Receipt, Story, Topic
from digest.ranking.form import form
from digest.ranking.topics import Reading

PUBLISHERS_TO_HALVE = 3
"""So many further publishers bring half of the coverage points still to be had."""
NAMED = 4
"""More publishers than these are not all named in the receipt."""
HOURS_TOLD = 48
"""Up to this age a story's hours are told, from there its days."""


def score(story: Story, reading: Reading, topics: Sequence[Topic], settings: Ranking, at: datetime) -> Receipt:
    """Add up why the story matters at the time `at`.

    Its best topic of `topics` counts by relevance and weight; then its weightiest feed, the number of its publishers,
    and the age of its newest article. Two factors take points away: `focus` takes what the last three gave from a story
    that hardly speaks to any topic, so that coverage alone brings nothing in; `form` applies where even the
    lead is no report. Raising a topic's weight changes the topic's factor alone, and never lowers it.
    """
    topic = _topic(reading, topics, settings)
    merits = [_source(story, settings), _coverage(story, settings), _freshness(story, settings, at)]
    penalties = [_focus(reading, topics, settings, merits), _form(story.lead, settings)]
    return Receipt((topic, *merits, *(penalty for penalty in penalties if penalty)))


def best_topic(reading: Reading, topics: Sequence[Topic]) -> Topic | None:
    """The topic with the most relevance times weight; of equals the first. None where none speaks for the story."""
    best = max(topics, key=lambda topic: topic.weight * reading.relevance[topic.slug], default=None)
    return best if best and best.weight * reading.relevance[best.slug] > 0 else None


def _topic(reading: Reading, topics: Sequence[Topic], settings: Ranking) -> Factor:
    topic = best_topic(reading, topics)
    if topic is None:
        return Factor("topic", 0.0, settings.topic, 0.0, "no topic speaks for it")
    relevance = reading.relevance[topic.slug]
    weight = settings.topic * topic.weight
    found = ", ".join(f"“{word}”" for word in reading.words.get(topic.slug, ())[:3])
    return Factor("topic", relevance, weight, weight * relevance, f"{topic.title}: {found or 'what its feed is about'}")


def _source(story: Story, settings: Ranking) -> Factor:
    best = max(story.articles, key=lambda article: article.feed.weight)
    weight = best.feed.weight
    return Factor(
        "source", weight, settings.source, settings.source * weight, f"{best.publisher} has a weight of {weight:g}"
    )


def _coverage(story: Story, settings: Ranking) -> Factor:
    publishers = story.publishers
    count = len(publishers)
    points = settings.coverage * (1 - 0.5 ** ((count - 1) / PUBLISHERS_TO_HALVE))
    if count == 1:
        because = f"only {publishers[0]} covers it"
    elif count <= NAMED:
        because = f"{count} publishers cover it: {', '.join(publishers[:-1])} and {publishers[-1]}"
    else:
        because = f"{count} publishers cover it: {', '.join(publishers[: NAMED - 1])} and {count - NAMED + 1} more"
    return Factor("coverage", float(count), settings.coverage, points, because)


def _freshness(story: Story, settings: Ranking, at: datetime) -> Factor:
    newest = max(article.published_at for article in story.articles)
    hours = max(0.0, (at - newest).total_seconds() / 3600)
    points = settings.freshness * 0.5 ** (hours / settings.half_life)
    return Factor("freshness", round(hours, 2), settings.freshness, points, _age(hours))


def _age(hours: float) -> str:
    if hours < 1:
        return "less than an hour old"
    if hours < HOURS_TOLD:
        return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'} old"
    return f"{hours / 24:.0f} days old"


def _focus(reading: Reading, topics: Sequence[Topic], settings: Ranking, merits: Sequence[Factor]) -> Factor | None:
    relevance = max((reading.relevance[topic.slug] for topic in topics if topic.weight > 0), default=0.0)
    if relevance >= settings.focus:
        return None
    points = -sum(factor.points for factor in merits) * (1 - relevance / settings.focus)
    because = "little in it speaks for a topic" if relevance else "nothing in it speaks for a topic"
    return Factor("focus", relevance, settings.focus, points, because)


def _form(lead: Article, settings: Ranking) -> Factor | None:
    kind = form(lead)
    return Factor("form", 1.0, -settings.form, -settings.form, f"it is {kind}, not a report") if kind else None
