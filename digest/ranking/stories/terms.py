"""An article as the terms that tell which event it is about, before anything is known of how rare they are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from digest.model import Article
from digest.ranking.stories import background, kindred
from digest.ranking.stories.markets import market
from digest.ranking.stories.places import COUNTRY_OF, DEMONYMS, FIRST_OF_NAMES, NAMES_OF_WORDS, PLACES, country_of
from digest.ranking.stories.stems import light_stem
from digest.ranking.text import COMMON, family, tokens

SUMMARY_WORDS, SUMMARY_LETTERS = 40, 400
"""How much of a summary is read: events come first."""
HEADLINE_STYLE = 0.65
"""Where more than this share of a text's words have capitals, capitals do not tell names."""
TITLE_WORDS = 5
"""Two titles of at least so many words that are the same words are one story whatever else differs."""
BEGINNING_LETTERS = 5
LONGEST_INITIALS = 5
MOST_PIECES = 1 << 16
"""So many are remembered of a language before all are forgotten."""
NO_NAMES = frozenset({"US", "UK", "EU", "USA", "CEO", "CFO", "IPO", "GDP", "PMI", "CPI", "FX", "AI", "TV", "QE"})
"""Initials that name nobody."""

NOWHERE: frozenset[str] = frozenset()
"""The countries of an article that names none: one for all, since each empty set is as large as a small one."""

_SMALL_IN_NAMES = frozenset({"of", "and", "the", "for", "de"})
_YEAR = re.compile(r"(?:19|20)\d\d")
_WIRE_TAG = re.compile(
    r"^(?:(?:update|wrapup|wrap|rpt|refile|corrected|correction|exclusive|breaking|urgent|updated?)\s*\d{0,2}\s*[-:–—]\s*)+"
    r"|\s*\(\d\)$",
    re.IGNORECASE,
)


@dataclass(slots=True, eq=False)  # Equal only to itself, and so quickly counted; not frozen, which is dearer to make.
class KnownWord:
    """What a word is wherever it stands: as written, in small letters without spaces, and the term it counts as.

    `opens` tells whether it opens a sentence, where a capital says little; `capital` whether it is written with one, and
    `hint` whether that hints at a name where every word may have one. `country` is the one it names, `acronym` the
    initials that it is. `begins_name` and `begins_thing` tell whether a well-known name of several words begins with it,
    or a phrase that speaks of a thing.
    """

    written: str
    opens: bool
    small: str
    term: str
    capital: bool
    hint: bool
    country: str | None
    acronym: str
    begins_name: bool
    begins_thing: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What clustering reads in an article.

    `key` tells same titles; it is empty where the title is short. `title` and `summary` are terms in order, commonplace
    words left out; `things` what the words speak of (see `kindred`); `initials` the initials that the title
    has, or might be shortened to. `capitals` are the title's terms with a capital, `countries` those it names, `market`
    the one it reports on. `telling` are the words of texts whose capitals tell names, `styled` those of texts in
    headline style.
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
    telling: tuple[KnownWord, ...]
    styled: tuple[KnownWord, ...]


def read(article: Article) -> Reading:
    """Read an article's title, and the beginning of its summary, in its language."""
    language = family(article.language)
    english = language == "en"
    title = title_words(article)
    summary = _joined(_words(article.summary[:SUMMARY_LETTERS], language)[:SUMMARY_WORDS], language)
    small = [word.small for word in title]
    title_styled, summary_styled = _styled(title), _styled(summary)
    return Reading(
        language,
        " ".join(small) if len(small) >= TITLE_WORDS else "",
        tuple([word.term for word in title if word.term]),
        tuple([word.term for word in summary if word.term]),
        tuple(_things(small)) if english and any(word.begins_thing for word in title) else (),
        *_initials(title),
        frozenset([word.term for word in title if word.capital and word.term]),
        frozenset([word.country for word in title if word.country]) or NOWHERE,
        market(small) if english else "",
        (*(() if title_styled else title), *(() if summary_styled else summary)),
        (*(title if title_styled else ()), *(summary if summary_styled else ())),
    )


def headline(article: Article) -> str:
    """The title without a wire's tags ("UPDATE 2-") and counters."""
    return _WIRE_TAG.sub("", article.title.strip())


def title_words(article: Article) -> list[KnownWord]:
    """The words of the headline; well-known names of several are one."""
    language = family(article.language)
    return _joined(_words(headline(article), language), language)


def _words(text: str, language: str) -> list[KnownWord]:
    """The words that `tokens` finds in a text."""
    words: list[KnownWord] = []
    opens = False
    for found, begins, ends in map(_pieces(language).__getitem__, text.split()):
        if (opens and begins) or (found and not words):
            words.append(_word(found[0].written, language, True))
            words += found[1:]
        else:
            words += found
        opens = ends
    return words


