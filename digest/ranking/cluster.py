"""Articles on the same event become one story.

Two items for one event are better than one item hiding another, so doubt keeps articles apart.
"""

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.config import Ranking
from digest.model import Article, Story
from digest.ranking import background
from digest.ranking.form import form
from digest.ranking.places import DEMONYMS, PLACES, country_of
from digest.ranking.text import COMMON, Word, Words, family

NAME = 1.5
"""How much more a word counts that is always written with a capital; a word never so written, or a place, counts 1."""
UNSURE = 0.3
"""How surely a word is a name of which nothing is known."""
PREFIX, PREFIX_LETTERS = 0.5, 5
"""The weight of a word's first letters as a term of their own, which joins what stems leave apart."""
SUMMARY, SUMMARY_WORDS = 0.3, 40
"""The weight of a word that stands only in the summary, and how many of its words are read: events come first."""
BACKGROUND = 5000
"""Articles are weighed as if among so many others whose common words are known: a few do not tell what is rare."""
HEADLINE_STYLE = 0.65
"""Where more than this share of a text's words have capitals, capitals do not tell names."""
RARE_SHARE, RARE_LEAST = 0.004, 100
"""Articles meet if they share a term that at most this share of all articles, or this number, have."""
FAINT = 0.2
"""Two articles less alike than this share of the threshold count as not alike at all."""
ALONE = 0.2
"""What the strongest shared word of two articles counts: one in common is a coincidence, two are an event."""
SIZE = 0.1
"""The power of the smaller group's size by which two groups must be nearer: large groups are alike by averaging."""
CROWD, CROWDING = 1000, 0.4
"""`same_story` holds among up to CROWD articles; each tenfold adds the share CROWDING: more are alike by chance."""
TOLD = 0.4
"""What the likeness of two articles counts that both have summaries: the more words, the more in common by chance."""
ELSEWHERE, OTHERS, SURE = 0.2, 0.6, 0.75
"""What it counts if their titles are about different countries, or if no name of the one is in the other. The same
indicator or decision in two countries is worded alike, and is two events. SURE is how surely a name is one."""
CENTRAL = 0.75
"""A lead is at least this share as near to its story's centre as the nearest article."""
TITLE_WORDS = 5
"""Two titles of at least so many words that are the same words are one story whatever else differs."""

_Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whom an article's title is about, and whether a summary says more."""

    countries: frozenset[str]
    names: frozenset[str]
    told: bool

    def against(self, other: "_Subject") -> float:
        """What the likeness of two articles counts, given their subjects."""
        counts = TOLD if self.told and other.told else 1.0
        if self.countries and other.countries and self.countries.isdisjoint(other.countries):
            return counts * ELSEWHERE
        if self.names and other.names and self.names.isdisjoint(other.names):
            return counts * OTHERS
        return counts


_YEAR = re.compile(r"(?:19|20)\d\d")

_WIRE_TAG = re.compile(
    r"^(?:(?:update|wrapup|wrap|rpt|refile|corrected|correction|exclusive|breaking|updated?)\s*\d{0,2}\s*[-:–—]\s*)+|\s*\(\d\)$",
    re.IGNORECASE,
)


def cluster(articles: Sequence[Article], settings: Ranking) -> list[Story]:
    """Group articles into stories; every article is in exactly one, and their order does not matter.

    Articles are compared by the words of title and summary (TF-IDF in which names count more and the strongest shared
    word hardly counts), less where their titles name different countries or nobody in common, and joined bottom-up while
    two groups' centres are at least `settings.same_story` alike, more among many articles. Articles of different
    languages never meet; titles of the same five or more words always do. Raising `same_story` splits, which is the
    error to prefer; `bench/quality.py` prints precision and recall over labelled headlines for a range of it.

    Stories come in the order of their earliest article. The first article of each is its lead: a report rather than
    another form, about what most of them are about, from the weightiest feed, with a summary, the earliest.
    """
    languages: dict[str, list[Article]] = defaultdict(list)
    for article in sorted(articles, key=_canonical):
        languages[family(article.language)].append(article)
    words = Words()
    stories = [
        story
        for language, those in languages.items()
        for story in _stories(those, words, language, settings.same_story)
    ]
    return sorted(stories, key=lambda story: min(_canonical(article) for article in story.articles))


