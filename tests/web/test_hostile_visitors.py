"""What strangers do to any page, whichever it is: what they write is data, where they come from is checked, and nothing rests on trust."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from sqlalchemy import event

from digest.links import Purpose
from digest.model import SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers
from digest.store.letters import Kind
from tests.web.api import BASE, calling
from tests.web.conftest import Answer, Service, serve
from tests.web.test_signup import ANN, answered, asks, confirmed

NEEDLE = "zqx'\"; DROP TABLE subscribers; --"
ADDRESS = "zqx'or'1'='1'--@reader.example"
"""It is one: quotation marks of this kind, signs of equality and dashes may stand in it."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"


# ── what somebody writes is never part of a statement ────────────────────────────────────────────────────────────


def everywhere(service: Service) -> Iterator[Answer]:
    """The needle wherever a page takes anything."""
    typed = quote(NEEDLE, safe="")
    ann = service.reader()
    searched = "&".join(f"{name}={typed}" for name in ("q", "topic", "publisher", "from", "to", "page"))
    for path in ("search", "search/feed.atom", "search/feed.json", "archive", f"archive/{typed}", "topics"):
        yield service.get(f"/{path}?{searched}&before={typed}")
    for path in (
        f"archive/economy/{typed}",
        f"archive/{typed}/2026-02-10",
        f"topics/{typed}",
        f"topic/{typed}/feed.atom",
    ):
        yield service.get(f"/{path}")
    for path in (f"story/{typed}", f"stories/{typed}", f"pictures/{typed}", f"unsubscribe/{typed}", f"desk/{typed}"):
        yield service.get(f"/{path}")
    fields = dict.fromkeys(("topic", "mute", "frequency", "day", "paused_until", "digest", "hour", "zone"), NEEDLE)
    for path in (service.path(Purpose.PREFERENCES, ann), "/sign-up"):
        yield service.post(path, action="save", email=ADDRESS, form=service.form(), **fields)
    yield service.post("/my-link", email=ADDRESS, form=service.form())
    yield service.post("/my-link", email=NEEDLE, form=service.form())
    yield service.post(service.feedback(ann), action=NEEDLE)


def test_whatever_is_written_anywhere_is_a_value_and_never_part_of_a_statement(
    service: Service, listening: tuple[uvicorn.Server, int], tmp_path: Path
) -> None:
    said: list[tuple[str, str]] = []
    event.listen(
        service.engine, "before_cursor_execute", lambda *about: said.append((str(about[2]), repr(about[3]).lower()))
    )

    answers = list(everywhere(service))
    caller = calling(listening, tmp_path, service.engine)
    orders = {"date": "2026-02-11", "author": NEEDLE, "reason": NEEDLE}
    for path in (*caller.document["paths"], f"/stories/{quote(NEEDLE)}", f"/subscribers?digest={quote(NEEDLE)}"):
        answers += [caller.ask("GET", path)]
        answers += [caller.ask("POST", path, json.dumps(body).encode()) for body in ({"address": ADDRESS}, orders)]

    assert max(answer.status for answer in answers) < 500
    assert sum("zqx" in values for _, values in said) > 10, "it has come as far as the database"
    assert [statement for statement, _ in said if "zqx" in statement.lower()] == []


# ── links and keys ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_of_years_ago_lets_its_reader_leave_though_the_key_has_been_changed_since(
    listening: tuple[uvicorn.Server, int], service: Service
) -> None:
    ann = service.reader()
    path = service.path(Purpose.UNSUBSCRIBE, ann)
    rotated = replace(service.config, keys=("a-newer-key-for-these-tests", *service.config.keys))
    later = serve(listening, rotated, service.engine)
    later.now += timedelta(days=3000)

    assert later.get(path).status == 200
    assert later.ask("POST", path, ONE_CLICK, FORM).status == 200
    left = later.stored(ann)
    assert left is not None
    assert left.state is SubscriptionState.ENDED
    assert later.path(Purpose.UNSUBSCRIBE, ann) != path
    without = serve(listening, replace(rotated, keys=rotated.keys[:1]), service.engine)
    assert without.get(path).status == 404, "a key that was taken away opens nothing"


