"""What leaves is signed as a receiver's own checker understands it, and no byte of it can be changed unnoticed."""

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import dkim as checker
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from digest import signing
from digest.config import Config, Dkim
from digest.delivery import deliver as verb
from digest.delivery import dkim
from digest.delivery.dkim import SIGNED, Signature
from digest.delivery.letter import Letter, compiled
from digest.delivery.post import post
from digest.errors import MissingSecret
from digest.model import Rendered
from digest.signing import BadKey
from tests.delivery.audience import NOW, SITE, configured, prepare, still
from tests.delivery.runs import published
from tests.delivery.sink import Sink
from tests.delivery.test_message import READER
from tests.delivery.test_message import compiled as edition_mail


def pem(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    lock: KeySerializationEncryption | None = None,
) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption()).decode()


RSA, ED25519 = pem(rsa.generate_private_key(65537, 2048)), pem(ed25519.Ed25519PrivateKey.generate())
SIGNATURES = {
    "rsa": Signature("news.example", "a", signing.read(RSA)[0]),
    "ed25519": Signature("news.example", "b", signing.read(ED25519)[0]),
}
MAIL = edition_mail().fill(READER, NOW)
LETTER = Letter("k", "ann@reader.example", Rendered("Grüße", "a  b\t \n\n\n", "<p>x </p>\n"))


class _VerifyKey:
    """Ed25519 as the checker asks for it, which has no such code of its own."""

    def __init__(self, public: bytes, encoder: object) -> None:
        self._public = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public))

    def verify(self, text: bytes, signature: bytes) -> None:
        self._public.verify(signature, text)


@pytest.fixture(autouse=True)
def _knows_ed25519(monkeypatch: pytest.MonkeyPatch) -> None:
    nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=_VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
    )
    monkeypatch.setattr(checker, "nacl", nacl, raising=False)


def holds(mail: bytes, index: int = 0, records: tuple[Signature, ...] = tuple(SIGNATURES.values())) -> bool:
    """Whether a receiver finds a signature of the mail right."""
    dns = {f"{one.name}.".encode(): one.key.record.encode() for one in records}
    signer = checker.DKIM(mail, minkey=2048)
    try:
        return bool(signer.verify(idx=index, dnsfunc=lambda name, timeout: dns.get(name)))
    except checker.ValidationError:
        return False


def signed_by(kind: str, mail: bytes = MAIL) -> bytes:
    return dkim.signed(mail, (SIGNATURES[kind],), NOW)


@pytest.mark.parametrize("kind", SIGNATURES)
@pytest.mark.parametrize("mail", [MAIL, compiled(LETTER, SITE, NOW)], ids=["edition", "letter"])
def test_a_receiver_finds_the_signature_right(kind: str, mail: bytes) -> None:
    made = signed_by(kind, mail)

    assert holds(made)
    assert made.endswith(mail)
    assert made.count(b"DKIM-Signature:") == 1
    assert all(len(line) <= 78 for line in made[: -len(mail)].split(b"\r\n"))
    assert b"\r\n." not in made[: -len(mail)]


@pytest.mark.parametrize("kind", SIGNATURES)
@pytest.mark.parametrize(
    ("what", "was", "becomes"),
    [
        ("the body", b"Rates hold", b"Rates fold"),
        ("the last line", b"--=_next-part_=--", b"--=_next-part_=-x"),
        ("List-Unsubscribe", b"<https://news.example/unsubscribe/", b"<https://evil.example/unsubscribe/"),
        ("List-Unsubscribe-Post", b"One-Click", b"Two-Click"),
        ("From", b"digest@news.example", b"digets@news.example"),
        ("To", b"To: reader@", b"To: writer@"),
        ("Subject", b"Subject: Rates", b"Subject: Gates"),
        ("a second From", b"Reply-To:", b"From: eve@evil.example\r\nReply-To:"),
        ("a second Subject", b"Reply-To:", b"Subject: x\r\nReply-To:"),
        ("the signature's time", b"t=17", b"t=18"),
    ],
)
def test_one_byte_changed_is_noticed(kind: str, what: str, was: bytes, becomes: bytes) -> None:
    made = signed_by(kind)
    changed = made.replace(was, becomes, 1)

    assert changed != made, what
    assert not holds(changed), what


def test_what_a_letter_lacks_cannot_be_added_to_it() -> None:
    made = signed_by("rsa", compiled(LETTER, SITE, NOW))

    for header in (b"List-Unsubscribe: <https://evil.example/>", b"List-Id: <x>", b"Content-Transfer-Encoding: 7bit"):
        assert not holds(made.replace(b"MIME-Version:", header + b"\r\nMIME-Version:", 1))


def test_what_relays_may_do_on_the_way_changes_nothing() -> None:
    made = signed_by("rsa")

    assert holds(b"Received: from a by b;\r\n\tTue, 10 Feb 2026 06:00:00 +0000\r\n" + made)
    assert holds(made.replace(b"Subject: Rates hold;", b"subject:   Rates\r\n hold;  "))
    assert holds(made + b"\r\n\r\n")


