"""A change of address: asked for by a link, confirmed at the new end, refused or taken back at the old one; and nobody mailed twice."""

import asyncio
import json
import re
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from digest.delivery.orders import post_orders
from digest.links import Purpose, address_key
from digest.model import Accepted, Cause, Deed, DeliveryState, Subscription, SubscriptionState
from digest.store import claims, deliveries, editions, moves, subscribers, suppressions, tables
from digest.store import engine as engines
from digest.subscribers import data, preferences, signup
from tests.conftest import NOW
from tests.web.conftest import Answer, Service

ANN, NEW = "ann@old.example", "ann@new.example"
A_DAY = timedelta(days=1)


@pytest.fixture
def ann(service: Service) -> Subscription:
    return service.reader(ANN, topics=("trade",))


def asks(service: Service, ann: Subscription, address: str = NEW) -> Answer:
    path = f"{service.path(Purpose.PREFERENCES, ann)}/address"
    return service.post(path, action="move", email=address, form=service.form())


def mailed(service: Service) -> dict[tuple[str, str], str]:
    """Have everything answered and written that waits: by address and subject, the text of each new letter."""
    for old in service.config.outbox.glob("*.eml"):
        old.unlink()
    signup.answer(service.config, service.engine, service.now)
    asyncio.run(post_orders(service.config, service.engine, lambda: service.now))
    found = {}
    for path in service.config.outbox.glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        part = mail.get_body(("plain",))
        assert part is not None
        found[mail["To"], mail["Subject"]] = part.get_content()
    return found


def link(letters: dict[tuple[str, str], str], purpose: Purpose) -> str:
    [found] = {
        path for text in letters.values() for path in re.findall(rf"https://news\.example(/{purpose}/\S+)", text)
    }
    return str(found)


def moved(service: Service, ann: Subscription, address: str = NEW) -> tuple[str, str]:
    """Ann has moved; the links at the new and at the old end."""
    asks(service, ann, address)
    letters = mailed(service)
    new, old = link(letters, Purpose.NEW_ADDRESS), link(letters, Purpose.OLD_ADDRESS)
    assert service.post(new, action="confirm").page.xpath("string(//h1)") == "Your address is changed"
    return new, old


def now_at(service: Service, ann: Subscription) -> str:
    found = service.stored(ann)
    assert found is not None
    return found.address


def suppress(service: Service, address: str, cause: Cause = Cause.COMPLAINED) -> None:
    with engines.write(service.engine) as connection:
        key = address_key(address, service.config.signing_keys)
        suppressions.suppress(connection, key, cause, "for a test", service.now)


# ── both ends ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_addresses_are_written_to_and_nothing_changes_before_the_new_one_confirms(
    service: Service, ann: Subscription
) -> None:
    page = asks(service, ann)

    assert page.status == 200
    assert NEW in page.words
    letters = mailed(service)
    assert {to for to, _ in letters} == {ANN, NEW}
    assert NEW not in letters[ANN, "Your address for The Economic Digest is to change"]
    assert ANN not in letters[NEW, "Please confirm your new address for The Economic Digest"]
    for purpose in (Purpose.NEW_ADDRESS, Purpose.OLD_ADDRESS):
        path = link(letters, purpose)
        assert service.get(path).status == 200
        assert service.post(path, action="other").status == 200
    assert service.stored(ann) == ann


