"""One edition reaches its readers in the language that each of them chose; its stories stay as they are."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from lxml import html as lxml_html
from sqlalchemy import Engine, update

from digest.config import Config, Site
from digest.delivery import deliver as verb
from digest.delivery.correction import letters_of
from digest.delivery.cuts import Prepare
from digest.delivery.deliver import DeliveryReport
from digest.delivery.letter import compiled
from digest.delivery.message import CompiledMail
from digest.delivery.orders import writers
from digest.editions.publish import publish
from digest.editions.render import Renderers
from digest.links import Links
from digest.model import Correction, Edition, Subscription, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store.letters import Kind, LetterOrder
from digest.store.tables import subscriptions
from tests.delivery import audience
from tests.delivery.audience import KEYS, still
from tests.delivery.runs import states
from tests.delivery.sink import Sink
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, keep, subscribe

SITE = Site(base_url="https://news.example", from_address="digest@news.example", contact="editor@news.example")
READERS = {"ann": "de", "bob": "ar", "cy": "", "dee": "fr", "eve": "klingon"}
"""Each with the language of its choice; of the last two there are no words."""
FRENCH = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Preferences"\nmsgstr "Vos choix"\n'


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(CONFIG, home=tmp_path, site=SITE, keys=KEYS, languages=("en", "ar", "de"))


def published(config: Config, engine: Engine, readers: Mapping[str, str], **choice: object) -> Edition:
    """An edition that waits for these readers."""
    with engines.write(engine) as connection:
        keep(connection, TITLES, PRESS)
        for name, language in readers.items():
            address = f"{name}@readers.example"
            subscribe(connection, address)
            mine = update(subscriptions).where(subscriptions.c.id == store.by_address(connection, address)[0].id)
            connection.execute(mine.values(language=language, **choice))
    return publish(config, engine, DIGEST, DAY, PRESS, PRESS).edition


def sent(
    config: Config, engine: Engine, prepare: Prepare | None = None, share: int | None = None
) -> tuple[DeliveryReport, dict[str, EmailMessage]]:
    """What came of a run, and the mails that a server took, by their readers."""
    sink = Sink()

    async def scenario() -> DeliveryReport:
        async with sink.serving():
            return await verb.deliver(
                replace(config, relay=sink.relay), engine, still(PRESS), prepare=prepare, share=share
            )

    report = asyncio.run(scenario())
    mails = {to.partition("@")[0]: message_from_bytes(body, policy=policy.default) for to, body in sink.accepted}
    return report, mails


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_readers_get_the_same_edition_each_in_the_language_of_its_choice(config: Config, engine: Engine) -> None:
    edition = published(config, engine, READERS)

    report, mails = sent(config, engine)

    assert (report.sent, report.problem, set(mails)) == (5, "", set(READERS))
    spoken = {name: mail["Content-Language"] for name, mail in mails.items()}
    assert spoken == {"ann": "de", "bob": "ar", "cy": "en", "dee": "en", "eve": "en"}
    pages = {name: lxml_html.document_fromstring(part(mail, "html")) for name, mail in mails.items()}
    assert [(pages[name].get("lang"), pages[name].get("dir")) for name in ("ann", "bob", "cy")] == [
        ("de", "ltr"),
        ("ar", "rtl"),
        ("en", "ltr"),
    ]
    words = {
        "ann": ("Dienstag, 10. Februar 2026", "10. Februar 2026", "Abbestellen"),
        "bob": ("الثلاثاء، 10 فبراير 2026", "10 فبراير 2026", "إلغاء الاشتراك"),
        "cy": ("Tuesday, February 10, 2026", "February 10, 2026", "Unsubscribe"),
    }
    for name, said in words.items():
        for text in (part(mails[name], "plain"), str(pages[name].xpath("string()"))):
            assert all(word in text for word in said), (name, [word for word in said if word not in text])
            assert all(item.title in " ".join(text.split()) for item in edition.items), name
            assert f"{name}@readers.example" in text
    assert len({mail["Subject"] for mail in mails.values()}) == 1, "it is made of headlines"
    assert len({mail["Message-ID"] for mail in mails.values()}) == 5


def test_plain_text_alone_is_in_the_readers_language_too(config: Config, sqlite_engine: Engine) -> None:
    published(config, sqlite_engine, {"ann": "de"}, text_only=True)

    mail = sent(config, sqlite_engine)[1]["ann"]

    assert (mail.get_content_type(), mail["Content-Language"]) == ("text/plain", "de")
    assert "Abbestellen" in mail.get_content()


def test_a_cut_is_made_once_in_each_language(config: Config, sqlite_engine: Engine) -> None:
    published(config, sqlite_engine, {"ann": "de", "ben": "de", "bob": "ar", "cy": "", "dan": ""})
    made: list[str] = []

    def counting(edition_id: int, topics: tuple[str, ...], language: str) -> CompiledMail:
        made.append(language)
        return audience.prepare(edition_id, topics, language)

    sent(config, sqlite_engine, prepare=counting)

    assert sorted(made) == ["", "ar", "de"]


@pytest.mark.parametrize("later", [None, "broken\n"])
def test_readers_whose_language_has_lost_its_words_get_the_edition_in_that_of_the_site(
    config: Config, sqlite_engine: Engine, later: str | None
) -> None:
    """Though the edition was frozen, and one of them was mailed, while there were some."""
    own = config.home / "locale" / "fr.po"
    own.parent.mkdir()
    own.write_text(FRENCH, encoding="utf-8")
    published(config, sqlite_engine, {"ann": "fr", "bob": "fr"})
    _, before = sent(config, sqlite_engine, share=1)

    own.unlink()
    if later:
        own.write_text(later, encoding="utf-8")
    _, after = sent(config, sqlite_engine)

    ((first,), (second,)) = (tuple(mails.values()) for mails in (before, after))
    assert (first["Content-Language"], "Vos choix" in part(first, "plain")) == ("fr", True)
    assert (second["Content-Language"], "Preferences" in part(second, "plain")) == ("en", True)
    assert {state.value: number for state, number in states(sqlite_engine).items()} == {"sent": 2}


def test_words_that_come_later_are_spoken_from_then_on(config: Config) -> None:
    """So pages that were begun before a catalogue was there need no new start."""
    renderers = Renderers(config, Links(SITE.base_url, KEYS))
    assert renderers.of("fr") is renderers.usual
    (config.home / "locale").mkdir()
    (config.home / "locale" / "fr.po").write_text(FRENCH, encoding="utf-8")

    assert renderers.of("fr").language.gettext("Preferences") == "Vos choix"
    assert renderers.of("fr") is renderers.of("fr")
    assert renderers.of("en") is renderers.usual


PARAMETERS: Mapping[Kind, Mapping[str, object]] = {
    Kind.WELCOME: {"at": PRESS.isoformat()},
    Kind.LINKS: {"subscriptions": [["economy", 1, 1]]},
    Kind.DATA: {"asked_at": 0},
    Kind.NEW_ADDRESS: {"move": 1},
    Kind.OLD_ADDRESS: {"move": 1},
}


@pytest.mark.parametrize(("language", "direction"), [("de", "ltr"), ("ar", "rtl")])
@pytest.mark.parametrize("kind", list(Kind))
def test_every_letter_to_a_reader_is_in_the_readers_language(
    config: Config, kind: Kind, language: str, direction: str
) -> None:
    state = SubscriptionState.PENDING if kind is Kind.CONFIRMATION else SubscriptionState.ACTIVE
    reader = Subscription(1, 1, "ann@readers.example", "economy", state, (), None, 1, PRESS, language=language)
    wanted = LetterOrder("k", kind, 1, PARAMETERS.get(kind, {}))

    letter = writers(config)[kind](wanted, reader)

    assert letter is not None
    page = lxml_html.document_fromstring(letter.rendered.html)
    assert (page.get("lang"), page.get("dir")) == (language, direction)
    mail = message_from_bytes(compiled(letter, SITE, PRESS), policy=policy.default)
    assert mail["Content-Language"] == language
    english = writers(config)[kind](wanted, replace(reader, language=""))
    assert english is not None
    assert english.rendered.subject != letter.rendered.subject
    assert english.rendered.language == "en"


def test_a_correction_is_in_the_language_of_each_reader(config: Config, sqlite_engine: Engine) -> None:
    edition = published(config, sqlite_engine, READERS)
    sent(config, sqlite_engine)
    said = Correction(edition.id, edition.items[0].story_id, "It is 6.7 per cent.", "ann", PRESS, id=1)

    letters = {one.to.partition("@")[0]: one for one in letters_of(config, sqlite_engine, edition, said, PRESS)}

    assert {name: one.rendered.language for name, one in letters.items()} == {
        "ann": "de",
        "bob": "ar",
        "cy": "en",
        "dee": "en",
        "eve": "en",
    }
    assert all("It is 6.7 per cent." in one.rendered.text for one in letters.values())
    assert "10. Februar 2026" in letters["ann"].rendered.text
