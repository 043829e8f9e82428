"""The page of a story says who reports it, where it ran and why, all as it was published; topics have pages of their own."""

from dataclasses import replace
from datetime import date, timedelta

import feedparser
import pytest
import uvicorn

from digest.model import Correction, Factor, Item, Receipt, Reference, Update
from digest.store import corrections, editions
from digest.store import engine as engines
from tests.conftest import NOW
from tests.web.conftest import HOSTILE, Service, edition, serve

DAY = date(2026, 2, 11)


def publish(service: Service, day: date, *items: Item, digest: str = "economy") -> int:
    with engines.write(service.engine) as connection:
        stored = editions.insert(connection, replace(edition(day, digest), items=items))
    assert stored
    return stored.id


def story(number: int, title: str, **values: object) -> Item:
    plain = replace(edition(DAY).items[0], story_id=f"s{number}", article_ids=(number,), title=title, also=())
    return replace(plain, **values)  # type: ignore[arg-type]


def test_a_story_names_its_articles_by_publisher_with_links_and_times(service: Service) -> None:
    also = (
        Reference("Continental Ledger", "Duty falls", "https://ledger.example/1", NOW),
        Reference("Old Courier", "Duty is cut", "javascript:alert(1)"),
    )
    publish(service, DAY, story(70, "Customs duty falls", also=also))

    page = service.get("/stories/s70").page

    told = page.xpath("//dl/div")
    assert [one.xpath("string(dt)") for one in told] == ["Harbour Wire", "Continental Ledger", "Old Courier"]
    assert [one.xpath("string(dd//a/@href)") for one in told] == [
        "https://harbour.example/1",
        "https://ledger.example/1",
        "",
    ]
    assert [one.xpath("string(dd/time/@datetime)") for one in told][1:] == [NOW.isoformat(), ""]


def test_a_story_names_every_edition_it_ran_in_and_what_was_corrected(service: Service) -> None:
    first = publish(service, DAY, story(70, "Customs duty falls"))
    news = Update(DAY, "it is in force", told=(70,))
    publish(service, DAY + timedelta(days=1), story(80, "Customs duty is in force", update=news))
    with engines.write(service.engine) as connection:
        corrections.add(connection, Correction(first, "s70", "It was a fee.", "ann@desk.example", NOW))

    for path, heading in (("/stories/s70", "Customs duty falls"), ("/stories/s80", "Customs duty is in force")):
        page = service.get(path)
        assert page.page.xpath("string(//h1)") == heading
        assert page.page.xpath("//ul//a[contains(@href, '#')]/@href") == [
            "https://news.example/archive/economy/2026-02-12#story-s80",
            "https://news.example/archive/economy/2026-02-11#story-s70",
        ]
        assert "It was a fee." in page.words
        assert "ann@desk.example" not in page.text


def test_the_receipt_is_the_one_it_was_published_with_and_no_editor_is_named(service: Service) -> None:
    factors = (
        Factor("source", 1.0, 5.0, 5.0, "Harbour Wire counts as others do"),
        Factor("coverage", 5.0, 30.0, 25.5, f"5 publishers cover it: {HOSTILE}"),
        Factor("override", 1.0, 3.0, 3.0, "raised by ann@desk.example: our chairman likes it"),
    )
    publish(service, DAY, story(70, "Customs duty falls", receipt=Receipt(factors), score=33.5))

    answer = service.get("/stories/s70")
    rows = [
        (row.xpath("string(th/text())").strip(), row.xpath("string(td)")) for row in answer.page.xpath("//tbody/tr")
    ]

    assert rows == [("Coverage", "+25.5"), ("Its source", "+5.0"), ("An editor’s decision", "+3.0")]
    assert answer.page.xpath("string(//tfoot//td)") == "33.5"
    assert "5 publishers cover it" in answer.words
    assert "<script" not in answer.text
    assert "desk.example" not in answer.text
    assert "chairman" not in answer.text


