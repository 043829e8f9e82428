"""Real servers on the loopback address that behave as a test wants them to, and feeds for them to serve."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

Handler = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]
Dialogue = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Where a server is, and what it was asked."""

    port: int = 0
    requests: list[web.Request] = field(default_factory=list)

    def url(self, path: str = "/feed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """An HTTP server that answers every request as the handler says."""
    server = Server()

    async def answer(request: web.Request) -> web.StreamResponse:
        server.requests.append(request)
        response = handler(request)
        return response if isinstance(response, web.StreamResponse) else await response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(dialogue: Dialogue) -> AsyncIterator[Server]:
    """A server that reads a request and then says what it likes, byte by byte."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await dialogue(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with listener:
        yield Server(listener.sockets[0].getsockname()[1])


class Names(AbstractResolver):
    """A name server that may lie.

    Args:
        answers: by name, one answer for each question, the last of them also for all further ones: addresses, an error
            to raise, or None, which is no answer at all. Other names do not exist.
    """

    def __init__(self, answers: Mapping[str, Iterable[Iterable[str] | Exception | None]]) -> None:
        self._answers = {name: list(given) for name, given in answers.items()}
        self.questions: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.questions.append(host)
        answers = self._answers.get(host) or [socket.gaierror(socket.EAI_NONAME, "Name or service not known")]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if found is None:
            await asyncio.Event().wait()
        if isinstance(found, Exception):
            raise found
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in found or ()
        ]

    async def close(self) -> None:
        pass


def rss(*items: str, channel: str = "<title>Harbour Wire</title>") -> bytes:
    """An RSS 2.0 document."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{"".join(items)}</channel></rss>'.encode(
        "utf-8", "surrogatepass"
    )


def item(title: str = "Rates rise", link: str = "https://wire.example/a", guid: str = "", more: str = "") -> str:
    """An RSS item."""
    identity = f'<guid isPermaLink="false">{escape(guid)}</guid>' if guid else ""
    return f"<item><title>{escape(title)}</title><link>{escape(link)}</link>{identity}{more}</item>"
