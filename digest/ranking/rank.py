"""From a window's articles to its stories, best first."""

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from digest.config import Ranking
from digest.model import Article, History, Override, Ranked, Receipt, Story, Topic
from digest.ranking import hand
from digest.ranking.memory import Recalled, Recollection
from digest.ranking.occasions import Occasion, calendar_factor
from digest.ranking.publishers import named
from digest.ranking.score import best_topic, score
from digest.ranking.stories import kinship
from digest.ranking.stories.cluster import formed
from digest.ranking.stories.stories import Stories
from digest.ranking.topics.matcher import Matcher, Reading

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
    occasions: Sequence[Occasion] = (),
    stories: Stories | None = None,
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
        occasions: what is due, or was, and raises the stories that it bears on.
        stories: what has been formed of the `material` of these articles and this history; None forms it from scratch.

    Returns:
        Every story that has an article of the window. Of equal scores the newer comes first, then the one stored earlier.
    """
    with _nothing_to_collect():
        knowledge = _known(
            formed(material(articles, history), settings) if stories is None else stories, settings, history, overrides
        )
        return _ranked(knowledge, articles, topics, settings, at, within, overrides, occasions)


def material(articles: Sequence[Article], history: History) -> list[Article]:
    """What stories are formed of: a window's articles and those that were told, each with its publisher's name."""
    inside = {article.id for article in articles}
    return named([*articles, *(article for article in history.articles if article.id not in inside)])


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Keep Python's cyclic collector from looking, over and over, through what is all still needed.

    Hundreds of thousands of small values are made here and none of them in a cycle; looking costs a fifth of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Known(NamedTuple):
    """The stories, what was told of each, and which are near which. What they were formed by takes much memory, and is gone."""

    stories: Sequence[Story]
    recalled: Sequence[Recalled]
    close: kinship.Near


def _known(state: Stories, settings: Ranking, history: History, overrides: Sequence[Override]) -> _Known:
    recollection = Recollection(history, settings, state.vouch)
    stories = hand.regrouped(state.stories(), overrides)
    recalled = [recollection.of(whole) for whole in stories]
    return _Known(stories, recalled, kinship.near(stories, state.kinships()))


def _ranked(
    known: _Known,
    articles: Sequence[Article],
    topics: Sequence[Topic],
    settings: Ranking,
    at: datetime,
    within: Collection[str],
    overrides: Sequence[Override],
    occasions: Sequence[Occasion],
) -> list[Ranked]:
    matcher = Matcher(topics)
    counted = [topic for topic in topics if not within or topic.slug in within]
    inside = {article.id for article in articles}
    by_hand = hand.aimed(known.stories, overrides)
    close = known.close
    computed: dict[int, Ranked] = {}
    for place, recalled in enumerate(known.recalled):
        present = tuple(article for article in recalled.story.articles if article.id in inside)
        if present:
            computed[place] = _computed(Story(present), recalled, matcher, counted, settings, at, occasions)
    ranked = []
    for place, one in computed.items():
        if place in close:
            heard = [factor] if (factor := kinship.echo(place, computed, close, settings)) else []
            receipt = Receipt((*one.receipt.factors, *heard))
            one = replace(one, receipt=receipt, kin=kinship.kin(place, computed, close))  # noqa: PLW2901
        ranked.append(hand.applied(one, by_hand.get(place, ())))
    return sorted(ranked, key=best_first)


def _computed(
    story: Story,
    recalled: Recalled,
    matcher: Matcher,
    topics: Sequence[Topic],
    settings: Ranking,
    at: datetime,
    occasions: Sequence[Occasion],
) -> Ranked:
    """A story with all that is computed of it alone."""
    matched = [(article.feed.topics, matcher.matches(article)) for article in story.articles]
    reading = matcher.weigh(matched)
    best = best_topic(reading, topics)
    if about := _about(reading, topics):
        speaks = (matcher.weigh([one]).relevance[about] > 0 for one in matched)
        story = _led_by(
            next((one for one, says in zip(story.articles, speaks, strict=True) if says), story.lead), story
        )
    receipt = score(story, reading, topics, settings, at)
    further = (calendar_factor(reading, topics, occasions, settings), recalled.factor(settings))
    receipt = Receipt((*receipt.factors, *(one for one in further if one)))
    return Ranked(
        story,
        receipt,
        best.slug if best else "",
        _rounded(reading.relevance),
        update=recalled.update,
        barred=recalled.barred,
    )


def _about(reading: Reading, topics: Sequence[Topic]) -> str:
    """The topic that most of a story speaks for, "" where none is. An article that does not shall not lead it.

    Weights do not matter here: a weight that changed the lead might cost a story points for the new one's form.
    """
    about = max((topic.slug for topic in topics if topic.weight), key=lambda one: reading.relevance[one], default="")
    return about if about and reading.relevance[about] else ""


def _led_by(lead: Article, story: Story) -> Story:
    if lead is story.lead:
        return story
    return Story((lead, *(article for article in story.articles if article is not lead)))


def article_topics(articles: Iterable[Article], topics: Sequence[Topic]) -> dict[int, dict[str, float]]:
    """Every topic's relevance to each single article, by the article's id."""
    matcher = Matcher(topics)
    return {article.id: _rounded(matcher.read(article).relevance) for article in articles}


def _rounded(relevance: Mapping[str, float]) -> dict[str, float]:
    return {slug: round(value, 4) if value else value for slug, value in relevance.items()}


def best_first(ranked: Ranked) -> tuple[float, float, int, str]:
    """What stories are sorted by: of equal scores the newer comes first, then the one stored earlier."""
    lead = ranked.story.lead
    return (-ranked.score, -lead.published_at.timestamp(), lead.id, lead.url)
