"""What must be right of a finished edition before it may be sent. Pure: texts in, findings out.

Whatever could go wrong between what was chosen and what a reader sees is looked for in the finished texts, as a mail program
would read them, and not in what they were made of.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import chain
from unicodedata import category
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from lxml import etree
from lxml import html as documents

from digest.editions import layout
from digest.model import Edition, Item

MOST_BYTES = 90 * 1024
"""Mail programs clip an HTML part of some 102 kB, and with it the link to unsubscribe; refused well before that."""
MANY_BYTES = 60 * 1024
LONGEST_SUBJECT = 100
MOST_OF_ONE = 0.3
"""The share of the stories that one publisher may lead before the editors are told."""

OLD = timedelta(days=5)
"""A market block whose newest value is older than a weekend with holidays on either side deserves a look."""

# Whatever of these is left in a finished text was to be replaced, or was written where there was nothing to write.
_LEFT_OVER = re.compile(
    r"__[A-Z][A-Z_]*__|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\b(?:None|nan|NaN|Undefined|undefined)\b", re.DOTALL
)
# All that an address may hold as it is, the sign of what is escaped among it.
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_ADDRESS = re.compile(r"^\s*((?:https?://|mailto:)\S+)\s*$", re.MULTILINE)


class Gate(StrEnum):
    """What is looked at."""

    RENDERING = "rendering"
    SIZE = "size"
    MARKS = "marks"
    STORIES = "stories"
    LINKS = "links"
    PICTURE = "picture"
    MARKET = "market"
    SUBJECT = "subject"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in a sentence. One that `refuses` keeps the edition from being sent."""

    gate: Gate
    sentence: str
    refuses: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """A cut as one reader would get it, with every mark filled, and its page and its entry in the feed, "" where none is meant.

    `unsubscribe` is this reader's link, `site` the address that all of our own links begin with, `kept` the names of the pictures
    that we have.
    """

    cut: Edition
    subject: str
    text: str
    html: str
    unsubscribe: str
    site: str
    page: str = ""
    entry: str = ""
    kept: frozenset[str] = frozenset()


def findings(proof: Proof) -> tuple[Finding, ...]:
    """Everything that is wrong, what refuses first."""
    try:
        mail = documents.fromstring(proof.html)
        others = {"page": proof.page, "feed": proof.entry}
        public = {where: documents.fromstring(content) for where, content in others.items() if content}
    except (etree.ParserError, ValueError) as error:
        return (Finding(Gate.RENDERING, f"The mail is no HTML: {error}."),)
    found = chain(
        _size(proof),
        _subject(proof.subject),
        _left_over(proof, mail),
        _stories(proof, mail, public),
        _links(proof, mail),
        _pictures(proof, mail),
        _market(proof.cut),
        _balance(layout.shown(proof.cut)),
    )
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: not finding.refuses))


def _size(proof: Proof) -> Iterator[Finding]:
    size = len(proof.html.encode())
    if size > MANY_BYTES:
        limit = f"{MOST_BYTES // 1024} kB are the most" if size > MOST_BYTES else "mail programs cut off long ones"
        yield Finding(Gate.SIZE, f"The HTML has {size / 1024:.0f} kB; {limit}.", refuses=size > MOST_BYTES)


def _subject(subject: str) -> Iterator[Finding]:
    if not subject.strip():
        yield Finding(Gate.SUBJECT, "The subject is empty.")
    elif len(subject) > LONGEST_SUBJECT:
        yield Finding(Gate.SUBJECT, f"The subject has {len(subject)} characters; phones show 40.", refuses=False)


def _left_over(proof: Proof, mail: documents.HtmlElement) -> Iterator[Finding]:
    """Marks and the like that nobody filled. What feeds and editors wrote may hold anything."""
    given = set(_LEFT_OVER.findall("\n".join(_given(proof.cut))))
    for part, text in (("subject", proof.subject), ("text", proof.text), ("HTML", proof.html)):
        # Style sheets have braces of their own, and addresses may say anything.
        seen = " ".join(_visible(mail)) if part == "HTML" else _ADDRESS.sub("", text)
        left = sorted({found for found in _LEFT_OVER.findall(seen) if found not in given})
        if left:
            yield Finding(
                Gate.MARKS, f"The {part} holds {', '.join(f'“{one[:40]}”' for one in left[:3])}, left unfilled."
            )


def _given(edition: Edition) -> Iterator[str]:
    yield edition.title
    yield from edition.topic_titles.values()
    for item in layout.shown(edition):
        yield from (item.title, item.summary, item.publisher)
        yield from (reference.publisher for reference in item.also)
        if item.update:
            yield item.update.news
        if item.picture:
            yield from (item.picture.alt, item.picture.credit)
    for event in edition.events:
        yield from (event.title, event.calendar)
    for quote in edition.quotes:
        yield from (quote.name, quote.source)


def _visible(document: documents.HtmlElement) -> Iterator[str]:
    for element in document.iter():
        if isinstance(element.tag, str) and element.tag not in {"style", "script", "title"} and element.text:
            yield element.text
        if element.tail:
            yield element.tail


