"""Other programs report bounces and complaints, if they know the secret, and speak now."""

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine

from digest.store import engine as engines
from digest.web import guard
from digest.web.hooks import CLOSE, SIGNATURE, signed
from tests.conftest import NOW
from tests.delivery.feedback import mails
from tests.delivery.feedback.sent import edition, history, suppression, tagged, with_returns
from tests.web.conftest import Service, serve

Listening = tuple[uvicorn.Server, int]
SECRETS = ("the newest hook secret", "an older hook secret")


def signature(body: bytes, secret: str = SECRETS[0], at: timedelta = timedelta()) -> str:
    """As a caller makes it."""
    time = int((NOW + at).timestamp())
    return f"t={time},v1={hmac.new(secret.encode(), f'{time}.'.encode() + body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Hook:
    """A service with a webhook; one mail of it was sent, whose return address is `own`."""

    service: Service
    own: str

    @property
    def engine(self) -> Engine:
        return self.service.engine

    def post(self, body: bytes, signed: str, **headers: str) -> tuple[int, dict[str, Any]]:
        named = {SIGNATURE: signed, **{name.replace("_", "-"): value for name, value in headers.items()}}
        answer = self.service.ask("POST", "/hooks/bounce", body, named)
        return answer.status, json.loads(answer.text) if answer.text.startswith("{") else {}

    def report(self, **said: object) -> tuple[int, dict[str, Any]]:
        body = json.dumps(said).encode()
        return self.post(body, signature(body), Content_Type="application/json")


@pytest.fixture
def hook(listening: Listening, sqlite_engine: Engine, tmp_path: Path) -> Hook:
    config = replace(with_returns(tmp_path), hook_secrets=SECRETS)
    return Hook(serve(listening, config, sqlite_engine), tagged(config, sqlite_engine, edition(sqlite_engine, 1)))


def test_a_returned_mail_is_taken_in_as_it_is(hook: Hook) -> None:
    mail = mails.postfix(hook.own)
    status, said = hook.post(mail, signature(mail), Content_Type="message/rfc822")

    assert (status, said["fate"], said["suppressed"]) == (200, "applied", True)
    assert suppression(hook.engine)
    assert hook.post(mail, signature(mail, SECRETS[1]))[1]["fate"] == "known"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=00",
        "t=1,v1=" + "0" * 64,
        signature(b"another body"),
        signature(mails.qmail("x@y.example"), "somebody else's secret"),
        signature(mails.qmail("x@y.example"), at=CLOSE + timedelta(seconds=1)),
        signature(mails.qmail("x@y.example"), at=-CLOSE - timedelta(seconds=1)),
        signature(mails.qmail("x@y.example")).upper(),
    ],
)
def test_who_does_not_know_the_secret_or_repeats_what_was_said_before_is_refused(hook: Hook, header: str) -> None:
    status, said = hook.post(mails.qmail("x@y.example"), header)

    assert (status, set(said)) == (401, {"error"})
    assert len(history(hook.engine)) == 1


def test_a_signature_holds_for_its_time_and_body_only() -> None:
    header = signature(b"body")

    assert signed(header, b"body", SECRETS, NOW + CLOSE)
    assert not signed(header, b"body!", SECRETS, NOW)
    assert not signed(header.replace("t=", "t=1"), b"body", SECRETS, NOW)
    assert not signed(header, b"body", (), NOW)


def test_the_same_can_be_said_in_json(hook: Hook) -> None:
    status, said = hook.report(type="bounce", return_path=hook.own, id="evt-1", status="5.1.1", detail="gone")
    again = hook.report(type="bounce", return_path=hook.own, id="evt-1", status="5.1.1", detail="gone")
    later = hook.report(type="complaint", return_path=hook.own, id="evt-2")

    assert (status, said["severity"], said["suppressed"]) == (200, "hard", True)
    assert (again[0], again[1]["fate"]) == (200, "known")
    assert later[1]["severity"] == "complaint"
    assert history(hook.engine)[-2].detail == "5.1.1 gone"


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, "type"),
        ({"type": "open", "return_path": "x", "id": "1"}, "type"),
        ({"type": "bounce", "id": "1"}, "return_path"),
        ({"type": "bounce", "return_path": "x"}, "id"),
        ({"type": "bounce", "return_path": "x", "id": 1}, "texts"),
        ({"type": "bounce", "return_path": "x", "id": "1", "status": "550"}, "status"),
    ],
)
def test_json_that_does_not_say_what_it_should_is_answered_with_what_is_missing(
    hook: Hook, said: dict[str, object], wrong: str
) -> None:
    status, answer = hook.report(**said)

    assert status == 422
    assert wrong in answer["error"]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_is_answered_so(hook: Hook, body: bytes) -> None:
    status, _ = hook.post(body, signature(body), Content_Type="application/json")

    assert status == 422


def test_a_report_about_an_address_that_we_did_not_make_changes_nothing(hook: Hook) -> None:
    status, said = hook.report(type="bounce", return_path=hook.own.replace("+1.", "+2."), id="1", status="5.1.1")

    assert (status, said["fate"]) == (200, "forged")


def test_a_body_of_more_than_a_megabyte_is_refused_before_it_is_read(hook: Hook) -> None:
    large = mails.postfix(hook.own) + b"x" * 100_000

    assert hook.post(b"", signature(b""), Content_Length=str(guard.MOST_HOOK_BYTES + 1))[0] == 413
    assert hook.post(large, signature(large))[1]["fate"] == "applied"


def test_only_a_post_is_answered_and_without_a_secret_there_is_no_such_page(hook: Hook, listening: Listening) -> None:
    assert hook.service.get("/hooks/bounce").status == 405
    closed = Hook(serve(listening, replace(hook.service.config, hook_secrets=()), hook.engine), hook.own)

    assert closed.post(b"", signature(b"", ""))[0] == 404


def test_without_the_database_the_caller_is_asked_to_come_again(
    hook: Hook, listening: Listening, tmp_path: Path
) -> None:
    nowhere = engines.connect(f"sqlite:///{tmp_path}/nowhere/digest.db")
    away = Hook(serve(listening, hook.service.config, nowhere), hook.own)
    body = mails.postfix(hook.own)

    assert away.post(body, signature(body))[0] == 503
