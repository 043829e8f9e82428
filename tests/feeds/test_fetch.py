"""Calling on servers, most of them hostile: every call ends within its limits, as a value."""

import asyncio
import gzip
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from digest.config import Fetch
from digest.feeds import addresses, fetch
from digest.feeds.fetch import Fetcher
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified
from digest.model import Validators
from tests.feeds.servers import Dialogue, Handler, Server, serving, talking

Outcome = Fetched | NotModified | FetchFailed
NONE = Validators()
LOCAL = Fetch(allow_private=True, total_seconds=5, most_bytes=100_000)


def call(
    handler: Handler, path: str = "/feed", validators: Validators = NONE, settings: Fetch = LOCAL
) -> tuple[Outcome, Server]:
    async def go() -> tuple[Outcome, Server]:
        async with serving(handler) as server, Fetcher(settings, "test (contact)") as fetcher:
            return await fetcher.fetch(server.url(path), validators), server

    return asyncio.run(go())


def overhear(dialogue: Dialogue, settings: Fetch = LOCAL) -> Outcome:
    async def go() -> Outcome:
        async with talking(dialogue) as server, Fetcher(settings, "test (contact)") as fetcher:
            return await fetcher.fetch(server.url())

    return asyncio.run(go())


def saying(text: bytes) -> Dialogue:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return dialogue


def answer(status: int = 200, body: bytes = b"<rss/>", **headers: Any) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.Response(status=status, body=body, headers=named)


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, FetchFailed), outcome
    return outcome.reason


# ── what a good server gives ────────────────────────────────────────────────────────────────────────────────────


def test_a_fetch_says_who_we_are_and_brings_the_body_its_type_and_its_validators() -> None:
    outcome, server = call(
        answer(body=b"<rss/>", ETag='"1"', Last_Modified="Tue, 10 Feb 2026 06:00:00 GMT", Content_Type="text/xml")
    )

    assert outcome == Fetched(
        b"<rss/>", server.url(), 200, Validators('"1"', "Tue, 10 Feb 2026 06:00:00 GMT"), "text/xml"
    )
    sent = server.requests[0].headers
    assert sent["User-Agent"] == "test (contact)"
    assert sent["Accept-Encoding"] == "gzip"
    assert "If-None-Match" not in sent
    assert "Cookie" not in sent


def test_validators_make_the_call_conditional_and_a_304_keeps_those_it_does_not_renew() -> None:
    outcome, server = call(answer(304, b"", ETag='"2"'), validators=Validators('"1"', "Mon, 09 Feb 2026 06:00:00 GMT"))

    assert outcome == NotModified(Validators('"2"', "Mon, 09 Feb 2026 06:00:00 GMT"))
    assert server.requests[0].headers["If-None-Match"] == '"1"'
    assert server.requests[0].headers["If-Modified-Since"] == "Mon, 09 Feb 2026 06:00:00 GMT"


def test_a_304_that_nobody_asked_for_is_a_failure() -> None:
    outcome, _ = call(answer(304, b""))

    assert "304" in reason(outcome)


def test_validators_that_could_not_be_sent_back_are_forgotten() -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\nETag: \xff\xfe\r\nContent-Length: 6\r\n\r\n<rss/>"))

    assert isinstance(outcome, Fetched)
    assert outcome.validators == Validators()


@pytest.mark.parametrize(
    ("headers", "fresh_for"),
    [
        ({"Cache_Control": "public, max-age=1800"}, timedelta(minutes=30)),
        ({"Cache_Control": "max-age=1800", "Age": "600"}, timedelta(minutes=20)),
        ({"Cache_Control": "max-age=60", "Age": "600"}, timedelta()),
        ({"Cache_Control": "max-age=315360000"}, timedelta(days=1)),
        ({"Cache_Control": "max-age=soon"}, None),
        ({}, None),
    ],
)
def test_cache_control_says_how_long_to_stay_away_up_to_a_day(
    headers: dict[str, Any], fresh_for: timedelta | None
) -> None:
    outcome, _ = call(answer(**headers))

    assert isinstance(outcome, Fetched)
    assert outcome.fresh_for == fresh_for