def _stories(
    proof: Proof, mail: documents.HtmlElement, public: Mapping[str, documents.HtmlElement]
) -> Iterator[Finding]:
    """The same stories in the same order, wherever they stand."""
    items = layout.in_order(proof.cut)
    if not items:
        yield Finding(Gate.STORIES, "There is no story in it.")
        return
    meant = [_target(item.url) for item in items if item.url]
    twice = sorted({url for url in meant if meant.count(url) > 1})
    if twice:
        yield Finding(Gate.STORIES, f"{twice[0]} is the link of two stories.")
    places = [("HTML", _hrefs(mail)), ("text", _ADDRESS.findall(proof.text))]
    places += [(where, _hrefs(document)) for where, document in public.items()]
    for where, addresses in places:
        shown = [url for url in dict.fromkeys(map(_target, addresses)) if url in set(meant)]
        if missing := [url for url in meant if url not in shown]:
            yield Finding(Gate.STORIES, f"The {where} lacks the story at {missing[0]}.")
        elif shown != list(dict.fromkeys(meant)):
            yield Finding(Gate.STORIES, f"The {where} has the stories in another order.")


def _links(proof: Proof, mail: documents.HtmlElement) -> Iterator[Finding]:
    written = {_target(address) for address in _ADDRESS.findall(proof.text)}
    for where, there in (
        ("HTML", _target(proof.unsubscribe) in map(_target, _hrefs(mail))),
        ("text", _target(proof.unsubscribe) in written),
    ):
        if not there:
            yield Finding(Gate.LINKS, f"The {where} has no link to unsubscribe.")
    for link in mail.iter("a"):
        href = link.get("href", "").strip()
        if not _is_whole(href):
            yield Finding(Gate.LINKS, f"A link leads to “{href[:60]}”, which is no whole address.")
        elif not "".join(link.itertext()).strip() and not any(image.get("alt") for image in link.iter("img")):
            yield Finding(Gate.LINKS, f"The link to {href} has no words.")
    lacking = sorted(url for url in set(map(_target, _hrefs(mail))) - written if url.startswith("http"))
    if lacking:
        yield Finding(
            Gate.LINKS, f"The text lacks {len(lacking)} of the HTML's links, such as {lacking[0]}.", refuses=False
        )


def _is_whole(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in {"http", "https"} else parts.scheme == "mailto" and "@" in parts.path


def _pictures(proof: Proof, mail: documents.HtmlElement) -> Iterator[Finding]:
    for image in mail.iter("img"):
        source = image.get("src", "")
        if not source.startswith(f"{proof.site}/"):
            yield Finding(
                Gate.PICTURE, f"A picture is fetched from elsewhere, {source[:80]}, which would tell on readers."
            )
        if not image.get("alt", "").strip():
            yield Finding(Gate.PICTURE, "A picture has no words for those who do not see it.")
        if not image.get("width", "").isdigit():
            yield Finding(Gate.PICTURE, "A picture does not say how wide it is.", refuses=False)
    text = " ".join(" ".join(_visible(mail)).split())
    for item in layout.shown(proof.cut):
        if item.picture is None:
            continue
        if item.picture.name not in proof.kept:
            yield Finding(Gate.PICTURE, f"The picture {item.picture.name} is not in the archive.")
        if item.picture.credit and " ".join(item.picture.credit.split()) not in text:
            yield Finding(Gate.PICTURE, f"The credit “{item.picture.credit}” is not shown.")


def _market(edition: Edition) -> Iterator[Finding]:
    for quote in edition.quotes:
        values = [value for value in (quote.value, quote.previous) if value is not None]
        if not all(value.is_finite() for value in values):
            yield Finding(Gate.MARKET, f"{quote.name or quote.series} has a value that is no number.")
        if quote.day > edition.date:
            yield Finding(Gate.MARKET, f"{quote.name or quote.series} is of {quote.day}, which has not come yet.")
    newest = max((quote.day for quote in edition.quotes), default=edition.date)
    if edition.date - newest > OLD:
        yield Finding(Gate.MARKET, f"All market values are old; the newest is of {newest}.", refuses=False)


def _balance(items: Sequence[Item]) -> Iterator[Finding]:
    publishers = [item.publisher for item in items]
    for name in dict.fromkeys(publishers):
        led = publishers.count(name)
        if led > 1 and led > MOST_OF_ONE * len(items):
            yield Finding(Gate.BALANCE, f"{name} leads {led} of {len(items)} stories.", refuses=False)


def _hrefs(document: documents.HtmlElement) -> Iterable[str]:
    return [link.get("href", "").strip() for link in document.iter("a")]


def _target(url: str) -> str:
    """An address without the differences of spelling that a document makes: what is invisible, escaped, or beyond ASCII."""
    visible = "".join(character for character in url.strip() if category(character) not in {"Cc", "Cf"})
    return percent_encoded(visible, safe=_ASCII).replace("%5F", "_")