def _canonical(article: Article) -> tuple[object, ...]:
    return (article.published_at, article.id, article.url, article.entry_id, article.title)


def _story(articles: Sequence[Article], vectors: Sequence[_Vector]) -> Story:
    """The articles with the lead first: a report near the story's centre, from the weightiest feed, the earliest."""
    centre = _total(vectors)
    nearness = [sum(weight * centre[term] for term, weight in vector.items()) for vector in vectors]
    central = CENTRAL * max(nearness)

    def lead_first(place: int) -> tuple[object, ...]:
        article = articles[place]
        return (
            bool(form(article)),
            nearness[place] < central,
            -article.feed.weight,
            not article.summary,
            *_canonical(article),
        )

    return Story(tuple(articles[place] for place in sorted(range(len(articles)), key=lead_first)))


def _stories(articles: Sequence[Article], words: Words, language: str, same: float) -> Iterator[Story]:
    titles = [words.split(_WIRE_TAG.sub("", article.title.strip()), language) for article in articles]
    summaries = [words.split(article.summary[:1000], language)[:SUMMARY_WORDS] for article in articles]
    names = _names([*titles, *summaries])
    vectors = _vectors(titles, summaries, names, language)
    groups: dict[object, list[int]] = defaultdict(list)
    for index, title in enumerate(titles):
        groups[tuple(word.text.lower() for word in title) if len(title) >= TITLE_WORDS else index].append(index)
    members = list(groups.values())
    sums = [_total(vectors[index] for index in group) for group in members]
    sizes = [len(group) for group in members]
    subjects = [_subject(titles[group[0]], names, told=bool(articles[group[0]].summary)) for group in members]
    merged = _Agglomeration(sums, sizes, subjects, _threshold(same, len(articles))).run()
    for nodes in merged:
        places = [index for node in nodes for index in members[node]]
        yield _story([articles[index] for index in places], [vectors[index] for index in places])


def _threshold(same: float, articles: int) -> float:
    return same * (1 + CROWDING * math.log10(max(articles, CROWD) / CROWD))


def _subject(title: list[Word], names: Mapping[str, float], *, told: bool) -> _Subject:
    countries = {country for word in title if (country := country_of(word.text)) is not None}
    surely = {_term(word) for word in title if word.capital and names.get(_term(word), 0.0) >= SURE}
    return _Subject(frozenset(countries), frozenset(surely | countries), told)


def _vectors(
    titles: Sequence[list[Word]], summaries: Sequence[list[Word]], names: Mapping[str, float], language: str
) -> list[_Vector]:
    weighted = [_terms(title, summary, names) for title, summary in zip(titles, summaries, strict=True)]
    frequency: dict[str, float] = defaultdict(float)
    for terms in weighted:
        for term in terms:
            frequency[term] += 1
    if language == "en":
        for stem, share in background.SHARES.items():
            frequency[stem] += BACKGROUND * share
            if len(stem) >= PREFIX_LETTERS:
                frequency[_prefix(stem)] += BACKGROUND * share
    total = len(weighted) + BACKGROUND
    rarity = {term: math.log(1 + total / count) for term, count in frequency.items()}
    return [_unit({term: weight * rarity[term] for term, weight in terms.items()}) for terms in weighted]


def _names(texts: Iterable[list[Word]]) -> dict[str, float]:
    """How surely each term is a name: the share of its uses, inside sentences, that have a capital.

    Texts whose words mostly have capitals (headline style, all capitals) say nothing about it and are left out.
    """
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        telling = [word for word in text[1:] if word.text.lower() not in COMMON and word.text.isalpha()]
        if sum(word.capital for word in telling) > HEADLINE_STYLE * len(telling):
            continue
        for word in text:
            if not word.opens:
                (capital if word.capital else small)[_term(word)] += 1
    return {term: (capital[term] + UNSURE) / (capital[term] + small[term] + 1) for term in {*capital, *small}}


def _terms(title: list[Word], summary: list[Word], names: Mapping[str, float]) -> _Vector:
    terms: _Vector = {}
    for words, field in ((title, 1.0), (summary, SUMMARY)):
        for word in words:
            if word.text.lower() in COMMON or _YEAR.fullmatch(word.text):
                continue
            term = _term(word)
            plain = term in PLACES or any(character.isdigit() for character in term)
            weight = field if plain else field * (1 + NAME * names.get(term, UNSURE))
            terms[term] = max(terms.get(term, 0.0), weight)
            if not plain and len(term) >= PREFIX_LETTERS:
                prefix = _prefix(term)
                terms[prefix] = max(terms.get(prefix, 0.0), PREFIX * weight)
    return terms


