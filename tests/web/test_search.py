"""What editions have told is found, shown safely, and can be followed as a feed."""

import json
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote_plus

import feedparser
import pytest

from digest.model import Digest
from digest.store import editions
from digest.store import engine as engines
from tests.conftest import NOW
from tests.web.conftest import HOSTILE, Service, edition


def publish(service: Service, day: date, *titles: str, digest: str = "economy") -> None:
    made = edition(day, digest)
    items = tuple(
        replace(made.items[0], place=place, story_id=f"n{place}", title=title) for place, title in enumerate(titles, 1)
    )
    with engines.write(service.engine) as connection:
        editions.insert(connection, replace(made, items=items))


def test_the_search_page_has_a_form_that_keeps_what_was_asked(service: Service) -> None:
    page = service.get("/search?q=headline&topic=trade&publisher=Harbour+Wire&from=2026-02-01&to=2026-02-28").page

    (form,) = page.xpath("//form[@role='search']")
    assert form.get("method", "get") == "get"
    assert {one.get("name"): one.get("value") for one in form.xpath(".//input")} == {
        "q": "headline",
        "publisher": "Harbour Wire",
        "from": "2026-02-01",
        "to": "2026-02-28",
    }
    assert form.xpath(".//option[@selected]/@value") == ["trade"]
    assert "Harbour Wire" in form.xpath(".//datalist/option/@value")
    assert form.xpath(".//details/@open")
    assert not service.get("/search").page.xpath("//details/@open | //section")


def test_stories_are_grouped_by_edition_the_newest_first_and_the_words_asked_for_are_marked(service: Service) -> None:
    page = service.get("/search?q=headline+1").page

    assert page.xpath("//section/h2/a/@href") == [
        "https://news.example/archive/economy/2026-02-10",
        "https://news.example/archive/economy/2026-02-08",
    ]
    assert [mark.text for mark in page.xpath("//section[1]/article[1]/h3//mark")] == ["Headline", "1", "1"]
    assert page.xpath("//section[1]//h3/a/@href")[0] == "https://harbour.example/1"


def test_what_feeds_and_visitors_say_stays_text(service: Service) -> None:
    for typed in ("script", HOSTILE, "<b>script</b>", '"><script>alert(1)</script>', "alert 1 7"):
        answer = service.get(f"/search?q={quote_plus(typed)}&publisher={quote_plus(typed)}&topic={quote_plus(typed)}")
        assert answer.status == 200
        assert "<script" not in answer.text
        assert "<b>" not in answer.text
    page = service.get("/search?q=script").page
    assert [mark.text for mark in page.xpath("//section[1]/article[1]/h3//mark")] == ["script", "script"]


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%ff%fe",
        "q=%F0%9F%92%B6",
        'q="',
        "q=%22%22%22(((*:-",
        "q=" + "a" * 30_000,
        "q=" + "%22a+" * 5_000,
        "page=-1&q=headline",
        "page=99999999999999999999&q=headline",
        "page=9999999999999999999&q=headline",
        "page=%D9%A3&q=headline",
        "from=yesterday&to=2026-02-31",
        "from=0001-01-01&to=9999-12-31",
        "topic=" + "x" * 9_000,
        "q=a&q=b&q[]=c",
        "&&&;=",
    ],
)
def test_no_address_is_an_error(service: Service, query: str) -> None:
    for path in ("/search", "/search/feed.atom", "/search/feed.json"):
        assert service.get(f"{path}?{query}").status in {200, 404}
    assert service.get(f"/search?{query}").status == 200


def test_the_list_goes_on_where_the_page_ends(service: Service) -> None:
    for number in range(1, 5):
        publish(service, date(2026, 1, number), *(f"Copper {number}/{place}" for place in range(1, 9)))

    first = service.get("/search?q=copper").page
    (older,) = first.xpath("//a[@rel='next']/@href")
    publish(service, date(2026, 1, 5), "Copper again")
    second = service.get(older.removeprefix("https://news.example")).page

    shown = [heading.text_content() for page in (first, second) for heading in page.xpath("//section//h3")]
    assert shown == [f"Copper {number}/{place}" for number in (4, 3, 2, 1) for place in range(1, 9)]
    assert not second.xpath("//a[@rel='next']")


