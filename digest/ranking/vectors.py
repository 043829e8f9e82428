"""A reading as a vector: each term weighed by rarity, by being a name, and by where it stands.

Weights are whole numbers, so that sums of their products do not depend on the order in which they are added up.
"""

import math
from dataclasses import dataclass

from digest.ranking.rarity import Rarity, Statistics
from digest.ranking.terms import Reading, beginning, is_plain

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
MOST_TERMS = 32
"""An article is as good as its strongest terms."""
SURE = 0.6
"""How surely a word is a name that sets its title apart from those with other names."""


@dataclass(frozen=True, slots=True)
class Vector:
    """An article's terms with their weights, and whom its title is about.

    `told` says that there is a summary; `key` is the same for same titles.
    """

    language: str
    key: str
    terms: dict[str, int]
    countries: frozenset[str]
    names: frozenset[str]
    market: str
    told: bool


class Weigher:
    """Makes vectors by what a rarity teaches, weighing each distinct term once. Not to be shared between threads."""

    def __init__(self, rarity: Rarity) -> None:
        self._rarity = rarity
        self._weights: dict[tuple[str, str], tuple[float, str, float]] = {}

    def vector(self, reading: Reading) -> Vector:
        """The vector of a reading."""
        language = reading.language
        statistics = self._rarity.of_language(language)
        return Vector(
            language,
            reading.key,
            _strongest(self.weights(reading)),
            reading.countries,
            reading.countries | {term for term in reading.capitals if statistics.name(term) >= SURE},
            reading.market,
            bool(reading.summary),
        )

    def weights(self, reading: Reading) -> dict[str, float]:
        """Every term of a reading with its weight, before the vector is brought to its length."""
        language = reading.language
        statistics = self._rarity.of_language(language)
        known = self._weights
        terms: dict[str, float] = {}
        for term in reading.title:
            found = known.get((language, term)) or self._weigh(term, language, statistics)
            terms[term] = found[0]
            if found[1]:
                terms[found[1]] = max(found[2], terms.get(found[1], 0.0))
        for term in reading.summary:
            if term not in terms:
                terms[term] = SUMMARY * (known.get((language, term)) or self._weigh(term, language, statistics))[0]
        for country in reading.countries:
            if country not in terms:
                terms[country] = COUNTRY * statistics.rarity(country, language)
        for thing in reading.things:
            terms[thing] = statistics.rarity(thing, language)
        for initials in reading.initials:
            if initials in statistics.acronyms:
                terms[initials] = INITIALS * statistics.rarity(initials, language)
        return terms

    def _weigh(self, term: str, language: str, statistics: Statistics) -> tuple[float, str, float]:
        surely = 1.0 if is_plain(term) else 1 + NAME * statistics.name(term)
        first = beginning(term)
        found = self._weights[language, term] = (
            surely * statistics.rarity(term, language),
            first,
            BEGINNING * surely * statistics.rarity(first, language) if first else 0.0,
        )
        return found


def _strongest(terms: dict[str, float]) -> dict[str, int]:
    if len(terms) > MOST_TERMS:
        terms = dict(sorted(terms.items(), key=_heaviest_first)[:MOST_TERMS])
    length = math.sqrt(math.fsum(weight * weight for weight in terms.values())) or 1.0
    scale = LENGTH / length
    return {term: round(weight * scale) for term, weight in terms.items()}


def _heaviest_first(weighed: tuple[str, float]) -> tuple[float, str]:
    return (-weighed[1], weighed[0])
