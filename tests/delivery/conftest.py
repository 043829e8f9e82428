"""Senders as processes, for the tests that kill, stop or starve them."""

from collections.abc import Iterator

import pytest

from tests.delivery.senders import Senders, ready_senders


@pytest.fixture(scope="session")
def senders() -> Iterator[Senders]:
    with ready_senders() as made:
        yield made
