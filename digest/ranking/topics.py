"""Which topics a story speaks to, by the editors' terms."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.model import Article, Story, Topic
from digest.ranking.text import Word, Words, family

TITLE, CATEGORY, SUMMARY, FEED = 2.0, 1.5, 1.0, 0.5
"""What a term's weight is multiplied with in each field; `FEED` is the evidence of a topic its feed is filed under."""
ENOUGH = 4.0
"""The evidence at which a topic with no rival has a relevance of one half."""
RIVALRY = 0.5
"""The power of the share of all evidence: 0 lets topics ignore each other, 1 divides one relevance among them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a story or article: every topic's relevance in [0, 1] and the terms that speak for it.

    `words` holds only topics with terms, the strongest term first, as the editor wrote it.
    """

    relevance: Mapping[str, float]
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A term of a topic: its stems in a row, and which of them must have a capital. Weight is negative if against."""

    topic: int
    text: str
    weight: float
    stems: tuple[str, ...]
    capitals: tuple[bool, ...]


class Matcher:
    """The terms of all topics as one index, so that a text is read once whatever the number of terms.

    A term is matched by stems, in the language of the article; a phrase by its words in a row. A word of a term that
    is written with a capital ("Fed", "GDP") matches only words that have one. The longest phrase wins: "oil prices"
    in a text leaves nothing for the term "prices". Not to be shared between threads.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)
        self._words = Words()
        self._indexes: dict[str, dict[str, list[_Entry]]] = {}

    def relevance(self, subject: Story | Article) -> dict[str, float]:
        """Every topic's relevance; see `read`."""
        return dict(self.read(subject).relevance)

    def read(self, subject: Story | Article) -> Reading:
        """Weigh the evidence for each topic.

        A topic's evidence is the sum over its terms of weight times field; terms against it count negative. For a
        story it is the mean over its articles. Relevance is evidence / (evidence + ENOUGH), which saturates,
        times the topic's share of all topics' evidence to the power RIVALRY, which makes topics comparable.
        """
        articles = subject.articles if isinstance(subject, Story) else (subject,)
        evidence = [0.0] * len(self._topics)
        words: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for article in articles:
            points = [FEED if topic.slug in article.feed.topics else 0.0 for topic in self._topics]
            for entry, strength in self._found(article).values():
                points[entry.topic] += strength * entry.weight
                if entry.weight > 0:
                    words[entry.topic][entry.text] += strength * entry.weight
            for topic, those in enumerate(points):
                evidence[topic] += max(0.0, those) / len(articles)
        everything = sum(evidence)
        return Reading(
            {topic.slug: _relevance(points, everything) for topic, points in zip(self._topics, evidence, strict=True)},
            {
                self._topics[topic].slug: tuple(sorted(terms, key=lambda text: (-terms[text], text)))
                for topic, terms in words.items()
                if evidence[topic] > 0
            },
        )

    def _found(self, article: Article) -> dict[tuple[int, tuple[str, ...]], tuple[_Entry, float]]:
        """Each term found and the strongest field it stands in. Terms of one stem ("ship", "shipping") are one."""
        language = family(article.language)
        index = self._index(language)
        fields = (
            (TITLE, article.title),
            *((CATEGORY, text) for text in article.categories),
            (SUMMARY, article.summary),
        )
        found: dict[tuple[int, tuple[str, ...]], tuple[_Entry, float]] = {}
        for strength, text in fields:
            for entry in _longest(_matches(self._words.split(text, language), index)):
                key = (entry.topic, entry.stems)
                known, known_strength = found.get(key, (entry, 0.0))
                if abs(entry.weight) * strength > abs(known.weight) * known_strength:
                    found[key] = (entry, strength)
        return found

    def _index(self, language: str) -> dict[str, list[_Entry]]:
        if language not in self._indexes:
            index: dict[str, list[_Entry]] = defaultdict(list)
            for number, topic in enumerate(self._topics):
                for sign, terms in ((1.0, topic.terms), (-1.0, topic.against)):
                    for term in terms:
                        words = self._words.split(term.text, language)
                        if words:
                            stems = tuple(word.stem for word in words)
                            capitals = tuple(word.capital for word in words)
                            index[stems[0]].append(_Entry(number, term.text, sign * term.weight, stems, capitals))
            self._indexes[language] = dict(index)
        return self._indexes[language]


def _relevance(evidence: float, everything: float) -> float:
    if evidence <= 0.0:
        return 0.0
    return float(evidence / (evidence + ENOUGH) * (evidence / everything) ** RIVALRY)


def _matches(words: Sequence[Word], index: Mapping[str, list[_Entry]]) -> Iterator[tuple[int, int, _Entry]]:
    for start, word in enumerate(words):
        for entry in index.get(word.stem, ()):
            those = words[start : start + len(entry.stems)]
            if len(those) == len(entry.stems) and all(
                word.stem == stem and (word.capital or not capital)
                for word, stem, capital in zip(those, entry.stems, entry.capitals, strict=True)
            ):
                yield start, start + len(those), entry


def _longest(matches: Iterable[tuple[int, int, _Entry]]) -> Iterator[_Entry]:
    """The matches left when the longest, and of equal length the first, has taken its words."""
    taken: dict[int, tuple[int, int]] = {}
    for start, end, entry in sorted(matches, key=lambda match: (match[0] - match[1], match[0])):
        span = (start, end)
        if all(taken.get(place, span) == span for place in range(*span)):
            taken.update(dict.fromkeys(range(*span), span))
            yield entry
