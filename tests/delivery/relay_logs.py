"""What a relay writes into its log, line by line, as Postfix does."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.delivery.sink import Session

_NAME = re.compile(rb"^Message-ID: (<[^>]+>)", re.MULTILINE)


class PostfixLog:
    """Writes what Postfix writes of a dialogue, at the moments at which it does."""

    def __init__(
        self, path: Path, clock: Callable[[], datetime], stamp: Callable[[datetime], str] | None = None
    ) -> None:
        self.path, self._clock = path, clock
        self._stamp = stamp or (lambda moment: moment.isoformat())
        path.touch()
        self._queued = 0
        self._open: dict[int, str] = {}

    def say(self, part: str, process: int, text: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{self._stamp(self._clock())} mail postfix/{part}[{process}]: {text}\n")

    def connected(self, process: int) -> None:
        self.say("smtpd", process, "connect from localhost[127.0.0.1]")

    def begins(self, process: int) -> str:
        """A message has a recipient, so it gets a queue id."""
        self._queued += 1
        queue_id = f"4D{self._queued:09X}"
        self.say("smtpd", process, f"{queue_id}: client=localhost[127.0.0.1]")
        return queue_id

    def reads(self, queue_id: str, message_id: str) -> None:
        """Its headers have come; nothing is decided yet."""
        self.say("cleanup", 400, f"{queue_id}: message-id={message_id}")

    def takes(self, queue_id: str) -> None:
        self.say("qmgr", 300, f"{queue_id}: from=<digest@news.example>, size=2034, nrcpt=1 (queue active)")

    def loses(self, process: int, *, inside: bool) -> None:
        """The connection is gone, inside a message or between two."""
        said = "lost connection after DATA (1811 bytes)" if inside else "lost connection after END-OF-MESSAGE"
        self.say("smtpd", process, f"{said} from localhost[127.0.0.1]")
        self.say("smtpd", process, "disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4")

    def message(self, process: int, message_id: str) -> str:
        """A whole message from beginning to end."""
        queue_id = self.begins(process)
        self.reads(queue_id, message_id)
        self.takes(queue_id)
        return queue_id

    def witness(self, what: str, session: Session, content: bytes) -> None:
        """Write what a sink sees, with each connection as a process of its own."""
        match what:
            case "connected":
                self.connected(session.number)
            case "begun":
                self._open[session.number] = self.begins(session.number)
            case "taken":
                queue_id = self._open.pop(session.number)
                self.reads(queue_id, message_id(content))
                self.takes(queue_id)
            case "lost":
                queue_id = self._open.pop(session.number, "")
                if queue_id and (name := _NAME.search(content)):
                    self.reads(queue_id, name[1].decode())
                self.loses(session.number, inside=bool(queue_id))


def message_id(content: bytes) -> str:
    """The Message-ID of a message."""
    found = _NAME.search(content)
    assert found, content[:200]
    return found[1].decode()
