"""Operators' programs read and change what commands do, if they bring a token."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from sqlalchemy import Engine
from starlette.routing import Mount, Route

from digest.editions.due import publish_due
from digest.links import address_key
from digest.model import Cause, Deed, EditionState, Factor, OverrideKind, Policy, Receipt, SubscriptionState
from digest.store import deliveries, overrides, subscribers, suppressions
from digest.store import engine as engines
from digest.store.signups import waiting
from digest.subscribers import signup
from digest.web.api.app import ENDPOINTS
from digest.web.api.gate import GUESSES_SPAN, MOST_GUESSES, MOST_NETWORKS, Guesses
from tests.conftest import NOW
from tests.editions import stock
from tests.web.api import BASE, TOKENS, Caller, calling, keep
from tests.web.conftest import edition, serve

Listening = tuple[uvicorn.Server, int]
ANN, BOB = "ann@reader.example", "bob@reader.example"
WHY: dict[str, Any] = {"author": "desk robot", "reason": "the figures were withdrawn"}
TODAY = date(2026, 2, 10)


@pytest.fixture
def caller(listening: Listening, tmp_path: Path, engine: Engine) -> Caller:
    """An API on each database."""
    return calling(listening, tmp_path, engine)


@pytest.fixture
def one(listening: Listening, tmp_path: Path, sqlite_engine: Engine) -> Caller:
    """An API on one database, where the database makes no difference."""
    return calling(listening, tmp_path, sqlite_engine)


def deeds(caller: Caller, subscription: int) -> list[Deed]:
    with engines.read(caller.service.engine) as connection:
        return [change.deed for change in subscribers.history(connection, subscription)]


def suppress(caller: Caller, address: str, cause: Cause) -> None:
    with engines.write(caller.service.engine) as connection:
        key = address_key(address, caller.service.config.signing_keys)
        suppressions.suppress(connection, key, cause, "for a test", NOW)


def waits(caller: Caller) -> int:
    with engines.read(caller.service.engine) as connection:
        return len(waiting(connection, 10))


# ── who may ask ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", [None, "Bearer", "Basic dGhlOnRva2Vu", "Bearer the newest api toke", "Bearer \xff"])
def test_without_a_right_token_nothing_is_told(one: Caller, header: str | None) -> None:
    answer = one.service.get(f"{BASE}/subscribers", **({"Authorization": header} if header else {}))

    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="digest"')


def test_every_token_of_the_list_lets_in_so_that_one_can_be_replaced_by_another(one: Caller) -> None:
    for token in TOKENS:
        assert replace(one, headers={"Authorization": f"Bearer {token}"}).ask("GET", "/editions").status == 200


def test_without_a_token_of_ours_there_is_no_api(one: Caller, listening: Listening) -> None:
    off = serve(listening, replace(one.service.config, api_tokens=()), one.service.engine)

    for path in ("/editions", "/openapi.json"):
        answer = off.get(f"{BASE}{path}", Authorization="Bearer ")
        assert (answer.status, json.loads(answer.text)["detail"].startswith("The API is off: set")) == (404, True)


def test_who_guesses_waits_even_with_a_right_token_until_the_span_has_passed(one: Caller) -> None:
    wrong = replace(one, headers={"Authorization": "Bearer a wrong token"})
    for _ in range(MOST_GUESSES):
        assert wrong.ask("GET", "/editions").status == 401

    refused = one.ask("GET", "/editions")

    assert (refused.status, refused.headers["retry-after"]) == (429, str(int(GUESSES_SPAN.total_seconds()) + 1))
    one.service.now += GUESSES_SPAN
    assert one.ask("GET", "/editions").status == 200


def test_guesses_from_many_networks_take_a_bounded_place() -> None:
    guesses = Guesses()
    for number in range(MOST_NETWORKS + 5):
        guesses.note(str(number), NOW)

    assert len(guesses._seen) == MOST_NETWORKS


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_route_stands_in_the_document_and_nothing_else_does(one: Caller, listening: Listening) -> None:
    served_app: Any = listening[0].config.loaded_app
    (mount,) = (route for route in served_app.routes if isinstance(route, Mount))
    served = {
        (method, route.path.replace(":int", ""))
        for route in mount.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    written = {(method.upper(), path) for path, operations in one.document["paths"].items() for method in operations}

    assert served == {*written, ("GET", "/openapi.json")}
    assert len(written) == len(ENDPOINTS)


def test_addresses_are_in_no_url(one: Caller) -> None:
    asked = [
        parameter["name"]
        for operations in one.document["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
    ]

    assert "address" not in asked
    assert one.ask("POST", f"/subscribers/find?address={ANN}", b"{}").status == 422


# ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_subscriptions_are_listed_a_page_at_a_time_and_by_state(caller: Caller) -> None:
    known = [caller.service.reader(f"r{number}@reader.example") for number in range(5)]
    with engines.write(caller.service.engine) as connection:
        subscribers.end(connection, known[2].id, NOW)

    first = caller.get("/subscribers?limit=2", "Subscriptions")
    rest = caller.get(f"/subscribers?limit=3&after={first['next']}", "Subscriptions")
    ended = caller.get("/subscribers?state=ended&digest=economy", "Subscriptions")

    assert [one["id"] for page in (first, rest) for one in page["subscriptions"]] == [one.id for one in known]
    assert (first["next"], rest["next"]) == (known[1].id, None)
    assert [one["address"] for one in ended["subscriptions"]] == ["r2@reader.example"]
    assert caller.get("/subscribers?digest=another", "Subscriptions")["subscriptions"] == []


def test_a_reader_is_found_by_number_and_by_address_with_all_that_the_command_shows(caller: Caller) -> None:
    ann = caller.service.reader(ANN, ("growth",))
    (number,) = keep(caller.service.engine, edition(TODAY))
    with engines.write(caller.service.engine) as connection:
        deliveries.freeze(connection, replace(edition(TODAY), id=number), NOW)

    found = caller.post("/subscribers/find", "Reader", address="Ann@Reader.example")

    assert found == caller.get(f"/subscribers/{ann.subscriber_id}", "Reader")
    assert (found["address"], found["consent"]["how"]) == (ANN, "test")
    assert found["subscriptions"][0]["topics"] == ["growth"]
    assert found["next_mail"] == {"economy": "2026-02-10T21:00:00Z"}
    assert [(event["edition_id"], event["kind"]) for event in found["events"]] == [(number, "queued")]
    caller.post("/subscribers/find", "Problem", 404, address=BOB)
    caller.post("/subscribers/find", "Problem", 422, address="no address")
    caller.get("/subscribers/999", "Problem", 404)


def test_editions_stories_and_deliveries_are_told(caller: Caller) -> None:
    for address in (ANN, BOB):
        caller.service.reader(address)
    told = edition(TODAY)
    first = replace(told.items[0], receipt=Receipt((Factor("topic", 0.9, 50, 45.0, "it is about trade"),)))
    old, number = keep(
        caller.service.engine,
        edition(date(2026, 2, 9), state=EditionState.SKIPPED),
        replace(told, items=(first, *told.items[1:])),
    )
    with engines.write(caller.service.engine) as connection:
        deliveries.freeze(connection, replace(told, id=number), NOW)

    listed = caller.get("/editions?limit=1", "Editions")
    whole = caller.get(f"/editions/{number}", "WholeEdition")
    story = caller.get("/stories/s1", "Story")
    page = caller.get(f"/editions/{number}/deliveries?state=queued&limit=1", "Deliveries")

    assert (listed["editions"][0]["id"], listed["next"]) == (number, number)
    assert caller.get(f"/editions?after={number}", "Editions")["editions"][0]["id"] == old
    assert caller.get("/editions?state=skipped", "Editions")["editions"][0]["reason"] == "nothing was read"
    assert whole["edition"]["audience"] == whole["deliveries"]["queued"] == 2
    assert [one["story_id"] for one in whole["stories"]] == ["s1", "s2", "s3", "s4", "s5"]
    assert (story["edition"], story["receipt"][0]["because"]) == (number, "it is about trade")
    rest = caller.get(f"/editions/{number}/deliveries?after={page['next']}", "Deliveries")
    assert [one["state"] for one in (*page["deliveries"], *rest["deliveries"])] == ["queued", "queued"]
    assert caller.get(f"/editions/{number}/deliveries?state=sent", "Deliveries")["deliveries"] == []
    for path in ("/editions/999", "/editions/999/deliveries", "/stories/none", "/nowhere"):
        caller.get(path, "Problem", 404)


@pytest.mark.parametrize(
    "path",
    ["/editions?stat=held", "/editions?state=odd", "/editions?limit=0", "/editions?limit=5&limit=6", "/editions/0"],
)
def test_what_cannot_be_asked_is_refused_with_what_is_wrong(one: Caller, path: str) -> None:
    assert one.get(path, "Problem", 422)["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"[" * 10_000, "application/json", 422),
        (b'{"address": "\\ud800@x.example"}', "application/json", 422),
        (b'{"address": "ann@reader.example", "more": 1}', "application/json", 422),
        (b"address=ann@reader.example", "application/x-www-form-urlencoded", 415),
        (b" " * 17_000, "application/json", 413),
    ],
)
def test_a_body_that_is_none_of_ours_is_refused(one: Caller, body: bytes, kind: str, status: int) -> None:
    assert one.ask("POST", "/subscribers/find", body, Content_Type=kind).status == status


def test_another_method_is_told_those_that_there_are(one: Caller) -> None:
    answer = one.ask("DELETE", "/subscribers")

    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


def test_without_the_database_the_caller_is_asked_to_come_again(
    one: Caller, listening: Listening, tmp_path: Path
) -> None:
    nowhere = engines.connect(f"sqlite:///{tmp_path}/nowhere/digest.db")
    away = replace(one, service=serve(listening, one.service.config, nowhere))

    assert away.get("/editions", "Problem", 503)["status"] == 503


# ── writes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_subscribed_is_first_asked_by_mail_and_once_only(caller: Caller) -> None:
    outcomes = [caller.post("/subscribers", "Subscribed", address=ANN)["outcome"] for _ in range(3)]

    assert (outcomes, waits(caller)) == (["asked"] * 3, 1)
    assert signup.answer(caller.service.config, caller.service.engine, NOW) == 1
    pending = caller.service.subscription(ANN)
    assert (pending.state, deeds(caller, pending.id)) == (SubscriptionState.PENDING, [Deed.ASKED])
    assert caller.post("/subscribers/find", "Reader", address=ANN)["consent"]["how"] == "api"


def test_a_reader_is_asked_and_begins_in_the_language_that_the_caller_names(caller: Caller) -> None:
    caller.post("/subscribers", "Subscribed", address=ANN, language="de")
    caller.post("/subscribers", "Subscribed", address=BOB, language="ar", confirm=False, consent="Said so.")
    refused = caller.post("/subscribers", "Problem", 422, address="cy@reader.example", language="klingon")

    assert signup.answer(caller.service.config, caller.service.engine, NOW) == 1
    pending = caller.service.subscription(ANN)
    begun = signup.confirm(caller.service.config, caller.service.engine, pending.id, pending.version, {}, NOW)
    assert begun.subscription is not None
    assert (pending.language, begun.subscription.language) == ("de", "de")
    told = caller.post("/subscribers/find", "Reader", address=BOB)
    assert told["subscriptions"][0]["language"] == "ar"
    assert "language" not in caller.post("/subscribers/find", "Reader", address=ANN)["consent"]
    assert refused["detail"] == "language is 'klingon', which is none. There are: en, ar, de."


def test_who_vouches_for_a_consent_says_how_it_was_given(caller: Caller) -> None:
    def begin(**more: Any) -> Callable[..., Any]:
        return lambda status, shape: caller.post("/subscribers", shape, status, address=ANN, confirm=False, **more)

    assert "consent" in begin()(422, "Problem")["detail"]
    begun = begin(consent="Ticked the box in our shop.", topics=["trade"])(200, "Subscribed")
    again = begin(consent="Ticked the box in our shop.")(200, "Subscribed")

    assert (begun["outcome"], again["outcome"]) == ("began", "already")
    assert again["subscription"] == begun["subscription"]
    assert caller.post("/subscribers/find", "Reader", address=ANN)["consent"]["how"].endswith("in our shop.")
    assert deeds(caller, begun["subscription"]["id"]) == [Deed.BEGAN]


def test_who_has_left_comes_back_only_if_the_caller_says_so_and_a_confirmation_is_always_asked_for(one: Caller) -> None:
    ann = one.service.reader(ANN)
    with engines.write(one.service.engine) as connection:
        subscribers.end(connection, ann.id, NOW)
    vouched: dict[str, Any] = {"address": ANN, "confirm": False, "consent": "Called us."}

    assert "`again`" in one.post("/subscribers", "Problem", 409, **vouched)["detail"]
    assert one.post("/subscribers", "Subscribed", address=ANN)["outcome"] == "asked"
    assert one.service.subscription(ANN).state is SubscriptionState.ENDED
    assert one.post("/subscribers", "Subscribed", again=True, **vouched)["outcome"] == "began"


@pytest.mark.parametrize(("cause", "by_mail"), [(Cause.COMPLAINED, 409), (Cause.OPERATOR, 409), (Cause.BOUNCED, 200)])
def test_a_suppressed_address_is_not_brought_back(one: Caller, cause: Cause, by_mail: int) -> None:
    suppress(one, ANN, cause)

    asked = one.post("/subscribers", "Problem" if by_mail == 409 else "Subscribed", by_mail, address=ANN)
    vouched = one.post("/subscribers", "Problem", 409, address=ANN, confirm=False, consent="Called us.", again=True)

    assert vouched["status"] == 409
    assert waits(one) == (by_mail == 200) == (asked.get("outcome") == "asked")
    assert one.post("/subscribers/find", "Reader", address=ANN)["subscriptions"] == []


@pytest.mark.parametrize(
    "said",
    [
        {"address": "no address"},
        {"address": "postmaster@x.example"},
        {"address": "digest@localhost"},
        {"topics": ["x"]},
        {"digest": "x"},
    ],
)
def test_what_the_form_would_refuse_is_refused(one: Caller, said: dict[str, Any]) -> None:
    one.post("/subscribers", "Problem", 422, **{"address": ANN, **said})

    assert waits(one) == 0


def test_the_budget_for_confirmations_holds_for_programs_too(one: Caller) -> None:
    most = one.service.config.sign_up.per_hour
    asked = [
        one.ask("POST", "/subscribers", json.dumps({"address": f"r{number}@reader.example"}).encode())
        for number in range(most + 1)
    ]

    assert [answer.status for answer in asked] == [200] * most + [429]
    assert asked[-1].headers["retry-after"] == "3600"


def test_who_is_unsubscribed_has_left_as_by_the_own_link(caller: Caller) -> None:
    ann = caller.service.reader(ANN)

    first = caller.post("/subscribers/unsubscribe", "Unsubscribed", address=ANN, digest="economy")
    again = caller.post("/subscribers/unsubscribe", "Unsubscribed", address=ANN)

    assert (first["ended"], again["ended"]) == (1, 0)
    assert first["subscriptions"] == again["subscriptions"]
    assert deeds(caller, ann.id)[-1:] == [Deed.ENDED]
    caller.post("/subscribers/unsubscribe", "Problem", 404, address=ANN, digest="another")
    caller.post("/subscribers/unsubscribe", "Problem", 404, address=BOB)


def test_an_order_is_kept_with_who_gave_it_and_why_and_only_for_an_edition_that_is_still_open(caller: Caller) -> None:
    keep(caller.service.engine, edition(date(2026, 2, 9)))

    ordered = caller.post("/editions/hold", "Ordered", date="2026-02-11", **WHY)
    caller.post("/editions/approve", "Problem", 409, date="2026-02-09", **WHY)
    caller.post("/editions/approve", "Problem", 409, date="2026-01-09", **WHY)
    caller.post("/editions/approve", "Problem", 422, author="\u200b", reason="why")

    assert ordered["edition"] is None
    with engines.read(caller.service.engine) as connection:
        kept = overrides.by_id(connection, ordered["order"])
    assert kept
    assert (kept.kind, kept.author, kept.reason) == (OverrideKind.HOLD, WHY["author"], WHY["reason"])


def test_a_held_edition_that_is_approved_is_published_at_once(listening: Listening, sqlite_engine: Engine) -> None:
    quiet = replace(stock.DIGEST, fewest=9, quiet=Policy.HOLD)
    config = replace(stock.CONFIG, digests=(quiet,), keys=("a-key-for-these-tests-only",), api_tokens=TOKENS)
    with engines.write(sqlite_engine) as connection:
        stock.keep(connection, stock.TITLES, stock.PRESS - timedelta(hours=2))
        stock.subscribe(connection, ANN)
    stock.settled_yesterday(sqlite_engine)
    (held,) = publish_due(config, sqlite_engine, stock.PRESS)
    service = serve(listening, config, sqlite_engine)
    program = Caller(service, json.loads(service.get(f"{BASE}/openapi.json").text))

    ordered = program.post("/editions/approve", "Ordered", **WHY)

    assert held.edition.state is EditionState.HELD
    assert (ordered["edition"]["state"], ordered["queued"], ordered["edition"]["audience"]) == ("frozen", 1, 1)


def test_no_address_is_logged(one: Caller) -> None:
    with structlog.testing.capture_logs() as logged:
        one.post("/subscribers", "Subscribed", address=ANN, confirm=False, consent="Called us.")
        one.post("/subscribers/unsubscribe", "Unsubscribed", address=ANN)
        one.post("/subscribers", "Subscribed", address=BOB)

    assert [line["did"] for line in logged] == ["subscribed", "unsubscribed", "asked for a confirmation"]
    assert "reader.example" not in str(logged)
