"""Every page is complete, works without scripts, and is harmless in a browser."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import Engine, event, text
from structlog.testing import capture_logs

from digest.editions.render import Renderers
from digest.links import Links, Purpose
from digest.model import Correction, Digest, EditionState, Term, Topic
from digest.store import corrections, editions, pulses, subscribers
from digest.store import engine as engines
from digest.store.pulses import Part
from digest.subscribers import signup
from digest.subscribers.preferences import leave
from digest.web.app import create_app
from digest.web.pages import Pages
from tests.conftest import NOW
from tests.web.conftest import HOSTILE, Answer, Service, configuration, edition, serve

EVERY_STATUS = {
    "/": 200,
    "/archive/economy": 200,
    "/archive/economy/2026-02": 200,
    "/archive/economy/2026-02-10": 200,
    "/how-stories-are-chosen": 200,
    "/search": 200,
    "/search?q=headline+script&topic=trade&from=2026-02-01": 200,
    "/search?q=nothing-like-it": 200,
    "/archive/economy/2026-02-09": 404,
    "/archive/economy/2026-03": 404,
    "/nothing-here": 404,
}


def every_page(service: Service) -> Iterator[tuple[str, Answer]]:
    """Every page of the service, each in every state it has."""
    ann = service.reader("ann@reader.example", topics=("trade",))
    left = service.reader("left@reader.example")
    leave(service.engine, left.id, NOW)
    unsubscribe, preferences = (service.path(purpose, ann) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES))
    for path, status in EVERY_STATUS.items():
        answer = service.get(path)
        assert answer.status == status
        yield path, answer
    yield "unsubscribe", service.get(unsubscribe)
    yield "already unsubscribed", service.get(service.path(Purpose.UNSUBSCRIBE, left))
    yield "preferences", service.get(preferences)
    yield "saved", service.post(preferences, action="save", topic="energy", paused_until="2026-04-01")
    yield "two faults in one", service.post(preferences, action="save", paused_until="2026-04-01")
    yield "bad date", service.post(preferences, action="save", topic="energy", paused_until="x")
    yield "feedback", service.get(service.feedback(ann, "useful"))
    yield "no feedback", service.get(service.feedback(ann, "not-useful"))
    yield "thanks", service.post(service.feedback(ann, "useful"), action="useful")
    yield "unsubscribed", service.post(unsubscribe, action="leave")
    yield "returned", service.post(unsubscribe, action="undo")
    yield "bad token", service.get("/unsubscribe/x")
    yield "my link", service.get("/my-link")
    yield "stale form", service.post("/sign-up", email="new@reader.example")
    yield "bad address", service.post("/my-link", email=HOSTILE)
    form = service.form()
    yield "check your mail", service.post("/sign-up", email="new@reader.example", form=form)
    yield "links on the way", service.post("/my-link", email="new@reader.example", form=form)
    signup.answer(service.config, service.engine, service.now)
    new = service.subscription("new@reader.example")
    yield "confirm", service.get(service.path(Purpose.CONFIRM, new))
    yield "welcome", service.post(service.path(Purpose.CONFIRM, new), action="confirm")
    yield "confirmed before", service.get(service.path(Purpose.CONFIRM, new))
    yield "too late to confirm", service.get(service.path(Purpose.CONFIRM, left))
    yield "not allowed", service.ask("POST", "/")


def test_every_page_is_whole_small_and_usable_without_script_mouse_or_sight(service: Service) -> None:
    for name, answer in every_page(service):
        page = answer.page
        assert page.get("lang") == "en", name
        assert len(page.xpath("//h1")) == 1, name
        assert page.xpath("string(//title)").strip(" ·"), name
        assert page.xpath("//meta[@name='viewport']"), name
        assert len(answer.text.encode()) < 50_000, name
        assert not page.xpath("//script|//iframe|//object|//img|//*[@style]"), name
        assert not page.xpath("//@*[starts-with(name(), 'on')]"), name
        for control in page.xpath("//input[not(@type='hidden')]|//select|//textarea"):
            labels = page.xpath("//label[@for=$id]", id=control.get("id"))
            assert len(labels) == 1, name
            assert labels[0].text_content().strip(), name
        for button in page.xpath("//button"):
            assert button.text_content().strip(), name
        for button in page.xpath("//form[@method='post']//button"):
            assert button.get("name") == "action", name
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), name
        for described in page.xpath("//@aria-describedby"):
            assert set(described.split()) <= set(ids), name
        levels = [int(heading.tag[1]) for heading in page.xpath("//h1|//h2|//h3|//h4")]
        assert all(after - before <= 1 for before, after in pairwise(levels)), name


def test_every_answer_forbids_what_a_page_does_not_need(service: Service) -> None:
    for name, answer in every_page(service):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "form-action 'self'" in policy, name
        assert "unsafe" not in policy, name
        for style in re.findall(r"<style[^>]*>(.*?)</style>", answer.text, re.DOTALL):
            wanted = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
            assert f"'sha256-{wanted}'" in policy, name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert answer.headers["referrer-policy"] == "no-referrer", name
        assert "set-cookie" not in answer.headers, name
        assert "server" not in answer.headers, name


def test_pages_with_a_token_are_neither_kept_nor_indexed(service: Service) -> None:
    ann = service.reader()
    private = [service.path(purpose, ann) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)]

    for path in (*private, service.feedback(ann), "/unsubscribe/x", "/preferences/x", "/feedback/x/useful"):
        for answer in (service.get(path), service.post(path), service.ask("PUT", path)):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in service.get("/archive/economy").headers


def test_pages_lead_to_our_own_address_whatever_name_they_are_asked_under(service: Service) -> None:
    ann = service.reader()
    for path in (*EVERY_STATUS, service.path(Purpose.PREFERENCES, ann)):
        answer = service.get(
            path, Host="evil.example", **{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "ftp"}
        )
        assert "evil.example" not in answer.text
        for href in answer.page.xpath("//main//@href|//nav//@href|//form/@action"):
            assert href.startswith(("https://", "mailto:", "../", "./", "#")), href


def test_what_a_feed_says_stays_text(service: Service) -> None:
    for path in ("/", "/archive/economy", "/archive/economy/2026-02", "/archive/economy/2026-02-10"):
        answer = service.get(path)
        assert "<script" not in answer.text
        assert "javascript:" not in answer.text
        assert "{{7*7}}" in answer.words
        assert "\u202e" not in answer.text
        assert "__UNSUBSCRIBE__" not in answer.text
    assert "alert(1)" in HOSTILE


def test_public_pages_name_no_reader(service: Service) -> None:
    service.reader("ann@reader.example")

    for path in EVERY_STATUS:
        answer = service.get(path)
        assert "reader.example" not in answer.text
        assert not re.search(r"/(unsubscribe|preferences)/", answer.text)


def test_home_shows_the_latest_edition(service: Service) -> None:
    page = service.get("/").page

    assert "Headline 1" in page.text_content()
    assert page.xpath("//a[@href='https://news.example/archive/economy/2026-02-10']")


def test_the_archive_lists_what_was_published_and_leads_on_from_edition_to_edition(service: Service) -> None:
    listed = service.get("/archive/economy").page
    older, newer = (service.get(f"/archive/economy/2026-02-{day}").page for day in ("08", "10"))

    assert listed.xpath("//time/@datetime") == ["2026-02-10", "2026-02-08"]
    assert older.xpath("//main//a[@rel='next']/@href") == ["https://news.example/archive/economy/2026-02-10"]
    assert newer.xpath("//main//a[@rel='prev']/@href") == ["https://news.example/archive/economy/2026-02-08"]
    assert not newer.xpath("//main//a[@rel='next']")


ARCHIVE = "https://news.example/archive/economy"


@pytest.fixture
def months(service: Service) -> Service:
    """The pages of one digest with editions of two Februaries, of two days in December between them, and of no other month."""
    with engines.write(service.engine) as connection:
        for day in (date(2025, 2, 28), date(2025, 12, 1), date(2025, 12, 31)):
            editions.insert(connection, edition(day))
        editions.insert(connection, edition(date(2026, 1, 31), state=EditionState.MISSED))
    return service


def test_the_archive_shows_the_newest_month_and_leads_to_every_other_with_its_count(months: Service) -> None:
    page = months.get("/archive/economy").page
    (menu,) = page.xpath("//nav[.//h2='Every month']")

    assert page.xpath("//main//time/@datetime") == ["2026-02-10", "2026-02-08"]
    assert page.xpath("//main//a[@rel='prev']/@href") == [f"{ARCHIVE}/2025-12"]
    assert menu.xpath(".//a/@href") == [f"{ARCHIVE}/{month}" for month in ("2026-02", "2025-12", "2025-02")]
    assert [" ".join(row.text_content().split()) for row in menu.xpath(".//li")] == [
        "February 2026 2 editions",
        "December 2025 2 editions",
        "February 2025 1 edition",
    ]


def test_a_month_lists_its_editions_and_leads_to_the_months_beside_it(months: Service) -> None:
    first, between, last = (months.get(f"/archive/economy/{month}").page for month in ("2025-02", "2025-12", "2026-02"))

    assert between.xpath("string(//h1)") == "December 2025"
    assert between.xpath("//main//time/@datetime") == ["2025-12-31", "2025-12-01"]
    for name, hrefs in (("prev", [f"{ARCHIVE}/2025-02"]), ("next", [f"{ARCHIVE}/2026-02"])):
        assert between.xpath(f"//main//a[@rel='{name}']/@href") == hrefs
        assert between.xpath(f"//head/link[@rel='{name}']/@href") == hrefs
    assert between.xpath("//link[@rel='canonical']/@href") == [f"{ARCHIVE}/2025-12"]
    assert not first.xpath("//a[@rel='prev']")
    assert not last.xpath("//a[@rel='next']")


def test_a_month_names_an_edition_as_its_mail_does_with_what_its_subject_leaves_out(service: Service) -> None:
    whole, month = (service.get(f"/archive/economy/2026-02{day}").page for day in ("-10", ""))
    (row,) = month.xpath("//li[.//time/@datetime='2026-02-10']")
    subject, *others = (" ".join(line.text_content().split()) for line in row.xpath(".//div/p"))

    assert whole.xpath("//meta[@property='og:title']/@content") == [subject]
    assert subject.startswith("Headline 1")
    assert [line[: len("Headline 1")] for line in others] == ["Headline 2", "Headline 3", "Headline 4", "5 stories"]


def test_who_asks_for_a_month_again_is_told_that_nothing_is_new_until_an_edition_is(months: Service) -> None:
    path = "/archive/economy/2025-12"
    first = months.get(path)
    assert months.get(path, **{"If-None-Match": first.headers["etag"]}).status == 304

    with engines.write(months.engine) as connection:
        editions.insert(connection, edition(date(2026, 3, 1)))
        editions.insert(connection, edition(date(2025, 12, 2)))
    after = months.get(path, **{"If-None-Match": first.headers["etag"]})

    assert after.page.xpath("//main//time/@datetime") == ["2025-12-31", "2025-12-02", "2025-12-01"]
    assert months.get("/archive/economy").page.xpath("//main//time/@datetime") == ["2026-03-01"]


def test_one_digest_is_the_archive_and_several_are_listed(service: Service) -> None:
    answer = service.get("/archive")

    assert (answer.status, answer.headers["location"]) == (302, "https://news.example/archive/economy")


def test_several_digests_are_listed_and_an_empty_one_says_so(two_digests: Service) -> None:
    listed = two_digests.get("/archive")

    assert [link.text for link in listed.page.xpath("//main//a")] == ["The Economic Digest", "The Week"]
    for path in ("/", "/archive/weekly"):
        assert "has not been published yet" in two_digests.get(path).words


def test_a_hostile_or_mistyped_address_finds_nothing(service: Service) -> None:
    for path in (
        "/archive/economy/2026-02-30",
        "/archive/economy/2026-2-8",
        "/archive/economy/2026-13",
        "/archive/economy/2026-00",
        "/archive/economy/0000-01",
        "/archive/economy/9999-12",
        "/archive/economy/2026-2",
        "/archive/economy/2026-W06",
        "/archive/unknown/2026-02",
        "/archive/economy/20260208",
        "/archive/economy/2026-W06-7",
        "/archive/economy/0000-00-00",
        "/archive/economy/%D9%A2%D9%A0%D9%A2%D9%A6-02-08",
        "/archive/unknown",
        "/archive/unknown/2026-02-08",
        "/archive/..%2f..%2fetc%2fpasswd/2026-02-08",
        "/archive/economy/..%2f..%2fpyproject.toml",
        "/../../etc/passwd",
        "//evil.example/archive",
        "/archive/economy/2026-02-08%00",
        "/%ff%fe",
        "/archive/%27%20OR%201=1--/2026-02-08",
        "/" + "a" * 20_000,
    ):
        answer = service.get(path)

        assert answer.status == 404, path
        assert answer.page.xpath("string(//h1)") == "There is no such page", path


def test_the_rules_are_told_in_words(service: Service) -> None:
    page = service.get("/how-stories-are-chosen").page
    words = " ".join(page.text_content().split())

    assert [heading.text for heading in page.xpath("//h3")] == [
        "Count a little more",
        "Count in full",
        "Count a little less",
    ]
    assert "Growth: Output, activity and forecasts" in words
    assert "3 feeds of 2 publishers" in words
    assert "Continental Ledger, Harbour Wire." in words
    assert "up to 50 points" in words
    assert page.xpath("//a[@href='mailto:editor@news.example']")


def test_health_is_live_always_and_ready_with_a_database_of_our_schema(service: Service) -> None:
    assert service.get("/health/live").status == 200
    silent = service.get("/health/ready")
    assert silent.status == 200, "who wants to leave can, though nothing is published"
    (note,) = json.loads(silent.text)["notes"]
    assert note.startswith("There was no tick yet")
    with engines.write(service.engine) as connection:
        pulses.well(connection, Part.TICK, service.now)
    assert json.loads(service.get("/health/ready").text) == {"ready": True, "faults": [], "notes": []}
    with engines.write(service.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))

    assert service.get("/health/live").status == 200
    ready = service.get("/health/ready")
    assert ready.status == 503
    (fault,) = json.loads(ready.text)["faults"]
    assert fault.endswith("Run `digest migrate`.")


def test_the_service_is_well_while_ticks_come_and_mail_goes_and_strangers_are_not_told_what_is_wrong(
    service: Service,
) -> None:
    at = service.now
    assert (service.get("/health/service").status, service.get("/health/service").text) == (503, "not well\n")
    with engines.write(service.engine) as connection:
        pulses.well(connection, Part.TICK, at)
    assert (service.get("/health/service").status, service.get("/health/service").text) == (200, "well\n")
    with engines.write(service.engine) as connection:
        pulses.ill(connection, Part.SEND, "the relay is gone", at - timedelta(minutes=5))
    assert (service.get("/health/service").status, service.get("/health/service").text) == (503, "not well\n")


def test_without_a_database_pages_ask_to_come_back_and_say_no_more(
    listening: tuple[uvicorn.Server, int], tmp_path: Path
) -> None:
    service = serve(listening, configuration(tmp_path), engines.connect(f"sqlite:///{tmp_path}/absent/digest.db"))
    path = f"/unsubscribe/{service.links.token(Purpose.UNSUBSCRIBE, 1, 1)}"

    for answer in (service.get(path), service.post(path, action="leave")):
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert "absent" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    ready = service.get("/health/ready")
    assert ready.status == 503
    assert json.loads(ready.text)["faults"] == ["The database does not answer. `digest check` says why."]


def test_a_database_that_is_away_is_noted_as_the_page_says(
    listening: tuple[uvicorn.Server, int], tmp_path: Path
) -> None:
    service = serve(listening, configuration(tmp_path), engines.connect(f"sqlite:///{tmp_path}/absent/digest.db"))
    path = f"/unsubscribe/{service.links.token(Purpose.UNSUBSCRIBE, 1, 1)}"

    with capture_logs() as lines:
        assert "It has been noted" in service.post(path, action="leave").words

    assert [(line["log_level"], line["part"]) for line in lines] == [("error", "pages")]
    assert "cannot be used" in lines[0]["reason"]


def test_a_bug_shows_a_plain_page_with_every_header_and_no_secret(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(subscribers, "subscription", broken)
    ann = f"/unsubscribe/{service.links.token(Purpose.UNSUBSCRIBE, 1, 1)}"

    answer = service.get(ann)

    assert answer.status == 500
    assert "s3cret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_one_reader_leaving_is_one_write_with_its_line_in_the_history_and_looking_is_none(service: Service) -> None:
    """A page that wrote would hold the one lock that the sender needs."""
    ann = service.reader()
    begun: list[str] = []
    event.listen(service.engine, "before_cursor_execute", lambda *args: begun.append(args[2]))

    service.get(service.path(Purpose.PREFERENCES, ann))
    assert not [statement for statement in begun if statement.startswith(("INSERT", "UPDATE", "DELETE"))]
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    written = [statement.split()[:3] for statement in begun if statement.startswith(("INSERT", "UPDATE", "DELETE"))]
    noted = [["INSERT", "INTO", table] for table in ("subscription_changes", "happenings")]
    assert written == [["UPDATE", "subscriptions", "SET"], *noted]


def test_pages_follow_the_clock_they_are_given(service: Service) -> None:
    ann = service.reader()
    service.now = NOW + timedelta(days=3)
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")

    left = service.stored(ann)
    assert left is not None
    assert left.ended_at == service.now


def test_no_answer_names_the_host_that_was_asked_for(service: Service) -> None:
    """A redirect made of what the request says would lead from https to http behind a proxy, or anywhere."""
    for path in ("/archive/", "/archive/economy/", "/how-stories-are-chosen/", "/health/live/"):
        answer = service.get(path, Host="evil.example")

        assert "evil.example" not in answer.headers.get("location", "")


def test_pages_follow_the_topics_in_force_without_a_restart(
    listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine
) -> None:
    running, port = listening
    config = configuration(tmp_path, (Digest("economy", "The Economic Digest"),))
    in_force = [config]
    service = Service(config, sqlite_engine, port)
    running.config.loaded_app = create_app(lambda: in_force[0], sqlite_engine, lambda: NOW)
    before = service.get("/how-stories-are-chosen").text
    in_force[0] = replace(config, topics=(*config.topics, Topic("tides", "Tides and harbours", terms=(Term("tide"),))))

    after = service.get("/how-stories-are-chosen").text

    assert "Tides and harbours" not in before
    assert "Tides and harbours" in after


def test_a_topic_of_no_weight_is_offered_to_nobody(tmp_path: Path, sqlite_engine: Engine) -> None:
    config = configuration(tmp_path, (Digest("economy", "The Economic Digest"),))
    other = Topic("other-news", "Other news", weight=0.0, terms=(Term("police"),))
    pages = Pages(
        lambda: replace(config, topics=(*config.topics, other)),
        sqlite_engine,
        lambda: NOW,
        (links := Links(config.site.base_url, config.signing_keys)),
        Renderers(config, links),
    )

    assert "other-news" not in [topic.slug for topic in pages.offered("economy")]
    assert [topic.slug for topic in pages.offered("economy")] == [topic.slug for topic in config.topics]


def test_a_corrected_story_says_so_and_when_in_the_archive(service: Service) -> None:
    with engines.write(service.engine) as connection:
        found = editions.by_date(connection, "economy", date(2026, 2, 10))
        assert found is not None
        corrections.add(connection, Correction(found.id, "s2", f"It is 6.7 per cent. {HOSTILE}", "ann", NOW))

    corrected, other = (service.get(f"/archive/economy/2026-02-{day}") for day in ("10", "08"))

    assert "Corrected on Tuesday, February 10, 2026: It is 6.7 per cent." in corrected.words
    assert "<script>alert" not in corrected.text
    assert "Corrected on" not in other.words
