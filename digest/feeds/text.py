"""Feed text into plain text: no markup, nothing invisible, nothing that could pass for a mail header."""

import html
import re
import unicodedata

import nh3

_BLOCK = re.compile(
    r"<(?=/?(?:p|br|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|section|article|aside|figure|figcaption|hr|pre)\b)",
    re.IGNORECASE,
)
_DROPPED_WITH_CONTENT = {
    *("script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "xmp", "plaintext"),
    *("select", "textarea", "button", "title"),
}
_MARKUP_LEFT = re.compile(r"</?[a-z][^<>]*>|&(?:#\w+|[a-z]\w+);", re.IGNORECASE)
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILED_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")
_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|\(\s*(?:…|\.\.\.)\s*\)|…|\.\.\.)\s*$")
_SYNDICATED = re.compile(
    r"(?:^|\s)The post (?:(?!The post ).){1,300} (?:appeared first on|first appeared on) .{1,100}$"
)
_INVITATION = re.compile(
    r"(?:^|(?<=[.!?…»”\"'\])]))\s*\(?"
    r"(?:Continue reading|Keep reading|Read more|Read on|Read the full (?:story|article)|Read full (?:story|article)"
    r"|Weiterlesen|Mehr lesen|Lire la suite|Lire plus|Leer más|Seguir leyendo|Continua a leggere|Leia mais|Читать далее)"
    r"\b[^.!?]{0,150}[.!?…]?\)?$"
)
_WORD = re.compile(r"\w+")

_MOST_ROUNDS = 2
_UNREADABLE_SHARE = 0.05


def plain(text: str) -> str:
    """The words a reader would see: one line, NFC, without markup, controls, invisible and direction characters.

    Entities are resolved once more where a feed escaped twice. Every `=?` is broken up, so that no text can become an
    encoded word in a mail header.
    """
    for _ in range(_MOST_ROUNDS):
        text = _without_markup(_INVISIBLE.sub("", text))
        if not _MARKUP_LEFT.search(text):
            break
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = _PILED_MARKS.sub(r"\1", text)
    return " ".join(text.split()).replace("=?", "= ?")


def is_unreadable(text: str) -> bool:
    """Whether so much of a text was lost in decoding that nobody should see it."""
    return text.count("\ufffd") > len(text) * _UNREADABLE_SHARE


def cut(text: str, most: int) -> str:
    """At most `most` characters, ended by "…" after a whole word where something was left out."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    if not text[most - 1].isspace() and len(head := kept.rpartition(" ")[0]) > most // 2:
        kept = head
    while kept and (unicodedata.combining(text[len(kept)]) or text[len(kept)] == "\ufe0f"):
        kept = kept[:-1]
    return kept.rstrip(" ,;:.–—-…") + "…"


def without_invitation(text: str) -> str:
    """A summary without the feed software's closing line ("The post … appeared first on …", "Read more", "[…]")."""
    while (shorter := _INVITATION.sub("", _SYNDICATED.sub("", text)).rstrip()) != text:
        text = shorter
    if shorter := _ELLIPSIS.sub("", text):
        return text if shorter == text else shorter.rstrip(" ,;:") + ("" if shorter[-1] in ".!?" else "…")
    return ""


def words(text: str) -> str:
    """A text's words alone, in one case, to compare what two texts say."""
    return " ".join(_WORD.findall(text.casefold()))


def _without_markup(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", text), tags=set(), clean_content_tags=_DROPPED_WITH_CONTENT)
    return html.unescape(text)
