"""A publisher's server that runs beside the test: publishing is no coroutine."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from sqlalchemy import Engine, update

from digest.model import Image
from digest.store import engine as engines
from digest.store.tables import articles
from tests.feeds.servers import Handler, Server, serving
from tests.pictures.gallery import jpeg


@contextmanager
def publisher(handler: Handler) -> Iterator[Server]:
    """The server, in a thread of its own."""
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


def sending(body: bytes | None = None) -> Handler:
    """Answers every request with a picture, or whatever else is said to be one."""
    return lambda request: web.Response(body=jpeg() if body is None else body, content_type="image/jpeg")


def offer(engine: Engine, image: Image | None) -> None:
    """Every article that is stored came with this picture."""
    value = image and {"url": image.url, "credit": image.credit, "alt": image.alt, "width": image.width, "height": None}
    with engines.write(engine) as connection:
        connection.execute(update(articles).values(image=value))
