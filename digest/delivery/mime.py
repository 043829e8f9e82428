"""Quoted-printable text that is encoded once and still has places to fill (RFC 2045, section 6.7).

Every stretch is encoded alone and ends at the start of a line, by a soft line break where the text has none. So the
encoding of two stretches, one after the other, is an encoding of both together: what is put between two of them needs
no look at what stands around it. Encoded marks are never searched for.
"""

import re
from collections.abc import Sequence

from digest.model import Mark

LONGEST_LINE = 76
# Two places for what guarding the start of a line adds, one for the soft line break.
_ROOM = LONGEST_LINE - 3
_SOFT, _HARD = b"=\r\n", b"\r\n"

_MARKS = re.compile("(" + "|".join(re.escape(mark) for mark in Mark) + ")")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNSAFE = re.compile(rb"[^\t -<>-~]")
# A leading dot would need stuffing on the wire; some mail stores put ">" before a leading "From ".
_GUARDED = re.compile(rb"^(?:\.|F(?=rom ))")
_LED_BY = (".", "From ")
_PLAIN = bytes(set(range(ord(" "), ord("~") + 1)) - set(b"="))


def cut(text: str) -> tuple[bytes | Mark, ...]:
    """The text as encoded stretches with the open marks between them, in order."""
    stretches = (Mark(part) if part in set(Mark) else encode(part) for part in _MARKS.split(text))
    return tuple(stretch for stretch in stretches if stretch)


def encode(text: str) -> bytes:
    """The text in lines of at most `LONGEST_LINE` bytes, none of which begins with a dot or with "From ".

    `encode(a) + encode(b)` decodes to `a + b` with every line end as CRLF, unless a line end is split between the two.
    """
    *lines, rest = _LINE_END.split(text)
    encoded = [_line(line, _HARD) for line in lines]
    if rest:
        encoded.append(_line(rest, _SOFT))
    return b"".join(encoded)


def encode_each(texts: Sequence[str]) -> list[bytes]:
    """Each text as `encode` writes it; quickly where no character of them needs to be escaped."""
    if "".join(texts).encode("utf-8", "replace").translate(None, delete=_PLAIN):
        return [encode(text) for text in texts]
    return [_folded(text) for text in texts]


def _folded(plain: str) -> bytes:
    """What `encode` writes of a text in which only the start of a line can be unsafe."""
    rows = plain if len(plain) <= _ROOM else "=\r\n".join(plain[at : at + _ROOM] for at in range(0, len(plain), _ROOM))
    if not plain or plain.startswith(_LED_BY) or "\n." in rows or "\nFrom " in rows:
        return encode(plain)
    return f"{rows}=\r\n".encode()


def _line(line: str, end: bytes) -> bytes:
    left = _UNSAFE.sub(_hex, line.encode("utf-8", "replace"))
    if end == _HARD and left.endswith((b" ", b"\t")):
        left = left[:-1] + b"=%02X" % left[-1]
    rows = []
    while len(left) > _ROOM:
        # An escape such as "=E2" stays whole.
        at = next((at for at in (_ROOM - 1, _ROOM - 2) if left[at : at + 1] == b"="), _ROOM)
        rows.append(left[:at])
        left = left[at:]
    rows.append(left)
    return _SOFT.join(_GUARDED.sub(_hex, row) for row in rows) + end


def _hex(found: re.Match[bytes]) -> bytes:
    return b"=%02X" % found[0][0]
