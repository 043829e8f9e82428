"""Rows 51 to 56: what comes back counts once, for whom it is about and for nobody else, and is never answered."""

import asyncio
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from digest import child
from digest.delivery.feedback.absorb import Fate
from digest.delivery.feedback.reader import Reader
from digest.delivery.feedback.report import Unreadable
from digest.errors import BadAddress
from digest.links import address_key
from digest.model import Cause, DeliveryState, Digest, Returned, Severity
from digest.store import deliveries, editions, returns, subscribers, suppressions, tables
from digest.store import engine as engines
from digest.subscribers import consent
from tests.delivery.audience import DAY, KEYS, NOW, publish
from tests.delivery.feedback import mails
from tests.delivery.feedback.sent import (
    absorbed,
    days,
    edition,
    history,
    paused,
    suppression,
    tagged,
    with_returns,
)
from tests.delivery.runs import sent as sent_to
from tests.delivery.runs import states
from tests.delivery.sink import Script, Session, Sink

# ── forged and honest reports ────────────────────────────────────────────────────────────────────────────────────


def test_a_forged_report_is_counted_and_not_applied(engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, engine, edition(engine, 2))
    forged = own.replace("+1.", "+2.")
    plain = "digest@news.example"

    fates = [one.fate for one in absorbed(config, engine, mails.postfix(forged), mails.complaint(forged, name="2"))]
    fates += [one.fate for one in absorbed(config, engine, mails.postfix(plain), mails.complaint(plain))]

    assert fates == [Fate.FORGED, Fate.FORGED, Fate.UNTAGGED, Fate.UNTAGGED]
    assert suppression(engine, 0) is suppression(engine, 1) is None
    with engines.read(engine) as connection:
        assert returns.counts(connection, NOW.date()) == {"forged": 2, "untagged": 2}
        assert returns.counts(connection, NOW.date() + days(1)) == {}


@pytest.mark.parametrize(("late", "fate"), [(days(14), Fate.APPLIED), (days(14) + timedelta(seconds=1), Fate.STALE)])
def test_a_report_counts_for_fourteen_days_after_its_mail_was_sent(
    sqlite_engine: Engine, tmp_path: Path, late: timedelta, fate: Fate
) -> None:
    config = with_returns(tmp_path)
    mail = mails.postfix(tagged(config, sqlite_engine, edition(sqlite_engine, 1)))

    (only,) = absorbed(config, sqlite_engine, mail, now=NOW + late)

    assert only.fate is fate
    assert (suppression(sqlite_engine) is not None) == (fate is Fate.APPLIED)


def test_a_tag_made_with_an_older_key_still_counts(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    mail = mails.postfix(tagged(config, sqlite_engine, edition(sqlite_engine, 1)))
    rotated = replace(config, keys=("a newer key than that one", *config.keys))

    assert [one.fate for one in absorbed(rotated, sqlite_engine, mail)] == [Fate.APPLIED]


def test_where_a_mail_was_delivered_to_counts_as_where_it_is_addressed_to(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    (only,) = absorbed(config, sqlite_engine, mails.postfix("undisclosed@news.example"), recipient=own)

    assert (only.fate, only.delivery) == (Fate.APPLIED, 1)


# ── bounces as such ──────────────────────────────────────────────────────────────────────────────────────────────


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bounce.eml", b"\0" * 50_000_000)
    return packed.getvalue()


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "100 MB": lambda to: mails.postfix(to) + b"x" * 100_000_000,
    "10,000 parts": lambda to: (
        f"To: {to}\nContent-Type: multipart/report; boundary=x\n\n".encode() + b"--x\n\nhello\n" * 10_000 + b"--x--\n"
    ),
    "a broken boundary": lambda to: mails.postfix(to).replace(b"--3C9.1770704102", b"--3C9.177", 2),
    "a boundary that never comes": lambda to: (
        f"To: {to}\nContent-Type: multipart/report; boundary=never\n\n".encode() + b"-" * 900_000
    ),
    "a zip": lambda to: f"To: {to}\nContent-Type: application/zip\n\n".encode() + zipped(),
    "a message in a message in a message": lambda to: (
        f"To: {to}\n".encode() + b"Content-Type: message/rfc822\n\n" * 30_000
    ),
    "multiparts within multiparts": lambda to: (
        f"To: {to}\n".encode()
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(15_000))
    ),
    "a header without end": lambda to: f"To: {to}\nSubject: ".encode() + b"a\n " * 300_000,
    "200,000 headers": lambda to: f"To: {to}\n".encode() + b"To: a@b\n" * 200_000,
    "200,000 groups of fields": lambda to: mails.postfix(to).replace(
        b"Reporting-MTA", b"Action: delayed\r\n\r\n" * 50_000 + b"Reporting-MTA"
    ),
    "nothing": lambda _: b"",
    "only zeros": lambda _: b"\0" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bounce_costs_seconds_and_nobody_anything(sqlite_engine: Engine, tmp_path: Path, name: str) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))

    hostile, usual = absorbed(config, sqlite_engine, HOSTILE[name](own), mails.postfix(own, name="usual"))

    assert hostile.fate in {Fate.APPLIED, Fate.OTHER, Fate.UNREADABLE, Fate.UNTAGGED}
    assert usual.fate is Fate.APPLIED
    assert states(sqlite_engine) == {DeliveryState.SENT: 1}


