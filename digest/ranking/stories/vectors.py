"""A reading as a vector: each term weighed by rarity, by being a name, and by where it stands.

Weights are whole numbers, so that sums of their products do not depend on the order in which they are added up.
"""

import math
from collections import defaultdict
from dataclasses import dataclass

from digest.ranking.stories.rarity import Rarity, Statistics
from digest.ranking.stories.terms import Reading, beginning, is_plain

LENGTH = 1000
"""The length of every vector, nearly: the likeness of an article to itself is LENGTH squared."""
NAME = 1.0
"""How much more a word counts that is always written with a capital; a word never so written, or a place, counts 1."""
BEGINNING = 0.5
"""The weight of a word's first letters as a term of their own."""
INITIALS = 1.5
"""The weight of initials, be they written so or out in full."""
COUNTRY = 0.5
"""The weight of a country for which a word of the title stands: Europe for Brussels, Thailand for Bangkok."""
SUMMARY = 0.3
"""The weight of a word that stands only in the summary."""
MOST_TERMS = 21
"""An article is as good as its strongest terms."""
SURE = 0.6
"""How surely a word is a name that sets its title apart from those with other names."""


@dataclass(frozen=True, slots=True)
class Vector:
    """An article's terms with their weights, and whom its title is about.

    `beginnings` are the first letters of the title's words with theirs. `told` says that there is a summary; `key` is the
    same for same titles.
    """

    language: str
    key: str
    terms: dict[str, int]
    beginnings: dict[str, int]
    countries: frozenset[str]
    names: frozenset[str]
    market: str
    told: bool


class Weigher:
    """Makes vectors by what a rarity teaches, weighing each distinct term once. Not to be shared between threads."""

    def __init__(self, rarity: Rarity) -> None:
        self._rarity = rarity
        self._weights: dict[str, dict[str, tuple[float, str, float]]] = defaultdict(dict)

    def vector(self, reading: Reading) -> Vector:
        """The vector of a reading."""
        statistics = self._rarity.of_language(reading.language)
        terms, beginnings = self.weights(reading)
        if len(terms) > MOST_TERMS:
            terms = _strongest(terms)
        squares = math.fsum(weight * weight for those in (terms, beginnings) for weight in those.values())
        scale = LENGTH / (math.sqrt(squares) or 1.0)
        return Vector(
            reading.language,
            reading.key,
            {term: round(weight * scale) for term, weight in terms.items()},
            {term: round(weight * scale) for term, weight in beginnings.items()},
            reading.countries,
            reading.countries.union([term for term in reading.capitals if statistics.name(term) >= SURE]),
            reading.market,
            bool(reading.summary),
        )

    def weights(self, reading: Reading) -> tuple[dict[str, float], dict[str, float]]:
        """Every term and every beginning of a reading with its weight, before the vector is brought to its length."""
        language = reading.language
        statistics = self._rarity.of_language(language)
        known = self._weights[language]
        terms: dict[str, float] = {}
        beginnings: dict[str, float] = {}
        for term in reading.title:
            weight, first, of_first = known.get(term) or self._weigh(term, language, statistics)
            terms[term] = weight
            if first and of_first > beginnings.get(first, 0.0):
                beginnings[first] = of_first
        for term in reading.summary:
            if term not in terms:
                terms[term] = SUMMARY * (known.get(term) or self._weigh(term, language, statistics))[0]
        for country in reading.countries:
            if country not in terms:
                terms[country] = COUNTRY * statistics.rarity(country, language)
        for thing in reading.things:
            terms[thing] = statistics.rarity(thing, language)
        for initials in statistics.acronyms.intersection(reading.initials):
            terms[initials] = INITIALS * statistics.rarity(initials, language)
        return terms, beginnings

    def _weigh(self, term: str, language: str, statistics: Statistics) -> tuple[float, str, float]:
        surely = 1.0 if is_plain(term) else 1 + NAME * statistics.name(term)
        first = beginning(term)
        found = self._weights[language][term] = (
            surely * statistics.rarity(term, language),
            first,
            BEGINNING * surely * statistics.rarity(first, language) if first else 0.0,
        )
        return found


def _strongest(terms: dict[str, float]) -> dict[str, float]:
    """The MOST_TERMS strongest; of equally strong ones the first by name."""
    least = sorted(terms.values(), reverse=True)[MOST_TERMS - 1]
    kept = {term: weight for term, weight in terms.items() if weight >= least}
    if len(kept) > MOST_TERMS:
        weakest = sorted((term for term, weight in kept.items() if weight == least), reverse=True)
        for term in weakest[: len(kept) - MOST_TERMS]:
            del kept[term]
    return kept
