"""Bringing a picture home: it is fetched as feeds are, and made in a child process that can be killed."""

import asyncio
import json
from asyncio.subprocess import Process
from dataclasses import replace
from urllib.parse import urlsplit

from digest import child
from digest.config import Fetch, Pictures
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import Fetched
from digest.pictures.outcomes import LEAST_WIDTH, LENGTH_BYTES, WIDTH, Made, NoPicture

SECONDS = 15.0
"""For all of it: no edition waits longer for its picture."""
MOST_FETCHED_BYTES = 8 * 1024 * 1024

_ACCEPT = "image/webp, image/jpeg, image/png, image/gif;q=0.8, */*;q=0.1"
_CONNECT_SECONDS = 5.0
_REDIRECTS = 3
_MOST_SAID_BYTES = 4096
_JPEG = b"\xff\xd8\xff"


async def bring(
    url: str, settings: Pictures, fetch: Fetch, agent: str, *, width: int | None = None, seconds: float = SECONDS
) -> Made | NoPicture:
    """The picture at an address, as one of ours; whatever happens, within `seconds`.

    Args:
        url: an absolute address, as a feed gave it.
        settings: which pictures are shown.
        fetch: how we call on servers, and where we may.
        agent: who we are.
        width: in pixels, where the feed states it.
        seconds: how long it may take.
    """
    if width is not None and width < LEAST_WIDTH:
        return NoPicture(f"the feed offers it only {width} pixels wide; {LEAST_WIDTH} are needed")
    if refused := _refused(url, settings):
        return refused
    limits = replace(
        fetch,
        most_bytes=MOST_FETCHED_BYTES,
        connect_seconds=min(fetch.connect_seconds, _CONNECT_SECONDS),
        total_seconds=min(fetch.total_seconds, seconds),
        redirects=min(fetch.redirects, _REDIRECTS),
    )
    try:
        async with asyncio.timeout(seconds):
            async with Fetcher(limits, agent, accept=_ACCEPT) as fetcher:
                answer = await fetcher.fetch(url)
            if not isinstance(answer, Fetched):
                return NoPicture(getattr(answer, "reason", "the server sent none"))
            return _refused(answer.url, settings) or await made(answer.body, settings.most_kilobytes * 1024)
    except TimeoutError:
        return NoPicture(f"it could not be fetched and made within {seconds:g} seconds")


async def made(body: bytes, most_bytes: int) -> Made | NoPicture:
    """What a child process makes of these bytes. Ending the wait ends the child."""
    process = await child.start("digest.pictures.worker", str(most_bytes))
    try:
        return await _answer(process, body, most_bytes)
    except (asyncio.IncompleteReadError, ConnectionError):
        return NoPicture("it took more memory or time to read than a picture may")
    except (ValueError, TypeError, KeyError):
        return NoPicture("the child that made it answered nonsense")
    finally:
        await child.end(process)


async def _answer(process: Process, body: bytes, most_bytes: int) -> Made | NoPicture:
    assert process.stdin
    process.stdin.write(body)
    await process.stdin.drain()
    process.stdin.close()
    said = json.loads(await _part(process, _MOST_SAID_BYTES))
    picture = await _part(process, most_bytes)
    if "unfit" in said:
        return NoPicture(f"the picture {said['unfit']}")
    width, height = int(said["width"]), int(said["height"])
    # A child that something in the picture has taken over may say anything.
    if not picture.startswith(_JPEG) or not 0 < width <= WIDTH or not 0 < height <= WIDTH:
        raise ValueError
    return Made(picture, width, height)


async def _part(process: Process, most: int) -> bytes:
    assert process.stdout
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
    if length > most:
        raise ValueError
    return await process.stdout.readexactly(length)


def _refused(url: str, settings: Pictures) -> NoPicture | None:
    host = (urlsplit(url).hostname or "").lower()
    if any(host == refused or host.endswith(f".{refused}") for refused in settings.refused_hosts):
        return NoPicture(f"pictures of {host} are refused in [pictures] refused_hosts")
    return None
