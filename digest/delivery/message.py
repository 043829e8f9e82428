"""A rendered edition as the bytes of a mail, encoded once and filled for each reader (RFC 5322, 2045, 2369, 8058).

A mail cannot say what we did not mean: "=?" in what feeds wrote is broken up before it meets a header, values with
line ends are refused, and each compiled mail is filled once, parsed again and compared with what was intended.
"""

import html
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from digest import language
from digest.config import Site
from digest.delivery import address as addresses
from digest.delivery import headers, mime
from digest.errors import BadAddress, RenderFault
from digest.links import Links
from digest.model import Delivery, Edition, Mark, Rendered, Subscription

SAMPLE_ADDRESS = "reader@example.org"

_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_URL = re.compile(r"https?://[!-;=?-~]+")


class Reader(NamedTuple):
    """What differs from one reader's mail to the next: plain values, escaped where they are put in.

    After the Message-ID come those that have a mark, in the order of `Mark`.
    """

    message_id: str
    unsubscribe_url: str
    preferences_url: str
    feedback_url: str
    address: str
    since_text: str

    def values(self) -> tuple[str, ...]:
        """What stands in place of each mark, in the order of `Mark`."""
        return self[1:]

    def escaped(self) -> "Reader":
        """The same reader inside HTML."""
        return Reader(*map(html.escape, self))


@dataclass(frozen=True, slots=True)
class CompiledMail:
    """One cut of an edition in a language, encoded, with its marks open.

    `pieces` are all of a mail in order, with nothing in the places that are a reader's own: those of plain values, and
    those inside HTML. Each of these has the number of the mark that belongs there. `text_head` begins the mail of who wants the
    text alone, which then has the pieces from the second up to `text_end`.
    """

    edition: Edition
    language: str
    pieces: tuple[bytes, ...]
    plain: tuple[tuple[int, int], ...]
    escaped: tuple[tuple[int, int], ...]
    text_head: bytes
    text_end: int

    def fill(self, reader: Reader, at: datetime, *, text_only: bool = False) -> bytes:
        """The whole mail for one reader, dated `at`. No line of it begins with a dot; it ends with a line end.

        Raises:
            BadAddress: the reader's address could be read as something else.
            RenderFault: a link or Message-ID could be.
        """
        own = _own_headers(reader, at).encode()
        pieces = [own, self.text_head, *self.pieces[1 : self.text_end]] if text_only else [own, *self.pieces]
        values = reader.values()
        encoded = mime.encode_each(values)
        for place, number in self.plain:
            pieces[place] = encoded[number]
        if text_only:
            return b"".join((*pieces, b"\r\n"))
        together = " ".join(values)
        if html.escape(together) != together:
            encoded = mime.encode_each(reader.escaped().values())
        for place, number in self.escaped:
            pieces[place] = encoded[number]
        return b"".join(pieces)


def message_id(edition: Edition, subscriber_id: int, site: Site) -> str:
    """The same for every attempt at this edition for this subscriber, so that a second copy is known as one."""
    return f"<{edition.digest}.{edition.date.isoformat()}.{subscriber_id}@{headers.domain(site)}>"


def reader_of(delivery: Delivery, edition: Edition, site: Site, links: Links, language: str) -> Reader:
    """The reader whom a delivery is for, whose mail is in that language."""
    return Reader(
        message_id(edition, delivery.subscriber_id, site),
        *links.of_reader(edition.id, delivery.subscription_id, delivery.version),
        delivery.address,
        _long_date(delivery.since.date(), language),
    )


def reader_with(subscription: Subscription, edition: Edition, links: Links, language: str) -> Reader:
    """The reader of a letter about an edition, who has this subscription, and whose letter is in that language."""
    return Reader(
        "",
        *links.of_reader(edition.id, subscription.id, subscription.version),
        subscription.address,
        _long_date(subscription.since.date(), language) if subscription.since else "",
    )


def sample_reader(edition: Edition, site: Site, links: Links, language: str = "") -> Reader:
    """Nobody: a reader whose links are well signed for a subscription that does not exist; in the site's language, or another."""
    return Reader(
        message_id(edition, 0, site),
        *links.of_reader(edition.id, 0, 1),
        SAMPLE_ADDRESS,
        _long_date(edition.date, language or site.locale),
    )


def filled(text: str, reader: Reader) -> str:
    """The text with its marks replaced by the reader's values as they are."""
    for mark, value in zip(Mark, reader.values(), strict=True):
        text = text.replace(mark, value)
    return text