def test_a_confirmed_change_keeps_everything_and_older_links_only_leave(service: Service, ann: Subscription) -> None:
    new, _ = moved(service, ann)

    found = service.stored(ann)
    assert found is not None
    assert (found.address, found.topics, found.version) == (NEW, ("trade",), ann.version + 1)
    assert "Your address is changed" in service.post(new, action="confirm").words
    assert service.get(service.path(Purpose.PREFERENCES, ann)).status == 404
    assert service.get(service.path(Purpose.PREFERENCES, found)).status == 200
    with engines.read(service.engine) as connection:
        told = subscribers.history(connection, ann.id)
    assert [one.deed for one in told] == [Deed.BEGAN, Deed.MOVED]
    assert {"how", "at", "asked_at", "words", "from", "confirmed_from"} == set(told[1].detail)
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    left = service.stored(ann)
    assert left is not None
    assert left.state is SubscriptionState.ENDED


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_old_address_refuses_a_change_and_takes_one_back(
    service: Service, ann: Subscription, confirmed: bool
) -> None:
    asks(service, ann)
    letters = mailed(service)
    new, old = link(letters, Purpose.NEW_ADDRESS), link(letters, Purpose.OLD_ADDRESS)
    if confirmed:
        service.post(new, action="confirm")
    service.now += timedelta(days=7)

    page = service.post(old, action="stop")

    assert "Your address stays as it is" in page.words
    assert "Your address stays as it is" in service.get(old).words
    assert now_at(service, ann) == ANN
    assert service.post(new, action="confirm").status == 404
    assert now_at(service, ann) == ANN
    with engines.read(service.engine) as connection:
        told = moves.by_id(connection, 1)
    assert told is not None
    assert (told.old_address, told.new_address) == ("", "")


def test_the_first_address_takes_back_also_a_change_that_was_made_on_top(service: Service, ann: Subscription) -> None:
    _, first = moved(service, ann)
    service.now += A_DAY
    between = service.stored(ann)
    assert between is not None
    _, second = moved(service, between, "other@new.example")

    service.post(first, action="stop")
    service.post(second, action="stop")

    assert now_at(service, ann) == ANN


def test_the_copy_of_ones_data_has_the_addresses_of_changes_under_way_and_done(
    service: Service, ann: Subscription
) -> None:
    def told() -> list[dict[str, Any]]:
        found = service.stored(ann)
        assert found is not None
        copy = json.loads(json.dumps(data.export(service.config, service.engine, found, service.now)))
        return list(copy["address_changes"])

    assert told() == []
    asks(service, ann)
    letters = mailed(service)
    (asked,) = told()
    service.post(link(letters, Purpose.NEW_ADDRESS), action="confirm")
    (done,) = told()
    service.post(link(letters, Purpose.OLD_ADDRESS), action="stop")
    (taken_back,) = told()

    assert (asked["new_address"], asked["old_address"], asked["confirmed_at"]) == (NEW, None, None)
    assert asked["detail"]["how"] == "change of address"
    assert (done["new_address"], done["old_address"], done["confirmed_at"]) == (None, ANN, NOW.isoformat())
    assert (taken_back["new_address"], taken_back["old_address"], taken_back["stopped_at"]) == (
        None,
        None,
        NOW.isoformat(),
    )


def test_links_of_a_change_work_for_a_week(service: Service, ann: Subscription) -> None:
    asks(service, ann)
    letters = mailed(service)
    service.now += timedelta(days=7, seconds=1)

    for purpose, action in ((Purpose.NEW_ADDRESS, "confirm"), (Purpose.OLD_ADDRESS, "stop")):
        path = link(letters, purpose)
        assert [service.get(path).status, service.post(path, action=action).status] == [404, 404]
    service.now = NOW + timedelta(days=31)
    mailed(service)
    assert NEW not in str(service.everything())


@pytest.mark.parametrize("change", ["left", "erased", "suppressed", "taken"])
def test_a_confirmation_that_comes_too_late_changes_nothing(service: Service, ann: Subscription, change: str) -> None:
    asks(service, ann)
    path = link(mailed(service), Purpose.NEW_ADDRESS)
    match change:
        case "left":
            preferences.leave(service.engine, ann.id, service.now)
        case "erased":
            data.erase(service.engine, ANN, service.now)
        case "suppressed":
            suppress(service, NEW, Cause.BOUNCED)
        case "taken":
            service.reader(NEW)
    before = service.everything()

    assert service.post(path, action="confirm").status == 404
    assert service.everything() == before
    assert change != "erased" or NEW not in str(before)


