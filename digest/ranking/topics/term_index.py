"""Finding the terms of all topics in a text, which is read once whatever their number."""

import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from digest.model import Topic
from digest.ranking.text import Word, Words

SHORT_NAME = 4
"""A word of a term that has a capital and at most so many letters is a name: "Fed", "Dow", "BoE"."""

_EDGES = string.punctuation + "‘’“”–—…"
# What most of what stands between spaces is without the punctuation around it: "price", "oil-price", "China's", "2026".
_PLAIN = re.compile(r"([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)(?:['’][sS])?")


@dataclass(frozen=True, slots=True)
class TermWord:
    """What a word of a text must be to stand for a word of a term.

    A name, which is an abbreviation ("GDP") or short ("Fed"), must be it as written, whatever the case of its later
    letters: "Feds" are others than the "Fed". Only an abbreviation has a plural, "IPOs". Any other word must have the
    same `stem`, and a capital where the term's has one. A name's `stem` is itself in small letters. Every word that
    fits begins with `beginning`, in small letters.
    """

    stem: str
    beginning: str
    capital: bool
    name: str = ""

    def fits(self, word: str, stem: Callable[[str], str]) -> bool:
        """Whether a word stands for it; `stem` gives the stem of a word in small letters."""
        lower = word.lower()
        if not lower.startswith(self.beginning) or (self.capital and not word[0].isupper()):
            return False
        if self.name:
            return lower == self.stem or (self.name.isupper() and word == f"{self.name}s")
        return stem(lower) == self.stem


@dataclass(frozen=True, slots=True)
class Entry:
    """A term of the topic at place `topic`, as the editor wrote it and word by word. Weight is negative if against.

    `rarest` is the place of the longest word, by which the term is looked up: "the euro" is asked for where a text has
    "euro", not at every "the". Terms of the same `stems` are one term.
    """

    topic: int
    text: str
    weight: float
    words: tuple[TermWord, ...]
    stems: tuple[str, ...]
    rarest: int


Match = tuple[int, int, Entry]
"""A term that stands in a text at its words [start, end): start, end, term."""


class TermIndex:
    """The terms of all topics as they are in one language, ready to be found. Not to be shared between threads.

    What a word is to the terms is worked out once and remembered, so that most of a text is read by looking up what
    stands between its spaces.
    """

    def __init__(self, topics: Sequence[Topic], language: str) -> None:
        words = Words()
        self._stem: Callable[[str], str] = lambda word: words.stem(word, language)
        self._pieces = _Pieces(words)
        self._starts = _Starts(entries(topics, language, words), self._stem)
        self._labels: dict[str, Sequence[Match]] = {}

    def words(self, text: str) -> list[str]:
        """The words of a text as written, those that `Words.split` finds."""
        return list(chain.from_iterable(map(self._pieces.__getitem__, text.split())))

    def matches(self, text: str) -> list[Match]:
        """Every term that stands in a text, also those that a longer one covers."""
        words = self.words(text)
        found: list[Match] = []
        phrases: list[tuple[int, Entry]] = []
        for place, start in enumerate(map(self._starts.__getitem__, words)):
            if start is None:
                continue
            alone, before, after = start
            if alone:
                found += [(place, place + 1, entry) for entry in alone]
            if before is not None and place > 0:
                phrases += [(place - entry.rarest, entry) for entry in before[words[place - 1]]]
            if after is not None and place + 1 < len(words):
                phrases += [(place, entry) for entry in after[words[place + 1]]]
        return found + [
            (start, start + len(entry.words), entry) for start, entry in phrases if self._stands(entry, words, start)
        ]

    def label(self, text: str) -> Sequence[Match]:
        """The same for a short text that comes again and again, such as a category; remembered."""
        known = self._labels.get(text)
        if known is None:
            known = self._labels[text] = self.matches(text)
        return known

    def _stands(self, entry: Entry, words: Sequence[str], start: int) -> bool:
        """Whether a phrase stands at `start`, where its rarest word and one beside it do."""
        if len(entry.words) == 2:  # noqa: PLR2004
            return True
        those = words[start : start + len(entry.words)] if start >= 0 else ()
        return len(those) == len(entry.words) and all(
            wanted.fits(word, self._stem) for word, wanted in zip(those, entry.words, strict=True)
        )


def entries(topics: Sequence[Topic], language: str, words: Words | None = None) -> Iterator[Entry]:
    """The terms of all topics as they are in a language, those that speak for a topic before those against it."""
    words = words or Words()
    for number, topic in enumerate(topics):
        for sign, terms in ((1.0, topic.terms), (-1.0, topic.against)):
            for term in terms:
                wanted = tuple(_term_word(word, language) for word in words.split(term.text, language))
                if wanted:
                    stems = tuple(word.stem for word in wanted)
                    yield Entry(number, term.text, sign * term.weight, wanted, stems, stems.index(max(stems, key=len)))