def test_the_headers_that_matter_are_named_and_no_length_is() -> None:
    fields = dict(
        part.strip().split("=", 1)
        for part in signed_by("rsa").partition(b"\r\nTo:")[0].decode().split(":", 1)[1].split(";")
    )
    named = [name.lower() for name in re.sub(r"\s", "", fields["h"]).split(":")]

    assert named == [name.lower() for name in SIGNED]
    assert named.count("from") == 2
    assert {"list-unsubscribe", "list-unsubscribe-post", "message-id", "date", "to", "subject", "list-id"} < set(named)
    assert (fields["c"], fields["a"], fields["d"], fields["t"]) == (
        "relaxed/relaxed", "rsa-sha256", "news.example", f"{int(NOW.timestamp())}",
    )  # fmt: skip
    assert "l" not in fields


def test_a_mail_may_have_a_signature_of_each_kind() -> None:
    config = signing_config(Path(), RSA + ED25519)
    mine = dkim.signatures(config)
    made = dkim.signer(config)(MAIL, NOW)

    assert [one.name for one in mine] == ["s1._domainkey.news.example", "s1-ed25519._domainkey.news.example"]
    assert [holds(made, index, mine) for index in (0, 1)] == [True, True]


def test_without_a_selector_mail_stays_as_it_is() -> None:
    assert dkim.signer(replace(configured(Path()), dkim_key=RSA))(MAIL, NOW) is MAIL


def test_a_selector_without_a_key_is_refused_before_anything_is_sent(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = signing_config(tmp_path, "")
    with pytest.raises(MissingSecret, match="DIGEST_DKIM_KEY_FILE"):
        asyncio.run(verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare))
    with pytest.raises(MissingSecret, match="DIGEST_DKIM_KEY_FILE"):
        asyncio.run(post(config, sqlite_engine, [LETTER], still(NOW)))


def signing_config(home: Path, key: str) -> Config:
    return replace(configured(home), dkim=Dkim(selector="s1"), dkim_key=key)


def test_editions_and_letters_arrive_with_a_signature_that_holds(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 3)
    sink = Sink()

    async def scenario() -> None:
        async with sink.serving():
            config = replace(signing_config(tmp_path, RSA), relay=sink.relay)
            await verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare)
            await post(config, sqlite_engine, [LETTER], still(NOW))

    asyncio.run(scenario())
    (mine,) = dkim.signatures(signing_config(tmp_path, RSA))
    assert len(sink.accepted) == 4
    assert all(holds(mail, 0, (mine,)) for _, mail in sink.accepted)


def test_what_goes_into_the_outbox_is_signed_as_it_would_leave(sqlite_engine: Engine, tmp_path: Path) -> None:
    published(sqlite_engine, 1)
    config = signing_config(tmp_path, ED25519)
    asyncio.run(verb.deliver(config, sqlite_engine, still(NOW), prepare=prepare))

    (file,) = (tmp_path / "outbox").iterdir()
    assert holds(file.read_bytes(), 0, dkim.signatures(config))


# ── against the checker's own forms ──────────────────────────────────────────────────────────────────────────────

_TEXTS = st.text(st.sampled_from(" \tab.=\r\n"), max_size=60).map(lambda text: re.sub(r"\r\n|\r|\n", "\r\n", text))


@given(_TEXTS)
def test_every_body_has_the_relaxed_form_that_a_checker_computes(body: str) -> None:
    assert dkim.relaxed(body.encode()) == expected(body.encode())


def expected(body: bytes) -> bytes:
    """The checker leaves a space behind the last line if that has no end."""
    canonical: bytes = Relaxed.canonicalize_body(body if body.endswith(b"\r\n") or not body else body + b"\r\n")
    return canonical


@given(st.lists(st.text(st.sampled_from(" \ta:é\u2009"), max_size=30), min_size=1, max_size=4), _TEXTS)
def test_whatever_headers_and_body_hold_the_signature_is_right(folds: list[str], body: str) -> None:
    subject = "x" + "\r\n ".join(f"{fold}y" for fold in folds)
    mail = f"From: a@news.example\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()

    assert holds(signed_by("rsa", mail))


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no private key in PEM"),
        ("MC4CAQAwBQYDK2VwBCIEIA==", "no private key in PEM"),
        (pem(rsa.generate_private_key(65537, 1024)), "an RSA key of 1024 bits; it should have 2048 to 4096"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")), "locked with a passphrase"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
        (ED25519 + ED25519, "two keys of one kind"),
    ],
)
def test_a_key_that_cannot_sign_mail_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadKey, match=reason):
        signing.read(text)


@pytest.mark.parametrize("spelling", [str, lambda key: key.replace("\n", "\\n"), lambda key: f"\n{key}\r\n"])
def test_a_key_may_be_written_as_environments_allow(spelling: Callable[[str], str]) -> None:
    (key,) = signing.read(spelling(RSA))

    assert key.algorithm == "rsa-sha256"
    assert key.record.startswith("v=DKIM1; k=rsa; p=MIIB")


def test_the_time_of_a_signature_is_that_of_the_mail() -> None:
    later = datetime(2026, 2, 10, 12, tzinfo=UTC)

    assert f"t={int(later.timestamp())};".encode() in dkim.signed(MAIL, (SIGNATURES["rsa"],), later)
