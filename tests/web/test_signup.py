"""Signing up: who asks gets a mail, who confirms gets the digest, and nobody learns who reads it."""

import asyncio
import itertools
import math
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select

from digest.config import SignUp
from digest.delivery.orders import post_orders
from digest.links import Purpose, address_key, visitor_key
from digest.model import Cause, Deed, SubscriptionState, Wish
from digest.store import engine as engines
from digest.store import signups, subscribers, suppressions
from digest.store.letters import Kind
from digest.store.tables import letter_orders, signup_requests
from digest.subscribers import preferences, signup
from digest.web import proof
from tests.conftest import NOW
from tests.web.conftest import Answer, Service, configuration

ANN = "ann@reader.example"
A_DAY = timedelta(days=1)
SAMPLES = int(os.environ.get("SAMPLES", "100"))
"""How many requests of each of three kinds the comparison of times takes; `SAMPLES=2000` for the whole one."""


def asks(service: Service, address: str = ANN, path: str = "/sign-up", **fields: str | list[str]) -> Answer:
    return service.post(path, **{"email": address, "form": service.form(), **fields})


def answered(service: Service) -> list[tuple[str, str]]:
    """Have the waiting requests answered: the letters ordered since, each with its kind and its reader's address."""
    signup.answer(service.config, service.engine, service.now)
    with engines.write(service.engine) as connection:
        found = [
            (order.kind, reader.address)
            for order in connection.execute(select(letter_orders).order_by(letter_orders.c.id)).all()
            if (reader := subscribers.subscription(connection, order.subscription_id))
        ]
        connection.execute(letter_orders.delete())
    return found


def confirmed(service: Service, address: str = ANN) -> Answer:
    found = service.subscription(address)
    version = signup.version_to_confirm(found)
    return service.post(f"/confirm/{service.links.token(Purpose.CONFIRM, found.id, version)}", action="confirm")


def deeds(service: Service, address: str = ANN) -> list[Deed]:
    with engines.read(service.engine) as connection:
        return [one.deed for one in subscribers.history(connection, service.subscription(address).id)]


def suppress(service: Service, address: str, cause: Cause) -> None:
    with engines.write(service.engine) as connection:
        key = address_key(address, service.config.signing_keys)
        suppressions.suppress(connection, key, cause, "for a test", service.now)


def with_settings(service: Service, **settings: object) -> None:
    object.__setattr__(service.config, "sign_up", replace(SignUp(), **settings))  # type: ignore[arg-type]


def requests(service: Service) -> int:
    with engines.read(service.engine) as connection:
        return connection.scalars(select(func.count()).select_from(signup_requests)).one()


# ── the way in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_home_asks_for_one_thing_and_says_what_it_is_for(service: Service) -> None:
    page = service.get("/").page

    assert "every source named. Free, in your inbox at 06:00" in service.get("/").words
    heading = "Sign up for daily updates for the most important stories unfolding in the global economy"
    assert page.xpath("string(//h1)") == heading
    [form] = page.xpath("//form")
    assert form.get("action") == "./sign-up"
    shown = form.xpath(".//input[not(@type='hidden')][not(ancestor::details)][not(ancestor::*[@aria-hidden])]")
    assert [(box.get("name"), box.get("type"), box.get("autocomplete")) for box in shown] == [
        ("email", "email", "email")
    ]
    assert page.xpath("//h2[@class='latest']"), "today's edition stands below"


def test_whoever_signs_up_and_confirms_is_a_reader_and_welcomed_once(service: Service) -> None:
    page = asks(service, topic=["trade"])

    assert (page.status, page.page.xpath("string(//h1)")) == (200, "Check your mail")
    assert ANN in page.words
    assert answered(service) == [(Kind.CONFIRMATION, ANN)]
    assert service.subscription(ANN).state is SubscriptionState.PENDING

    welcome, again = confirmed(service), confirmed(service)

    assert "Welcome to The Economic Digest" in welcome.words
    assert "The next edition comes on" in welcome.words
    assert "confirmed before" in again.words
    assert answered(service) == [(Kind.WELCOME, ANN)]
    found = service.subscription(ANN)
    assert (found.state, found.topics, found.version) == (SubscriptionState.ACTIVE, ("trade",), 1)
    assert deeds(service) == [Deed.ASKED, Deed.BEGAN]


