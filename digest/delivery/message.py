"""A rendered edition as the bytes of a mail, encoded once and filled for each reader (RFC 5322, 2045, 2369, 8058).

A mail cannot say what we did not mean: "=?" in what feeds wrote is broken up before it meets a header, values with
line ends are refused, and each compiled mail is filled once, parsed again and compared with what was intended.
"""

import html
import re
from dataclasses import dataclass
from datetime import date, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from digest import language
from digest.config import Site
from digest.delivery import address as addresses
from digest.delivery import headers, mime
from digest.errors import BadAddress, RenderFault
from digest.links import Links, Purpose
from digest.model import Delivery, Edition, Mark, Rendered

SAMPLE_ADDRESS = "reader@example.org"

_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_URL = re.compile(r"https?://[!-;=?-~]+")


@dataclass(frozen=True, slots=True)
class Reader:
    """What differs from one reader's mail to the next: plain values, escaped where they are put in."""

    address: str
    message_id: str
    unsubscribe_url: str
    preferences_url: str
    feedback_url: str
    since_text: str

    def value(self, mark: Mark) -> str:
        """What stands in place of the mark."""
        match mark:
            case Mark.UNSUBSCRIBE:
                return self.unsubscribe_url
            case Mark.PREFERENCES:
                return self.preferences_url
            case Mark.FEEDBACK:
                return self.feedback_url
            case Mark.ADDRESS:
                return self.address
            case Mark.SINCE:
                return self.since_text


@dataclass(frozen=True, slots=True)
class CompiledMail:
    """One cut of an edition, encoded: the headers that all readers share, and both parts with their marks open."""

    edition: Edition
    headers: bytes
    text: tuple[bytes | Mark, ...]
    html: tuple[bytes | Mark, ...]

    def fill(self, reader: Reader, at: datetime) -> bytes:
        """The whole mail for one reader, dated `at`. No line of it begins with a dot; it ends with a line end.

        Raises:
            BadAddress: the reader's address could be read as something else.
            RenderFault: a link or Message-ID could be.
        """
        plain = {mark: mime.encode(reader.value(mark)) for mark in Mark}
        escaped = {mark: mime.encode(html.escape(reader.value(mark))) for mark in Mark}
        return b"".join(
            (
                _own_headers(reader, at).encode(),
                self.headers,
                *(stretch if isinstance(stretch, bytes) else plain[stretch] for stretch in self.text),
                f"\r\n{headers.PART.format('html')}".encode(),
                *(stretch if isinstance(stretch, bytes) else escaped[stretch] for stretch in self.html),
                f"\r\n--{headers.BOUNDARY}--\r\n".encode(),
            )
        )


def message_id(edition: Edition, subscriber_id: int, site: Site) -> str:
    """The same for every attempt at this edition for this subscriber, so that a second copy is known as one."""
    return f"<{edition.digest}.{edition.date.isoformat()}.{subscriber_id}@{headers.domain(site)}>"


def reader_of(delivery: Delivery, edition: Edition, site: Site, links: Links) -> Reader:
    """The reader whom a delivery is for."""
    return Reader(
        address=delivery.address,
        message_id=message_id(edition, delivery.subscriber_id, site),
        unsubscribe_url=links.signed(Purpose.UNSUBSCRIBE, delivery.subscription_id, delivery.version),
        preferences_url=links.signed(Purpose.PREFERENCES, delivery.subscription_id, delivery.version),
        feedback_url=links.feedback(edition.id, delivery.subscription_id, delivery.version),
        since_text=_day(delivery.since.date(), site),
    )


def sample_reader(edition: Edition, site: Site, links: Links) -> Reader:
    """Nobody: a reader whose links are well signed for a subscription that does not exist."""
    return Reader(
        address=SAMPLE_ADDRESS,
        message_id=message_id(edition, 0, site),
        unsubscribe_url=links.signed(Purpose.UNSUBSCRIBE, 0, 1),
        preferences_url=links.signed(Purpose.PREFERENCES, 0, 1),
        feedback_url=links.feedback(edition.id, 0, 1),
        since_text=_day(edition.date, site),
    )


def filled(text: str, reader: Reader) -> str:
    """The text with its marks replaced by the reader's values as they are."""
    for mark in Mark:
        text = text.replace(mark, reader.value(mark))
    return text