def test_cookies_are_never_sent_back() -> None:
    def handler(request: web.Request) -> web.Response:
        response = web.Response(status=302, headers={"Location": "/feed?again"})
        response.set_cookie("session", "1")
        return web.Response(body=b"<rss/>") if "again" in request.query_string else response

    outcome, server = call(handler)

    assert isinstance(outcome, Fetched)
    assert all("Cookie" not in request.headers for request in server.requests)


def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    outcome, _ = call(answer())

    assert isinstance(outcome, Fetched)


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{"Content_Encoding": "gzip"}, {"Content_Type": "application/octet-stream"}])
def test_a_packed_body_is_unpacked_whether_the_server_says_so_or_not(headers: dict[str, Any]) -> None:
    outcome, _ = call(answer(body=gzip.compress(b"<rss/>"), **headers))

    assert isinstance(outcome, Fetched)
    assert outcome.body == b"<rss/>"


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        pytest.param(gzip.compress(bytes(20_000_000)), {"Content_Encoding": "gzip"}, "larger than", id="a gzip bomb"),
        pytest.param(gzip.compress(bytes(20_000_000)), {}, "larger than", id="a gzip bomb without a header"),
        pytest.param(b"<rss/>", {"Content_Encoding": "gzip"}, "gzip body is broken", id="not gzip at all"),
        pytest.param(gzip.compress(os.urandom(900))[:-9], {"Content_Encoding": "gzip"}, "broken", id="gzip cut short"),
        pytest.param(gzip.compress(b"a") * 2, {"Content_Encoding": "gzip"}, "broken", id="gzip after gzip"),
        pytest.param(b"<rss/>", {"Content_Encoding": "br"}, "did not ask for", id="another packing"),
        pytest.param(b"", {}, "empty", id="an empty body"),
        pytest.param(bytes(200_000), {}, "larger than", id="a large body"),
    ],
)
def test_a_body_that_cannot_be_used_is_a_failure(body: bytes, headers: dict[str, Any], words: str) -> None:
    outcome, _ = call(answer(body=body, **headers))

    assert words in reason(outcome)


def test_a_body_that_announces_a_gigabyte_is_refused_before_it_is_read() -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n<rss>"))

    assert "larger than 100000 bytes" in reason(outcome)


def test_a_body_without_end_is_given_up_at_the_limit() -> None:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(50_000))
            await writer.drain()

    assert "larger than" in reason(overhear(dialogue))


def test_a_body_that_breaks_off_is_a_failure() -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>"))

    assert reason(outcome) == "the answer broke off"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X: " + bytes(1).replace(b"\0", b"a") * 1_000_000 + b"\r\n", id="a header of a megabyte"),
        pytest.param(b"X: 1\r\n" * 10_000, id="ten thousand headers"),
        pytest.param(b"\0\0\0\r\n", id="no header"),
    ],
)
def test_monstrous_headers_are_a_failure(head: bytes) -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 6\r\n\r\n<rss/>"))

    assert "not proper HTTP" in reason(outcome)


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["headers", "body"])
def test_a_server_that_drips_is_given_up_at_the_deadline(head: bytes) -> None:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert (
        reason(overhear(dialogue, Fetch(allow_private=True, total_seconds=0.2))) == "no whole answer within 0.2 seconds"
    )


def test_a_flood_of_interim_answers_is_given_up_at_the_deadline() -> None:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)

    assert "no whole answer" in reason(overhear(dialogue, Fetch(allow_private=True, total_seconds=0.2)))


