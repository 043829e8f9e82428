"""An article as the terms that tell which event it is about, before anything is known of how rare they are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from digest.model import Article
from digest.ranking import background, kindred
from digest.ranking.markets import market
from digest.ranking.places import COUNTRY_OF, DEMONYMS, FIRST_OF_NAMES, NAMES_OF_WORDS, PLACES, country_of
from digest.ranking.stems import light_stem
from digest.ranking.text import COMMON, family, tokens

SUMMARY_WORDS, SUMMARY_LETTERS = 40, 400
"""How much of a summary is read: events come first."""
HEADLINE_STYLE = 0.65
"""Where more than this share of a text's words have capitals, capitals do not tell names."""
TITLE_WORDS = 5
"""Two titles of at least so many words that are the same words are one story whatever else differs."""
BEGINNING_LETTERS = 5
LONGEST_INITIALS = 5
NO_NAMES = frozenset({"US", "UK", "EU", "USA", "CEO", "CFO", "IPO", "GDP", "PMI", "CPI", "FX", "AI", "TV", "QE"})
"""Initials that name nobody."""

_SMALL_IN_NAMES = frozenset({"of", "and", "the", "for", "de"})
_YEAR = re.compile(r"(?:19|20)\d\d")
_WIRE_TAG = re.compile(
    r"^(?:(?:update|wrapup|wrap|rpt|refile|corrected|correction|exclusive|breaking|urgent|updated?)\s*\d{0,2}\s*[-:–—]\s*)+"
    r"|\s*\(\d\)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What clustering reads in an article.

    `key` tells same titles; it is empty where the title is short. `title` and `summary` are terms in order, commonplace
    words left out; `things` what the words speak of (see `kindred`); `initials` the initials that the title
    has, or might be shortened to. `capitals` are the title's terms with a capital, `countries` those it names, `market`
    the one it reports on. `named`, `perhaps` and `small` are the terms that are written as names, that may only seem so,
    and that are not.
    """

    language: str
    key: str
    title: tuple[str, ...]
    summary: tuple[str, ...]
    things: tuple[str, ...]
    initials: tuple[str, ...]
    acronyms: tuple[str, ...]
    capitals: frozenset[str]
    countries: frozenset[str]
    market: str
    named: tuple[str, ...]
    perhaps: tuple[str, ...]
    small: tuple[str, ...]


def read(article: Article) -> Reading:
    """Read an article's title, and the beginning of its summary, in its language."""
    language = family(article.language)
    english = language == "en"
    capitals = _Capitals([], [], [])
    title, small = title_words(article)
    terms = [term(word, language) for word in small]
    capitals.sort(title, terms)
    summary, small_there = _names_joined(tokens(article.summary[:SUMMARY_LETTERS])[:SUMMARY_WORDS])
    summary_terms = [term(word, language) for word in small_there]
    capitals.sort(summary, summary_terms)
    return Reading(
        language,
        " ".join(small) if len(small) >= TITLE_WORDS else "",
        tuple(filter(None, terms)),
        tuple(filter(None, summary_terms)),
        tuple(_things([light_stem(word) for word in small])) if english else (),
        *_initials([written for written, _ in title]),
        frozenset(one for (written, _), one in zip(title, terms, strict=True) if one and written[0].isupper()),
        frozenset(filter(None, (country_of(written.replace(" ", "")) for written, _ in title))),
        market(small) if english else "",
        tuple(capitals.named),
        tuple(capitals.perhaps),
        tuple(capitals.small),
    )


def headline(article: Article) -> str:
    """The title without a wire's tags ("UPDATE 2-") and counters."""
    return _WIRE_TAG.sub("", article.title.strip())


def title_words(article: Article) -> tuple[list[tuple[str, bool]], list[str]]:
    """The words of the headline as written, each with whether it opens a sentence, and as `term` takes them."""
    return _names_joined(tokens(headline(article)))


def _names_joined(words: list[tuple[str, bool]]) -> tuple[list[tuple[str, bool]], list[str]]:
    """The words as written and in small letters, with well-known names of several as one: "Hong Kong", "hongkong"."""
    small = [written.lower() for written, _ in words]
    if FIRST_OF_NAMES.isdisjoint(small):
        return words, small
    place = 0
    joined: list[tuple[str, bool]] = []
    while place < len(words):
        length = 1
        if small[place] in FIRST_OF_NAMES:
            length = next((n for n in (3, 2) if tuple(small[place : place + n]) in NAMES_OF_WORDS), 1)
        joined.append((" ".join(part for part, _ in words[place : place + length]), words[place][1]))
        place += length
    return joined, [written.lower().replace(" ", "") for written, _ in joined]


@lru_cache(maxsize=1 << 16)
def term(word: str, language: str) -> str:
    """What a word in small letters counts as, or "" if it says nothing about which event is meant.

    A place whatever its form ("German" is "germany"), an English word's light stem, and any other word as it is.
    """
    if word in COMMON or _YEAR.fullmatch(word):
        return ""
    place = DEMONYMS.get(word, word)
    if place in PLACES or place in COUNTRY_OF:
        return place
    return intern(light_stem(word) if language == "en" else word)


@lru_cache(maxsize=1 << 16)
def is_plain(one: str) -> bool:
    """Whether a term never counts as a name: a place, a figure."""
    return one in PLACES or one in COUNTRY_OF or any(character.isdigit() for character in one)


@lru_cache(maxsize=1 << 16)
def beginning(one: str) -> str:
    """A term's first letters as a term of their own, which joins what stems leave apart; "" for short and plain ones."""
    return "" if len(one) < BEGINNING_LETTERS or is_plain(one) else intern(f"{one[:BEGINNING_LETTERS]}-")


class _Capitals(NamedTuple):
    """Terms by whether they are written as names."""

    named: list[str]
    perhaps: list[str]
    small: list[str]

    def sort(self, words: Sequence[tuple[str, bool]], terms: Sequence[str]) -> None:
        """Sort a text's terms.

        At the start of a sentence, and in headline style, capitals are a hint at most, and none for a common word.
        """
        upper = [written[0].isupper() for written, _ in words]
        telling = [capital for capital, one in zip(upper[1:], terms[1:], strict=False) if one]
        style = sum(telling) > HEADLINE_STYLE * len(telling)
        for (_, opens), one, capital in zip(words, terms, upper, strict=True):
            if not one:
                continue
            if not (style or opens):
                (self.named if capital else self.small).append(one)
            elif capital and one not in background.SHARES:
                self.perhaps.append(one)


def _things(stems: Sequence[str]) -> Iterator[str]:
    for place, stem in enumerate(stems):
        if stem in kindred.FIRST:
            for length in range(kindred.LONGEST, 0, -1):
                thing = kindred.THINGS.get(tuple(stems[place : place + length]))
                if thing:
                    yield thing


def _initials(title: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All the initials that a title has, or might be shortened to ("General Motors" to "GM"); and those that it has.

    A title in capitals throughout has none.
    """
    if " ".join(title).isupper():
        return (), ()
    acronyms = tuple(
        intern(f"#{written}")
        for written in title
        if len(written) > 1 and written.isupper() and written.isalpha() and written not in NO_NAMES
    )
    found = list(acronyms)
    letters = ""
    for written in title:
        if written[0].isupper():
            letters = (letters + written[0])[-LONGEST_INITIALS:]
            found += [intern(f"#{letters[start:]}") for start in range(len(letters) - 1)]
        elif written not in _SMALL_IN_NAMES:
            letters = ""
    return tuple(dict.fromkeys(found)), acronyms
