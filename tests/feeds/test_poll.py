"""A round over the feeds: what is new comes in once, and each feed's trouble stays its own."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.errors import DatabaseUnreachable, UnknownFeed
from digest.feeds.poll import poll
from digest.feeds.reports import FeedReport, PollReport
from digest.model import Alert, Article, Feed, KnownFeed, Memory, PollOutcome, Quote, Validators, Window
from digest.store import articles, feeds, quotes, upsert
from digest.store.engine import read, write
from tests.feeds.servers import Handler, Server, item, rss, serving

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
EVER = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)
ECB = """<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube><Cube time="2026-02-09">
    <Cube currency="USD" rate="1.1672"/></Cube></Cube></gesmes:Envelope>"""


def configured(*urls: str, ecb_url: str = "", **fetching: Any) -> Config:
    return Config(
        home=Path(),
        site=Site(contact="desk@digest.example"),
        fetch=Fetch(**{"allow_private": True, "total_seconds": 10, **fetching}),
        ranking=Ranking(),
        delivery=Sending(),
        web=Web(),
        market=Market(ecb_url=ecb_url),
        digests=(),
        topics=(),
        feeds=tuple(Feed(url, f"Publisher of {url.rpartition('/')[2]}") for url in urls),
        database_url="",
    )


class Press:
    """Publishers' documents by path, to be changed between rounds, with honest validators."""

    def __init__(self, **pages: bytes | Handler) -> None:
        self.pages = pages

    def __call__(self, request: web.Request) -> web.StreamResponse | Awaitable[web.StreamResponse]:
        page = self.pages[request.path.strip("/")]
        if not isinstance(page, bytes):
            return page(request)
        etag = f'"{hash(page)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=page, content_type="application/rss+xml", headers={"ETag": etag})


def rounds(
    engine: Engine,
    press: Press,
    *steps: Callable[[Config], Awaitable[Any] | None],
    config: Callable[[Server], Config] | None = None,
) -> tuple[list[Any], Server]:
    """Steps one after another against one server: rounds of polls, or what happens between them."""

    async def go() -> tuple[list[Any], Server]:
        async with serving(press) as server:
            made = config(server) if config else configured(*(server.url(f"/{name}") for name in press.pages))
            results: list[Any] = []
            for step in steps:
                outcome = step(made)
                if outcome is not None:
                    results.append(await outcome)
            return results, server

    return asyncio.run(go())


def at(engine: Engine, hours: float, **options: Any) -> Callable[[Config], Awaitable[PollReport]]:
    return lambda config: poll(config, engine, NOW + hours * HOUR, **options)


def stored(engine: Engine) -> list[Article]:
    with read(engine) as conn:
        return articles.between(conn, EVER)


def memory(engine: Engine, name: str) -> Memory:
    with read(engine) as conn:
        return next(known.memory for known in feeds.configured(conn) if known.feed.url.endswith(f"/{name}"))


def known(engine: Engine, url: str) -> KnownFeed:
    with read(engine) as conn:
        found = feeds.by_url(conn, url)
    assert found
    return found


