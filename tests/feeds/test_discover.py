"""Which feed an address stands for, and what a look at a feed shows, with real servers and nothing stored."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from aiohttp import web

from digest.feeds.discover import MOST_ALTERNATES, USUAL_PLACES, Discovery, discover
from digest.feeds.look import Trial, try_out
from digest.feeds.outcomes import Parsed
from digest.model import Feed
from tests.conftest import NOW
from tests.feeds.press import configured
from tests.feeds.servers import Server, item, rss, serving

CONFIG = configured()
FEED = rss(item())
Pages = Mapping[str, bytes | web.Response]


def page(*links: str) -> web.Response:
    named = "".join(f'<link rel="alternate" type="application/rss+xml" href="{link}">' for link in links)
    return web.Response(
        text=f"<!doctype html><html><head>{named}</head><body>News</body></html>", content_type="text/html"
    )


def moved(place: str, status: int = 301) -> web.Response:
    return web.Response(status=status, headers={"Location": place})


def answer(pages: Pages, request: web.Request) -> web.Response:
    found = pages.get(request.path, web.Response(status=404))
    if isinstance(found, bytes):
        return web.Response(body=found, content_type="application/rss+xml", headers={"Cache-Control": "max-age=7200"})
    return web.Response(body=found.body, status=found.status, headers=found.headers)


def discovered(pages: Pages, path: str = "/") -> tuple[Discovery, Server]:
    async def run() -> tuple[Discovery, Server]:
        async with serving(lambda request: answer(pages, request)) as server:
            return await discover(CONFIG, server.url(path)), server

    return asyncio.run(run())


def test_a_feeds_own_address_is_the_feed() -> None:
    discovery, server = discovered({"/feed": FEED}, "/feed")

    assert discovery.found is not None
    assert discovery.found.address == server.url("/feed")
    assert len(server.requests) == 1


def test_a_page_leads_to_the_first_feed_it_names_that_is_one() -> None:
    pages: Pages = {"/": page("/lost", "/page", "/feed", "/other"), "/page": page(), "/feed": FEED, "/other": FEED}

    discovery, server = discovered(pages)

    assert discovery.found is not None
    assert discovery.found.address == server.url("/feed")
    assert discovery.named == tuple(server.url(path) for path in ("/lost", "/page", "/feed", "/other"))
    assert [request.path for request in server.requests] == ["/", "/lost", "/page", "/feed"]


def test_a_page_that_names_none_leads_to_the_usual_places() -> None:
    discovery, server = discovered({"/news/today": page(), "/rss.xml": FEED}, "/news/today")

    assert discovery.found is not None
    assert discovery.found.address == server.url("/rss.xml")
    assert discovery.named == ()


def test_where_there_is_none_everything_that_was_tried_is_told_with_its_reason() -> None:
    discovery, server = discovered({"/": page()})

    assert discovery.found is None
    assert [look.url for look in discovery.looks] == [server.url(path) for path in ("/", *USUAL_PLACES)]
    assert all(look.failure for look in discovery.looks)


def test_a_server_that_does_not_answer_is_asked_for_nothing_else() -> None:
    discovery, server = discovered({}, "/feed")

    assert discovery.found is None
    assert len(server.requests) == 1
    assert "404" in str(discovery.looks[0].failure)


def test_a_page_that_names_thousands_is_asked_for_a_few() -> None:
    discovery, server = discovered({"/": page(*(f"/{number}" for number in range(3000)))})

    assert discovery.found is None
    assert len(server.requests) == MOST_ALTERNATES + 1


@pytest.mark.parametrize(("status", "address"), [(301, "/new"), (308, "/new"), (302, "/old"), (307, "/old")])
def test_a_feed_that_moved_for_good_has_its_final_address_and_one_that_did_not_keeps_its_own(
    status: int, address: str
) -> None:
    discovery, server = discovered({"/old": moved("/new", status), "/new": FEED}, "/old")

    assert discovery.found is not None
    assert discovery.found.address == server.url(address)


def tried(pages: Pages, *paths: str) -> tuple[Trial, ...]:
    ended: list[Trial] = []

    async def run() -> tuple[Trial, ...]:
        async with serving(lambda request: answer(pages, request)) as server:
            feeds = [Feed(server.url(path), "Wire") for path in paths]
            return await try_out(CONFIG, feeds, NOW, ended.append)

    trials = asyncio.run(run())
    assert sorted(trial.look.url for trial in ended) == sorted(trial.look.url for trial in trials)
    return trials


def test_a_trial_says_what_a_poll_would_bring_and_what_the_feed_asks_for() -> None:
    channel = "<title>Wire</title><language>en</language><ttl>60</ttl><skipHours><hour>3</hour></skipHours>"
    dated = item("Rates rise", more="<pubDate>Tue, 10 Feb 2026 05:00:00 GMT</pubDate>")
    document = rss(dated, item("Bad", "javascript:alert(1)"), item("Worse", "javascript:alert(2)"), channel=channel)

    (trial,) = tried({"/feed": document}, "/feed")

    assert trial.look.failure is None
    assert isinstance(trial.look.document, Parsed)
    assert (trial.look.status, trial.look.size) == (200, len(document))
    assert trial.look.content_type.startswith("application/rss+xml")
    assert (trial.articles, sum(trial.dropped.values())) == (1, 2)
    assert (trial.habits.entries, trial.habits.newest) == (3, NOW - timedelta(hours=1))
    assert (trial.habits.wait, trial.habits.silent_hours) == (timedelta(hours=1), (3,))
    assert trial.look.fresh_for == timedelta(hours=2)


def test_trials_come_in_the_order_asked_for_and_a_failure_is_one_of_them() -> None:
    lost, found, no_feed = tried({"/feed": FEED, "/page": page()}, "/lost", "/feed", "/page")

    assert (lost.look.status, found.look.status, no_feed.look.status) == (404, 200, 200)
    assert found.articles == 1
    assert lost.look.failure is not None
    assert "HTML page" in str(no_feed.look.failure)
