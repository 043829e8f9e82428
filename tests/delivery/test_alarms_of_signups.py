"""When most sign-ups are never confirmed, somebody enters addresses of others, and operators hear of it."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from digest.delivery import alarms
from digest.model import Wish
from digest.store import engine as engines
from digest.store import signups, subscribers
from digest.store.signups import Request, Traffic
from tests.conftest import NOW
from tests.delivery.audience import configured

CONFIG = configured(Path())
LATER = NOW + timedelta(hours=3)


def asked(connection: Connection, number: int, *, confirmed: bool) -> None:
    found = subscribers.ask(
        connection, f"r{number}@reader.example", f"{number:064}", "economy", (), {"how": "test"}, NOW
    )
    if confirmed:
        subscribers.confirm(connection, found.id, 1, (), {"how": "test"}, NOW)


def told(connection: Connection) -> list[str]:
    return [f"{key}: {notice.explanation}" for key, notice in alarms.due(CONFIG, connection, LATER)]


def test_operators_hear_of_sign_ups_that_nobody_confirms(engine: Engine) -> None:
    with engines.write(engine) as connection:
        for number in range(50):
            asked(connection, number, confirmed=number % 5 < 2)
        assert told(connection) == [], "60 in a hundred are just about usual"

        asked(connection, 50, confirmed=False)
        [alarm] = told(connection)
        assert alarm.startswith("unconfirmed:2026-02-10: Of the last 51 confirmations asked for, 31 were not confirmed")

        for number in range(51, 260):
            asked(connection, number, confirmed=True)
        assert told(connection) == [], "only the last 200 count"


def test_a_few_sign_ups_and_those_of_just_now_alarm_nobody(engine: Engine) -> None:
    with engines.write(engine) as connection:
        for number in range(29):
            asked(connection, number, confirmed=False)
        assert told(connection) == []
        asked(connection, 29, confirmed=False)
        assert list(alarms.due(CONFIG, connection, NOW + timedelta(hours=1))) == []
        assert len(told(connection)) == 1


def test_requests_are_counted_answered_and_forgotten(engine: Engine) -> None:
    def request(number: int, network: str) -> Request:
        return Request(
            Wish.SUBSCRIBE, "a@b.example", "key", f"form{number}", network, "economy", ("b", "a"), {"how": "x"}
        )

    hour = timedelta(hours=1)
    with engines.write(engine) as connection:
        signups.take_turns(connection)
        for number, (network, ago) in enumerate([("n", 30 * hour), ("n", 2 * hour), ("n", 0 * hour), ("m", 0 * hour)]):
            assert signups.keep(connection, request(number, network), NOW - ago)
        assert not signups.keep(connection, request(3, "n"), NOW), "the same form"
        assert signups.traffic(connection, "n", NOW) == Traffic(network=1, hour=2, day=3)

        first, *others = signups.waiting(connection, 10)
        assert (first.request.topics, len(others)) == (("a", "b"), 3)
        assert signups.answer(connection, first.id, NOW, by_mail=True)
        assert not signups.answer(connection, first.id, NOW, by_mail=True)
        assert signups.mailed(connection, "key", Wish.SUBSCRIBE, NOW - 40 * hour) == [NOW]
        assert signups.mailed(connection, "key", Wish.LINKS, NOW - 40 * hour) == []
        assert signups.forgotten(connection, NOW - hour)
        assert signups.forget(connection, NOW - hour) == 2
        assert not signups.forgotten(connection, NOW - hour)


def test_what_nobody_confirmed_is_forgotten_and_nothing_else(engine: Engine) -> None:
    with engines.write(engine) as connection:
        asked(connection, 1, confirmed=False)
        asked(connection, 2, confirmed=True)
        subscribers.ask(connection, "r2@reader.example", f"{2:064}", "weekly", (), {}, NOW)

        assert subscribers.forgotten(connection, LATER)
        assert subscribers.forget(connection, LATER) == 2
        assert not subscribers.forgotten(connection, LATER)
        assert subscribers.by_address(connection, "r1@reader.example") == []
        assert [one.digest for one in subscribers.by_address(connection, "r2@reader.example")] == ["economy"]
        assert subscribers.consent_of(connection, "r1@reader.example") is None
