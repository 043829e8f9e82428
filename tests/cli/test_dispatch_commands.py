"""The operator's hand on what is being sent, and what is told of it: `pause`, `resume`, `resend`, `report`, `show`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import Connection, select, update

from digest.links import address_key
from digest.model import Cause, DeliveryState
from digest.store import engine as engines
from digest.store import subscribers, suppressions
from digest.store.tables import deliveries
from tests.cli.desk import NOW
from tests.cli.shell import KEY, Run

ANN, BOB = "ann@reader.example", "bob@elsewhere.example"


@pytest.fixture
def published(desk: time_machine.Traveller, run: Run) -> time_machine.Traveller:
    """Edition 1 is published and waits for two readers; it is seven minutes past press time."""
    for address in (ANN, BOB):
        assert run("subscribers", "add", address).returncode == 0
    desk.move_to(NOW + timedelta(hours=1, minutes=7))
    assert "2 deliveries queued" in run("publish").stdout
    return desk


@contextmanager
def database(home: Path) -> Iterator[Connection]:
    engine = engines.connect(f"sqlite:///{home / 'digest.db'}")
    with engines.write(engine) as connection:
        yield connection
    engine.dispose()


def became(home: Path, address: str, state: DeliveryState, reply: str = "") -> None:
    """As if a sender had settled the delivery to an address."""
    with database(home) as connection:
        (theirs,) = {one.subscriber_id for one in subscribers.by_address(connection, address)}
        change = update(deliveries).where(deliveries.c.subscriber_id == theirs)
        connection.execute(change.values(state=state, attempt=6, last_phase="rcpt", last_code=550, last_reply=reply))


def stood(home: Path) -> set[str]:
    with database(home) as connection:
        return set(connection.scalars(select(deliveries.c.state)))


@pytest.mark.usefixtures("published")
def test_a_paused_edition_is_not_delivered_until_it_is_resumed(run: Run, tmp_path: Path) -> None:
    paused = run("pause", "--reason", "A wrong figure in the first story.")
    held = run("deliver")

    assert "Edition 1 (economy of 2026-02-10) is paused; 2 messages are still to be sent." in paused.stdout
    assert "`digest resume 1` goes on; at 2026-02-10 18:07 UTC what waits is too late to be sent." in paused.stdout
    assert held.stdout == (
        "Nothing is due.\n2 messages still waiting.\nEdition 1 (economy of 2026-02-10) is paused: "
        "A wrong figure in the first story. `digest resume 1` goes on with it.\n"
    )
    assert "2 paused" in run("report").stdout
    assert "A wrong figure in the first story." in run("report", "1").stdout

    assert "is resumed; 2 messages are still to be sent." in run("resume").stdout
    assert json.loads(run("deliver", "--json").stdout)["sent"] == 2


@pytest.mark.usefixtures("published")
def test_a_pause_of_what_cannot_be_paused_says_so(run: Run) -> None:
    assert "Nothing is being sent." in run("resume").stdout.replace("No edition is paused.", "Nothing is being sent.")
    assert run("pause", "1", "--reason", "x").returncode == 0

    again = run("pause", "1", "--reason", "x")
    nowhere = run("pause", "9", "--reason", "x")
    assert (again.returncode, again.stderr) == (
        1, "Error: Edition 1 is paused already; `digest resume 1` goes on with it.\n",
    )  # fmt: skip
    assert "There is no edition with the number 9" in nowhere.stderr
    assert run("pause", "--reason", "x").stdout == "Nothing is being sent.\n"
    assert json.loads(run("resume", "1", "--json").stdout) == {
        "resumed": [{"edition": 1, "digest": "economy", "date": "2026-02-10", "waiting": 2}]
    }
    assert run("resume", "1").stderr == "Error: Edition 1 is not paused.\n"


def test_one_resumed_too_late_says_that_it_expires(published: time_machine.Traveller, run: Run) -> None:
    run("pause", "--reason", "x")
    published.shift(timedelta(hours=12))

    assert "2 messages are still to be sent, too old by now, and will expire." in run("resume").stdout
    assert json.loads(run("deliver", "--json").stdout)["expired"] == 2


@pytest.mark.usefixtures("published")
def test_what_failed_is_sent_once_more_and_what_was_sent_is_not(run: Run, tmp_path: Path) -> None:
    run("deliver")
    (first,) = (tmp_path / "outbox").glob("*.2@*.eml")
    before = first.read_bytes()
    became(tmp_path, BOB, DeliveryState.FAILED, "no such user")
    first.unlink()

    sent = run("resend", "1", "--failed", "--address", ANN)
    assert sent.stderr == f"Error: Edition 1 (economy of 2026-02-10) to {ANN} is sent; it is not sent again.\n"
    assert "0 messages" in run("resend", "1", "--unknown").stdout
    again = run("resend", "1", "--failed")
    assert again.stdout == "1 message of Edition 1 (economy of 2026-02-10) queued once more.\n"
    assert json.loads(run("deliver", "--json").stdout)["sent"] == 1
    assert stood(tmp_path) == {"sent"}
    assert message_id(first.read_bytes()) == message_id(before)


def message_id(mail: bytes) -> bytes:
    return next(line for line in mail.splitlines() if line.startswith(b"Message-ID:"))


@pytest.mark.usefixtures("published")
def test_a_person_is_asked_before_anything_is_sent_once_more(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became(tmp_path, BOB, DeliveryState.UNKNOWN, "it hung up")
    monkeypatch.setattr("digest.cli.dispatch.sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def answer(question: str, **_: object) -> None:
        asked.append(question)

    monkeypatch.setattr("click.confirm", answer)
    run("resend", "1", "--unknown", "--yes")
    assert asked == []
    became(tmp_path, BOB, DeliveryState.UNKNOWN, "it hung up")
    assert json.loads(run("resend", "1", "--failed", "--unknown", "--json").stdout) == {
        "edition": 1, "queued": {"failed": 0, "unknown": 1}, "total": 1, "left_out": 0, "too_late": 0,
    }  # fmt: skip
    assert asked == ["Send 1 unknown of Edition 1 (economy of 2026-02-10) once more?"]


def test_nothing_is_sent_once_more_without_saying_what_or_too_late(
    published: time_machine.Traveller, run: Run, tmp_path: Path
) -> None:
    became(tmp_path, BOB, DeliveryState.FAILED)
    unsaid, stranger = run("resend", "1"), run("resend", "1", "--failed", "--address", "eve@reader.example")
    published.shift(timedelta(hours=12))
    late = run("resend", "1", "--failed")

    assert (unsaid.returncode, "Give --failed, --unknown or both." in unsaid.stderr) == (2, True)
    assert "Nobody is subscribed as 'eve@reader.example'." in stranger.stderr
    assert (late.returncode, "was due more than 12 hours ago" in late.stderr) == (1, True)


@pytest.mark.usefixtures("published")
def test_a_report_says_how_many_wait_for_an_hour_of_their_own_and_until_when(run: Run, tmp_path: Path) -> None:
    before = run("report", "1").stdout
    due = NOW + timedelta(hours=9)
    with database(tmp_path) as connection:
        connection.execute(update(deliveries).values(due_at=due, not_before=due))
    shown, told = run("report", "1").stdout, json.loads(run("report", "1", "--json").stdout)

    assert "Waits for an hour" not in before
    assert "2 messages, until 2026-02-10 14:00 UTC" in " ".join(shown.split())
    assert (told["waiting_for_hour"], told["waiting_until"]) == (2, "2026-02-10T14:00:00+00:00")


def test_lateness_counts_from_the_hour_that_a_reader_chose(
    published: time_machine.Traveller, run: Run, tmp_path: Path
) -> None:
    with database(tmp_path) as connection:
        connection.execute(update(deliveries).values(state=DeliveryState.FAILED))
        (ann,) = subscribers.by_address(connection, ANN)
        hers = deliveries.c.subscriber_id == ann.subscriber_id
        connection.execute(update(deliveries).where(hers).values(due_at=NOW + timedelta(hours=9)))
    published.move_to(NOW + timedelta(hours=20))

    again = run("resend", "1", "--failed")
    assert again.stdout.splitlines() == [
        "1 message of Edition 1 (economy of 2026-02-10) queued once more.",
        "1 message left out, since it was due more than 12 hours ago.",
    ]
    assert "at 2026-02-11 02:00 UTC what waits is too late to be sent." in run("pause", "--reason", "x").stdout
    assert "1 message is still to be sent." in run("resume").stdout
    assert json.loads(run("deliver", "--json").stdout)["sent"] == 1
    published.move_to(NOW + timedelta(hours=21))
    became(tmp_path, ANN, DeliveryState.FAILED)
    assert run("resend", "1", "--failed").returncode == 1


@pytest.mark.usefixtures("published")
def test_a_report_says_what_relays_said_and_masks_addresses(run: Run, tmp_path: Path) -> None:
    became(tmp_path, ANN, DeliveryState.FAILED, f"5.1.1 <{ANN}>: no such user")
    became(tmp_path, BOB, DeliveryState.UNKNOWN, "no answer within 600 s")
    shown, open_ = run("report", "1").stdout, run("report", "1", "--addresses").stdout
    told = json.loads(run("report", "1", "--json").stdout)

    assert "1 failed, 1 unknown" in shown
    assert "5.1.1 <…@…>: no such user" in shown
    assert "b•••@elsewhere.example" in shown
    assert ANN not in shown + open_
    assert BOB not in shown
    assert BOB in open_
    assert (told["counts"]["failed"], told["unknown"][0]["address"]) == (1, "b•••@elsewhere.example")
    assert {one["domain"] for one in told["domains"]} == {"reader.example", "elsewhere.example"}
    assert run("report", "7").returncode == 1


def test_the_list_of_editions_is_empty_at_first(desk: time_machine.Traveller, run: Run) -> None:
    assert run("report").stdout == "No edition has been published yet.\n"
    assert json.loads(run("report", "--json").stdout)["editions"] == []


@pytest.mark.usefixtures("published")
def test_a_reader_is_shown_with_what_was_sent_and_when_the_next_mail_is_due(run: Run) -> None:
    run("deliver")
    shown = run("subscribers", "show", f" {ANN.upper()} ").stdout
    told = json.loads(run("subscribers", "show", ANN, "--json").stdout)

    assert "operator, 2026-02-10 05:00 UTC" in shown
    assert "economy since 2026-02-10 (active)" in shown
    assert shown.startswith(f"{ANN}\n")
    assert "Wed 2026-02-11 06:00 Europe/London" in shown
    assert "economy.2026-02-10.1@example.org.eml" in shown
    assert [event["kind"] for event in told["events"]] == ["queued", "claimed", "offered", "sent"]
    assert told["subscriptions"][0]["next_mail"] == "2026-02-11T06:00:00+00:00"
    assert told["suppression"] is None


@pytest.mark.usefixtures("published")
def test_a_suppressed_reader_is_shown_even_once_erased(run: Run, tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        suppressions.suppress(connection, address_key(ANN, (KEY,)), Cause.BOUNCED, "the mailbox does not exist", NOW)
    with_mail = run("subscribers", "show", ANN).stdout
    run("subscribers", "remove", ANN)
    erased = run("subscribers", "show", ANN)

    assert "since 2026-02-10 05:00 UTC: the mailbox does not exist; nothing is mailed" in with_mail
    assert "Next mail" not in with_mail
    assert "the mailbox does not exist" in erased.stdout
    assert "Nobody is subscribed" in run("subscribers", "show", "eve@reader.example").stderr
