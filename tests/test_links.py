"""A signed link does what it was made for, to the one it names, for ever."""

import hmac
import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from digest.errors import BadToken
from digest.links import Links, Purpose, address_key

LINKS = Links("https://news.example", ("a-newer-secret-key", "an-older-secret-key"))


@given(st.integers(1, 10**12), st.integers(1, 10**6), st.sampled_from(Purpose))
def test_a_token_says_whose_it_is_and_needs_no_quoting(subscription: int, version: int, purpose: Purpose) -> None:
    token = LINKS.token(purpose, subscription, version)

    assert LINKS.read(purpose, token) == (subscription, version)
    assert re.fullmatch(r"[A-Za-z0-9_.\-]+", token)


@given(st.integers(0, 10**20), st.integers(0, 10**20), st.integers(1, 10**9), st.sampled_from(Purpose))
@example(1111111111, 7, 1, Purpose.UNSUBSCRIBE)
@example(11111111111, 7, 1, Purpose.UNSUBSCRIBE)
@example(10**14, 10**14, 1, Purpose.FEEDBACK)
@example(7218, 7218, 7218, Purpose.FEEDBACK)
@example(73230, 73230, 73230, Purpose.FEEDBACK)
@example(1234, 1000001, 12, Purpose.FEEDBACK)
def test_tokens_are_those_that_itsdangerous_makes(
    edition: int, subscription: int, version: int, purpose: Purpose
) -> None:
    """They are in mails that were sent long ago, and any release must make and read the same."""
    keys = list(reversed(LINKS.keys))
    made = URLSafeSerializer(keys, salt=f"digest.{purpose}").dumps([subscription, version])
    feedback = URLSafeSerializer(keys, salt="digest.feedback").dumps([edition, subscription, version])

    assert LINKS.token(purpose, subscription, version) == made
    assert LINKS.signed(purpose, subscription, version) == f"https://news.example/{purpose}/{made}"
    assert LINKS.feedback(edition, subscription, version) == f"https://news.example/feedback/{feedback}"
    assert LINKS.read_feedback(str(feedback)) == (edition, subscription, version)
    assert LINKS.of_reader(edition, subscription, version) == (
        LINKS.signed(Purpose.UNSUBSCRIBE, subscription, version),
        LINKS.signed(Purpose.PREFERENCES, subscription, version),
        LINKS.feedback(edition, subscription, version),
    )


def test_a_key_may_be_longer_than_a_block_of_the_hash() -> None:
    keys = ("a-very-long-secret-key-" * 10,)
    made = URLSafeSerializer(list(keys), salt="digest.unsubscribe").dumps([7, 1])

    assert Links(LINKS.base_url, keys).token(Purpose.UNSUBSCRIBE, 7, 1) == made


def test_links_show_no_key_and_are_equal_whatever_they_have_signed() -> None:
    fresh, used = Links("https://news.example", LINKS.keys), Links("https://news.example", LINKS.keys)
    used.signed(Purpose.CONFIRM, 7, 1)

    assert fresh == used
    assert hash(fresh) == hash(used)
    assert "Signer" not in repr(used)


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
    assert LINKS.month("economy", date(2026, 2, 1)) == "https://news.example/archive/economy/2026-02"
    assert LINKS.edition("economy", date(2026, 2, 10)) == "https://news.example/archive/economy/2026-02-10"
    assert LINKS.signed(Purpose.UNSUBSCRIBE, 7, 1).startswith("https://news.example/unsubscribe/")


def test_an_address_key_ignores_case_survives_rotation_and_needs_the_key() -> None:
    before = address_key("Reader@example.org", ("an-older-secret-key",))

    assert before == address_key("reader@EXAMPLE.org", LINKS.keys)
    assert before != address_key("reader@example.org", ("another-secret-key",))


@pytest.mark.parametrize("secret", ["short", "as long as two blocks of the hash" * 4])
def test_an_address_key_is_an_hmac_that_other_programs_can_make(secret: str) -> None:
    made = hmac.new(f"address:{secret}".encode(), b"reader@example.org", "sha256").hexdigest()

    assert address_key("reader@example.org", (secret,)) == made
