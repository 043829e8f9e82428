"""Parsing in children: what one document does to its child is nobody else's trouble."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.feeds import sandbox, wire
from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.sandbox import Parser
from digest.model import Entry, Image
from tests.feeds.servers import item, rss

ROOT = Path(__file__).resolve().parents[2]
GOOD = rss(item("Rates rise"))
TANGLE = (
    b'<rss version="2.0"><channel><item ' + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/></channel></rss>"
)


def with_parser(go: Callable[[Parser], Awaitable[list[Parsed | ParseFailed]]], seconds: float = 20) -> list[str]:
    """What a parser with one child answers, as titles and reasons."""

    async def run() -> list[Parsed | ParseFailed]:
        async with Parser(500, children=1, seconds=seconds) as parser:
            return await go(parser)

    return [
        outcome.reason if isinstance(outcome, ParseFailed) else outcome.entries[0].title
        for outcome in asyncio.run(run())
    ]


def child_of(parser: Parser) -> int:
    child = parser._idle._queue[-1]  # type: ignore[attr-defined]
    return int(child.pid)


def test_one_child_reads_many_documents() -> None:
    children = set()

    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        outcomes = []
        for title in ("One", "Two", "Three"):
            outcomes.append(await parser.parse(rss(item(title)), "https://wire.example/", "text/xml"))
            children.add(child_of(parser))
        return outcomes

    assert with_parser(go) == ["One", "Two", "Three"]
    assert len(children) == 1


def test_a_document_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        return [
            await parser.parse(GOOD, "https://wire.example/", ""),
            await parser.parse(TANGLE, "https://wire.example/", ""),
            await parser.parse(GOOD, "https://wire.example/", ""),
        ]

    assert with_parser(go, seconds=1.5) == [
        "Rates rise",
        "the document takes longer than 1.5 seconds to read",
        "Rates rise",
    ]


def test_a_child_that_dies_is_replaced() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        first = await parser.parse(GOOD, "https://wire.example/", "")
        os.kill(child_of(parser), signal.SIGKILL)
        return [first, *[await parser.parse(GOOD, "https://wire.example/", "") for _ in range(2)]]

    first, second, third = with_parser(go)

    assert first == third == "Rates rise"
    assert second in {"Rates rise", "the parser broke down over the document"}


def test_a_cancelled_reading_leaves_the_parser_fit() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        await parser.parse(GOOD, "https://wire.example/", "")
        reading = asyncio.create_task(parser.parse(TANGLE, "https://wire.example/", ""))
        await asyncio.wait([reading], timeout=0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        return [await parser.parse(GOOD, "https://wire.example/", "")]

    assert with_parser(go) == ["Rates rise"]


def test_a_parser_works_in_a_thread_of_its_own() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        return [await parser.parse(GOOD, "https://wire.example/", "")]

    with ThreadPoolExecutor() as threads:
        assert threads.submit(with_parser, go).result() == ["Rates rise"]


def test_a_child_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRET_KEY", "not-for-children-of-any-kind")
    seen: list[bytes] = []

    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        outcome = await parser.parse(GOOD, "https://wire.example/", "")
        environment = await asyncio.to_thread(Path(f"/proc/{child_of(parser)}/environ").read_bytes)
        seen.append(environment)
        return [outcome]

    with_parser(go)

    assert b"PYTHONPATH" in seen[0]
    assert b"DIGEST" not in seen[0]


def under_limits(limits: str, body: bytes) -> subprocess.CompletedProcess[bytes]:
    """A child with other limits than usual, given one document."""
    request = {"url": "https://wire.example/", "content_type": "", "most_entries": 500, "length": len(body)}
    head = json.dumps(request).encode()
    program = f"from digest.feeds import parse_worker as w; {limits}; raise SystemExit(w.main())"
    return subprocess.run(
        [sys.executable, "-c", program],
        input=len(head).to_bytes(wire.LENGTH_BYTES) + head + body,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_a_document_that_computes_too_long_costs_the_child_its_life() -> None:
    assert under_limits("w.CPU_SECONDS = 1", TANGLE).returncode == -signal.SIGXCPU


def test_a_document_that_needs_too_much_memory_ends_the_child() -> None:
    ended = under_limits("w.MEMORY_BYTES = 24 << 20", rss(item("x" * 8_000_000)))

    assert (ended.returncode, ended.stdout) == (wire.EXHAUSTED, b"")


def test_a_child_says_why_it_ended() -> None:
    async def last_words(program: str) -> str:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        return await sandbox._last_words(child)

    exhausted = asyncio.run(last_words(f"raise SystemExit({wire.EXHAUSTED})"))
    overworked = asyncio.run(last_words("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"))

    assert exhausted == "the document takes more memory than a feed may"
    assert overworked == "the document takes more computing time than a feed may"


def test_what_goes_over_the_wire_comes_back_the_same() -> None:
    entry = Entry(
        "1", "l", "t\ud800\0", "s", datetime(2026, 2, 10, tzinfo=UTC), None, categories=("a",), images=(Image("u"),)
    )
    parsed = Parsed((entry,), "Wire", "en", timedelta(hours=1))

    assert wire.unpacked(wire.packed(parsed)) == parsed
    assert wire.unpacked(wire.packed(ParseFailed("no"))) == ParseFailed("no")
