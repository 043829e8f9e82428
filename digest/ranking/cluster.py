"""Articles on the same event become one story.

Two items for one event are better than one item hiding another, so doubt keeps articles apart.
"""

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from digest.config import Ranking
from digest.model import Article, Story
from digest.ranking.form import form
from digest.ranking.text import COMMON, Word, Words, family

NAME = 1.0
"""How much more a word counts that is always written with a capital; a word never so written counts 1."""
PAIR = 0.7
"""The weight of two neighbouring words as one term."""
SUMMARY = 0.3
"""The weight of a word that stands only in the summary."""
SUMMARY_WORDS = 40
"""A summary speaks with its first words only; what follows is often another matter."""
FLATTENED = 0.8
"""The power of the inverse document frequency: below 1 the names of a day's big story keep their weight."""
SMALL = 200
"""Fewer articles than these are weighed as if they were so many, since rarity among a handful says nothing."""
RARE_SHARE, RARE_LEAST = 0.01, 100
"""Articles meet if they share a term that at most this share of all articles, or this number, have."""
TITLE_WORDS = 5
"""Two titles of at least so many words that are the same words are one story whatever else differs."""

_Vector = dict[str, float]

_WIRE_TAG = re.compile(
    r"^(?:(?:update|wrapup|wrap|rpt|refile|corrected|correction|exclusive|breaking|updated?)\s*\d{0,2}\s*[-:–—]\s*)+|\s*\(\d\)$",
    re.IGNORECASE,
)

_COUNTRIES = {
    "american": "america",
    "australian": "australia",
    "austrian": "austria",
    "brazilian": "brazil",
    "british": "uk",
    "britain": "uk",
    "canadian": "canada",
    "chinese": "china",
    "cuban": "cuba",
    "danish": "denmark",
    "dutch": "netherlands",
    "european": "europe",
    "finnish": "finland",
    "french": "france",
    "german": "germany",
    "greek": "greece",
    "hungarian": "hungary",
    "indian": "india",
    "indonesian": "indonesia",
    "iranian": "iran",
    "iraqi": "iraq",
    "irish": "ireland",
    "israeli": "israel",
    "italian": "italy",
    "japanese": "japan",
    "korean": "korea",
    "mexican": "mexico",
    "nigerian": "nigeria",
    "norwegian": "norway",
    "polish": "poland",
    "portuguese": "portugal",
    "russian": "russia",
    "saudi": "saudi",
    "scottish": "scotland",
    "spanish": "spain",
    "swedish": "sweden",
    "swiss": "switzerland",
    "taiwanese": "taiwan",
    "thai": "thailand",
    "turkish": "turkey",
    "ukrainian": "ukraine",
    "venezuelan": "venezuela",
    "vietnamese": "vietnam",
}


def cluster(articles: Sequence[Article], settings: Ranking) -> list[Story]:
    """Group articles into stories; every article is in exactly one, and their order does not matter.

    Articles are compared by the words of title and summary (TF-IDF; names and neighbouring words count more), and
    joined bottom-up while the cosine of two groups' centres is at least `settings.same_story`. Articles of different
    languages never meet; titles of five or more equal words always do. Raising `same_story` splits, which is the error
    to prefer; `bench/quality.py` prints precision and recall over labelled headlines for a range of it.

    Stories come in the order of their earliest article. The first article of each is its lead: a report rather than
    another form, from the weightiest feed, with a summary, the earliest.
    """
    languages: dict[str, list[Article]] = defaultdict(list)
    for article in sorted(articles, key=_canonical):
        languages[family(article.language)].append(article)
    words = Words()
    stories = [
        Story(tuple(sorted(group, key=_lead_first)))
        for language, those in languages.items()
        for group in _groups(those, words, language, settings.same_story)
    ]
    return sorted(stories, key=lambda story: min(_canonical(article) for article in story.articles))


def _canonical(article: Article) -> tuple[object, ...]:
    return (article.published_at, article.id, article.url, article.entry_id, article.title)


def _lead_first(article: Article) -> tuple[object, ...]:
    return (bool(form(article)), -article.feed.weight, not article.summary, *_canonical(article))


def _groups(articles: Sequence[Article], words: Words, language: str, same: float) -> list[list[Article]]:
    titles = [words.split(_WIRE_TAG.sub("", article.title.strip()), language) for article in articles]
    summaries = [words.split(article.summary[:1000], language)[:SUMMARY_WORDS] for article in articles]
    vectors = _vectors(titles, summaries)
    groups: dict[object, list[int]] = defaultdict(list)
    for index, title in enumerate(titles):
        groups[tuple(word.text.lower() for word in title) if len(title) >= TITLE_WORDS else index].append(index)
    members = list(groups.values())
    merged = _Agglomeration([_total(vectors[index] for index in group) for group in members], same).run()
    return [[articles[index] for node in nodes for index in members[node]] for nodes in merged]