def test_nothing_rests_on_what_a_browser_sends_along_by_itself(service: Service) -> None:
    """So no other site can have a reader's browser do anything: it would need the link, which is the reader's whole authority."""
    ann = service.reader()
    before = service.everything()
    elsewhere = {
        "Origin": "https://evil.example",
        "Cookie": "session=1; token=2",
        "Sec-Fetch-Site": "cross-site",
        **FORM,
    }

    for path in ("/unsubscribe", "/unsubscribe/", "/preferences/", "/feedback/", "/your-data/", "/desk/", "/confirm/"):
        assert service.ask("POST", path, b"action=leave&email=ann%40reader.example", elsewhere).status == 404
    assert service.ask("POST", f"{BASE}/subscribers/unsubscribe", b"{}", elsewhere).status in {401, 404}
    assert service.everything() == before

    kept = [service.get(path) for path in ("/", service.path(Purpose.PREFERENCES, ann))]
    assert not any("set-cookie" in answer.headers for answer in kept)


def test_no_redirect_leads_elsewhere_whatever_the_request_says(service: Service) -> None:
    named = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    for path in (
        "/archive",
        "/archive/",
        "//evil.example",
        "/%5cevil.example",
        "/archive?next=//evil.example",
        "/?url=//e.x",
    ):
        answer = service.get(path, **named)
        assert answer.headers.get("location", "https://news.example/").startswith("https://news.example/")
        assert "evil.example" not in answer.text


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_spelling_of_a_readers_address_is_mailed_where_the_reader_has_confirmed(service: Service) -> None:
    service.reader("Ann@reader.example")
    asks(service, "aNN@READER.example")
    asks(service, "ANN@reader.example", "/my-link")

    assert answered(service) == [(Kind.LINKS, "Ann@reader.example")] * 2


def test_tagged_addresses_are_two_readers(service: Service) -> None:
    for address in ("ann+a@reader.example", "ann+b@reader.example"):
        asks(service, address)

    assert [to for _, to in answered(service)] == ["ann+a@reader.example", "ann+b@reader.example"]


def test_who_has_left_and_is_signed_up_by_a_stranger_gets_no_edition(service: Service) -> None:
    ann = service.reader(ANN)
    service.ask("POST", service.path(Purpose.UNSUBSCRIBE, ann), ONE_CLICK, FORM)
    service.now += timedelta(days=2)
    asks(service)
    assert answered(service) == [(Kind.CONFIRMATION, ANN)]

    with engines.read(service.engine) as connection:
        assert subscribers.choices(connection, "economy", service.now.date()) == ()
    confirmed(service)
    with engines.read(service.engine) as connection:
        assert subscribers.choices(connection, "economy", service.now.date()) == ((),)


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fields", [b"&".join([b"a"] * 2000), b"topic=" + b"&topic=".join([b"%61"] * 400), b"=" * 4000])
def test_a_form_of_very_many_fields_is_no_fault_of_ours(service: Service, fields: bytes) -> None:
    ann = service.reader()
    before = service.everything()

    for path in (
        "/sign-up",
        "/my-link",
        service.path(Purpose.PREFERENCES, ann),
        service.path(Purpose.UNSUBSCRIBE, ann),
    ):
        assert service.ask("POST", path, fields, FORM).status in {200, 400, 422}

    assert service.everything() == before


def test_two_tabs_that_leave_and_one_that_goes_back_end_in_one_state(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.PREFERENCES, ann)
    for tab in range(2):
        assert service.post(path, action="save", topic=["energy"]).status == 200, tab
    leaving = service.path(Purpose.UNSUBSCRIBE, ann)
    pages = [service.post(leaving, action="leave").words, service.post(leaving, action="leave").words]

    assert "You are unsubscribed" in pages[0]
    assert "unsubscribed" in pages[1]
    late = service.post(path, action="save", topic=["trade"])
    assert "already unsubscribed" in late.words
    left = service.stored(ann)
    assert left is not None
    assert (left.state, left.topics) == (SubscriptionState.ENDED, ("energy",))


# ── what strangers are told ──────────────────────────────────────────────────────────────────────────────────────


def test_strangers_learn_no_version_and_nothing_of_what_goes_wrong(
    service: Service, listening: tuple[uvicorn.Server, int], tmp_path: Path
) -> None:
    caller = calling(listening, tmp_path, service.engine)
    health = ("/health/live", "/health/ready", "/health/service")

    assert caller.document["info"]["version"] == "1"
    for path in ("/", "/nothing", "/%ff", "/feed.atom", f"{BASE}/openapi.json", f"{BASE}/editions", *health):
        answer = caller.service.get(path)
        told = answer.text + str(answer.headers)
        assert "server" not in answer.headers
        for word in ("uvicorn", "starlette", "python", "sqlite", "Traceback", "economic-digest/"):
            assert word not in told, (path, word)
