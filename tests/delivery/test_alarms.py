"""Operators are called when a person is needed: once, with what to do, and not otherwise."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, update

from digest.config import Config
from digest.delivery import alarms
from digest.model import DeliveryState, Digest, Doubt, Feed, Severity
from digest.store import editions, feeds, returns, safe_modes, tables
from digest.store import engine as engines
from tests.delivery.audience import NOW, configured, publish
from tests.delivery.test_correspond import unwrapped, written

HOUR = timedelta(hours=1)
PRESS = NOW + 24 * HOUR


@dataclass
class Office:
    """An operators' mailbox, and what is looked at for it."""

    config: Config
    engine: Engine

    def mails(self, now: datetime) -> list[EmailMessage]:
        return written(self.config, self.engine, now)

    def keys(self, now: datetime) -> list[str]:
        with engines.read(self.engine) as connection:
            return [key for key, _ in alarms.due(self.config, connection, now)]


@pytest.fixture
def office(sqlite_engine: Engine, tmp_path: Path) -> Office:
    """The office of a digest of which yesterday's edition was published, and sent to a thousand readers."""
    with engines.write(sqlite_engine) as connection:
        publish(connection, 1000)
        connection.execute(update(tables.deliveries).values(state=DeliveryState.SENT))
    return Office(replace(configured(tmp_path), digests=(Digest("economy", "The Economic Digest"),)), sqlite_engine)


def complained(connection: Connection, first: int, number: int) -> None:
    row = {"edition_id": 1, "address_key": "k", "severity": Severity.COMPLAINT, "at_once": False, "at": NOW}
    connection.execute(insert(tables.returns), [{**row, "delivery_id": first + one} for one in range(number)])


def dead(connection: Connection, url: str, since: datetime) -> None:
    known = feeds.by_url(connection, url)
    assert known
    gone = replace(known.memory, failures=9, failing_since=since, polled_at=since + 30 * HOUR, error="503")
    feeds.remember(connection, [(known, gone)])


def said(mail: EmailMessage, *words: str) -> None:
    assert [one for one in words if one not in unwrapped(mail)] == []


def test_an_edition_that_is_not_there_half_an_hour_after_its_time_is_told_once(office: Office) -> None:
    assert office.mails(PRESS + 0.4 * HOUR) == []
    (mail,) = office.mails(PRESS + 0.5 * HOUR)
    assert mail["Subject"].endswith("Not there: The Economic Digest of 2026-02-11")
    said(mail, "Its press time was 2026-02-11 06:00 UTC", "`digest check`", "digest publish --digest economy")
    assert office.mails(PRESS + 3 * HOUR) == []
    assert office.keys(PRESS + 13 * HOUR) == [], "then it is missed, which is told by itself"


def test_in_safe_mode_nobody_is_called_for_an_edition_that_is_not_made_because_of_it(office: Office) -> None:
    with engines.write(office.engine) as connection:
        safe_modes.begin(connection, Doubt.LEDGER, "It comes from a backup.", PRESS)
    assert office.keys(PRESS + HOUR) == ["safe-mode:1"]


def test_complaints_are_told_from_one_in_a_thousand_on_and_again_when_they_pause_the_edition(office: Office) -> None:
    with engines.write(office.engine) as connection:
        complained(connection, 1, 1)
    assert office.mails(NOW + HOUR) == []
    with engines.write(office.engine) as connection:
        complained(connection, 2, 1)
    (mail,) = office.mails(NOW + HOUR)
    said(mail, "2 of 1,000 readers called it spam (0.20%)", "`digest report 1`")
    assert office.mails(NOW + 2 * HOUR) == []
    with engines.write(office.engine) as connection:
        complained(connection, 3, 1)
        editions.pause(connection, 1, "3 complained", NOW + 2 * HOUR)
    (mail,) = office.mails(NOW + 3 * HOUR)
    assert "Paused after complaints" in mail["Subject"]
    said(mail, "`digest resume 1`")
    assert office.mails(NOW + 4 * HOUR) == [], "that it is paused is not told twice"


def test_an_edition_that_stays_paused_is_told_once(office: Office) -> None:
    with engines.write(office.engine) as connection:
        editions.pause(connection, 1, "9 of its last 100 mails were refused by policy", NOW)
    assert office.mails(NOW + 0.4 * HOUR) == []
    (mail,) = office.mails(NOW + 0.5 * HOUR)
    said(mail, "refused by policy.", "Mend the cause, then `digest resume 1`.")
    assert office.mails(NOW + HOUR) == []
    with engines.write(office.engine) as connection:
        editions.resume(connection, 1, NOW + HOUR)
    assert office.keys(NOW + 2 * HOUR) == []


def test_feeds_that_began_to_die_on_a_day_are_told_in_one_letter_when_it_is_over(office: Office) -> None:
    urls = [f"https://f{number}.example/rss" for number in range(4)]
    with engines.write(office.engine) as connection:
        feeds.sync(connection, [Feed(url, "F") for url in urls], NOW)
        dead(connection, urls[0], NOW - 23 * HOUR)
        dead(connection, urls[1], NOW - 15 * HOUR)
        dead(connection, urls[2], NOW - 5 * HOUR)
    publish_today(office, NOW + 24 * HOUR)

    assert office.mails(NOW + 17 * HOUR) == []
    (mail,) = office.mails(NOW + 18 * HOUR)
    assert mail["Subject"].endswith("2 feeds cannot be read")
    said(mail, urls[0], urls[1], "503", "`digest feeds remove URL`")
    assert office.mails(NOW + 20 * HOUR) == []
    (mail,) = office.mails(NOW + 42 * HOUR)
    said(mail, urls[2])


def publish_today(office: Office, at: datetime) -> None:
    with engines.write(office.engine) as connection:
        edition = publish(connection, 0, at=at, day=date(2026, 2, 11))
        connection.execute(
            update(tables.deliveries)
            .where(tables.deliveries.c.edition_id == edition.id)
            .values(state=DeliveryState.SENT)
        )
        publish(connection, 0, at=at + 24 * HOUR, day=date(2026, 2, 12))
        connection.execute(update(tables.deliveries).values(state=DeliveryState.SENT))


def test_of_a_day_as_others_nobody_hears(office: Office) -> None:
    publish_today(office, NOW + 24 * HOUR)
    for hours in range(0, 40, 5):
        assert office.keys(NOW + hours * HOUR) == []


def test_what_is_sent_is_counted_no_further_than_needed(office: Office) -> None:
    with engines.read(office.engine) as connection:
        assert [returns.sent(connection, 1, most) for most in (10, 5000)] == [10, 1000]
