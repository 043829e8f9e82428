"""Mail scanners open whatever stands in a mail, several times over, and change nothing by it."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import Engine, update

from digest.links import Purpose
from digest.model import SubscriptionState
from digest.store import editions, moves, subscribers
from digest.store import engine as engines
from digest.store.tables import subscriptions
from tests.conftest import NOW
from tests.delivery import every_mail
from tests.editions import samples
from tests.web.conftest import Service, configuration, edition, serve

SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "BarracudaCentral/1.0",
    "Mimecast-URL-Protection",
    "Proofpoint/urldefense",
    "python-requests/2.32",
)
ROUNDS = 3


def addresses(raw: bytes) -> set[str]:
    """Every address of ours in a mail: in its headers, its text and its markup."""
    mail = message_from_bytes(raw, policy=default)
    texts = [str(value) for value in mail.values()]
    texts += [html.unescape(part.get_content()) for part in mail.iter_parts()]
    base = re.escape(samples.SITE.base_url)
    return {match.rstrip(".,") for text in texts for match in re.findall(rf"{base}/[^\s\"'<>)]*", text)}


@pytest.fixture
def scanned(listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine) -> Service:
    """A service that knows what the mails are about: the edition, its reader, one who has still to confirm, and one who has left."""
    config = replace(configuration(tmp_path), site=samples.SITE, keys=samples.LINKS.keys)
    service = serve(listening, config, sqlite_engine)
    readers = [service.reader(f"r{number}@reader.example") for number in range(9)]
    with engines.write(sqlite_engine) as connection:
        for number in range(7):
            editions.insert(connection, edition((NOW - timedelta(days=number)).date()))
        waiting = update(subscriptions).where(subscriptions.c.id == readers[1].id)
        connection.execute(waiting.values(state=SubscriptionState.PENDING))
        subscribers.ask(connection, readers[1].address, "-", "economy", (), {}, NOW)
        subscribers.end(connection, readers[2].id, NOW)
        moves.keep(connection, readers[0], "-", ("new@reader.example", "+"), {}, NOW)
    return service


def test_whatever_scanners_open_of_any_mail_no_row_changes(scanned: Service) -> None:
    found = {kind: addresses(every_mail.all_of(kind)[0].raw) for kind in every_mail.KINDS}
    # The mails of samples hold their own reader's links; these are of readers in every state, the purposes those of our mails.
    found["of readers in every state"] = {
        scanned.links.signed(purpose, number, version)
        for purpose in set(Purpose) - {Purpose.FEEDBACK, Purpose.DATA, Purpose.DESK}
        for number in (1, 2, 3, 4711)
        for version in (1, 2)
    }
    before = scanned.everything()

    statuses = set()
    for urls in found.values():
        for url in sorted(urls):
            path = url.removeprefix(scanned.config.site.base_url)
            for method in ("GET", "HEAD"):
                for agent in SCANNERS * ROUNDS:
                    statuses.add(scanned.ask(method, path, headers={"User-Agent": agent}).status)

    assert all(found[kind] for kind in found if kind != "notice")
    assert max(statuses) < 500
    assert scanned.everything() == before
