"""Readers choose a language, and every page that a link of theirs leads to speaks it; all other pages speak the site's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import uvicorn
from sqlalchemy import update

from digest.links import Purpose
from digest.model import Deed, Subscription, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers
from digest.store.tables import subscriptions
from digest.subscribers import data, signup
from tests.web.conftest import Answer, Service, serve
from tests.web.test_moving import asks, link, mailed
from tests.web.test_others import asks as asks_for_another

EVERY = ["growth", "trade", "energy"]
CHOOSERS = "//select[@name='language']"


def speaking(service: Service, language: str, address: str = "ann@reader.example") -> Subscription:
    """A reader who has chosen a language."""
    ann = service.reader(address)
    with engines.write(service.engine) as connection:
        connection.execute(update(subscriptions).where(subscriptions.c.id == ann.id).values(language=language))
    return replace(ann, language=language)


def tongue(answer: Answer) -> tuple[str, str]:
    return answer.page.get("lang"), answer.page.get("dir")


def test_each_language_is_offered_by_its_own_name_and_that_of_the_site_is_the_usual_one(service: Service) -> None:
    page = service.get(service.path(Purpose.PREFERENCES, service.reader())).page

    (chooser,) = page.xpath(CHOOSERS)
    assert chooser.xpath("option/text()") == ["English", "العربية", "Deutsch"]
    assert chooser.xpath("option/@lang") == ["en", "ar", "de"]
    assert chooser.xpath("option[@selected]/@value") == [""]


def test_a_choice_is_kept_and_told_in_the_very_language_that_was_chosen(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.PREFERENCES, ann)

    saved = service.post(path, action="save", topic=EVERY, language="ar")

    assert (tongue(saved), service.stored(ann)) == (("ar", "rtl"), replace(ann, language="ar"))
    assert "تصلك الرسائل الآن بهذه اللغة: العربية." in saved.words
    assert saved.page.xpath(f"{CHOOSERS}/option[@selected]/@value") == ["ar"]
    again = service.post(path, action="save", topic=EVERY, language="de")
    assert "Die Mails kommen jetzt auf Deutsch." in again.words
    with engines.read(service.engine) as connection:
        changes = [one.detail for one in subscribers.history(connection, ann.id) if one.deed is Deed.CHOSE]
    assert changes == [{"language": ["", "ar"]}, {"language": ["ar", "de"]}]
    kept = data.export(service.config, service.engine, ann, service.now)
    assert kept["subscriptions"][0]["language"] == "de"

    back = service.post(path, action="save", topic=EVERY, language="")
    assert "Mail now comes in English." in back.words
    assert service.stored(ann) == ann


@pytest.mark.parametrize("unknown", ["klingon", "en", "../de", "x" * 99])
def test_what_is_no_choice_of_another_language_is_the_sites(service: Service, unknown: str) -> None:
    ann = speaking(service, "de")

    service.post(service.path(Purpose.PREFERENCES, ann), action="save", topic=EVERY, language=unknown)

    assert service.stored(ann) == replace(ann, language="")


def test_where_there_is_one_language_nothing_is_offered_and_nothing_is_lost(
    service: Service, listening: tuple[uvicorn.Server, int]
) -> None:
    ann = speaking(service, "de")
    alone = serve(listening, replace(service.config, languages=("en",)), service.engine)
    path = alone.path(Purpose.PREFERENCES, ann)

    assert alone.get(path).page.xpath(CHOOSERS) == []
    alone.post(path, action="save", topic=EVERY)

    assert alone.stored(ann) == ann


def test_a_reader_whose_language_has_lost_its_words_has_pages_in_that_of_the_site(service: Service) -> None:
    page = service.get(service.path(Purpose.PREFERENCES, speaking(service, "fr")))

    assert (page.status, tongue(page)) == (200, ("en", "ltr"))
    assert page.page.xpath(f"{CHOOSERS}/option[@selected]/text()") == ["English"]


def test_a_language_that_has_lost_its_words_waits_for_them_until_another_is_chosen(service: Service) -> None:
    ann = speaking(service, "fr")
    path = service.path(Purpose.PREFERENCES, ann)

    saved = service.post(path, action="save", topic=["trade"], language="")
    assert "Mail now comes" not in saved.words
    assert service.stored(ann) == replace(ann, topics=("trade",))

    service.post(path, action="save", topic=["trade"], language="de")
    assert service.stored(ann) == replace(ann, topics=("trade",), language="de")


def own_pages(service: Service, ann: Subscription) -> Iterator[tuple[str, Answer]]:
    """Every page that a link of a reader's own leads to, and what their buttons answer."""
    preferences, leave = (service.path(purpose, ann) for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE))
    yield "preferences", service.get(preferences)
    yield "no topic", service.post(preferences, action="save")
    yield "no date", service.post(preferences, action="save", topic=EVERY, paused_until="soon")
    yield "data", service.get(f"{preferences}/data")
    yield "data asked for", service.post(f"{preferences}/data", action="data")
    yield "another address", service.get(f"{preferences}/address")
    yield "no address", service.post(f"{preferences}/address", action="move", email="nobody", form=service.form())
    yield "address asked for", asks(service, ann, f"new-{ann.address}")
    letters = mailed(service)
    yield "new address", service.get(link(letters, Purpose.NEW_ADDRESS))
    yield "old address", service.get(link(letters, Purpose.OLD_ADDRESS))
    yield "old address kept", service.post(link(letters, Purpose.OLD_ADDRESS), action="stop")
    yield "feedback", service.get(service.feedback(ann))
    yield "feedback kept", service.post(service.feedback(ann), action="useful")
    yield "leave", service.get(leave)
    yield "left", service.post(leave, action="leave")
    yield "has left", service.get(preferences)
    yield "returned", service.post(leave, action="undo")
    yield "older link", service.get(service.path(Purpose.PREFERENCES, replace(ann, version=7)))
    yield "older word", service.get(service.feedback(replace(ann, version=7)))
    here = service.links.data(ann.id, ann.version, int(service.now.timestamp())).removeprefix("https://news.example")
    yield "own data", service.get(here)
    yield "erased", service.post(here, action="erase")


