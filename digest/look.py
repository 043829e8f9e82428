"""How mails and pages look, and whether what is written in their colours can be read (WCAG 2.2, success criterion 1.4.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LEAST_CONTRAST = 4.5
"""What text of the sizes we use needs (level AA)."""

_LINEAR_UP_TO = 0.04045
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are for, each as #rrggbb.

    `page` lies behind the `sheet` that holds the text; `meta` is for small lines, `topic` for the headings of topics and the
    line above the sheet, `up` and `down` for changes of market values, `rule` for lines. Buttons have the colour of a `link` and
    letters of the colour of the sheet.
    """

    page: str
    sheet: str
    text: str
    meta: str
    link: str
    topic: str
    up: str
    down: str
    rule: str


LIGHT = Palette(
    page="#f2f0eb",
    sheet="#fffdf9",
    text="#1f2328",
    meta="#5b6168",
    link="#0b57a4",
    topic="#8a3a12",
    up="#1a6b3c",
    down="#a32020",
    rule="#ddd8cd",
)
DARK = Palette(
    page="#16181a",
    sheet="#1e2124",
    text="#e8e6e1",
    meta="#b3b8bd",
    link="#8ec1ff",
    topic="#f0a37a",
    up="#7ad19b",
    down="#ff9c94",
    rule="#3a3f44",
)


@dataclass(frozen=True, slots=True)
class Template:
    """A template that a home folder has instead of ours: where it lies, and what it said when it was read."""

    path: Path
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """How mails and pages look: their colours, and `templates` by their names, such as "email/edition/body.html"."""

    light: Palette = LIGHT
    dark: Palette = DARK
    templates: Mapping[str, Template] = field(default_factory=dict, hash=False)


USUAL = Look()

ON = (
    *((front, "sheet") for front in ("text", "meta", "link", "topic", "up", "down")),
    *((front, "page") for front in ("text", "meta", "link")),
    ("sheet", "link"),
)
"""Which colour is written on which."""


def is_colour(text: str) -> bool:
    """Whether it is written as #rrggbb, which every mail program understands."""
    return bool(_COLOUR.fullmatch(text))


def contrast(front: str, back: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    high, low = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def unreadable(palette: Palette) -> dict[str, str]:
    """What cannot be read in these colours, in a sentence for each token that is to blame."""
    found: dict[str, str] = {}
    for front, back in ON:
        ratio = contrast(getattr(palette, front), getattr(palette, back))
        if ratio < LEAST_CONTRAST:
            found.setdefault(
                front,
                f"{getattr(palette, front)} on {back} {getattr(palette, back)} has a contrast of {ratio:.1f}:1; "
                f"it should be {LEAST_CONTRAST}:1 or more to be readable",
            )
    return found


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, section 5)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= _LINEAR_UP_TO else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
