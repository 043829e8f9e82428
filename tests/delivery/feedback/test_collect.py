"""The mailbox is emptied, each report applied once and none lost, whoever is killed in the middle of it."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from digest.config import Bounces, Config, Security
from digest.delivery.feedback.absorb import Fate
from digest.delivery.feedback.collect import Collected, collect
from digest.errors import DatabaseUnreachable, MailboxTrouble
from digest.model import Returned
from digest.store import engine as engines
from digest.store import returns as store
from digest.store.tables import delivery_events, returns, suppressions
from tests.delivery.audience import NOW, still
from tests.delivery.feedback import mails
from tests.delivery.feedback.imap import PASSWORD, Folder
from tests.delivery.feedback.sent import ADDRESS, edition, suppression, tagged, with_returns

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("KILLS", "25"))
MAILS = 4 * KILLS


@pytest.fixture
def folder() -> Iterator[Folder]:
    with Folder().serving() as served:
        yield served


def collected(config: Config, engine: Engine) -> Collected:
    return asyncio.run(collect(config, engine, still(NOW)))


def test_the_mailbox_is_emptied_of_all_but_what_a_person_should_read(
    sqlite_engine: Engine, tmp_path: Path, folder: Folder
) -> None:
    config = replace(with_returns(tmp_path), mailbox=folder.mailbox)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    letter = mails.out_of_office(own)
    folder.put(mails.postfix(own), letter, mails.out_of_office(own, Precedence="bulk"), mails.complaint("x@y.example"))

    first, second = collected(config, sqlite_engine), collected(config, sqlite_engine)

    assert first.fates == {Fate.APPLIED: 1, Fate.OTHER: 1, Fate.AUTO_REPLY: 1, Fate.UNTAGGED: 1}
    assert (first.suppressed, second.fates) == (1, {})
    assert [mail.body for mail in folder.mails.values()] == [letter]
    assert suppression(sqlite_engine)


@pytest.mark.parametrize("offers", [("UIDPLUS", "MOVE"), ("UIDPLUS",), ()])
def test_what_was_read_is_moved_to_a_folder_or_deleted_whatever_the_server_can(
    sqlite_engine: Engine, tmp_path: Path, folder: Folder, offers: tuple[str, ...]
) -> None:
    folder.offers = offers
    config = replace(with_returns(tmp_path), mailbox=folder.mailbox)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    folder.put(mails.postfix(own))
    collected(config, sqlite_engine)
    assert (folder.mails, folder.moved) == ({}, {"Done": []})

    folder.put(mails.gmail(own))
    collected(replace(config, bounces=Bounces(ADDRESS, "Done")), sqlite_engine)
    assert (folder.mails, folder.moved) == ({}, {"Done": [mails.gmail(own)]})


def test_of_a_mail_too_long_no_more_than_a_megabyte_is_fetched(
    sqlite_engine: Engine, tmp_path: Path, folder: Folder
) -> None:
    config = replace(with_returns(tmp_path), mailbox=folder.mailbox)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    folder.put(mails.postfix(own) + b"x" * 20_000_000)

    assert collected(config, sqlite_engine).fates == {Fate.APPLIED: 1}


def test_without_a_mailbox_nobody_is_called(sqlite_engine: Engine, tmp_path: Path, folder: Folder) -> None:
    assert collected(with_returns(tmp_path), sqlite_engine).fates == {}
    assert folder.heard == []


def test_a_mailbox_that_cannot_be_read_is_named_and_its_mail_stays(
    sqlite_engine: Engine, tmp_path: Path, folder: Folder
) -> None:
    own = tagged(with_returns(tmp_path), sqlite_engine, edition(sqlite_engine, 1))
    folder.put(mails.postfix(own))
    wrong = {
        r"127\.0\.0\.1:\d+ .*who are you": replace(folder.mailbox, password="wrong"),
        "no folder MISSING": replace(folder.mailbox, folder="MISSING"),
        "refused": replace(folder.mailbox, port=1),
        r"DIGEST_IMAP_URL.*[Ss][Ss][Ll]": replace(folder.mailbox, security=Security.TLS),
    }
    for said, mailbox in wrong.items():
        with pytest.raises(MailboxTrouble, match=said) as raised:
            collected(replace(with_returns(tmp_path), mailbox=mailbox), sqlite_engine)
        assert PASSWORD not in str(raised.value)
    missing = replace(with_returns(tmp_path), mailbox=folder.mailbox, bounces=Bounces(ADDRESS, "Missing"))
    with pytest.raises(MailboxTrouble, match="MOVE"):
        collected(missing, sqlite_engine)

    assert len(folder.mails) == 1


def test_without_the_database_the_mail_stays_where_it_is(tmp_path: Path, folder: Folder) -> None:
    engine = engines.connect(f"sqlite:///{tmp_path}/nowhere/digest.db")
    folder.put(mails.postfix("x@y.example"))

    with pytest.raises(DatabaseUnreachable):
        collected(replace(with_returns(tmp_path), mailbox=folder.mailbox), engine)
    assert [mail.flags for mail in folder.mails.values()] == [set()]


class Killer:
    """Kills whoever empties the mailbox: a moment after it got a mail, or just when it wants one gone, which then stays."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.victim = 0
        self.left = 0

    def load(self, victim: int) -> None:
        self.left, self.victim = self._chance.randint(0, 5), victim

    def __call__(self, command: str) -> None:
        if not self.victim or not command.startswith(("UID FETCH", "UID MOVE")):
            return
        self.left -= 1
        if self.left < 0:
            victim, self.victim = self.victim, 0
            if command.startswith("UID MOVE"):
                _kill(victim)
                raise ConnectionError
            threading.Timer(self._chance.uniform(0, 0.03), _kill, [victim]).start()


