"""Calling on servers that mean well: what is asked, what is brought home, and how long we then stay away."""

import asyncio
import gzip
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from digest import home as homefolder
from digest.config import Fetch
from digest.errors import ConfigError
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified
from digest.model import Validators
from tests.feeds.servers import Dialogue, Handler, Server, serving, talking

Outcome = Fetched | NotModified | FetchFailed
NONE = Validators()
LOCAL = Fetch(allow_private=True, total_seconds=5)


def call(
    handler: Handler, path: str = "/feed", validators: Validators = NONE, settings: Fetch = LOCAL
) -> tuple[Outcome, Server]:
    async def go() -> tuple[Outcome, Server]:
        async with serving(handler) as server, Fetcher(settings, "test (contact)") as fetcher:
            return await fetcher.fetch(server.url(path), validators), server

    return asyncio.run(go())


def overhear(dialogue: Dialogue) -> Outcome:
    async def go() -> Outcome:
        async with talking(dialogue) as server, Fetcher(LOCAL, "test (contact)") as fetcher:
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


def test_validators_make_the_call_conditional_and_a_304_keeps_those_it_does_not_renew() -> None:
    outcome, server = call(answer(304, b"", ETag='"2"'), validators=Validators('"1"', "Mon, 09 Feb 2026 06:00:00 GMT"))

    assert outcome == NotModified(Validators('"2"', "Mon, 09 Feb 2026 06:00:00 GMT"))
    assert server.requests[0].headers["If-None-Match"] == '"1"'
    assert server.requests[0].headers["If-Modified-Since"] == "Mon, 09 Feb 2026 06:00:00 GMT"


def test_validators_that_could_not_be_sent_back_are_forgotten() -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\nETag: \xff\xfe\r\nContent-Length: 6\r\n\r\n<rss/>"))

    assert isinstance(outcome, Fetched)
    assert outcome.validators == Validators()


@pytest.mark.parametrize(
    ("headers", "fresh_for"),
    [
        ({"Cache_Control": "public, max-age=1800"}, timedelta(minutes=30)),
        ({"Cache_Control": 'Max-Age="1800"'}, timedelta(minutes=30)),
        ({"Cache_Control": "s-maxage=60,max-age=1800", "Age": "600"}, timedelta(minutes=20)),
        ({"Cache_Control": "max-age=60", "Age": "600"}, None),
        ({"Cache_Control": "no-cache, max-age=1800"}, None),
        ({"Expires": "Tue, 10 Feb 2026 07:00:00 GMT", "Date": "Tue, 10 Feb 2026 06:00:00 GMT"}, timedelta(hours=1)),
        (
            {
                "Cache_Control": "max-age=1800",
                "Expires": "Tue, 10 Feb 2026 07:00:00 GMT",
                "Date": "Tue, 10 Feb 2026 06:00:00 GMT",
            },
            timedelta(minutes=30),
        ),
        ({}, None),
    ],
)
def test_the_server_says_how_long_its_answer_lives(headers: dict[str, Any], fresh_for: timedelta | None) -> None:
    outcome, _ = call(answer(**headers))

    assert isinstance(outcome, Fetched)
    assert outcome.fresh_for == fresh_for


@pytest.mark.parametrize("encoding", ["gzip", "X-Gzip"])
def test_a_packed_body_is_unpacked(encoding: str) -> None:
    outcome, _ = call(answer(body=gzip.compress(b"<rss/>"), Content_Encoding=encoding))

    assert isinstance(outcome, Fetched)
    assert outcome.body == b"<rss/>"


@pytest.mark.parametrize(
    ("steps", "moved_to"),
    [
        ([(308, "/1"), (301, "/2")], "/2"),
        ([(301, "/1"), (302, "/2")], "/1"),
        ([(302, "/1"), (301, "/2")], None),
    ],
)
def test_a_chain_of_redirects_is_remembered_as_far_as_it_is_for_good(
    steps: list[tuple[int, str]], moved_to: str | None
) -> None:
    def handler(request: web.Request) -> web.Response:
        place = int(request.path[1:]) if request.path[1:].isdigit() else 0
        if place == len(steps):
            return web.Response(body=b"<rss/>")
        status, location = steps[place]
        return web.Response(status=status, headers={"Location": location})

    outcome, server = call(handler, validators=Validators('"1"'))

    assert isinstance(outcome, Fetched)
    assert outcome.url == server.url(f"/{len(steps)}")
    assert outcome.moved_to == (server.url(moved_to) if moved_to else None)
    assert server.requests[-1].headers["If-None-Match"] == '"1"'


