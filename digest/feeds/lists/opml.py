"""Lists of feeds as OPML 2.0, which every feed reader takes in and gives out. Pure.

A file comes from anywhere: nothing in it is fetched, no entity is expanded, and nesting has a limit.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from html.entities import html5
from typing import Any

from lxml import etree

from digest.feeds.lists.records import LONGEST_NAME, LONGEST_REASON, Record, Refusal, duration, one_line
from digest.model import Feed

NAMESPACE = "urn:economic-digest:feed"
"""Whose attributes `weight`, `topics`, `poll`, `paused` and `official` are."""
DEEPEST = 32
MOST_DAMAGE = 100
"""How many faults of a file the parser keeps count of."""
DAMAGED = "not well-formed XML"

_AMPERSAND = re.compile(rb"&(#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z][A-Za-z0-9]*;)?")
_OF_XML = {b"amp;", b"lt;", b"gt;", b"quot;", b"apos;"}
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_ADDRESS = re.compile(rb"\sxmlUrl\s*=", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_KIND_OF_FEED = {"rss", "atom", "rdf", "feed", "pie"}
# Tags that do not match spoil the nesting around them, but no attribute.
_ABOUT_NESTING = {"ERR_TAG_NAME_MISMATCH", "ERR_TAG_NOT_FINISHED", "ERR_DOCUMENT_END"}
_UNFIT_FOR_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(body: bytes) -> list[Record | Refusal]:
    """Every feed of an OPML file in its order, out of however many folders, and every line that is wrong.

    What stands between damaged lines is read all the same; a feed whose own line is damaged is refused.
    """
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(_mended(body), parser)
    except etree.XMLSyntaxError as error:
        return [Refusal(error.lineno or 1, f"{DAMAGED}: {_in_words(error.msg)}")]
    if root is None:
        return [Refusal(1, f"{DAMAGED}, and nothing of it can be read")]
    if (name := _local(root.tag).lower()) != "opml":
        return [Refusal(1, f"not OPML: its first element is <{name[:LONGEST_NAME]}>")]
    damage: dict[int, tuple[str, bool]] = {}
    for entry in parser.error_log.filter_from_errors():
        if entry.domain_name != "NAMESPACE":
            words, spoils = damage.get(entry.line, (_in_words(entry.message), False))
            damage[entry.line] = (words, spoils or entry.type_name not in _ABOUT_NESTING)
    found = list(_walk(root, (), 0))
    if len(parser.error_log) >= MOST_DAMAGE:
        # What comes after the last line that the parser still told us of may be as damaged.
        found = [one for one in found if one[0].line <= max(damage, default=0)]
    found = _undamaged(found, damage)
    hidden = len(_ADDRESS.findall(_COMMENT.sub(b"", body))) - sum(has_address for _, has_address in found)
    if damage and hidden > 0:
        left_out = "1 more feed is" if hidden == 1 else f"{hidden} more feeds are"
        found.append((Refusal(max(damage), f"{left_out} left out, since the XML is damaged"), False))
    return sorted((one for one, _ in found), key=lambda one: one.line)


def write(feeds: Sequence[Feed], title: str, now: datetime) -> bytes:
    """A file that `read` makes the same feeds of. Other readers see title, address, topics and language."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"digest": NAMESPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _fit(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(now)
    body = etree.SubElement(root, "body")
    for feed in feeds:
        attributes = {"type": "rss", "text": feed.publisher, "title": feed.publisher, "xmlUrl": feed.url}
        if feed.topics:
            attributes |= {"category": ",".join(feed.topics), _own("topics"): " ".join(feed.topics)}
        if feed.language:
            attributes["language"] = feed.language
        if feed.weight != 1.0:
            attributes[_own("weight")] = repr(feed.weight)
        if feed.poll:
            attributes[_own("poll")] = duration(feed.poll)
        for flag in ("paused", "official"):
            if getattr(feed, flag):
                attributes[_own(flag)] = "true"
        etree.SubElement(body, "outline", {name: _fit(value) for name, value in attributes.items()})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _mended(body: bytes) -> bytes:
    """The body without control characters, and each `&` that begins no reference of XML written as one.

    It is by far the most common fault of such files, and there is only one thing that it can mean.
    """
    if b"\0" in body[:4]:
        return body
    return _AMPERSAND.sub(_reference, _CONTROL.sub(b"", body))


def _reference(match: re.Match[bytes]) -> bytes:
    name: bytes | None = match[1]
    if name is None:
        return b"&amp;"
    if name in _OF_XML or name.startswith(b"#"):
        return match[0]
    known = html5.get(name.decode("ascii"))
    return "".join(f"&#{ord(character)};" for character in known).encode() if known else b"&amp;" + name


_Found = tuple[Record | Refusal, bool]


def _walk(element: Any, folders: tuple[str, ...], depth: int) -> Iterator[_Found]:
    """What the outlines below an element come to, and of each whether it has an address."""
    for child in element:
        if not isinstance(child.tag, str):
            continue
        attributes = {name.lower(): value for name, value in child.attrib.items()}
        url = attributes.get("xmlurl", "").strip()
        line, name = int(child.sourceline or 1), attributes.get("text") or attributes.get("title") or ""
        if depth > DEEPEST:
            yield (
                Refusal(line, f"folders lie in folders, more than {DEEPEST} deep; what is in this one is left out"),
                False,
            )
            continue
        if _local(child.tag).lower() == "outline":
            if url:
                yield _record(line, url, name, folders, attributes), True
            elif attributes.get("type", "").lower() in _KIND_OF_FEED:
                yield (
                    Refusal(line, f'a feed without an address (xmlUrl): "{one_line(name, LONGEST_NAME)}"'),
                    "xmlurl" in attributes,
                )
        yield from _walk(child, folders if url or not name else (*folders, name), depth + 1)


def _record(line: int, url: str, name: str, folders: tuple[str, ...], attributes: Mapping[str, str]) -> Record:
    def own(key: str) -> str:
        return attributes.get(_own(key), "")

    categories = re.split(r"[,/]", attributes.get("category", ""))
    return Record(
        line=line,
        url=url,
        publisher=name,
        weight=own("weight"),
        language=attributes.get("language", ""),
        topics=tuple(own("topics").split()),
        folders=(*folders, *categories),
        poll=own("poll"),
        paused=own("paused"),
        official=own("official"),
    )


def _undamaged(found: list[_Found], damage: Mapping[int, tuple[str, bool]]) -> list[_Found]:
    """What was found, but for records on damaged lines, and the damage."""
    spoiling = sorted(line for line, (_, spoils) in damage.items() if spoils)
    judged: list[_Found] = []
    named: set[int] = set()
    previous = 0
    for one, has_address in found:
        # An outline's line is the one on which its tag ends.
        begin, end = min(previous + 1, one.line), one.line
        lines = spoiling[bisect_left(spoiling, begin) : bisect_right(spoiling, end)]
        previous = end
        if isinstance(one, Record) and lines:
            named.update(lines)
            reason = f"{DAMAGED}: {damage[lines[0]][0]}; {one_line(one.url, LONGEST_NAME)} is left out"
            judged.append((Refusal(one.line, reason), has_address))
        else:
            judged.append((one, has_address))
    return judged + [
        (Refusal(line, f"{DAMAGED}: {words}"), False) for line, (words, _) in damage.items() if line not in named
    ]


def _in_words(message: str | None) -> str:
    words = one_line(message or "", LONGEST_REASON)
    return f"{words[:1].lower()}{words[1:]}".rstrip(" .")


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _own(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _fit(value: str) -> str:
    return _UNFIT_FOR_XML.sub("\ufffd", value)
