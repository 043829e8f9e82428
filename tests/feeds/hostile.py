"""One hostile server: a path for each way in which a publisher's server misbehaves, `/row/name`.

Rows are those of `docs/hostile-feeds.md`. Documents that only a parser can suffer from are in `hostile_documents`. Beside
the server there is a listener on every inside address, which must see nobody.
"""

import asyncio
import gzip
import os
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from tests.feeds.hostile_documents import DOCUMENTS
from tests.feeds.servers import item, rss

OUTSIDE = "127.9.9.9"
"""Where the server listens. Tests that refuse inside addresses let this one pass for the public internet."""

DRIP_SECONDS = 0.02
GIGABYTE = 1 << 30
DATE = "Tue, 10 Feb 2026 06:00:00 GMT"


@dataclass(frozen=True)
class Request:
    """What a client asked for, as it stood on the wire."""

    method: str
    target: str
    headers: dict[str, str]
    connection: int = 0
    """The client's port."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def option(self, name: str) -> str:
        return parse_qs(urlsplit(self.target).query)[name][0]


@dataclass
class Hostile:
    """Where the server is, where nobody may go, and what it was asked."""

    port: int = 0
    inside_port: int = 0
    requests: list[Request] = field(default_factory=list)
    visits: Counter[str] = field(default_factory=Counter)
    intruders: list[str] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, it ends every answer that would go on for ever."""

    def url(self, path: str, host: str = OUTSIDE, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@dataclass
class Talk:
    """One request, and the connection to answer it on."""

    server: Hostile
    request: Request
    writer: asyncio.StreamWriter

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def say_for_ever(self, piece: bytes, pause: float = 0.0) -> None:
        while not self.server.released.is_set():
            await self.say(piece)
            await asyncio.sleep(pause)

    @property
    def visit(self) -> int:
        """How many times this path has been asked for, with this one."""
        return self.server.visits[self.request.path]


Behaviour = Callable[[Talk], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Behaviour:
    """A proper answer; the connection stays open."""
    return _answering(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def _answering(status: int, body: bytes, headers: Mapping[str, str]) -> Behaviour:
    async def behave(talk: Talk) -> None:
        await talk.say(_written(status, body, headers))

    return behave


def raw(*pieces: bytes, then: bytes = b"", pause: float = 0.0) -> Behaviour:
    """These bytes and nothing else; `then` is repeated for ever, with a pause in between."""

    async def behave(talk: Talk) -> None:
        await talk.say(*pieces)
        if then:
            await talk.say_for_ever(then, pause)
        talk.writer.close()

    return behave


def leading(location: Callable[[Talk], str], status: int = 302, cookie: str = "") -> Behaviour:
    """A redirect."""

    async def behave(talk: Talk) -> None:
        headers = {"Location": location(talk)} | ({"Set-Cookie": cookie} if cookie else {})
        await talk.say(_written(status, headers=headers))

    return behave


def _leading_to(location: str) -> Behaviour:
    return leading(lambda _: location)


def _leading_inside(host: str) -> Behaviour:
    return leading(lambda talk: f"http://{host}:{talk.server.inside_port}/")


def _written(status: int, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    lines = [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
    if status not in {204, 304}:
        lines.append(b"Content-Length: %d\r\n" % len(body))
    return b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, b"".join(lines), body)


def news(*titles: str) -> bytes:
    """A good feed with these headlines, or with one."""
    return rss(*(item(title, f"https://wire.example/{title.replace(' ', '-')}") for title in titles or ("Rates rise",)))


async def _to(talk: Talk) -> None:
    await leading(lambda _: talk.request.option("location"), int(talk.request.option("status")))(talk)


async def _silence(talk: Talk) -> None:
    await talk.server.released.wait()
    talk.writer.close()


async def _chain(talk: Talk) -> None:
    step = int(talk.request.option("step"))
    await leading(lambda _: f"/8/chain?step={step + 1}")(talk)


async def _some_interim(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, _written(200, news()))


async def _frozen(talk: Talk) -> None:
    """The same ETag and date whatever the document: whoever asks with them never hears of anything new."""
    validators = {"ETag": '"frozen"', "Last-Modified": "Sun, 10 Feb 2041 06:00:00 GMT"}
    if "if-none-match" in talk.request.headers or "if-modified-since" in talk.request.headers:
        return await talk.say(_written(304, headers=validators))
    return await talk.say(_written(200, news(*(f"Story {n}" for n in range(talk.visit))), validators))


async def _restless(talk: Talk) -> None:
    """Another ETag for every visitor, and always the same document."""
    await talk.say(_written(200, news(), {"ETag": f'"{talk.visit}"'}))


async def _cookies(talk: Talk) -> None:
    await leading(lambda talk: talk.server.url("/good", "neighbour.example"), cookie="session=1; Path=/")(talk)


async def _proxied(talk: Talk) -> None:
    """As a proxy would: the whole URL stands in the request line."""
    await talk.say(_written(200, news(f"By proxy from {urlsplit(talk.request.target).hostname}")))


BOMB = gzip.compress(bytes(20_000_000))
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TEXT = f"<description>{'The central bank raised its rate by a quarter of a point. ' * 12}</description>"
PAGE = b"<!doctype html><html><head><title>Hello</title></head><body>No feed here</body></html>"

SPELLINGS = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "localhost"),
    *("１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "127.255.255.254"),
)
INSIDE_IPV6 = (
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1"),
    *("fec0::1", "fe80::1", "fc00::1", "fd00::1", "ff02::1", "ff0e::1"),
)
SERVICES = (
    *("169.254.169.254", "168.63.129.16", "100.64.0.1", "192.0.0.1", "198.18.0.1", "192.88.99.1", "240.0.0.1"),
    *("10.0.0.1", "172.16.0.1", "192.168.0.1", "224.0.0.1", "255.255.255.255"),
)
TRICKS = (
    *("http://user:secret@wire.example/", "http://127.0.0.1@wire.example/", "http://wire.example\\@127.0.0.1/"),
    *("http://wire.example/\tfeed", "http://wire.example%2f@127.0.0.1/", "http://127.0.0.1%2ewire.example/"),
    *("http://localhost./", "http://wire.example./", "http://[::1/", "http://[fe80::1%25eth0]/", "http://:80/"),
    "http://wire.example:99999/",
)
NONSENSE = (
    *({"Cache-Control": "max-age=soon"}, {"Cache-Control": "max-age=-5"}, {"Cache-Control": "x-max-age=7200"}),
    *({"Cache-Control": "no-store, max-age=7200"}, {"Cache-Control": "max-age=0"}, {"Expires": "0", "Date": DATE}),
    *({"Expires": "Mon, 01 Jan 1601 00:00:00 GMT", "Date": DATE}, {"Expires": "99999999999", "Date": DATE}),
    {"Expires": "Tue, 10 Feb 2026 09:00:00 GMT"},
)

PATHS: dict[str, Behaviour] = {
    "/good": answer(body=news()),
    "/good/long": answer(
        body=rss(*(item(f"Rates rise {n} times", f"https://wire.example/{n}", more=TEXT) for n in range(50)))
    ),
    "/to": _to,
    "/1/announced": raw(OK + b"Content-Length: %d\r\n\r\n" % GIGABYTE, then=bytes(65536)),
    "/2/endless": raw(OK + b"\r\n", then=bytes(65536)),
    "/2/endless-chunks": raw(CHUNKED, then=b"10000\r\n" + bytes(65536) + b"\r\n"),
    "/2/crumbs": raw(CHUNKED, then=b"1\r\nx\r\n" * 10_000),
    "/2/endless-extension": raw(CHUNKED + b"1;", then=b"a" * 65536),
    "/2/endless-trailers": raw(CHUNKED + b"6\r\n<rss/>\r\n0\r\n", then=b"A: b\r\n" * 1000),
    "/3/drip": raw(OK + b"\r\n", then=b"x", pause=DRIP_SECONDS),
    "/3/silence": _silence,
    "/4/slow-headers": raw(OK + b"X-Slow: ", then=b"x", pause=DRIP_SECONDS),
    "/4/long-header": raw(OK + b"X: " + b"a" * 10_000_000 + b"\r\n\r\n"),
    "/4/endless-header": raw(OK + b"X: ", then=b"a" * 65536),
    "/4/many-headers": raw(OK + b"X: 1\r\n" * 10_000 + b"Content-Length: 6\r\n\r\n<rss/>"),
    "/4/heavy-headers": raw(OK + (b"X: " + b"a" * 1000 + b"\r\n") * 100 + b"Content-Length: 6\r\n\r\n<rss/>"),
    "/4/no-header": raw(OK + b"\0\0\0\r\n\r\n<rss/>"),
    "/5/some-interim": _some_interim,
    "/5/interim": raw(then=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "/5/slow-interim": raw(then=b"HTTP/1.1 103 Early Hints\r\n\r\n", pause=0.001),
    "/6/gzip-bomb": answer(body=BOMB, Content_Encoding="gzip"),
    "/6/unsaid-gzip-bomb": answer(body=BOMB),
    "/6/swelling": answer(body=gzip.compress(bytes(3_000_000)), Content_Encoding="gzip"),
    "/6/gzip-in-gzip": answer(body=gzip.compress(gzip.compress(news())), Content_Encoding="gzip"),
    "/6/brotli": answer(body=news(), Content_Encoding="br"),
    "/6/zstd": answer(body=news(), Content_Encoding="zstd"),
    "/6/layers": answer(body=gzip.compress(gzip.compress(news())), Content_Encoding="gzip, gzip"),
    "/7/not-gzip": answer(body=news(), Content_Encoding="gzip"),
    "/7/truncated-gzip": answer(body=gzip.compress(os.urandom(900))[:-9], Content_Encoding="gzip"),
    "/7/gzip-after-gzip": answer(body=gzip.compress(b"a") * 2, Content_Encoding="gzip"),
    "/7/gzip-file": answer(body=gzip.compress(news()), Content_Type="application/octet-stream"),
    "/8/loop": _leading_to("/8/loop"),
    "/8/chain": _chain,
    "/8/nowhere": answer(302),
    "/8/endless-body": raw(b"HTTP/1.1 302 X\r\nLocation: /good\r\n\r\n", then=bytes(65536)),
    "/9/file": _leading_to("file:///etc/passwd"),
    "/9/ftp": _leading_to(f"ftp://{OUTSIDE}/"),
    "/9/gopher": _leading_to(f"gopher://{OUTSIDE}/"),
    "/9/data": _leading_to("data:text/xml,<rss/>"),
    "/9/javascript": _leading_to("javascript:alert(1)"),
    **{f"/10/{number}": _leading_inside(host) for number, host in enumerate(SPELLINGS)},
    **{f"/11/{number}": _leading_inside(f"[{host}]") for number, host in enumerate(INSIDE_IPV6)},
    **{f"/12/{number}": _leading_inside(host) for number, host in enumerate(SERVICES)},
    **{f"/15/{port}": _leading_to(f"http://{OUTSIDE}:{port}/") for port in (22, 25, 5432, 6379, 8000)},
    **{f"/16/{number}": _leading_to(url) for number, url in enumerate(TRICKS)},
    "/19/cookies": _cookies,
    **{f"/20/{status}": leading(lambda _: "/good", status) for status in (301, 308)},
    **{f"/21/{status}": leading(lambda _: "/good", status) for status in (302, 303, 307)},
    "/22/unasked": answer(304),
    "/22/with-body": raw(b"HTTP/1.1 304 X\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\n<rss/>"),
    "/22/with-body-closing": raw(b"HTTP/1.1 304 X\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<rss/>"),
    "/23/frozen": _frozen,
    "/24/restless": _restless,
    "/26/missing": answer(404),
    "/27/gone": answer(410),
    **{f"/28/{status}": answer(status) for status in (401, 403, 451)},
    "/29/slow-down": answer(429),
    "/29/seconds": answer(429, Retry_After="7200"),
    "/29/one-second": answer(503, Retry_After="1"),
    "/29/ages": answer(503, Retry_After="1000000000000"),
    "/29/date": answer(503, Retry_After="Tue, 10 Feb 2026 09:00:00 GMT", Date=DATE),
    "/29/negative": answer(503, Retry_After="-5"),
    "/29/past": answer(503, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT", Date=DATE),
    "/29/soon": answer(429, Retry_After="soon"),
    **{f"/30/{status}": answer(status) for status in (500, 502, 503, 504)},
    "/31/empty": answer(),
    "/31/empty-gzip": answer(body=gzip.compress(b""), Content_Encoding="gzip"),
    **{f"/32/{status}": answer(status, b"" if status == 204 else news()) for status in (204, 205, 206)},
    "/33/refused": answer(403, PAGE, cf_mitigated="challenge"),
    "/33/welcomed": answer(200, PAGE, cf_mitigated="challenge"),
    "/33/page": answer(
        200,
        b"<!doctype html><html><head><title>Just a moment...</title></head><body>"
        b"<script src='/cdn-cgi/challenge-platform/h/b/orchestrate'></script></body></html>",
    ),
    "/34/html": answer(body=news(), Content_Type="text/html"),
    "/34/png": answer(body=news(), Content_Type="image/png"),
    "/34/none": answer(body=news()),
    "/35/page": answer(body=PAGE, Content_Type="application/rss+xml"),
    **{f"/36/{number}": _answering(200, news(), headers) for number, headers in enumerate(NONSENSE)},
    "/36/ten-years": answer(body=news(), Cache_Control="max-age=315360000"),
    "/36/year-9999": answer(body=news(), Expires="Fri, 31 Dec 9999 23:59:59 GMT", Date=DATE),
}


@asynccontextmanager
async def hostile(
    context: ssl.SSLContext | None = None, secret: str = "", host: str = OUTSIDE
) -> AsyncIterator[Hostile]:
    """The server, with the inside listener beside it.

    Args:
        context: the certificate to show; none means plain HTTP.
        secret: the path of a file that documents try to read.
        host: where it listens.
    """
    server = Hostile()
    running: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            while not writer.is_closing():
                request = _request(await reader.readuntil(b"\r\n\r\n"), writer.get_extra_info("peername")[1])
                server.requests.append(request)
                server.visits[request.path] += 1
                await _behaviour(server, request, secret)(Talk(server, request, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            running.discard(task)
            writer.transport.abort()

    async def intrusion(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.intruders.append(str(writer.get_extra_info("sockname")[0]))
        writer.close()

    listener = await asyncio.start_server(converse, host, 0, ssl=context, limit=1 << 20)
    inside = await asyncio.start_server(intrusion, sock=_on_every_address())
    server.port = listener.sockets[0].getsockname()[1]
    server.inside_port = inside.sockets[0].getsockname()[1]
    async with listener, inside:
        try:
            yield server
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def _on_every_address() -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", 0))


def _request(head: bytes, connection: int) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = (line.partition(":") for line in lines if line)
    return Request(method, target, {name.lower(): value.strip() for name, _, value in headers}, connection)


def _behaviour(server: Hostile, request: Request, secret: str) -> Behaviour:
    if request.target.startswith("http://"):
        return _proxied
    if document := DOCUMENTS.get(request.path):
        inside = f"http://127.0.0.1:{server.inside_port}/"
        body = document().replace(b"{inside}", inside.encode()).replace(b"{secret}", secret.encode())
        return answer(body=body, Content_Type="application/rss+xml")
    return PATHS.get(request.path, answer(404))
