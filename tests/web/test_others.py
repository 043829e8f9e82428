"""One page shows every digest of the site with what the reader has of it, and leads into and out of each."""

from urllib.parse import urljoin

import pytest

from digest.links import Purpose, address_key
from digest.model import Subscription, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers
from digest.store.letters import Kind
from tests.conftest import NOW
from tests.web.conftest import Answer, Service
from tests.web.test_signup import answered


@pytest.fixture
def ann(two_digests: Service) -> Subscription:
    return two_digests.reader()


def asks(service: Service, ann: Subscription, digest: str = "weekly", mark: str = "") -> Answer:
    return service.post(f"{service.path(Purpose.PREFERENCES, ann)}/digests", digest=digest, form=mark or service.form())


def weekly_of(service: Service, ann: Subscription) -> Subscription:
    with engines.write(service.engine) as connection:
        key = address_key(ann.address, service.config.signing_keys)
        return subscribers.add(connection, ann.address, key, "weekly", (), {}, NOW)


def test_a_digest_that_is_not_read_can_be_asked_for_and_is_confirmed_by_mail(
    two_digests: Service, ann: Subscription
) -> None:
    page = two_digests.get(two_digests.path(Purpose.PREFERENCES, ann)).page
    assert page.xpath("//button[@name='digest']/@value") == ["weekly"]

    answer = asks(two_digests, ann)

    assert "Check your mail" in answer.words
    assert "ann@" not in answer.text
    assert answered(two_digests) == [(Kind.CONFIRMATION, ann.address)]
    with engines.read(two_digests.engine) as connection:
        states = {one.digest: one.state for one in subscribers.by_address(connection, ann.address)}
    assert states == {"economy": SubscriptionState.ACTIVE, "weekly": SubscriptionState.PENDING}


def test_a_digest_that_is_read_has_its_preferences_and_a_way_out(two_digests: Service, ann: Subscription) -> None:
    weekly = weekly_of(two_digests, ann)
    here = two_digests.path(Purpose.PREFERENCES, ann)

    page = two_digests.get(here).page

    links = {urljoin(here, href) for href in page.xpath("//h3/following::p[1]/a/@href")}
    assert links == {two_digests.path(purpose, weekly) for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)}
    assert page.xpath("//button[@name='digest']") == []


@pytest.mark.parametrize("wrong", ["digest", "form", "version", "left"])
def test_what_does_not_fit_is_not_taken(two_digests: Service, ann: Subscription, wrong: str) -> None:
    if wrong == "left":
        with engines.write(two_digests.engine) as connection:
            subscribers.end(connection, ann.id, NOW)
    path = two_digests.links.token(Purpose.PREFERENCES, ann.id, ann.version + (wrong == "version"))
    mark = "strange" if wrong == "form" else two_digests.form()
    digest = "none" if wrong == "digest" else "weekly"
    before = two_digests.everything()

    answer = two_digests.post(f"/preferences/{path}/digests", digest=digest, form=mark)

    assert (answer.status, answer.headers["location"]) == (303, f"../{path}")
    assert two_digests.everything() == before


def test_a_site_of_one_digest_shows_no_others(service: Service) -> None:
    ann = service.reader()

    assert "other digests" not in service.get(service.path(Purpose.PREFERENCES, ann)).words
