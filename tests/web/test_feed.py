"""The editions as a feed: whole, in order, known again by their addresses, and cheap to ask for."""

import asyncio
import json
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import feedparser
import pytest
from lxml import html
from sqlalchemy import Connection
from starlette.requests import Request

from digest.config import Fetch, Market
from digest.editions.render import Renderers
from digest.feeds.poll import poll
from digest.model import Correction, EditionState, Feed, PollOutcome
from digest.store import corrections, editions
from digest.store import engine as engines
from digest.web.kept import Kept, Made
from digest.web.pages import Pages
from tests.conftest import NOW
from tests.web.conftest import Answer, Service, edition

FEED = "/archive/economy/feed.atom"


def parsed(answer: Answer) -> feedparser.FeedParserDict:
    found = feedparser.parse(answer.text.encode())
    assert not found.bozo, found.bozo_exception
    return found


def said(content: str) -> str:
    element: Any = html.fromstring(content)
    return str(element.text_content()).strip()


def test_the_feed_holds_the_published_editions_whole_the_newest_first(service: Service) -> None:
    answer = service.get(FEED)
    found = parsed(answer)

    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert found.version == "atom10"
    assert [entry.link for entry in found.entries] == [
        "https://news.example/archive/economy/2026-02-10",
        "https://news.example/archive/economy/2026-02-08",
    ]
    content: Any = html.fromstring(found.entries[0].content[0].value)
    links = list(content.xpath("//article//h3/a/@href"))
    assert links == [f"https://harbour.example/{place}" for place in range(1, 6)]
    assert "<script>alert" not in found.entries[0].content[0].value


def test_an_entry_is_known_by_a_tag_that_no_move_of_the_site_changes(service: Service) -> None:
    assert [entry.id for entry in parsed(service.get(FEED)).entries] == [
        "tag:news.example,2026:economy/2026-02-10",
        "tag:news.example,2026:economy/2026-02-08",
    ]


