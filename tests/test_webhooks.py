"""Other programs are told of each thing that happens, until they take it, and of no more than they need to know."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from digest import checkup, home, webhooks
from digest.config import Config, Webhook
from digest.editions.publish import freeze
from digest.errors import ConfigError
from digest.findings import Level
from digest.links import address_key
from digest.model import Cause, DeliveryState, Happening
from digest.store import editions, subscribers, suppressions, tables
from digest.store import engine as engines
from digest.store import webhooks as store
from digest.subscribers import data, preferences, transfer
from digest.subscribers.consent import subscribe
from digest.subscribers.judge import Judge, Vouched
from digest.webhooks import LEASE, RETRY_MINUTES, Told, retry_at
from tests.conftest import NOW
from tests.receiver import SECRET, Receiver, receiving
from tests.web.conftest import configuration, edition

ANN = "ann@reader.example"


@dataclass
class World:
    """A service with one webhook, which is told when the test says so."""

    engine: Engine
    receiver: Receiver
    config: Config
    now: datetime = NOW
    told: list[Told] = field(default_factory=list)

    @property
    def webhook(self) -> Webhook:
        return self.config.webhooks[0]

    def with_webhook(self, **settings: object) -> None:
        self.config = replace(self.config, webhooks=(replace(self.webhook, **settings),))  # type: ignore[arg-type]

    def subscribes(self, address: str = ANN) -> int:
        return subscribe(
            self.config, self.engine, address, self.config.digests[0], (), self.now, how="test"
        ).subscription.id

    def tell(self, after: timedelta = timedelta()) -> Told:
        self.now += after
        return asyncio.run(webhooks.tell(self.config, self.engine, lambda: self.now))

    def standing(self) -> store.Standing:
        with engines.read(self.engine) as connection:
            return store.standing(connection, self.webhook.name)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    with receiving(Receiver()) as receiver:
        webhook = Webhook("crm", receiver.url, allow_private=True, secrets=("an older secret of ours", SECRET))
        yield World(engine, receiver, replace(configuration(tmp_path), webhooks=(webhook,)))


def test_what_is_done_to_a_subscription_is_told_once_each_in_its_order_and_by_number_only(world: World) -> None:
    ann = world.subscribes()
    preferences.leave(world.engine, ann, NOW)
    preferences.undo(world.config, world.engine, ann, NOW)

    assert world.tell() == Told(told=3)
    assert world.tell() == Told()

    assert world.receiver.words == ["subscription.began", "subscription.ended", "subscription.resumed"]
    assert len(set(world.receiver.taken)) == 3
    data = world.receiver.calls[0][1]["data"]
    assert data == {"subscription": ann, "subscriber": 1, "digest": "economy"}


def test_an_address_is_told_only_to_who_is_to_have_it(world: World) -> None:
    world.with_webhook(addresses=True)
    world.subscribes()
    world.tell()

    assert world.receiver.calls[0][1]["data"]["address"] == ANN
    with engines.read(world.engine) as connection:
        assert ANN not in str(connection.execute(select(tables.webhook_calls)).all())


def test_who_is_erased_is_told_of_by_the_number_of_each_subscription_and_never_by_an_address(world: World) -> None:
    world.with_webhook(addresses=True)
    ann, bob = world.subscribes(), world.subscribes("bob@reader.example")
    weekly = replace(world.config.digests[0], slug="weekly")
    other = subscribe(world.config, world.engine, ANN, weekly, (), world.now, how="test").subscription.id
    preferences.leave(world.engine, bob, NOW)
    world.tell()
    world.receiver.calls.clear()

    data.erase(world.engine, ANN, NOW)
    again = world.subscribes()
    world.tell()
    later = timedelta(days=world.config.privacy.left_days + 1)
    data.forget_old(world.config, world.engine, NOW + later)
    world.tell(later)

    erased = [said for _, said in world.receiver.calls if said["type"] == "subscription.erased"]
    assert [said["data"] for said in erased] == [
        {"subscription": ann, "digest": "economy"},
        {"subscription": other, "digest": "weekly"},
        {"subscription": bob, "digest": "economy"},
    ]
    assert erased[0]["timestamp"] == NOW.isoformat()
    assert again > bob


def test_an_erasure_that_is_undone_with_its_transaction_is_told_to_nobody(world: World) -> None:
    world.subscribes()
    world.tell()
    with pytest.raises(ZeroDivisionError), engines.write(world.engine) as connection:
        subscribers.remove(connection, ANN, NOW)
        raise ZeroDivisionError

    assert world.tell() == Told()


@pytest.mark.parametrize("addresses", [True, False])
def test_a_suppression_is_told_of_when_it_is_made_grows_worse_or_is_lifted(world: World, addresses: bool) -> None:
    world.with_webhook(addresses=addresses, events=(Happening.SUPPRESSED, Happening.LIFTED))
    world.subscribes()
    key, quoting = address_key(ANN, world.config.signing_keys), f"hard bounce: <{ANN}> is unknown"
    with engines.write(world.engine) as connection:
        for cause in (Cause.BOUNCED, Cause.BOUNCED, Cause.COMPLAINED):
            suppressions.suppress(connection, key, cause, quoting, NOW)
        suppressions.suppress(connection, "of nobody", Cause.OPERATOR, "asked", NOW, author="the operator")
        for _ in range(2):
            suppressions.lift(connection, key, f"{ANN} asked", NOW, author="the operator")
    world.tell()

    named = {"address": ANN} if addresses else {}
    assert [(said["type"], said["data"]) for _, said in world.receiver.calls] == [
        ("suppression.made", {"subscriber": 1, "cause": "bounced", **named}),
        ("suppression.made", {"subscriber": 1, "cause": "complained", **named}),
        ("suppression.made", {"subscriber": None, "cause": "operator"}),
        ("suppression.lifted", {"subscriber": 1, "cause": "complained", **named}),
    ]
    with engines.read(world.engine) as connection:
        assert ANN not in str(connection.execute(select(tables.webhook_calls)).all())


def test_a_list_is_told_of_once_when_it_is_in_and_not_line_by_line(world: World, tmp_path: Path) -> None:
    world.subscribes()
    world.tell()
    file = tmp_path / "readers.csv"
    file.write_text(f"email,suppressed\n{ANN},\nbob@reader.example,\ncat@reader.example,bounced\nnobody,\n")
    judge = Judge(world.config, world.config.digests[0], Vouched("ann", file.name, "They agreed at example.org"), NOW)

    list(transfer.import_csv(world.engine, judge, file, dry_run=True))
    next(transfer.import_csv(world.engine, judge, file))
    assert world.tell() == Told()
    list(transfer.import_csv(world.engine, judge, file))
    world.tell()

    assert world.receiver.words[1:] == ["list.imported"]
    assert world.receiver.calls[-1][1]["data"] == {
        "added": 1, "already": 1, "repeated": 0, "left": 0, "suppressed": 1, "erased": 0, "refused": 1,
    }  # fmt: skip


def test_an_edition_is_told_of_when_it_is_published_paused_and_sent(world: World) -> None:
    world.subscribes()
    world.with_webhook(events=(Happening.PUBLISHED, Happening.PAUSED, Happening.SENT))
    number = freeze(world.engine, edition(NOW.date()), None, NOW).edition.id
    with engines.write(world.engine) as connection:
        editions.pause(connection, number, "a wrong figure", NOW)
    world.tell()
    assert world.receiver.words == ["edition.published", "edition.paused"]

    with engines.write(world.engine) as connection:
        connection.execute(update(tables.deliveries).values(state=DeliveryState.SENT))
    world.tell()
    world.tell()

    assert world.receiver.words[2:] == ["edition.sent"]
    sent = world.receiver.calls[-1][1]["data"]
    assert (sent["edition"], sent["deliveries"]["sent"], sent["date"]) == (number, 1, "2026-02-10")


def test_what_is_not_taken_is_told_again_later_by_the_same_id_and_the_rest_waits_for_it(world: World) -> None:
    world.receiver.statuses = [500, 302]
    world.subscribes()
    world.subscribes("bob@reader.example")

    first, later = world.tell(), world.tell()

    assert "the receiver answered 500" in first.problems[0]
    assert (first.put_off, later.put_off, later.told) == (1, 1, 0)
    assert world.tell(timedelta(minutes=RETRY_MINUTES[0])) == Told(told=2)
    assert sorted(world.receiver.taken) == sorted({key for key, _ in world.receiver.calls})
    assert len(world.receiver.calls) == 4


def test_a_receiver_that_does_not_answer_in_time_is_called_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    answered = threading.Event()
    world.receiver.before = answered.wait  # type: ignore[assignment]
    world.subscribes()

    assert "within 0.3 seconds" in world.tell().problems[0]
    answered.set()
    assert world.tell(timedelta(minutes=1)) == Told(told=1)
    assert len({key for key, _ in world.receiver.calls}) == 1


def test_after_about_a_day_it_is_given_up_which_check_says_until_somebody_has_it_tried_anew(world: World) -> None:
    world.receiver.statuses = [503] * (len(RETRY_MINUTES) + 1)
    world.subscribes()
    world.tell()
    for minutes in RETRY_MINUTES:
        assert world.tell(timedelta(minutes=minutes - 1)) == Told()
        last = world.tell(timedelta(minutes=1))

    assert (last.given_up, world.tell(timedelta(days=2))) == (1, Told())
    assert timedelta(hours=20) < world.now - NOW - timedelta(days=2) < timedelta(hours=26)
    found = checkup._webhook(world.webhook, world.standing())
    assert (found.level, "retry crm" in found.sentence) == (Level.FAULT, True)
    with engines.write(world.engine) as connection:
        assert store.retry(connection, "crm", world.now) == 1
    assert world.tell() == Told(told=1)
    assert checkup._webhook(world.webhook, world.standing()).level is Level.OK


def test_who_answers_that_it_is_gone_is_not_called_again(world: World) -> None:
    world.receiver.statuses = [410]
    world.subscribes()

    assert (world.tell().given_up, world.tell(timedelta(days=1))) == (1, Told())


def test_an_inside_address_is_not_called_unless_it_is_allowed(world: World) -> None:
    world.with_webhook(allow_private=False)
    world.subscribes()

    assert "127.0.0.1 is not a public address; if the receiver is yours" in world.tell().problems[0]
    assert world.receiver.calls == []


def test_without_a_webhook_nothing_is_kept(world: World) -> None:
    world.subscribes()
    world.config = replace(world.config, webhooks=())
    world.tell()

    with engines.read(world.engine) as connection:
        for table in (tables.happenings, tables.webhook_calls):
            assert connection.scalars(select(func.count()).select_from(table)).one() == 0


def test_what_is_undone_with_its_change_is_told_to_nobody(world: World) -> None:
    ann = world.subscribes()
    world.tell()
    with pytest.raises(ZeroDivisionError), engines.write(world.engine) as connection:
        subscribers.end(connection, ann, NOW)
        raise ZeroDivisionError

    assert world.tell() == Told()


def test_two_that_tell_at_once_tell_each_thing_once(world: World) -> None:
    for number in range(6):
        world.subscribes(f"r{number}@reader.example")

    async def both() -> list[Told]:
        return await asyncio.gather(*(webhooks.tell(world.config, world.engine, lambda: world.now) for _ in range(2)))

    asyncio.run(both())
    world.tell()

    assert sorted(world.receiver.taken) == sorted(set(world.receiver.taken))
    assert len(world.receiver.taken) == 6


KILLED = """
import asyncio, sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from digest import webhooks
from digest.config import Webhook
from digest.store import engine as engines
from tests.web.conftest import configuration
url, told, secret, now = sys.argv[1:]
config = replace(configuration(Path()), webhooks=(Webhook("crm", told, allow_private=True, secrets=(secret,)),))
asyncio.run(webhooks.tell(config, engines.connect(url), lambda: datetime.fromisoformat(now)))
"""


def test_nothing_is_lost_and_each_id_is_one_thing_where_the_service_is_killed_between_calls(
    world: World, database_url: str
) -> None:
    for number in range(8):
        world.subscribes(f"r{number}@reader.example")
    running: list[subprocess.Popen[bytes]] = []

    def kill_at_the_third() -> None:
        if len(world.receiver.calls) == 2:
            running[0].send_signal(signal.SIGKILL)
            running[0].wait()

    world.receiver.before = kill_at_the_third
    arguments = [database_url, world.receiver.url, SECRET, NOW.isoformat()]
    running.append(
        subprocess.Popen([sys.executable, "-c", KILLED, *arguments], env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    )
    assert running[0].wait(30) == -signal.SIGKILL
    world.receiver.before = lambda: None
    world.tell()
    world.tell(LEASE)

    subscriptions = [said["data"]["subscription"] for _, said in world.receiver.calls]
    assert sorted(set(subscriptions)) == list(range(1, 9))
    assert len({(key, said["data"]["subscription"]) for key, said in world.receiver.calls}) == 8
    assert len(world.receiver.calls) == 9  # the one that was under way is told once more


def test_it_is_known_for_a_month_what_was_told(world: World) -> None:
    world.subscribes()
    world.tell()
    world.now += timedelta(days=31)
    world.subscribes("bob@reader.example")
    world.tell()

    assert world.standing().told == 1


def test_the_wait_between_tries_grows_and_ends() -> None:
    waits = [retry_at(attempt, NOW) for attempt in range(1, len(RETRY_MINUTES) + 2)]

    assert waits[-1] is None
    assert waits[:-1] == sorted(one for one in waits if one)


@pytest.mark.parametrize(
    ("table", "environment", "wrong"),
    [
        ('name = "crm"\nurl = "https://x.example"', {}, "DIGEST_WEBHOOK_SECRET_CRM"),
        ('name = "C R"\nurl = "https://x.example"', {"DIGEST_WEBHOOK_SECRET_C R": SECRET}, "letters"),
        ('name = "a-b"\nurl = "ftp://x.example"', {"DIGEST_WEBHOOK_SECRET_A_B": SECRET}, "url"),
        ('name = "crm"\nurl = "https://x.example"\nevents = ["odd"]', {"DIGEST_WEBHOOK_SECRET_CRM": SECRET}, "odd"),
        ('name = "crm"\nurl = "https://x.example"', {"DIGEST_WEBHOOK_SECRET_CRM": "whsec_not base64 at all"}, "base64"),
        ('name = "crm"\nurl = "https://x.example"', {"DIGEST_WEBHOOK_SECRET_CRM": SECRET}, ""),
    ],
)
def test_a_webhook_that_could_not_work_is_a_fault_with_what_would_be_right(
    tmp_path: Path, table: str, environment: dict[str, str], wrong: str
) -> None:
    for name in home.FILES:
        starter = Path(home.__file__).parent / "starter" / name
        (tmp_path / name).write_text(
            starter.read_text() + (f"\n[[webhook]]\n{table}\n" if name == "digest.toml" else "")
        )
    try:
        said, found = "", home.load(tmp_path, environment).webhooks
    except ConfigError as error:
        said, found = " ".join(map(str, error.faults)), ()

    assert (wrong in said) == bool(wrong or not said)
    assert [one.name for one in found] == ([] if wrong else ["crm"])
