"""A poll may be killed at any moment: what it had not stored comes in later, once, and its children do not outlive it.

`KILLS=100 pytest tests/feeds/test_poll_killed.py` kills more often, and half as often with PostgreSQL; `SEED` chooses
other moments.
"""

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import Engine, select

from digest import home as homefolder
from digest.feeds.poll import poll
from digest.store.engine import read
from digest.store.tables import articles, feeds
from tests.feeds.servers import serving

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("SEED", "1"))

NOW = datetime(2026, 2, 10, 0, 30, tzinfo=UTC)
FEEDS, SHOWN, NEW = 8, 9, 3
SLOWEST = 0.3
"""Seconds over which the answers to a poll that is to be killed are spread, so that it stores them at many moments."""

ROOT = Path(homefolder.__file__).parents[1]
POLLS = """
import asyncio, os, sys
from datetime import datetime
from pathlib import Path
from digest import home as homefolder
from digest.feeds.poll import poll
from digest.store.engine import connect

loaded = homefolder.load(Path(sys.argv[1]), os.environ)
for now in sys.stdin:
    pid = os.fork()
    if not pid:
        asyncio.run(poll(loaded, connect(loaded.database_url), datetime.fromisoformat(now.strip()), everything=True))
        sys.exit()
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Polls in a process of its own for each line, without loading everything anew; prints its id and how it ended."""

SETTINGS = """
[site]
postal_address = "1 Example Street"
[fetch]
allow_private = true
[[digest]]
slug = "economy"
title = "The Economic Digest"
"""
TOPICS = """
[[topic]]
slug = "trade"
title = "Trade"
terms = ["trade"]
"""

_ENDED = ("", "Z")
"""A process that is gone, or that only waits for somebody to take note of its end."""

Remembered = Mapping[str, tuple[object, ...]]


