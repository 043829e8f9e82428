"""Text as words: what counts as one, its stem in its language, and the words that say nothing."""

import re
import unicodedata
from dataclasses import dataclass

import snowballstemmer

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}

# What ends a sentence or opens a quotation just before a word; then the word: "U.S.", or a run without spaces (Chinese,
# Japanese), or one with inner figures, ampersands and apostrophes.
_WORD = re.compile(
    r"([.!?:;“\"(|–—-]\s*)?"
    r"((?:[^\W\d_]\.){2,}|[\u3040-\u30ff\u3400-\u9fff]+"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:&[^\W_]+|[.,]\d+)*(?:'[^\W_]+)?)"
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_POSSESSIVE = re.compile(r"'s?$", re.IGNORECASE)

COMMON = frozenset(
    """
    a about above after again against ahead all also am amid among an and any are as at be because been before being
    below between both but by can could did do does doing down during each few first for from further had has have having
    he her here hers him his how i if in into is it its itself just live man me men more most my new no nor not now of off
    on once one only or other our out over own people per said same say says she should so some such than that the their
    them then there these they this those three through to too two under until up us very via vs was watch we were what
    when where which while who whom why will with woman women would you your
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday
    today tomorrow yesterday day days week weeks month months year years latest news update
    """.split()  # noqa: SIM905
)
"""Words in small letters that say nothing about which event is meant, the calendar's included."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, and its stem. `opens` is true where its capital may only mark the start of a sentence."""

    text: str
    stem: str
    opens: bool

    @property
    def capital(self) -> bool:
        """Whether it is written with a capital letter."""
        return self.text[0].isupper()


class Words:
    """Splits text into words, stemming each distinct word once. Not to be shared between threads."""

    def __init__(self) -> None:
        self._stems: dict[tuple[str, str], str] = {}
        self._stemmers: dict[str, snowballstemmer.stemmer] = {}

    def split(self, text: str, language: str) -> list[Word]:
        """The words of `text` in order, as `tokens` parts them."""
        return [Word(written, self.stem(written.lower(), language), opens) for written, opens in tokens(text)]

    def stem(self, word: str, language: str) -> str:
        """The stem of a word in lower case; the word itself where its language has no stemmer."""
        key = (language, word)
        known = self._stems.get(key)
        if known is None:
            known = self._stems[key] = self._stemmed(word, language)
        return known

    def _stemmed(self, word: str, language: str) -> str:
        if language not in _STEMMERS or not word.isalpha():
            return word
        if language not in self._stemmers:
            self._stemmers[language] = snowballstemmer.stemmer(_STEMMERS[language])
        return str(self._stemmers[language].stemWord(word))


def tokens(text: str) -> list[tuple[str, bool]]:
    """The words of `text` in order as written, and whether each opens a sentence, so that a capital says little of it.

    "U.S." is "US", a possessive loses its ending, and hyphens part words, so that a phrase matches either way. Scripts
    without spaces give every two neighbouring characters as a word.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    found: list[tuple[str, bool]] = []
    for mark, word in _WORD.findall(text):
        if not word.isascii() and _UNSPACED.match(word):
            found.extend((word[place : place + 2], True) for place in range(max(1, len(word) - 1)))
            continue
        written = word.replace(".", "") if word[-1] == "." else word
        found.append((_POSSESSIVE.sub("", written) if "'" in written else written, bool(mark) or not found))
    return found


def family(language: str) -> str:
    """The language without its region: "en" of "en-GB"."""
    return language.replace("_", "-").split("-")[0].lower()
