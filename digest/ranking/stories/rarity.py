"""How rare terms are, and how surely they are names: what a window of articles teaches about weighing words."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from digest.model import Article
from digest.ranking.stories import background, kindred
from digest.ranking.stories.terms import Reading, beginning, read

BACKGROUND = 8000
"""Articles are weighed as if among so many others whose common words are known: a few do not tell what is rare."""
UNSURE = 0.3
"""How surely a term is a name of which nothing is known."""
HINT = 0.3
"""What a capital counts that may only mark the start of a sentence or headline style, beside one inside a sentence."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the articles of one language teach.

    `frequency` is in how many of the `articles` a term is; `names` how surely a term is one, in [0, 1]; `acronyms` those
    that are used.
    """

    articles: int = 0
    frequency: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, float] = field(default_factory=dict)
    acronyms: frozenset[str] = frozenset()

    def rarity(self, term: str, language: str) -> float:
        """The inverse document frequency log(1 + N / n), both smoothed by what is common in English headlines."""
        count = float(self.frequency.get(term, 0))
        if language == "en":
            count += BACKGROUND * _COMMON.get(term, 0.0)
        return math.log(1 + (self.articles + BACKGROUND) / max(count, 1.0))

    def name(self, term: str) -> float:
        """How surely a term is a name."""
        return self.names.get(term, UNSURE)


@dataclass(frozen=True, slots=True)
class Rarity:
    """The statistics of a window of articles, by language. What it was not taught is rare and perhaps a name."""

    languages: Mapping[str, Statistics]

    @classmethod
    def of(cls, articles: Iterable[Article]) -> "Rarity":
        """What these articles teach, in whatever order."""
        return cls.of_readings(map(read, articles))

    @classmethod
    def of_readings(cls, readings: Iterable[Reading]) -> "Rarity":
        """The same for articles that have been read."""
        by_language: dict[str, list[Reading]] = defaultdict(list)
        for reading in readings:
            by_language[reading.language].append(reading)
        return cls({language: _statistics(those) for language, those in by_language.items()})

    @property
    def articles(self) -> int:
        """How many articles taught it."""
        return sum(one.articles for one in self.languages.values())

    def of_language(self, language: str) -> Statistics:
        """What was learned of a language, be it nothing."""
        return self.languages.get(language, _NOTHING)


_NOTHING = Statistics()


def _with_beginnings(shares: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float, shares)
    for stem, share in shares.items():
        if beginning(stem):
            total[beginning(stem)] += share
        things = kindred.THINGS.get((stem,))
        if things:
            total[things] += share
    return dict(total)


_COMMON = _with_beginnings(background.SHARES)


def _statistics(readings: list[Reading]) -> Statistics:
    acronyms = frozenset(acronym for reading in readings for acronym in reading.acronyms)
    # A counter takes everything in one go much faster than bit by bit.
    frequency = Counter(chain.from_iterable(_counted(reading, acronyms) for reading in readings))
    named, perhaps, small = _capitals(readings)
    names = {}
    for term in named.keys() | perhaps.keys() | small.keys():
        capital = named[term] + HINT * perhaps[term]
        names[term] = (capital + UNSURE) / (capital + small[term] + 1)
    return Statistics(len(readings), frequency, names, acronyms)


def _capitals(readings: list[Reading]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often terms are written as names, so that it may only seem so, and not so.

    At the start of a sentence, and in headline style, capitals are a hint at most, and none for a common word.
    """
    named: Counter[str] = Counter()
    perhaps: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for word, count in Counter(chain.from_iterable([reading.telling for reading in readings])).items():
        if word.opens:
            if word.hint:
                perhaps[word.term] += count
        elif word.term:
            (named if word.capital else small)[word.term] += count
    for word, count in Counter(chain.from_iterable([reading.styled for reading in readings])).items():
        if word.hint:
            perhaps[word.term] += count
    return named, perhaps, small


def _counted(reading: Reading, acronyms: frozenset[str]) -> set[str]:
    return {
        *reading.title,
        *reading.summary,
        *reading.countries,
        *map(beginning, reading.title),
        *reading.things,
        *acronyms.intersection(reading.initials),
    }
