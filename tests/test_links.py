"""A signed link does what it was made for, to the one it names, for ever."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadToken
from digest.links import Links, Purpose, address_key

LINKS = Links("https://news.example", ("a-newer-secret-key", "an-older-secret-key"))


@given(st.integers(1, 10**12), st.integers(1, 10**6), st.sampled_from(Purpose))
def test_a_token_says_whose_it_is_and_needs_no_quoting(subscription: int, version: int, purpose: Purpose) -> None:
    token = LINKS.token(purpose, subscription, version)

    assert LINKS.read(purpose, token) == (subscription, version)
    assert re.fullmatch(r"[A-Za-z0-9_.\-]+", token)


def test_a_token_for_one_purpose_is_worthless_for_another() -> None:
    with pytest.raises(BadToken):
        LINKS.read(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.CONFIRM, 7, 1))


@given(st.text(max_size=80))
def test_whatever_is_not_a_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        LINKS.read(Purpose.UNSUBSCRIBE, text)


def test_links_made_with_the_older_key_still_work_and_new_ones_are_made_with_the_newer() -> None:
    older = Links(LINKS.base_url, LINKS.keys[1:])
    newer = Links(LINKS.base_url, LINKS.keys[:1])

    assert LINKS.read(Purpose.UNSUBSCRIBE, older.token(Purpose.UNSUBSCRIBE, 7, 1)) == (7, 1)
    assert newer.read(Purpose.UNSUBSCRIBE, LINKS.token(Purpose.UNSUBSCRIBE, 7, 1)) == (7, 1)


def test_addresses_are_below_the_base_url() -> None:
    assert LINKS.edition("economy", date(2026, 2, 10)) == "https://news.example/archive/economy/2026-02-10"
    assert LINKS.signed(Purpose.UNSUBSCRIBE, 7, 1).startswith("https://news.example/unsubscribe/")


def test_an_address_key_ignores_case_survives_rotation_and_needs_the_key() -> None:
    before = address_key("Reader@example.org", ("an-older-secret-key",))

    assert before == address_key("reader@EXAMPLE.org", LINKS.keys)
    assert before != address_key("reader@example.org", ("another-secret-key",))
