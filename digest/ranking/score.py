"""How much a story matters, as a receipt whose factors add up to its score."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.config import Ranking
from digest.model import Article, Factor, Receipt, Story, Topic
from digest.ranking.form import SHARES, form
from digest.ranking.topics.matcher import Reading

PUBLISHERS_TO_HALVE = 3
"""So many further publishers bring half of the coverage points still to be had."""
REPORTS_TO_HALVE = 4
"""So many reports beyond the first of each publisher bring half of the depth points still to be had."""
GROWING = timedelta(hours=6)
"""Publishers that joined a story so recently make it a growing one."""
STEADY = 2
"""Publishers added to those from before, so that the second of two is no momentum."""
NAMED = 4
"""More publishers than these are not all named in the receipt."""
HOURS_TOLD = 48
"""Up to this age a story's hours are told, from there its days."""


def score(story: Story, reading: Reading, topics: Sequence[Topic], settings: Ranking, at: datetime) -> Receipt:
    """Add up why the story matters at the time `at`.

    Its best topic of `topics` counts by relevance and weight. Its merits are its weightiest feed, the number of its
    publishers, how much they write about it, the age of its newest article and, where there is cause, that it is growing
    and that an official source is in it. Two factors take points away: `focus` takes the merits from a story that
    hardly speaks to any topic, so that coverage alone brings nothing in; `form` applies where even the lead is no
    report, by the share that is due to its form. A factor whose setting is 0 has no points, and no other factor but
    `focus` knows of it. Raising a topic's weight never lowers its stories.

    `docs/decisions/0012-what-a-score-is-made-of.md` says what was measured, and what was left out.
    """
    topic = _topic(reading, topics, settings)
    merits = [
        _source(story, settings),
        _coverage(story, settings),
        _depth(story, settings),
        _freshness(story, settings, at),
        *_where_due(_momentum(story, settings, at), _official(story, settings)),
    ]
    penalties = _where_due(_focus(reading, topics, settings, merits), _form(story.lead, settings))
    return Receipt((topic, *merits, *penalties))


def best_topic(reading: Reading, topics: Sequence[Topic]) -> Topic | None:
    """The topic with the most relevance times weight; of equals the first. None where none speaks for the story."""
    spoken_for = [topic for topic in topics if reading.relevance[topic.slug]]
    best = max(spoken_for, key=lambda topic: topic.weight * reading.relevance[topic.slug], default=None)
    return best if best and best.weight * reading.relevance[best.slug] > 0 else None


def _topic(reading: Reading, topics: Sequence[Topic], settings: Ranking) -> Factor:
    topic = best_topic(reading, topics)
    if topic is None:
        return Factor("topic", 0.0, settings.topic, 0.0, "no topic speaks for it")
    relevance = reading.relevance[topic.slug]
    weight = settings.topic * topic.weight
    found = ", ".join(f"“{word}”" for word in reading.words.get(topic.slug, ())[:3])
    return Factor("topic", relevance, weight, weight * relevance, f"{topic.title}: {found or 'what its feed is about'}")


def _where_due(*factors: Factor | None) -> list[Factor]:
    return [factor for factor in factors if factor]


def _source(story: Story, settings: Ranking) -> Factor:
    best = max(story.articles, key=lambda article: article.feed.weight)
    weight = best.feed.weight
    counts = "counts as others do" if weight == 1 else f"counts {weight:g} times as much as others"
    return Factor("source", weight, settings.source, settings.source * weight, f"{best.publisher} {counts}")


def _coverage(story: Story, settings: Ranking) -> Factor:
    publishers = _independent(story)
    count = len(publishers)
    points = settings.coverage * _saturating(count - 1, PUBLISHERS_TO_HALVE)
    if count == 1:
        because = f"only {publishers[0]} covers it"
    elif count <= NAMED:
        because = f"{count} publishers cover it: {', '.join(publishers[:-1])} and {publishers[-1]}"
    else:
        because = f"{count} publishers cover it: {', '.join(publishers[: NAMED - 1])} and {count - NAMED + 1} more"
    if copies := len(story.publishers) - count:
        because = f"{because}; {copies} more {'has' if copies == 1 else 'have'} the same headline as another"
    return Factor("coverage", float(count), settings.coverage, points, because)


def _independent(story: Story) -> tuple[str, ...]:
    """The publishers with words of their own, the lead's first: who only has a headline that another had is a copy.

    One agency's report in ten papers is one report. Of two with the same headline the one we saw first has it.
    """
    if len(story.publishers) == 1:
        return story.publishers
    whose: dict[str, str] = {}
    for article in sorted(story.articles, key=lambda one: (one.first_seen_at, one.published_at, one.id, one.publisher)):
        whose.setdefault(" ".join(article.title.casefold().split()), article.publisher)
    own = set(whose.values())
    return tuple(publisher for publisher in story.publishers if publisher in own)


def _depth(story: Story, settings: Ranking) -> Factor:
    """Who takes a story to be important writes more than once about it; the same headline again is no second report."""
    reports = {(article.publisher, article.title) for article in story.articles}
    further = len(reports) - len(story.publishers)
    points = settings.depth * _saturating(further, REPORTS_TO_HALVE)
    because = f"{len(reports)} reports in all, {further} beyond one each" if further else "one report each"
    return Factor("depth", float(further), settings.depth, points, because)


def _saturating(count: int, to_halve: int) -> float:
    return 1 - float(0.5 ** (count / to_halve))


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


def _momentum(story: Story, settings: Ranking, at: datetime) -> Factor | None:
    """The share of publishers that joined lately, among those that had been seen with the story before.

    A story that was not there when the growing began is new, which is freshness: all that a first poll brings is.
    """
    began = at - GROWING
    before = {article.publisher for article in story.articles if article.first_seen_at <= began}
    earlier = {article.publisher for article in story.articles if article.published_at <= began}
    joined = len(story.publishers) - len(earlier)
    if not before or not joined:
        return None
    share = joined / (joined + len(earlier) + STEADY)
    hours = GROWING // timedelta(hours=1)
    because = f"{joined} of its {len(story.publishers)} publishers joined in the last {hours} hours"
    return Factor("momentum", share, settings.momentum, settings.momentum * share, because)


def _official(story: Story, settings: Ranking) -> Factor | None:
    name = next((article.publisher for article in story.articles if article.feed.official), "")
    if not name:
        return None
    return Factor("official", 1.0, settings.official, settings.official, f"{name} speaks for itself in it")


def _focus(reading: Reading, topics: Sequence[Topic], settings: Ranking, merits: Sequence[Factor]) -> Factor | None:
    relevance = max([reading.relevance[topic.slug] for topic in topics if topic.weight > 0], default=0.0)
    if relevance >= settings.focus:
        return None
    points = -sum(factor.points for factor in merits) * (1 - relevance / settings.focus)
    because = "little in it speaks for a topic" if relevance else "nothing in it speaks for a topic"
    return Factor("focus", relevance, settings.focus, points, because)


def _form(lead: Article, settings: Ranking) -> Factor | None:
    kind = form(lead)
    if not kind:
        return None
    share = SHARES[kind]
    return Factor("form", share, -settings.form, -settings.form * share, f"it is {kind}, not a report")
