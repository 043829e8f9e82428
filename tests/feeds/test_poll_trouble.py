"""What goes wrong with one feed stays its own, is remembered, and is told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config
from digest.errors import DatabaseUnreachable
from digest.model import Alert, PollOutcome, Validators
from digest.store import articles, feeds, upsert
from digest.store.engine import write
from tests.feeds.press import HOUR, NOW, Press, at, configured, known, memory, rounds, status, stored
from tests.feeds.servers import Handler, Server, item, rss


def test_one_feeds_trouble_is_its_own(sqlite_engine: Engine) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    press = Press(
        html=b"<!doctype html><html>Moved</html>",
        slow=never,
        large=bytes(2_000_000),
        broken=status(500),
        surrogate=rss("<item><title>&#xD800;</title></item>"),
        empty=lambda request: web.Response(),
        loop=status(302, Location="/loop"),
        **{f"good{number}": rss(item(f"Good {number}", f"https://g.example/{number}")) for number in range(20)},
    )

    def limits(server: Server) -> Config:
        urls = [server.url(f"/{name}") for name in press.pages]
        return configured(*urls, total_seconds=1, most_bytes=1_000_000, per_host=16)

    (report,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0), config=limits)

    errors = {one.feed.rpartition("/")[2]: one.error for one in report.outcomes if one.error}
    assert set(errors) == {"html", "slow", "large", "broken", "surrogate", "empty", "loop"}
    assert errors["html"] == "not a feed: it is an HTML page"
    assert errors["slow"] == "no whole answer within 1 seconds"
    assert (report.count(PollOutcome.FAILED), report.articles_new) == (7, 20)
    assert report.seconds < 5


def test_a_failing_feed_keeps_its_articles_and_what_it_remembers(sqlite_engine: Engine) -> None:
    press = Press(wire=rss(item()))

    def fail(_: Config) -> None:
        press.pages["wire"] = b"<html>Sorry</html>"

    _, _server = rounds(sqlite_engine, press, at(sqlite_engine, 0), fail, at(sqlite_engine, 2))

    assert len(stored(sqlite_engine)) == 1
    assert memory(sqlite_engine, "wire").validators != Validators()
    assert memory(sqlite_engine, "wire").succeeded_at == NOW


@pytest.mark.rows(25)
def test_validators_are_not_remembered_where_the_articles_were_not_stored(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: Any) -> None:
        raise ArithmeticError("disk on fire")

    press = Press(wire=rss(item()))
    with monkeypatch.context() as patched:
        patched.setattr(articles, "insert_if_absent", crash)
        (first,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0))
    url = first.outcomes[0].feed

    assert first.outcomes[0].error == "what it brought cannot be stored: ArithmeticError: disk on fire"
    found = known(sqlite_engine, url).memory
    assert (found.validators, found.body_hash, found.marks) == (Validators(), None, b"")
    assert found.read_since is None


@pytest.mark.parametrize(
    ("answer", "outcome", "least_wait"),
    [
        (status(410), PollOutcome.GONE, HOUR),
        (status(404), PollOutcome.GONE, HOUR),
        (status(500), PollOutcome.FAILED, HOUR),
        (status(403), PollOutcome.FAILED, 4 * HOUR),
        (status(429, Retry_After="25200"), PollOutcome.FAILED, 7 * HOUR),
        (status(503, Retry_After="never"), PollOutcome.FAILED, 4 * HOUR),
    ],
    ids=["410", "404", "500", "403", "429", "503"],
)
def test_a_refused_poll_is_not_repeated_too_soon(
    sqlite_engine: Engine, answer: Handler, outcome: PollOutcome, least_wait: timedelta
) -> None:
    rounds(sqlite_engine, Press(wire=answer), at(sqlite_engine, 0))

    found = memory(sqlite_engine, "wire")
    assert (found.outcome, found.failures) == (outcome, 1)
    assert NOW + 0.9 * least_wait <= found.next_poll_at <= NOW + 24 * HOUR


def test_failures_in_a_row_are_waited_out_twice_as_long_each_time(sqlite_engine: Engine) -> None:
    rounds(sqlite_engine, Press(wire=status(500)), *(at(sqlite_engine, hours) for hours in (0, 2, 5)))

    found = memory(sqlite_engine, "wire")
    assert found.failures == 3
    assert found.next_poll_at >= NOW + 9 * HOUR


def test_a_server_that_asks_for_patience_gets_it(sqlite_engine: Engine) -> None:
    patient = rss(item(), channel="<ttl>300</ttl>")
    fresh: Handler = lambda request: web.Response(body=rss(item()), headers={"Cache-Control": "max-age=10800"})  # noqa: E731

    rounds(sqlite_engine, Press(patient=patient, fresh=fresh, plain=rss(item())), at(sqlite_engine, 0))

    assert memory(sqlite_engine, "patient").next_poll_at == NOW + 5 * HOUR
    assert memory(sqlite_engine, "fresh").next_poll_at == NOW + 3 * HOUR
    assert abs(memory(sqlite_engine, "plain").next_poll_at - NOW - HOUR) <= 0.1 * HOUR


def test_a_feed_that_moved_for_good_is_followed_and_reported(sqlite_engine: Engine) -> None:
    press = Press(old=status(301, Location="/new"), new=rss(item()))

    (report,), server = rounds(
        sqlite_engine, press, at(sqlite_engine, 0), config=lambda server: configured(server.url("/old"))
    )

    assert report.outcomes[0].outcome is PollOutcome.MOVED
    assert report.outcomes[0].error == f"moved for good to {server.url('/new')}"
    assert (report.as_dict()["fetched"], report.articles_new) == (1, 1)


def test_inside_addresses_are_refused_unless_the_operator_allows_them(sqlite_engine: Engine) -> None:
    (report,), server = rounds(
        sqlite_engine,
        Press(wire=rss(item())),
        at(sqlite_engine, 0),
        config=lambda server: configured(server.url("/wire"), "http://127.0.0.1/wire", allow_private=False),
    )

    assert [one.outcome for one in report.outcomes] == [PollOutcome.FAILED] * 2
    assert "not a public address" in (report.outcomes[1].error or "")
    assert not server.requests


def test_a_feed_that_stays_away_for_good_is_read_where_it_went_and_keeps_its_articles(engine: Engine) -> None:
    press = Press(old=status(301, Location="/new"), new=rss(item(), channel="<title>Wire</title>"))
    old: Callable[[Server], Config] = lambda server: configured(server.url("/old"))  # noqa: E731

    def grow(_: Config) -> None:
        press.pages["new"] = rss(item("Oil falls", "/2"), item())

    (*_, third, fourth), server = rounds(
        engine, press, *(at(engine, hours) for hours in (0, 2, 26)), grow, at(engine, 28), config=old
    )

    assert [request.path for request in server.requests] == ["/old", "/new"] * 3 + ["/new"]
    assert list(third.outcomes[0].alerts) == [Alert.MOVED]
    assert server.url("/new") in third.outcomes[0].alerts[Alert.MOVED]
    assert (fourth.outcomes[0].alerts, fourth.articles_new, len(stored(engine))) == ({}, 1, 2)
    followed = configured(server.url("/new"))
    with write(engine) as conn:
        feeds.sync(conn, followed.feeds, NOW)
    assert known(engine, server.url("/new")).memory.read_since == NOW
    assert len(stored(engine)) == 2


def test_what_one_feed_brings_is_stored_although_another_feeds_cannot_be(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = upsert.insert_if_absent

    def crash(conn: Any, table: Any, rows: Any) -> int:
        if any(row.get("title") == "Poison" for row in rows):
            raise ArithmeticError("poison")
        return real(conn, table, rows)

    press = Press(
        poison=rss(item("Poison", "/0")),
        **{f"good{number}": rss(item(f"Good {number}", f"https://g.example/{number}")) for number in range(9)},
    )
    with monkeypatch.context() as patched:
        patched.setattr(articles, "insert_if_absent", crash)
        (report,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0))

    assert report.count(PollOutcome.FETCHED) == 9
    assert len(stored(sqlite_engine)) == 9
    assert [one.feed.rpartition("/")[2] for one in report.outcomes if one.error] == ["poison"]


def test_a_database_that_stops_answering_ends_the_round_with_a_sentence(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any) -> None:
        raise DatabaseUnreachable("sqlite:///digest.db", "disk full")

    monkeypatch.setattr(feeds, "remember", gone)

    with pytest.raises(DatabaseUnreachable, match="disk full"):
        rounds(sqlite_engine, Press(a=rss(item()), b=rss(item())), at(sqlite_engine, 0))
