"""Terms that would help a topic, and present ones that hurt it, with the figures an editor decides by."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from digest.model import Article, Topic
from digest.ranking.text import COMMON, Word, Words, family
from digest.ranking.topics.evidence import Assessed, Evidence, TermKey
from digest.ranking.topics.term_index import entries, longest

FIRM = 0.4
"""An article is firmly in the topic it is filed under from this relevance on."""
RIVAL = 0.2
"""What else an article says is about another topic from this relevance to it on."""
PRIOR = 0.1
"""How much the count of a term among all articles weighs beside its counts in and outside a topic."""
FEWEST = 3
"""In fewer articles than these, a term is chance."""
SURE = 2.6
"""The standard deviations from which a term is suggested: one in a hundred would be so by chance."""
EXAMPLES = 2
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A term that a topic lacks: of how many articles firmly in the topic it is, and of how many that are not in it.

    `z` is how sure the difference is, in standard deviations; see `log_odds`.
    """

    term: str
    inside: int
    outside: int
    z: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hurting:
    """A term most of whose articles are about something else.

    It counts in `found_in` articles; all other words of `elsewhere` of them speak for another topic, most often
    `rival`; `won_over` are those of them that it brings into its own topic all the same.
    """

    term: str
    weight: float
    found_in: int
    elsewhere: int
    won_over: int
    rival: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What would make a topic better: `inside` articles are firmly in it, `outside` have nothing to do with it."""

    topic: str
    inside: int
    outside: int
    missing: tuple[Suggestion, ...]
    hurting: tuple[Hurting, ...]


@dataclass
class _Words:
    """In how many articles each word and phrase is: of all, of those somehow in a topic, of those firmly in it."""

    everywhere: Counter[_Key] = field(default_factory=Counter)
    touching: dict[str, Counter[_Key]] = field(default_factory=lambda: defaultdict(Counter))
    inside: dict[str, Counter[_Key]] = field(default_factory=lambda: defaultdict(Counter))
    written: dict[_Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    titles: dict[tuple[str, _Key], list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class _Use:
    """What an article's terms did: where each counted, and where the article would be without it."""

    found: Counter[TermKey] = field(default_factory=Counter)
    rivals: dict[TermKey, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    won_over: Counter[TermKey] = field(default_factory=Counter)
    titles: dict[TermKey, list[str]] = field(default_factory=lambda: defaultdict(list))


def suggest(articles: Iterable[Article], topics: Sequence[Topic], limit: int = 10) -> tuple[Advice, ...]:
    """What each topic lacks and what hurts it, at most `limit` of either, the surest first.

    A term is a word or two words in a row, of the titles and summaries. It helps a topic if it is frequent in articles
    that other terms put firmly there and rare in articles that have nothing to do with it. Words that a term of the
    topic has taken do not count, since it is they that put the article there. Articles of one title count once.
    """
    evidence = Evidence(topics)
    words = Words()
    counts, use = _Words(), _Use()
    inside: Counter[str] = Counter()
    touching: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    total = 0
    for one in _once(evidence.assess(articles)):
        total += 1
        languages[family(one.article.language)] += 1
        if one.topic and one.reading.relevance[one.topic] >= FIRM:
            inside[one.topic] += 1
        touching.update(slug for slug, relevance in one.reading.relevance.items() if relevance > 0)
        _count_words(one, evidence, words, counts)
        _count_use(one, evidence, use)
    known = {entry.stems for language in languages for entry in entries(topics, language, words)}
    return tuple(
        Advice(
            topic.slug,
            inside[topic.slug],
            total - touching[topic.slug],
            tuple(_missing(topic.slug, counts, known))[:limit],
            tuple(_hurting(topic, use))[:limit],
        )
        for topic in topics
    )


def log_odds(inside: int, all_inside: int, outside: int, all_outside: int, prior: float, all_prior: float) -> float:
    """How much more a term is used inside than outside, in standard deviations.

    The difference of its log odds under a Dirichlet prior, divided by its standard deviation (Monroe, Colaresi and
    Quinn 2008, "Fightin' Words", Political Analysis 16(4), equations 15, 16, 20 and 22). Counts are of the term and of
    all terms; the prior is the term's count at large, scaled.
    """
    here, there = inside + prior, outside + prior
    odds_here = here / (all_inside + all_prior - here)
    odds_there = there / (all_outside + all_prior - there)
    return math.log(odds_here / odds_there) / math.sqrt(1 / here + 1 / there)


def _once(assessed: Iterable[Assessed]) -> Iterator[Assessed]:
    titles: set[str] = set()
    for one in assessed:
        # Publishers of one report differ in quotation marks and capitals.
        title = "".join(filter(str.isalnum, one.article.title.casefold()))
        if title not in titles:
            titles.add(title)
            yield one


def _count_words(one: Assessed, evidence: Evidence, words: Words, counts: _Words) -> None:
    article = one.article
    title, *_, summary = one.matched
    everything: set[_Key] = set()
    free: set[_Key] = set()
    for text, (_, matches) in ((article.title, title), (article.summary, summary)):
        taken = {
            place
            for start, end, entry in longest(matches)
            if evidence.key(entry).topic == one.topic
            for place in range(start, end)
        }
        for key, written, places in _candidates(words.split(text, family(article.language))):
            everything.add(key)
            counts.written[key][written] += 1
            if taken.isdisjoint(places):
                free.add(key)
    counts.everywhere.update(everything)
    for slug, relevance in one.reading.relevance.items():
        if relevance > 0:
            counts.touching[slug].update(everything)
    if one.topic and one.reading.relevance[one.topic] >= FIRM:
        counts.inside[one.topic].update(free)
        for key in free:
            titles = counts.titles[one.topic, key]
            if len(titles) < EXAMPLES:
                titles.append(article.title)


def _candidates(row: Sequence[Word]) -> Iterator[tuple[_Key, str, range]]:
    """The words that say something, and every two of them in a row: stems, as written, places."""
    telling = [_tells(word) for word in row]
    for place, word in enumerate(row):
        if telling[place]:
            yield (word.stem,), word.text, range(place, place + 1)
            if place + 1 < len(row) and telling[place + 1] and not row[place + 1].opens:
                after = row[place + 1]
                yield (word.stem, after.stem), f"{word.text} {after.text}", range(place, place + 2)


def _tells(word: Word) -> bool:
    lower = word.text.lower()
    return lower not in COMMON and "'" not in lower and len(lower) > 1 and any(map(str.isalpha, lower))


def _missing(slug: str, counts: _Words, known: set[_Key]) -> Iterator[Suggestion]:
    inside, touching, everywhere = counts.inside[slug], counts.touching[slug], counts.everywhere
    all_inside, all_everywhere = sum(inside.values()), sum(everywhere.values())
    all_outside = all_everywhere - sum(touching.values())
    found = []
    for key, count in inside.items():
        if count >= FEWEST and key not in known:
            outside = everywhere[key] - touching[key]
            prior = PRIOR * everywhere[key]
            z = log_odds(count, all_inside, outside, all_outside, prior, PRIOR * all_everywhere)
            if z >= SURE and count > outside:
                found.append((z, key, count, outside))
    used: set[str] = set()
    for z, key, count, outside in sorted(found, key=lambda one: (-one[0], -len(one[1]), one[1])):
        # "Kevin" and "Kevin Warsh" are one piece of advice.
        if used.isdisjoint(key):
            used.update(key)
            yield Suggestion(
                _as_written(counts.written[key]), count, outside, round(z, 2), tuple(counts.titles[slug, key])
            )


def _as_written(forms: Mapping[str, int]) -> str:
    """The commonest form; in small letters if it ever is, since headlines give capitals to any word."""
    small = {form: count for form, count in forms.items() if form == form.lower()}
    return min(small or forms, key=lambda form: (-forms[form], form))


def _count_use(one: Assessed, evidence: Evidence, use: _Use) -> None:
    for entry in evidence.counted(one):
        key = evidence.key(entry)
        if key.against:
            continue
        use.found[key] += 1
        rival, relevance = evidence.beside(one, entry)
        if rival not in {"", key.topic} and relevance >= RIVAL:
            use.rivals[key][rival] += 1
            use.won_over[key] += one.topic == key.topic
            # An article that the term brought over says most; such titles come first.
            titles = use.titles[key]
            titles.insert(0 if one.topic == key.topic else len(titles), one.article.title)
            del titles[EXAMPLES:]


def _hurting(topic: Topic, use: _Use) -> list[Hurting]:
    found = []
    for term in topic.terms:
        key = TermKey(topic.slug, term.text)
        elsewhere = sum(use.rivals[key].values())
        if use.found[key] >= FEWEST and 2 * elsewhere > use.found[key] and use.won_over[key]:
            rival = max(use.rivals[key].items(), key=lambda pair: (pair[1], pair[0]))[0]
            found.append(
                Hurting(
                    term.text,
                    term.weight,
                    use.found[key],
                    elsewhere,
                    use.won_over[key],
                    rival,
                    tuple(use.titles[key]),
                )
            )
    return sorted(found, key=lambda one: (-one.won_over, -one.elsewhere, one.term))
