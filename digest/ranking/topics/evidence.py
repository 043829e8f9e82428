"""Many articles read for their topics, and read again as if a term were not there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digest.model import Article, Topic
from digest.ranking.score import best_topic
from digest.ranking.topics.matcher import Matched, Matcher, Reading, strongest
from digest.ranking.topics.term_index import Entry, longest


class TermKey(NamedTuple):
    """A term as the editor wrote it: its topic's slug, its text, and whether it speaks against the topic."""

    topic: str
    text: str
    against: bool = False


@dataclass(frozen=True, slots=True)
class Assessed:
    """An article, what stands in its fields, its reading, and the topic that a story of it alone is filed under."""

    article: Article
    matched: Sequence[Matched]
    reading: Reading
    topic: str


class Evidence:
    """Reads articles and says what each term did for them. Not to be shared between threads."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = tuple(topics)
        self._matcher = Matcher(topics)

    def assess(self, articles: Iterable[Article]) -> Iterator[Assessed]:
        """Read each article."""
        for article in articles:
            matched = self._matcher.matches(article)
            reading = self._matcher.weigh([(article.feed.topics, matched)])
            yield Assessed(article, matched, reading, self._best(reading))

    def key(self, entry: Entry) -> TermKey:
        """The term that an entry is."""
        return TermKey(self.topics[entry.topic].slug, entry.text, entry.weight < 0)

    def counted(self, one: Assessed) -> list[Entry]:
        """The terms that count in an article: not covered by longer ones, the strongest of one stem."""
        return [entry for entry, _ in strongest(one.matched).values()]

    def covered(self, one: Assessed) -> Iterator[tuple[Entry, Entry]]:
        """The terms that stand in a field of an article but do not count there, each with a longer one in its place."""
        for _, matches in one.matched:
            left = longest(matches)
            for start, end, entry in matches:
                over = next((by for at, to, by in left if at < end and start < to and (at, to) != (start, end)), None)
                if over is not None:
                    yield entry, over

    def topic_without(self, one: Assessed, entry: Entry) -> str:
        """The topic an article would be filed under if a term were not there."""
        gone = self.key(entry)
        matched = [
            (strength, [match for match in matches if self.key(match[2]) != gone]) for strength, matches in one.matched
        ]
        return self._best(self._matcher.weigh([(one.article.feed.topics, matched)]))

    def beside(self, one: Assessed, entry: Entry) -> tuple[str, float]:
        """The topic that all other words of an article speak for, and its relevance.

        Unlike in `topic_without`, the words of the term itself say nothing: "central bank" leaves no "bank" behind.
        """
        gone = self.key(entry)
        matched = [
            (strength, [match for match in longest(matches) if self.key(match[2]) != gone])
            for strength, matches in one.matched
        ]
        reading = self._matcher.weigh([(one.article.feed.topics, matched)])
        best = self._best(reading)
        return best, reading.relevance.get(best, 0.0)

    def _best(self, reading: Reading) -> str:
        best = best_topic(reading, self.topics)
        return best.slug if best else ""
