"""Quoted-printable stretches: each can be encoded alone, and nothing between them is ever lost or changed."""

import quopri
import re

from hypothesis import example, given
from hypothesis import strategies as st

from digest.delivery import mime
from digest.model import Mark

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
TRICKY = st.text(st.sampled_from(".= \t\r\nFrom éAZ\u2028"), max_size=200)


def canonical(text: str) -> bytes:
    return re.sub(r"\r\n|\r|\n", "\r\n", text).encode()


@given(st.one_of(TEXTS, TRICKY), st.one_of(TEXTS, TRICKY))
@example("ends with a blank ", "\nnext line")
@example("." * 200, "From me")
@example("é" * 100, "=" * 100)
def test_stretches_encoded_apart_decode_to_the_text_they_make_together(first: str, second: str) -> None:
    if first.endswith("\r") and second.startswith("\n"):
        second = f" {second}"

    assert quopri.decodestring(mime.encode(first) + mime.encode(second)) == canonical(first + second)


@given(st.one_of(TEXTS, TRICKY))
def test_every_line_is_short_plain_and_begins_harmlessly(text: str) -> None:
    encoded = mime.encode(text)
    lines = encoded.split(b"\r\n")

    assert encoded.isascii()
    assert lines[-1] == b""
    assert max(map(len, lines)) <= mime.LONGEST_LINE
    assert not [line for line in lines if line.startswith((b".", b"From ")) or line.endswith((b" ", b"\t"))]
    assert not re.search(rb"[\r\n\0]", b"".join(lines))


@given(st.lists(st.one_of(TEXTS, TRICKY, st.text(st.characters(codec="ascii"), max_size=80)), max_size=6))
@example(["https://news.example/u/WzEsMV0.abc", "ann@reader.example", "February 10, 2026"])
@example(["a" * 73 + ".b", "a" * 146 + "From me", "a" * 73 + "From", "a" * 219])
@example(["a" * 73, "a" * 74, ".a", "From me", "", "a ", "ends in a\ttab\t"])
def test_several_texts_are_encoded_as_each_would_be_and_all_decode(texts: list[str]) -> None:
    encoded = mime.encode_each(texts)

    assert encoded == [mime.encode(text) for text in texts]


def test_a_text_is_cut_at_its_marks() -> None:
    assert mime.cut("Leave: __UNSUBSCRIBE__.\n__SINCE__") == (b"Leave: =\r\n", Mark.UNSUBSCRIBE, b"=2E\r\n", Mark.SINCE)