def longest(matches: Sequence[Match]) -> Sequence[Match]:
    """The matches left when the longest, and of equal length the first, has taken its words."""
    if all(end - start == 1 for start, end, _ in matches):
        return matches
    left = []
    taken: dict[int, tuple[int, int]] = {}
    for match in sorted(matches, key=lambda match: (match[0] - match[1], match[0])):
        span = match[:2]
        places = range(*span)
        if all(taken.get(place, span) == span for place in places):
            taken.update(dict.fromkeys(places, span))
            left.append(match)
    return left


class _Pieces(dict[str, tuple[str, ...]]):
    """The words of what stands between two spaces."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, piece: str) -> tuple[str, ...]:
        word = piece.strip(_EDGES)
        if word.isascii() and word.isalnum():
            words: tuple[str, ...] = (word,)
        elif plain := _PLAIN.fullmatch(word):
            words = tuple(plain[1].split("-"))
        else:
            # No language, no stemming.
            words = tuple(found.text for found in self._words.split(piece, language=""))
        self[piece] = words
        return words


class _Start(NamedTuple):
    """The terms of which a word is the rarest: those that are it alone, and phrases by the word next to it."""

    alone: Sequence[Entry]
    before: "_Phrases | None"
    after: "_Phrases | None"


class _Starts(dict[str, _Start | None]):
    """What each word is the rarest of. Stemming is dear, and most words begin like no term, which is asked first."""

    def __init__(self, entries: Iterable[Entry], stem: Callable[[str], str]) -> None:
        super().__init__()
        self._stem = stem
        self._names: dict[str, list[Entry]] = defaultdict(list)
        self._stems: dict[str, list[Entry]] = defaultdict(list)
        beginnings: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            rarest = entry.words[entry.rarest]
            if rarest.name:
                self._names[rarest.stem].append(entry)
                self._names[f"{rarest.stem}s"].append(entry)
            else:
                self._stems[rarest.stem].append(entry)
                beginnings[rarest.beginning[:2]].add(rarest.beginning)
        # A beginning that is shorter than the two letters it is looked up by may be any word's.
        short = {one for letters, those in beginnings.items() if len(letters) < 2 for one in those}  # noqa: PLR2004
        self._short = tuple(sorted(short))
        self._beginnings = {letters: tuple(sorted(those | short)) for letters, those in beginnings.items()}

    def __missing__(self, word: str) -> _Start | None:
        lower = word.lower()
        entries: Sequence[Entry] = self._names.get(lower, ())
        if lower.startswith(self._beginnings.get(lower[:2], self._short)):
            entries = [*entries, *self._stems.get(self._stem(lower), ())]
        self[word] = start = self._start(word, entries) if entries else None
        return start

    def _start(self, word: str, candidates: Sequence[Entry]) -> _Start | None:
        entries = [entry for entry in candidates if entry.words[entry.rarest].fits(word, self._stem)]
        if not entries:
            return None
        before = [(one.words[one.rarest - 1], one) for one in entries if one.rarest > 0]
        after = [(one.words[1], one) for one in entries if one.rarest == 0 and len(one.words) > 1]
        return _Start(
            [one for one in entries if len(one.words) == 1],
            _Phrases(before, self._stem) if before else None,
            _Phrases(after, self._stem) if after else None,
        )


class _Phrases(dict[str, Sequence[Entry]]):
    """Phrases by a word beside their rarest."""

    def __init__(self, phrases: Sequence[tuple[TermWord, Entry]], stem: Callable[[str], str]) -> None:
        super().__init__()
        self._phrases = phrases
        self._stem = stem
        self._beginnings = tuple(dict.fromkeys(wanted.beginning for wanted, _ in phrases))

    def __missing__(self, word: str) -> Sequence[Entry]:
        found: Sequence[Entry] = ()
        if word.lower().startswith(self._beginnings):
            found = [entry for wanted, entry in self._phrases if wanted.fits(word, self._stem)]
        self[word] = found
        return found


def _term_word(word: Word, language: str) -> TermWord:
    # German writes every noun with a capital; there only an abbreviation is surely a name.
    short = language != "de" and word.capital and len(word.text) <= SHORT_NAME
    if word.text.isupper() or short:
        lower = word.text.lower()
        return TermWord(lower, lower, word.capital, name=word.text)
    return TermWord(word.stem, english_beginning(word.stem) if language == "en" else "", word.capital)


def english_beginning(stem: str) -> str:
    """What every English word of a stem begins with.

    The English stemmer (Porter2) cuts endings off and changes what is then the last letter: "cry" and "cries" are
    "cri", "hoping" is "hope", "capability" is "capabl"; "lying" is "lie" and "skies" is "sky".
    """
    if stem.endswith("ie"):
        return stem[:-2] or stem[:1]
    return stem[:-1] or stem if stem.endswith(("i", "e", "bl", "sky")) else stem
