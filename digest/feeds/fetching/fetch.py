"""The one place that opens a connection to a publisher's server.

The address is checked when it is dialled, so names that change their answer, odd spellings and redirects are all
covered by one rule. Every wait and every size has a limit, and every failure is a value with a sentence.
"""

import asyncio
import re
import socket
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache, partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from digest import __version__
from digest.config import Fetch, Site
from digest.feeds.fetching import addresses, headers
from digest.feeds.fetching.body import Body, Unfit
from digest.feeds.fetching.headers import shown
from digest.feeds.fetching.metered import MeteredSocket
from digest.feeds.outcomes import Fetched, FetchFailed, NotModified
from digest.model import Validators

ACCEPT = "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.1"
TO_ALLOW = "if the feed is yours, set allow_private = true under [fetch]"

_FOR_GOOD = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT)
_ELSEWHERE = (*_FOR_GOOD, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT)
_GZIP = ("gzip", "x-gzip")
_LONGEST_HEADER = 8190
_MOST_HEADERS = 128
_MOST_HEADER_BYTES = 64 * 1024
_BLANK = re.compile(r"[\x00-\x20\x7f\\]")
_NOTHING = Validators()
T = TypeVar("T")

# OpenSSL's numbers (X509_V_ERR_…), as far as an operator can do something about them.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by nobody but itself",
    19: "comes from an authority that is not trusted here",
    20: "comes from an authority that is not trusted here",
    21: "comes from an authority that is not trusted here",
    62: "is for another name",
    64: "is for another address",
}


class _Refused(OSError):
    """The address that was about to be dialled is not a public one."""


