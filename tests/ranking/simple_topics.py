"""Topics read in the simplest way: every term is tried at every word. What `Matcher` must agree with."""

from collections.abc import Iterator, Sequence

from digest.model import Article, Term, Topic
from digest.ranking.text import Word, Words, family
from digest.ranking.topics.matcher import CATEGORY, ENOUGH, FEED, RIVALRY, SUMMARY, TITLE

Found = tuple[int, int, int, Term, float]
"""A term at words [start, end): start, end, the place of its topic, the term, and 1 if it speaks for it or -1."""


def matches(topics: Sequence[Topic], text: str, language: str) -> Iterator[Found]:
    """Every term that stands in a text."""
    words = Words()
    row = words.split(text, language)
    for start in range(len(row)):
        for number, topic in enumerate(topics):
            for sign, terms in ((1.0, topic.terms), (-1.0, topic.against)):
                for term in terms:
                    wanted = words.split(term.text, language)
                    those = row[start : start + len(wanted)]
                    if (
                        wanted
                        and len(those) == len(wanted)
                        and all(_stands(a, b, language) for a, b in zip(those, wanted, strict=True))
                    ):
                        yield start, start + len(wanted), number, term, sign


def relevance(topics: Sequence[Topic], article: Article) -> dict[str, float]:
    """Every topic's relevance to an article."""
    language = family(article.language)
    words = Words()
    points = [FEED if topic.slug in article.feed.topics else 0.0 for topic in topics]
    best: dict[tuple[int, tuple[str, ...]], float] = {}
    fields = [(TITLE, article.title), *((CATEGORY, text) for text in article.categories), (SUMMARY, article.summary)]
    for strength, text in fields:
        for _, _, topic, term, sign in _longest(list(matches(topics, text, language))):
            key = (topic, tuple(_key(word, language) for word in words.split(term.text, language)))
            if strength * term.weight > abs(best.get(key, 0.0)):
                best[key] = sign * strength * term.weight
    for (topic, _), those in best.items():
        points[topic] += those
    evidence = [max(0.0, those) for those in points]
    return {
        topic.slug: those / (those + ENOUGH) * (those / sum(evidence)) ** RIVALRY if those else 0.0
        for topic, those in zip(topics, evidence, strict=True)
    }


def _stands(word: Word, wanted: Word, language: str) -> bool:
    if wanted.capital and not word.capital:
        return False
    if _is_name(wanted, language):
        plural = wanted.text.isupper() and word.text == f"{wanted.text}s"
        return word.text.lower() == wanted.text.lower() or plural
    return word.stem == wanted.stem


def _is_name(word: Word, language: str) -> bool:
    return word.text.isupper() or (word.capital and len(word.text) <= 4 and language != "de")


def _key(word: Word, language: str) -> str:
    return word.text.lower() if _is_name(word, language) else word.stem


def _longest(found: Sequence[Found]) -> Iterator[Found]:
    taken: dict[int, tuple[int, int]] = {}
    for match in sorted(found, key=lambda match: (match[0] - match[1], match[0])):
        span = match[:2]
        if all(taken.get(place, span) == span for place in range(*span)):
            taken.update(dict.fromkeys(range(*span), span))
            yield match
