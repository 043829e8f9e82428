"""Reads one returned mail: RFC 3464 bounces, RFC 5965 complaints, and the two forms of bounces older than these. Pure.

It may take long and much memory over what somebody made for that, so it runs in a child (`reader`). What bounces and complaints
quote counts for nothing: a status is one only in the fields that exist for it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import BytesParser, HeaderParser

from digest.delivery.feedback import rules
from digest.delivery.feedback.report import LONGEST_ADDRESS, MOST_ADDRESSES, Kind, Report, plain
from digest.model import Severity

MOST_BYTES = 1024 * 1024
"""Of a longer mail only so much is read: what a bounce says comes before what it quotes."""
MOST_PARTS = 50

_RETURNED_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To")
_ADDRESS = re.compile(r"[^\s<>()\[\]\",;:@]+@[^\s<>()\[\]\",;:@]+")
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list"}
_DIAGNOSTIC = re.compile(r"smtp\s*;\s*(?:\d{3}[ -]\s*)?#?(?=[245]\.)", re.IGNORECASE)
_AUTOMATIC_PRECEDENCE = {"bulk", "junk", "list", "auto_reply"}
# The bounce format of qmail (QSBMF) begins with these words by definition.
_QMAIL = "hi. this is the"
# From the mildest on: where several recipients are reported on, such as those behind an alias, one that got it is enough.
_SEVERITIES = (Severity.TRANSIENT, Severity.POLICY, Severity.SOFT, Severity.HARD)


class TooMuch(Exception):
    """The mail has more parts than anybody needs to say that another mail came back."""


def read(mail: bytes) -> Report:
    """What a mail says.

    Raises:
        TooMuch: it has more than `MOST_PARTS` parts.
        RecursionError: its parts lie in one another deeper than anybody can read.
    """
    mail = mail[:MOST_BYTES]
    message = BytesParser().parsebytes(mail)
    if sum(1 for _ in _within(message, MOST_PARTS + 1, into_messages=True)) > MOST_PARTS:
        raise TooMuch
    parts = list(_within(message, MOST_PARTS))
    named = _field(message, "Message-ID")
    key = hashlib.sha256(named.encode() if named else mail).hexdigest()
    returned_to = [address for name in _RETURNED_TO for address in _addresses(message.get_all(name, []))]
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            return _complaint(_only_message(part), parts, returned_to, key)
    for part in parts:
        if part.get_content_type() in _STATUS_TYPES:
            return _delivery_status(_blocks(part), returned_to, key)
    kind, detail = _without_fields(message, parts)
    return Report(kind, _first(returned_to), key, "", plain(detail))


def _complaint(fields: Message, parts: list[Message], returned_to: list[str], key: str) -> Report:
    """A complaint goes to whom we have named for it, so the return address stands in what it encloses."""
    enclosed = [_addresses(fields.get_all("Original-Mail-From", []))]
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            enclosed.append(_addresses(_only_message(part).get_all("Return-Path", [])))
        elif part.get_content_type() == "text/rfc822-headers":
            enclosed.append(_addresses(HeaderParser().parsestr(_text(part)).get_all("Return-Path", [])))
    addresses = _first([*returned_to, *(address for some in enclosed for address in some)])
    feedback = _field(fields, "Feedback-Type").lower()
    kind = Kind.COMPLAINT if feedback in _COMPLAINTS else Kind.NOTICE
    return Report(kind, addresses, key, "", plain(f"{feedback}, reported by {_field(fields, 'User-Agent')}"))


def _delivery_status(blocks: list[Message], returned_to: list[str], key: str) -> Report:
    said = [_recipient(block) for block in blocks if "Action" in block or "Status" in block]
    if not said:
        return Report(Kind.OTHER, _first(returned_to), key, "", "a delivery status about nobody")
    _, kind, status, detail = min(said, key=lambda one: one[0])
    return Report(kind, _first(returned_to), key, status, plain(detail))


def _recipient(block: Message) -> tuple[int, Kind, str, str]:
    """What is reported of one recipient; first, how bad it is."""
    action = _field(block, "Action").lower().partition(" ")[0]
    diagnostic = _field(block, "Diagnostic-Code")
    status = _status(_field(block, "Status"), diagnostic)
    detail = diagnostic.partition(";")[2] or diagnostic
    if action in {"delivered", "relayed", "expanded"} or status.startswith("2."):
        return 0, Kind.NOTICE, status, action
    if action == "delayed":
        return 1, Kind.DELAY, status, detail
    return 2 + _SEVERITIES.index(rules.severity(status)), Kind.BOUNCE, status, detail


def _status(stated: str, diagnostic: str) -> str:
    """The status; where it only says that something went wrong, as Exim's does, the one that the other server gave."""
    status = rules.status_in(stated)
    if not status or status.endswith(".0.0"):
        begins = _DIAGNOSTIC.match(diagnostic)
        given = rules.status_in(diagnostic[begins.end() :]) if begins else ""
        if given and given[0] == (status or given)[0]:
            return given
    return status


def _without_fields(message: Message, parts: list[Message]) -> tuple[Kind, str]:
    """What a mail is that is no report by its type."""
    if any(part.get_content_type() == "message/disposition-notification" for part in parts):
        return Kind.NOTICE, "a receipt"
    if message.get_content_type() == "multipart/report":
        return Kind.OTHER, "a report of a kind that nobody knows, or a broken one"
    if message["X-Failed-Recipients"]:
        return Kind.BOUNCE, "it came back without a code"
    texts = [part for part in parts if part.get_content_type() == "text/plain"]
    if texts and _text(texts[0]).lstrip().lower().startswith(_QMAIL):
        return Kind.BOUNCE, "it came back without a code"
    automatic = _field(message, "Auto-Submitted").lower().partition(";")[0].strip()
    precedence = _field(message, "Precedence").lower()
    if automatic not in {"", "no"} or precedence in _AUTOMATIC_PRECEDENCE or _names_an_autoreply(message):
        return Kind.AUTO_REPLY, ""
    return Kind.OTHER, ""


def _names_an_autoreply(message: Message) -> bool:
    return any(message[name] for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))


def _within(message: Message, most: int, *, into_messages: bool = False) -> Iterator[Message]:
    """A message and up to `most` of its parts, those of enclosed messages only on demand. It does not recurse."""
    waiting = [message]
    while waiting and most:
        part = waiting.pop()
        most -= 1
        yield part
        if part.is_multipart() and (into_messages or part.get_content_maintype() != "message"):
            inner = [one for one in part.get_payload() if isinstance(one, Message)]
            waiting += reversed(inner)


def _only_message(part: Message) -> Message:
    """The message in a part of a `message` type; an empty one where it has none."""
    payload = part.get_payload()
    return payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Message) else Message()


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery status. The parser of `email` knows one of the two types itself."""
    if part.get_content_type() == "message/delivery-status":
        payload = part.get_payload()
        return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
    first = _only_message(part)
    rest = first.get_payload()
    texts = re.split(r"\r?\n\s*\r?\n", rest) if isinstance(rest, str) else []
    return [first, *(HeaderParser().parsestr(text.strip()) for text in texts)]


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _field(message: Message, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _addresses(values: Iterable[object]) -> list[str]:
    return [address for value in values for address in _ADDRESS.findall(str(value)[: 4 * LONGEST_ADDRESS])]


def _first(addresses: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address[:LONGEST_ADDRESS] for address in addresses))[:MOST_ADDRESSES]