class _Unusable(Exception):
    """The answer ends the call; holds what to report."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.failure = FetchFailed(reason, status)


class _Names(AbstractResolver):
    """Finds the addresses of names as the system does, in threads of its own.

    A name server that does not answer keeps a thread for half a minute; there is one for every fetch.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        find = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, find)
        return [
            ResolveResult(hostname=host, host=str(place[0]), port=port, family=kin, proto=protocol, flags=0)
            for kin, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _PublicNames(AbstractResolver):
    """Finds the addresses of names that lead to public addresses and to no other."""

    def __init__(self, names: AbstractResolver, to_allow: str) -> None:
        self._names, self._to_allow = names, to_allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if addresses.is_address(host) and not addresses.is_public(host):
            raise _refused(host, self._to_allow)
        found = await self._names.resolve(host, port, family)
        inside = next((one["host"] for one in found if not addresses.is_public(one["host"])), None)
        if inside:
            raise _refused(inside, self._to_allow)
        return found

    async def close(self) -> None:
        await self._names.close()


def user_agent(site: Site) -> str:
    """Who we are and how to reach us, as publishers' logs show it."""
    return f"economic-digest/{__version__} (+{site.base_url}; {site.contact})"


class Fetcher:
    """Calls on servers within the limits of `[fetch]`. An async context manager; one for each round of polls.

    With a proxy, only the proxy is dialled, wherever it is; a target is still refused where it is an inside address, or
    a name that leads to one as far as we can see from here.

    Args:
        settings: limits, the proxy, and whether inside addresses and unusual ports are allowed.
        agent: who we are, as `user_agent` says it.
        resolver: finds the addresses of names; the system's where none is given.
        accept: what we would like to be sent (RFC 9110, section 12.5.1).
        to_allow: how an inside address would be allowed.
    """

    def __init__(
        self,
        settings: Fetch,
        agent: str,
        resolver: AbstractResolver | None = None,
        *,
        accept: str = ACCEPT,
        to_allow: str = TO_ALLOW,
    ) -> None:
        self._to_allow = to_allow
        self._settings = settings
        self._headers = {"User-Agent": agent, "Accept": accept, "Accept-Encoding": "gzip"}
        self._proxy = URL(settings.proxy) if settings.proxy else None
        self._names = resolver or _Names(settings.concurrency)
        self._public_names = self._names if settings.allow_private else _PublicNames(self._names, to_allow)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.per_host))
        self._sockets: WeakValueDictionary[int, MeteredSocket] = WeakValueDictionary()
        self._session: aiohttp.ClientSession | None = None
        self._url = cache(_url)  # a turn and the fetch in it have the same one to read

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0,
            limit_per_host=self._settings.per_host,
            resolver=self._names if self._proxy else self._public_names,
            socket_factory=self._socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_seconds),
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            max_headers=_MOST_HEADERS,
            proxy=self._proxy,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()
        await self._names.close()

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """A place in the round for a URL's host, to be held for as long as its body is in memory.

        Waiting for it is not part of a fetch's deadline, and who waits for a slow host takes nobody else's place.
        """
        try:
            host = self._url(url).host or ""
        except (_Unusable, ValueError):
            host = ""
        async with self._hosts[host], self._places:
            yield

    async def fetch(self, url: str, validators: Validators = _NOTHING) -> Fetched | NotModified | FetchFailed:
        """The document at `url`, following redirects; conditional where validators are given (RFC 9110, section 13)."""
        return await self._in_time(self._follow(url, validators), muddles=validators != _NOTHING)

    async def post(self, url: str, body: bytes, said: Mapping[str, str]) -> int | FetchFailed:
        """Send a body with headers of its own, and return the status; the answer's body is not read, a redirect not followed."""
        return await self._in_time(self._post(url, body, said))

    async def _post(self, url: str, body: bytes, said: Mapping[str, str]) -> int:
        assert self._session is not None
        target = self._checked(url)
        if self._proxy:
            await self._check_behind_proxy(target)
        async with self._session.post(target, data=body, headers=said, allow_redirects=False) as response:
            return response.status

    async def _in_time(self, work: Awaitable[T], *, muddles: bool = False) -> T | FetchFailed:
        """What a call comes to, within the limit of the whole; `muddles` where a wrong answer may be due to conditions."""
        seconds = self._settings.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await work
        except _Unusable as error:
            return error.failure
        except aiohttp.ConnectionTimeoutError:
            return FetchFailed(f"no connection within {self._settings.connect_seconds:g} seconds")
        except TimeoutError:
            return FetchFailed(f"no whole answer within {seconds:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # A 304 with a body is such a muddle; asking without conditions next time gets round it.
            muddled = isinstance(error, aiohttp.ClientResponseError) and muddles
            return FetchFailed(shown(_in_words(error)), stale=muddled)

    async def _follow(self, url: str, validators: Validators) -> Fetched | NotModified | FetchFailed:
        assert self._session is not None
        target, moved_to, for_good = self._checked(url), None, True
        conditions = headers.conditions(validators)
        for _ in range(self._settings.redirects + 1):
            if self._proxy:
                await self._check_behind_proxy(target)
            async with self._session.get(target, headers=conditions, allow_redirects=False) as response:
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
        target = self._url(url)
        if target.scheme not in {"http", "https"} or not target.raw_host:
            raise _Unusable(f"{shown(url)} is not an http or https address")
        if target.user is not None or target.password is not None:
            raise _Unusable("addresses that name a user are refused")
        if "%" in target.raw_host or target.raw_host.endswith("."):
            raise _Unusable(f"{shown(url)} is not an address")
        if target.port not in self._settings.ports and not self._settings.allow_private:
            raise _Unusable(f"port {target.port} is refused; if the feed is yours, add it to ports under [fetch]")
        return target.with_fragment(None) if target.raw_fragment else target

    async def _check_behind_proxy(self, target: URL) -> None:
        """Refuse what leads inside; a name that only the proxy can look up is left to the proxy."""
        assert target.host is not None
        try:
            await self._public_names.resolve(target.host, target.port or 0, socket.AF_UNSPEC)
        except _Refused:
            raise
        except OSError:
            return

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        if not (self._settings.allow_private or self._proxy or addresses.is_public(str(place[0]))):
            raise _refused(str(place[0]), self._to_allow)
        made = MeteredSocket(family=family, type=kind, proto=protocol)
        self._sockets[made.fileno()] = made
        return made

    async def _answer(
        self, response: aiohttp.ClientResponse, asked: Validators, moved_to: str | None
    ) -> Fetched | NotModified | FetchFailed:
        status, said = response.status, response.headers
        if sum(len(name) + len(value) for name, value in response.raw_headers) > _MOST_HEADER_BYTES:
            return FetchFailed(f"the answer's headers are larger than {_MOST_HEADER_BYTES} bytes", status)
        if status == HTTPStatus.NOT_MODIFIED:
            if asked == _NOTHING:
                reason = "the server says 304 although we asked for the whole document"
                return FetchFailed(reason, status, stale=True)
            given = headers.validators(said)
            kept = Validators(given.etag or asked.etag, given.last_modified or asked.last_modified)
            return NotModified(kept, moved_to, headers.fresh_for(said))
        if status != HTTPStatus.OK or headers.BOT_WALL in said:
            return headers.refusal(status, said)
        return Fetched(
            body=await self._body(response),
            url=str(response.url),
            status=status,
            validators=headers.validators(said),
            content_type=said.get("Content-Type", ""),
            moved_to=moved_to,
            fresh_for=headers.fresh_for(said),
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity", *_GZIP}:
            raise _Unusable(f"the body is packed as {shown(encoding)}, which we did not ask for", response.status)
        body = Body(self._settings.most_bytes, packed=encoding in _GZIP)
        try:
            body.expect(response.content_length or 0)
            # Without a connection the body has arrived.
            if response.connection and (transport := response.connection.transport):
                self._sockets[transport.get_extra_info("socket").fileno()].allow(self._settings.most_bytes)
            async for piece, ends_chunk in response.content.iter_chunks():
                body.add(piece, ends_chunk=ends_chunk)
            return body.whole()
        except Unfit as error:
            raise _Unusable(str(error), response.status) from error


def _refused(address: str, to_allow: str) -> _Refused:
    return _Refused(f"{address} is not a public address; {to_allow}")


def _url(text: str) -> URL:
    if _BLANK.search(text):
        raise _Unusable(f"{shown(text)} is not an address")
    return URL(text)


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorError():
            words = _not_reached(error)
        case aiohttp.ClientOSError():
            words = f"the connection broke off: {error.strerror or error}"
        case aiohttp.ServerDisconnectedError():
            words = "the server hung up without an answer"
        case aiohttp.ClientPayloadError():
            words = "the answer broke off"
        case aiohttp.ClientHttpProxyError():
            words = f"the proxy answered {error.status} {error.message}"
        case aiohttp.ClientResponseError():
            words = f"the answer is not proper HTTP: {error.message}"
        case aiohttp.InvalidURL():
            words = f"{error} is not an address"
        case _Refused():
            words = str(error)
        case _:
            words = f"{type(error).__name__}: {error}"
    return words


def _not_reached(error: aiohttp.ClientConnectorError) -> str:
    reason = error.os_error.strerror or str(error.os_error)
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as fault):
            known = _CERTIFICATE_FAULTS.get(fault.verify_code)
            words = f"the certificate of {error.host} {known or f'was not accepted: {fault.verify_message}'}"
        case aiohttp.ClientConnectorSSLError():
            words = f"no secure connection to {error.host}: {reason}"
        case aiohttp.ClientConnectorDNSError(os_error=_Refused()):
            words = reason
        case aiohttp.ClientConnectorDNSError():
            words = f"the name {error.host} was not found"
        case aiohttp.ClientProxyConnectionError():
            words = f"no connection to the proxy {error.host}: {reason}"
        case _:
            words = f"no connection to {error.host}: {reason}"
    return words
