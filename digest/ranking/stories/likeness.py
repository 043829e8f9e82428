"""How alike two articles are, and which articles are alike at all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from digest.ranking.stories import kindred
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.terms import beginning
from digest.ranking.stories.vectors import LENGTH, Vector

WHOLE = LENGTH * LENGTH
"""The likeness of an article to itself. Likenesses are whole numbers, see `vectors`."""
ALONE = 20
"""What the strongest shared term counts, in percent: one word in common is a coincidence, two are an event."""
TOLD = 30
"""What likeness counts, in percent, between two articles with summaries: more words have more in common by chance."""
ELSEWHERE, OTHERS = 30, 60
"""What likeness counts, in percent, if the titles are about different countries, or if no name of the one is in the
other. The same indicator or decision in two countries is worded alike, and is two events."""
OTHER_MARKET, NO_MARKET = 20, 50
"""The same if the titles report on different markets, or if only one is a market report."""
RARE_SHARE, RARE_LEAST = 0.002, 100
"""Articles meet if they share a term that at most this share of all articles, or this number, have."""


ENOUGH, ENOUGH_TOLD = 4, 6
"""The points from which two articles are compared, and from which two with summaries are: for each rare word 4 if it weighs
much in both, 2 if it weighs something in both, 1 if in one."""
STRONG, HEAVY = 100, 200
"""What a word must weigh, of LENGTH, to weigh something and to weigh much: as one of 100, or 25, equal ones would."""


class _Holders(NamedTuple):
    """The articles that have a word, by what it weighs in them: much ones are among the strong too."""

    weak: list[int]
    strong: list[int]
    heavy: list[int]


def likeness(one: Vector, other: Vector, least: int = 0) -> int:
    """The product of two articles' vectors, less most of its largest part, and less if they are about different things.

    Symmetric, between 0 and WHOLE; 0 where it would be less than `least`.
    """
    mine, theirs = one.terms, other.terms
    shared = mine.keys() & theirs.keys()
    total = strongest = 0
    heaviest = ""
    for term in shared:
        if term[0] == "~" and not shared.isdisjoint(kindred.SPEAKERS[term]):
            continue
        part = mine[term] * theirs[term]
        total += part
        if part > strongest or (part == strongest and term < heaviest):
            strongest, heaviest = part, term
    mine, theirs = one.beginnings, other.beginnings
    shared = mine.keys() & theirs.keys()
    if shared:
        first = beginning(heaviest)
        elsewhere = 0
        for letters in shared:
            part = mine[letters] * theirs[letters]
            total += part
            if letters == first:
                strongest += part
            elif part > elsewhere:
                elsewhere = part
        strongest = max(strongest, elsewhere)
    product = total - strongest * (100 - ALONE) // 100
    if product < least:
        return 0
    alike = product * _percent(one, other) // 100
    return alike if alike >= least else 0


def _percent(one: Vector, other: Vector) -> int:
    percent = TOLD if one.told and other.told else 100
    if one.countries and other.countries and one.countries.isdisjoint(other.countries):
        percent = percent * ELSEWHERE // 100
    elif one.names and other.names and one.names.isdisjoint(other.names):
        percent = percent * OTHERS // 100
    if one.market != other.market:
        percent = percent * (OTHER_MARKET if one.market and other.market else NO_MARKET) // 100
    return percent


class Neighbours:
    """The pairs of articles that are alike, kept up to date as articles come and go.

    Articles are numbers. Two are compared if they share a rare word that weighs much in both, or several that weigh
    something: that keeps the work near linear, and strangers apart. Which pairs are kept depends on the two
    articles and the rarity alone.
    """

    def __init__(self, rarity: Rarity, least: int) -> None:
        self._least = least
        self._rarity = rarity
        self._most = max(RARE_LEAST, RARE_SHARE * rarity.articles)
        self._rare_words: dict[str, _RareWords] = {}
        self._vectors: dict[int, Vector] = {}
        self._holders: dict[str, dict[str, _Holders]] = defaultdict(dict)
        self._of: dict[int, dict[int, int]] = {}

    def of(self, article: int) -> dict[int, int]:
        """The articles that are like this one, with their likeness."""
        return self._of[article]

    def add(self, article: int, vector: Vector) -> None:
        """Compare an article with those that are here."""
        met: list[int] = []
        holders = self._holders[vector.language]
        for word, weight in self._rare(vector):
            known = holders.get(word)
            if known is None:
                known = holders[word] = _Holders([], [], [])
            weak, strong, heavy = known
            met += strong
            if weight < STRONG:
                weak.append(article)
                continue
            met += strong
            met += weak
            strong.append(article)
            if weight >= HEAVY:
                met += heavy
                met += heavy
                heavy.append(article)
        vectors = self._vectors
        if vector.told:
            candidates = [
                other
                for other, points in Counter(met).items()
                if points >= ENOUGH and (points >= ENOUGH_TOLD or not vectors[other].told)
            ]
        else:
            candidates = [other for other, points in Counter(met).items() if points >= ENOUGH]
        least = self._least
        found: dict[int, int] = {}
        for other in candidates:
            alike = likeness(vector, vectors[other], least)
            if alike:
                found[other] = self._of[other][article] = alike
        self._of[article] = found
        vectors[article] = vector

    def drop(self, article: int) -> None:
        """Forget an article."""
        vector = self._vectors.pop(article)
        holders = self._holders[vector.language]
        for word, weight in self._rare(vector):
            known = holders[word]
            (known.weak if weight < STRONG else known.strong).remove(article)
            if weight >= HEAVY:
                known.heavy.remove(article)
            if not known.weak and not known.strong:
                del holders[word]
        for other in self._of.pop(article):
            del self._of[other][article]

    def _rare(self, vector: Vector) -> Iterable[tuple[str, int]]:
        """The article's rare words, by their beginnings where they have one, and what they weigh."""
        rare_word = self._rare_words.get(vector.language)
        if rare_word is None:
            frequency = self._rarity.of_language(vector.language).frequency
            rare_word = self._rare_words[vector.language] = _RareWords(frequency, self._most)
        words: dict[str, int] = {}
        for term, weight in vector.terms.items():
            word = rare_word[term]
            if word and weight > words.get(word, 0):
                words[word] = weight
        return words.items()


class _RareWords(dict[str, str]):
    """The word through which a term lets articles meet: its beginning, where it has one; "" if it is not rare."""

    def __init__(self, frequency: Mapping[str, int], most: float) -> None:
        super().__init__()
        self._frequency = frequency
        self._most = most

    def __missing__(self, term: str) -> str:
        word = beginning(term) or term
        found = self[term] = word if self._frequency.get(word, 0) <= self._most else ""
        return found
