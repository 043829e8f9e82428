"""A round over the feeds: what is new comes in once, from the feeds that are to be asked."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config
from digest.errors import UnknownFeed
from digest.feeds.poll import poll
from digest.feeds.reports import FeedReport
from digest.model import Alert, PollOutcome
from digest.store import quotes
from digest.store.engine import read
from tests.feeds.press import HOUR, NOW, Press, at, configured, rounds, status, stored
from tests.feeds.servers import Server, item, rss, serving

ECB = """<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube><Cube time="2026-02-09">
    <Cube currency="USD" rate="1.1672"/></Cube></Cube></gesmes:Envelope>"""

# ── what a round brings ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_round_brings_the_articles_once_and_the_next_one_is_answered_by_validators(engine: Engine) -> None:
    press = Press(wire=rss(item("One", "/1"), item("Two", "/2")), paper=rss(item("Three", "https://p.example/3")))

    (first, second), server = rounds(engine, press, at(engine, 0), at(engine, 2))

    assert first.as_dict() | {"seconds": 0} == {
        "feeds": 2,
        "fetched": 2,
        "not_modified": 0,
        "failed": 0,
        "articles_new": 3,
        "articles_updated": 0,
        "seconds": 0,
        "outcomes": [
            {
                "feed": server.url(path),
                "outcome": "fetched",
                "status": 200,
                "articles_new": new,
                "articles_held": 0,
                "error": None,
                "alerts": {},
            }
            for path, new in (("/wire", 2), ("/paper", 1))
        ],
    }
    assert (second.count(PollOutcome.NOT_MODIFIED), second.articles_new) == (2, 0)
    assert [report.status for report in second.outcomes] == [304, 304]
    assert {article.title for article in stored(engine)} == {"One", "Two", "Three"}
    assert "desk@digest.example" in server.requests[0].headers["User-Agent"]


@pytest.mark.rows(24)
def test_an_equal_body_without_validators_is_not_read_again(sqlite_engine: Engine) -> None:
    def page(request: web.Request) -> web.Response:
        return web.Response(body=rss(item()), headers={"ETag": f'"{id(request)}"'})

    (_, second), _ = rounds(sqlite_engine, Press(wire=page), at(sqlite_engine, 0), at(sqlite_engine, 2))

    assert second.outcomes[0].outcome is PollOutcome.NOT_MODIFIED
    assert second.outcomes[0].status == 200


@pytest.mark.rows(23)
def test_a_server_is_asked_without_conditions_once_in_twenty_four_hours(sqlite_engine: Engine) -> None:
    hours = (0, 2, 22, 24, 26, 49)

    _, server = rounds(sqlite_engine, Press(wire=rss(item())), *(at(sqlite_engine, hour) for hour in hours))

    conditions = ["If-None-Match" in request.headers for request in server.requests]
    assert conditions == [False, True, True, False, True, False]


def test_changed_identifiers_of_the_same_pages_add_nothing(engine: Engine) -> None:
    press = Press(wire=rss(item("One", "/1", "a"), item("Two", "/2", "b")))

    def change(_: Config) -> None:
        press.pages["wire"] = rss(item("Two", "/2?utm_source=rss", "y"), item("One", "/1", "x"))

    (_, second), _ = rounds(engine, press, at(engine, 0), change, at(engine, 2))

    assert second.outcomes[0].outcome is PollOutcome.FETCHED
    assert (second.articles_new, second.articles_updated) == (0, 0)
    assert len(stored(engine)) == 2


def test_a_corrected_headline_updates_its_article_and_a_new_one_comes_in(engine: Engine) -> None:
    press = Press(wire=rss(item("Rates ries", "/1", "a")))

    def change(_: Config) -> None:
        press.pages["wire"] = rss(item("Oil falls", "/2", "b"), item("Rates rise", "/1", "a"))

    (_, second), _ = rounds(engine, press, at(engine, 0), change, at(engine, 2))

    assert (second.articles_new, second.articles_updated) == (1, 1)
    found = {article.title: article.first_seen_at for article in stored(engine)}
    assert found == {"Rates rise": NOW, "Oil falls": NOW + 2 * HOUR}


def test_dropped_entries_are_counted_by_reason(sqlite_engine: Engine) -> None:
    press = Press(wire=rss(item("Click", "javascript:alert(1)"), item("Rates = ?rise", "/1"), item("=?x", "/2")))

    (report,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0))

    assert report.outcomes[0].dropped == {"the link is not http or https": 1}
    assert {article.title for article in stored(sqlite_engine)} == {"Rates = ?rise", "= ?x"}


@pytest.mark.parametrize(
    ("encoding", "title"), [("iso-8859-1", "Größe"), ("gb2312", "中国经济"), ("windows-1251", "Ставка")]
)
def test_headlines_of_every_encoding_are_stored(sqlite_engine: Engine, encoding: str, title: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel>'
    page = (head + item(title, "/1") + "</channel></rss>").encode(encoding)

    rounds(sqlite_engine, Press(wire=page), at(sqlite_engine, 0))

    assert [article.title for article in stored(sqlite_engine)] == [title]


@pytest.mark.rows(53)
def test_characters_that_no_database_takes_are_left_out(engine: Engine) -> None:
    page = rss(item("NUL \0 and surr\ud800ogates", "/1", "id\0"))

    (report,), _ = rounds(engine, Press(wire=page), at(engine, 0))

    assert report.articles_new == 1
    assert "\0" not in stored(engine)[0].title


def test_progress_is_told_of_each_feed(sqlite_engine: Engine) -> None:
    told: list[FeedReport] = []

    (report,), _ = rounds(
        sqlite_engine, Press(a=rss(item()), b=rss(item())), at(sqlite_engine, 0, progress=told.append)
    )

    assert sorted(told, key=lambda one: one.feed) == sorted(report.outcomes, key=lambda one: one.feed)


# ── which feeds ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_is_due_is_asked_and_the_rest_on_request(sqlite_engine: Engine) -> None:
    press = Press(good=rss(item()), bad=status(500))

    (_, early, one, everything), server = rounds(
        sqlite_engine,
        press,
        at(sqlite_engine, 0),
        at(sqlite_engine, 0.1),
        lambda config: poll(config, sqlite_engine, NOW + 0.2 * HOUR, only=config.feeds[1].url),
        at(sqlite_engine, 0.3, everything=True),
    )

    assert early.outcomes == ()
    assert [report.outcome for report in one.outcomes] == [PollOutcome.FAILED]
    assert Counter(report.outcome for report in everything.outcomes) == {
        PollOutcome.NOT_MODIFIED: 1,
        PollOutcome.BACKED_OFF: 1,
    }
    assert "left alone until 2026-02-10" in (everything.outcomes[1].error or "")
    assert len(server.requests) == 4


def test_servers_take_turns_so_that_a_later_feed_finds_the_connection_of_an_earlier_one(sqlite_engine: Engine) -> None:
    callers: dict[str, Any] = {}

    def page(request: web.Request) -> web.Response:
        callers[request.path] = request.get_extra_info("peername")
        return web.Response(body=rss(item()))

    async def go() -> None:
        async with serving(page) as one, serving(page) as other:
            urls = [*map(one.url, ("/wire", "/markets", "/trade")), *map(other.url, ("/paper", "/bank"))]
            await poll(configured(*urls, concurrency=1), sqlite_engine, NOW)

    asyncio.run(go())

    assert list(callers) == ["/wire", "/paper", "/markets", "/bank", "/trade"]
    assert callers["/wire"] == callers["/markets"] == callers["/trade"] != callers["/paper"] == callers["/bank"]


def test_paused_and_retired_feeds_are_asked_only_by_name(sqlite_engine: Engine) -> None:
    press = Press(paused=rss(item()), gone=status(410))

    def resting(server: Server) -> Config:
        config = configured(server.url("/paused"), server.url("/gone"))
        return replace(config, feeds=(replace(config.feeds[0], paused=True), config.feeds[1]))

    (_, second, third, everything, _, _), server = rounds(
        sqlite_engine,
        press,
        at(sqlite_engine, 0),
        at(sqlite_engine, 24),
        at(sqlite_engine, 72),
        at(sqlite_engine, 72, everything=True),
        lambda config: poll(config, sqlite_engine, NOW + 73 * HOUR, only=config.feeds[0].url),
        lambda config: poll(config, sqlite_engine, NOW + 73 * HOUR, only=config.feeds[1].url),
        config=resting,
    )

    assert list(second.outcomes[0].alerts) == [Alert.RETIRED]
    assert third.outcomes == ()
    assert [report.outcome for report in everything.outcomes] == [PollOutcome.BACKED_OFF]
    assert (everything.outcomes[0].error or "").startswith("retired on 2026-02-11")
    assert [request.path for request in server.requests] == ["/gone", "/gone", "/paused", "/gone"]


def test_a_feed_that_nobody_configured_is_not_polled(sqlite_engine: Engine) -> None:
    with pytest.raises(UnknownFeed, match="nobody"):
        rounds(sqlite_engine, Press(wire=rss(item())), at(sqlite_engine, 0, only="https://nobody.example/"))


# ── reference rates ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_reference_rates_are_asked_for_like_a_feed_but_are_none(engine: Engine) -> None:
    press = Press(wire=rss(item()), rates=ECB.encode())

    def market(server: Server) -> Config:
        return configured(server.url("/wire"), ecb_url=server.url("/rates"))

    (first, soon, later), server = rounds(engine, press, at(engine, 0), at(engine, 0.1), at(engine, 2), config=market)

    assert first.market == (FeedReport(server.url("/rates"), PollOutcome.FETCHED, 200, articles_new=1),)
    assert soon.market == ()
    assert later.market[0].outcome is PollOutcome.NOT_MODIFIED
    assert first.as_dict()["feeds"] == 1
    with read(engine) as conn:
        found = quotes.newest(conn, ["EUR/USD"], NOW.date(), 2)
    assert found == {"EUR/USD": ((date(2026, 2, 9), Decimal("1.1672")),)}


def test_rates_that_cannot_be_read_are_a_report(sqlite_engine: Engine) -> None:
    (report,), _ = rounds(
        sqlite_engine,
        Press(rates=b"<html>"),
        at(sqlite_engine, 0),
        config=lambda server: configured(ecb_url=server.url("/rates")),
    )

    assert report.market[0].outcome is PollOutcome.FAILED
    assert report.market[0].error.startswith("not the reference rates")


# ── real documents ──────────────────────────────────────────────────────────────────────────────────────────────


def test_real_documents_give_articles_once(sqlite_engine: Engine, shared: Path) -> None:
    kinds = {".xml", ".rss", ".rdf", ".atom"}
    documents = {path.name: path.read_bytes() for path in (shared / "feeds").rglob("*") if path.suffix in kinds}

    (first, second), _ = rounds(
        sqlite_engine, Press(**documents), at(sqlite_engine, 0), at(sqlite_engine, 2, everything=True)
    )

    fruitful = [report.feed for report in first.outcomes if report.articles_new]
    assert len(documents) == 75
    assert len(fruitful) >= 73
    assert first.count(PollOutcome.FAILED) == 0
    assert (second.count(PollOutcome.NOT_MODIFIED), second.articles_new) == (75, 0)
    for article in stored(sqlite_engine):
        assert article.url.startswith(("http://", "https://"))
        assert 1 <= len(article.title) <= 200
        assert len(article.summary) <= 600
        assert article.published_at <= article.first_seen_at
        assert "archive.is" not in article.url
        assert not any(word in article.title + article.summary for word in ("&amp;", "&#", "=?", "</", "\0"))
