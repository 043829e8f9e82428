"""A thin SMTP client that always knows how far it got (RFC 5321, 2920, 3207, 4954).

smtplib raises the same exception for "never sent", "perhaps sent" and "certainly sent". Here trouble with the network
or the relay is never an exception but an `Outcome`, and the phase of the dialogue says whether anything can have been
sent. A connection on which anything unexpected happened is closed, never used again.
"""

import base64
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from digest.config import Relay, Security
from digest.delivery import address as addresses
from digest.delivery.wire import CLOSED, Broken, Closing, Reply, Wire
from digest.model import Accepted, NotSent, Outcome, Phase, Refused, Unconfirmed, Withdrawn

WITHDRAWN = "the ledger did not let it go"

_DONE, _GO_ON, _NOT_NOW, _NO = 200, 300, 400, 500
_ENVELOPE = ((Phase.MAIL, _DONE), (Phase.RCPT, _DONE), (Phase.DATA, _GO_ON))
"""What is said before a body, and the kind of reply that lets it go on."""
# "Bad sequence of commands": it says that the two of us do not understand each other, and nothing of the reader.
_OUT_OF_STEP = 503
# Security or policy (RFC 3463, section 3.8): it is us whom the relay refuses, and that can be mended.
_NOT_US = "5.7."
_QUEUED_AS = "queued as "
# Postfix "Ok: queued as X", Exim "OK id=X", and servers that say "Ok X" or "2.0.0 X Message accepted".
_REMOTE_ID = re.compile(
    r"queued as (\S+)|^(?:2\.\d+\.\d+ )?OK:? (?:id=)?(\S+)$|^2\.\d+\.\d+ (\S+) Message accepted", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds we wait: for a connection, for a reply, until the relay has taken the body, for the reply to the dot.

    The last is what RFC 5321, section 4.5.3.2.6, asks for: to stop waiting sooner makes duplicates.
    """

    connect: float = 30.0
    reply: float = 120.0
    body: float = 180.0
    dot: float = 600.0
    quit: float = 2.0


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends a message to whom: one recipient, whose address stands in no command unless `send` has looked at it."""

    sender: str
    recipient: str

    @property
    def commands(self) -> tuple[bytes, ...]:
        """MAIL, RCPT and DATA."""
        utf8 = b"" if self.recipient.isascii() else b" SMTPUTF8 BODY=8BITMIME"
        mail = b"MAIL FROM:<%b>%b\r\n" % (self.sender.encode(), utf8)
        return mail, b"RCPT TO:<%b>\r\n" % self.recipient.encode(), b"DATA\r\n"


class Connection:
    """A connection to the relay that is opened when it is first needed, and again when the relay has closed it.

    Use it in `async with`, which says goodbye at the end. One message at a time.
    """

    def __init__(self, relay: Relay, *, patience: Patience = PATIENCE, tls: ssl.SSLContext | None = None) -> None:
        self._relay, self._patience = relay, patience
        self._tls = tls or trust(relay)
        self._wire: Wire | None = None
        self._unused = False
        self._asked: Envelope | None = None
        self._phase = Phase.CONNECT

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> NotSent | None:
        """Connect, secure the connection and log in, unless that is done; what went wrong, or None."""
        if self._wire is not None:
            return None
        self._phase = Phase.CONNECT
        try:
            tls = None if self._relay.security is Security.STARTTLS else self._tls
            self._wire = wire = await Wire.connect(self._relay.host, self._relay.port, tls, self._patience.connect)
            _expect(await wire.reply(self._patience.reply), _DONE)
            self._phase = Phase.LOGIN
            await self._introduce(wire)
            if self._relay.security is Security.STARTTLS:
                await self._secure(wire)
                await self._introduce(wire)
            if self._relay.user:
                await self._log_in(wire)
        except Broken as broken:
            self._drop()
            return NotSent(self._phase, str(broken))
        except BaseException:
            self._drop()
            raise
        self._unused = True
        return None

    async def send(
        self, to: Envelope, body: bytes, offer: Callable[[], Awaitable[bool]], *, ahead: Envelope | None = None
    ) -> Outcome:
        """Send one message to one recipient.

        Args:
            to: who sends it to whom.
            body: the message, with CRLF line ends, the last one too, and no line that begins with a dot but for a second
                one (RFC 5321, section 4.5.2; see `stuffed`).
            offer: called once the relay has the whole body and nothing is missing but the final dot. Unless it says
                true the dot is not sent, and the connection is closed instead.
            ahead: whose message will most likely be sent next over this connection, as it will then be given. Where the
                relay allows it, its envelope goes out together with the dot (RFC 2920), which saves a round trip for each message.
        """
        if to is not self._asked and (reason := addresses.fault(to.recipient)):
            return Refused(Phase.RCPT, 0, reason, permanent=True)
        if ahead is not None and addresses.fault(ahead.recipient):
            ahead = None
        used_before = self._wire is not None and not self._unused
        outcome = await self._try(to, body, offer, ahead)
        if used_before and isinstance(outcome, NotSent) and outcome.phase is Phase.MAIL:
            # Relays close a connection between two messages when they have had enough of it.
            outcome = await self._try(to, body, offer, ahead)
        return outcome

    async def close(self) -> None:
        """Say QUIT and close. What the relay answers to that matters to nobody."""
        if self._wire is not None and not self._asked:
            with suppress(Broken):
                await self._wire.command("QUIT", self._patience.quit)
        self._drop()

    async def _try(
        self, to: Envelope, body: bytes, offer: Callable[[], Awaitable[bool]], ahead: Envelope | None
    ) -> Outcome:
        trouble = await self.open()
        if trouble or self._wire is None:
            return trouble or NotSent(Phase.CONNECT, CLOSED)
        if not to.recipient.isascii() and "SMTPUTF8" not in self._wire.offers:
            return Refused(Phase.RCPT, 0, "the relay takes no address beyond ASCII", permanent=True)
        self._unused = False
        try:
            refused = await self._envelope(self._wire, to)
            return refused or await self._content(self._wire, body, offer, ahead)
        except Closing as closing:
            self._drop()
            return NotSent(self._phase, str(closing))
        except Broken as broken:
            self._drop()
            return Unconfirmed(str(broken)) if self._phase is Phase.DOT else NotSent(self._phase, str(broken))
        except BaseException:
            self._drop()
            raise

    async def _envelope(self, wire: Wire, to: Envelope) -> Refused | None:
        """MAIL, RCPT and DATA, in one write where the relay allows it; the first refusal."""
        self._phase = Phase.MAIL
        if self._asked is not None and self._asked != to:
            await self._take_back(wire)
        at_once = "PIPELINING" in wire.offers
        commands = to.commands if self._asked is None else ()
        if at_once and commands:
            wire.write(b"".join(commands))
        self._asked = None
        for place, (phase, wanted) in enumerate(_ENVELOPE):
            self._phase = phase
            if not at_once:
                wire.write(commands[place])
            reply = wire.at_hand() if wire.replies else await wire.reply(self._patience.reply)
            if reply.hundred != wanted:
                refused = self._refused(reply)
                await self._start_over(wire, unread=len(_ENVELOPE) - 1 - place if at_once else 0)
                return refused
        return None

    async def _take_back(self, wire: Wire) -> None:
        """Another message comes than was said. One that has begun can only be ended by closing the connection."""
        self._asked = None
        said = [await wire.reply(self._patience.reply) for _ in _ENVELOPE]
        if any(reply.hundred == _GO_ON for reply in said):
            raise Broken(CLOSED)
        _expect(await wire.command("RSET", self._patience.reply), _DONE)

    async def _content(
        self, wire: Wire, body: bytes, offer: Callable[[], Awaitable[bool]], ahead: Envelope | None
    ) -> Outcome:
        """The body, the offer, the dot. A relay may refuse at any moment, so its answer is listened for all along."""
        self._phase = Phase.BODY
        wire.write(body)
        if wire.full:
            await wire.taken(self._patience.body)
        if not wire.answered and not await offer():
            self._drop()
            return Withdrawn(WITHDRAWN)
        if wire.answered:
            # A verdict on a body that has not ended: nothing was sent, and the dialogue is out of step.
            refused = self._refused(await wire.reply(self._patience.reply))
            self._drop()
            return refused
        self._phase = Phase.DOT
        if (
            ahead is not None
            and "PIPELINING" in wire.offers
            and (ahead.recipient.isascii() or "SMTPUTF8" in wire.offers)
        ):
            self._asked = ahead
            wire.write(b"".join((b".\r\n", *ahead.commands)))
        else:
            wire.write(b".\r\n")
        return await self._verdict(wire, await wire.reply(self._patience.dot))

    async def _verdict(self, wire: Wire, reply: Reply) -> Outcome:
        if reply.hundred == _DONE:
            return Accepted(_remote_id(reply.text))
        refused = self._refused(reply)
        # The next envelope, where it has been sent already, starts over as well as RSET does.
        if self._asked is None:
            await self._start_over(wire)
        return refused

    def _refused(self, reply: Reply) -> Refused:
        if reply.hundred not in {_NOT_NOW, _NO} or reply.code == _OUT_OF_STEP:
            raise Broken(f"an unexpected reply: {reply}")
        permanent = reply.hundred == _NO and not reply.text.startswith(_NOT_US)
        return Refused(self._phase, reply.code, reply.text, permanent=permanent)

    async def _start_over(self, wire: Wire, unread: int = 0) -> None:
        """After a refusal: read what was asked beforehand, and RSET. What goes wrong here changes no verdict."""
        with suppress(Broken):
            early = [await wire.reply(self._patience.reply) for _ in range(unread)]
            # A relay that wants a body for nobody might deliver an empty one, so it does not get the chance.
            if all(reply.hundred != _GO_ON for reply in early):
                _expect(await wire.command("RSET", self._patience.reply), _DONE)
                return
        self._drop()

    async def _introduce(self, wire: Wire) -> None:
        host = wire.own_host
        hello = await wire.command(f"EHLO [{'IPv6:' if ':' in host else ''}{host}]", self._patience.reply)
        _expect(hello, _DONE)
        offers = (line.upper().partition(" ") for line in hello.lines[1:])
        wire.offers = {keyword: parameters for keyword, _, parameters in offers}

    async def _secure(self, wire: Wire) -> None:
        if "STARTTLS" not in wire.offers or self._tls is None:
            raise Broken("it does not offer STARTTLS")
        _expect(await wire.command("STARTTLS", self._patience.reply), _DONE)
        await wire.encrypt(self._relay.host, self._tls, self._patience.connect)

    async def _log_in(self, wire: Wire) -> None:
        ways = wire.offers.get("AUTH", "").split()
        user, password = self._relay.user, self._relay.password
        if "PLAIN" in ways:
            reply = await wire.command(f"AUTH PLAIN {_base64(chr(0).join(('', user, password)))}", self._patience.reply)
        elif "LOGIN" in ways:
            reply = await wire.command("AUTH LOGIN", self._patience.reply)
            for secret in (user, password):
                _expect(reply, _GO_ON)
                reply = await wire.command(_base64(secret), self._patience.reply)
        else:
            raise Broken("it offers neither AUTH PLAIN nor AUTH LOGIN")
        _expect(reply, _DONE)

    def _drop(self) -> None:
        self._asked = None
        if self._wire is not None:
            self._wire.drop()
            self._wire = None


def trust(relay: Relay) -> ssl.SSLContext | None:
    """Whose certificates we trust; None for a relay that is spoken to in the clear. Made once for many connections."""
    return None if relay.security is Security.NONE else ssl.create_default_context()


async def probe(relay: Relay, *, patience: Patience = PATIENCE, tls: ssl.SSLContext | None = None) -> str | None:
    """Connect and log in without sending anything; a sentence on what went wrong, or None."""
    async with Connection(relay, patience=patience, tls=tls) as connection:
        trouble = await connection.open()
    return f"{trouble.reason}." if trouble else None


def _remote_id(reply: str) -> str:
    """Under what the relay has queued a message; empty where it does not say."""
    named = reply.rpartition(_QUEUED_AS)[2] if _QUEUED_AS in reply else ""
    if named and " " not in named:
        return named
    found = _REMOTE_ID.search(reply)
    return next((group for group in found.groups() if group), "") if found else ""


def _expect(reply: Reply, hundred: int) -> None:
    if reply.hundred != hundred:
        raise Broken(str(reply))


def stuffed(body: bytes) -> bytes:
    """A body that anybody may have written as it goes over the wire: no line of it is a lone dot, and its last line ends."""
    if body.startswith(b".") or b"\r\n." in body:
        body = re.sub(rb"(?:\A|(?<=\r\n))\.", b"..", body)
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()