def test_who_asks_again_is_told_that_nothing_is_new_until_something_is(service: Service) -> None:
    first = service.get(FEED)
    assert first.headers["last-modified"] == format_datetime(NOW, usegmt=True)

    again = service.ask("GET", FEED, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")

    with engines.write(service.engine) as connection:
        found = editions.by_date(connection, "economy", date(2026, 2, 8))
        assert found is not None
        corrections.add(connection, Correction(found.id, "s1", "It is 6.7.", "ann", NOW + timedelta(hours=1)))
    corrected = service.ask("GET", FEED, headers={"If-None-Match": first.headers["etag"]})

    assert corrected.status == 200
    assert "It is 6.7." in parsed(corrected).entries[1].content[0].value
    assert parsed(corrected).entries[1].updated_parsed > parsed(first).entries[1].updated_parsed


def test_who_asks_by_time_is_told_the_same(service: Service) -> None:
    at = service.get(FEED).headers["last-modified"]

    assert service.get(FEED, **{"If-Modified-Since": at}).status == 304
    assert (
        service.get(FEED, **{"If-Modified-Since": format_datetime(NOW - timedelta(hours=1), usegmt=True)}).status == 200
    )


def test_the_json_feed_holds_the_same_as_the_atom_feed(service: Service) -> None:
    answer = service.get("/archive/economy/feed.json")
    found, same = json.loads(answer.text), parsed(service.get(FEED))

    assert answer.headers["content-type"] == "application/feed+json"
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["feed_url"] == "https://news.example/archive/economy/feed.json"
    assert found["home_page_url"] == same.feed.link == "https://news.example/archive/economy"
    assert [(one["id"], one["url"], one["title"]) for one in found["items"]] == [
        (entry.id, entry.link, entry.title) for entry in same.entries
    ]
    assert said(found["items"][0]["content_html"]) == said(same.entries[0].content[0].value)
    assert datetime.fromisoformat(found["items"][0]["date_published"]) == NOW


def test_our_own_poller_reads_our_feeds_and_is_told_when_nothing_is_new(service: Service) -> None:
    paths = (FEED, "/topic/trade/feed.atom", "/search/feed.atom?q=headline")
    config = replace(
        service.config,
        fetch=Fetch(allow_private=True),
        market=Market(ecb_url=""),
        feeds=tuple(Feed(f"http://127.0.0.1:{service.port}{path}", "Ourselves") for path in paths),
    )

    first, second = (
        asyncio.run(poll(config, service.engine, at, everything=True)) for at in (NOW, NOW + timedelta(hours=2))
    )

    assert [(one.outcome, one.articles_new) for one in first.outcomes] == [
        (PollOutcome.FETCHED, 2),
        # Two editions told the same five stories, which a reader of feeds knows again by their addresses.
        (PollOutcome.FETCHED, 5),
        (PollOutcome.FETCHED, 5),
    ]
    assert [one.outcome for one in second.outcomes] == [PollOutcome.NOT_MODIFIED] * 3


def test_pages_lead_to_the_feeds_of_their_digest(service: Service) -> None:
    for path in ("/", "/archive/economy", "/archive/economy/2026-02", "/archive/economy/2026-02-10"):
        assert service.get(path).page.xpath("//link[@rel='alternate']/@href") == [
            f"https://news.example{FEED}",
            "https://news.example/archive/economy/feed.json",
        ]


def test_a_kept_page_shows_what_has_been_published_or_corrected_since(service: Service) -> None:
    path = "/archive/economy/2026-02-10"
    first = service.get(path)
    assert service.get(path, **{"If-None-Match": first.headers["etag"]}).status == 304

    with engines.write(service.engine) as connection:
        editions.insert(connection, edition(date(2026, 2, 11)))
        found = editions.by_date(connection, "economy", date(2026, 2, 10))
        assert found
        corrections.add(connection, Correction(found.id, "s1", "It is 6.7.", "ann", NOW))
    after = service.get(path, **{"If-None-Match": first.headers["etag"]})

    assert after.status == 200
    assert "It is 6.7." in after.words
    assert after.page.xpath("//a[@rel='next']/@href") == ["https://news.example/archive/economy/2026-02-11"]
    assert "2026-02-11" in service.get("/archive/economy").text


def test_an_edition_that_waited_is_there_once_it_is_published_though_it_may_have_the_same_number(
    service: Service,
) -> None:
    day = date(2026, 2, 11)
    with engines.write(service.engine) as connection:
        waiting = editions.insert(connection, edition(day, state=EditionState.PROPOSED))
    assert str(day) not in service.get("/archive/economy").text

    with engines.write(service.engine) as connection:
        editions.discard_waiting(connection, "economy", day)
        published = editions.insert(connection, edition(day))

    assert waiting
    assert published
    assert waiting.id == published.id
    assert str(day) in service.get("/archive/economy").text


def test_no_more_pages_are_kept_than_there_is_room_for(service: Service) -> None:
    pages = Pages(
        lambda: service.config, service.engine, lambda: NOW, service.links, Renderers(service.config, service.links)
    )
    kept = Kept(pages, most_bytes=250)
    request = Request({"type": "http", "headers": []})
    made: list[int] = []

    def ask(number: int) -> None:
        def make(_connection: Connection) -> Made:
            made.append(number)
            return Made(b"x" * 100, "text/html")

        assert asyncio.run(kept.answer(request, number, make)).status_code == 200

    for number in (1, 2, 1, 3, 1, 2):
        ask(number)

    assert made == [1, 2, 3, 2]


@pytest.mark.parametrize("published", [False, True])
def test_who_asks_during_a_look_at_the_database_shares_the_next_one_and_sees_what_was_published_before_it(
    service: Service, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    pages = Pages(
        lambda: service.config, service.engine, lambda: NOW, service.links, Renderers(service.config, service.links)
    )
    kept, request = Kept(pages), Request({"type": "http", "headers": []})
    looking, may_end = threading.Event(), threading.Event()
    looks: list[editions.State] = []
    look = editions.state

    def slow(connection: Connection) -> editions.State:
        looks.append(look(connection))
        looking.set()
        assert may_end.wait(30)
        return looks[-1]

    def make(connection: Connection) -> Made:
        return Made(str(len(editions.newest(connection, "economy", 100))).encode(), "text/plain")

    async def ask() -> int:
        return int(bytes((await kept.answer(request, "how many", make)).body))

    async def crowd(size: int) -> tuple[int, set[int]]:
        before = await ask()
        monkeypatch.setattr(editions, "state", slow)
        early = asyncio.create_task(ask())
        assert await asyncio.to_thread(looking.wait, 30)
        if published:
            with engines.write(service.engine) as connection:
                editions.insert(connection, edition(date(2026, 2, 11)))
        late = asyncio.gather(*(ask() for _ in range(size)))
        await asyncio.sleep(0)  # all of them have asked
        may_end.set()
        await early
        return before, set(await late)

    before, after = asyncio.run(crowd(1 if published else 20))

    assert after == {before + published}
    assert published or len(looks) == 2


def test_a_digest_without_editions_has_an_empty_feed_and_an_unknown_one_has_none(two_digests: Service) -> None:
    assert parsed(two_digests.get(FEED)).entries == []
    assert two_digests.get("/archive/nothing/feed.atom").status == 404
