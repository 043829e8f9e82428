"""Pages that are the same for everybody, kept in memory as they were made: an edition is frozen, and so is its page.

What may be kept depends on published editions, their corrections and the configuration, and on nothing else: not on who
asks, and not on what time it is.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection
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


class Kept:
    """Pages by what they are of; those that nobody has asked for the longest are dropped first."""

    def __init__(self, pages: Pages, most_bytes: int = MOST_BYTES) -> None:
        self._pages, self._most_bytes = pages, most_bytes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock, self._making = Lock(), Lock()

    def answer(
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
        with engines.read(self._pages.engine) as connection:
            found = self._good(key, editions.state(connection), config)
        if found is None:
            found = self._made(key, make, config)
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
