"""What holds for every article, whatever its feed sent: the promises that later parts rely on without looking again."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import regex

from digest.feeds.cleaning import pictures, urls
from digest.model import Article, Image

LONGEST_CLUSTERS = 4
_HIDDEN = set(
    "\u034f\u115f\u1160\u2800\u3164\uffa0\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\xad"
)
_PREPENDED = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_PUBLIC_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]")


def broken_promises(article: Article) -> list[str]:
    """Which promises an article breaks, each as a sentence; none is what every test wants."""
    return list(_broken(article))


def clusters(text: str) -> int:
    return len(regex.findall(r"\X", text))


def _broken(article: Article) -> Iterator[str]:
    texts = {
        "title": (article.title, 200),
        "summary": (article.summary, 600),
        "publisher": (article.publisher, 100),
        "author": (article.author, 100),
        **{f"category {number}": (name, 100) for number, name in enumerate(article.categories)},
    }
    for name, (text, most) in texts.items():
        yield from (f"the {name} {fault}" for fault in _faults_of_a_text(text, most))
    if article.image is not None:
        yield from _faults_of_a_picture(article.image, article.url)
    yield from _faults_of_a_page(article)
    wanted = {
        "there is a title": bool(article.title),
        "there is a publisher": bool(article.publisher),
        "the identifier is a short line": 0 < len(article.entry_id) <= max(500, len(article.url))
        and article.entry_id.isprintable(),
        "it was not published after it was seen": article.published_at <= article.first_seen_at,
        "its time is in UTC": article.published_at.utcoffset() == timedelta(),
        "the language is one": bool(re.fullmatch(r"[a-z]{2,3}", article.language)),
        "the fingerprint is one": bool(re.fullmatch(r"[0-9a-f]{64}", article.fingerprint)),
        "the categories are few": len(article.categories) <= 20,
        "the categories are distinct": len(set(article.categories) - {""}) == len(article.categories),
    }
    yield from (f"not so: {promise}" for promise, kept in wanted.items() if not kept)


def _faults_of_a_page(article: Article) -> Iterator[str]:
    page, _, fragment = article.url.partition("#")
    yield from (f"the {fault}" for fault in _faults_of_an_address(article.url))
    if urls.canonical(page, article.feed.url) != page:
        yield "the address has a shorter one"
    if fragment and not re.fullmatch(r"[0-9a-f]{16}", fragment):
        yield "the address has a fragment that is not ours"


def _faults_of_a_picture(image: Image, page: str) -> Iterator[str]:
    for name, text in (("credit", image.credit), ("alt", image.alt)):
        yield from (f"the picture's {name} {fault}" for fault in _faults_of_a_text(text, 200))
    yield from (f"the picture's {fault}" for fault in _faults_of_an_address(image.url))
    if urls.absolute(image.url, page) != image.url:
        yield "the picture's address would be written in another way"
    if not pictures.is_worthwhile(image):
        yield "the picture shows nothing"
    if any(size is not None and not 0 < size < 100_000 for size in (image.width, image.height)):
        yield "the picture's size is no number of pixels"


def _faults_of_a_text(text: str, most: int) -> Iterator[str]:
    if clusters(text) > most or len(text) > most * LONGEST_CLUSTERS:
        yield "is too long"
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        yield "holds control characters or surrogates"
    if any(unicodedata.category(character) == "Cf" and character not in _PREPENDED for character in text):
        yield "holds invisible characters"
    if _HIDDEN.intersection(text):
        yield "turns the direction of writing, or hides something"
    if text != " ".join(text.split()):
        yield "is not one line with single blanks"
    if "=?" in text:
        yield "could be read as an encoded word"
    if re.search(r"<[a-z/!?]", text, re.IGNORECASE):
        yield "holds markup"
    if regex.search(r"\p{M}{5}", text):
        yield "piles marks on a letter"
    if not unicodedata.is_normalized("NFC", text):
        yield "is not in NFC"


def _faults_of_an_address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        yield "address is not of the web"
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > urls.LONGEST:
        yield "address is too long, or not plain ASCII"
    if "@" in parts.netloc or "\\" in url or not _PUBLIC_HOST.fullmatch(re.sub(r":\d+$", "", parts.netloc)):
        yield "address has no public host"
    if re.search(r"[\"'<>`]", url.replace("'", "")):
        yield "address could end an attribute"
