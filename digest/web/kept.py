"""Pages that are the same for everybody, kept in memory as they were made: an edition is frozen, and so is its page.

What may be kept depends on published editions, their corrections and the configuration, and on nothing else: not on who
asks, and not on what time it is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.config import Config
from digest.store import editions
from digest.store import engine as engines
from digest.web import fresh
from digest.web.pages import Pages

MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """A page or feed as it was made, and when anything of it last changed, where that is known."""

    body: bytes
    media_type: str
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    made: Made
    etag: str
    state: editions.State
    config: Config


class _Looks:
    """One look at the database's state at a time, and one for all who ask for it meanwhile.

    A thread for each request would cost more than all the rest of a kept page.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._begun: asyncio.Task[editions.State] | None = None
        self._next: asyncio.Task[editions.State] | None = None

    async def state(self) -> editions.State:
        """The state as it is after the call: a look that has begun before may not have seen what was committed since."""
        if self._next is None:
            self._next = asyncio.create_task(self._look(self._begun))
        # Shared, so it must not end with the one who breaks off.
        return await asyncio.shield(self._next)

    async def _look(self, before: asyncio.Task[editions.State] | None) -> editions.State:
        if before is not None and not before.done():
            await asyncio.wait((before,))
        self._begun, self._next = self._next, None
        return await run_in_threadpool(self._read)

    def _read(self) -> editions.State:
        with engines.read(self._engine) as connection:
            return editions.state(connection)


class Kept:
    """Pages by what they are of; those that nobody has asked for the longest are dropped first."""

    def __init__(self, pages: Pages, most_bytes: int = MOST_BYTES) -> None:
        self._pages, self._most_bytes = pages, most_bytes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._looks = _Looks(pages.engine)
        self._lock, self._making = Lock(), Lock()

    async def answer(
        self, request: Request, key: Hashable, make: Callable[[Connection], Made], cache_control: str = ""
    ) -> Response:
        """The page that is kept, if nothing that it could show has changed since; or a new one.

        Args:
            request: for what its asker has already.
            key: what the page is of; only what exists may be named.
            make: makes it, from the same view of the database from which is told whether it has changed.
            cache_control: how long others may keep it.
        """
        config = self._pages.config
        found = self._good(key, await self._looks.state(), config)
        if found is None:
            found = await run_in_threadpool(self._made, key, make, config)
        headers = {"Cache-Control": cache_control} if cache_control else {}
        made = found.made
        return fresh.answer(
            request, made.body, made.media_type, etag=found.etag, modified=made.modified, headers=headers
        )

    def _made(self, key: Hashable, make: Callable[[Connection], Made], config: Config) -> _Kept:
        """One page at a time, so that many who ask for the same new one do not have it made as many times."""
        with self._making, engines.read(self._pages.engine) as connection:
            state = editions.state(connection)
            found = self._good(key, state, config)
            if found is None:
                made = make(connection)
                found = _Kept(made, fresh.tag(made.body), state, config)
                self._put(key, found)
        return found

    def _good(self, key: Hashable, state: editions.State, config: Config) -> _Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.state != state or found.config is not config:
                return None
            self._kept.move_to_end(key)
            return found

    def _put(self, key: Hashable, found: _Kept) -> None:
        with self._lock:
            if before := self._kept.pop(key, None):
                self._bytes -= len(before.made.body)
            self._kept[key] = found
            self._bytes += len(found.made.body)
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.made.body)
