"""A return address says which mail came back, and nobody else can make one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery import address as addresses
from digest.delivery.feedback.tag import LONGEST_LOCAL_PART, LONGEST_NAME, ReturnAddresses
from digest.home import LONGEST_RETURN_NAME

KEYS = ("the newest key of all", "an older key")
OURS = ReturnAddresses("bounces@news.example", KEYS, "digest@news.example")
NUMBERS = st.integers(1, 2**63 - 1)


@given(NUMBERS)
def test_every_delivery_has_an_address_of_its_own_that_names_it(number: int) -> None:
    address = OURS.of(number)

    assert addresses.fault(address) is None
    assert OURS.deliveries([address]) == ([number], False)
    assert OURS.deliveries([address.upper()]) == ([number], False)
    assert OURS.of(number + 1) != address


@given(NUMBERS, st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=LONGEST_NAME))
def test_no_local_part_is_longer_than_mail_servers_take(number: int, name: str) -> None:
    local, _, _ = ReturnAddresses(f"{name}@news.example", KEYS, "").of(number).rpartition("@")

    assert len(local.encode()) <= LONGEST_LOCAL_PART


def test_the_configuration_refuses_what_a_tag_leaves_no_room_for() -> None:
    assert LONGEST_RETURN_NAME == LONGEST_NAME


@given(NUMBERS, NUMBERS, st.text("0123456789abcdef", min_size=20, max_size=20))
def test_nobody_makes_up_an_address_for_another_delivery(number: int, other: int, mac: str) -> None:
    own = OURS.of(number)
    if other != number:
        assert OURS.deliveries([own.replace(f"+{number}.", f"+{other}.")]) == ([], True)
    if mac not in own:
        assert OURS.deliveries([f"bounces+{number}.{mac}@news.example"]) == ([], True)


@pytest.mark.parametrize(
    "address",
    ["", "bounces@news.example", "bounces+1@news.example", "bounces+1.ab@news.example", "a+b.c@d", "+1.0@", "\0+1.2@x"],
)
def test_an_address_without_a_tag_is_nobodys_and_no_forgery(address: str) -> None:
    assert OURS.deliveries([address]) == ([], False)


def test_an_older_key_still_verifies_and_a_stranger_one_does_not() -> None:
    before = ReturnAddresses("bounces@news.example", KEYS[1:], "")
    stranger = ReturnAddresses("bounces@news.example", ("somebody else's key",), "")

    assert OURS.deliveries([before.of(7)]) == ([7], False)
    assert before.deliveries([OURS.of(7)]) == ([], True)
    assert OURS.deliveries([stranger.of(7)]) == ([], True)


def test_mail_that_was_sent_before_the_service_moved_still_comes_home() -> None:
    before = ReturnAddresses("b@old.example", KEYS, "")

    assert OURS.deliveries([before.of(7)]) == ([7], False)


def test_without_an_address_for_returns_all_mail_has_the_plain_one() -> None:
    assert ReturnAddresses("", KEYS, "digest@news.example").of(7) == "digest@news.example"


def test_an_address_costs_a_few_microseconds() -> None:
    began = time.perf_counter()
    for number in range(20_000):
        OURS.of(number)

    assert (time.perf_counter() - began) / 20_000 < 30e-6
