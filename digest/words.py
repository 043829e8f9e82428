"""Text as the words by which it is found, and what somebody typed as a question about such words.

Capitals, accents and presentation forms are folded away here and not by a database, so that both databases find the same.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MOST_TYPED = 400
"""Characters of a question that count; whoever types more has pasted something."""

MOST_TERMS = 16
LONGEST_WORD = 64
SHORTEST_BEGINNING = 4
"""Letters from which on the last word of a question also finds the longer words that begin with it."""

_SHORTEST_STARRED = 2
# Letters that Unicode does not take apart, as those who lack them on their keyboard write them.
_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
# Thai, Lao, Burmese, Khmer, Japanese and Chinese put no blanks between words: each of their characters is a word, and a run
# of them is found as a phrase.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_CHUNK = re.compile(r'(-?)"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand next to each other; where it is a `beginning`, the last of them may go on."""

    words: tuple[str, ...]
    beginning: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody typed: every `wanted` term has to be there and no `unwanted` one. `text` is it as it may be shown again."""

    text: str = ""
    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether a question asked for it."""

    text: str
    asked: bool


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(_folded(text))]


def question(typed: str) -> Question:
    """What somebody means by what was typed, whatever that is: words, "several in a row", -unwanted ones, beginnin*."""
    text = "".join(character for character in typed[:MOST_TYPED] if character.isprintable() or character.isspace())
    text = " ".join(text.split())
    chunks = list(_CHUNK.finditer(text.translate(_QUOTES)))
    wanted, unwanted = [], []
    for chunk in chunks:
        minus, quoted, plain = chunk.groups()
        said = tuple(words(quoted or plain or ""))
        if not said:
            continue
        if minus or (plain and plain.startswith("-")):
            unwanted.append(Term(said))
        else:
            wanted.append(Term(said, beginning=bool(plain) and _goes_on(plain, said[-1], last=chunk is chunks[-1])))
    return Question(text, tuple(wanted[:MOST_TERMS]), tuple(unwanted[:MOST_TERMS]))


def marked(text: str, asked: Question) -> list[Piece]:
    """The text in pieces, those apart that the question asked for; put together they are the text."""
    folded, origin = _folded_with_origin(text)
    found = [(match[0][:LONGEST_WORD], match.start(), match.end()) for match in _WORD.finditer(folded)]
    asked_for = [False] * len(text)
    for start, end in _runs([word for word, _, _ in found], asked.wanted):
        first, last = origin[found[start][1]], origin[found[end - 1][2] - 1]
        while last + 1 < len(text) and not _plain(text[last + 1]):
            last += 1  # an accent that stands alone belongs to the letter before it
        asked_for[first : last + 1] = [True] * (last + 1 - first)
    pieces: list[Piece] = []
    begin = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or asked_for[place] != asked_for[begin]:
            pieces.append(Piece(text[begin:place], asked_for[begin]))
            begin = place
    return pieces


def _goes_on(chunk: str, word: str, *, last: bool) -> bool:
    if chunk.endswith("*"):
        return len(word) >= _SHORTEST_STARRED
    return last and len(word) >= SHORTEST_BEGINNING and word.isalpha()


def _runs(found: list[str], terms: tuple[Term, ...]) -> Iterator[tuple[int, int]]:
    """Where the terms stand among the words: the first, and the one after the last."""
    for term in terms:
        *firsts, last = term.words
        for start in range(len(found) - len(firsts)):
            end = start + len(firsts)
            fits = found[end].startswith(last) if term.beginning else found[end] == last
            if fits and found[start:end] == firsts:
                yield start, end + 1


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_plain, text))


def _folded_with_origin(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in the text that it comes from."""
    parts = [_plain(character) for character in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """What is left of a character without its case, its form and its marks; a mark alone is nothing."""
    apart = unicodedata.normalize("NFKD", character.casefold()).casefold()
    return "".join(_PLAIN.get(one, one) for one in apart if not unicodedata.category(one).startswith("M"))
