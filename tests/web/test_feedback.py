"""What readers think of an edition: said by a button and never by a link, and changed as often as they like."""

from dataclasses import replace

import pytest

from digest.model import Subscription
from digest.store import engine as engines
from digest.store import feedback
from digest.store.feedback import Feedback
from digest.subscribers.preferences import leave
from tests.conftest import NOW
from tests.web.conftest import Answer, Service


def counted(service: Service, edition: int = 1) -> Feedback:
    with engines.read(service.engine) as connection:
        return feedback.counts(connection, edition)


def buttons(answer: Answer) -> list[str]:
    return [str(button.get("value")) for button in answer.page.xpath("//form[@method='post']//button")]


@pytest.mark.parametrize(("word", "offered"), [("useful", "not-useful"), ("not-useful", "useful")])
def test_the_link_leads_to_its_button_and_changes_nothing(service: Service, word: str, offered: str) -> None:
    ann = service.reader()
    before = service.everything()

    for _ in range(2):
        answer = service.get(service.feedback(ann, word))
        assert answer.status == 200
        assert buttons(answer) == [word, offered]
    assert service.ask("HEAD", service.feedback(ann, word)).status == 200

    assert service.everything() == before
    assert "February 8, 2026" in answer.words


def test_a_button_is_kept_and_thanked_for_and_the_last_word_counts(service: Service) -> None:
    ann, bob = service.reader("ann@reader.example"), service.reader("bob@reader.example")

    thanks = service.post(service.feedback(ann, "useful"), action="useful")
    service.post(service.feedback(bob, "useful"), action="not-useful")

    assert thanks.page.xpath("string(//h1)") == "Thank you"
    assert "You found this edition useful" in thanks.words
    assert buttons(thanks) == ["not-useful"]
    assert counted(service) == Feedback(useful=1, not_useful=1)

    changed = service.post(service.feedback(ann, "useful"), action="not-useful")
    again = service.post(service.feedback(ann, "useful"), action="not-useful")

    assert "You did not find this edition useful" in changed.words
    assert again.text == changed.text
    assert counted(service) == Feedback(useful=0, not_useful=2)
    assert counted(service, edition=2) == Feedback()


@pytest.mark.parametrize("fields", [{}, {"action": "leave"}, {"action": ["useful!"]}, {"word": "useful"}])
def test_a_post_that_does_not_say_what_it_wants_keeps_nothing(service: Service, fields: dict[str, str]) -> None:
    ann = service.reader()

    answer = service.post(service.feedback(ann, "useful"), **fields)

    assert buttons(answer) == ["useful", "not-useful"]
    assert counted(service) == Feedback()


def test_a_link_of_another_time_or_of_nobody_keeps_nothing(service: Service) -> None:
    ann = service.reader()
    nobody = replace(ann, id=99)
    older = replace(ann, version=ann.version + 1)

    def refused(subscription: Subscription, edition: int = 1) -> None:
        path = service.feedback(subscription, "useful", edition)
        for answer in (service.get(path), service.post(path, action="useful")):
            assert answer.status == 404
            assert answer.page.xpath("string(//h1)") == "This link has been replaced"

    refused(nobody)
    refused(older)
    refused(ann, edition=77)
    refused(ann, edition=3)  # it was skipped
    for path in ("/feedback/x/useful", f"{service.feedback(ann)[:-9]}x/useful"):
        answer = service.post(path, action="useful")
        assert (answer.status, answer.page.xpath("string(//h1)")) == (404, "This link does not work")
    for path in (service.feedback(ann, "perhaps"), service.feedback(ann, "USEFUL"), service.feedback(ann, "")):
        assert service.get(path).status == service.post(path, action="useful").status == 404
    assert counted(service) == Feedback()


def test_one_who_has_left_may_still_say_why(service: Service) -> None:
    ann = service.reader()
    leave(service.engine, ann.id, NOW)

    assert service.post(service.feedback(ann), action="not-useful").status == 200
    assert counted(service) == Feedback(useful=0, not_useful=1)
