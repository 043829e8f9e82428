"""Parsing in children: what one document does to its child is nobody else's trouble."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading import sandbox, wire
from digest.feeds.reading.sandbox import Parser
from digest.model import Entry, Image
from tests.feeds.servers import item, rss

ROOT = Path(__file__).resolve().parents[2]
GOOD = rss(item("Rates rise"))
# Some seconds of computing, in bytes that are not yet too many for the quick lane.
SLOW = b'<rss version="2.0"><channel><item><title>' + b"<a" * 250_000


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
    child = parser._quick._idle._queue[-1]  # type: ignore[attr-defined]
    return int(child.pid)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


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
            await parser.parse(SLOW, "https://wire.example/", ""),
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
        reading = asyncio.create_task(parser.parse(SLOW, "https://wire.example/", ""))
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


def test_children_end_with_their_parser() -> None:
    children: list[int] = []

    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        outcome = await parser.parse(GOOD, "https://wire.example/", "")
        children.append(child_of(parser))
        assert is_alive(children[0])
        return [outcome]

    with_parser(go)

    assert not is_alive(children[0])


def test_what_is_slow_lets_the_others_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        async def read(name: str, body: bytes) -> Parsed | ParseFailed:
            outcome = await parser.parse(body, "https://wire.example/", "")
            ended.append(name)
            return outcome

        slow = [asyncio.create_task(read("slow", SLOW)) for _ in range(3)]
        good = [asyncio.create_task(read("good", GOOD)) for _ in range(20)]
        await asyncio.wait(good)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        return [task.result() for task in good]

    assert with_parser(go) == ["Rates rise"] * 20
    assert ended[:20] == ["good"] * 20


def test_what_is_slow_is_read_at_the_lowest_priority_and_by_no_more_children_than_there_are_places() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        first = await parser.parse(GOOD, "https://wire.example/", "")
        slow = [asyncio.create_task(parser.parse(SLOW, "https://wire.example/", "")) for _ in range(4)]
        seen: list[list[int]] = []
        while not all(task.done() for task in slow):
            seen.append(sorted(os.getpriority(os.PRIO_PROCESS, pid) for pid in parser._nursery._children))
            await asyncio.wait(slow, timeout=0.01)
        assert max(map(len, seen)) <= 2
        assert any(niceness[-1:] == [19] for niceness in seen)
        assert all(niceness.count(0) <= 1 for niceness in seen)
        return [first]

    assert with_parser(go, seconds=0.4) == ["Rates rise"]


def test_a_nursery_that_dies_is_replaced() -> None:
    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        first = await parser.parse(GOOD, "https://wire.example/", "")
        nursery = parser._nursery._process
        assert nursery is not None
        os.kill(child_of(parser), signal.SIGKILL)
        nursery.kill()
        await nursery.wait()
        return [first, *[await parser.parse(GOOD, "https://wire.example/", "") for _ in range(2)]]

    first, _, third = with_parser(go)

    assert first == third == "Rates rise"


def test_a_document_that_computes_too_long_is_given_up_with_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CPU_SECONDS", 0.3)

    async def go(parser: Parser) -> list[Parsed | ParseFailed]:
        bodies = (SLOW, GOOD)
        return [await parser.parse(body, "https://wire.example/", "") for body in bodies]

    assert with_parser(go) == [wire.OVERWORKED, "Rates rise"]


def test_a_document_that_needs_too_much_memory_is_the_childs_last() -> None:
    """In a process of its own, since a child gives up memory for good."""
    program = f"""
import io, sys
sys.path.insert(0, {str(ROOT)!r})
from digest.feeds.reading import parse_worker, wire
from tests.feeds.servers import item, rss
parse_worker.MEMORY_BYTES = 24 << 20
body = rss(item("x" * 8_000_000))
question = b"".join(wire.asked(wire.Question(body, "https://wire.example/", "", 500, b""), 10.0))
answers = io.BytesIO()
parse_worker.serve(io.BytesIO(question * 2), answers)
print(answers.getvalue().count(b"reason"), wire.unpacked(answers.getvalue()[wire.LENGTH_BYTES:]).reason)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == f"1 {wire.EXHAUSTED}"


def test_a_question_has_no_empty_piece_for_asyncio_to_send_for_ever() -> None:
    assert all(wire.asked(wire.Question(b"", "https://wire.example/", "", 500, b""), 1.5))


def test_a_question_comes_over_the_wire_as_it_was_asked() -> None:
    question = wire.Question(b"<rss/>\xff", "https://wire.example/ä", "text/xml", 500, b"\0" * 16)

    stream = io.BytesIO(b"".join(wire.asked(question, 1.5)))

    assert wire.heard(stream) == (question, 1.5)
    assert wire.heard(stream) is None


def test_what_goes_over_the_wire_comes_back_the_same() -> None:
    entry = Entry(
        "1", "l", "t\ud800\0", "s", datetime(2026, 2, 10, tzinfo=UTC), None, categories=("a",), images=(Image("u"),)
    )
    parsed = Parsed(
        (entry,),
        "Wire",
        "en",
        "https://wire.example/",
        timedelta(hours=1),
        (0, 23),
        (6,),
        b"\0\xff",
        3,
        shared_ids=True,
    )

    for outcome in (parsed, Parsed(()), ParseFailed("no", ("https://wire.example/feed",))):
        assert wire.unpacked(wire.packed(outcome)[wire.LENGTH_BYTES :]) == outcome