def compile_edition(rendered: Rendered, edition: Edition, site: Site, links: Links) -> CompiledMail:
    """Encode a rendered cut, and prove on a sample that the bytes say what was meant.

    Raises:
        RenderFault: a part is empty or lets nobody unsubscribe, an address in `site` cannot stand in a header, or the
            finished mail reads differently from what was intended.
    """
    for name, part in (("text", rendered.text), ("HTML", rendered.html)):
        if Mark.UNSUBSCRIBE not in part:
            raise RenderFault(f"The {name} part of {_name(edition)} has no place for the unsubscribe link.")
    for key in ("from_address", "contact"):
        address = getattr(site, key)
        if (reason := addresses.fault(address)) or not address.isascii():
            raise RenderFault(f"site.{key} {address!r} cannot stand in a mail: {reason or 'it is not ASCII'}.")
    common = _common_headers(rendered.subject, edition, site)
    mail = CompiledMail(
        edition=edition,
        headers="".join(
            (*(f"{name}: {value}\r\n" for name, value in common.items()), "\r\n", headers.PART.format("plain"))
        ).encode("ascii"),
        text=mime.cut(rendered.text),
        html=mime.cut(rendered.html),
    )
    _prove(mail, rendered, site, sample_reader(edition, site, links))
    return mail


def _own_headers(reader: Reader, at: datetime) -> str:
    if reason := addresses.fault(reader.address):
        raise BadAddress(reader.address, f"{reason}.")
    if not _MESSAGE_ID.fullmatch(reader.message_id):
        raise RenderFault(f"{reader.message_id!r} cannot be a Message-ID.")
    if not _URL.fullmatch(reader.unsubscribe_url) or "=?" in reader.unsubscribe_url:
        raise RenderFault(f"{reader.unsubscribe_url!r} cannot stand in List-Unsubscribe.")
    return (
        f"To: {reader.address}\r\n"
        f"Date: {format_datetime(at)}\r\n"
        f"Message-ID: {reader.message_id}\r\n"
        f"List-Unsubscribe: <{reader.unsubscribe_url}>\r\n"
    )


def _common_headers(subject: str, edition: Edition, site: Site) -> dict[str, str]:
    domain = headers.domain(site)
    return {
        "From": headers.mailbox(headers.harmless(site.title), site.from_address),
        "Reply-To": site.contact,
        "Subject": headers.unstructured("Subject", headers.harmless(subject)),
        "List-Id": f"<{edition.digest}.{domain}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
        "Feedback-ID": f"{edition.date:%Y%m%d}:{edition.digest}:edition:{domain}",
        "Content-Language": site.locale.replace("_", "-"),
        "MIME-Version": "1.0",
        "Content-Type": headers.TYPE,
    }


def _prove(mail: CompiledMail, rendered: Rendered, site: Site, reader: Reader) -> None:
    """Parse the mail as a reader's program would, and compare.

    The header set is compared whole: a header that somebody smuggled in is one too many.
    """
    parsed = BytesParser(policy=policy.default).parsebytes(mail.fill(reader, mail.edition.window.end))
    assert isinstance(parsed, EmailMessage)
    escaped = Reader(*(html.escape(getattr(reader, name)) for name in Reader.__slots__))
    own = ["To", "Date", "Message-ID", "List-Unsubscribe"]
    found = {
        "headers": parsed.keys(),
        "sender": headers.senders(dict(parsed.raw_items())["From"]),
        "recipients": [recipient.addr_spec for recipient in parsed["To"].addresses],
        "subject": parsed["Subject"],
        "unsubscribe link": parsed["List-Unsubscribe"],
        "parts": [(part.get_content_type(), part.get_payload(decode=True)) for part in parsed.iter_parts()],
    }
    intended = {
        "headers": own + list(_common_headers(rendered.subject, mail.edition, site)),
        "sender": [(headers.harmless(site.title), site.from_address)],
        "recipients": [reader.address],
        "subject": headers.harmless(rendered.subject),
        "unsubscribe link": f"<{reader.unsubscribe_url}>",
        "parts": [
            ("text/plain", headers.canonical(filled(rendered.text, reader))),
            ("text/html", headers.canonical(filled(rendered.html, escaped))),
        ],
    }
    for what, value in intended.items():
        if found[what] != value:
            raise RenderFault(f"The mail of {_name(mail.edition)} would not have the {what} that was meant.")


def _day(day: date, site: Site) -> str:
    return language.without_words(site.locale).long_date(day)


def _name(edition: Edition) -> str:
    return f"{edition.digest} of {edition.date.isoformat()}"
