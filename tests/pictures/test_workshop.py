"""Pictures are fetched within the limits of feeds, and made where they can do no harm."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digest.config import Fetch, Pictures
from digest.pictures import workshop
from digest.pictures.outcomes import Made, NoPicture, name_of, origin, size_in
from digest.pictures.workshop import bring
from tests.feeds.servers import Dialogue, Handler, Server, serving, talking
from tests.pictures import gallery
from tests.pictures.gallery import jpeg, opened, scene, written

LOCAL = Fetch(allow_private=True)
USUAL = Pictures()


def brought(
    handler: Handler,
    fetch: Fetch = LOCAL,
    settings: Pictures = USUAL,
    *,
    width: int | None = None,
    seconds: float = workshop.SECONDS,
) -> tuple[Made | NoPicture, Server]:
    async def go() -> tuple[Made | NoPicture, Server]:
        async with serving(handler) as server:
            url = server.url("/lead.jpg")
            return await bring(url, settings, fetch, "test (contact)", width=width, seconds=seconds), server

    return asyncio.run(go())


def why_not(
    handler: Handler,
    fetch: Fetch = LOCAL,
    settings: Pictures = USUAL,
    *,
    width: int | None = None,
    seconds: float = workshop.SECONDS,
) -> str:
    found, _ = brought(handler, fetch, settings, width=width, seconds=seconds)
    assert isinstance(found, NoPicture)
    return found.reason


def sending(body: bytes, content_type: str = "image/jpeg") -> Handler:
    return lambda request: web.Response(body=body, content_type=content_type)


def children() -> set[str]:
    """The processes that this one has started and not yet waited for."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("said", ["image/jpeg", "text/html", "image/svg+xml", "application/octet-stream"])
def test_a_picture_is_known_by_its_bytes_and_not_by_what_the_server_says(said: str) -> None:
    found, server = brought(sending(jpeg(), said))

    assert isinstance(found, Made)
    assert opened(found.body).size == (found.width, found.height) == (552, 310)
    assert server.requests[0].headers["User-Agent"] == "test (contact)"
    assert server.requests[0].headers["Accept"].startswith("image/")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='900' height='500'/>", "the picture is not a JPEG, PNG"),
        (b"<!DOCTYPE html><title>Consent</title>", "the picture is not a JPEG, PNG"),
        (jpeg()[:9000], "the picture cannot be read"),
        (gallery.png_of(20_000, 20_000), "the picture has more than 40,000,000 pixels"),
        (written(scene((200, 120))), "the picture is only 200 pixels wide"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    assert why_not(sending(body)).startswith(reason)


def test_a_bomb_is_defused_within_the_time() -> None:
    started = time.monotonic()

    assert why_not(sending(gallery.bomb(), "image/png")) == "the picture is nearly one colour"

    assert time.monotonic() - started < workshop.SECONDS


def test_a_server_that_drips_is_not_waited_for() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        for byte in jpeg():
            await response.write(bytes([byte]))
            await asyncio.sleep(0.05)
        return response

    started = time.monotonic()
    reason = why_not(drip, seconds=0.5)

    assert "within 0.5 seconds" in reason
    assert time.monotonic() - started < 5


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def go(dialogue: Dialogue) -> Made | NoPicture:
        async with talking(dialogue) as server:
            return await bring(server.url("/lead.jpg"), USUAL, LOCAL, "test (contact)", seconds=0.5)

    found = asyncio.run(go(silence))

    assert isinstance(found, NoPicture)
    assert "within 0.5 seconds" in found.reason


def test_too_large_a_file_is_not_read_to_its_end() -> None:
    assert "larger than 8388608 bytes" in why_not(sending(jpeg() + bytes(9 * 1024 * 1024)))


def test_an_inside_address_is_not_called() -> None:
    async def go() -> tuple[Made | NoPicture, Server]:
        async with serving(sending(jpeg())) as server:
            outside_only = Fetch(allow_private=False, ports=(server.port,))
            return await bring(server.url("/lead.jpg"), USUAL, outside_only, "test (contact)"), server

    found, server = asyncio.run(go())

    assert isinstance(found, NoPicture)
    assert "127.0.0.1 is not a public address" in found.reason
    assert server.requests == []


def test_a_redirect_is_followed_a_few_times_and_never_elsewhere_than_over_http() -> None:
    def handler(request: web.Request) -> web.Response:
        if request.path == "/lead.jpg":
            raise web.HTTPFound("/moved.jpg")
        return web.Response(body=jpeg())

    def circle(request: web.Request) -> web.Response:
        raise web.HTTPFound("/lead.jpg")

    def inside(request: web.Request) -> web.Response:
        raise web.HTTPFound("file:///etc/passwd")

    assert isinstance(brought(handler)[0], Made)
    assert "redirect" in why_not(circle)
    assert len(brought(circle)[1].requests) <= 4
    assert why_not(inside)


def test_a_refused_host_is_not_called_and_nothing_is_taken_from_where_it_redirects_to() -> None:
    refusing = replace(USUAL, refused_hosts=("127.0.0.1",))
    found, server = brought(sending(jpeg()), settings=refusing)
    assert isinstance(found, NoPicture)
    assert found.reason == "pictures of 127.0.0.1 are refused in [pictures] refused_hosts"
    assert server.requests == []

    def to_refused(request: web.Request) -> web.Response:
        if request.path == "/lead.jpg":
            raise web.HTTPFound(f"http://localhost:{request.url.port}/other.jpg")
        return web.Response(body=jpeg())

    elsewhere = replace(USUAL, refused_hosts=("localhost",))
    assert "pictures of localhost are refused" in why_not(to_refused, settings=elsewhere)


def test_what_the_feed_says_is_too_small_is_not_fetched() -> None:
    found, server = brought(sending(jpeg()), width=240)

    assert isinstance(found, NoPicture)
    assert "only 240 pixels wide" in found.reason
    assert server.requests == []


def test_an_answer_that_is_no_picture_says_so() -> None:
    assert "404" in why_not(lambda request: web.Response(status=404))


def test_a_child_that_is_given_up_is_ended() -> None:
    async def go() -> None:
        work = asyncio.create_task(workshop.made(gallery.bomb(6000, 6600), 80 * 1024))
        while not children() - before:  # noqa: ASYNC110  # nothing else tells when a process is there
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    before = children()
    asyncio.run(go())

    assert children() == before


def test_a_child_that_needs_too_much_memory_ends_alone() -> None:
    transparent = written(Image.new("RGBA", (6300, 6300), (200, 30, 30, 128)), "PNG")

    found = asyncio.run(workshop.made(transparent, 80 * 1024))

    assert isinstance(found, NoPicture)
    assert "memory" in found.reason


@given(st.text(max_size=50), st.binary(max_size=50), st.integers(1, 552), st.integers(1, 552))
def test_a_name_tells_origin_and_size_and_fits_its_column(url: str, body: bytes, width: int, height: int) -> None:
    made = Made(body, width, height)
    name = name_of(url, made)

    assert name.startswith(origin(url))
    assert size_in(name) == (width, height)
    assert len(name) <= 80
    assert name != name_of(url, replace(made, body=body + b"x"))