def _vectors(titles: Sequence[list[Word]], summaries: Sequence[list[Word]]) -> list[_Vector]:
    names = _names([*titles, *summaries])
    weighted = [_terms(title, summary, names) for title, summary in zip(titles, summaries, strict=True)]
    frequency = Counter(term for terms in weighted for term in terms)
    total = max(len(weighted), SMALL)
    rarity = {term: math.log(1 + total / count) ** FLATTENED for term, count in frequency.items()}
    return [_unit({term: weight * rarity[term] for term, weight in terms.items()}) for terms in weighted]


def _names(texts: Iterable[list[Word]]) -> dict[str, float]:
    """How surely each term is a name: the share of its uses, inside sentences, that have a capital.

    Texts whose words mostly have capitals (headline style, all capitals) say nothing about it and are left out.
    """
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        telling = [word for word in text[1:] if word.text.lower() not in COMMON and word.text.isalpha()]
        if sum(word.capital for word in telling) > 0.65 * len(telling):
            continue
        for word in text:
            if not word.opens:
                (capital if word.capital else small)[_term(word)] += 1
    return {term: (capital[term] + 0.3) / (capital[term] + small[term] + 1) for term in {*capital, *small}}


def _terms(title: list[Word], summary: list[Word], names: dict[str, float]) -> _Vector:
    terms: _Vector = {}
    for words, field in ((title, 1.0), (summary, SUMMARY)):
        for word in words:
            if word.text.lower() in COMMON:
                continue
            term = _term(word)
            figure = any(character.isdigit() for character in term)
            weight = field * (1.0 if figure else 1.0 + NAME * names.get(term, 0.3))
            terms[term] = max(terms.get(term, 0.0), weight)
    for left, right in zip(title, title[1:], strict=False):
        if left.text.lower() not in COMMON and right.text.lower() not in COMMON:
            terms[f"{_term(left)} {_term(right)}"] = PAIR
    return terms


def _term(word: Word) -> str:
    return _COUNTRIES.get(word.text.lower(), word.stem)


def _unit(vector: _Vector) -> _Vector:
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {term: weight / length for term, weight in vector.items()}


def _total(vectors: Iterable[_Vector]) -> _Vector:
    total: _Vector = defaultdict(float)
    for vector in vectors:
        for term, weight in vector.items():
            total[term] += weight
    return dict(total)


class _Agglomeration:
    """Joins the two nearest groups until none are near enough.

    A group is the sum of its articles' vectors; nearness is the cosine of two sums. The dot product of a joined group
    with a third is the sum of its parts', so sums are never multiplied again. Groups that share nothing but common
    terms have no dot product: that is what keeps the work near linear, and strangers apart.
    """

    def __init__(self, sums: Sequence[_Vector], same: float) -> None:
        self._same = same
        self._lengths = [math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0 for vector in sums]
        self._dots = _dots(sums)
        self._nodes: dict[int, list[int]] = {node: [node] for node in range(len(sums))}
        self._heap: list[tuple[float, int, int]] = []

    def run(self) -> list[list[int]]:
        """The groups as lists of the given sums' positions."""
        for left, dots in enumerate(self._dots):
            for right, dot in dots.items():
                if left < right:
                    self._offer(left, right, dot)
        heapq.heapify(self._heap)
        while self._heap:
            _, left, right = heapq.heappop(self._heap)
            if left in self._nodes and right in self._nodes:
                self._join(left, right)
        return list(self._nodes.values())

    def _offer(self, left: int, right: int, dot: float) -> None:
        cosine = dot / (self._lengths[left] * self._lengths[right])
        if cosine >= self._same:
            heapq.heappush(self._heap, (-cosine, left, right))

    def _join(self, left: int, right: int) -> None:
        joined = len(self._dots)
        a, b = self._dots[left], self._dots[right]
        self._lengths.append(math.sqrt(self._lengths[left] ** 2 + self._lengths[right] ** 2 + 2 * a[right]))
        self._nodes[joined] = self._nodes.pop(left) + self._nodes.pop(right)
        near: dict[int, float] = {}
        self._dots.append(near)
        for other in sorted({*a, *b} - {left, right}):
            near[other] = dot = a.get(other, 0.0) + b.get(other, 0.0)
            theirs = self._dots[other]
            theirs.pop(left, None)
            theirs.pop(right, None)
            theirs[joined] = dot
            self._offer(other, joined, dot)
        a.clear()
        b.clear()


def _dots(vectors: Sequence[_Vector]) -> list[dict[int, float]]:
    """The dot products of all pairs that share a rare term."""
    holders: dict[str, list[int]] = defaultdict(list)
    for index, vector in enumerate(vectors):
        for term in vector:
            holders[term].append(index)
    most = max(RARE_LEAST, RARE_SHARE * len(vectors))
    dots: list[dict[int, float]] = [{} for _ in vectors]
    for index, vector in enumerate(vectors):
        near: dict[int, float] = defaultdict(float)
        common = []
        for term, weight in vector.items():
            those = holders[term]
            if len(those) > most:
                common.append((term, weight))
                continue
            for other in those:
                if other >= index:
                    break
                near[other] += weight * vectors[other][term]
        for other, dot in near.items():
            theirs = vectors[other]
            whole = dot + sum(weight * theirs[term] for term, weight in common if term in theirs)
            dots[index][other] = dots[other][index] = whole
    return dots
