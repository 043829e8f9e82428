"""Why an article joined its story: the words it shares with the rest of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from digest.model import Article, Story
from digest.ranking.stories import kindred
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.stems import light_stem
from digest.ranking.stories.terms import beginning, read, title_words
from digest.ranking.stories.vectors import Vector, Weigher


@dataclass(frozen=True, slots=True)
class Shared:
    """A word as the article's headline has it, and its share in [0, 1] of what the article has in common with the rest."""

    word: str
    share: float


def reasons(story: Story, rarity: Rarity) -> list[tuple[Article, tuple[Shared, ...]]]:
    """For each article but the lead, the words of its headline that it shares with the rest of the story, strongest first.

    What it shares through its summary alone is in no word of the headline; then the shares add up to less than 1. An
    article that shares nothing has no words: it came through others, or by the same title.
    """
    weigher = Weigher(rarity)
    vectors = [weigher.vector(read(article)) for article in story.articles]
    total: dict[str, int] = defaultdict(int)
    for vector in vectors:
        for one, weight in _all(vector):
            total[one] += weight
    return [
        (article, _shared(article, vector, total))
        for article, vector in zip(story.articles[1:], vectors[1:], strict=True)
    ]


def _shared(article: Article, vector: Vector, total: Mapping[str, int]) -> tuple[Shared, ...]:
    parts = {one: weight * (total[one] - weight) for one, weight in _all(vector)}
    everything = sum(parts.values())
    if not everything:
        return ()
    written: dict[str, str] = {}
    points: dict[str, int] = defaultdict(int)
    for word in title_words(article):
        of_word = written.setdefault(word.term, word.written)
        for evidence in (word.term, beginning(word.term), f"#{word.written}", *_things(word.written)):
            points[of_word] += parts.pop(evidence, 0)
    found = [Shared(word, part / everything) for word, part in points.items() if part]
    return tuple(sorted(found, key=lambda shared: (-shared.share, shared.word)))


def _things(word: str) -> list[str]:
    stem = light_stem(word.lower())
    return [thing for thing, stems in kindred.SPEAKERS.items() if stem in stems]


def _all(vector: Vector) -> list[tuple[str, int]]:
    return [*vector.terms.items(), *vector.beginnings.items()]
