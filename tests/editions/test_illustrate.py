"""From the picture that a feed offers to the bytes that a reader's program gets; and nothing that could delay an edition."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from sqlalchemy import Engine, update
from structlog.testing import capture_logs

from digest.config import Config, Fetch, Pictures
from digest.editions.illustrate import SPARE, illustrated
from digest.editions.pool import Pool, edition_of, is_same, packed, ranked_of, unpacked
from digest.editions.publish import gather
from digest.model import Image, Picture
from digest.pictures import workshop
from digest.store import engine as engines
from digest.store import pictures
from digest.store.tables import articles as articles_table
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS
from tests.feeds.servers import Handler, Server, serving
from tests.pictures.gallery import jpeg, opened

LOCAL = replace(CONFIG, fetch=Fetch(allow_private=True))


@contextmanager
def publisher(handler: Handler) -> Iterator[Server]:
    """A publisher's server, in a thread of its own: publishing is no coroutine."""
    ready, ended = threading.Event(), threading.Event()
    found: list[Server] = []

    async def serve() -> None:
        async with serving(handler) as server:
            found.append(server)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(5)
    try:
        yield found[0]
    finally:
        ended.set()
        thread.join()


def offering(engine: Engine, image: Image | None) -> Pool:
    """The day's pool, each article of which came with the picture."""
    value = image and {"url": image.url, "credit": image.credit, "alt": image.alt, "width": image.width, "height": None}
    with engines.write(engine) as connection:
        connection.execute(update(articles_table).values(image=value))
    with engines.read(engine) as connection:
        return gather(CONFIG, connection, DIGEST, DAY, PRESS, PRESS)


def why_not(pool: Pool, engine: Engine, config: Config = LOCAL, now: datetime = PRESS) -> str:
    with capture_logs() as logs:
        assert illustrated(pool, config, engine, now) == pool
    (line,) = logs
    assert (line["event"], line["digest"], line["date"]) == ("no picture", "economy", "2026-02-10")
    return str(line["reason"])


def sending(body: Callable[[], bytes] = jpeg) -> Handler:
    return lambda request: web.Response(body=body(), content_type="image/jpeg")


def test_the_first_story_shows_the_picture_that_came_with_it(stocked: Engine) -> None:
    with publisher(sending()) as server:
        image = Image(server.url("/lead.jpg"), "Jo Doe/Harbour Wire", "A refinery at dawn")
        pool = illustrated(offering(stocked, image), LOCAL, stocked, PRESS)

    first, *others = edition_of(pool).items
    assert first.picture is not None
    assert (first.picture.alt, first.picture.credit) == ("A refinery at dawn", "Jo Doe/Harbour Wire")
    assert (first.picture.width, first.picture.height) == (552, 310)
    assert [item.picture for item in others] == [None] * len(others)
    with engines.read(stocked) as connection:
        body = pictures.body(connection, first.picture.name)
    assert body is not None
    assert opened(body).size == (552, 310)


def test_an_illustrated_edition_is_rebuilt_without_a_network(stocked: Engine) -> None:
    with publisher(sending()) as server:
        pool = illustrated(offering(stocked, Image(server.url(), "Jo Doe")), LOCAL, stocked, PRESS)

    assert is_same(edition_of(unpacked(packed(pool), "it")), edition_of(pool))
    assert illustrated(pool, LOCAL, stocked, PRESS) is pool


def test_a_picture_is_fetched_once_in_a_while_and_a_preview_fetches_none(stocked: Engine) -> None:
    with publisher(sending()) as server:
        pool = offering(stocked, Image(server.url(), "Jo Doe"))
        assert illustrated(pool, LOCAL, stocked, PRESS, fetch=False).pictures == {}
        assert server.requests == []

        fetched = illustrated(pool, LOCAL, stocked, PRESS)
        again = illustrated(pool, LOCAL, stocked, PRESS + timedelta(hours=1))
        previewed = illustrated(pool, LOCAL, stocked, PRESS + timedelta(days=3), fetch=False)
        assert len(server.requests) == 1
        illustrated(pool, LOCAL, stocked, PRESS + timedelta(days=3))
        assert len(server.requests) == 2

    assert fetched == again == previewed
    assert len(fetched.pictures) == 1


