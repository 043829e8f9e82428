"""The report of an edition: every message counted, replies that say the same counted together."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, update

from digest.delivery.report import EditionReport, alike, grouped, report
from digest.model import Accepted, DeliveryState, Edition, NotSent, Phase, Refused, Unconfirmed
from digest.store import editions, feedback, reports
from digest.store import engine as engines
from digest.store.reports import Domain, Hours, Said
from digest.store.tables import deliveries, delivery_events
from tests.delivery.audience import NOW, publish
from tests.delivery.runs import leave
from tests.store.books import claimed, offered, published, settled

SECOND = timedelta(seconds=1)
FAILED = DeliveryState.FAILED


@pytest.fixture
def edition(engine: Engine) -> Edition:
    """Sent to r0 and r1 ten seconds apart, refused for r2 and r3, put off for r4, unknown for r5; r6 waits."""
    edition = published(engine, 7)
    held = sorted(claimed(engine), key=lambda one: one.subscriber_id)
    offered(engine, held[:6])
    settled(engine, held[:1], Accepted("Q1"), NOW + SECOND)
    settled(engine, held[1:2], Accepted("Q2"), NOW + 11 * SECOND)
    for one in held[2:4]:
        settled(engine, [one], Refused(Phase.RCPT, 550, f"5.1.1 <{one.address}>: no such user", permanent=True))
    settled(engine, held[4:5], NotSent(Phase.BODY, "the connection was closed"))
    settled(engine, held[5:6], Unconfirmed("no answer within 600 s"))
    return edition


def reported(engine: Engine, edition: Edition, now: datetime = NOW) -> EditionReport:
    with engines.read(engine) as connection:
        published = reports.one(connection, edition.id)
        assert published is not None
        return report(connection, published, now)


def test_a_report_counts_everything_once(engine: Engine, edition: Edition) -> None:
    found = reported(engine, edition)

    assert found.edition.audience == 7
    assert {state.value: number for state, number in found.progress.counts.items() if number} == {
        "sent": 2, "failed": 2, "unknown": 1, "queued": 1, "claimed": 1,
    }  # fmt: skip
    assert (found.progress.first_sent, found.progress.last_sent) == (NOW + SECOND, NOW + 11 * SECOND)
    assert (found.seconds, found.rate) == (10.0, 0.2)
    assert found.domains == (Domain("readers.example", audience=7, sent=2, failed=2, deferred=1),)
    assert [(one.address, one.reply) for one in found.doubts] == [("r5@readers.example", "no answer within 600 s")]


def test_replies_are_counted_together_without_whom_they_name(engine: Engine, edition: Edition) -> None:
    assert reported(engine, edition).said == (
        Said(FAILED, "rcpt", 550, "5.1.1 <…@…>: no such user", 2),
        Said(DeliveryState.QUEUED, "body", None, "the connection was closed", 1),
        Said(DeliveryState.UNKNOWN, None, None, "no answer within 600 s", 1),
    )


def test_tries_after_the_first_are_told(engine: Engine, edition: Edition) -> None:
    later = NOW + timedelta(minutes=6)
    again = claimed(engine, later)
    offered(engine, again, later)
    settled(engine, again, Accepted(), later)

    assert (reported(engine, edition).progress.retried, reported(engine, edition).progress.most_tries) == (1, 2)


def test_what_waits_for_the_hours_of_its_readers_is_told_until_the_last_has_struck(
    engine: Engine, edition: Edition
) -> None:
    assert reported(engine, edition).hours == Hours(0, None)
    with engines.write(engine) as connection:
        another = publish(connection, 0, day=edition.date + timedelta(days=1))
        for one, subscriber, hours in (
            (edition, 5, 3),
            (edition, 1, 4),
            (another, 1, 2),
            (another, 2, 5),
            (another, 3, 5),
        ):
            theirs = (deliveries.c.edition_id == one.id) & (deliveries.c.subscriber_id == subscriber)
            connection.execute(update(deliveries).where(theirs).values(due_at=NOW + timedelta(hours=hours)))

    found = [reported(engine, another, NOW + timedelta(hours=hours)).hours for hours in (1, 2, 5)]
    assert found == [Hours(3, NOW + timedelta(hours=5)), Hours(2, NOW + timedelta(hours=5)), Hours(0, None)]
    assert reported(engine, edition).hours == Hours(1, NOW + timedelta(hours=3)), "one that was sent waits for nothing"


def test_what_came_back_and_what_readers_thought_is_told(engine: Engine, edition: Edition) -> None:
    with engines.write(engine) as connection:
        feedback.keep(connection, edition.id, 1, useful=True, now=NOW)
        for number, kind in enumerate(("bounced", "bounced", "complained")):
            row = {"delivery_id": 1 + number // 2, "kind": kind, "at": NOW, "attempt": 1, "detail": ""}
            connection.execute(insert(delivery_events).values(**row, event_key=f"report {number}"))

    found = reported(engine, edition)
    assert found.came_back == {"bounced": 1, "complained": 1}
    assert (found.thought.useful, found.thought.answers) == (1, 1)


def test_the_editions_on_their_way_and_the_paused_are_told_apart(engine: Engine, edition: Edition) -> None:
    def numbers() -> tuple[list[int], list[int], int]:
        with engines.read(engine) as connection:
            on_their_way = [one.id for one in reports.on_their_way(connection)]
            return (
                on_their_way,
                [one.id for one in reports.paused(connection)],
                reports.to_go(connection, edition.id, NOW).number,
            )

    assert numbers() == ([edition.id], [], 2)
    with engines.write(engine) as connection:
        editions.pause(connection, edition.id, "A wrong figure.", NOW)
    assert numbers() == ([], [edition.id], 2)


def test_an_edition_nobody_reads_has_a_report(engine: Engine) -> None:
    found = reported(engine, published(engine, 0))

    assert (found.seconds, found.rate, found.said, found.domains, found.progress.most_tries) == (None, None, (), (), 0)


def test_who_has_left_still_counts(engine: Engine, edition: Edition) -> None:
    leave(engine, 1)
    assert sum(reported(engine, edition).progress.counts.values()) == 7


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("5.1.1 <ann@reader.example>: no such user", "5.1.1 <…@…>: no such user"),
        ("5.7.26 see https://help.example/?p=1 a640c23a62f3a-77f5b3a4bf5si88.12 - gsmtp", "5.7.26 see https://help.example/?p=1 … - gsmtp"),
        ("4.2.0 Greylisted, see http://postgrey.example/help/ann@reader.example.html", "4.2.0 Greylisted, see http:…@…"),
        ("4.7.1 try again in 1287345 s", "4.7.1 try again in … s"),
        ("5.2.2 mailbox full", "5.2.2 mailbox full"),
    ],
)  # fmt: skip
def test_what_differs_from_reader_to_reader_is_left_out(reply: str, wanted: str) -> None:
    assert alike(reply) == wanted


@given(
    st.lists(
        st.builds(
            Said,
            st.sampled_from(DeliveryState),
            st.none(),
            st.none() | st.integers(400, 599),
            st.text(max_size=30),
            st.integers(1, 9),
        )
    )
)
def test_no_message_is_lost_by_grouping(said: list[Said]) -> None:
    together = grouped(said)

    assert sum(one.count for one in together) == sum(one.count for one in said)
    assert len({(one.state, one.code, alike(one.reply)) for one in said}) == len(together)
