"""The world outside a service: feeds with fresh items each day, and a relay that counts who got what. Both misbehave when told to."""

import asyncio
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bench.feeds_server import KINDS, NEW, Entry, Newsroom

LOOPBACK = "127.0.0.1"
OUT_AT = timedelta(hours=18)
"""When a day's new entries are out, after midnight UTC."""
ENTRIES = 12
LASTS = timedelta(hours=6)
"""For how long the feeds say that nothing new is to be expected, so that all are called four times a day."""

_PATIENT = f"Cache-Control: max-age={LASTS.total_seconds():.0f}\r\n".encode()
_SUBJECTS = (
    "central bank",
    "crude oil",
    "exports",
    "unemployment",
    "inflation",
    "stocks",
    "tariffs",
    "housing",
    "payrolls",
)
_BOMB = gzip.compress(b"<rss><channel><title>" + b"A" * 40_000_000, 9)
_LAUGHS = b"<!DOCTYPE r [<!ENTITY a0 'ha'>%s]><rss><channel><title>&a30;</title></channel></rss>" % b"".join(
    b"<!ENTITY a%d '&a%d;&a%d;'>" % (depth, depth - 1, depth - 1) for depth in range(1, 31)
)
_ATTACKS = (
    (b"Content-Encoding: gzip\r\n", _BOMB),
    (b"", _LAUGHS),
    (b"", bytes(range(256)) * 400),
)


class Newsstand:
    """Feeds over HTTP, as they are at `now`. The second is hostile; the first dies: it fails from `dies` on, and then is gone."""

    def __init__(self, began: datetime, dies: datetime) -> None:
        self.now = began
        self.answers: Counter[str] = Counter()
        self._dies = dies
        self._newsroom = Newsroom()
        self._midnight = began.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ENTRIES // NEW)
        self._documents: dict[int, tuple[int, bytes]] = {}
        self._entries: dict[int, dict[int, Entry]] = {}

    async def serve(self) -> asyncio.Server:
        """Begin."""
        return await asyncio.start_server(self._converse, LOOPBACK, 0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                writer.write(self._answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: str) -> bytes:
        feed = int(head.split(" ", 2)[1].rpartition("/")[2])
        if feed == 0 and self.now >= self._dies:
            gone = self.now >= self._dies + timedelta(days=4)
            return _response("410 Gone" if gone else "500 Broken", b"", b"")
        if feed == 1:
            self.answers["hostile"] += 1
            headers, body = _ATTACKS[self.answers["hostile"] % len(_ATTACKS)]
            return _response("200 OK", headers + _PATIENT, body)
        days = (self.now - OUT_AT - self._midnight) // timedelta(days=1)
        marks = f'ETag: "{feed}-{days}"\r\n'.encode() + _PATIENT
        asked = re.search(r"(?mi)^if-none-match: *(.*?)\r?$", head)
        if asked and asked[1] == f'"{feed}-{days}"':
            self.answers["unchanged"] += 1
            return _response("304 Not Modified", marks, b"")
        self.answers["whole"] += 1
        kind = KINDS[feed % len(KINDS)]
        return _response(
            "200 OK", marks + f"Content-Type: {kind.content_type}\r\n".encode(), self._document(feed, days)
        )

    def _document(self, feed: int, days: int) -> bytes:
        made_on, document = self._documents.get(feed, (-1, b""))
        if made_on != days:
            newest = (days + 1) * NEW
            kind = KINDS[feed % len(KINDS)]
            known = self._entries.get(feed, {})
            shown = range(newest - 1, newest - 1 - ENTRIES, -1)
            self._entries[feed] = {number: known.get(number) or self._entry(feed, number) for number in shown}
            document = kind.write(feed, list(self._entries[feed].values())).encode()
            self._documents[feed] = days, document
        return document

    def _entry(self, feed: int, number: int) -> Entry:
        entry = self._newsroom.entry(feed, number, KINDS[feed % len(KINDS)].paragraphs, ENTRIES)
        first, *words = entry.url.rstrip("/").split("-")[-5:]
        day, place = divmod(number, NEW)
        out = self._midnight + timedelta(days=day) + OUT_AT - timedelta(minutes=17 * place + feed)
        # Little in common with another, or it would be the same story; that one runs no second time.
        headline = f"{first.title()} {_SUBJECTS[(feed + 7 * number) % len(_SUBJECTS)]} {' '.join(words)}"
        return replace(entry, title=headline, published=out)


def address(server: asyncio.Server) -> str:
    """What all feeds are below, each by its number."""
    return f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


class Mood(StrEnum):
    """How the relay is: it takes mail, refuses connections, or asks each to come again later."""

    WELL = "well"
    AWAY = "away"
    BUSY = "busy"


@dataclass
class Relay:
    """Takes mail by SMTP and counts, for each edition day and reader, how often which Message-ID was taken."""

    mood: Mood = Mood.WELL
    port: int = 0
    day: int = 0
    taken: int = 0
    copies: defaultdict[int, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """How often each (reader, Message-ID) was taken, by the `day` that it was."""
    _server: asyncio.Server | None = None
    _goal: int = 0
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def be(self, mood: Mood) -> None:
        """Change the mood."""
        self.mood = mood
        if mood is Mood.AWAY and self._server:
            self._server.close()
            self._server = None
        elif mood is not Mood.AWAY and self._server is None:
            server = await asyncio.get_running_loop().create_server(lambda: _Taking(self), LOOPBACK, self.port)
            self._server, self.port = server, server.sockets[0].getsockname()[1]

    async def has_taken(self, more: int) -> None:
        """Return once so many more have been taken."""
        self._goal = self.taken + more
        self._reached.clear()
        await self._reached.wait()

    def take(self, recipient: str, message: bytes) -> None:
        """Count a message whose final dot has come."""
        name = re.search(rb"(?mi)^Message-ID: *(\S+)", message)
        self.copies[self.day][recipient, name[1].decode() if name else ""] += 1
        self.taken += 1
        if self.taken == self._goal:
            self._reached.set()


class _Taking(asyncio.Protocol):
    """One connection to the relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay, self._heard, self._in_body, self._recipient = relay, bytearray(), False, ""
        self._searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._relay.mood is Mood.WELL:
            transport.write(b"220 relay\r\n")
        else:
            transport.write(b"421 4.3.2 come again later\r\n")
            transport.close()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        replies = b"".join(self._replies())
        if replies and not self._transport.is_closing():
            self._transport.write(replies)

    def _replies(self) -> Iterator[bytes]:
        while True:
            # The line end before the dot may be that of an empty line before.
            end = self._heard.find(mark := b"\r\n.\r\n" if self._in_body else b"\r\n", self._searched)
            if end < 0:
                self._searched = max(0, len(self._heard) - len(mark))
                return
            self._searched = 0
            said = bytes(self._heard[:end])
            del self._heard[: end + len(mark)]
            if self._in_body:
                self._in_body = False
                self._relay.take(self._recipient, said)
                yield b"250 2.0.0 Ok: queued\r\n"
                continue
            match said[:4].upper():
                case b"EHLO":
                    yield b"250-relay\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
                case b"RCPT":
                    self._recipient = said.split(b"<", 1)[1].split(b">", 1)[0].decode()
                    yield b"250 ok\r\n"
                case b"DATA":
                    self._in_body = True
                    yield b"354 go on\r\n"
                case b"QUIT":
                    yield b"221 bye\r\n"
                case _:
                    yield b"250 ok\r\n"


def _response(status: str, headers: bytes, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + headers + b"\r\n" + body
