"""A service small enough to be written down."""

from pathlib import Path

import pytest

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.model import Digest, Topic


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One digest, three topics, one key."""
    return Config(
        home=tmp_path,
        site=Site(postal_address="1 Example Street"),
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(),
        digests=(Digest("economy", "The Economic Digest"),),
        topics=(Topic("trade", "Trade"), Topic("energy", "Energy"), Topic("jobs", "Jobs")),
        feeds=(),
        database_url="",
        keys=("a-key-for-these-tests-only",),
    )
