"""Logs say what was done, in whichever form, and never to whom: no address, token or password comes through."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from digest import logs
from digest.config import LogFormat
from digest.delivery.deliver import DeliveryReport
from digest.editions import due
from digest.links import Links, Purpose
from digest.model import Digest
from digest.scheduler import Service
from digest.store import editions
from digest.store import engine as engines
from tests.delivery.audience import NOW, configured, publish
from tests.logbook import SIGNED, Logbook, forget_settings

LINKS = Links("https://news.example", ("a-key-for-these-tests-only",))
TOKEN = LINKS.token(Purpose.UNSUBSCRIBE, 71, 3)
log = structlog.get_logger(__name__)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where logs go as a service writes them, in JSON."""
    stream = io.StringIO()
    logs.configure(LogFormat.JSON, stream)
    yield stream
    forget_settings()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 5.1.1 <Ann.O'Neil+news@reader.example>: no such user", "550 5.1.1 <…>: no such user"),
        ('to="ann b"@reader.example, relay=mx', "to=…, relay=mx"),
        ("用户@例え.jp refused", "… refused"),
        ("/subscribers?q=ann%40reader.example&page=2", "/subscribers?…&page=2"),
        (f"GET https://news.example/unsubscribe/{TOKEN}?x=1", "GET https://news.example/unsubscribe/…?x=1"),
        (f"the token {TOKEN}, bare", "the token …, bare"),
        ("smtps://user:p@ss:w@relay.example:465", "smtps://…@relay.example:465"),
        ("postgresql+psycopg://digest:x@db/news failed", "postgresql+psycopg://…@db/news failed"),
        ("https://feeds.example/rss?api_key=abc123&n=5", "https://feeds.example/rss?api_key=…&n=5"),
        ("https://medium.example/feed/@author", "https://medium.example/feed/@author"),
        ("bounces+71.0a1b2c3d4e5f60718293@news.example", "…"),
        ("polled 12 feeds in 3.5 s; edition 7 of 2026-02-10", "polled 12 feeds in 3.5 s; edition 7 of 2026-02-10"),
    ],
)
def test_what_would_name_a_reader_or_let_somebody_in_is_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert logs.hide(text) == shown


def test_lines_of_ours_and_of_libraries_have_one_form_and_hide_the_same(written: io.StringIO) -> None:
    log.info("delivered", sent=3, to=["ann@reader.example"], details={"reply": "<bob@reader.example> no"}, password="x")
    logging.getLogger("uvicorn.error").error("Exception for %s", "ann@reader.example")
    try:
        raise ValueError("ann@reader.example")  # noqa: TRY301
    except ValueError:
        log.exception("failed", part="deliver")
    logging.getLogger("apscheduler.executors.default").info("Running job")

    ours, theirs, failed = (json.loads(line) for line in written.getvalue().splitlines())
    assert (ours["event"], ours["sent"], ours["to"], ours["password"]) == ("delivered", 3, ["…"], "…")
    assert ours["details"] == {"reply": "<…> no"}
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("Exception for …", "error", "uvicorn.error")
    assert "ValueError: …" in failed["exception"]
    assert {"timestamp", "level"} <= ours.keys() & theirs.keys() & failed.keys()


def test_every_line_of_a_run_says_of_which_run_it_is_also_in_other_tasks_and_threads(written: io.StringIO) -> None:
    async def work() -> None:
        await asyncio.to_thread(log.info, "in a thread")
        await asyncio.create_task(asyncio.to_thread(log.info, "in a task"))

    with logs.run("send", editions=[12]):
        asyncio.run(work())
    log.info("after it")

    *inside, after = (json.loads(line) for line in written.getvalue().splitlines())
    assert len({line["run"] for line in inside}) == 1
    assert inside[0]["run"].startswith("send-")
    assert [line["editions"] for line in inside] == [[12], [12]]
    assert "run" not in after


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.CONSOLE])
def test_what_strangers_write_neither_begins_a_line_nor_commands_a_terminal(
    written: io.StringIO, form: LogFormat
) -> None:
    logs.configure(form, written)
    hostile = "no\r\n2026-02-10 [info] all is well \x1b[2J\x9b31m\u202e\0\u2028"

    log.info("refused", reply=hostile, by={"agent": [hostile]})
    logging.getLogger("library").warning("it said %s", hostile)
    try:
        raise ValueError(hostile)  # noqa: TRY301
    except ValueError:
        log.exception("failed")

    said = written.getvalue()
    assert set(said) - {"\n"} <= {one for one in said if one.isprintable()}
    told, by_library, *_ = said.splitlines()
    assert "all is well" in told
    assert "all is well" in by_library


def test_for_people_a_line_is_read_without_braces(written: io.StringIO) -> None:
    logs.configure(LogFormat.CONSOLE, written)
    log.info("published", edition=12)

    assert "published" in written.getvalue()
    assert "edition=12" in written.getvalue()
    assert "{" not in written.getvalue()


def test_the_book_of_all_tests_finds_what_no_line_may_hold() -> None:
    """tests/logbook.py fails the whole run over such lines, at the end."""
    book = Logbook()
    book.signatures.add(TOKEN[-SIGNED:])
    for text in ("sent to ann@reader.example", "q=ann%40reader.example", f"/x/{TOKEN}/useful", "smtp://me:pw@relay"):
        book.lines.append(text)
        book.note("info", {"event": text})

    assert book.bad() == book.lines[::2]


def test_lines_of_the_service_name_the_run_the_digest_and_the_editions(
    written: io.StringIO, sqlite_engine: Engine, tmp_path: Path
) -> None:
    config = replace(configured(tmp_path), digests=(Digest("economy", "The Economic Digest", press=time(6)),))
    with engines.write(sqlite_engine) as connection:
        edition = publish(connection, 3, at=NOW)

    async def deliver(*_: object, stop: asyncio.Event) -> DeliveryReport:
        structlog.get_logger().info("at the relay")
        return DeliveryReport(sent=3)

    service = Service(lambda: config, sqlite_engine, lambda: NOW + timedelta(minutes=1), deliver=deliver)
    service.send()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(due, "propose", lambda *_: log.info("nothing to propose"))
        patch.setattr(due, "publish", lambda *_: log.info("made"))
        patch.setattr(editions, "last_date", lambda *_: NOW.date() - timedelta(days=1))
        service.tick()

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    relay, delivered = (line for line in lines if line["event"] in {"at the relay", "delivered"})
    assert relay["run"] == delivered["run"] != ""
    assert relay["editions"] == delivered["editions"] == [edition.id]
    (made,) = (line for line in lines if line["event"] == "made")
    assert (made["run"][:5], made["digest"], made["date"]) == ("tick-", "economy", "2026-02-10")
