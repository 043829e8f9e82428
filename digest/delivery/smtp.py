"""A thin SMTP client that always knows how far it got (RFC 5321, 2920, 3207, 4954).

smtplib raises the same exception for "never sent", "perhaps sent" and "certainly sent". Here trouble with the network
or the relay is never an exception but an `Outcome`, and the phase of the dialogue says whether anything can have been
sent. A connection on which anything unexpected happened is closed, never used again.
"""

import asyncio
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
# Security or policy (RFC 3463, section 3.8): it is us whom the relay refuses, and that can be mended.
_NOT_US = "5.7."
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


class Connection:
    """A connection to the relay that is opened when it is first needed, and again when the relay has closed it.

    Use it in `async with`, which says goodbye at the end. One message at a time.
    """

    def __init__(self, relay: Relay, *, patience: Patience = PATIENCE, tls: ssl.SSLContext | None = None) -> None:
        self._relay, self._patience = relay, patience
        self._tls = tls or trust(relay)
        self._wire: Wire | None = None
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
        return None

    async def send(self, sender: str, recipient: str, body: bytes, offer: Callable[[], Awaitable[bool]]) -> Outcome:
        """Send one message to one recipient.

        Args:
            sender: the envelope's sender.
            recipient: the envelope's only recipient.
            body: the message, with CRLF line ends.
            offer: called once the relay has the whole body and nothing is missing but the final dot. Unless it says
                true the dot is not sent, and the connection is closed instead.
        """
        if reason := addresses.fault(recipient):
            return Refused(Phase.RCPT, 0, reason, permanent=True)
        used_before = self._wire is not None
        outcome = await self._try(sender, recipient, body, offer)
        if used_before and isinstance(outcome, NotSent) and outcome.phase is Phase.MAIL:
            # Relays close a connection between two messages when they have had enough of it.
            outcome = await self._try(sender, recipient, body, offer)
        return outcome

    async def close(self) -> None:
        """Say QUIT and close. What the relay answers to that matters to nobody."""
        if self._wire is not None:
            with suppress(Broken):
                await self._wire.command("QUIT", self._patience.quit)
            self._drop()

    async def _try(self, sender: str, recipient: str, body: bytes, offer: Callable[[], Awaitable[bool]]) -> Outcome:
        trouble = await self.open()
        if trouble or self._wire is None:
            return trouble or NotSent(Phase.CONNECT, CLOSED)
        if not recipient.isascii() and "SMTPUTF8" not in self._wire.offers:
            return Refused(Phase.RCPT, 0, "the relay takes no address beyond ASCII", permanent=True)
        try:
            refused = await self._envelope(self._wire, sender, recipient)
            return refused or await self._content(self._wire, body, offer)
        except Closing as closing:
            self._drop()
            return NotSent(self._phase, str(closing))
        except Broken as broken:
            self._drop()
            return Unconfirmed(str(broken)) if self._phase is Phase.DOT else NotSent(self._phase, str(broken))
        except BaseException:
            self._drop()
            raise

    async def _envelope(self, wire: Wire, sender: str, recipient: str) -> Refused | None:
        """MAIL, RCPT and DATA, in one write where the relay allows it; the first refusal."""
        utf8 = "" if recipient.isascii() else " SMTPUTF8 BODY=8BITMIME"
        dialogue = (
            (Phase.MAIL, f"MAIL FROM:<{sender}>{utf8}\r\n", _DONE),
            (Phase.RCPT, f"RCPT TO:<{recipient}>\r\n", _DONE),
            (Phase.DATA, "DATA\r\n", _GO_ON),
        )
        at_once = "PIPELINING" in wire.offers
        if at_once:
            wire.write("".join(command for _, command, _ in dialogue).encode())
        for asked, (phase, command, wanted) in enumerate(dialogue, start=1):
            self._phase = phase
            if not at_once:
                wire.write(command.encode())
            reply = await wire.reply(self._patience.reply)
            if reply.hundred != wanted:
                refused = self._refused(reply)
                await self._start_over(wire, unread=len(dialogue) - asked if at_once else 0)
                return refused
        return None

    async def _content(self, wire: Wire, body: bytes, offer: Callable[[], Awaitable[bool]]) -> Outcome:
        """The body, the offer, the dot. A relay may refuse at any moment, so its answer is listened for all along."""
        self._phase = Phase.BODY
        answer = asyncio.ensure_future(wire.listen())
        try:
            wire.write(_stuffed(body))
            await wire.taken(answer, self._patience.body)
            if not answer.done() and not await offer():
                self._drop()
                return Withdrawn(WITHDRAWN)
            if answer.done():
                # A verdict on a body that has not ended: nothing was sent, and the dialogue is out of step.
                refused = self._refused(answer.result())
                self._drop()
                return refused
            self._phase = Phase.DOT
            wire.write(b".\r\n")
            return await self._verdict(wire, await self._patiently(answer))
        finally:
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # looked at, so that asyncio does not report it as one that nobody saw

    async def _patiently(self, answer: asyncio.Future[Reply]) -> Reply:
        try:
            async with asyncio.timeout(self._patience.dot):
                return await answer
        except TimeoutError as error:
            raise Broken(f"no answer within {self._patience.dot:g} s") from error

    async def _verdict(self, wire: Wire, reply: Reply) -> Outcome:
        if reply.hundred == _DONE:
            named = _REMOTE_ID.search(reply.text)
            return Accepted(next((group for group in named.groups() if group), "") if named else "")
        refused = self._refused(reply)
        await self._start_over(wire)
        return refused

    def _refused(self, reply: Reply) -> Refused:
        if reply.hundred not in {_NOT_NOW, _NO}:
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


def _expect(reply: Reply, hundred: int) -> None:
    if reply.hundred != hundred:
        raise Broken(str(reply))


def _stuffed(body: bytes) -> bytes:
    """The body as it goes over the wire: no line of it is a lone dot, and its last line ends."""
    if body.startswith(b".") or b"\r\n." in body:
        body = re.sub(rb"(?:\A|(?<=\r\n))\.", b"..", body)
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()