class Press:
    """Feeds of every make: with honest ids, with none, with new ones in each edition, and Atom."""

    def __init__(self) -> None:
        self.edition = 0
        self.asked = asyncio.Event()
        self.delays = random.Random(SEED)
        self.slowest = 0.0

    def next_edition(self, slowest: float) -> None:
        """Put new entries into every feed; the answers take up to so many seconds."""
        self.edition += 1
        self.slowest = slowest
        self.asked.clear()

    def titles(self, feed: int) -> list[str]:
        """What the feed shows now, the newest first."""
        newest = self.edition * NEW + SHOWN
        return [_title(feed, number) for number in range(newest - 1, newest - 1 - SHOWN, -1)]

    def ever(self) -> Counter[str]:
        """Everything that was shown, once."""
        return Counter(_title(feed, number) for feed in range(FEEDS) for number in range(self.edition * NEW + SHOWN))

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.set()
        await asyncio.sleep(self.delays.uniform(0, self.slowest))
        feed = int(request.path.rpartition("/")[2])
        etag = f'"{feed}-{self.edition}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=self._document(feed), content_type="application/xml", headers={"ETag": etag})

    def _document(self, feed: int) -> bytes:
        entries = "".join(self._entry(feed, title) for title in self.titles(feed))
        if feed % 4 == 3:
            return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{feed}</title>{entries}</feed>'.encode()
        return f'<rss version="2.0"><channel><title>{feed}</title>{entries}</channel></rss>'.encode()

    def _entry(self, feed: int, title: str) -> str:
        name = sha256(title.encode()).hexdigest()[:12]
        link, moment = f"https://paper-{feed}.example/{name}", NOW - timedelta(hours=1)
        if feed % 4 == 3:
            return (
                f'<entry><id>urn:{name}</id><title>{title}</title><link href="{link}"/>'
                f"<updated>{moment.isoformat()}</updated></entry>"
            )
        ids = (f"<guid>{link}</guid>", "", f'<guid isPermaLink="false">{name}-{self.edition}</guid>')
        return (
            f"<item><title>{title}</title><link>{link}</link>{ids[feed % 4]}"
            f"<pubDate>{format_datetime(moment)}</pubDate></item>"
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that still lacks its feeds."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "digest.toml").write_text(SETTINGS)
    (folder / "topics.toml").write_text(TOPICS)
    return folder


def test_kills_at_random_moments_lose_no_article_and_double_none(engine: Engine, database_url: str, home: Path) -> None:
    kills = KILLS if engine.dialect.name == "sqlite" else KILLS // 2

    struck, orphans = asyncio.run(_killed_again_and_again(engine, database_url, home, kills))

    assert struck > kills / 2
    _assert_gone(orphans)


async def _killed_again_and_again(engine: Engine, database_url: str, home: Path, kills: int) -> tuple[int, set[int]]:
    """How many of the kills came while the poll was running, and the processes that it left behind."""
    chance, press, struck, orphans = random.Random(SEED), Press(), 0, set[int]()
    async with serving(press) as server:
        _write_feeds(home, *(server.url(f"/{feed}") for feed in range(FEEDS)))
        config = homefolder.load(home, {"DIGEST_DATABASE_URL": database_url})
        started = time.monotonic()
        await poll(config, engine, NOW, everything=True)
        lasts = time.monotonic() - started + SLOWEST
        async with _polls(home, database_url) as polls:
            for kill in range(kills):
                now = NOW + timedelta(hours=kill + 1)
                press.next_edition(SLOWEST)
                before = _remembered(engine)
                pid = await polls.start(now)
                async with asyncio.timeout(20):
                    await press.asked.wait()
                if kill % 2:
                    # A moment that chance would hardly ever meet: just after something has been stored.
                    await asyncio.to_thread(_until_remembered, engine, before)
                else:
                    # Each in its own part of the time that a whole poll takes.
                    await asyncio.sleep(lasts * chance.uniform(kill, kill + 1) / kills)
                orphans |= _kill(pid)
                status = await polls.ended()
                assert status in {0, -signal.SIGKILL}
                struck += status != 0
                _assert_no_memory_without_its_articles(engine, press, before)
                press.slowest = 0.0
                await poll(config, engine, now + timedelta(minutes=30), everything=True)
                assert Counter(_stored(engine)) == press.ever()
    return struck, orphans


def test_parsing_children_end_when_their_poll_is_killed(sqlite_engine: Engine, home: Path) -> None:
    """One feed has been read, so that there are children; another keeps the poll waiting."""
    assert _assert_gone(asyncio.run(_killed_while_waiting(sqlite_engine, home)))


async def _killed_while_waiting(engine: Engine, home: Path) -> set[int]:
    press, forever = Press(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/silent":
            await forever.wait()
        return await press(request)

    async with serving(answer) as server:
        _write_feeds(home, server.url("/0"), server.url("/silent"))
        async with _polls(home, str(engine.url)) as polls:
            pid = await polls.start(NOW)
            await asyncio.to_thread(_until, lambda: bool(_stored(engine)))
            children = _kill(pid)
            assert await polls.ended() == -signal.SIGKILL
            return children


# ── the process, and what is left of it ─────────────────────────────────────────────────────────────────────────


class Polls:
    """Polls in processes of their own, one after the other."""

    def __init__(self, process: Process) -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._answers = process.stdin, process.stdout

    async def start(self, now: datetime) -> int:
        """Start a poll; returns its process."""
        self._orders.write(f"{now.isoformat()}\n".encode())
        return int(await self._answers.readline())

    async def ended(self) -> int:
        """Wait for its end; returns its exit status, or the signal that killed it as a negative number."""
        return int(await self._answers.readline())


@asynccontextmanager
async def _polls(home: Path, database_url: str) -> AsyncIterator[Polls]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", POLLS, str(home)),
        env={**os.environ, "DIGEST_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        yield Polls(process)
    finally:
        await process.communicate(b"")


def _kill(pid: int) -> set[int]:
    """Kill a process without a warning, if it has not ended; returns the children that it had."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # so that it starts no child while we look
        _until(lambda: _state(pid) in {"T", *_ENDED})
        children = {child for child in _processes() if _parent(child) == pid}
        os.kill(pid, signal.SIGKILL)
        return children
    return set()


def _assert_gone(children: set[int]) -> bool:
    """Wait a moment for processes, and for what they have started, to end; says whether there were any."""
    _until(lambda: not any(_state(pid) not in _ENDED for pid in _processes() if {pid, _session(pid)} & children), 5)
    return bool(children)


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.001)


def _processes() -> list[int]:
    return [int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal()]


def _state(pid: int) -> str:
    return _status(pid)[0]


def _parent(pid: int) -> int:
    return int(_status(pid)[1])


def _session(pid: int) -> int:
    return int(_status(pid)[3])


def _status(pid: int) -> list[str]:
    """A process's state, parent, group and session; no state where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["", "0", "0", "0"]


# ── what is in the database ─────────────────────────────────────────────────────────────────────────────────────


def _title(feed: int, number: int) -> str:
    return f"Paper {feed} reports {sha256(f'{feed} {number}'.encode()).hexdigest()[:8]}"


def _write_feeds(home: Path, *urls: str) -> None:
    (home / "feeds.toml").write_text("".join(f'[[feed]]\nurl = "{url}"\npublisher = "{url}"\n' for url in urls))


def _stored(engine: Engine) -> list[str]:
    with read(engine) as conn:
        return list(conn.scalars(select(articles.c.title)))


def _remembered(engine: Engine) -> Remembered:
    """What is remembered of each feed's document."""
    columns = (feeds.c.etag, feeds.c.last_modified, feeds.c.body_hash, feeds.c.marks)
    with read(engine) as conn:
        return {row.url: tuple(row)[1:] for row in conn.execute(select(feeds.c.url, *columns))}


def _until_remembered(engine: Engine, before: Remembered) -> None:
    _until(lambda: _remembered(engine) != before)


def _assert_no_memory_without_its_articles(engine: Engine, press: Press, before: Remembered) -> None:
    stored = set(_stored(engine))
    for url, remembered in _remembered(engine).items():
        if remembered != before[url]:
            assert stored.issuperset(press.titles(int(url.rpartition("/")[2]))), f"{url} is ahead of its articles"
