"""A small IMAP server with one folder of mails, which can be made to do without an extension, and to kill its client."""

import asyncio
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from digest.config import Mailbox, Security

PASSWORD = 'a password, with "quotes"'  # fmt: skip


@dataclass
class Mail:
    """One mail of the folder."""

    body: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class Folder:
    """What the server holds: mails by their numbers, those that were moved by folder, and every command it heard.

    `before` is called with each command before it is carried out, and may hang up by raising `ConnectionError`.
    """

    mails: dict[int, Mail] = field(default_factory=dict)
    moved: dict[str, list[bytes]] = field(default_factory=lambda: {"Done": []})
    offers: tuple[str, ...] = ("UIDPLUS", "MOVE")
    heard: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    mailbox: Mailbox = field(default_factory=lambda: Mailbox("127.0.0.1", 0))

    def put(self, *bodies: bytes) -> None:
        for body in bodies:
            self.mails[max(self.mails, default=0) + 1] = Mail(body)

    @contextmanager
    def serving(self) -> Iterator["Folder"]:
        """Serve on a port of this machine, in a thread, since its clients block."""
        ready, loop = threading.Event(), asyncio.new_event_loop()

        async def begin() -> asyncio.Server:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            self.mailbox = Mailbox("127.0.0.1", port, Security.NONE, "bounces", PASSWORD)
            ready.set()
            return server

        def run() -> None:
            server = loop.run_until_complete(begin())
            loop.run_forever()
            server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                self.heard.append(command)
                self.before(command)
                for said in self._carried_out(command):
                    writer.write(said + b"\r\n")
                ok = self._verdict(command)
                writer.write(f"{tag} {ok}\r\n".encode())
                await writer.drain()
                if command.upper() == "LOGOUT":
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _verdict(self, command: str) -> str:
        words = shlex.split(command)
        match [word.upper() for word in words[:2]]:
            case ["LOGIN", _] if words[2] != PASSWORD:
                return "NO [AUTHENTICATIONFAILED] who are you"
            case ["SELECT", "MISSING"]:
                return "NO no such folder"
            case ["UID", "MOVE" | "COPY"] if words[3] not in self.moved:
                return "NO [TRYCREATE] no such folder"
        return "OK done"

    def _carried_out(self, command: str) -> list[bytes]:
        words = shlex.split(command)
        match [word.upper() for word in words]:
            case ["CAPABILITY"]:
                return [f"* CAPABILITY IMAP4rev1 {' '.join(self.offers)}".encode()]
            case ["SELECT", *_]:
                return [f"* {len(self.mails)} EXISTS".encode()]
            case ["UID", "SEARCH", *_]:
                found = [str(number) for number, mail in sorted(self.mails.items()) if not mail.flags]
                return [f"* SEARCH {' '.join(found)}".rstrip().encode()]
            case ["UID", "FETCH", number, *_] if mail := self.mails.get(int(number)):
                most = int(re.search(r"<0\.(\d+)>", command)[1])  # type: ignore[index]
                body = mail.body[:most]
                return [f"* {number} FETCH (UID {number} BODY[]<0> {{{len(body)}}}".encode(), body + b")"]
            case ["UID", "STORE", number, _, flags] if mail := self.mails.get(int(number)):
                mail.flags.add(flags.strip("()\\").capitalize())
            case ["UID", "COPY" | "MOVE", number, _] if words[3] in self.moved and int(number) in self.mails:
                self.moved[words[3]].append(self.mails[int(number)].body)
                if words[1].upper() == "MOVE":
                    del self.mails[int(number)]
            case ["EXPUNGE"] | ["UID", "EXPUNGE", _]:
                self.mails = {number: mail for number, mail in self.mails.items() if "Deleted" not in mail.flags}
        return []
