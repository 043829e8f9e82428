"""What in the editors' topics does nothing: topics and terms without effect on the articles of some days."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from digest.model import Article, Topic
from digest.ranking.text import family
from digest.ranking.topics.evidence import Assessed, Evidence, TermKey
from digest.ranking.topics.term_index import entries

SWING = (0.5, 2.0)
"""A topic's weight is tried at these multiples of what it is."""


class Kind(StrEnum):
    """What is found. Only a topic without a match is a fault; the rest is for the editor to decide."""

    NO_MATCH = "no_match"
    NEVER_FIRST = "never_first"
    WEIGHT = "weight"
    FOR_AND_AGAINST = "for_and_against"
    TWO_TOPICS = "two_topics"
    COVERED = "covered"
    NEVER_FOUND = "never_found"
    DECIDES_NOTHING = "decides_nothing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does nothing: in which topic, which term ("" for the topic itself), and a sentence with advice.

    `found_in` is in how many of the articles it stands.
    """

    kind: Kind
    topic: str
    term: str
    found_in: int
    sentence: str

    @property
    def fault(self) -> bool:
        """Whether the topics are not right as they are."""
        return self.kind is Kind.NO_MATCH


@dataclass(frozen=True, slots=True)
class Audit:
    """The number of articles looked at, and what was found, by kind, in the order of the topics and terms."""

    articles: int
    findings: tuple[Finding, ...]


@dataclass
class _Tally:
    """What the articles say of the topics: in how many each stands, which it gets, and what became of each term."""

    articles: int = 0
    spoken: Counter[str] = field(default_factory=Counter)
    won: Counter[str] = field(default_factory=Counter)
    won_at: dict[float, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    winners_over: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    found: Counter[TermKey] = field(default_factory=Counter)
    counted: Counter[TermKey] = field(default_factory=Counter)
    covered_by: dict[TermKey, Counter[TermKey]] = field(default_factory=lambda: defaultdict(Counter))
    decides: set[TermKey] = field(default_factory=set)
    languages: Counter[str] = field(default_factory=Counter)


def audit(articles: Iterable[Article], topics: Sequence[Topic]) -> Audit:
    """Look for topics and terms that have no effect on which topic an article is filed under.

    An article is taken as a story of its own. A term may still add to a story's score where the topic does not depend
    on it. Without articles only what the topics themselves show is found.
    """
    tally = _count(articles, topics)
    found = [*_of_topics(topics, tally), *_of_terms(topics, tally), *_twice(topics, tally)]
    kinds = list(Kind)
    return Audit(tally.articles, tuple(sorted(found, key=lambda finding: kinds.index(finding.kind))))


def _count(articles: Iterable[Article], topics: Sequence[Topic]) -> _Tally:
    evidence = Evidence(topics)
    tally = _Tally()
    for one in evidence.assess(articles):
        tally.articles += 1
        tally.languages[family(one.article.language)] += 1
        _count_topics(one, topics, tally)
        counted = evidence.counted(one)
        standing = {evidence.key(entry) for _, matches in one.matched for _, _, entry in matches}
        tally.found.update(standing)
        tally.counted.update({evidence.key(entry) for entry in counted})
        for entry, over in evidence.covered(one):
            tally.covered_by[evidence.key(entry)][evidence.key(over)] += 1
        for entry in counted:
            key = evidence.key(entry)
            if key not in tally.decides and evidence.topic_without(one, entry) != one.topic:
                tally.decides.add(key)
    return tally


def _count_topics(one: Assessed, topics: Sequence[Topic], tally: _Tally) -> None:
    worth = [(topic.slug, topic.weight * one.reading.relevance[topic.slug]) for topic in topics]
    speaking = [(slug, value) for slug, value in worth if value > 0]
    if not speaking:
        return
    tally.won[one.topic] += 1
    for slug, _ in speaking:
        tally.spoken[slug] += 1
        if slug != one.topic:
            tally.winners_over[slug][one.topic] += 1
        for factor in SWING:
            changed = [(other, value * factor if other == slug else value) for other, value in speaking]
            if max(changed, key=lambda pair: pair[1])[0] == slug:
                tally.won_at[factor][slug] += 1


def _of_topics(topics: Sequence[Topic], tally: _Tally) -> Iterator[Finding]:
    if not tally.articles:
        return
    looked = f"{tally.articles:,} articles"
    least, most = (tally.won_at[factor] for factor in SWING)
    for topic in topics:
        slug, spoken, won = topic.slug, tally.spoken[topic.slug], tally.won[topic.slug]
        terms = [TermKey(slug, term.text) for term in topic.terms]
        name = f"Topic “{topic.title}” ({slug})"
        if not any(tally.found[term] for term in terms):
            yield Finding(
                Kind.NO_MATCH,
                slug,
                "",
                0,
                f"{name}: none of its {len(terms)} terms stands in any of {looked}. "
                "Add the words that headlines on it use, read a feed that reports on it, or take it out.",
            )
        elif not won:
            rival = tally.winners_over[slug].most_common(1)
            because = f"each says more for another topic, most often {rival[0][0]}" if rival else "none is left to it"
            advice = "Give it a weight above 0" if topic.weight == 0 else "Give it or its best terms more weight"
            yield Finding(
                Kind.NEVER_FIRST,
                slug,
                "",
                spoken,
                f"{name}: {spoken:,} of {looked} speak for it, but {because}, so that its {len(terms)} terms decide "
                f"nothing. {advice}, or take it out.",
            )
        elif least[slug] == most[slug]:
            yield Finding(
                Kind.WEIGHT,
                slug,
                "",
                spoken,
                f"{name}: it gets the same {won:,} of {looked} with half its weight of {topic.weight:g} as with "
                "twice. Its weight only moves them up or down; change terms to change which they are.",
            )


def _of_terms(topics: Sequence[Topic], tally: _Tally) -> Iterator[Finding]:
    if not tally.articles:
        return
    looked = f"{tally.articles:,} articles"
    for topic in topics:
        if not any(tally.found[TermKey(topic.slug, term.text)] for term in topic.terms):
            continue
        for key in _keys(topic):
            found = tally.found[key]
            name = _name(key)
            if not found:
                yield Finding(
                    Kind.NEVER_FOUND,
                    *key[:2],
                    found,
                    f"{name}: in none of {looked}. Keep it for what may yet happen; otherwise correct or delete it.",
                )
            elif not tally.counted[key] and tally.covered_by[key]:
                over = tally.covered_by[key].most_common(1)[0][0]
                yield Finding(
                    Kind.COVERED,
                    *key[:2],
                    found,
                    f"{name}: in {found:,} of {looked}, and each time its words go to another term, most often "
                    f"“{over.text}” of {over.topic}. Delete it, or that one if it should not take its place.",
                )
            elif key not in tally.decides and tally.won[topic.slug]:
                yield Finding(
                    Kind.DECIDES_NOTHING,
                    *key[:2],
                    found,
                    f"{name}: in {found:,} of {looked}, and the topic of none depends on it. Leave it for what it adds "
                    "to their scores, or delete it.",
                )


def _twice(topics: Sequence[Topic], tally: _Tally) -> Iterator[Finding]:
    """Terms that stand in two topics, or both for and against one."""
    language = tally.languages.most_common(1)[0][0] if tally.languages else "en"
    looked = f"{tally.articles:,} articles"
    standing: Mapping[tuple[str, ...], list[TermKey]] = defaultdict(list)
    for entry in entries(topics, language):
        standing[entry.stems].append(TermKey(topics[entry.topic].slug, entry.text, entry.weight < 0))
    for keys in standing.values():
        against = {key.topic: key for key in keys if key.against}
        speaking = [key for key in keys if not key.against]
        for key in speaking:
            if key.topic in against:
                yield Finding(
                    Kind.FOR_AND_AGAINST,
                    *key[:2],
                    tally.found[key],
                    f"{_name(key)}: it stands for and, as “{against[key.topic].text}”, against the topic, in "
                    f"{tally.found[key]:,} of {looked}. Delete one of the two.",
                )
        others = list(dict.fromkeys(key.topic for key in speaking))
        for key in speaking:
            if key.topic == others[0] and len(others) > 1:
                yield Finding(
                    Kind.TWO_TOPICS,
                    *key[:2],
                    tally.found[key],
                    f"{_name(key)}: it stands in {', '.join(others[1:])} as well, and is in {tally.found[key]:,} of "
                    f"{looked}. Keep it where it says more, or use a phrase for each.",
                )


def _keys(topic: Topic) -> Iterator[TermKey]:
    yield from dict.fromkeys(TermKey(topic.slug, term.text) for term in topic.terms)
    yield from dict.fromkeys(TermKey(topic.slug, term.text, against=True) for term in topic.against)


def _name(key: TermKey) -> str:
    return f"Term “{key.text}” {'against' if key.against else 'of'} {key.topic}"