def test_all_that_an_address_gets_moves_with_it(two_digests: Service) -> None:
    ann = two_digests.reader(ANN)
    with engines.write(two_digests.engine) as connection:
        key = address_key(ANN, two_digests.config.signing_keys)
        weekly = subscribers.add(connection, ANN, key, "weekly", (), {}, NOW)

    moved(two_digests, ann)

    assert {now_at(two_digests, one) for one in (ann, weekly)} == {NEW}


# ── nobody learns who reads ──────────────────────────────────────────────────────────────────────────────────────


def test_neither_the_page_nor_the_old_address_learns_whether_the_new_one_reads(service: Service) -> None:
    service.reader("active@x.example")
    suppress(service, "barred@x.example")
    left = service.reader("left@x.example")
    preferences.leave(service.engine, left.id, NOW)
    letters, pages, statements = {}, set(), set()
    for name in ("active", "barred", "left", "fresh"):
        reader, to = service.reader(f"{name}@own.example"), f"{name}@x.example"
        seen: Counter[str] = Counter()
        count = lambda *told, seen=seen: seen.update([told[2]])  # noqa: E731
        event.listen(service.engine, "before_cursor_execute", count)
        answer = asks(service, reader, to)
        event.remove(service.engine, "before_cursor_execute", count)
        # A connection that is new to its pool says more.
        statements.add(frozenset(one for one in seen.items() if not one[0].startswith("PRAGMA")))
        pages.add((answer.status, re.sub(r"/[\w.-]{20,}", "", answer.words.replace(to, ""))))
        letters[name] = mailed(service)

    assert len(pages) == len(statements) == 1
    subjects = {name: {to.split("@")[1]: subject for to, subject in found} for name, found in letters.items()}
    assert {found["own.example"] for found in subjects.values()} == {
        "Your address for The Economic Digest is to change"
    }
    assert {name: found.get("x.example") for name, found in subjects.items()} == {
        "active": "You have a subscription to The Economic Digest already",
        "barred": None,
        "left": "Please confirm your new address for The Economic Digest",
        "fresh": "Please confirm your new address for The Economic Digest",
    }


def test_an_address_that_reads_already_is_told_so_and_nothing_is_merged(service: Service, ann: Subscription) -> None:
    other = service.reader(NEW, topics=("energy",))
    asks(service, ann)

    letters = mailed(service)

    assert (NEW, "You have a subscription to The Economic Digest already") in letters
    assert (service.stored(ann), service.stored(other)) == (ann, other)


def test_ones_own_address_is_one_that_reads_already(service: Service, ann: Subscription) -> None:
    asks(service, ann, ANN.upper())

    assert list(mailed(service)) == [(ANN, "You have a subscription to The Economic Digest already")]


@pytest.mark.parametrize("address", ["postmaster@reader.example", "info@reader.example", "ann", "a@b.example\nBcc: x"])
def test_what_cannot_be_one_persons_address_is_refused(service: Service, ann: Subscription, address: str) -> None:
    page = asks(service, ann, address)

    assert page.status == 422
    assert mailed(service) == {}


def test_a_form_counts_once_and_a_strange_one_not_at_all(service: Service, ann: Subscription) -> None:
    path, mark = f"{service.path(Purpose.PREFERENCES, ann)}/address", service.form()
    for _ in range(2):
        service.post(path, action="move", email=NEW, form=mark)

    assert len(service.everything()["signup_requests"]) == 1
    assert service.post(path, action="move", email=NEW, form="strange").status == 422


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_can_have_one_change_written_of_a_day_and_three_a_month(service: Service, ann: Subscription) -> None:
    told = []
    for day in range(6):
        for number in range(2):
            asks(service, ann, f"ann{day}.{number}@new.example")
            told += [(day, to) for to, _ in mailed(service) if to != ANN]
        service.now += A_DAY

    assert told == [(day, f"ann{day}.0@new.example") for day in range(3)]