def test_the_evidence_of_consent_says_when_where_from_and_to_which_words(service: Service) -> None:
    asks(service)
    answered(service)
    service.now += timedelta(minutes=5)
    confirmed(service)

    with engines.read(service.engine) as connection:
        evidence = dict(subscribers.consent_of(connection, ANN) or {})
        words = signups.words(connection, evidence.pop("words"))
    here = visitor_key("127.0.0.1", service.config.signing_keys)
    assert evidence == {
        "how": "sign-up",
        "page": "/sign-up",
        "asked_at": NOW.isoformat(),
        "at": service.now.isoformat(),
        "from": here,
        "confirmed_from": here,
    }
    home = service.get("/").words
    assert words is not None
    assert all(line in home for line in words.splitlines())
    assert "127.0.0.1" not in str(service.everything())


def test_looking_at_a_confirmation_changes_nothing(service: Service) -> None:
    asks(service)
    answered(service)
    path = service.path(Purpose.CONFIRM, service.subscription(ANN))
    before = service.everything()

    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        for query in ("", "?action=confirm"):
            service.ask(method, path + query)
    service.post(path)
    service.post(path, action="something else")

    assert service.everything() == before
    assert "a•••@reader.example" in service.get(path).words


@pytest.mark.parametrize("days", [7, 8])
def test_a_confirmation_works_for_a_week(service: Service, days: int) -> None:
    asks(service)
    answered(service)
    service.now += timedelta(days=days)

    answer = confirmed(service)

    assert answer.status == (200 if days == 7 else 410)
    assert (service.subscription(ANN).state is SubscriptionState.ACTIVE) == (days == 7)
    assert "email" in answer.text or days == 7


def test_who_has_left_comes_back_by_a_new_consent_and_older_mails_still_let_them_leave(service: Service) -> None:
    old = service.reader(topics=("trade",))
    preferences.leave(service.engine, old.id, service.now)
    service.now += A_DAY
    asks(service, topic=["energy"])

    assert answered(service) == [(Kind.CONFIRMATION, ANN)]
    assert service.subscription(ANN).state is SubscriptionState.ENDED, "whoever asked may be a stranger"
    confirmed(service)
    found = service.subscription(ANN)
    assert (found.state, found.topics, found.version) == (SubscriptionState.ACTIVE, ("energy",), 2)
    service.post(service.path(Purpose.UNSUBSCRIBE, old), **{"List-Unsubscribe": "One-Click"})
    assert service.subscription(ANN).state is SubscriptionState.ENDED
    assert deeds(service) == [Deed.BEGAN, Deed.ENDED, Deed.ASKED, Deed.BEGAN, Deed.ENDED]
    assert confirmed(service).status == 410, "who has left since then has changed their mind"


def test_a_request_that_was_withdrawn_is_not_confirmed_by_an_undo(service: Service) -> None:
    asks(service)
    answered(service)
    pending = service.subscription(ANN)
    path = service.path(Purpose.UNSUBSCRIBE, pending)
    service.post(path, action="leave")

    assert service.get(service.path(Purpose.CONFIRM, pending)).status == 410
    service.post(path, action="undo")
    assert service.subscription(ANN).state is SubscriptionState.PENDING
    assert deeds(service) == [Deed.ASKED, Deed.ENDED, Deed.RESUMED]


def test_every_change_of_a_subscription_is_told_in_its_history(service: Service) -> None:
    ann = service.reader()
    path = service.path(Purpose.PREFERENCES, ann)
    service.post(path, action="save", topic="energy")
    service.post(path, action="save", topic="energy")
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave")
    service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="undo")

    assert deeds(service) == [Deed.BEGAN, Deed.CHOSE, Deed.ENDED, Deed.RESUMED]


def test_what_was_never_confirmed_is_dropped_after_a_month(service: Service) -> None:
    asks(service)
    asks(service, "left@reader.example")
    answered(service)
    confirmed(service, "left@reader.example")
    service.now += timedelta(days=31)
    answered(service)

    left = str(service.everything())
    assert ANN not in left
    assert "left@reader.example" in left
    assert requests(service) == 0