def _kill(victim: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def test_killed_again_and_again_over_the_mailbox_every_report_is_applied_once_and_none_is_lost(
    sqlite_engine: Engine, tmp_path: Path, folder: Folder
) -> None:
    config = with_returns(tmp_path)
    made = edition(sqlite_engine, MAILS)
    for number in range(MAILS):
        own = tagged(config, sqlite_engine, made, number)
        folder.put(mails.postfix(own, name=f"{number}") if number % 3 else mails.complaint(own, name=f"{number}"))
    killer = Killer(random.Random(14))
    folder.before = killer
    kills = lives = 0
    command = (sys.executable, "-m", "tests.delivery.feedback.killed", f"sqlite:///{tmp_path / 'digest.db'}")
    arguments = (str(folder.mailbox.port), PASSWORD, NOW.isoformat())
    with subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin
        assert program.stdout
        status = -signal.SIGKILL
        began = time.monotonic()
        while status and time.monotonic() - began < 10 * KILLS:
            program.stdin.write("live\n")
            program.stdin.flush()
            life = int(program.stdout.readline())
            if kills < KILLS:
                killer.load(life)
            status = int(program.stdout.readline())
            lives += 1
            kills += status == -signal.SIGKILL
        program.stdin.close()

    assert (kills, status) == (KILLS, 0)
    assert (folder.mails, len(folder.moved["Done"])) == ({}, MAILS)
    with engines.read(sqlite_engine) as connection:
        heard = delivery_events.c.kind.in_(tuple(Returned))
        events = (
            select(delivery_events.c.delivery_id, func.count()).where(heard).group_by(delivery_events.c.delivery_id)
        )
        assert sorted(number for _, number in connection.execute(events)) == [1] * MAILS
        for table in (returns, suppressions):
            assert connection.scalar(select(func.count()).select_from(table)) == MAILS
        # Some died after the transaction and before the mail was gone, or this would have shown nothing.
        assert store.counts(connection, NOW.date()).get("known", 0) > KILLS / 10
