"""Signatures by which a receiver knows that a mail is ours and has not been altered (DKIM: RFC 6376, 8463).

Relaxed in headers and body, never of a part of the body only. What is signed are the bytes that go out: nothing may
change them afterwards. It is our own signer, since a well-kept library takes ten times as long for each mail.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from digest import signing
from digest.config import Config
from digest.errors import MissingSecret
from digest.signing import Key

SIGNED = (
    *("From", "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"),
    *("Content-Transfer-Encoding", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
)
"""The headers that are signed. One that a mail lacks cannot be added to it later, nor can a second From."""

_FOLD = 72
_FOLDING = "\r\n\t "
_NAMES = re.sub(r"(.{1,60}:)", rf"\1{_FOLDING}", ":".join(SIGNED))

Sign = Callable[[bytes, datetime], bytes]
"""Gives back a mail, dated at a moment, as it is to be sent."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs: a key, and the place where the DNS holds its other half."""

    domain: str
    selector: str
    key: Key

    @property
    def name(self) -> str:
        """The name of the DNS record."""
        return f"{self.selector}._domainkey.{self.domain}"

    def header(self, headers: bytes, body_hash: str, at: datetime) -> bytes:
        """The header over other headers in their relaxed form."""
        text = (
            f"v=1; a={self.key.algorithm}; c=relaxed/relaxed;\r\n"
            f"\td={self.domain}; s={self.selector}; t={int(at.timestamp())};\r\n"
            f"\tbh={body_hash};\r\n\th={_NAMES};\r\n\tb="
        )
        own = b"dkim-signature:" + b" ".join(text.encode().split())
        signature = base64.b64encode(self.key.sign(headers + own)).decode()
        lines = (signature[start : start + _FOLD] for start in range(0, len(signature), _FOLD))
        return f"DKIM-Signature: {text}{_FOLDING.join(lines)}\r\n".encode()


def signatures(config: Config) -> tuple[Signature, ...]:
    """Whose signatures a mail gets; none without a selector.

    A second key, of Ed25519, has a selector of its own, since a DNS record holds one key.

    Raises:
        MissingSecret: mail is to be signed and there is no key.
    """
    dkim = config.dkim
    if not dkim.selector:
        return ()
    if not config.dkim_key:
        raise MissingSecret("DIGEST_DKIM_KEY", "[dkim] in digest.toml says that mail is to be signed.")
    domain = dkim.domain or config.site.from_address.rpartition("@")[2]
    rsa_or_only, *ed25519 = signing.read(config.dkim_key)
    first = Signature(domain, dkim.selector, rsa_or_only)
    return (first, *(Signature(domain, f"{dkim.selector}-ed25519", key) for key in ed25519))


def signer(config: Config) -> Sign:
    """What signs every mail that goes out; without a selector it gives mails back as they are.

    Raises:
        MissingSecret: mail is to be signed and there is no key.
    """
    mine = signatures(config)

    def sign(mail: bytes, at: datetime) -> bytes:
        return signed(mail, mine, at)

    return sign


def signed(mail: bytes, mine: tuple[Signature, ...], at: datetime) -> bytes:
    """A mail with CRLF line ends, with the signatures above it."""
    if not mine:
        return mail
    head, _, body = mail.partition(b"\r\n\r\n")
    body_hash = base64.b64encode(hashlib.sha256(relaxed(body)).digest()).decode()
    headers = _relaxed_headers(head)
    return b"".join((*(one.header(headers, body_hash, at) for one in mine), mail))


def relaxed(body: bytes) -> bytes:
    """A body without the differences that relays make on the way (RFC 6376, section 3.4.4)."""
    # One expression for all of it takes three times as long.
    body = re.sub(rb"  +", b" ", body.replace(b"\t", b" "))
    body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n" if body else b""


def _relaxed_headers(head: bytes) -> bytes:
    """The signed headers in the order in which they are named, each name's last one first."""
    found: dict[bytes, list[bytes]] = {}
    for line in re.sub(rb"\r\n(?=[ \t])", b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        found.setdefault(name.rstrip(b" \t").lower(), []).append(b" ".join(re.split(rb"[ \t]+", value.strip(b" \t"))))
    names = (name.lower().encode() for name in SIGNED)
    return b"".join(name + b":" + found[name].pop() + b"\r\n" for name in names if found.get(name))