# ── nobody learns who reads ──────────────────────────────────────────────────────────────────────────────────────

KNOWN = ("new", "active", "pending", "left", "bounced", "complained")


def everybody(service: Service) -> None:
    """Addresses in every state that an address can be in, named after it."""
    for name in ("active", "left", "bounced", "complained"):
        one = service.reader(f"{name}@reader.example")
        if name == "left":
            preferences.leave(service.engine, one.id, service.now)
    suppress(service, "bounced@reader.example", Cause.BOUNCED)
    suppress(service, "complained@reader.example", Cause.COMPLAINED)
    asks(service, "pending@reader.example")
    answered(service)
    service.now += 2 * A_DAY


def test_every_address_gets_the_same_page_and_one_letter_of_the_kind_that_fits(service: Service) -> None:
    everybody(service)
    pages = {
        (answer.status, answer.text.replace(f"{name}@", "NAME@"))
        for name in KNOWN
        for answer in [asks(service, f"{name}@reader.example")]
    }

    assert len(pages) == 1
    assert {address.partition("@")[0]: kind for kind, address in answered(service)} == {
        "new": Kind.CONFIRMATION,
        "active": Kind.LINKS,
        "pending": Kind.CONFIRMATION,
        "left": Kind.CONFIRMATION,
        "bounced": Kind.CONFIRMATION,
    }, "only whoever complained, or an operator refused, is never written to"


def test_links_go_to_readers_and_the_page_is_the_same_for_everybody(service: Service) -> None:
    everybody(service)
    pages = {
        (answer.status, answer.text.replace(f"{name}@", "NAME@"))
        for name in KNOWN
        for answer in [asks(service, f"{name}@reader.example", "/my-link")]
    }

    assert len(pages) == 1
    assert answered(service) == [(Kind.LINKS, "active@reader.example")]


def test_a_mailbox_that_bounced_is_mailed_again_once_its_reader_confirms(service: Service) -> None:
    everybody(service)
    asks(service, "bounced@reader.example")
    answered(service)

    assert "Welcome" in confirmed(service, "bounced@reader.example").words
    with engines.read(service.engine) as connection:
        key = address_key("bounced@reader.example", service.config.signing_keys)
        assert suppressions.by_key(connection, key) is None
        assert suppressions.lifted_at(connection, key) == service.now


def test_a_complaint_that_came_before_the_confirmation_counts(service: Service) -> None:
    asks(service)
    answered(service)
    suppress(service, ANN, Cause.COMPLAINED)

    assert confirmed(service).status == 410
    assert service.subscription(ANN).state is SubscriptionState.PENDING


def rank_sum_p(ones: list[float], others: list[float]) -> float:
    """The two-sided probability that two samples of this size differ so much by chance (Mann-Whitney, normal approximation)."""
    ranked = sorted((value, index < len(ones)) for index, value in enumerate([*ones, *others]))
    ranks = sum(place for place, (_, is_one) in enumerate(ranked, start=1) if is_one)
    expected = len(ones) * (len(ones) + len(others) + 1) / 2
    spread = (len(ones) * len(others) * (len(ones) + len(others) + 1) / 12) ** 0.5
    return float(math.erfc(abs(ranks - expected) / spread / 2**0.5))


def test_the_time_an_answer_takes_tells_nothing(service: Service) -> None:
    """In processor time, which what else the machine does leaves alone; in turns, so that what grows grows for all."""
    with_settings(service, per_network=10**6, per_hour=10**6, per_day=10**6)
    kinds = ("new", "active", "complained")
    keys = service.config.signing_keys
    names = [f"{name}{number}@reader.example" for name in kinds[1:] for number in range(SAMPLES)]
    with engines.write(service.engine) as connection:
        newcomers = [subscribers.Newcomer(name, address_key(name, keys)) for name in names]
        subscribers.add_all(connection, "economy", newcomers, {}, service.now)
        for one in newcomers[SAMPLES:]:
            suppressions.suppress(connection, one.address_key, Cause.COMPLAINED, "for a test", service.now)
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(SAMPLES):
        order = kinds[number % 3 :] + kinds[: number % 3]
        for name in order:
            body = {"email": f"{name}{number}@reader.example", "form": service.form()}
            began = time.process_time()
            assert service.post("/sign-up", **body).status == 200
            took[name].append(time.process_time() - began)

    likely = {name: rank_sum_p(took["new"], took[name]) for name in kinds[1:]}
    assert all(chance > 0.01 for chance in likely.values()), likely


