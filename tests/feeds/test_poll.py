"""A round over the feeds: what is new comes in once, and each feed's trouble stays its own."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.errors import UnknownFeed
from digest.feeds.poll import FeedReport, PollReport, poll
from digest.model import Article, Feed, PollOutcome, Quote, Validators, Window
from digest.store import articles, feeds, quotes
from digest.store.engine import read
from digest.store.feeds import FeedState, KnownFeed
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


def state(engine: Engine, name: str) -> FeedState:
    with read(engine) as conn:
        return next(state for state in feeds.states(conn) if state.url.endswith(f"/{name}"))


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
            {"feed": server.url("/wire"), "outcome": "fetched", "status": 200, "articles_new": 2, "error": None},
            {"feed": server.url("/paper"), "outcome": "fetched", "status": 200, "articles_new": 1, "error": None},
        ],
    }
    assert (second.count(PollOutcome.NOT_MODIFIED), second.articles_new) == (2, 0)
    assert [report.status for report in second.outcomes] == [304, 304]
    assert {article.title for article in stored(engine)} == {"One", "Two", "Three"}
    assert "desk@digest.example" in server.requests[0].headers["User-Agent"]


def test_an_equal_body_without_validators_is_not_read_again(sqlite_engine: Engine) -> None:
    def page(request: web.Request) -> web.Response:
        return web.Response(body=rss(item()), headers={"ETag": f'"{id(request)}"'})

    (_, second), _ = rounds(sqlite_engine, Press(wire=page), at(sqlite_engine, 0), at(sqlite_engine, 2))

    assert second.outcomes[0].outcome is PollOutcome.NOT_MODIFIED
    assert second.outcomes[0].status == 200


def test_each_day_begins_with_a_question_without_conditions(sqlite_engine: Engine) -> None:
    press = Press(wire=rss(item()))

    _, server = rounds(sqlite_engine, press, at(sqlite_engine, 0), at(sqlite_engine, 2), at(sqlite_engine, 24))

    assert ["If-None-Match" in request.headers for request in server.requests] == [False, True, False]


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

    _, server = rounds(sqlite_engine, press, at(sqlite_engine, 0), fail, at(sqlite_engine, 2))

    assert len(stored(sqlite_engine)) == 1
    assert known(sqlite_engine, server.url("/wire")).validators != Validators()
    assert state(sqlite_engine, "wire").succeeded_at == NOW


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

    assert first.outcomes[0].error == "unexpected ArithmeticError: disk on fire"
    assert (known(sqlite_engine, url).validators, known(sqlite_engine, url).body_hash) == (Validators(), None)


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

    found = state(sqlite_engine, "wire")
    assert (found.outcome, found.failures) == (outcome, 1)
    assert NOW + 0.9 * least_wait <= found.next_poll_at <= NOW + 24 * HOUR


def test_failures_in_a_row_are_waited_out_twice_as_long_each_time(sqlite_engine: Engine) -> None:
    rounds(sqlite_engine, Press(wire=status(500)), *(at(sqlite_engine, hours) for hours in (0, 2, 5)))

    found = state(sqlite_engine, "wire")
    assert found.failures == 3
    assert found.next_poll_at >= NOW + 9 * HOUR


def test_a_server_that_asks_for_patience_gets_it(sqlite_engine: Engine) -> None:
    patient = rss(item(), channel="<ttl>300</ttl>")
    fresh: Handler = lambda request: web.Response(body=rss(item()), headers={"Cache-Control": "max-age=10800"})  # noqa: E731

    rounds(sqlite_engine, Press(patient=patient, fresh=fresh, plain=rss(item())), at(sqlite_engine, 0))

    assert state(sqlite_engine, "patient").next_poll_at == NOW + 5 * HOUR
    assert state(sqlite_engine, "fresh").next_poll_at == NOW + 3 * HOUR
    assert abs(state(sqlite_engine, "plain").next_poll_at - NOW - HOUR) <= 0.1 * HOUR


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