def test_the_stories_that_are_known_need_not_be_ranked_again(stocked: Engine) -> None:
    with publisher(sending()) as server:
        pool = offering(stocked, Image(server.url(), "Jo Doe"))
        assert illustrated(pool, LOCAL, stocked, PRESS, ranked=[]) == pool
        assert len(illustrated(pool, LOCAL, stocked, PRESS, ranked=ranked_of(pool)).pictures) == 1


def test_without_a_credit_nobody_is_called(stocked: Engine) -> None:
    with publisher(sending()) as server:
        pool = offering(stocked, Image(server.url()))
        assert why_not(pool, stocked) == "nobody is credited with it"
        assert server.requests == []

        lead = edition_of(pool).items[0].publisher
        permitted = replace(LOCAL, pictures=Pictures(publishers=(lead,)))
        (picture,) = illustrated(pool, permitted, stocked, PRESS).pictures.values()
    assert picture.credit == f"Photo: {lead}"
    assert picture.alt == f"Photo: {edition_of(pool).items[0].title}"


def test_nothing_is_looked_for_where_pictures_are_off_or_none_is_offered(stocked: Engine) -> None:
    with publisher(sending()) as server, capture_logs() as logs:
        pool = offering(stocked, Image(server.url(), "Jo Doe"))
        assert illustrated(pool, replace(LOCAL, pictures=Pictures(show=False)), stocked, PRESS) is pool
        none = offering(stocked, None)
        assert illustrated(none, LOCAL, stocked, PRESS) is none
        assert server.requests == []
    assert logs == []


def test_a_server_that_is_slow_costs_the_edition_its_picture_and_little_time(stocked: Engine) -> None:
    release = threading.Event()

    async def late(request: web.Request) -> web.Response:
        await asyncio.to_thread(release.wait, 5)
        return web.Response(body=jpeg())

    impatient = replace(LOCAL, fetch=Fetch(allow_private=True, total_seconds=0.3))
    with publisher(late) as server:
        started = time.monotonic()
        reason = why_not(offering(stocked, Image(server.url(), "Jo Doe")), stocked, impatient)
        assert time.monotonic() - started < 4
        release.set()
    assert "0.3 seconds" in reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a JPEG"), (jpeg((240, 135)), "is only 240 pixels wide")],
)
def test_what_is_no_picture_leaves_the_edition_whole(stocked: Engine, body: bytes, reason: str) -> None:
    with publisher(sending(lambda: body)) as server:
        pool = offering(stocked, Image(server.url(), "Jo Doe"))
        assert reason in why_not(pool, stocked)

    assert edition_of(pool).items[0].picture is None


def test_a_publisher_inside_the_house_is_not_called(stocked: Engine) -> None:
    with publisher(sending()) as server:
        guarded = replace(CONFIG, fetch=Fetch(ports=(server.port,)))
        assert "not a public address" in why_not(offering(stocked, Image(server.url(), "Jo Doe")), stocked, guarded)
        assert server.requests == []


def test_a_fault_of_ours_is_no_fault_of_the_edition(stocked: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(workshop, "made", broken)
    with publisher(sending()) as server:
        reason = why_not(offering(stocked, Image(server.url(), "Jo Doe")), stocked)

    assert "Too many open files" in reason


def test_pictures_that_no_edition_came_to_show_go_when_the_next_is_kept(stocked: Engine) -> None:
    with engines.write(stocked) as connection:
        pictures.keep(connection, "forgotten.jpg", b"1", PRESS - 2 * SPARE)
    with publisher(sending()) as server:
        pool = illustrated(offering(stocked, Image(server.url(), "Jo Doe")), LOCAL, stocked, PRESS)

    (picture,) = pool.pictures.values()
    assert isinstance(picture, Picture)
    with engines.read(stocked) as connection:
        assert pictures.body(connection, "forgotten.jpg") is None
        assert pictures.body(connection, picture.name) is not None
