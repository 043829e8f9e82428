"""Which of a document's items are new, found out without reading them, so that only those need to be read. Pure.

A reader of feeds spends its time on items that it has read before. This one walks over the document once with expat,
as feedparser does, gives each item a mark, and cuts out what is known or what nothing is read from. That is sound
only where no item changes how another one is read; wherever a document might do that, nothing is cut.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from digest.feeds.outcomes import ParseFailed
from digest.feeds.reading import rhythm

MARK_BYTES = 8
"""The length of an item's mark."""

DEEPEST = 256
"""How deep elements may stand in one another; libxml2 stops there too."""
MOST_ATTRIBUTES = 64
LONGEST_SHORT_FIELD = 1024
"""How many bytes an author or a date may have. What is longer is none, and costs feedparser the square of its length."""
MOST_CATEGORIES = 64

_READING_RULES = b"1"
"""Part of every mark: another value makes every item new, and is due when entries are read differently than before."""

_PLAIN = frozenset({
    *("", "http://backend.userland.com/rss", "http://backend.userland.com/rss2"),
    *("http://blogs.law.harvard.edu/tech/rss", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"),
    *("http://purl.org/atom/ns#", "http://www.w3.org/2005/atom"),
})  # fmt: skip
"""The namespaces, in lower case, of the formats themselves."""
_OFTEN_BOUND = _PLAIN | {"http://www.w3.org/1999/xhtml"}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDF_ABOUT = f"{_RDF} about"
_RDF_FEEDS = ("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/")

# Local names, whatever their namespace: who knows one of them by another prefix may still be understood.
_READ_OF_ITEMS = frozenset({
    *("title", "link", "guid", "id", "origlink", "source", "language"),
    *("description", "abstract", "summary", "content", "body", "fullitem", "encoded"),
    *("pubdate", "published", "issued", "updated", "modified", "lastbuilddate", "date"),
    *("author", "managingeditor", "creator", "category", "keywords", "subject", "tags"),
    *("enclosure", "image", "thumbnail", "credit", "copyright", "text", "textinput"),
})  # fmt: skip
_READ_OF_FEEDS = frozenset({"title", "link", "language", "ttl"})
_SHORT = frozenset({
    *("author", "managingeditor", "creator", "webmaster", "publisher", "contributor", "owner"),
    *("pubdate", "published", "issued", "updated", "modified", "lastbuilddate", "date"),
})  # fmt: skip
_CATEGORIES = frozenset({"category", "keywords", "subject", "tags"})
_STRUCTURE = frozenset({"item", "entry", "channel", "feed", "rss", "rdf"})
_TEXTS = frozenset({
    *("title", "description", "abstract", "summary", "content", "body", "fullitem", "encoded"),
    *("subtitle", "tagline", "rights", "copyright", "info", "browserfriendly"),
})  # fmt: skip
_MEDIA_CONTENT = {"http://search.yahoo.com/mrss/ content", "http://search.yahoo.com/mrss content"}
ENDINGS = frozenset({
    *("abstract", "author", "block", "body", "box", "browserfriendly", "category", "channel", "chapters", "content"),
    *("contributor", "copyright", "created", "creator", "credit", "date", "description", "email", "encoded", "entry"),
    *("expirationdate", "explicit", "exterior", "feed", "fullitem", "generator", "geom", "guid", "height", "homepage"),
    *("id", "image", "info", "issued", "item", "keywords", "language", "lastbuilddate", "license", "line"),
    *("linearring", "linestring", "link", "managingeditor", "modified", "name", "newlocation", "owner", "player"),
    *("point", "polygon", "pos", "poslist", "pubdate", "published", "publisher", "rating", "restriction", "rights"),
    *("source", "subject", "subtitle", "summary", "tagline", "tags", "textinput", "thumbnail", "title", "updated"),
    *("uri", "url", "valid", "webmaster", "where", "width"),
})  # fmt: skip
"""The local names at whose end feedparser does something, even where they are mere markup inside a text."""

_RAW_NAME = re.compile(rb"[^\s/>]+")
_START_TAG = re.compile(rb"""<[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""")


class _Kind:
    """What matters of an element's name; worked out once for each name in a document."""

    __slots__ = ("is_category", "is_ending", "is_identifier", "is_link", "is_read", "is_short", "is_text", "local")

    def __init__(self, name: str) -> None:
        self.local = local = name.rpartition(" ")[2].lower()
        # feedparser joins a prefix and a name with "_": such a name may be any of those it knows.
        self.is_read = local in _READ_OF_ITEMS or "_" in local
        self.is_ending = local in ENDINGS or "_" in local
        self.is_text = local in _TEXTS and name.lower() not in _MEDIA_CONTENT
        self.is_short = local in _SHORT
        self.is_category = local in _CATEGORIES
        self.is_identifier = local in {"guid", "id"}
        self.is_link = local == "link"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is left of a document when everything known and unread is cut out of it, and what the whole of it shows.

    `marks` are those of all items in document order; `known` counts the items cut out. The rest is as in `Parsed`.
    """

    document: bytes
    marks: bytes
    known: int
    shared_ids: bool
    silent_hours: tuple[int, ...]
    silent_days: tuple[int, ...]


class _Unsure(Exception):
    """One item of the document may change how another one is read."""


class _TooMuch(Exception):
    """The document has what no feed has."""


def scan(document: bytes, url: str, known: bytes) -> Scanned | ParseFailed | None:
    """Mark a document's items, and cut out what need not be read; None where that is not safe.

    A mark is a hash of all that an entry is read from: the item's bytes without the parts that nothing is read from,
    and what it inherits (address, language, base and namespaces). It is the same wherever the item stands.

    Args:
        document: in UTF-8, beginning with a declaration that says so.
        url: where it was found; relative links are resolved against it.
        known: the marks of the items to leave out, one after the other.
    """
    scanner = _Scanner(document, url, known)
    try:
        scanner.run()
    except _TooMuch as error:
        return ParseFailed(str(error))
    except (_Unsure, expat.ExpatError):
        return None
    return scanner.scanned()


def shares_ids(pairs: Iterable[tuple[object, object]]) -> bool:
    """Whether one identifier stands with two different links. Pairs that lack one of them say nothing."""
    links: dict[object, object] = {}
    return any(links.setdefault(identifier, link) != link for identifier, link in pairs if identifier and link)


class _Scanner:
    """One walk over one document.

    Below the root and its channel, the containers, stand items and pieces of the feed; below an item stand pieces of
    the item. A piece is kept or cut as a whole, with everything in it.
    """

    def __init__(self, document: bytes, url: str, known: bytes) -> None:
        self._document = document
        self._known = {known[at : at + MARK_BYTES] for at in range(0, len(known), MARK_BYTES)}
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartNamespaceDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._doctype

        self._cursor = 0
        self._kept: list[bytes] = []
        self._marks: list[bytes] = []
        self._left_out = 0
        self._pairs: list[tuple[bytes, bytes]] = []
        self._silent: dict[str, bytes] = {}

        self._kinds: dict[str, _Kind] = {}
        self._depth = 0
        self._root = ""
        self._containers: list[int] = []
        self._inherited = [hashlib.blake2b(_READING_RULES + url.encode("utf-8", "replace"), digest_size=MARK_BYTES)]
        self._declared: list[tuple[str, str]] = []
        self._prefixes: dict[str, str] = {}
        self._namespaces: dict[str, set[str]] = {}

        self._item = self._item_at = 0
        self._item_kept: list[bytes] = []
        self._item_is_monstrous = False
        self._identifier = self._link = b""
        self._categories = 0

        self._piece = self._piece_at = 0
        self._piece_kind = _Kind("")
        self._piece_is_read = self._piece_is_monstrous = False
        self._short = self._short_at = 0
        self._text = 0
        self._text_is_xhtml = False

    def run(self) -> None:
        self._parser.Parse(self._document, True)
        self._kept.append(self._document[self._cursor :])

    def scanned(self) -> Scanned:
        return Scanned(
            document=b"".join(self._kept),
            marks=b"".join(self._marks),
            known=self._left_out,
            shared_ids=shares_ids(self._pairs),
            silent_hours=rhythm.silent_hours(self._silent.get("skiphours", b"")),
            silent_days=rhythm.silent_days(self._silent.get("skipdays", b"")),
        )

    # ── what expat tells ─────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        kind = self._kinds.get(name) or self._kinds.setdefault(name, _Kind(name))
        if self._piece:
            self._start_inside(kind, attributes)
        elif self._item:
            self._start_piece(kind, attributes, is_read=kind.is_read)
        elif not self._containers:
            self._start_root(name, kind.local, attributes)
        elif kind.local in {"item", "entry"}:
            self._start_item(name, attributes)
        elif kind.local == "channel" and len(self._containers) == 1 and self._root != "feed":
            self._start_channel(name, attributes)
        else:
            self._start_piece(kind, attributes, is_read=kind.local in _READ_OF_FEEDS)
        if self._declared:
            self._declared.clear()

    def _end(self, _: str) -> None:
        if self._piece:
            if self._depth == self._text:
                self._text = 0
            if self._depth == self._short:
                self._end_short()
            if self._depth == self._piece:
                self._end_piece()
        elif self._item:
            self._end_item()
        else:
            self._containers.pop()
            self._inherited.pop()
        self._depth -= 1

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        # feedparser remembers each declaration to the end of the document, wherever it stands.
        prefix, uri = (prefix or "").lower(), uri or ""
        self._declared.append((prefix, uri))
        if prefix and self._prefixes.setdefault(prefix, uri) != uri:
            raise _Unsure
        names = self._namespaces.setdefault(uri, set())
        if prefix not in names and names and self._containers and uri.lower() not in _OFTEN_BOUND:
            raise _Unsure
        names.add(prefix)
        if len(uri.split()) > 1:
            raise _Unsure

    def _doctype(self, *_: object) -> None:
        raise _Unsure

    def _end_of(self, start: int) -> int:
        """Where the element stops that began at `start` and whose end is being told."""
        at, name = self._parser.CurrentByteIndex, _RAW_NAME.match(self._document, start + 1)
        assert name is not None
        closing = b"</" + name[0]
        has_closing = self._document.startswith(closing, at) and not _RAW_NAME.match(self._document, at + len(closing))
        return self._document.index(b">", at) + 1 if has_closing else at

    # ── containers and items ─────────────────────────────────────────────────────────────────────────────────────

    def _start_root(self, name: str, local: str, attributes: dict[str, str]) -> None:
        namespace = name.rpartition(" ")[0].lower()
        if local == "rdf" and namespace == _RDF:
            # Without one of these feedparser takes the format from whatever is declared later.
            if not any(uri.lower() in _RDF_FEEDS for _, uri in self._declared):
                raise _Unsure
        elif local not in {"rss", "feed"} or namespace not in _PLAIN:
            raise _Unsure
        self._root = local
        self._start_container(name, attributes)

    def _start_channel(self, name: str, attributes: dict[str, str]) -> None:
        # In RDF an item's title stands as deep as the channel's, and after it feedparser takes no other.
        if self._root == "rdf" and self._marks:
            raise _Unsure
        self._start_container(name, attributes)

    def _start_container(self, name: str, attributes: dict[str, str]) -> None:
        if len(attributes) > MOST_ATTRIBUTES:
            raise _TooMuch(f"its <{name.rpartition(' ')[2][:40]}> has more than {MOST_ATTRIBUTES} attributes")
        inherited = self._inherited[-1].copy()
        inherited.update(repr((name, attributes, self._declared)).encode("utf-8", "surrogatepass"))
        self._inherited.append(inherited)
        self._containers.append(self._depth)

    def _start_item(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[0].lower() not in _PLAIN:
            raise _Unsure
        self._item, self._item_at, self._item_kept = self._depth, self._parser.CurrentByteIndex, []
        self._item_is_monstrous = len(attributes) > MOST_ATTRIBUTES
        self._identifier, self._link = attributes.get(_RDF_ABOUT, "").encode("utf-8", "surrogatepass"), b""
        self._categories = 0
        self._keep_to(self._item_at, self._kept)

    def _end_item(self) -> None:
        self._keep_to(self._end_of(self._item_at), self._item_kept)
        self._item = 0
        digest = self._inherited[-1].copy()
        for part in self._item_kept:
            digest.update(part)
        mark = digest.digest()
        self._marks.append(mark)
        self._pairs.append((self._identifier, self._link))
        if mark in self._known:
            self._left_out += 1
        elif not self._item_is_monstrous:
            self._kept += self._item_kept

    def _keep_to(self, end: int, kept: list[bytes]) -> None:
        kept.append(self._document[self._cursor : end])
        self._cursor = end

    # ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_piece(self, kind: _Kind, attributes: dict[str, str], *, is_read: bool) -> None:
        self._piece, self._piece_at, self._piece_kind = self._depth, self._parser.CurrentByteIndex, kind
        self._piece_is_read, self._piece_is_monstrous = is_read, False
        self._start_inside(kind, attributes)
        if kind.is_category:
            self._categories += 1
            self._piece_is_monstrous |= self._categories > MOST_CATEGORIES
        elif kind.is_link and attributes.get("rel", "alternate") == "alternate":
            self._link = attributes.get("href", "").encode("utf-8", "surrogatepass") or self._link

    def _start_inside(self, kind: _Kind, attributes: dict[str, str]) -> None:
        if self._depth > DEEPEST:
            raise _TooMuch(f"its elements are nested more than {DEEPEST} deep")
        if kind.local in _STRUCTURE:
            raise _Unsure
        if len(attributes) > MOST_ATTRIBUTES:
            self._piece_is_monstrous = True
        if kind.is_read and self._item:
            # feedparser reads an item's fields at any depth.
            self._piece_is_read = True
        if self._text:
            # feedparser minds such ends even where they are mere markup, and loses count of where it is.
            if kind.is_ending or (kind.local == "div" and not self._text_is_xhtml):
                raise _Unsure
        elif kind.is_text:
            given = attributes.get("type", "xhtml" if kind.local == "body" else "")
            self._text, self._text_is_xhtml = self._depth, given in {"xhtml", "application/xhtml+xml"}
        elif kind.is_short and not self._short:
            self._short, self._short_at = self._depth, self._parser.CurrentByteIndex

    def _end_short(self) -> None:
        self._short = 0
        if self._parser.CurrentByteIndex - self._short_at > LONGEST_SHORT_FIELD:
            self._piece_is_monstrous = True

    def _end_piece(self) -> None:
        self._piece, kind = 0, self._piece_kind
        if self._item:
            if kind.is_identifier:
                self._identifier = self._words()
            elif kind.is_link:
                self._link = self._words() or self._link
        if self._piece_is_read and not self._piece_is_monstrous:
            return
        end = self._end_of(self._piece_at)
        if kind.local in {"skiphours", "skipdays"}:
            self._silent[kind.local] = self._document[self._piece_at : end]
        self._keep_to(self._piece_at, self._item_kept if self._item else self._kept)
        self._cursor = end

    def _words(self) -> bytes:
        """What stands in the piece that is being ended, as it stands there."""
        at = self._parser.CurrentByteIndex
        start_tag = _START_TAG.match(self._document, self._piece_at)
        return self._document[start_tag.end() : at].strip() if start_tag else b""
