"""A mail to one person who is named beforehand: an editor, an operator, a reader whose own affair it is (RFC 5322, 3834).

Unlike an edition it is not the same for many, so it is encoded whole; it is proved just the same.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from digest.config import Site
from digest.delivery import address as addresses
from digest.delivery import headers, mime
from digest.errors import BadAddress, RenderFault
from digest.model import Rendered


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to whom. It goes once: whoever sends a letter with the same `key` again sends nothing.

    One that goes to readers because they read, such as a correction, names the link with which they `unsubscribe`.
    """

    key: str
    to: str
    rendered: Rendered
    unsubscribe: str = ""


def message_id(letter: Letter, site: Site) -> str:
    """The same for every attempt at the letter."""
    digest = hashlib.sha256(f"{letter.key} {letter.to}".encode()).hexdigest()[:32]
    return f"<letter.{digest}@{headers.domain(site)}>"


def compiled(letter: Letter, site: Site, at: datetime) -> bytes:
    """The whole mail, dated `at`.

    Raises:
        BadAddress: the address could be read as something else.
        RenderFault: the finished mail would read differently from what was meant.
    """
    if reason := addresses.fault(letter.to):
        raise BadAddress(letter.to, f"{reason}.")
    subject = headers.subject(letter.rendered.subject, site)
    fields = {
        "To": letter.to,
        "Date": format_datetime(at),
        "Message-ID": message_id(letter, site),
        "From": headers.mailbox(headers.harmless(site.title), site.from_address),
        "Reply-To": site.contact,
        "Subject": headers.unstructured("Subject", subject),
        **_list_fields(letter),
        "Content-Language": letter.rendered.language,
        "MIME-Version": "1.0",
        "Content-Type": headers.TYPE,
    }
    body = b"".join(
        (
            "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode(),
            f"\r\n{headers.PART.format('plain')}".encode(),
            mime.encode(letter.rendered.text),
            f"\r\n{headers.PART.format('html')}".encode(),
            mime.encode(letter.rendered.html),
            f"\r\n--{headers.BOUNDARY}--\r\n".encode(),
        )
    )
    parsed = BytesParser(policy=policy.default).parsebytes(body)
    assert isinstance(parsed, EmailMessage)
    parts = [headers.canonical(part) for part in (letter.rendered.text, letter.rendered.html)]
    if (
        parsed.keys() != list(fields)
        or parsed["Subject"] != subject
        or [recipient.addr_spec for recipient in parsed["To"].addresses] != [letter.to]
        or [part.get_payload(decode=True) for part in parsed.iter_parts()] != parts
    ):
        raise RenderFault(f"The letter “{subject}” would not say what was meant.")
    return body


def _list_fields(letter: Letter) -> dict[str, str]:
    """What keeps machines from answering; for many readers also how to leave with one click (RFC 8058)."""
    if not letter.unsubscribe:
        return {"Auto-Submitted": "auto-generated"}
    return {
        "List-Unsubscribe": f"<{letter.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
    }
