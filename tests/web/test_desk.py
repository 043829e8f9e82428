"""At the desk an editor sees what readers will get, and one word holds or frees it; looking changes nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import Engine

from digest.config import Config, Site
from digest.editions.due import publish_due
from digest.model import Approval, EditionState, Override, OverrideKind
from digest.store import editions, overrides
from digest.store import engine as engines
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, keep, settled_yesterday, subscribe
from tests.web.conftest import HOSTILE, KEY, Answer, Service, serve

REVIEWED = replace(DIGEST, review=60)
EDITOR = "ann@editors.example"
CUT_OFF = PRESS - timedelta(hours=1)


def configured(home: Path, approval: Approval = Approval.UNLESS_HELD) -> Config:
    return replace(
        CONFIG,
        home=home,
        site=Site(base_url="https://news.example", contact="editor@news.example"),
        digests=(replace(REVIEWED, approval=approval),),
        keys=(KEY,),
    )


@pytest.fixture
def desk(listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine) -> Service:
    """The pages of a digest with a day's news, a quarter of an hour after the cut-off; nothing has been proposed yet."""
    with engines.write(sqlite_engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
        subscribe(connection, "all@example.org")
        subscribe(connection, "energy@example.org", ("energy",))
    settled_yesterday(sqlite_engine)
    service = serve(listening, configured(tmp_path), sqlite_engine)
    service.now = CUT_OFF + timedelta(minutes=15)
    return service


def path(desk: Service, suffix: str = "") -> str:
    return f"/desk/{desk.links.desk_token('economy', DAY, EDITOR)}{suffix}"


def proposed(desk: Service) -> None:
    publish_due(desk.config, desk.engine, CUT_OFF)


def orders(desk: Service) -> list[Override]:
    with engines.read(desk.engine) as connection:
        return overrides.made(connection, "economy")


def state(desk: Service) -> EditionState:
    with engines.read(desk.engine) as connection:
        found = editions.by_date(connection, "economy", DAY)
    assert found is not None
    return found.state


def buttons(answer: Answer) -> set[str]:
    return {button.get("value") for button in answer.page.xpath("//button")}


def test_before_the_cut_off_the_desk_shows_how_the_edition_would_look_now(desk: Service) -> None:
    answer = desk.get(path(desk))

    assert answer.status == 200
    assert "Still being built" in answer.words
    assert all(title in answer.words for title in TITLES)


def test_a_proposed_edition_is_shown_with_its_checks_reasons_and_what_becomes_of_it(desk: Service) -> None:
    proposed(desk)

    answer = desk.get(path(desk))

    assert "Proposed." in answer.words
    assert "unless an editor holds it" in answer.words
    assert "Every check passed" in answer.words
    assert f"You decide as {EDITOR}" in answer.words
    assert answer.words.count("coverage:") == len(TITLES)
    assert {"approve", "hold", "skip", "drop", "pin", "retitle"} <= buttons(answer)


def test_the_mail_is_the_very_one_that_readers_get_and_may_be_framed_by_the_desk_alone(desk: Service) -> None:
    proposed(desk)

    answer, dark, text = (desk.get(path(desk, way)) for way in ("/mail", "/mail?look=dark", "/text"))

    assert TITLES[0] in answer.text
    assert "__UNSUBSCRIBE__" not in answer.text
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
    assert "@media all" in dark.text
    assert "@media (prefers-color-scheme: dark)" not in dark.text
    assert text.headers["content-type"].startswith("text/plain")
    assert TITLES[0] in text.text


def test_looking_changes_nothing(desk: Service) -> None:
    proposed(desk)
    before = desk.everything()

    for suffix in ("", "/mail", "/text", "?action=approve&reason=x"):
        assert desk.get(path(desk, suffix)).status == 200

    assert desk.everything() == before


def test_a_hold_at_the_desk_takes_the_edition_off_and_says_who_and_why(desk: Service) -> None:
    proposed(desk)

    answer = desk.post(path(desk), action="hold", reason="We wait  for the figures")

    assert answer.status == 303
    assert state(desk) is EditionState.HELD
    (order,) = orders(desk)
    assert (order.kind, order.author, order.reason) == (OverrideKind.HOLD, EDITOR, "We wait for the figures")
    assert f"Held by {EDITOR}: We wait for the figures" in desk.get(path(desk)).words


def test_an_approval_of_a_held_edition_sends_it_even_after_press_time(desk: Service) -> None:
    proposed(desk)
    desk.post(path(desk), action="hold", reason="wait")
    desk.now = PRESS + timedelta(hours=1)

    assert desk.post(path(desk), action="approve", reason="checked").status == 303

    assert state(desk) is EditionState.FROZEN
    after = desk.get(path(desk))
    assert "Approved." in after.words
    assert buttons(after) == set()


def test_a_story_is_dropped_pinned_or_given_another_headline(desk: Service) -> None:
    proposed(desk)
    ids = [story.get("value") for story in desk.get(path(desk)).page.xpath("//input[@name='story']")]

    desk.post(path(desk), action="drop", story=ids[0], reason="it was denied")
    desk.post(path(desk), action="pin", story=ids[2], reason="it matters most")
    desk.post(path(desk), action="retitle", story=ids[1], title="Another headline", reason="it said too much")

    answer = desk.get(path(desk))
    shown = [summary.text for summary in answer.page.xpath("//summary/span[1]")]
    assert TITLES[0] not in " ".join(shown)
    assert "Another headline" in shown
    assert len(shown) == len(TITLES) - 1
    assert {one.kind for one in orders(desk)} == {OverrideKind.DROP, OverrideKind.PIN, OverrideKind.RETITLE}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"action": "hold", "reason": "  "}, "Please say why"),
        ({"action": "hold", "reason": "x" * 301}, "at most 300"),
        ({"action": "burn", "reason": "x"}, "one of the buttons"),
        ({"action": "drop", "reason": "x", "story": "s999"}, "not in the edition any more"),
        ({"action": "retitle", "reason": "x", "story": "s1", "title": ""}, "headline"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    desk: Service, fields: dict[str, str | list[str]], sentence: str
) -> None:
    proposed(desk)

    answer = desk.post(path(desk), **fields)

    assert answer.status == 422
    assert sentence in answer.words
    assert orders(desk) == []