def test_an_address_gets_one_such_letter_a_day_whoever_asks(service: Service) -> None:
    for number in range(3):
        asks(service, service.reader(f"r{number}@old.example"))

    assert Counter(to for to, _ in mailed(service))[NEW] == 1


def test_a_network_has_its_share_of_these_too(service: Service) -> None:
    statuses = [
        asks(service, service.reader(f"r{number}@old.example"), f"r{number}@new.example").status for number in range(12)
    ]

    share = service.config.sign_up.per_network
    assert statuses == [200] * share + [429] * (12 - share)


def test_whoever_complained_stays_barred_and_a_dead_mailbox_is_moved_from(service: Service, ann: Subscription) -> None:
    suppress(service, ANN, Cause.COMPLAINED)
    asks(service, ann)
    assert mailed(service) == {}
    with engines.write(service.engine) as connection:
        suppressions.lift(connection, address_key(ANN, service.config.signing_keys), "x", NOW, author="x")
    suppress(service, ANN, Cause.BOUNCED)
    asks(service, ann)

    assert [to for to, _ in mailed(service)] == [NEW]


# ── one mail of each edition ─────────────────────────────────────────────────────────────────────────────────────


def frozen(service: Service) -> int:
    """The newest edition frozen for everybody who reads now; how many deliveries are new."""
    with engines.write(service.engine) as connection:
        latest = editions.latest(connection, "economy")
        assert latest is not None
        return deliveries.freeze(connection, latest, service.now)


def sent(service: Service) -> list[str]:
    """Where everything goes that is due."""
    now = service.now
    with engines.write(service.engine) as connection:
        claimed = claims.claim(connection, now, 100, "token", now + A_DAY)
        taken = claims.offer(connection, claimed, now, A_DAY)
        claims.settle(connection, [(one, Accepted("")) for one in claimed if claims.lease(one) in taken], now)
    return [one.address for one in claimed if claims.lease(one) in taken]


def test_what_waits_when_the_address_changes_goes_to_the_new_one_alone(service: Service, ann: Subscription) -> None:
    frozen(service)
    moved(service, ann)

    assert frozen(service) == 0
    assert sent(service) == [NEW]
    with engines.read(service.engine) as connection:
        [audit] = [one for one in deliveries.audit(connection) if one.eligible]
        key = connection.scalar(select(tables.deliveries.c.address_key))
    assert audit.balanced
    assert key == address_key(NEW, service.config.signing_keys)


def test_an_edition_that_has_gone_goes_to_neither_address_again(service: Service, ann: Subscription) -> None:
    frozen(service)
    assert sent(service) == [ANN]
    moved(service, ann)
    again = service.reader(ANN)

    assert frozen(service) == 0
    assert sent(service) == []
    assert again.id != ann.id


def test_who_left_at_the_new_address_makes_room_and_has_no_edition_twice(service: Service, ann: Subscription) -> None:
    earlier = service.reader(NEW)
    frozen(service)
    with engines.write(service.engine) as connection:
        waiting = update(tables.deliveries).where(tables.deliveries.c.subscription_id == earlier.id)
        connection.execute(waiting.values(state=DeliveryState.SENT))
    preferences.leave(service.engine, earlier.id, service.now)
    moved(service, ann)

    assert sent(service) == []
    with engines.read(service.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.subscribers)) == 1
        [audit] = [one for one in deliveries.audit(connection) if one.eligible]
    assert audit.balanced
    assert service.stored(earlier) is None
    service.post(service.path(Purpose.UNSUBSCRIBE, earlier), action="leave")
    left = service.stored(ann)
    assert left is not None
    assert left.state is SubscriptionState.ENDED


def test_a_taken_back_change_leaves_one_mail_too(service: Service, ann: Subscription) -> None:
    frozen(service)
    _, old = moved(service, ann)
    service.post(old, action="stop")

    assert sent(service) == [ANN]
