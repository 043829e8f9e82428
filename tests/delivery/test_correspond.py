"""Editors and operators are written to about what they must know, each thing once, and again when it has changed."""

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Config, Site
from digest.delivery.correspond import correspond
from digest.delivery.post import PostReport
from digest.editions.due import publish_due
from digest.links import Links
from digest.model import Override, OverrideKind, Policy
from digest.store import editions, overrides
from digest.store import engine as engines
from tests.delivery.audience import KEYS, still
from tests.delivery.sink import Sink, saying
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, TITLES, keep, settled_yesterday

ANN, BOB, OPERATOR = "ann@editors.example", "bob@editors.example", "ops@news.example"
SITE = Site(
    base_url="https://news.example", from_address="digest@news.example", contact="editor@news.example",
    editors=(ANN, BOB), operators=(OPERATOR,),
)  # fmt: skip
CUT_OFF = PRESS - timedelta(hours=1)
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(CONFIG, home=tmp_path, site=SITE, digests=(replace(DIGEST, review=60),), keys=KEYS)


@pytest.fixture
def stocked(sqlite_engine: Engine) -> Engine:
    with engines.write(sqlite_engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
    settled_yesterday(sqlite_engine)
    return sqlite_engine


def written(config: Config, engine: Engine, now: datetime, sink: Sink | None = None) -> list[EmailMessage]:
    """What is written at a moment, through a relay."""
    sink = sink or Sink()
    seen = len(sink.accepted)

    async def scenario() -> PostReport:
        async with sink.serving():
            return await correspond(replace(config, relay=sink.relay), engine, still(now))

    report = asyncio.run(scenario())
    mails = [message_from_bytes(body, policy=policy.default) for _, body in sink.accepted[seen:]]
    assert report.sent == len(mails)
    return [mail for mail in mails if isinstance(mail, EmailMessage)]


def text(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def unwrapped(mail: EmailMessage) -> str:
    return re.sub(r"\s+", " ", text(mail))


def override(engine: Engine, made: Override) -> None:
    with engines.write(engine) as connection:
        overrides.add(connection, made)


def test_a_proposal_goes_to_every_editor_once_with_a_desk_of_ones_own(config: Config, stocked: Engine) -> None:
    publish_due(config, stocked, CUT_OFF)

    mails = written(config, stocked, CUT_OFF)

    assert sorted(mail["To"] for mail in mails) == [ANN, BOB]
    for mail in mails:
        assert all(title in unwrapped(mail) for title in TITLES)
        assert "unless an editor holds it" in unwrapped(mail)
        (token,) = set(re.findall(r"https://news\.example/desk/(\S+)", text(mail)))
        assert Links(SITE.base_url, KEYS).read_desk(token) == ("economy", DAY, mail["To"])
        assert "__" not in text(mail)
    assert written(config, stocked, CUT_OFF + A_MINUTE) == []


def test_a_proposal_that_an_editor_changed_is_sent_again_and_says_what_was_done(
    config: Config, stocked: Engine
) -> None:
    (proposed,) = publish_due(config, stocked, CUT_OFF)
    written(config, stocked, CUT_OFF)
    gone = proposed.edition.items[0]
    override(
        stocked,
        Override(
            *(OverrideKind.DROP, "economy", ANN, "it was denied", CUT_OFF + A_MINUTE, PRESS + timedelta(days=1)),
            articles=gone.article_ids,
        ),
    )
    publish_due(config, stocked, CUT_OFF + 2 * A_MINUTE)

    mails = written(config, stocked, CUT_OFF + 2 * A_MINUTE)

    assert len(mails) == 2
    assert all(f"Drop by {ANN}: it was denied." in unwrapped(mail) for mail in mails)
    assert all(gone.title not in unwrapped(mail) for mail in mails)


def test_of_a_held_edition_editors_and_operators_hear_why_and_what_to_do(config: Config, stocked: Engine) -> None:
    quiet = replace(config, digests=(replace(config.digests[0], review=0, fewest=9, quiet=Policy.HOLD),))
    publish_due(quiet, stocked, PRESS)

    mails = written(quiet, stocked, PRESS)

    assert sorted(mail["To"] for mail in mails) == [ANN, BOB, OPERATOR]
    for mail in mails:
        assert "Held: The Economic Digest of 2026-02-10" in mail["Subject"]
        assert "A quiet day" in unwrapped(mail)
        assert "https://news.example/desk/" in text(mail)
        assert "digest approve --digest economy --date 2026-02-10" in unwrapped(mail)
    assert written(quiet, stocked, PRESS + A_MINUTE) == []


def test_a_missed_edition_is_told_to_operators_once_and_not_days_later(config: Config, stocked: Engine) -> None:
    late = PRESS + timedelta(hours=13)
    publish_due(config, stocked, late)

    (mail,) = written(config, stocked, late)

    assert mail["To"] == OPERATOR
    assert "Missed:" in mail["Subject"]
    assert written(config, stocked, late + A_MINUTE) == []
    with engines.read(stocked) as connection:
        assert editions.missed(connection, "economy", DAY) == [DAY]
        assert editions.missed(connection, "economy", DAY + timedelta(days=1)) == []


def test_without_editors_or_operators_the_contact_hears_everything(config: Config, stocked: Engine) -> None:
    alone = replace(config, site=replace(SITE, editors=(), operators=()))
    publish_due(alone, stocked, CUT_OFF)

    assert [mail["To"] for mail in written(alone, stocked, CUT_OFF)] == [SITE.contact]


def test_what_a_relay_refuses_for_now_is_written_at_the_next_tick(config: Config, stocked: Engine) -> None:
    publish_due(config, stocked, CUT_OFF)

    assert written(config, stocked, CUT_OFF, Sink(script=saying(GREETING="421 later"))) == []
    assert len(written(config, stocked, CUT_OFF + A_MINUTE)) == 2


def test_in_safe_mode_the_proposal_is_a_file_to_look_at(config: Config, stocked: Engine) -> None:
    publish_due(config, stocked, CUT_OFF)

    asyncio.run(correspond(config, stocked, still(CUT_OFF)))

    assert len(list(config.outbox.glob("*.eml"))) == 2