def _prefix(stem: str) -> str:
    return f"{stem[:PREFIX_LETTERS]}-"


def _term(word: Word) -> str:
    written = word.text.lower()
    place = DEMONYMS.get(written, written)
    return place if place in PLACES else word.stem


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

    A group is the sum of its articles' vectors; nearness is nearly the cosine of two sums. The product of a joined
    group with a third is the sum of its parts', so that nothing is multiplied twice. Groups that share nothing but
    frequent terms have no product: that keeps the work near linear, and strangers apart.
    """

    def __init__(
        self, sums: Sequence[_Vector], sizes: Sequence[int], subjects: Sequence[_Subject], same: float
    ) -> None:
        self._same = same
        self._sizes = list(sizes)
        self._lengths = [math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0 for vector in sums]
        self._products = _products(sums, subjects, FAINT * same)
        self._groups: dict[int, list[int]] = {node: [node] for node in range(len(sums))}
        self._heap: list[tuple[float, int, int]] = []

    def run(self) -> list[list[int]]:
        """The groups as lists of the given sums' positions."""
        for left, products in enumerate(self._products):
            for right, product in products.items():
                if left < right:
                    self._offer(left, right, product)
        while self._heap:
            offered, left, right = heapq.heappop(self._heap)
            if left in self._groups and right in self._groups:
                product = self._products[left][right]
                if self._nearness(left, right, product) >= -offered:
                    self._join(left, right)
                else:
                    self._offer(left, right, product)
        return list(self._groups.values())

    def _nearness(self, left: int, right: int, product: float) -> float:
        smaller = min(self._sizes[left], self._sizes[right])
        return product / (self._lengths[left] * self._lengths[right] * math.pow(smaller, SIZE))

    def _offer(self, left: int, right: int, product: float) -> None:
        nearness = self._nearness(left, right, product)
        if nearness >= self._same:
            heapq.heappush(self._heap, (-nearness, min(left, right), max(left, right)))

    def _join(self, into: int, gone: int) -> None:
        """Join a pair, the one with fewer neighbours going into the other.

        Only its neighbours come nearer. The other offers have become too high, and are made anew when their turn comes.
        """
        if len(self._products[into]) < len(self._products[gone]):
            into, gone = gone, into
        mine, theirs = self._products[into], self._products[gone]
        product = mine.pop(gone)
        del theirs[into]
        self._lengths[into] = math.sqrt(self._lengths[into] ** 2 + self._lengths[gone] ** 2 + 2 * product)
        self._sizes[into] += self._sizes[gone]
        self._groups[into] += self._groups.pop(gone)
        for other, part in theirs.items():
            total = mine.get(other, 0.0) + part
            mine[other] = self._products[other][into] = total
            del self._products[other][gone]
            self._offer(into, other, total)
        theirs.clear()


def _products(vectors: Sequence[_Vector], subjects: Sequence[_Subject], least: float) -> list[dict[int, float]]:
    """The dot products, less most of their largest part, of the pairs that share a rare term, from `least` up."""
    frequency = Counter(term for vector in vectors for term in vector)
    most = max(RARE_LEAST, RARE_SHARE * len(vectors))
    earlier: dict[str, list[tuple[int, float]]] = defaultdict(list)
    products: list[dict[int, float]] = [{} for _ in vectors]
    for index, vector in enumerate(vectors):
        frequent = [term for term in vector if frequency[term] > most]
        parts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for term, weight in vector.items():
            if frequency[term] <= most:
                holders = earlier[term]
                for other, theirs in holders:
                    parts[other][term[:PREFIX_LETTERS]] += weight * theirs
                holders.append((index, weight))
        for other, words in parts.items():
            vector_there = vectors[other]
            for term in frequent:
                if term in vector_there:
                    words[term[:PREFIX_LETTERS]] += vector[term] * vector_there[term]
            product = sum(words.values()) - (1 - ALONE) * max(words.values())
            product *= subjects[index].against(subjects[other])
            if product >= least:
                products[index][other] = products[other][index] = product
    return products