def test_waiting_for_a_slow_host_takes_no_place_from_another() -> None:
    async def go() -> list[str]:
        done: list[str] = []
        async with Fetcher(Fetch(concurrency=2, per_host=1), "test") as fetcher:
            slow = asyncio.Event()

            async def visit(url: str, until: asyncio.Event | None) -> None:
                async with fetcher.turn(url):
                    if until:
                        await until.wait()
                    done.append(url)

            first = [asyncio.create_task(visit(f"https://slow.example/{n}", slow)) for n in range(5)]
            await asyncio.wait_for(visit("https://quick.example/", None), timeout=2)
            slow.set()
            await asyncio.gather(*first)
        return done

    assert asyncio.run(go())[0] == "https://quick.example/"


# ── answers that are no document ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "headers", "wait", "gone"),
    [
        (404, {}, None, True),
        (410, {}, None, True),
        (500, {}, None, False),
        (204, {}, None, False),
        (206, {}, None, False),
        (403, {}, timedelta(hours=4), False),
        (451, {}, timedelta(hours=4), False),
        (429, {}, timedelta(hours=4), False),
        (429, {"Retry_After": "7200"}, timedelta(hours=2), False),
        (429, {"Retry_After": "1"}, timedelta(minutes=30), False),
        (503, {"Retry_After": "1000000000000"}, timedelta(days=1), False),
        (503, {"Retry_After": "soon"}, timedelta(hours=4), False),
        (503, {"Retry_After": "-5"}, timedelta(hours=4), False),
        (503, {"Retry_After": "Thu, 01 Jan 1970 00:00:00 GMT"}, timedelta(hours=4), False),
        (
            503,
            {"Retry_After": "Tue, 10 Feb 2026 09:00:00 GMT", "Date": "Tue, 10 Feb 2026 06:00:00 GMT"},
            timedelta(hours=3),
            False,
        ),
        (503, {}, None, False),
    ],
)
def test_a_refusal_says_when_to_come_back(
    status: int, headers: dict[str, Any], wait: timedelta | None, gone: bool
) -> None:
    outcome, _ = call(answer(status, b"" if status == 204 else b"x", **headers))

    assert isinstance(outcome, FetchFailed)
    assert (outcome.status, outcome.retry_after, outcome.gone) == (status, wait, gone)
    assert str(status) in outcome.reason


def test_a_bot_wall_is_named() -> None:
    outcome, _ = call(answer(403, b"checking your browser", cf_mitigated="challenge"))

    assert reason(outcome) == "blocked by bot protection"


def test_a_server_that_hangs_up_and_one_that_is_not_there_are_failures() -> None:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def absent() -> Outcome:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            async with Fetcher(LOCAL, "test") as fetcher:
                return await fetcher.fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert reason(overhear(dialogue)) == "the server hung up without an answer"
    assert reason(asyncio.run(absent())).startswith("no connection to 127.0.0.1")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not on this machine")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 9 -keyout key.pem -out cert.pem"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async def go() -> Outcome:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        listener = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
        async with listener, Fetcher(LOCAL, "test") as fetcher:
            return await fetcher.fetch(f"https://localhost:{listener.sockets[0].getsockname()[1]}/")

    assert "certificate of localhost was not accepted" in reason(asyncio.run(go()))


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────────────────


def redirecting(*steps: tuple[int, str]) -> Handler:
    """`/feed` leads to `/1`, that to `/2`, and so on; then there is a document."""

    def handler(request: web.Request) -> web.Response:
        place = int(request.path[1:]) if request.path[1:].isdigit() else 0
        if place == len(steps):
            return web.Response(body=b"<rss/>")
        status, location = steps[place]
        return web.Response(status=status, headers={"Location": location})

    return handler


