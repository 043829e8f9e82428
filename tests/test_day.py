"""A whole day with everything real: feeds over HTTP, a database, an SMTP server, pages behind the links."""

import asyncio
import email
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine

from digest import home as homefolder
from digest.config import Config, Relay
from digest.delivery.deliver import deliver
from digest.demo import day as demo_day
from digest.demo import samples, servers
from digest.editions.due import publish_due
from digest.editions.publish import publish
from digest.feeds.poll import poll
from digest.model import EditionState
from digest.store import deliveries as ledger
from digest.store import editions as edition_store
from digest.store import engine as engines
from digest.subscribers import consent
from digest.web import server
from tests.conftest import NOW

PRESS = NOW + timedelta(hours=1)
READERS = demo_day.READERS


@dataclass
class Mailbox:
    """An SMTP server's memory."""

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.extend((address, message) for address in envelope.rcpt_tos)
        return "250 2.0.0 kept"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Relay]]:
    box = Mailbox()
    with servers.smtp_server(box) as port:
        yield box, Relay(servers.LOOPBACK, port)


@pytest.fixture
def home(tmp_path: Path, mailbox: tuple[Mailbox, Relay]) -> Iterator[Config]:
    """A home whose feeds are the sample day as of `NOW`, served on loopback."""
    documents = samples.feeds(NOW) | {"rates.xml": samples.market(NOW)}
    with servers.feed_server(documents) as address:
        demo_files = demo_day.home_files(address)
        for name, text in demo_files.items():
            (tmp_path / name).write_text(text.replace("eurofxref-hist-90d.xml", "rates.xml"), encoding="utf-8")
        config = homefolder.load(tmp_path, {"DIGEST_SECRET_KEY": "a-secret-key-for-the-tests"})
        yield replace(config, relay=mailbox[1])


@pytest.fixture
def pages(home: Config, engine: Engine) -> Iterator[Config]:
    """The home with its pages served where its links lead."""
    port = servers.free_port()
    site = replace(home.site, base_url=f"http://{servers.LOOPBACK}:{port}")
    config = replace(home, site=site, web=replace(home.web, port=port))
    web = server.build(lambda: config, engine, lambda: PRESS)
    with socket.create_server((servers.LOOPBACK, port)) as listener:
        thread = threading.Thread(target=web.run, args=([listener],))
        thread.start()
        yield config
        web.should_exit = True
        thread.join()


def live(config: Config, engine: Engine, now: datetime = PRESS) -> None:
    """Poll, publish, deliver."""
    asyncio.run(poll(config, engine, now))
    publish(config, engine, config.digests[0], now.date(), now, now)
    asyncio.run(deliver(config, engine, lambda: now))


def subscribe_all(config: Config, engine: Engine) -> None:
    for address, topics in READERS:
        consent.subscribe(config, engine, address, config.digests[0], topics, NOW, how="operator")


def fetch(url: str, data: bytes | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, data=data)
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status, response.read().decode()


def test_every_reader_gets_one_finished_edition(home: Config, engine: Engine, mailbox: tuple[Mailbox, Relay]) -> None:
    subscribe_all(home, engine)

    live(home, engine)

    mails = mailbox[0].mails
    assert sorted(address for address, _ in mails) == sorted(address for address, _ in READERS)
    for address, mail in mails:
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert mail["To"] == address
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert address in text.get_content()
        assert "__" not in text.get_content() + html.get_content()
    assert len({mail["Message-ID"] for _, mail in mails}) == len(READERS)
    with engines.read(engine) as connection:
        (audited,) = ledger.audit(connection, None)
        edition = edition_store.latest(connection, "economy")
    assert audited.balanced
    assert audited.eligible == len(READERS)
    assert edition is not None
    assert len(edition.items) >= 12
    assert edition.quotes