def test_the_first_megabyte_of_a_bounce_is_enough_to_apply_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))

    assert [one.fate for one in absorbed(config, sqlite_engine, HOSTILE["100 MB"](own))] == [Fate.APPLIED]


def test_a_child_that_takes_too_long_is_ended_and_the_next_mail_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> list[object]:
        async with Reader(seconds=0.0) as hasty:
            first = await hasty.read(mails.gmail("b@news.example"))
        async with Reader() as patient:
            process = await child.start("digest.delivery.feedback.worker")
            process.kill()
            monkeypatch.setattr(patient, "_child", process)
            return [first, await patient.read(mails.gmail("b@news.example")), await patient.read(b"")]

    hasty, broken, usual = asyncio.run(scenario())

    assert isinstance(hasty, Unreadable)
    assert "longer than" in hasty.reason
    assert isinstance(broken, Unreadable)
    assert not isinstance(usual, Unreadable)


def test_an_automatic_reply_is_ignored(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    replies = (mails.out_of_office(own, Auto_Submitted="auto-replied"), mails.out_of_office(own, Precedence="junk"))

    assert [one.fate for one in absorbed(config, sqlite_engine, *replies)] == [Fate.AUTO_REPLY] * 2
    assert suppression(sqlite_engine) is None
    assert not (tmp_path / "outbox").exists()


# ── hard, and by policy ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_bounce_that_quotes_a_code_in_its_body_is_soft(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    (only,) = absorbed(config, sqlite_engine, mails.qmail(own))

    assert (only.severity, only.suppressed, suppression(sqlite_engine)) == (Severity.SOFT, False, None)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_a_dead_mailbox_is_suppressed_at_once_and_its_delivery_stays_sent(
    sqlite_engine: Engine, tmp_path: Path, status: str
) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    (only,) = absorbed(config, sqlite_engine, mails.postfix(own, status, "smtp; 550 gone, says <r0@readers.example>"))

    found = suppression(sqlite_engine)
    assert only.suppressed
    assert found is not None
    assert (found.cause, found.reason) == (Cause.BOUNCED, f"hard bounce: {status} 550 gone, says <…>")
    assert states(sqlite_engine) == {DeliveryState.SENT: 1}
    assert history(sqlite_engine)[-1].kind is Returned.BOUNCED
    assert history(sqlite_engine)[-1].detail == f"{status} 550 gone, says <…>"


@pytest.mark.parametrize(
    ("status", "action", "kind", "severity"),
    [
        ("5.2.2", "failed", Returned.BOUNCED, Severity.SOFT),
        ("5.0.0", "failed", Returned.BOUNCED, Severity.SOFT),
        ("5.1.0", "failed", Returned.BOUNCED, Severity.SOFT),
        ("5.7.1", "failed", Returned.BOUNCED, Severity.POLICY),
        ("4.4.7", "failed", Returned.BOUNCED, Severity.TRANSIENT),
        ("4.4.1", "delayed", Returned.DELAYED, Severity.TRANSIENT),
    ],
)
def test_whatever_else_comes_back_is_noted_and_suppresses_nobody(
    sqlite_engine: Engine, tmp_path: Path, status: str, action: str, kind: Returned, severity: Severity
) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    mail = mails.postfix(own, status, "smtp; 550 said so", action=action)
    (only,) = absorbed(config, sqlite_engine, mail)

    assert (only.fate, only.severity, only.suppressed) == (Fate.APPLIED, severity, False)
    assert history(sqlite_engine)[-1].kind is kind
    assert suppression(sqlite_engine) is None


def refusing(share: int, reply: str) -> Script:
    """A relay that refuses every so manieth reader."""

    def script(verb: str, session: Session) -> str | None:
        number = int(session.recipient[1:].partition("@")[0]) if session.recipient else -1
        return reply if verb == "DATA" and number >= 0 and number % share == 0 else None

    return script


def test_a_block_by_policy_suppresses_nobody_and_pauses_the_edition(engine: Engine, tmp_path: Path) -> None:
    with engines.write(engine) as connection:
        made = _published(connection, 120)
    report = sent_to(engine, tmp_path, Sink(refusing(10, "550 5.7.1 blocked by policy")), connections=1)

    # Each tenth is refused: with the hundredth attempt the edition pauses, and the rest waits.
    assert 90 <= report.sent < 108
    assert report.left >= 120 - report.sent - 1
    assert suppression(engine, 0) is None
    reason = paused(engine, made)
    assert reason is not None
    assert "10 of its last 100 mails were refused by policy: 550 5.7.1 blocked by policy" in reason


def test_few_policy_refusals_pause_nothing(sqlite_engine: Engine, tmp_path: Path) -> None:
    with engines.write(sqlite_engine) as connection:
        made = _published(connection, 120)
    sent_to(sqlite_engine, tmp_path, Sink(refusing(30, "550 5.7.1 blocked by policy")), connections=1)

    assert paused(sqlite_engine, made) is None


def test_after_an_operator_resumed_only_new_refusals_count(sqlite_engine: Engine, tmp_path: Path) -> None:
    with engines.write(sqlite_engine) as connection:
        made = _published(connection, 120)
    sent_to(sqlite_engine, tmp_path, Sink(refusing(10, "550 5.7.1 blocked by policy")), connections=1)
    with engines.write(sqlite_engine) as connection:
        assert editions.resume(connection, made, NOW + timedelta(minutes=1))
        assert not editions.resume(connection, made, NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=5)
    sent_to(sqlite_engine, tmp_path, Sink(refusing(10, "550 5.7.1 blocked by policy")), now=later, connections=1)

    assert paused(sqlite_engine, made) is None


def test_policy_bounces_that_come_back_later_pause_it_too(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    with engines.write(sqlite_engine) as connection:
        made = _published(connection, 120)
    sent_to(sqlite_engine, tmp_path, Sink(), connections=1)
    block = [
        mails.postfix(tagged(config, sqlite_engine, made, number), "5.7.1", name=f"{number}") for number in range(40)
    ]
    outcomes = absorbed(config, sqlite_engine, *block)

    assert {one.fate for one in outcomes} == {Fate.APPLIED}
    assert sum(one.paused for one in outcomes) == 1
    assert not any(one.suppressed for one in outcomes)
    assert paused(sqlite_engine, made)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [("550 5.1.1 no such user", Cause.BOUNCED), ("550 no such user", None), ("452 4.2.2 full", None)],
)
def test_a_refusal_in_the_dialogue_is_judged_as_a_bounce_is(
    engine: Engine, tmp_path: Path, reply: str, cause: Cause | None
) -> None:
    with engines.write(engine) as connection:
        _published(connection, 2)
    sent_to(engine, tmp_path, Sink(refusing(2, reply)), connections=1)

    found = suppression(engine, 0)
    assert (found.cause if found else None) is cause
    assert suppression(engine, 1) is None
    assert not any(isinstance(event.kind, Returned) for event in history(engine, 0))


# ── soft ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_three_soft_bounces_on_three_editions_over_seven_days_suppress(engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    said = []
    for number, day in enumerate((0, 3, 7)):
        own = tagged(config, engine, edition(engine, 1, NOW + days(day), DAY + days(day)))
        full = mails.postfix(own, "5.2.2", "smtp; 552 5.2.2 mailbox full", name=f"{number}")
        said += absorbed(config, engine, full, full, now=NOW + days(day))

    assert [one.fate for one in said] == [Fate.APPLIED, Fate.KNOWN] * 3
    assert [one.suppressed for one in said[::2]] == [False, False, True]
    found = suppression(engine)
    assert found is not None
    assert found.reason == "3 editions came back: 5.2.2 552 5.2.2 mailbox full"


def test_one_soft_bounce_or_many_of_a_week_or_old_ones_suppress_nobody(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    for day in (0, 31, 33, 36):
        own = tagged(config, sqlite_engine, edition(sqlite_engine, 1, NOW + days(day), DAY + days(day)))
        absorbed(config, sqlite_engine, mails.postfix(own, "5.2.2", name=f"{day}"), now=NOW + days(day))

    assert suppression(sqlite_engine) is None


def test_after_an_undo_the_count_begins_anew(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    key = address_key(mails.READER, KEYS)
    for day in (0, 3, 7, 8):
        own = tagged(config, sqlite_engine, edition(sqlite_engine, 1, NOW + days(day), DAY + days(day)))
        absorbed(config, sqlite_engine, mails.postfix(own, "5.2.2", name=f"{day}"), now=NOW + days(day))
        if day == 7:
            with engines.write(sqlite_engine) as connection:
                assert suppressions.lift(connection, key, "they emptied it", NOW + days(7.5), author="ana")

    assert suppression(sqlite_engine) is None
    with engines.read(sqlite_engine) as connection:
        assert [(one.lifted, one.author) for one in suppressions.changes(connection, key)] == [
            (False, suppressions.OURSELVES),
            (True, "ana"),
        ]


# ── our own ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address", ["digest@news.example", "bounces@news.example", "Bounces+7.0a@news.example", "digest+x@NEWS.example"]
)
def test_an_address_that_we_send_from_cannot_subscribe(sqlite_engine: Engine, tmp_path: Path, address: str) -> None:
    config, digest = with_returns(tmp_path), Digest("economy", "The Economic Digest")

    with pytest.raises(BadAddress, match="circle"):
        consent.subscribe(config, sqlite_engine, address, digest, (), NOW, how="operator")


def test_our_own_mail_that_comes_to_the_return_address_goes_nowhere(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, sqlite_engine, edition(sqlite_engine, 1))
    sink = Sink()
    with engines.write(sqlite_engine) as connection:
        connection.execute(update(tables.deliveries).values(state=DeliveryState.QUEUED, attempt=0))
    sent_to(sqlite_engine, tmp_path, sink)
    ((_, mail),) = sink.accepted

    (only,) = absorbed(config, sqlite_engine, b"Delivered-To: " + own.encode() + b"\r\n" + mail)

    assert only.fate is Fate.AUTO_REPLY
    assert suppression(sqlite_engine) is None
    assert not (tmp_path / "outbox").exists()


# ── complaints ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_complaint_suppresses_at_once_and_is_never_undone_by_a_new_consent(engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, engine, edition(engine, 1))
    bounced, complained = absorbed(config, engine, mails.postfix(own), mails.complaint(own))

    found = suppression(engine)
    assert found is not None
    assert (bounced.suppressed, complained.suppressed, found.cause) == (True, True, Cause.COMPLAINED)
    assert [event.kind for event in history(engine)[-2:]] == [Returned.BOUNCED, Returned.COMPLAINED]
    with pytest.raises(BadAddress, match="must not be mailed"):
        consent.subscribe(config, engine, mails.READER, Digest("economy", ""), (), NOW, how="operator")


def test_complaints_warn_above_one_in_a_thousand_and_pause_at_three(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    made = edition(sqlite_engine, 1000)
    said = absorbed(
        config,
        sqlite_engine,
        *(mails.complaint(tagged(config, sqlite_engine, made, number), name=f"c{number}") for number in range(3)),
    )

    assert [one.warning for one in said] == [
        "",
        f"Edition {made}: 2 of 1,000 readers complained about it (0.20%).",
        f"Edition {made}: 3 of 1,000 readers complained about it (0.30%).",
    ]
    assert [one.paused for one in said] == [False, False, True]
    assert paused(sqlite_engine, made) == "3 of 1,000 readers complained about it (0.30%)"


# ── once, and for good ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_counts_once_however_often_and_by_whatever_way_it_comes(engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, engine, edition(engine, 1))
    mail = mails.exchange(own)
    said = absorbed(config, engine, mail, mail, b"Received: by another way\r\n" + mail)

    assert [one.fate for one in said] == [Fate.APPLIED, Fate.KNOWN, Fate.KNOWN]
    assert [event.kind for event in history(engine)].count(Returned.BOUNCED) == 1
    with engines.read(engine) as connection:
        assert returns.counts(connection, NOW.date()) == {"hard": 1, "known": 2}


def test_what_comes_back_of_an_erased_reader_suppresses_it_and_says_nothing_of_it(
    engine: Engine, tmp_path: Path
) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, engine, edition(engine, 1))
    with engines.write(engine) as connection:
        subscribers.remove(connection, mails.READER, NOW)
    (only,) = absorbed(config, engine, mails.postfix(own))

    assert only.suppressed
    with engines.read(engine) as connection:
        for table in tables.metadata.sorted_tables:
            assert mails.READER not in repr(connection.execute(select(table)).all())


def test_a_suppressed_reader_of_the_next_edition_is_counted_and_not_mailed(engine: Engine, tmp_path: Path) -> None:
    config = with_returns(tmp_path)
    own = tagged(config, engine, edition(engine, 2))
    absorbed(config, engine, mails.postfix(own))
    with engines.write(engine) as connection:
        _published(connection, 2, day=1)
    sink = Sink()
    sent_to(engine, tmp_path, sink, now=NOW + days(1))

    assert sink.recipients == ["r1@readers.example"]
    with engines.read(engine) as connection:
        assert all(audit.balanced for audit in deliveries.audit(connection))
        assert connection.scalar(select(func.count()).select_from(tables.returns)) == 1


def _published(connection: Connection, readers: int, day: int = 0) -> int:
    return publish(connection, readers, NOW + days(day), DAY + days(day)).id
