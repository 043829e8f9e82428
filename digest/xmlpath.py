"""Paths into XML documents: a small part of XPath, by which an operator says where a value stands.

Steps are names of elements without their namespaces, `*` for any, and `..` for the parent at the beginning; each may ask for
an attribute, as in `Value[@id='CURRENCY']`. `//` at the beginning means anywhere below, `@name` at the end an attribute.
A path without `//` looks at a bounded part of the document, so that no document makes reading it costly.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

_NAME = r"[^\W\d][\w.\-]*"
_WITH = rf"(?:\[@{_NAME}='[^'\[\]{{}}]*'\])?"
_PATH = re.compile(
    rf"(?P<deep>//)?(?P<ups>\.\.(?:/\.\.)*)?"
    rf"(?P<down>(?:^|(?<=//)|(?<=\.\.)/)(?:{_NAME}|\*){_WITH}(?:/(?:{_NAME}|\*){_WITH})*)?"
    rf"(?:(?:^|(?<!/)/)@(?P<attribute>{_NAME}))?"
)
_STEP = re.compile(rf"({_NAME}|\*)({_WITH})")


class NoPath(ValueError):
    """The text is no path; says what would be."""


@dataclass(frozen=True, slots=True)
class Path:
    """`ups` parents up, then what `down` finds first, in ElementPath's words, then the attribute or else the text."""

    ups: int
    down: str
    attribute: str

    def all(self, root: etree._Element) -> Iterator[etree._Element]:
        """Every element at the path, in document order."""
        return root.iterfind(self.down)

    def text(self, element: etree._Element, known: "Known") -> str | None:
        """What stands at the path, from an element; None where nothing does."""
        anchor: etree._Element | None = element
        for _ in range(self.ups):
            anchor = anchor.getparent() if anchor is not None else None
        if anchor is None:
            return None
        if not self.ups:
            return self._below(anchor)
        # Many observations share a parent; what stands there is looked for once.
        if (self, anchor) not in known:
            known[self, anchor] = self._below(anchor)
        return known[self, anchor]

    def _below(self, anchor: etree._Element) -> str | None:
        found = anchor.find(self.down) if self.down else anchor
        if found is None:
            return None
        text = found.get(self.attribute) if self.attribute else found.text or ""
        return None if text is None else str(text).strip()


Known = dict[tuple[Path, Any], str | None]
"""What was found from shared parents in one document."""


def rows(text: str) -> Path:
    """Read the path of an observation's elements, from the document's root.

    Raises:
        NoPath: it is none.
    """
    match = _PATH.fullmatch(text)
    if not match or not match["down"] or match["ups"] or match["attribute"]:
        raise NoPath(
            f'is "{text}"; it should be the path of the elements that hold one observation each, such as //Obs'
        )
    return _path(match)


def place(text: str) -> Path:
    """Read the path of a text, from an observation's element; "." is the element's own.

    Raises:
        NoPath: it is none.
    """
    match = _PATH.fullmatch("" if text == "." else text)
    if not text or not match or match["deep"]:
        raise NoPath(
            f'is "{text}"; it should be a path from the row such as Value, @rate, ../@time or "." for its text'
        )
    return _path(match)


def _path(match: re.Match[str]) -> Path:
    down = (match["down"] or "").removeprefix("/")
    steps = "/".join("".join(("*" if name == "*" else f"{{*}}{name}", test)) for name, test in _STEP.findall(down))
    return Path(
        ups=len((match["ups"] or "").split("/")) if match["ups"] else 0,
        down=f".//{steps}" if match["deep"] else steps,
        attribute=match["attribute"] or "",
    )
