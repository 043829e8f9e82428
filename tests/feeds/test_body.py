"""A body gives the same document however it arrives, and never more than its limit."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.fetching.body import FREE_RATIO_BYTES, Body, Unfit


def received(pieces: list[bytes], *, packed: bool = False, most: int = 10 << 20) -> bytes:
    body = Body(most, packed=packed)
    for piece in pieces:
        body.add(piece)
    return body.whole()


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(text)) for place in places})
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


@given(
    document=st.binary(min_size=1, max_size=2000).filter(lambda text: not text.startswith(b"\x1f\x8b")),
    places=st.lists(st.integers(0, 2100), max_size=20),
    packed=st.booleans(),
    said=st.booleans(),
)
def test_a_document_comes_out_whole_in_whichever_pieces_it_arrives(
    document: bytes, places: list[int], packed: bool, said: bool
) -> None:
    wire = gzip.compress(document) if packed else document

    assert received(cut(wire, places), packed=packed and said) == document


@given(noise=st.binary(max_size=400), places=st.lists(st.integers(0, 400), max_size=5))
def test_noise_in_place_of_gzip_is_unfit_and_nothing_worse(noise: bytes, places: list[int]) -> None:
    with pytest.raises(Unfit):
        received(cut(noise, places), packed=True)


def test_a_document_of_the_largest_size_is_taken_and_one_byte_more_is_not() -> None:
    document = os.urandom(100_000)

    assert received([gzip.compress(document)], packed=True, most=100_100) == document
    with pytest.raises(Unfit, match="larger than 99999 bytes"):
        received([document], most=99_999)
    with pytest.raises(Unfit, match="larger than 99999 bytes"):
        received([gzip.compress(bytes(100_000))], packed=True, most=99_999)


def test_a_small_document_may_be_packed_as_tightly_as_it_likes() -> None:
    assert received([gzip.compress(bytes(FREE_RATIO_BYTES))], packed=True) == bytes(FREE_RATIO_BYTES)
    with pytest.raises(Unfit, match="more than 100 times its size"):
        received([gzip.compress(bytes(FREE_RATIO_BYTES + 1))], packed=True)


def test_padding_after_the_gzip_is_let_pass() -> None:
    assert received([gzip.compress(b"<rss/>"), b"\0", b"\0" * 500], packed=True) == b"<rss/>"