@pytest.mark.parametrize(
    ("steps", "moved_to"),
    [
        ([(301, "/1")], "/1"),
        ([(308, "/1"), (301, "/2")], "/2"),
        ([(301, "/1"), (302, "/2")], "/1"),
        ([(302, "/1"), (301, "/2")], None),
        ([(303, "/1"), (307, "/2")], None),
    ],
)
def test_a_redirect_is_followed_and_remembered_only_where_it_is_for_good(
    steps: list[tuple[int, str]], moved_to: str | None
) -> None:
    outcome, server = call(redirecting(*steps), validators=Validators('"1"'))

    assert isinstance(outcome, Fetched)
    assert outcome.url == server.url(f"/{len(steps)}")
    assert outcome.moved_to == (server.url(moved_to) if moved_to else None)
    assert server.requests[-1].headers["If-None-Match"] == '"1"'


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/feed", "more than 5 redirects"),
        ("file:///etc/passwd", "not an http or https address"),
        ("ftp://127.0.0.1/", "not an http or https address"),
        ("gopher://127.0.0.1/", "not an http or https address"),
        ("data:text/xml,<rss/>", "not an http or https address"),
        ("http://user:secret@127.0.0.1/", "name a user"),
        ("http://127.0.0.1\\@wire.example/", "not an address"),
        ("", "without saying where to"),
    ],
)
def test_a_redirect_that_leads_nowhere_good_is_a_failure(location: str, words: str) -> None:
    outcome, server = call(lambda request: web.Response(status=302, headers={"Location": location}))

    assert words in reason(outcome)
    assert len(server.requests) <= 6


# ── inside addresses ────────────────────────────────────────────────────────────────────────────────────────────


class Names(AbstractResolver):
    """A name server of our own: every name has the next of these addresses."""

    def __init__(self, *found: str) -> None:
        self._found = list(found)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._found.pop(0)
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def inside(go: Callable[[Fetcher, Server], Awaitable[Outcome]], *found: str) -> tuple[Outcome, Server]:
    """A call while inside addresses are refused, beside a server that listens on all of them."""

    async def run() -> tuple[Outcome, Server]:
        async with (
            serving(answer(), host="0.0.0.0") as server,
            Fetcher(Fetch(total_seconds=5), "test", Names(*found) if found else None) as fetcher,
        ):
            return await go(fetcher, server), server

    return asyncio.run(run())


@pytest.fixture
def any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets ports other than 80 and 443 pass, so that only the address can be the reason."""
    monkeypatch.setattr(fetch, "USUAL_PORTS", range(65536))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"],
)
@pytest.mark.usefixtures("any_port")
def test_an_inside_address_is_not_dialled_in_any_spelling(host: str) -> None:
    outcome, server = inside(lambda fetcher, server: fetcher.fetch(f"http://{host}:{server.port}/"))

    assert isinstance(outcome, FetchFailed)
    assert not server.requests


@pytest.mark.usefixtures("any_port")
def test_a_name_that_leads_inside_is_not_dialled() -> None:
    outcome, server = inside(lambda fetcher, server: fetcher.fetch(f"http://wire.example:{server.port}/"), "127.0.0.1")

    assert "127.0.0.1 is not a public address" in reason(outcome)
    assert not server.requests


@pytest.mark.usefixtures("any_port")
def test_a_redirect_to_an_inside_address_is_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    async def go() -> tuple[Outcome, Server, Server]:
        async with serving(answer(), host="127.0.0.2") as secret:
            lead = web.Response(status=302, headers={"Location": f"http://127.0.0.2:{secret.port}/"})
            async with serving(lambda request: lead) as server, Fetcher(Fetch(total_seconds=5), "test") as fetcher:
                return await fetcher.fetch(server.url()), server, secret

    outcome, server, secret = asyncio.run(go())

    assert "127.0.0.2 is not a public address" in reason(outcome)
    assert len(server.requests) == 1
    assert not secret.requests


def test_unusual_ports_are_refused() -> None:
    outcome, server = inside(lambda fetcher, server: fetcher.fetch(server.url()))

    assert "allow_private = true under [fetch]" in reason(outcome)
    assert not server.requests


@pytest.mark.parametrize(
    "url", ["", "feed", "http://", "http://[::1", "http://a b/", "http://a\nb/", "http://wire.example:99999/", "//x"]
)
def test_what_is_no_address_is_a_failure(url: str) -> None:
    async def go() -> Any:
        async with Fetcher(LOCAL, "test") as fetcher, fetcher.turn(url):
            return await fetcher.fetch(url)

    assert reason(asyncio.run(go()))