def test_what_the_database_is_asked_for_is_the_same_for_every_address(service: Service) -> None:
    everybody(service)
    asked: list[list[str]] = []

    def note(*about: object) -> None:
        asked[-1].append(str(about[2]))

    event.listen(service.engine, "before_cursor_execute", note)
    for name in KNOWN:
        asked.append([])
        asks(service, f"{name}@reader.example")

    assert all(one == asked[0] for one in asked)
    assert not any("subscri" in statement or "suppress" in statement for statement in asked[0])


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_requests_for_one_address_are_one_mail(service: Service) -> None:
    with_settings(service, per_network=5000, per_hour=5000, per_day=5000)
    for _ in range(100 if SAMPLES < 2000 else 1000):
        assert asks(service).status == 200
    letters: list[tuple[str, str]] = []
    for _ in range(30):
        letters += answered(service)

    assert letters == [(Kind.CONFIRMATION, ANN)]


def test_an_address_gets_one_mail_a_day_and_three_a_month_whoever_asks(service: Service) -> None:
    sent = []
    for hour in range(0, 24 * 40, 12):
        service.now = NOW + timedelta(hours=hour)
        assert asks(service).status == 200
        sent += [hour // 24 for _ in answered(service)]

    assert sent == [0, 1, 2, 30, 31, 32]


def test_one_network_has_its_share_and_everybody_together_a_budget(service: Service) -> None:
    with_settings(service, per_network=3, per_hour=5, per_day=6)

    def visitor(address: str) -> int:
        body = f"email=r{requests(service)}@reader.example&form={service.form()}".encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address}
        answer = service.ask("POST", "/sign-up", body, kind)
        assert ("retry-after" in answer.headers) == (answer.status == 429)
        return answer.status

    assert [visitor(f"192.0.2.{host}") for host in range(4)] == [200, 200, 200, 429]
    assert [visitor(f"2001:db8:0:1::{host}") for host in range(4)] == [200, 200, 429, 429], (
        "the hour's budget is used up"
    )
    service.now += timedelta(hours=1, seconds=1)
    assert [visitor("198.51.100.7") for _ in range(2)] == [200, 429], "and so is the day's"
    assert requests(service) == 6, "what is refused is not kept, so the table cannot grow beyond the budget"


def test_processes_share_the_limits(engine: Engine, tmp_path: Path) -> None:
    """As two of them do that count in the same moment."""
    limits = replace(configuration(tmp_path), sign_up=SignUp(per_network=3))
    words = signup.Words("agreed")

    def ask(number: int) -> signup.Admission:
        key = f"{number:064}"
        wanted = signups.Request(Wish.SUBSCRIBE, "a@b.example", key, key, "n", "economy", (), {})
        return signup.ask(limits, engine, wanted, words, NOW)

    with ThreadPoolExecutor(8) as pool:
        verdicts = Counter(pool.map(ask, range(24)))

    assert verdicts == {signup.Admission.TAKEN: 3, signup.Admission.NETWORK_BUSY: 21}


def test_a_form_sent_twice_is_one_request(service: Service) -> None:
    form = service.form()

    pages = [service.post("/sign-up", email=ANN, form=form) for _ in range(3)]

    assert len({(page.status, page.text) for page in pages}) == 1
    assert requests(service) == 1


@pytest.mark.parametrize("seconds", [-5, 0, 2, 60 * 60 * 24 + 1])
def test_a_form_that_nobody_can_have_filled_in_is_shown_again(service: Service, seconds: int) -> None:
    answer = asks(service, form=service.links.form(service.now - timedelta(seconds=seconds)))

    assert answer.status == 422
    [problem] = answer.page.xpath("//*[@role='alert']")
    assert "press the button once again" in problem.text_content()
    [again] = answer.page.xpath("//input[@name='form']/@value")
    assert answer.page.xpath("//input[@name='email']/@value") == [ANN]
    service.now += timedelta(seconds=4)
    assert asks(service, form=again).status == 200


