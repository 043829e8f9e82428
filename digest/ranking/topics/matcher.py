"""Which topics a story speaks to, by the editors' terms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.model import Article, Story, Topic
from digest.ranking.text import family
from digest.ranking.topics.term_index import Entry, Match, TermIndex, longest

TITLE, CATEGORY, SUMMARY, FEED = 2.0, 1.5, 1.0, 0.5
"""What a term's weight is multiplied with in each field; `FEED` is the evidence of a topic its feed is filed under."""
ENOUGH = 4.0
"""The evidence at which a topic with no rival has a relevance of one half."""
RIVALRY = 0.5
"""The power of the share of all evidence: 0 lets topics ignore each other, 1 divides one relevance among them."""


Matched = tuple[float, Sequence[Match]]
"""What a term's weight is multiplied with in a field, and the terms that stand in it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a story or article: every topic's relevance in [0, 1] and the terms that speak for it.

    `words` holds only topics with terms, the strongest term first, as the editor wrote it.
    """

    relevance: Mapping[str, float]
    words: Mapping[str, tuple[str, ...]]


class Matcher:
    """The terms of all topics, so that a text is read once whatever the number of terms.

    A term is matched by stems, in the language of the article; a phrase by its words in a row. A word of a term that
    is written with a capital ("Treasury") matches only words that have one, and a name ("Fed", "GDP") only itself. The
    longest phrase wins: "oil prices" in a text leaves nothing for the term "prices". Not to be shared between threads.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)
        self._slugs = {topic.slug: number for number, topic in enumerate(self._topics)}
        self._nothing = dict.fromkeys(self._slugs, 0.0)
        self._indexes: dict[str, TermIndex] = {}

    def relevance(self, subject: Story | Article) -> dict[str, float]:
        """Every topic's relevance; see `read`."""
        return dict(self.read(subject).relevance)

    def read(self, subject: Story | Article) -> Reading:
        """Find the terms and weigh the evidence for each topic."""
        articles = subject.articles if isinstance(subject, Story) else (subject,)
        return self.weigh([(article.feed.topics, self.matches(article)) for article in articles])

    def matches(self, article: Article) -> list[Matched]:
        """Every term that stands in each field of an article, also those that a longer one covers."""
        index = self._index(family(article.language))
        found: list[Matched] = [(TITLE, index.matches(article.title))]
        found.extend([(CATEGORY, index.label(text)) for text in article.categories])
        found.append((SUMMARY, index.matches(article.summary)))
        return found

    def weigh(self, articles: Sequence[tuple[Sequence[str], Iterable[Matched]]]) -> Reading:
        """Weigh the evidence of a story's articles, each given by its feed's topics and its matches.

        A topic's evidence is the sum over its terms of weight times field; terms against it count negative. For a
        story it is the mean over its articles. Relevance is evidence / (evidence + ENOUGH), which saturates,
        times the topic's share of all topics' evidence to the power RIVALRY, which makes topics comparable.
        """
        evidence: dict[int, float] = defaultdict(float)
        words: dict[int, dict[str, float]] = {}
        for feed_topics, matched in articles:
            points = {self._slugs[slug]: FEED for slug in feed_topics if slug in self._slugs}
            for entry, strength in strongest(matched).values():
                worth = strength * entry.weight
                points[entry.topic] = points.get(entry.topic, 0.0) + worth
                if worth > 0:
                    terms = words.setdefault(entry.topic, {})
                    terms[entry.text] = terms.get(entry.text, 0.0) + worth
            for topic, those in points.items():
                evidence[topic] += max(0.0, those) / len(articles)
        # In the order of the topics, since a sum of floats depends on its order.
        everything = sum(evidence[topic] for topic in sorted(evidence))
        relevance = self._nothing.copy()
        for topic, those in evidence.items():
            relevance[self._topics[topic].slug] = _relevance(those, everything)
        return Reading(
            relevance,
            {
                self._topics[topic].slug: tuple(sorted(terms, key=lambda text: (-terms[text], text)))
                for topic, terms in words.items()
                if evidence[topic] > 0
            },
        )

    def _index(self, language: str) -> TermIndex:
        known = self._indexes.get(language)
        if known is None:
            known = self._indexes[language] = TermIndex(self._topics, language)
        return known


def strongest(matched: Iterable[Matched]) -> dict[tuple[int, tuple[str, ...]], tuple[Entry, float]]:
    """Each term that counts and the strongest field it stands in. Terms of one stem ("ship", "shipping") are one."""
    found: dict[tuple[int, tuple[str, ...]], tuple[Entry, float]] = {}
    for strength, matches in matched:
        for _, _, entry in longest(matches) if matches else ():
            key = (entry.topic, entry.stems)
            known = found.get(key)
            if known is None or abs(entry.weight) * strength > abs(known[0].weight) * known[1]:
                found[key] = (entry, strength)
    return found


def _relevance(evidence: float, everything: float) -> float:
    if evidence <= 0.0:
        return 0.0
    return float(evidence / (evidence + ENOUGH) * (evidence / everything) ** RIVALRY)
