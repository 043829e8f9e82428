"""The editions as a feed: whole, in order, known again by their addresses, and cheap to ask for."""

from datetime import date, timedelta
from email.utils import format_datetime
from typing import Any

import feedparser
from lxml import html

from digest.model import Correction
from digest.store import corrections, editions
from digest.store import engine as engines
from tests.conftest import NOW
from tests.web.conftest import Answer, Service

FEED = "/archive/economy/feed.atom"


def parsed(answer: Answer) -> feedparser.FeedParserDict:
    found = feedparser.parse(answer.text.encode())
    assert not found.bozo, found.bozo_exception
    return found


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


def test_pages_lead_to_the_feed_of_their_digest(service: Service) -> None:
    for path in ("/", "/archive/economy", "/archive/economy/2026-02-10"):
        (address,) = service.get(path).page.xpath("//link[@type='application/atom+xml']/@href")
        assert address == f"https://news.example{FEED}"


def test_a_digest_without_editions_has_an_empty_feed_and_an_unknown_one_has_none(two_digests: Service) -> None:
    assert parsed(two_digests.get(FEED)).entries == []
    assert two_digests.get("/archive/nothing/feed.atom").status == 404