def test_reasons_are_told_in_the_language_of_the_site_and_what_publishers_wrote_is_inert_in_them(
    service: Service, listening: tuple[uvicorn.Server, int]
) -> None:
    config = replace(service.config, site=replace(service.config.site, locale="de"))
    german = serve(listening, config, service.engine)
    factors = (
        Factor("source", 1.0, 5.0, 5.0, f"{HOSTILE} counts as others do"),
        Factor("coverage", 5.0, 30.0, 2.5, "2 publishers cover it: Harbour Wire and Old Courier"),
        Factor("freshness", 5.0, 15.0, 1.5, "a sentence of an older release"),
    )
    publish(german, DAY, story(70, "Customs duty falls", receipt=Receipt(factors), score=9.0))

    answer = german.get("/stories/s70")

    told = [" ".join(row.text_content().split()) for row in answer.page.xpath("//tbody/tr/th")]
    assert told[0].startswith("Die Quelle <script>alert(1)</script> {{7*7}}")
    assert told[0].endswith(" zählt wie andere")
    assert told[1:] == [
        "Die Verbreitung 2 Herausgeber berichten darüber: Harbour Wire und Old Courier",
        "Die Aktualität",
    ]
    assert "<script" not in answer.text
    assert "__UNSUBSCRIBE__" not in answer.text
    assert "\u202e" not in answer.text


def test_editions_home_and_search_lead_to_their_stories(service: Service) -> None:
    publish(service, DAY, story(70, "Customs duty falls"))

    for path in ("/", f"/archive/economy/{DAY}", "/search?q=customs", "/topics/trade"):
        assert "https://news.example/stories/s70" in service.get(path).page.xpath("//article//a/@href"), path


@pytest.mark.parametrize("name", ["s99", "70", "s", "s-1", "s%D9%A3", "s" + "9" * 19, "s" + "9" * 40, "%00", "s70%20"])
def test_a_story_that_did_not_run_is_not_found(service: Service, name: str) -> None:
    assert service.get(f"/stories/{name}").status == 404


def test_the_menu_of_topics_is_on_every_page_and_leads_to_those_that_count(service: Service) -> None:
    for path in ("/", "/archive/economy", "/archive/economy/2026-02-10", "/nothing-here"):
        assert "https://news.example/topics/" in service.get(path).page.xpath("//header//a/@href"), path

    menu = service.get("/topics/").page
    assert menu.xpath("//main//li//a/@href") == [
        f"https://news.example/topics/{slug}" for slug in ("growth", "trade", "energy", "shipping")
    ]
    for address in menu.xpath("//main//li//a/@href"):
        assert service.get(address.removeprefix("https://news.example")).status == 200


def test_a_topic_has_its_stories_by_edition_page_by_page_and_its_feed(service: Service) -> None:
    items = [story(100 + place, f"Copper {place}", place=place) for place in range(1, 13)]
    publish(service, DAY, *items)
    publish(service, DAY + timedelta(days=1), *(replace(one, article_ids=()) for one in items))

    first = service.get("/topics/trade").page
    (older,) = first.xpath("//main//a[@rel='next']/@href")
    second = service.get(older.removeprefix("https://news.example")).page

    assert [link[-10:] for link in first.xpath("//section/h2/a/@href")] == ["2026-02-12", "2026-02-11"]
    shown = [one.text_content() for page in (first, second) for one in page.xpath("//section//h3")]
    assert shown[:24] == [f"Copper {place}" for place in range(1, 13)] * 2
    assert second.xpath("//meta[@name='robots']/@content") == ["noindex"]
    atom = first.xpath("//link[@type='application/atom+xml']/@href")[0]
    feed = feedparser.parse(service.get(atom.removeprefix("https://news.example")).text)
    assert feed.entries[0].title == "Copper 1"
    assert feed.feed.link == "https://news.example/topics/trade"


@pytest.mark.parametrize("path", ["nothing", "trade?page=1", "trade?page=x", "trade?page=" + "9" * 19, "trade?page=-1"])
def test_a_topic_or_a_page_of_it_that_does_not_exist_is_not_found(service: Service, path: str) -> None:
    assert service.get(f"/topics/{path}").status in {404} | ({200} if path.endswith("9") else set())