@pytest.mark.parametrize("form", ["", "x", "a.b", "%00", "WzE3NzA3MDMyMDAsImEiXQ.AAAA"])
def test_a_form_that_is_none_of_ours_is_not_taken(service: Service, form: str) -> None:
    assert asks(service, form=form).status == 422
    assert requests(service) == 0


def test_a_machine_that_fills_every_field_sees_the_same_page_and_nobody_is_mailed(service: Service) -> None:
    person, machine = asks(service), asks(service, website="https://spam.example")

    assert (machine.status, machine.text) == (person.status, person.text)
    assert requests(service) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "ann@localhost@reader.example",
        "ann@reader.example, evil@spam.example",
        "ann@reader.example\r\nBcc: evil@spam.example",
        "ann\0@reader.example",
        "=?utf-8?q?ann?=@reader.example",
        "<ann@reader.example>",
        "Ann <ann@reader.example>",
        '"ann smith"@reader.example',
        "ann(comment)@reader.example",
        "ann@[192.0.2.1]",
        "x" * 65 + "@reader.example",
        "ann@" + "reader." * 40 + "example",
        "mıke@reader.example",
        "digest@localhost",
    ],
)
def test_what_is_no_address_of_one_person_is_refused(service: Service, address: str) -> None:
    answer = asks(service, address)

    assert answer.status == 422
    assert "check the address" in answer.words
    assert requests(service) == 0


@pytest.mark.parametrize("address", ["postmaster@reader.example", "Abuse@reader.example", "all+x@reader.example"])
def test_role_accounts_are_refused_unless_the_operator_lets_them(service: Service, address: str) -> None:
    assert asks(service, address).status == 422
    with_settings(service, role_accounts=True)
    assert asks(service, address).status == 200


def test_where_the_form_is_closed_nobody_signs_up(service: Service) -> None:
    with_settings(service, open=False)

    assert not service.get("/").page.xpath("//form")
    assert "write to" in service.get("/").words
    assert asks(service).status == 403
    assert requests(service) == 0


def test_nothing_a_visitor_writes_stands_in_the_mail(service: Service) -> None:
    spam = "buy-at-spam-example"
    asks(service, name=spam, message=spam, digest=spam, topic=[spam, "trade"], **{spam: spam})
    signup.answer(service.config, service.engine, service.now)
    asyncio.run(post_orders(service.config, service.engine, lambda: service.now))

    [mail] = service.config.outbox.glob("*.eml")
    assert spam not in mail.read_text()
    assert spam not in str(service.everything())


def test_headers_without_end_are_refused(service: Service) -> None:
    assert service.get("/", Cookie="x" * 17_000).status == 431
    assert service.get("/", Cookie="x" * 8000).status == 200


# ── proof of work ────────────────────────────────────────────────────────────────────────────────────────────────


def worked(form: str, address: str) -> str:
    return next(str(number) for number in itertools.count() if proof.holds(form, address, str(number)))


def test_with_the_switch_on_a_form_is_taken_only_with_its_work_done_for_that_address(service: Service) -> None:
    with_settings(service, proof_of_work=True)
    form = service.form()
    done = worked(form, ANN)

    for number in ("", "x", "-1", "9" * 30, "٣", str(int(done) - 1)):
        assert asks(service, form=form, proof=number).status == 422
    assert asks(service, "bob@reader.example", form=form, proof=done).status == 422
    assert asks(service, form=form, proof=done).status == 200
    assert requests(service) == 1


def test_the_script_is_our_own_and_allowed_only_where_the_switch_is_on(service: Service) -> None:
    assert "script-src" not in service.get("/").headers["content-security-policy"]
    with_settings(service, proof_of_work=True)

    for path in ("/", "/my-link"):
        answer = service.get(path)
        assert answer.page.xpath("//script/@src") == ["./proof.js"]
        assert answer.headers["content-security-policy"].endswith("; script-src 'self'")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "needs JavaScript" in answer.page.xpath("string(//noscript)")
    assert "script-src" not in service.get("/archive/economy").headers["content-security-policy"]
    assert service.get("/proof.js").headers["content-type"].startswith("text/javascript")
