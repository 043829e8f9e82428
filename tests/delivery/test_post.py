"""Letters to single people go once, say what was meant, and are tried again when they could not go."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from digest import clock as clocks
from digest.delivery import letter as letters
from digest.delivery.letter import Letter, compiled
from digest.delivery.post import PostReport, post
from digest.errors import BadAddress
from digest.model import Rendered
from digest.store import engine as engines
from digest.store import letters as store
from tests.delivery.audience import NOW, SITE, configured, still
from tests.delivery.sink import HANG_UP, Sink, saying

TOLD = Rendered("Held: The Economic Digest of 10 February", "Nobody has approved it yet.\n", "<p>Nobody has.</p>\n")
LETTER = Letter("held:economy:2026-02-10", "ann@editors.example", TOLD)


def posted(
    engine: Engine, home: Path, sink: Sink | None, *sent: Letter, now: datetime = NOW, **delivery: object
) -> PostReport:
    async def scenario() -> PostReport:
        if sink is None:
            return await post(configured(home, None, **delivery), engine, sent, still(now))
        async with sink.serving():
            return await post(configured(home, sink.relay, **delivery), engine, sent, still(now))

    return asyncio.run(scenario())


def parsed(body: bytes) -> EmailMessage:
    found = message_from_bytes(body, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_letter_goes_once_however_often_it_is_posted(engine: Engine, tmp_path: Path) -> None:
    sink = Sink()

    reports = [posted(engine, tmp_path, sink, LETTER, LETTER) for _ in range(3)]

    assert [report.sent for report in reports] == [1, 0, 0]
    ((recipient, body),) = sink.accepted
    assert recipient == LETTER.to
    mail = parsed(body)
    assert (mail["Subject"], mail["To"], mail["Reply-To"]) == (TOLD.subject, LETTER.to, SITE.contact)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert [part.get_content().splitlines() for part in (plain, html)] == [
        TOLD.text.splitlines(),
        TOLD.html.splitlines(),
    ]


def test_letters_to_many_go_over_a_few_connections(sqlite_engine: Engine, tmp_path: Path) -> None:
    many = [replace(LETTER, key=f"correction:1:{number}", to=f"r{number}@readers.example") for number in range(60)]
    sink = Sink()

    report = posted(sqlite_engine, tmp_path, sink, *many, connections=4)

    assert (report.sent, report.problems) == (60, ())
    assert sorted(sink.recipients) == sorted(letter.to for letter in many)
    assert len(sink.sessions) <= 4


@pytest.mark.parametrize(
    "script", [saying(RCPT="550 no such user"), saying(MAIL="451 later"), saying(GREETING="554 go away")]
)
def test_a_letter_that_could_not_go_says_why_and_is_tried_again(
    sqlite_engine: Engine, tmp_path: Path, script: object
) -> None:
    sink = Sink(script=script)  # type: ignore[arg-type]
    report = posted(sqlite_engine, tmp_path, sink, LETTER)

    assert report.sent == 0
    assert len(report.problems) == 1
    assert TOLD.subject in report.problems[0]
    assert posted(sqlite_engine, tmp_path, Sink(), LETTER).sent == 1


def test_a_letter_that_may_have_gone_is_not_sent_again(sqlite_engine: Engine, tmp_path: Path) -> None:
    assert posted(sqlite_engine, tmp_path, Sink(script=saying(DOT=HANG_UP)), LETTER).sent == 1
    assert posted(sqlite_engine, tmp_path, Sink(), LETTER).sent == 0


def test_a_letter_that_a_dead_process_took_is_taken_again_after_a_while(engine: Engine, tmp_path: Path) -> None:
    with engines.write(engine) as connection:
        assert store.take(connection, LETTER.key, NOW, clocks.LEASE)

    assert posted(engine, tmp_path, Sink(), LETTER, now=NOW + clocks.LEASE - timedelta(seconds=1)).sent == 0
    assert posted(engine, tmp_path, Sink(), LETTER, now=NOW + clocks.LEASE).sent == 1


def test_what_is_known_of_old_letters_can_be_forgotten(engine: Engine) -> None:
    with engines.write(engine) as connection:
        store.take(connection, "old", NOW - timedelta(days=90), clocks.LEASE)
        store.take(connection, "new", NOW, clocks.LEASE)
        assert store.forget(connection, NOW - timedelta(days=60)) == 1
        assert store.take(connection, "old", NOW, clocks.LEASE)
        assert not store.take(connection, "new", NOW, clocks.LEASE)


@pytest.mark.parametrize("only_to", [(), ("somebody@else.example",)])
def test_in_safe_mode_a_letter_becomes_a_file(sqlite_engine: Engine, tmp_path: Path, only_to: Sequence[str]) -> None:
    sink = Sink() if only_to else None

    assert posted(sqlite_engine, tmp_path, sink, LETTER, only_to=tuple(only_to)).sent == 1

    assert sink is None or not sink.accepted
    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert parsed(file.read_bytes())["To"] == LETTER.to


def test_a_letter_that_readers_get_because_they_read_lets_them_leave_with_one_click() -> None:
    mail = parsed(compiled(replace(LETTER, unsubscribe="https://news.example/unsubscribe/token"), SITE, NOW))

    assert mail["List-Unsubscribe"] == "<https://news.example/unsubscribe/token>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] is None


def test_an_address_that_could_be_read_as_something_else_is_refused() -> None:
    with pytest.raises(BadAddress):
        compiled(replace(LETTER, to="a@b.example>\r\nBcc: c@d.example"), SITE, NOW)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_written_a_letter_has_the_headers_that_were_meant(subject: str, text: str) -> None:
    mail = parsed(compiled(Letter("k", "a@b.example", Rendered(subject, f"{text}\n", "<p>x</p>\n")), SITE, NOW))

    assert len(mail.keys()) == len(set(mail.keys())) == 10
    assert mail["To"] == "a@b.example"
    assert letters.message_id(LETTER, SITE) != mail["Message-ID"]
