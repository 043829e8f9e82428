"""Feed text into plain text: no markup, nothing invisible, nothing that could pass for a mail header."""

import html
import re
import unicodedata
from itertools import islice

import nh3
import regex

_BLOCK = re.compile(
    r"<(?=/?(?:p|br|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|section|article|aside|figure|figcaption|hr|pre)\b)",
    re.IGNORECASE,
)
_DROPPED_WITH_CONTENT = {
    *("script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "xmp", "plaintext"),
    *("select", "textarea", "button", "title"),
}
_CLEANER = nh3.Cleaner(tags=set(), clean_content_tags=_DROPPED_WITH_CONTENT)
_TAG = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_MARKUP_LEFT = re.compile(rf"{_TAG.pattern}|&(?:#\w+|[a-z]\w+);", re.IGNORECASE)
_NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb"
    rf"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff{_NONCHARACTERS}]"
)
# Latin, Greek and Cyrillic letters, common punctuation and currency signs: all visible, all in NFC, none a mark.
_ORDINARY = re.compile(
    r"[\t\n\r !-%'-;=-~\xa0-\xac\xae-\u024f\u0391-\u03a9\u03b1-\u03c9\u0400-\u0481\u048a-\u052f\u2010-\u2027\u20a0-\u20bf]*"
)
_PILED_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")
_CLUSTER = regex.compile(r"\X")
_WORD = re.compile(r"\w+")

_MOST_ROUNDS = 4
_UNREADABLE_SHARE = 0.05
_LONGEST_CLUSTERS = 4
"""How many code points a cluster may have on the average: some scripts let one go on for ever."""


def plain(text: str) -> str:
    """The words a reader would see: one line, NFC, without markup, controls, invisible and direction characters.

    Entities are resolved once more where a feed escaped twice. At most four marks stay on a letter. Every `=?` is
    broken up, so that no text can become an encoded word in a mail header.
    """
    if not _ORDINARY.fullmatch(text):
        text = unicodedata.normalize("NFC", _without_markup(_INVISIBLE.sub("", text)))
        if not text.isascii():
            text = _PILED_MARKS.sub(r"\1", text)
    return " ".join(text.split()).replace("=?", "= ?")


def is_unreadable(text: str) -> bool:
    """Whether so much of a text was lost in decoding that nobody should see it."""
    return text.count("\ufffd") > len(text) * _UNREADABLE_SHARE


def cut(text: str, most: int) -> str:
    """At most `most` characters, ended by "…" after a whole word where something was left out.

    A character is what a reader takes for one: an extended grapheme cluster (Unicode Standard Annex 29).
    """
    if len(text) <= most:
        return text
    end = most - 1 if text.isascii() else _end_of_clusters(text, most)
    if end is None:
        return text
    kept = text[:end]
    if not text[end].isspace() and len(head := kept.rpartition(" ")[0]) > most // 2:
        kept = head
    return kept.rstrip(" ,;:.–—-…") + "…"


def words(text: str) -> str:
    """A text's words alone, in one case, to compare what two texts say."""
    return " ".join(_WORD.findall(text.casefold()))


def _without_markup(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    for _ in range(_MOST_ROUNDS):
        if "<" in text:
            text = _CLEANER.clean(_BLOCK.sub(" <", text))
        text = _INVISIBLE.sub("", html.unescape(text))
        if not _MARKUP_LEFT.search(text):
            return text
    return _TAG.sub("", text)


def _end_of_clusters(text: str, most: int) -> int | None:
    """Where one less than `most` clusters end, or None if the whole text has no more than `most`."""
    longest = most * _LONGEST_CLUSTERS
    starts = [cluster.start() for cluster in islice(_CLUSTER.finditer(text, 0, longest), most + 1)]
    if len(starts) <= most and len(text) <= longest:
        return None
    return starts[min(most, len(starts)) - 1]
