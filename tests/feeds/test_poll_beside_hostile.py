"""A round over good and hostile feeds: the good ones are stored as if they were alone, and the round ends as a report."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from digest.feeds.fetching import addresses
from digest.feeds.poll import poll
from digest.feeds.reports import FeedReport, PollReport
from digest.model import PollOutcome
from tests.feeds.hostile import OUTSIDE, PATHS, Hostile, hostile
from tests.feeds.hostile_documents import DOCUMENTS
from tests.feeds.press import configured

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
HANGING = ("/3/silence", "/3/drip", "/4/slow-headers", "/5/slow-interim")
FLOODING = ("/2/endless", "/5/interim")
COSTLY = ("/41/deep-outside", "/42/attributes", "/44/less", "/46/3000-items")


@pytest.mark.rows(2, 3, 4, 5, 41, 42, 44, 46)
def test_forty_good_feeds_are_stored_while_ten_hostile_ones_hold_their_places(sqlite_engine: Engine) -> None:
    async def go() -> tuple[PollReport, list[str]]:
        async with hostile(host="0.0.0.0") as server:
            good = [server.url("/good", f"127.8.8.{number}") for number in range(1, 41)]
            bad = [
                server.url(path, f"127.9.9.{number}") for number, path in enumerate((*HANGING, *FLOODING, *COSTLY), 1)
            ]
            ended: list[str] = []

            def note(report: FeedReport) -> None:
                ended.append(report.feed)
                if set(good) <= set(ended):
                    server.released.set()

            config = configured(*bad, *good, total_seconds=20)
            report = await poll(config, sqlite_engine, NOW, progress=note)
            hanging = bad[: len(HANGING)]
            return report, [("hanging" if feed in hanging else "good") for feed in ended if feed in hanging + good]

    report, order = asyncio.run(go())

    assert order == ["good"] * 40 + ["hanging"] * len(HANGING)
    assert report.count(PollOutcome.FETCHED) >= 40


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> None:
    is_public = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda address: address == OUTSIDE or is_public(address))


@pytest.mark.usefixtures("internet")
def test_a_round_over_every_hostile_path_ends_as_a_report_and_meets_nothing_inside(sqlite_engine: Engine) -> None:
    documents = [path for path in DOCUMENTS if path.split("/")[1] not in {"41", "44", "45", "46", "47", "97"}]
    paths = [*documents, *(path for path in PATHS if path not in {"/to", "/8/chain"}), "/8/chain?step=1"]

    async def go() -> tuple[PollReport, Hostile]:
        async with hostile() as server:
            config = configured(
                *(server.url(path) for path in paths),
                allow_private=False,
                ports=(80, 443, server.port, server.inside_port),
                per_host=16,
                total_seconds=1.5,
            )
            return await poll(config, sqlite_engine, NOW), server

    report, server = asyncio.run(go())
    by_path = {one.feed.removeprefix(server.url("")): one for one in report.outcomes}

    assert by_path.keys() == set(paths)
    assert by_path["/good"].articles_new == 1
    assert [one.error for one in report.outcomes if one.error and one.error.startswith(("unexpected", "what it"))] == []
    assert server.intruders == []