class _Piece(NamedTuple):
    """The words of what stands between two spaces within a sentence.

    `begins` tells whether it begins with a word, which opens a sentence where one ended before; `ends` whether one ends
    with it.
    """

    words: Sequence[KnownWord]
    begins: bool
    ends: bool


class _Pieces(dict[str, _Piece]):
    """What stands between two spaces comes again and again, and is read once."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, piece: str) -> _Piece:
        if len(self) >= MOST_PIECES:
            self.clear()
        found = self[piece] = self._read(piece)
        return found

    def _read(self, piece: str) -> _Piece:
        if piece.isascii() and piece.isalnum():
            return _Piece((_word(piece, self._language, False),), True, False)
        _, *found, (_, ends) = tokens(f"a {piece} a")
        begins = bool(found) and tokens(f"a: {piece}")[1][1]
        return _Piece(tuple([_word(written, self._language, opens) for written, opens in found]), begins, ends)


@lru_cache(maxsize=1 << 6)
def _pieces(language: str) -> _Pieces:
    return _Pieces(language)


@lru_cache(maxsize=1 << 16)
def _word(written: str, language: str, opens: bool) -> KnownWord:
    unspaced = written.replace(" ", "")
    small = unspaced.lower()
    stem = light_stem(small)
    term = _term(small, stem if language == "en" else small)
    capital = written[0].isupper()
    is_acronym = written.isupper() and len(written) > 1 and written.isalpha() and written not in NO_NAMES
    return KnownWord(
        written,
        opens,
        small,
        term,
        capital,
        capital and term != "" and term not in background.SHARES,
        country_of(unspaced),
        intern(f"#{written}") if is_acronym else "",
        small in FIRST_OF_NAMES,
        stem in kindred.FIRST,
    )


def _term(word: str, stem: str) -> str:
    """What a word in small letters counts as, or "" if it says nothing about which event is meant.

    A place whatever its form ("German" is "germany"), an English word's light stem, and any other word as it is.
    """
    if word in COMMON or _YEAR.fullmatch(word):
        return ""
    place = DEMONYMS.get(word, word)
    return place if place in PLACES or place in COUNTRY_OF else intern(stem)


def _joined(words: list[KnownWord], language: str) -> list[KnownWord]:
    """The words, well-known names of several joined."""
    if not any(word.begins_name for word in words):
        return words
    place = 0
    joined: list[KnownWord] = []
    while place < len(words):
        word, length = words[place], 1
        if word.begins_name:
            small = [one.small for one in words[place : place + 3]]
            length = next((n for n in (3, 2) if tuple(small[:n]) in NAMES_OF_WORDS), 1)
        if length > 1:
            word = _word(" ".join([one.written for one in words[place : place + length]]), language, word.opens)
        joined.append(word)
        place += length
    return joined


def is_plain(one: str) -> bool:
    """Whether a term never counts as a name: a place, a figure."""
    return one in PLACES or one in COUNTRY_OF or (not one.isalpha() and any(map(str.isdigit, one)))


@lru_cache(maxsize=1 << 16)
def beginning(one: str) -> str:
    """A term's first letters as a term of their own, which joins what stems leave apart; "" for short and plain ones."""
    return "" if len(one) < BEGINNING_LETTERS or is_plain(one) else intern(f"{one[:BEGINNING_LETTERS]}-")


def _styled(words: Sequence[KnownWord]) -> bool:
    """Whether a text is in headline style."""
    telling = [word.capital for word in words[1:] if word.term]
    return sum(telling) > HEADLINE_STYLE * len(telling)


def _things(small: Sequence[str]) -> Iterator[str]:
    stems = list(map(light_stem, small))
    for place, stem in enumerate(stems):
        if stem in kindred.FIRST:
            for length in range(kindred.LONGEST, 0, -1):
                thing = kindred.THINGS.get(tuple(stems[place : place + length]))
                if thing:
                    yield thing


def _initials(title: Sequence[KnownWord]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All the initials that a title has, or might be shortened to ("General Motors" to "GM"); and those that it has.

    A title in capitals throughout has none.
    """
    acronyms = tuple([word.acronym for word in title if word.acronym])
    if " ".join([word.written for word in title]).isupper():
        return (), ()
    found = list(acronyms)
    letters = ""
    for word in title:
        if word.capital:
            letters = (letters + word.written[0])[-LONGEST_INITIALS:]
            found += _endings(letters)
        elif letters and word.written not in _SMALL_IN_NAMES:
            letters = ""
    return tuple(dict.fromkeys(found)), acronyms


@lru_cache(maxsize=1 << 12)
def _endings(letters: str) -> tuple[str, ...]:
    """All the initials that end some capitals in a row."""
    return tuple([intern(f"#{letters[start:]}") for start in range(len(letters) - 1)])