def test_the_same_run_again_changes_nothing(home: Config, engine: Engine, mailbox: tuple[Mailbox, Relay]) -> None:
    subscribe_all(home, engine)
    live(home, engine)
    with engines.read(engine) as connection:
        before = edition_store.latest(connection, "economy")

    again = asyncio.run(poll(home, engine, PRESS + timedelta(minutes=1), everything=True))
    live(home, engine, PRESS + timedelta(minutes=2))

    with engines.read(engine) as connection:
        assert edition_store.latest(connection, "economy") == before
    assert again.articles_new == 0
    assert again.as_dict()["failed"] == 0
    assert len(mailbox[0].mails) == len(READERS)


def test_tomorrow_repeats_nothing_of_today(home: Config, engine: Engine) -> None:
    subscribe_all(home, engine)
    live(home, engine)
    tomorrow = PRESS + timedelta(days=1)

    live(home, engine, tomorrow)

    with engines.read(engine) as connection:
        first = edition_store.by_date(connection, "economy", PRESS.date())
        second = edition_store.by_date(connection, "economy", tomorrow.date())
    assert first is not None
    assert second is not None
    ran = {article for item in first.items for article in item.article_ids}
    assert not ran & {article for item in second.items for article in item.article_ids}
    assert {item.title for item in first.items}.isdisjoint(item.title for item in second.items)


def test_every_link_in_the_mail_that_is_ours_works(
    pages: Config, engine: Engine, mailbox: tuple[Mailbox, Relay]
) -> None:
    subscribe_all(pages, engine)
    live(pages, engine)

    for _, mail in mailbox[0].mails:
        html = mail.get_body(("html",))
        assert html is not None
        ours = set(re.findall(rf'href="({re.escape(pages.site.base_url)}[^"]*)"', html.get_content()))
        assert len(ours) >= 4
        for url in ours:
            assert fetch(url)[0] == 200


def test_who_left_by_one_click_gets_no_further_edition(
    pages: Config, engine: Engine, mailbox: tuple[Mailbox, Relay]
) -> None:
    subscribe_all(pages, engine)
    live(pages, engine)
    leaver, mail = mailbox[0].mails[0]
    link = mail["List-Unsubscribe"].strip("<>")

    fetch(link)
    assert fetch(link, b"List-Unsubscribe=One-Click")[0] == 200
    assert fetch(link, b"List-Unsubscribe=One-Click")[0] == 200
    mailbox[0].mails.clear()
    tomorrow = PRESS + timedelta(days=1)
    with servers.feed_server(samples.feeds(tomorrow)):
        live(pages, engine, tomorrow)

    assert leaver not in [address for address, _ in mailbox[0].mails]


def test_an_edition_is_published_at_its_slot_once_and_a_late_one_is_recorded(
    home: Config, engine: Engine, mailbox: tuple[Mailbox, Relay]
) -> None:
    """The process was down for three days and comes back two hours after a slot."""
    subscribe_all(home, engine)
    asyncio.run(poll(home, engine, NOW))
    digest, slot = home.digests[0], NOW.replace(hour=6)
    publish(home, engine, digest, slot.date() - timedelta(days=3), slot, slot)

    back = slot + timedelta(hours=2)
    published = publish_due(home, engine, back)
    repeated = publish_due(home, engine, back + timedelta(minutes=1))

    assert [(one.edition.date.day, one.edition.state) for one in published] == [
        (slot.day - 2, EditionState.MISSED),
        (slot.day - 1, EditionState.MISSED),
        (slot.day, EditionState.FROZEN),
    ]
    assert published[-1].queued == len(READERS)
    assert repeated == []


def test_the_demo_lives_through_a_day_and_can_do_so_again(tmp_path: Path) -> None:
    said: list[str] = []
    clock: Callable[[], datetime] = lambda: NOW  # noqa: E731

    first = demo_day.run(tmp_path / "demo", clock, said.append)
    second = demo_day.run(tmp_path / "demo", clock, said.append)

    for lived in (first, second):
        assert lived.balanced
        assert [len(mails) for mails in lived.mails.values()] == [1, 1, 1]
        assert all(path.stat().st_size > 1000 for path in lived.files)
    assert [item.title for item in first.edition.items] == [item.title for item in second.edition.items]
    assert len(said) == 6
