"""What `bench/month.py` promises of a month holds for its first three days too, with few feeds and readers and a kill."""

import asyncio
from datetime import date
from pathlib import Path

from bench import month


def test_through_days_with_a_kill_every_reader_gets_every_edition(tmp_path: Path) -> None:
    assert asyncio.run(month.live(tmp_path, date(2026, 3, 1), days=3, feeds=4, subscribers=50)) == 0