def status(code: int, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.Response(status=code, headers=named)


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


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── too much at once ────────────────────────────────────────────────────────────────────────────────────────────


def many(count: int, prefix: str = "", age: timedelta | None = None) -> bytes:
    date = "" if age is None else f"<pubDate>{format_datetime(NOW - age)}</pubDate>"
    return rss(*(item(f"Headline {prefix} number {n}", f"/{prefix}{n}", f"{prefix}{n}", date) for n in range(count)))


@pytest.mark.rows(71)
def test_a_new_feeds_undated_archive_is_known_but_only_its_top_is_news(engine: Engine) -> None:
    press = Press(wire=many(50))

    def grow(_: Config) -> None:
        press.pages["wire"] = many(50).replace(b"<item>", item("Fresh", "/f").encode() + b"<item>", 1)

    (first, second), _ = rounds(engine, press, at(engine, 0), grow, at(engine, 2))

    assert (first.articles_new, second.articles_new) == (50, 1)
    assert {article.title for article in stored(engine)} == {"Fresh", *(f"Headline number {n}" for n in range(10))}


@pytest.mark.rows(72)
def test_a_new_feeds_dated_archive_comes_in_under_its_dates(engine: Engine) -> None:
    dated = [
        item(f"Headline {n}", f"/{n}", more=f"<pubDate>{format_datetime(NOW - n * HOUR)}</pubDate>") for n in range(60)
    ]

    rounds(engine, Press(wire=rss(*dated)), at(engine, 0))

    assert [article.published_at for article in stored(engine)] == [NOW - n * HOUR for n in range(59, -1, -1)]


@pytest.mark.rows(65)
def test_an_archive_published_again_is_held_back_with_one_alert_until_it_is_released(engine: Engine) -> None:
    press = Press(wire=many(40, age=9 * HOUR))

    def reissue(_: Config) -> None:
        press.pages["wire"] = many(40, "again", age=HOUR).replace(b"Headline again", b"Headline ")

    (_, second, third), server = rounds(engine, press, at(engine, 0), reissue, at(engine, 2), at(engine, 4))

    (report,) = second.outcomes
    assert (report.articles_new, report.articles_held) == (40, 40)
    assert list(report.alerts) == [Alert.LOUD]
    assert third.outcomes[0].alerts == {}
    assert len(stored(engine)) == 40
    with write(engine) as conn:
        assert articles.release(conn, known(engine, server.url("/wire")).id) == 40
    assert len(stored(engine)) == 80


@pytest.mark.rows(73)
def test_a_feed_that_runs_over_between_two_polls_is_reported_once(sqlite_engine: Engine) -> None:
    press = Press(wire=many(9, "a", age=3 * HOUR))

    def turn_over(_: Config) -> None:
        press.pages["wire"] = many(9, "b", age=HOUR)

    (_, second, third), _ = rounds(
        sqlite_engine, press, at(sqlite_engine, 0), turn_over, at(sqlite_engine, 2), at(sqlite_engine, 4)
    )

    assert list(second.outcomes[0].alerts) == [Alert.OVERFLOWING]
    assert third.outcomes[0].alerts == {}


@pytest.mark.rows(60)
def test_an_identifier_that_every_entry_shares_does_not_hide_the_next_one(engine: Engine) -> None:
    press = Press(wire=rss(item("First of all", "/1", "same")))

    def grow(_: Config) -> None:
        press.pages["wire"] = rss(item("Second of all", "/2", "same"), item("First of all", "/1", "same"))

    (_, second), _ = rounds(engine, press, at(engine, 0), grow, at(engine, 2))

    assert (second.articles_new, second.articles_updated) == (1, 0)


@pytest.mark.rows(66)
def test_an_entry_that_comes_back_is_the_one_we_knew(engine: Engine) -> None:
    press = Press(wire=rss(item("One", "/1", "a"), item("Two", "/2", "b")))

    def show(*items: str) -> Callable[[Config], None]:
        return lambda _: press.pages.update(wire=rss(*items))

    *_, again = rounds(
        engine,
        press,
        at(engine, 0),
        show(item("Two", "/2", "b")),
        at(engine, 2),
        show(item("One", "/1", "a"), item("Two", "/2", "b")),
        at(engine, 4),
    )[0]

    assert (again.articles_new, again.articles_updated) == (0, 0)


@pytest.mark.rows(67)
def test_a_feed_cannot_touch_what_another_one_said(engine: Engine) -> None:
    press = Press(honest=rss(item("The truth", "https://wire.example/1", "a")), thief=rss(item("Other", "/o", "o")))

    def steal(_: Config) -> None:
        press.pages["thief"] = rss(item("A lie", "https://wire.example/1", "a"))

    rounds(engine, press, at(engine, 0), steal, at(engine, 2))

    assert {article.title for article in stored(engine)} == {"The truth", "Other", "A lie"}


@pytest.mark.rows(68, 69, 70)
@pytest.mark.parametrize(
    "given",
    [
        "Wed, 01 Jan 2199 00:00:00 GMT",
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1700000000",
    ],
)
def test_a_date_that_cannot_be_true_is_none(sqlite_engine: Engine, given: str) -> None:
    fresh = item("Fresh", "/f", more=f"<pubDate>{format_datetime(NOW - HOUR)}</pubDate>")
    press = Press(wire=rss(item(more=f"<pubDate>{given}</pubDate>"), fresh))

    rounds(sqlite_engine, press, at(sqlite_engine, 0), at(sqlite_engine, 26))

    assert {article.title: article.published_at for article in stored(sqlite_engine)} == {
        "Rates rise": NOW,
        "Fresh": NOW - HOUR,
    }


@pytest.mark.rows(68)
def test_a_date_of_now_at_every_poll_does_not_make_an_article_younger(sqlite_engine: Engine) -> None:
    def page(hours: int) -> bytes:
        return rss(item(more=f"<pubDate>{format_datetime(NOW + hours * HOUR)}</pubDate>"))

    press = Press(wire=page(0))
    rounds(
        sqlite_engine,
        press,
        at(sqlite_engine, 0),
        lambda _: press.pages.update(wire=page(5)),
        at(sqlite_engine, 5),
    )

    assert [article.published_at for article in stored(sqlite_engine)] == [NOW]


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

    assert first.market == FeedReport(server.url("/rates"), PollOutcome.FETCHED, 200, articles_new=1)
    assert soon.market is None
    assert later.market.outcome is PollOutcome.NOT_MODIFIED
    assert first.as_dict()["feeds"] == 1
    with read(engine) as conn:
        (quote,) = quotes.latest(conn, ["EUR/USD"], NOW.date())
    assert (quote.value, quote.source) == (Decimal("1.1672"), "European Central Bank")
    assert isinstance(quote, Quote)


def test_rates_that_cannot_be_read_are_a_report(sqlite_engine: Engine) -> None:
    (report,), _ = rounds(
        sqlite_engine,
        Press(rates=b"<html>"),
        at(sqlite_engine, 0),
        config=lambda server: configured(ecb_url=server.url("/rates")),
    )

    assert report.market.outcome is PollOutcome.FAILED
    assert report.market.error.startswith("not the reference rates")


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
