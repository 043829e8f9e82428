"""What the relay's log says of messages whose outcome we do not know (Postfix and Exim).

Postfix logs `message-id=` while it reads the headers, before the final dot (`cleanup_header_callback` in its
cleanup_message.c): that line gives a message its queue id and proves nothing. Taken it is once the queue manager has it;
never taken, if smtpd says that the connection was lost or timed out after DATA, or that it was rejected. Exim logs
`<= … id=` when it has taken a message, and nothing before.
"""

import errno
import gzip
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

MARGIN = timedelta(minutes=10)
"""The headers of a message came so long before its offer at most, which waits for the database; clocks differ less."""

_FOLD = timedelta(hours=1)
"""More margin for times that name no zone, since clock changes put them out of order."""

_FINE = 64 * 1024
"""Bytes within which the beginning is not searched for more exactly."""

_LONGEST_LINE = 64 * 1024

_POSTFIX = re.compile(
    rb"/(?:smtpd|cleanup|n?qmgr)\[(?P<process>\d+)\]: (?:(?P<queue>\w+): )?(?:"
    rb"(?P<client>client=)|message-id=(?P<name><[^>]*>)|(?P<taken>from=<[^>]*>, size=|removed)"
    rb"|(?P<refused>(?:lost connection|timeout) after (?:DATA|BDAT)|(?:milter-)?reject: )|(?:dis)?connect from )"
)
_EXIM = re.compile(
    rb" (?P<queue>\w{6,11}-\w{6,11}-\w{2,4}) (?:<= .* id=(?P<name>\S+)|[=*-][>*=] |Completed)"
    rb"| unexpected disconnection while reading SMTP | SMTP \w+ timeout "
)
_ISO = re.compile(rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d* ?(Z|[+-]\d\d:?\d\d)?")
_OLD_STYLE = re.compile(rb"([A-Z][a-z]{2}) [ \d]\d \d\d:\d\d:\d\d")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a log says: the messages that were taken with their queue ids, and those that certainly were not.

    `doubt` says in a clause why others stay in doubt; empty if none does.
    """

    taken: Mapping[str, str]
    absent: frozenset[str]
    doubt: str


@dataclass
class _Trail:
    """The lines so far, as far as they bear on the messages asked for. To read a line again changes nothing."""

    wanted: set[bytes] = field(default_factory=set)
    queued: dict[bytes, dict[bytes, bool | None]] = field(default_factory=dict)
    names: dict[bytes, bytes] = field(default_factory=dict)
    serving: dict[bytes, bytes] = field(default_factory=dict)

    def follow(self, line: bytes) -> bool:
        """Take in a line; whether it is one that a relay writes."""
        if found := _POSTFIX.search(line):
            self._postfix(found)
        elif (found := _EXIM.search(line)) and found["name"]:
            name = b"<" + found["name"] + b">"
            if name in self.wanted:
                self.queued.setdefault(name, {})[found["queue"]] = True
        return found is not None

    def _postfix(self, found: re.Match[bytes]) -> None:
        queue = found["queue"]
        if found["client"]:
            self.serving[found["process"]] = queue
        elif found["name"] in self.wanted:
            self.names[queue] = found["name"]
            self.queued.setdefault(found["name"], {}).setdefault(queue, None)
        elif found["taken"] and queue in self.names:
            self.queued[self.names[queue]][queue] = True
        elif found["refused"]:
            queue = queue or self.serving.get(found["process"], b"")
            if queue in self.names:
                fates = self.queued[self.names[queue]]
                fates[queue] = bool(fates[queue])


class RelayLog:
    """The relay's log files, as one run of the sender reads them: each look goes on where the last one ended.

    Args:
        pattern: a file, or several by `*`, the rotated ones among them; those that end in `.gz` are unpacked.
    """

    def __init__(self, pattern: Path) -> None:
        self._pattern = pattern
        self._trail = _Trail()
        self._ends: dict[int, int] = {}
        self._last_word: datetime | None = None

    def look(self, wanted: Mapping[str, datetime]) -> Reading:
        """Look for all these messages at once, by Message-ID with the moment at which each was offered.

        "Never arrived" is only said where the log reaches from before the offer to after it.

        Raises:
            OSError: there is no such file, or one cannot be read.
        """
        files = _files(self._pattern)
        clock = _Clock.of(files)
        names = {name.encode() for name in wanted}
        fresh = [at for name, at in wanted.items() if name.encode() not in self._trail.wanted]
        since = min(fresh, default=None)
        self._trail.wanted = names
        begins = [self._read(file, clock, since) for file in files]
        taken, absent, doubts = {}, set(), set()
        for name, offered_at in wanted.items():
            fates = self._trail.queued.get(name.encode(), {})
            queues = [queue for queue, fate in fates.items() if fate]
            if queues:
                taken[name] = queues[0].decode()
            elif None in fates.values():
                doubts.add("it does not say whether messages that it began to read were taken")
            elif not any(begin and begin <= offered_at for begin in begins):
                doubts.add("it does not reach back to their offers; relay_log has to name its rotated files as well")
            elif self._last_word is None or self._last_word < offered_at:
                doubts.add("the relay has written nothing to it since they were offered")
            else:
                absent.add(name)
        return Reading(taken, frozenset(absent), "; ".join(sorted(doubts)))

    def _read(self, path: Path, clock: "_Clock", since: datetime | None) -> datetime | None:
        """Read what of a file is new, or may tell of offers from `since` on; the moment at which the file begins.

        The beginning of one that was last written to before all that matters is its end: it need not be opened.
        """
        status = path.stat()
        changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
        known = self._ends.get(status.st_ino)
        if since and changed_at < since - MARGIN - _FOLD:
            return changed_at
        if known is not None and path.suffix == ".gz" and since is None:
            return clock.first(path)
        with _opened(path) as file:
            if path.suffix != ".gz":
                starts = [known] if known is not None and known <= status.st_size else []
                starts += [_beginning(file, clock, status.st_size, since)] if since else []
                _seek_line(file, min(starts, default=0))
            last = b""
            while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
                if self._trail.follow(line):
                    last = line
            self._ends[status.st_ino] = file.tell() - len(line)
        if (said := clock.moment(last)) and (self._last_word is None or said > self._last_word):
            self._last_word = said
        return clock.first(path)


@dataclass(frozen=True, slots=True)
class _Clock:
    """How times in the log are to be read that name no zone, or no year: by when its newest file was last written."""

    written_at: datetime | None
    ahead: timedelta

    @classmethod
    def of(cls, files: Iterable[Path]) -> "_Clock":
        plain = [path for path in files if path.suffix != ".gz"]
        if not plain:
            return cls(None, timedelta())
        newest = plain[-1]
        written_at = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
        still = cls(written_at, timedelta())
        with newest.open("rb") as file:
            _seek_line(file, max(0, newest.stat().st_size - _FINE))
            stated = [moment for line in file if not _has_zone(line) and (moment := still.moment(line))]
        quarters = round((stated[-1] - written_at) / timedelta(minutes=15)) if stated else 0
        return cls(written_at, quarters * timedelta(minutes=15))

    def moment(self, line: bytes) -> datetime | None:
        """When a line says that it was written."""
        with suppress(ValueError):
            if found := _ISO.match(line):
                stated = datetime.fromisoformat((found[1] + (found[2] or b"")).decode())
                if stated.tzinfo:
                    return stated.astimezone(UTC)
                return stated.replace(tzinfo=UTC) - self.ahead if self.written_at else None
            if self.written_at and (found := _OLD_STYLE.match(line)) and found[1] in _MONTHS:
                words = f"{self.written_at.year} {_MONTHS.index(found[1]) + 1} {found[0][4:].decode()}"
                stated = datetime.strptime(words, "%Y %m %d %H:%M:%S").replace(tzinfo=UTC) - self.ahead
                late = stated > self.written_at + timedelta(days=2)
                return stated.replace(year=stated.year - 1) if late else stated
        return None

    def first(self, path: Path) -> datetime | None:
        """When a file begins."""
        with _opened(path) as file:
            return next((moment for line in _some(file) if (moment := self.moment(line))), None)


def examine(pattern: Path) -> datetime | None:
    """When the log begins, as far as its lines say; for a look without a question.

    Raises:
        OSError: there is no such file, or one cannot be read.
    """
    files = _files(pattern)
    clock = _Clock.of(files)
    return min((begin for path in files if (begin := clock.first(path))), default=None)


def _files(pattern: Path) -> list[Path]:
    """The files, the one that was written to last at the end."""
    several = "*" in pattern.name
    files = [path for path in pattern.parent.glob(pattern.name) if path.is_file()] if several else [pattern]
    if not files:
        raise FileNotFoundError(errno.ENOENT, "there is no such file", str(pattern))
    return sorted(files, key=lambda path: path.stat().st_mtime)


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _beginning(file: BinaryIO, clock: _Clock, size: int, since: datetime) -> int:
    """An offset before which no line tells of `since` or later: by halves, since a log is in the order of time."""
    low, high = 0, size
    while high - low > _FINE:
        middle = (low + high) // 2
        _seek_line(file, middle)
        lines = list(_some(file))
        moment, line = next(((moment, line) for line in lines if (moment := clock.moment(line))), (None, b""))
        if moment is None:
            return low
        if moment < since - MARGIN - (timedelta() if _has_zone(line) else _FOLD):
            low = middle
        else:
            high = middle
    return low


def _seek_line(file: BinaryIO, offset: int) -> None:
    """Go to the first line that begins at an offset or after it."""
    file.seek(max(0, offset - 1))
    if offset:
        file.readline()


def _some(file: BinaryIO) -> Iterator[bytes]:
    for _ in range(50):
        if not (line := file.readline(_LONGEST_LINE)):
            return
        yield line


def _has_zone(line: bytes) -> bool:
    found = _ISO.match(line)
    return bool(found and found[2])
