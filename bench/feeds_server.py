"""Generated feeds, served over HTTP from memory: what `bench/poll.py` polls.

    python bench/feeds_server.py [--feeds 500] [--entries 50]

Of ten feeds six are RSS with summaries, two RSS with full texts, two Atom, of the sizes that such feeds have. Each host
has two, so that nobody's limits per host are measured. One line of JSON says where they are; `POST /N` to the control
address puts edition N out, which has N times three new entries in place of the oldest, and answers with how many
requests were answered in which way since the last time. It ends with its input.
"""

import argparse
import asyncio
import gzip
import itertools
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
"""When the feeds' first edition is polled. An hour later nothing has changed, two hours later the second one is out."""

NEW = 3
EDITIONS = 2

_STEP = timedelta(minutes=30)
_FEEDS_PER_HOST = 2
_SYLLABLES = tuple(re.findall(r"\w+", "ba con den er fi gra in ka lo mar ne or pro ri se ta un ver ti al"))
_TOPICS = ("Economy", "Central banks", "Markets", "Trade & shipping", "Énergie", "Jobs", "Housing", "Technology")


@dataclass(frozen=True)
class Entry:
    """What a publisher has to say: `paragraphs` are HTML."""

    number: int
    url: str
    title: str
    author: str
    topics: tuple[str, ...]
    published: datetime
    summary: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Served:
    """A document with the heads and bodies of its possible answers."""

    etag: str
    whole: bytes
    packed: bytes
    unchanged: bytes


class Newsroom:
    """Writes the same texts for the same numbers, in words that are as frequent as words are."""

    def __init__(self) -> None:
        chance = random.Random(7)
        words = ["".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(4000)]
        weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(words))))
        self._words = words
        self._sentences = [
            " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(9, 18))).capitalize() + "."
            for _ in range(6000)
        ]

    def entry(self, feed: int, number: int, paragraphs: int, entries: int) -> Entry:
        """Entry `number` of a feed; those below `entries` are in its first edition."""
        chance = random.Random(feed * 1_000_003 + number)
        url = f"https://paper-{feed}.example/2026/02/{number}-{'-'.join(chance.sample(self._words[40:], 5))}/"
        texts = [self._paragraph(chance, url, 4) for _ in range(paragraphs)]
        return Entry(
            number=number,
            url=url,
            title=f"{' '.join(chance.sample(self._words, 7)).capitalize()} & {feed}’s {number}%",
            author=" ".join(chance.sample(self._words[100:], 2)).title(),
            topics=tuple(chance.sample(_TOPICS, 3)),
            published=NOW + (number - entries) * _STEP,
            summary=self._paragraph(chance, url, 2),
            paragraphs=tuple(texts),
        )

    def _paragraph(self, chance: random.Random, url: str, sentences: int) -> str:
        first, *rest = chance.sample(self._sentences, sentences)
        return f'{first} <a href="{url}?ref=more&amp;n=1">{chance.choice(self._words)}</a> {" ".join(rest)}'


def summary_rss(feed: int, entries: Sequence[Entry]) -> str:
    """RSS as a newspaper's own system writes it: escaped summaries, a picture."""
    return _rss(
        feed,
        entries,
        lambda entry: (
            f"<description>{escape(entry.summary)}</description>"
            f'<media:content url="{entry.url}lead.jpg" medium="image" width="1200" height="675"/>'
        ),
    )


def full_rss(feed: int, entries: Sequence[Entry]) -> str:
    """RSS as WordPress writes it: a summary, and the whole text with it."""
    return _rss(
        feed,
        entries,
        lambda entry: (
            f"<comments>{entry.url}#respond</comments>\n"
            f"<description><![CDATA[<p>{entry.summary} [&#8230;]</p>]]></description>\n"
            f'<content:encoded><![CDATA[<p><img src="{entry.url}lead.jpg" alt="" width="1200" height="675"/></p>'
            f"{''.join(f'<p>{text}</p>' for text in entry.paragraphs)}]]></content:encoded>"
        ),
    )


