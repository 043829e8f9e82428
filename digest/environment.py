"""The environment: secrets and addresses that hold one, each of which may instead stand in a file that `*_FILE` names."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from digest import signing
from digest.config import Mailbox, Relay, Security
from digest.errors import Fault

SHORTEST_SECRET = 16
FOLDER = re.compile(r"[ !#-\[\]-~]+")
"""What the name of a mailbox's folder may hold."""


class Secrets:
    """Environment variables, each of which may instead name a file that holds the value."""

    def __init__(self, environment: Mapping[str, str], faults: list[Fault]) -> None:
        self._environment, self._faults = environment, faults

    def read(self, name: str) -> str:
        """The variable's value, the content of its `_FILE`, or an empty text."""
        if value := self._environment.get(name, "").strip():
            return value
        path = self._environment.get(f"{name}_FILE", "").strip()
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.fault(f"{name}_FILE", f"cannot be read: {error}")
            return ""

    def fault(self, name: str, message: str) -> None:
        """Note a fault of a variable, never with its value."""
        self._faults.append(Fault(Path("environment"), 0, f"{name} {message}"))


def shared(secrets: Secrets, name: str) -> tuple[str, ...]:
    """The keys of a variable, separated by commas."""
    keys = tuple(key.strip() for key in secrets.read(name).split(",") if key.strip())
    if any(len(key) < SHORTEST_SECRET for key in keys):
        secrets.fault(name, f"holds a key shorter than {SHORTEST_SECRET} characters; make a longer one")
    return keys


def mailbox(secrets: Secrets) -> Mailbox | None:
    """Where mail comes back to; None if nothing is said of it."""
    url = secrets.read("DIGEST_IMAP_URL")
    if not url:
        return None
    usual = {"imap": (Security.NONE, 143), "imap+starttls": (Security.STARTTLS, 143), "imaps": (Security.TLS, 993)}
    server = _server(url, usual)
    if not server or not server.user or not FOLDER.fullmatch(server.path or "INBOX"):
        secrets.fault("DIGEST_IMAP_URL", "should look like imaps://user:password@mail.example.org/INBOX")
        return None
    host, port, security, user, password, folder = server
    return Mailbox(host, port, security, user, password, folder or "INBOX")


def dkim_key(secrets: Secrets) -> str:
    """The keys that sign mail, in PEM; empty if it is not signed."""
    pem = secrets.read("DIGEST_DKIM_KEY")
    if pem:
        try:
            signing.read(pem)
        except signing.BadKey as error:
            secrets.fault("DIGEST_DKIM_KEY", f"{error}.")
    return pem


def relay(secrets: Secrets) -> Relay | None:
    """The server that takes our mail; None if none is named."""
    url = secrets.read("DIGEST_SMTP_URL")
    if not url:
        return None
    usual = {"smtp": (Security.NONE, 25), "smtp+starttls": (Security.STARTTLS, 587), "smtps": (Security.TLS, 465)}
    server = _server(url, usual)
    if not server:
        secrets.fault("DIGEST_SMTP_URL", "should look like smtp+starttls://user:password@relay.example.org:587")
        return None
    return Relay(server.host, server.port, server.security, server.user, server.password)


class _Server(NamedTuple):
    host: str
    port: int
    security: Security
    user: str
    password: str
    path: str


def _server(url: str, usual: Mapping[str, tuple[Security, int]]) -> _Server | None:
    """What an address says, which has one of the `usual` schemes; None if it makes no sense."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in usual:
        return None
    security, usual_port = usual[parts.scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return _Server(host, port or usual_port, security, user, password, unquote(parts.path.strip("/")))
