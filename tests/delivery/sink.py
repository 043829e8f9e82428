"""An SMTP server that takes everything, or misbehaves in any way a test asks for, and writes down what it heard."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from digest.config import Relay, Security

HANG_UP = ""
SILENCE = "silence"

Script = Callable[[str, "Session"], str | None]


def nothing_special(_verb: str, _session: "Session") -> str | None:
    return None


Witness = Callable[[str, "Session", bytes], None]
"""Hears of what happens to connections: connected, begun (a message), taken (with its bytes), lost (with what came)."""


def nobody(_what: str, _session: "Session", _content: bytes) -> None:
    return None


def saying(**replies: str) -> Script:
    """Fixed replies by verb; GREETING, BODY (in the middle of it) and DOT count as verbs."""
    return lambda verb, _session: replies.get(verb)


@dataclass
class Session:
    """One connection: the verbs heard, in order, and the recipient of the message at hand."""

    verbs: list[str] = field(default_factory=list)
    sender: str = ""
    recipient: str = ""
    transactions: int = 0
    number: int = 0


@dataclass
class Sink:
    """What the server heard. `accepted` are the messages it has taken, whether or not it lived to say so."""

    script: Script = nothing_special
    witness: Witness = nobody
    reply_after: Callable[[], float] = float
    """Seconds between the dot, at which a message is taken, and the reply to it."""
    offers: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    tls: ssl.SSLContext | None = None
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    serving_now: set[asyncio.Task[None]] = field(default_factory=set)
    busy: int = 0
    busiest: int = 0
    relay: Relay = field(default_factory=lambda: Relay("127.0.0.1", 0))

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.accepted]

    @asynccontextmanager
    async def serving(
        self, security: Security = Security.NONE, user: str = "", password: str = ""
    ) -> AsyncIterator["Sink"]:
        at_once = self.tls if security is Security.TLS else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=at_once, limit=1 << 20)
        port = server.sockets[0].getsockname()[1]
        self.relay = Relay("localhost" if self.tls else "127.0.0.1", port, security, user, password)
        try:
            yield self
        finally:
            server.close()
            for task in self.serving_now:
                task.cancel()
            await asyncio.gather(*self.serving_now, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(number=len(self.sessions) + 1)
        self.sessions.append(session)
        self.witness("connected", session, b"")
        came = b""
        task = asyncio.current_task()
        assert task is not None
        self.serving_now.add(task)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await self._dialogue(reader, writer, session)
        except asyncio.IncompleteReadError as error:
            came = error.partial
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self.witness("lost", session, came)
            self.busy -= 1
            self.serving_now.discard(task)
            writer.close()
            await asyncio.sleep(0)

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        if not await self._say(writer, session, "GREETING", "220 sink ready"):
            return
        while line := await reader.readline():
            command = line.decode().rstrip("\r\n")
            verb = command.split(" ")[0].upper()
            if not await self._say(writer, session, verb, self._usual(verb, command, session)):
                return
            match verb:
                case "QUIT":
                    return
                case "STARTTLS":
                    assert self.tls is not None
                    await writer.start_tls(self.tls)
                case "AUTH" if "LOGIN" in command:
                    self.secrets.append((await reader.readline()).decode().strip())
                    writer.write(b"334 UGFzc3dvcmQ6\r\n")
                    self.secrets.append((await reader.readline()).decode().strip())
                    writer.write(b"235 welcome\r\n")
                case "AUTH":
                    self.secrets.append(command.split(" ")[-1])
                case "DATA" if session.recipient:
                    if not await self._message(reader, writer, session):
                        return

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> bool:
        self.witness("begun", session, b"")
        early = self.script("BODY", session)
        if early is not None:
            await reader.readline()
            return await self._answer(writer, session, "BODY", early)
        body = await reader.readuntil(b"\r\n.\r\n")
        reply = self.script("DOT", session)
        # One that hangs up or falls silent after the dot has the message all the same.
        if reply is None or reply.startswith("2") or reply in {HANG_UP, SILENCE}:
            self.accepted.append((session.recipient, re.sub(rb"(?m)^\.\.", b".", body[:-3])))
            session.transactions += 1
            self.witness("taken", session, body)
        session.recipient = session.sender = ""
        if reply == SILENCE:
            # Whoever leaves out one reply and gives the next would be understood as giving this one.
            await reader.read()
            return False
        if wait := self.reply_after():
            await asyncio.sleep(wait)
        usual = f"250 2.0.0 Ok: queued as Q{len(self.accepted)}"
        return await self._answer(writer, session, "DOT", usual if reply is None else reply)

    def _usual(self, verb: str, command: str, session: Session) -> str:
        match verb:
            case "MAIL":
                session.sender = command
                self.senders.append(command)
            case "RCPT" if session.sender:
                session.recipient = command.split("<", 1)[1].split(">", 1)[0]
            case "RSET":
                session.recipient = session.sender = ""
        replies = {
            "EHLO": "".join(f"250-{offer}\r\n" for offer in ("sink", *self.offers)) + "250 HELP",
            "MAIL": "250 ok",
            "RCPT": "250 ok" if session.sender else "503 no sender",
            "DATA": "354 go on" if session.recipient else "503 no recipient",
            "RSET": "250 ok",
            "STARTTLS": "220 go on",
            "AUTH": "334 VXNlcm5hbWU6" if "LOGIN" in command else "235 welcome",
            "QUIT": "221 bye",
        }
        return replies.get(verb, "502 what")

    async def _say(self, writer: asyncio.StreamWriter, session: Session, verb: str, usual: str) -> bool:
        """Answer as the script has it, or as usual; False where that is to hang up."""
        reply = self.script(verb, session)
        if reply is not None and not reply.startswith("2"):
            session.sender = "" if verb == "MAIL" else session.sender
            session.recipient = "" if verb in {"RCPT", "DATA"} else session.recipient
        return await self._answer(writer, session, verb, usual if reply is None else reply)

    async def _answer(self, writer: asyncio.StreamWriter, session: Session, verb: str, reply: str) -> bool:
        session.verbs.append(verb)
        if reply in {HANG_UP, SILENCE}:
            return reply == SILENCE
        writer.write(f"{reply}\r\n".encode())
        await writer.drain()
        return not reply.startswith("421")
