"""The mailbox that mail comes back to, over IMAP (RFC 3501, 6851, 4315). Everything here blocks: it belongs into a thread."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from digest.config import Mailbox, Security
from digest.errors import MailboxTrouble

SECONDS = 30.0
"""For connecting, and for each answer."""


class Inbox:
    """An open folder. A mail is known by its number in it, which is no other mail's."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server

    def waiting(self, most: int) -> list[int]:
        """The mails that nobody has looked at, the oldest first: neither deleted nor left for a person, who finds a flag."""
        found = [line for line in self._asked("SEARCH", "UNDELETED", "UNFLAGGED") if isinstance(line, bytes)]
        return [int(number) for line in found for number in line.split()][:most]

    def mail(self, number: int, most_bytes: int) -> bytes | None:
        """The first bytes of a mail; None where it is gone. That it was read is not noted."""
        for part in self._asked("FETCH", str(number), f"(BODY.PEEK[]<0.{most_bytes}>)"):
            if isinstance(part, tuple):
                return bytes(part[1])
        return None

    def remove(self, number: int, folder: str) -> None:
        """Move a mail to a folder, or delete it where none is named."""
        if folder and "MOVE" in self._server.capabilities:
            self._asked("MOVE", str(number), f'"{folder}"')
            return
        if folder:
            self._asked("COPY", str(number), f'"{folder}"')
        self._asked("STORE", str(number), "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._server.capabilities:
            self._asked("EXPUNGE", str(number))
        else:
            self._server.expunge()

    def leave_to_a_person(self, number: int) -> None:
        """Flag a mail, which is not looked at again then."""
        self._asked("STORE", str(number), "+FLAGS.SILENT", r"(\Flagged)")

    def _asked(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        status, answer = self._server.uid(command, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command} was answered {status}")
        return answer


@contextmanager
def opened(mailbox: Mailbox, *, tls: ssl.SSLContext | None = None, seconds: float = SECONDS) -> Iterator[Inbox]:
    """Log in and open the folder; say goodbye at the end.

    Raises:
        MailboxTrouble: the server does not answer, does not let us in, or breaks off inside the block.
    """
    try:
        server = _connect(mailbox, tls or ssl.create_default_context(), seconds)
        try:
            server.login(mailbox.user, mailbox.password)
            status, _ = server.select(f'"{mailbox.folder}"')
            if status != "OK":
                raise imaplib.IMAP4.error(f"there is no folder {mailbox.folder}")
            yield Inbox(server)
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxTrouble(f"{mailbox.host}:{mailbox.port}", _words(error)) from error


def _connect(mailbox: Mailbox, tls: ssl.SSLContext, seconds: float) -> imaplib.IMAP4:
    if mailbox.security is Security.TLS:
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=tls, timeout=seconds)
    server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=seconds)
    if mailbox.security is Security.STARTTLS:
        server.starttls(tls)
    return server


def _words(error: Exception) -> str:
    """What went wrong; imaplib gives what the server said as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("ascii", "replace") if isinstance(said, bytes) else str(error)
