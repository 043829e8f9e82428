"""The links of the mail do what they say, at once, and only when somebody means it."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from datetime import date, timedelta

import pytest
from starlette.types import Message, Receive, Scope, Send

from digest.language import english
from digest.links import Links, Purpose
from digest.model import SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers
from digest.web import guard
from tests.conftest import NOW
from tests.web.conftest import Service

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"
MULTIPART = (
    b'--line\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--line--\r\n',
    {"Content-Type": "multipart/form-data; boundary=line"},
)


def test_the_unsubscribe_page_names_the_masked_address_and_asks(service: Service) -> None:
    ann = service.reader("ann.smith@reader.example")

    answer = service.get(service.path(Purpose.UNSUBSCRIBE, ann))

    assert answer.status == 200
    assert "a•••@reader.example" in answer.words
    assert "ann.smith" not in answer.text
    assert [button.text for button in answer.page.xpath("//form[@method='post']//button")] == ["Unsubscribe"]


def test_the_button_unsubscribes_and_the_page_offers_to_take_it_back(service: Service) -> None:
    ann = service.reader(topics=("trade",))
    path = service.path(Purpose.UNSUBSCRIBE, ann)

    left = service.post(path, action="leave")

    assert left.status == 200
    assert left.page.xpath("string(//h1)") == "You are unsubscribed"
    assert service.stored(ann) == replace(ann, state=SubscriptionState.ENDED, ended_at=NOW)

    back = service.post(path, action="undo")

    assert "Welcome back" in back.words
    assert service.stored(ann) == ann


def test_the_second_visit_finds_that_it_is_done(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.UNSUBSCRIBE, ann)
    service.post(path, action="leave")

    for answer in (service.get(path), service.get(service.path(Purpose.PREFERENCES, ann))):
        assert answer.status == 200
        assert answer.page.xpath("string(//h1)") == "You are already unsubscribed"
        (form,) = answer.page.xpath("//form")
        assert form.get("action") == f"..{path}"
        assert [button.get("value") for button in form.xpath(".//button")] == ["undo"]


def test_after_thirty_days_there_is_nothing_to_take_back(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.UNSUBSCRIBE, ann)
    service.post(path, action="leave")
    service.now += timedelta(days=31)

    assert not service.get(path).page.xpath("//form")
    assert service.post(path, action="undo").page.xpath("string(//h1)") == "You are already unsubscribed"
    left = service.stored(ann)
    assert left is not None
    assert left.state is SubscriptionState.ENDED


@pytest.mark.parametrize("sent", [(ONE_CLICK, FORM), MULTIPART], ids=["urlencoded", "multipart"])
def test_one_click_answers_200_at_once_and_may_be_repeated(
    service: Service, sent: tuple[bytes, dict[str, str]]
) -> None:
    ann = service.reader()
    path = service.path(Purpose.UNSUBSCRIBE, ann)

    answers = [service.ask("POST", path, *sent) for _ in range(2)]

    for answer in answers:
        assert answer.status == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert service.stored(ann) == replace(ann, state=SubscriptionState.ENDED, ended_at=NOW)


def test_a_post_that_does_not_say_what_it_wants_gets_the_page_and_changes_nothing(service: Service) -> None:
    path = service.path(Purpose.UNSUBSCRIBE, service.reader())
    before = service.everything()

    for body, headers in (
        (b"", {}),
        (b"", FORM),
        (b"List-Unsubscribe=No", FORM),
        (b"something=else", FORM),
        (b'{"List-Unsubscribe": "One-Click"}', {"Content-Type": "application/json"}),
        (ONE_CLICK, {"Content-Type": "text/plain"}),
        (b"\xff%%%00=&&=", FORM),
        (b"action=save&topic=trade", FORM),
        (b"&".join(b"%d=1" % number for number in range(500)), FORM),
    ):
        answer = service.ask("POST", path, body, headers)

        assert answer.status == 200, body
        assert "a•••@reader.example" in answer.words, body
    assert service.everything() == before


def test_a_broken_form_changes_nothing_and_breaks_nothing(service: Service) -> None:
    path = service.path(Purpose.UNSUBSCRIBE, service.reader())
    before = service.everything()

    for kind in ("multipart/form-data", "multipart/form-data; boundary=other", "multipart/form-data; boundary="):
        for body in (MULTIPART[0], MULTIPART[0][:40], b"\x00" * 50):
            assert service.ask("POST", path, body, {"Content-Type": kind}).status in {200, 400}, (kind, body)
    assert service.everything() == before


def test_scanners_change_nothing_whatever_they_open_and_however_often(service: Service) -> None:
    """Mail scanners open every link; GET, HEAD and OPTIONS leave every row of every table as it was."""
    ann = service.reader(topics=("trade",))
    left = service.reader("left@reader.example")
    service.post(service.path(Purpose.UNSUBSCRIBE, left), action="leave")
    before = service.everything()
    paths = [
        service.path(purpose, one) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES) for one in (ann, left)
    ]
    queries = ("", "?List-Unsubscribe=One-Click", "?action=leave", "?action=undo", "?action=save&topic=energy")

    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        for path in paths:
            for query in queries:
                answer = service.ask(method, path + query)
                assert answer.status == (200 if method in {"GET", "HEAD"} else 405)

    assert service.everything() == before


def test_a_token_opens_only_what_it_was_made_for(service: Service) -> None:
    ann, bob = service.reader(), service.reader("bob@reader.example")
    unsubscribe = service.links.token(Purpose.UNSUBSCRIBE, ann.id, 1)
    preferences = service.links.token(Purpose.PREFERENCES, ann.id, 1)
    confirm = service.links.token(Purpose.CONFIRM, ann.id, 1)
    of_bob = service.links.token(Purpose.UNSUBSCRIBE, bob.id, 1)
    forged = Links(service.links.base_url, ("a-key-that-is-not-ours",)).token(Purpose.UNSUBSCRIBE, ann.id, 1)
    mixed = of_bob.split(".")[0] + "." + unsubscribe.split(".")[1]
    before = service.everything()

    for path in (
        *(
            f"/unsubscribe/{token}"
            for token in (preferences, confirm, forged, mixed, unsubscribe[:-1], "x", "%00", "%2e")
        ),
        *(f"/preferences/{token}" for token in (unsubscribe, confirm, forged, "a" * 5000, "%F0%9F%92%A9")),
    ):
        for answer in (
            service.get(path),
            service.post(path, action="leave"),
            service.ask("POST", path, ONE_CLICK, FORM),
        ):
            assert answer.status == 404, path
            assert answer.page.xpath("string(//h1)") == "This link does not work"
    assert service.everything() == before


def test_an_erased_readers_links_still_get_a_friendly_answer(service: Service) -> None:
    ann = service.reader()
    with engines.write(service.engine) as connection:
        subscribers.remove(connection, ann.address, service.now)
    path = service.path(Purpose.UNSUBSCRIBE, ann)

    answers = [
        service.get(path),
        service.post(path, action="leave"),
        service.post(path, action="undo"),
        service.get(service.path(Purpose.PREFERENCES, ann)),
        service.post(service.path(Purpose.PREFERENCES, ann), action="save", topic="trade"),
        service.ask("POST", path, ONE_CLICK, FORM),
    ]

    assert [answer.status for answer in answers] == [200] * 6
    assert all("unsubscribed" in answer.text.lower() for answer in answers)
    assert not any(answer.page.xpath("//form") for answer in answers[:5])


def test_unsubscribe_links_outlive_a_new_subscription_and_preferences_links_do_not(service: Service) -> None:
    ann = service.reader()
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    again = service.reader()

    assert again.version == 2
    replaced = service.get(service.path(Purpose.PREFERENCES, ann))
    assert (replaced.status, replaced.page.xpath("string(//h1)")) == (404, "This link has been replaced")
    assert service.get(service.path(Purpose.PREFERENCES, again)).status == 200
    service.ask("POST", service.path(Purpose.UNSUBSCRIBE, ann), ONE_CLICK, FORM)
    left = service.stored(again)
    assert left is not None
    assert left.state is SubscriptionState.ENDED


def test_preferences_show_what_was_chosen_of_what_the_digest_offers(service: Service) -> None:
    ann = service.reader(topics=("trade",))

    answer = service.get(service.path(Purpose.PREFERENCES, ann))

    boxes = answer.page.xpath("//input[@name='topic']")
    assert [(box.get("value"), box.get("checked") is not None) for box in boxes] == [
        ("growth", False),
        ("trade", True),
        ("energy", False),
    ]
    assert "Unsubscribe" in answer.page.xpath("//main//a/text()")


def test_a_save_says_exactly_what_changed_and_keeps_it(service: Service) -> None:
    ann = service.reader(topics=("trade",))
    path = service.path(Purpose.PREFERENCES, ann)

    saved = service.post(path, action="save", topic=["growth", "energy"], paused_until="2026-03-01")

    assert saved.status == 200
    assert [line.text_content() for line in saved.page.xpath("//*[@role='status']/p")] == [
        "Saved.",
        "You now also get Growth and Energy.",
        "You no longer get Trade, except among the top stories.",
        "No mail until Sunday, March 1, 2026. It then comes again by itself.",
    ]
    assert service.stored(ann) == replace(ann, topics=("energy", "growth"), paused_until=date(2026, 3, 1))

    again = service.post(path, action="save", topic=["energy", "growth"], paused_until="2026-03-01")
    assert "Nothing has changed" in again.words

    everything = service.post(path, action="save", topic=["energy", "growth", "trade"], paused_until="")
    assert "every topic" in everything.words
    assert "The pause has ended" in everything.words
    assert service.stored(ann) == replace(ann, topics=())


def test_muted_topics_days_and_the_form_of_the_mail_are_kept_and_told(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.PREFERENCES, ann)
    every = ["growth", "trade", "energy"]

    saved = service.post(
        path, action="save", topic=every, mute="energy", frequency="weekly", day="fri", text_only="yes"
    )

    assert [line.text_content() for line in saved.page.xpath("//*[@role='status']/p")] == [
        "Saved.",
        "Left out from now on, wherever they stand: Energy.",
        "You now get one edition a week, on Friday.",
        "Mail now comes as plain text.",
    ]
    assert "The next mail comes on Friday, February 13, 2026 at 06:00 JST." in saved.words
    assert service.stored(ann) == replace(ann, topics=("-energy",), days=("fri",), text_only=True)
    shown = service.get(path).page
    assert [box.get("value") for box in shown.xpath("//input[@checked]")] == [
        "growth",
        "trade",
        "energy",
        "weekly",
        "yes",
    ]
    assert [box.get("name") for box in shown.xpath("//input[@value='energy'][@checked]")] == ["mute"]
    assert shown.xpath("string(//option[@selected])") == "Friday"

    back = service.post(path, action="save", topic=every, frequency="weekdays", day="fri")

    assert [line.text_content() for line in back.page.xpath("//*[@role='status']/p")] == [
        "Saved.",
        "You now also get Energy.",
        "You now get the editions of Monday to Friday.",
        "Mail now comes with pictures and colours.",
    ]


def test_muting_every_ticked_topic_is_refused(service: Service) -> None:
    path = service.path(Purpose.PREFERENCES, service.reader())
    before = service.everything()

    refused = service.post(path, action="save", topic=["growth"], mute=["growth", "trade"])

    assert (refused.status, service.everything()) == (422, before)
    assert len(refused.page.xpath("//input[@name='mute'][@checked]")) == 2


def test_a_link_to_leave_outlives_pruning_and_a_new_subscription(service: Service) -> None:
    """Whoever left, was pruned and came again has another subscription; the mails of the first one still end it."""
    ann = service.reader()
    with engines.write(service.engine) as connection:
        subscribers.remove(connection, ann.address, service.now)
    again = service.reader()
    other = service.reader("bob@reader.example")
    path = service.path(Purpose.UNSUBSCRIBE, ann)

    assert again.id != ann.id
    assert "a•••@reader.example" in service.get(path).words
    assert service.ask("POST", path, ONE_CLICK, FORM).status == 200

    states = [one.state for one in map(service.stored, (again, other)) if one]
    assert states == [SubscriptionState.ENDED, SubscriptionState.ACTIVE]


def test_a_save_with_no_topic_or_a_bad_date_changes_nothing_and_says_why(service: Service) -> None:
    ann = service.reader(topics=("trade",))
    path = service.path(Purpose.PREFERENCES, ann)
    before = service.everything()

    nothing = service.post(path, action="save", paused_until="2026-03-01")
    past = service.post(path, action="save", topic="energy", paused_until="2026-02-09")
    hostile = service.post(
        path, action="save", topic=["energy", "<script>"], paused_until='"><script>alert(1)</script>'
    )

    assert [answer.status for answer in (nothing, past, hostile)] == [422, 422, 422]
    assert "tick at least one topic" in nothing.words
    assert nothing.page.xpath("//input[@type='date']")[0].get("value") == "2026-03-01"
    assert "This date has passed" in past.words
    assert [box.get("value") for box in past.page.xpath("//input[@name='topic'][@checked]")] == ["energy"]
    assert not hostile.page.xpath("//script")
    assert service.everything() == before


def test_today_is_where_the_digest_is_published(service: Service) -> None:
    """At 22:00 UTC it is tomorrow in Tokyo already."""
    service.now = NOW.replace(hour=22)
    ann = service.reader()

    page = service.get(service.path(Purpose.PREFERENCES, ann)).page

    assert page.xpath("//input[@type='date']")[0].get("min") == "2026-02-12"


def test_a_large_body_is_refused_before_it_is_read(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.UNSUBSCRIBE, ann)
    before = service.everything()

    just_too_large = service.ask("POST", path, ONE_CLICK + b"&" + b"a" * 4096, FORM)
    announced = service.ask("POST", path, b"", {**FORM, "Content-Length": "10485760"})
    nonsense = service.ask("POST", "/archive", b"a" * 5000, FORM)

    assert [answer.status for answer in (just_too_large, announced, nonsense)] == [413, 413, 413]
    assert service.everything() == before


def test_ten_megabytes_in_pieces_are_cut_off(service: Service) -> None:
    ann = service.reader()
    before = service.everything()
    sent = 0

    with contextlib.closing(socket.create_connection(("127.0.0.1", service.port), timeout=5)) as connection:
        head = f"POST {service.path(Purpose.UNSUBSCRIBE, ann)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        connection.sendall(b"1a\r\n" + ONE_CLICK + b"\r\n1\r\n&\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 10 * 1024 * 1024:
                connection.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                sent += 65536

    assert sent < 10 * 1024 * 1024
    assert service.everything() == before


def test_a_body_that_does_not_come_is_not_waited_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    ann = service.reader()

    answer = service.ask("POST", service.path(Purpose.UNSUBSCRIBE, ann), b"List", {**FORM, "Content-Length": "26"})

    assert answer.status == 408
    assert service.stored(ann) == ann


def test_a_form_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    arriving: list[Message] = [
        {"type": "http.request", "body": b"action=save&topic=energy", "more_body": True},
        {"type": "http.disconnect"},
    ]
    reached = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        reached.append(message)

    scope = {"type": "http", "method": "POST", "path": "/preferences/x", "headers": []}
    asyncio.run(guard.Guard(page, "", english())(scope, receive, send))

    assert reached == []


def test_the_hour_of_the_mail_is_kept_told_and_shown_in_the_readers_zone(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.PREFERENCES, ann)
    every = ["growth", "trade", "energy"]

    saved = service.post(path, action="save", topic=every, hour="19", zone="Europe/Berlin")

    assert "Mail now comes at 19:00 (Europe/Berlin), from the next edition on." in saved.words
    assert "at 19:00 CET." in saved.words
    assert service.stored(ann) == replace(ann, hour=19, zone="Europe/Berlin")
    assert saved.page.xpath("//option[@selected]/text()")[-2:] == ["19:00", "Europe/Berlin"]
    assert len(saved.text) < 50_000

    unknown = service.post(path, action="save", topic=every, hour="24", zone="Mars/Olympus")
    assert "Mail now comes as soon as an edition is out." in unknown.words
    assert service.stored(ann) == ann
