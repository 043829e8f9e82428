"""The one place that opens a connection to a publisher's server.

The address is checked when it is dialled, so names that change their answer, odd spellings and redirects are all
covered by one rule. Every wait and every size has a limit, and every failure is a value with a sentence.
"""

import asyncio
import re
import socket
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from digest.config import Fetch
from digest.feeds import addresses
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified
from digest.model import Validators

ACCEPT = "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.1"
TO_ALLOW = "if the feed is yours, set allow_private = true under [fetch]"
USUAL_PORTS = (80, 443)
REFUSED_WAIT = timedelta(hours=4)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=30), timedelta(hours=24)

_FOR_GOOD = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT)
_ELSEWHERE = (*_FOR_GOOD, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT)
_MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_UNWELCOME = (
    *(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS),
    HTTPStatus.TOO_MANY_REQUESTS,
)
_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 8190
_MOST_HEADERS = 128
_LONGEST_VALIDATOR = 1024
_LONGEST_SHOWN = 200
_NOTHING = Validators()


class _Refused(OSError):
    """The address that was about to be dialled is not a public one."""


class _Unusable(Exception):
    """The answer ends the call; holds what to report."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.failure = FetchFailed(reason, status)


class Fetcher:
    """Calls on servers within the limits of `[fetch]`. An async context manager; one for each round of polls.

    Args:
        settings: limits, and whether inside addresses and unusual ports are allowed.
        user_agent: who we are and how to reach us, as publishers' logs will show it.
        resolver: finds the addresses of names; the system's where none is given.
    """

    def __init__(self, settings: Fetch, user_agent: str, resolver: AbstractResolver | None = None) -> None:
        self._settings = settings
        self._headers = {"User-Agent": user_agent, "Accept": ACCEPT, "Accept-Encoding": "gzip"}
        self._resolver = resolver
        self._places = asyncio.Semaphore(settings.concurrency)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.per_host))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, resolver=self._resolver, socket_factory=self._socket)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_seconds),
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            max_headers=_MOST_HEADERS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """A place in the round for a URL's host, to be held for as long as its body is in memory.

        Waiting for it is not part of a fetch's deadline, and who waits for a slow host takes nobody else's place.
        """
        try:
            host = URL(url).host or ""
        except ValueError:
            host = ""
        async with self._hosts[host], self._places:
            yield

    async def fetch(self, url: str, validators: Validators = _NOTHING) -> Fetched | NotModified | FetchFailed:
        """The document at `url`, following redirects; conditional where validators are given (RFC 9110, section 13)."""
        seconds = self._settings.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, validators)
        except _Unusable as error:
            return error.failure
        except aiohttp.ConnectionTimeoutError:
            return FetchFailed(f"no connection within {self._settings.connect_seconds:g} seconds")
        except TimeoutError:
            return FetchFailed(f"no whole answer within {seconds:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FetchFailed(_in_words(error))

    async def _follow(self, url: str, validators: Validators) -> Fetched | NotModified | FetchFailed:
        assert self._session is not None
        target, moved_to, for_good = self._checked(url), None, True
        headers = _conditions(validators)
        for _ in range(self._settings.redirects + 1):
            async with self._session.get(target, headers=headers, allow_redirects=False) as response:
                if response.status not in _ELSEWHERE:
                    return await self._answer(response, validators, moved_to)
                location = response.headers.get("Location", "")
                if not location:
                    raise _Unusable("the server redirects without saying where to", response.status)
                for_good = for_good and response.status in _FOR_GOOD
                target = self._checked(str(target.join(_url(location))))
                moved_to = str(target) if for_good else moved_to
        raise _Unusable(f"more than {self._settings.redirects} redirects")

    def _checked(self, url: str) -> URL:
        target = _url(url)
        if target.scheme not in {"http", "https"} or not target.host:
            raise _Unusable(f"{_shown(url)} is not an http or https address")
        if target.user is not None or target.password is not None:
            raise _Unusable("addresses that name a user are refused")
        if target.port not in USUAL_PORTS and not self._settings.allow_private:
            raise _Unusable(f"port {target.port} is refused, being neither 80 nor 443; {TO_ALLOW}")
        return target.with_fragment(None)

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        if not self._settings.allow_private and not addresses.is_public(str(place[0])):
            raise _Refused(f"{place[0]} is not a public address; {TO_ALLOW}")
        return socket.socket(family=family, type=kind, proto=protocol)

    async def _answer(
        self, response: aiohttp.ClientResponse, asked: Validators, moved_to: str | None
    ) -> Fetched | NotModified | FetchFailed:
        status, headers = response.status, response.headers
        if status == HTTPStatus.NOT_MODIFIED:
            if asked == _NOTHING:
                return FetchFailed("the server says 304 although we asked for the whole document", status)
            given = _validators(headers)
            kept = Validators(given.etag or asked.etag, given.last_modified or asked.last_modified)
            return NotModified(kept, moved_to, _fresh_for(headers))
        if status != HTTPStatus.OK:
            return _refusal(status, headers)
        return Fetched(
            body=await self._body(response),
            url=str(response.url),
            status=status,
            validators=_validators(headers),
            content_type=headers.get("Content-Type", ""),
            moved_to=moved_to,
            fresh_for=_fresh_for(headers),
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        most, status = self._settings.most_bytes, response.status
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip", "x-gzip"}:
            raise _Unusable(f"the body is packed as {_shown(encoding)}, which we did not ask for", status)
        too_large = _Unusable(f"the body is larger than {most} bytes", status)
        if (response.content_length or 0) > most:
            raise too_large
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > most:
                raise too_large
        if "gzip" in encoding or body.startswith(_GZIP_MAGIC):
            try:
                unpacked = _unpacked(bytes(body), most)
            except zlib.error as error:
                raise _Unusable(f"the gzip body is broken: {error}", status) from error
            if unpacked is None:
                raise too_large
            return unpacked
        if not body:
            raise _Unusable("the body is empty", status)
        return bytes(body)


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """One layer of gzip removed; None where more than `most` bytes would come out.

    Raises:
        zlib.error: it is not gzip, or not all of it.
    """
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    body = stream.decompress(packed, most + 1)
    if len(body) > most:
        return None
    if not stream.eof or stream.unused_data.startswith(_GZIP_MAGIC):
        raise zlib.error("it does not end where it should")
    return body


def _url(text: str) -> URL:
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise _Unusable(f"{_shown(text)} is not an address")
    return URL(text)


def _conditions(validators: Validators) -> dict[str, str]:
    wanted = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in wanted.items() if value}


def _validators(headers: Mapping[str, str]) -> Validators:
    values = (headers.get(name, "") for name in ("ETag", "Last-Modified"))
    etag, modified = (v if v and v.isprintable() and len(v) <= _LONGEST_VALIDATOR else None for v in values)
    return Validators(etag, modified)


def _refusal(status: int, headers: Mapping[str, str]) -> FetchFailed:
    wait = _retry_after(headers)
    if status in _UNWELCOME or (wait is None and "Retry-After" in headers):
        wait = wait or REFUSED_WAIT
    if "cf-mitigated" in headers:
        return FetchFailed("blocked by bot protection", status, wait)
    known = {member.value: member.phrase for member in HTTPStatus}
    return FetchFailed(
        f"the server answered {status} {known.get(status, '')}".rstrip(), status, wait, status in _MISSING
    )


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What Retry-After asks for, within reason; None where it makes no sense. A date counts from the server's own."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        wait = timedelta(seconds=min(int(text), LONGEST_WAIT.total_seconds()))
    else:
        until, since = _date(text), _date(headers.get("Date", ""))
        if until is None or since is None or until < since:
            return None
        wait = until - since
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).replace(tzinfo=None)  # HTTP dates are all in GMT
    except ValueError:
        return None


def _fresh_for(headers: Mapping[str, str]) -> timedelta | None:
    """How long Cache-Control lets an answer live on from now (RFC 9111, section 4.2)."""
    limit = re.search(r"\bmax-age=\"?(\d{1,18})", headers.get("Cache-Control", ""), re.IGNORECASE | re.ASCII)
    if not limit:
        return None
    age = re.fullmatch(r"\d{1,18}", headers.get("Age", "").strip(), re.ASCII)
    seconds = int(limit[1]) - (int(age[0]) if age else 0)
    return timedelta(seconds=min(max(seconds, 0), LONGEST_WAIT.total_seconds()))


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            words = f"the certificate of {error.host} was not accepted: {error.certificate_error}"
        case aiohttp.ClientConnectorDNSError():
            words = f"the name {error.host} was not found"
        case aiohttp.ClientConnectorError():
            words = f"no connection to {error.host}: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            words = "the server hung up without an answer"
        case aiohttp.ClientPayloadError():
            words = "the answer broke off"
        case aiohttp.ClientResponseError():
            words = f"the answer is not proper HTTP: {error.message}"
        case _:
            words = f"{type(error).__name__}: {error}"
    return _shown(words)


def _shown(text: str) -> str:
    """A stranger's text, fit for one line of a report."""
    printable = "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))
    return printable if len(printable) <= _LONGEST_SHOWN else f"{printable[:_LONGEST_SHOWN]}…"