def test_a_connection_is_used_again() -> None:
    async def go() -> set[Any]:
        async with serving(answer()) as server, Fetcher(LOCAL, "test") as fetcher:
            for _ in range(3):
                await fetcher.fetch(server.url())
            return {request.transport.get_extra_info("peername") for request in server.requests if request.transport}

    assert len(asyncio.run(go())) == 1


def test_a_server_that_hangs_up_on_a_connection_it_had_left_open_is_called_anew() -> None:
    async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>")
        await reader.readuntil(b"\r\n\r\n")  # the next question, which it leaves without an answer

    async def go() -> list[Outcome]:
        async with talking(dialogue) as server, Fetcher(LOCAL, "test") as fetcher:
            return [await fetcher.fetch(server.url()) for _ in range(3)]

    assert [outcome.body for outcome in asyncio.run(go()) if isinstance(outcome, Fetched)] == [b"<rss/>"] * 3


# ── taking turns ────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_redirects_bring_no_more_callers_to_a_host_than_it_is_to_have() -> None:
    busy: list[int] = []

    async def home(request: web.Request) -> web.Response:
        busy.append(1)
        at_once = sum(busy)
        await asyncio.sleep(0.01)
        busy.append(-1)
        return web.Response(body=str(at_once).encode())

    async def go() -> list[Outcome]:
        async with serving(home) as target:
            lead = {"Location": target.url()}
            async with (
                serving(lambda request: web.Response(status=302, headers=lead)) as server,
                Fetcher(LOCAL, "test") as fetcher,
            ):
                return await asyncio.gather(*(fetcher.fetch(server.url(f"/{number}")) for number in range(8)))

    outcomes = asyncio.run(go())

    assert {outcome.body for outcome in outcomes if isinstance(outcome, Fetched)} <= {b"1", b"2"}
    assert len(outcomes) == 8


# ── trouble that is nobody's malice ─────────────────────────────────────────────────────────────────────────────


def test_a_body_that_breaks_off_is_a_failure() -> None:
    outcome = overhear(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>"))

    assert reason(outcome) == "the answer broke off"


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


@pytest.mark.parametrize(
    "url",
    ["", "feed", "http://", "http:///feed", "http://[::1", "http://a b/", "http://a\nb/", "http://a:99999/", "//x"],
)
def test_what_is_no_address_is_a_failure(url: str) -> None:
    async def go() -> Any:
        async with Fetcher(LOCAL, "test") as fetcher, fetcher.turn(url):
            return await fetcher.fetch(url)

    assert reason(asyncio.run(go()))


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────


def settings(home: Path, fetch: str) -> Fetch:
    (home / "digest.toml").write_text(
        f'[site]\npostal_address = "x"\n[fetch]\n{fetch}\n[[digest]]\nslug = "economy"\n', encoding="utf-8"
    )
    (home / "topics.toml").write_text('[[topic]]\nslug = "a"\ntitle = "A"\nterms = ["rates"]\n', encoding="utf-8")
    (home / "feeds.toml").touch()
    return homefolder.load(home, {}).fetch


def test_an_operator_names_ports_and_a_proxy(tmp_path: Path) -> None:
    named = settings(tmp_path, 'ports = [80, 443, 8443]\nproxy = "http://proxy.office.example:3128"')

    assert (named.ports, named.proxy) == ((80, 443, 8443), "http://proxy.office.example:3128")
    assert settings(tmp_path, "") == Fetch()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ports = [80, 0]", "should be a list of port numbers"),
        ('ports = ["80"]', "should be a list of port numbers"),
        ("ports = [true]", "should be a list of port numbers"),
        ('proxy = "proxy:3128"', 'should look like "http://proxy.example.org:3128"'),
        ('proxy = "http://[::1"', 'should look like "http://proxy.example.org:3128"'),
        ('proxy = "http://us:secret@proxy:3128"', "name no user and no password"),
    ],
)
def test_a_port_or_a_proxy_that_is_none_is_a_fault_and_no_password_is_shown(
    line: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, line)

    assert words in str(raised.value)
    assert "secret" not in str(raised.value)