def atom(feed: int, entries: Sequence[Entry]) -> str:
    """Atom with summaries and a few paragraphs."""
    items = "".join(
        f"""<entry>
<id>tag:paper-{feed}.example,2026:{entry.number}</id>
<title type="html">{escape(entry.title)}</title>
<link rel="alternate" type="text/html" href="{entry.url}"/>
<published>{entry.published.isoformat()}</published>
<updated>{entry.published.isoformat()}</updated>
<author><name>{entry.author}</name></author>
{"".join(f'<category term="{escape(topic)}"/>' for topic in entry.topics)}
<summary type="html">{escape(f"<p>{entry.summary}</p>")}</summary>
<content type="html">{escape("".join(f"<p>{text}</p>" for text in entry.paragraphs))}</content>
</entry>
"""
        for entry in entries
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<title>Paper {feed}</title>
<id>tag:paper-{feed}.example,2026:feed</id>
<link rel="alternate" href="https://paper-{feed}.example/"/>
<updated>{entries[0].published.isoformat()}</updated>
{items}</feed>
"""


def _rss(feed: int, entries: Sequence[Entry], text: Callable[[Entry], str]) -> str:
    items = "".join(
        f"""<item>
<title>{escape(entry.title)}</title>
<link>{entry.url}</link>
<guid isPermaLink="false">https://paper-{feed}.example/?p={entry.number}</guid>
<pubDate>{format_datetime(entry.published)}</pubDate>
<dc:creator>{entry.author}</dc:creator>
{"".join(f"<category>{escape(topic)}</category>" for topic in entry.topics)}
{text(entry)}
</item>
"""
        for entry in entries
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
<title>Paper {feed}</title>
<link>https://paper-{feed}.example/</link>
<description>All that Paper {feed} has</description>
<language>en-US</language>
<lastBuildDate>{format_datetime(entries[0].published)}</lastBuildDate>
{items}</channel>
</rss>
"""


@dataclass(frozen=True)
class Kind:
    """A kind of feed: how it is written, how it is called, how many paragraphs an entry has."""

    write: Callable[[int, Sequence[Entry]], str]
    content_type: str
    paragraphs: int


SUMMARY = Kind(summary_rss, "application/rss+xml; charset=utf-8", 0)
FULL = Kind(full_rss, "application/rss+xml; charset=utf-8", 11)
ATOM = Kind(atom, "application/atom+xml", 3)
KINDS = (SUMMARY, FULL, SUMMARY, ATOM, SUMMARY, SUMMARY, FULL, SUMMARY, ATOM, SUMMARY)


def document(newsroom: Newsroom, feed: int, edition: int, entries: int) -> bytes:
    """A feed's document, the newest entry first."""
    kind = KINDS[feed % len(KINDS)]
    first = edition * NEW
    numbers = range(first + entries - 1, first - 1, -1)
    return kind.write(feed, [newsroom.entry(feed, n, kind.paragraphs, entries) for n in numbers]).encode()


def served(body: bytes, feed: int, edition: int) -> Served:
    """A document as it goes out, packed or not."""
    etag = f'"{feed:x}-{edition:x}-{len(body):x}"'
    modified = NOW + edition * NEW * _STEP
    validators = f"ETag: {etag}\r\nLast-Modified: {format_datetime(modified, usegmt=True)}\r\n"
    kind = f"Content-Type: {KINDS[feed % len(KINDS)].content_type}\r\nVary: Accept-Encoding\r\n"
    squeezed = gzip.compress(body, 6)

    def answer(content: bytes, more: str) -> bytes:
        return f"HTTP/1.1 200 OK\r\n{validators}{kind}{more}Content-Length: {len(content)}\r\n\r\n".encode() + content

    return Served(
        etag=etag,
        whole=answer(body, ""),
        packed=answer(squeezed, "Content-Encoding: gzip\r\n"),
        unchanged=f"HTTP/1.1 304 Not Modified\r\n{validators}\r\n".encode(),
    )


class Press:
    """Every edition of every feed, and which is out."""

    def __init__(self, feeds: int, entries: int) -> None:
        newsroom = Newsroom()
        self.sizes: list[int] = []
        self._editions: list[list[Served]] = []
        for edition in range(EDITIONS):
            bodies = [document(newsroom, feed, edition, entries) for feed in range(feeds)]
            self._editions.append([served(body, feed, edition) for feed, body in enumerate(bodies)])
            self.sizes = [len(body) for body in bodies]
        self._out = self._editions[0]
        self._answers: Counter[str] = Counter()

    @property
    def packed_size(self) -> int:
        """The bytes that a round costs a client that asks for gzip, heads included."""
        return sum(len(feed.packed) for feed in self._out)

    def answer(self, request: str) -> bytes:
        """The whole answer to a request's head."""
        verb, path, _ = request.split(" ", 2)
        place = path.rpartition("/")[2]
        if verb == "POST":
            counted = json.dumps(self._answers).encode()
            self._out, self._answers = self._editions[int(place)], Counter()
            return f"HTTP/1.1 200 OK\r\nContent-Length: {len(counted)}\r\n\r\n".encode() + counted
        feed = self._out[int(place)]
        headers = {name.lower(): value.strip() for name, value in re.findall(r"(?m)^([\w-]+):(.*)$", request)}
        unchanged = headers.get("if-none-match") == feed.etag
        self._answers["unchanged" if unchanged else "whole"] += 1
        if unchanged:
            return feed.unchanged
        return feed.packed if "gzip" in headers.get("accept-encoding", "") else feed.whole


class Answering(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, press: Press) -> None:
        self._press = press
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            self._transport.write(self._press.answer(head.decode("latin-1")))


async def serve(press: Press, feeds: int) -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Answering(press), f"127.0.{host // 250 + 1}.{host % 250 + 1}", 0, backlog=64)
        for host in range(-(-feeds // _FEEDS_PER_HOST))
    ]
    hosts = ["http://{}:{}".format(*server.sockets[0].getsockname()) for server in servers]
    about = {
        "urls": [f"{hosts[feed // _FEEDS_PER_HOST]}/feed/{feed}" for feed in range(feeds)],
        "control": hosts[0],
        "bytes": sum(press.sizes),
        "packed_bytes": press.packed_size,
    }
    print(json.dumps(about), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--feeds", type=int, default=500)
    arguments.add_argument("--entries", type=int, default=50)
    options = arguments.parse_args()
    asyncio.run(serve(Press(options.feeds, options.entries), options.feeds))