def test_an_order_for_an_edition_that_is_settled_is_refused_with_the_reason(desk: Service) -> None:
    proposed(desk)
    publish_due(desk.config, desk.engine, PRESS)
    desk.now = PRESS + timedelta(minutes=5)

    answer = desk.post(path(desk), action="hold", reason="too late")

    assert answer.status == 422
    assert "is published" in answer.words


def test_a_strange_or_altered_link_opens_nothing(desk: Service) -> None:
    assert desk.get("/desk/abc").status == 404
    assert desk.get(path(desk)[:-2] + "xx").status == 404
    assert desk.get(path(desk).replace("/desk/", "/preferences/")).status == 404


def test_what_feeds_and_other_editors_write_stays_text_at_the_desk(desk: Service) -> None:
    proposed(desk)
    story = desk.get(path(desk)).page.xpath("string(//input[@name='story']/@value)")

    assert desk.post(path(desk), action="retitle", story=story, title=HOSTILE, reason=HOSTILE).status == 303
    assert desk.post(path(desk), action="hold", reason=HOSTILE).status == 303
    refused = desk.post(path(desk), action="retitle", story=story, title=HOSTILE, reason="")

    for page in (desk.get(path(desk)), desk.get(path(desk, "/mail")), refused):
        assert "<script" not in page.text
        assert "{{7*7}}" in page.text
        assert not page.page.xpath("//@*[starts-with(name(), 'on')]")


def test_the_desk_is_kept_out_of_caches_and_search_engines(desk: Service) -> None:
    answer = desk.get(path(desk))

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
