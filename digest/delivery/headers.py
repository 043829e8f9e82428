"""What all our mails have in common: headers that cannot say what was not meant, and the frame of the two parts."""

import re
import unicodedata
from email.header import Header, decode_header, make_header
from email.utils import getaddresses, quote

from digest.config import Site

# No quoted-printable text holds "=_", so the parts need not be searched for it (RFC 2045, section 6.7).
BOUNDARY = "=_next-part_="
TYPE = f'multipart/alternative; boundary="{BOUNDARY}"'
PART = f"--{BOUNDARY}\r\nContent-Type: text/{{}}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "quoted-printable"}
"""What a mail of one part has in place of `TYPE`."""

LONGEST_SUBJECT = 150
_FOLD, _LONGEST_WORD = 76, 60


def senders(raw: str) -> list[tuple[str, str]]:
    """The mailboxes of a From header by name and address.

    The newer parser of `email` keeps the blanks between the encoded words of a long name, against RFC 2047.
    """
    return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([raw])]


def canonical(text: str) -> bytes:
    """What a part must decode to."""
    return re.sub(r"\r\n|\r|\n", "\r\n", text).encode("utf-8", "replace")


def harmless(text: str) -> str:
    """One line in normal form without control characters, in which nothing can be taken for an encoded word (RFC 2047)."""
    printable = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    return unicodedata.normalize("NFC", " ".join(printable.split())).replace("=?", "= ?")


def subject(text: str, site: Site) -> str:
    """What a mail's subject says: the text, cut where it is too long for any list of mails; the site's title for none."""
    said = harmless(text) or harmless(site.title)
    if len(said) <= LONGEST_SUBJECT:
        return said
    whole, _, _ = said[:LONGEST_SUBJECT].rpartition(" ")
    return f"{(whole or said[: LONGEST_SUBJECT - 1]).rstrip()}…"


def mailbox(name: str, address: str) -> str:
    """A name with its address, folded where that is long."""
    if not name:
        return address
    phrase = f'"{quote(name)}"' if name.isascii() else unstructured("From", name)
    line = f"{phrase} <{address}>"
    return line if len("From: ") + len(line) <= _FOLD and "\n" not in line else f"{phrase}\r\n <{address}>"


def unstructured(header: str, text: str) -> str:
    """The text folded to `_FOLD` columns, in encoded words where it is not ASCII or where a word fills a line.

    The older `Header` is used since the policies of `email` write encoded words as long as the line, and RFC 2047
    allows 75 characters.
    """
    plain = text.isascii() and all(len(word) <= _LONGEST_WORD for word in text.split(" "))
    folded = Header(text, None if plain else "utf-8", maxlinelen=_FOLD, header_name=header)
    return folded.encode(linesep="\r\n")


def domain(site: Site) -> str:
    """The domain that we mail from, and that our Message-IDs and List-Ids are in."""
    return site.from_address.rpartition("@")[2]