def test_a_search_without_result_says_so(service: Service) -> None:
    assert "Nothing was found" in service.get("/search?q=platinum").words
    assert "Nothing was found" in service.get("/search?q=%F0%9F%92%B6").words
    assert "Nothing was found" not in service.get("/search").words


def test_editions_of_a_digest_that_has_no_pages_any_more_are_left_out(service: Service) -> None:
    publish(service, date(2026, 2, 11), "Headline elsewhere", digest="gone")

    assert "elsewhere" not in service.get("/search?q=headline").words


def test_with_several_digests_each_edition_says_whose_it_is(two_digests: Service) -> None:
    publish(two_digests, date(2026, 2, 11), "Copper falls", digest="weekly")

    assert "The Week" in two_digests.get("/search?q=copper").words


def test_a_search_and_a_topic_can_be_followed(service: Service) -> None:
    page = service.get("/search?q=headline+3&from=2026-02-09").page
    atom, json_feed = page.xpath("//link[@rel='alternate']/@href")
    assert atom == "https://news.example/search/feed.atom?q=headline+3&from=2026-02-09"

    found = feedparser.parse(service.get(atom.removeprefix("https://news.example")).text.encode())
    assert not found.bozo
    assert [entry.id for entry in found.entries] == ["tag:news.example,2026:economy/2026-02-10/s3"]
    assert found.entries[0].link == "https://harbour.example/3"
    assert found.feed.id == "tag:news.example,2026:search?q=headline+3&from=2026-02-09"
    assert "/archive/economy/2026-02-10" in found.entries[0].content[0].value
    told = json.loads(service.get(json_feed.removeprefix("https://news.example")).text)
    assert [item["id"] for item in told["items"]] == [entry.id for entry in found.entries]

    (topic, _) = service.get("/search?topic=trade").page.xpath("//link[@rel='alternate']/@href")
    assert topic == "https://news.example/topic/trade/feed.atom"
    stories = feedparser.parse(service.get("/topic/trade/feed.atom").text.encode())
    assert not stories.bozo
    assert len(stories.entries) == 10
    assert stories.feed.links[0].href == "https://news.example/topics/trade"


def test_a_feed_of_nothing_in_particular_or_of_no_such_topic_is_not_there(service: Service) -> None:
    for path in ("/search/feed.atom", "/search/feed.rss?q=a", "/topic/nothing/feed.atom", "/topic/trade/feed.xml"):
        assert service.get(path).status == 404


def test_who_has_the_feed_of_a_search_is_told_so_by_tag_or_by_time(service: Service) -> None:
    path = "/search/feed.atom?q=headline"
    first = service.get(path)

    assert service.get(path, **{"If-None-Match": f'"x", W/{first.headers["etag"]}'}).status == 304
    assert service.get(path, **{"If-Modified-Since": first.headers["last-modified"]}).status == 304
    assert service.get(path, **{"If-Modified-Since": "Mon, 09 Feb 2026 06:00:00 GMT"}).status == 200
    assert service.get(path, **{"If-Modified-Since": "soon"}).status == 200
    both = {"If-None-Match": '"another"', "If-Modified-Since": first.headers["last-modified"]}
    assert service.get(path, **both).status == 200


def test_a_search_is_not_for_search_engines_and_asks_for_no_more_than_it_needs(service: Service) -> None:
    answer = service.get("/search?q=headline")

    assert answer.page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert len(answer.text.encode()) < 50_000


def test_two_digests_published_on_one_day_stand_apart(two_digests: Service) -> None:
    for digest in ("economy", "weekly"):
        publish(two_digests, NOW.date() + timedelta(days=1), "Copper falls", digest=digest)

    page = two_digests.get("/search?q=copper").page
    assert len(page.xpath("//section")) == 2
    assert Digest("weekly", "The Week").title in page.text_content()