@pytest.mark.parametrize(("language", "direction"), [("de", "ltr"), ("ar", "rtl")])
def test_every_page_of_a_readers_own_link_speaks_the_readers_language(
    service: Service, language: str, direction: str
) -> None:
    spoken = dict(own_pages(service, speaking(service, language)))
    usual = dict(own_pages(service, speaking(service, "", "bob@reader.example")))

    for name, answer in spoken.items():
        english = usual[name]
        assert tongue(answer) == (language, direction), name
        assert tongue(english) == ("en", "ltr"), name
        assert answer.status == english.status, name
        assert answer.page.xpath("string(//h1)") != english.page.xpath("string(//h1)"), name
        assert answer.headers["content-security-policy"] == english.headers["content-security-policy"], name
    for name in ("no topic", "no date", "no address"):
        said = [one[name].page.xpath("string(//*[@role='alert'])") for one in (spoken, usual)]
        assert all(said), name
        assert said[0] != said[1], name
    for path in ("/", "/my-link", "/archive/economy", "/nowhere"):
        assert tongue(service.get(path)) == ("en", "ltr"), path


def test_another_digest_begins_in_the_language_of_the_page_on_which_it_was_asked_for(two_digests: Service) -> None:
    ann = speaking(two_digests, "de")

    asked = asks_for_another(two_digests, ann)
    letters = mailed(two_digests)

    assert tongue(asked) == ("de", "ltr")
    ((_, subject),) = letters
    assert subject.startswith("Bitte bestätigen")
    with engines.read(two_digests.engine) as connection:
        (weekly,) = (one for one in subscribers.by_address(connection, ann.address) if one.digest == "weekly")
    assert (weekly.state, weekly.language) == (SubscriptionState.PENDING, "de")
    path = link(letters, Purpose.CONFIRM)
    assert tongue(two_digests.get(path)) == ("de", "ltr")
    assert tongue(two_digests.post(path, action="confirm")) == ("de", "ltr")
    begun = two_digests.stored(weekly)
    assert begun is not None
    assert (begun.state, begun.language) == (SubscriptionState.ACTIVE, "de")


def test_one_who_comes_back_by_the_form_begins_in_the_language_of_the_form(service: Service) -> None:
    ann = speaking(service, "de")
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    service.now += timedelta(minutes=1)

    service.post("/sign-up", email=ann.address, form=service.form(), topic=EVERY)
    signup.answer(service.config, service.engine, service.now)
    service.post(
        f"/{Purpose.CONFIRM}/{service.links.token(Purpose.CONFIRM, ann.id, ann.version + 1)}", action="confirm"
    )

    begun = service.stored(ann)
    assert begun is not None
    assert (begun.state, begun.version, begun.language) == (SubscriptionState.ACTIVE, ann.version + 1, "")