def filled_for(rendered: Rendered, reader: Reader) -> Rendered:
    """A mail for one reader, as texts: each mark replaced by the reader's value, which is escaped inside HTML."""
    return replace(rendered, text=filled(rendered.text, reader), html=filled(rendered.html, reader.escaped()))


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
    common = _common_headers(rendered, edition, site)
    head = "".join((*(f"{name}: {value}\r\n" for name, value in common.items()), "\r\n", headers.PART.format("plain")))
    text_head = "".join(f"{name}: {value}\r\n" for name, value in (common | headers.PLAIN).items()) + "\r\n"
    text, between = mime.cut(rendered.text), f"\r\n{headers.PART.format('html')}".encode()
    end = f"\r\n--{headers.BOUNDARY}--\r\n".encode()
    stretches = (head.encode("ascii"), *text, between, *mime.cut(rendered.html), end)
    numbers = {mark: number for number, mark in enumerate(Mark)}
    places = [(place, numbers[one]) for place, one in enumerate(stretches, start=1) if isinstance(one, Mark)]
    mail = CompiledMail(
        edition=edition,
        language=rendered.language,
        pieces=tuple(b"" if isinstance(one, Mark) else one for one in stretches),
        plain=tuple(place for place in places if place[0] <= len(text) + 1),
        escaped=tuple(place for place in places if place[0] > len(text) + 1),
        text_head=text_head.encode("ascii"),
        text_end=len(text) + 1,
    )
    for text_only in (False, True):
        _prove(mail, rendered, site, sample_reader(edition, site, links, mail.language), text_only=text_only)
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
        f"Date: {_date(int(at.timestamp()))}\r\n"
        f"Message-ID: {reader.message_id}\r\n"
        f"List-Unsubscribe: <{reader.unsubscribe_url}>\r\n"
    )


def _common_headers(rendered: Rendered, edition: Edition, site: Site) -> dict[str, str]:
    domain = headers.domain(site)
    return {
        "From": headers.mailbox(headers.harmless(site.title), site.from_address),
        "Reply-To": site.contact,
        "Subject": headers.unstructured("Subject", headers.subject(rendered.subject, site)),
        "List-Id": f"<{edition.digest}.{domain}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
        "Feedback-ID": f"{edition.date:%Y%m%d}:{edition.digest}:edition:{domain}",
        "Content-Language": rendered.language,
        "MIME-Version": "1.0",
        "Content-Type": headers.TYPE,
    }


def _prove(mail: CompiledMail, rendered: Rendered, site: Site, reader: Reader, *, text_only: bool) -> None:
    """Parse the mail as a reader's program would, and compare.

    The header set is compared whole: a header that somebody smuggled in is one too many.
    """
    parsed = BytesParser(policy=policy.default).parsebytes(
        mail.fill(reader, mail.edition.window.end, text_only=text_only)
    )
    assert isinstance(parsed, EmailMessage)
    own = ["To", "Date", "Message-ID", "List-Unsubscribe"]
    found = {
        "headers": parsed.keys(),
        "sender": headers.senders(dict(parsed.raw_items())["From"]),
        "recipients": [recipient.addr_spec for recipient in parsed["To"].addresses],
        "subject": parsed["Subject"],
        "unsubscribe link": parsed["List-Unsubscribe"],
        "parts": [
            (part.get_content_type(), part.get_payload(decode=True))
            for part in ([parsed] if text_only else parsed.iter_parts())
        ],
    }
    common = _common_headers(rendered, mail.edition, site) | (headers.PLAIN if text_only else {})
    text = headers.canonical(filled(rendered.text, reader))
    parts = [("text/plain", text), ("text/html", headers.canonical(filled(rendered.html, reader.escaped())))]
    intended = {
        "headers": own + list(common),
        "sender": [(headers.harmless(site.title), site.from_address)],
        "recipients": [reader.address],
        "subject": headers.subject(rendered.subject, site),
        "unsubscribe link": f"<{reader.unsubscribe_url}>",
        "parts": [("text/plain", text + b"\r\n")] if text_only else parts,
    }
    for what, value in intended.items():
        if found[what] != value:
            raise RenderFault(f"The mail of {_name(mail.edition)} would not have the {what} that was meant.")


@lru_cache(maxsize=16)
def _date(second: int) -> str:
    """Many mails are dated in the same second."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


@lru_cache(maxsize=8192)
def _long_date(day: date, locale: str) -> str:
    """Many readers came on the same day, and writing it takes longer than all the rest of a mail."""
    return _language(locale).long_date(day)


@lru_cache(maxsize=16)
def _language(locale: str) -> language.Language:
    """Reading what a locale is takes as long as writing a date in it."""
    return language.without_words(locale)


def _name(edition: Edition) -> str:
    return f"{edition.digest} of {edition.date.isoformat()}"
