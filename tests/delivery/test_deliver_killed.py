"""A sender may be killed at any moment: nobody is missed, and nobody gets a copy that the policy does not allow.

`KILLS=200 MESSAGES=10000 pytest tests/delivery/test_deliver_killed.py` (or `make kills`) is the whole measure; `SEED` chooses
other moments.
"""

import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.model import DeliveryState
from tests.delivery.kills import Campaign
from tests.delivery.runs import states
from tests.delivery.senders import Senders

KILLS = int(os.environ.get("KILLS", "8"))
MESSAGES = int(os.environ.get("MESSAGES", "400"))
SEED = int(os.environ.get("SEED", "1"))


def told(line: str) -> None:
    """What `pytest -s` shows, and the report of a failure."""
    sys.stdout.write(f"{line}\n")


def campaign(unknown: str, connections: int, kind: str = "deliver", kills: int = KILLS) -> Campaign:
    return Campaign(kind, unknown, connections, kills, MESSAGES, SEED)


@pytest.mark.parametrize("connections", [8, 32])
@pytest.mark.parametrize("unknown", ["resend_once", "reconcile", "hold"])
def test_kills_at_random_moments_miss_nobody_and_double_nobody(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path, unknown: str, connections: int
) -> None:
    fought = campaign(unknown, connections)
    verdict = fought.run(senders, engine, database_url, tmp_path)
    told(
        f"{engine.dialect.name}, {unknown}, {connections} connections, seed {SEED}: {fought.struck} kills, "
        f"{MESSAGES} messages: {verdict}; {states(engine)}; {fought.seconds:.1f} s"
    )

    assert fought.struck >= KILLS / 2
    assert not verdict.lost
    assert not verdict.phantom
    assert not verdict.unannounced
    match unknown:
        case "resend_once":
            assert verdict.most <= 2
            assert verdict.duplicates <= fought.struck * connections
        case "reconcile":
            assert verdict.duplicates == 0
            assert not verdict.in_doubt
            assert states(engine)[DeliveryState.SENT] == MESSAGES - len(verdict.listed)
        case _:
            assert verdict.duplicates == 0
    # Whoever was in hand at three kills is taken for poison. With a kill every 50 messages chance does that to some.
    assert states(engine).get(DeliveryState.QUARANTINED, 0) <= max(connections, MESSAGES // 10)


def test_the_checker_finds_whom_a_cursor_moved_at_fetch_loses(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    verdict = campaign("hold", 8, "cursor_at_fetch", kills=3).run(senders, engine, database_url, tmp_path)

    told(f"{engine.dialect.name}, seed {SEED}: {verdict}")
    assert verdict.lost


def test_the_checker_finds_the_copies_that_a_mark_every_hundred_makes(
    senders: Senders, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    verdict = campaign("hold", 8, "mark_every_hundred").run(senders, engine, database_url, tmp_path)

    told(f"{engine.dialect.name}, seed {SEED}: {verdict}")
    assert verdict.most > 2
