"""Every line that any test has logged, as the service would have written it: none of them names a reader or lets anybody in.

What is kept out by one rule is looked for by others: whatever has an @ inside a word, and every signature that any test has made,
wherever it stands. It holds for each process of the test run; what children of tests log, their own tests read.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from itsdangerous import Signer
from structlog import BoundLoggerBase

from digest import links, logs

SIGNED = 27
RUNS = re.compile(rf"[\w-]{{{SIGNED},}}")
AT = re.compile(r"[^\s/…](?:@|%40)\w|@\S+@")


class Logbook(logging.Handler):
    """Keeps the lines that should not be there, and counts the others."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.signatures: set[str] = set()
        self.lines: list[str] = []
        self._steps = logs.processors()

    def note(self, level: str, event: dict[str, Any]) -> None:
        """A line of our own: what a test was given is as good as what the service would have written."""
        line: Any = dict(event)
        for step in self._steps:
            line = step(None, level, line)
        self.lines.append(str(line))

    def emit(self, record: logging.LogRecord) -> None:
        """A line of a library."""
        if record.name.split(".")[0] not in {"asyncio", "faker", "hypothesis"}:
            self.note(record.levelname.lower(), {"event": record.getMessage(), "exc_info": record.exc_info or None})

    def bad(self) -> list[str]:
        """The lines that name a reader or hold what lets somebody in."""
        return [line for line in self.lines if AT.search(line) or self._signed(line)]

    def _signed(self, line: str) -> bool:
        return any(run[-SIGNED:] in self.signatures for run in RUNS.findall(line))


def forget_settings() -> None:
    """Undo what `logs.configure` has set, as at the end of a process."""
    structlog.reset_defaults()
    for handler in logs.ours():
        logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="session")
def logbook() -> Iterator[Logbook]:
    """The lines of all tests of this process."""
    book, patch = Logbook(), pytest.MonkeyPatch()
    process, signature, signed = BoundLoggerBase._process_event, Signer.get_signature, links._Signer._signed

    def noting_process(self: BoundLoggerBase, method: str, event: str | None, words: dict[str, Any]) -> Any:
        book.note(method, {**self._context, **words, "event": event})
        return process(self, method, event, words)

    def noting_signature(self: Signer, value: str | bytes) -> bytes:
        made = signature(self, value)
        book.signatures.add(made.decode()[-SIGNED:])
        return made

    def noting_token(self: Any, payload: bytes) -> bytes:
        made = signed(self, payload)
        book.signatures.add(made[-SIGNED:].decode())
        return made

    patch.setattr(BoundLoggerBase, "_process_event", noting_process)
    patch.setattr(Signer, "get_signature", noting_signature)
    patch.setattr(links._Signer, "_signed", noting_token)
    root = logging.getLogger()
    root.addHandler(book)
    yield book
    root.removeHandler(book)
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _no_line_names_a_reader(logbook: Logbook) -> Iterator[None]:
    yield
    bad = logbook.bad()
    assert bad == [], f"{len(bad)} of {len(logbook.lines)} lines that tests have logged name a reader or hold a token"
