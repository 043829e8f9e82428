"""The service as it runs, for a browser that walks through it: its pages on a port, and a relay that remembers the mails."""

import email
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine

from digest.config import Config, Relay, SignUp
from digest.demo import servers
from digest.web import server
from tests.web.conftest import configuration


@dataclass
class Mailbox:
    """An SMTP server's memory."""

    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        assert [message["To"]] == envelope.rcpt_tos
        self.mails.append(message)
        return "250 2.0.0 kept"

    def last(self, address: str) -> EmailMessage:
        """The newest mail to an address."""
        return next(mail for mail in reversed(self.mails) if mail["To"] == address)


@contextmanager
def serving(
    home: Path, engine: Engine, mailbox: Mailbox, clock: Callable[[], datetime], sign_up: SignUp | None = None
) -> Iterator[Config]:
    """Pages and a relay until the end of the block; the configuration that they have."""
    with servers.smtp_server(mailbox) as relay, socket.create_server((servers.LOOPBACK, 0)) as listener:
        plain = configuration(home)
        config = replace(
            plain,
            relay=Relay(servers.LOOPBACK, relay),
            site=replace(plain.site, base_url=f"http://{servers.LOOPBACK}:{listener.getsockname()[1]}"),
            sign_up=sign_up or plain.sign_up,
        )
        running = server.build(lambda: config, engine, clock)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        yield config
        running.should_exit = True
        thread.join()
