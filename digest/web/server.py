"""The pages on a port: uvicorn, quiet and ended by a signal without losing a request."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from sqlalchemy import Engine

from digest.config import Config, Web
from digest.errors import WorkError
from digest.web.app import create_app
from digest.web.hurry import Hurried

IDLE_SECONDS = 15
LAST_REQUEST_SECONDS = 5


def serve(address: Web, in_force: Callable[[], Config], engine: Engine, clock: Callable[[], datetime]) -> None:
    """Answer requests at an address until SIGTERM or SIGINT, then finish those under way and return.

    Logs hold no addresses of pages, since a token is one.

    Raises:
        WorkError: the port cannot be had.
        MissingSecret: there is no key to read signed links with.
    """
    server = build(in_force, engine, clock)
    with _listening(address.host, address.port) as listener, _ended_by_signals(server):
        server.run([listener])


def build(in_force: Callable[[], Config], engine: Engine, clock: Callable[[], datetime]) -> uvicorn.Server:
    """The server as it runs, without a port yet.

    Raises:
        MissingSecret: there is no key to read signed links with.
    """
    return uvicorn.Server(
        uvicorn.Config(
            create_app(in_force, engine, clock),
            http=Hurried,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            # Addresses in pages come from the configuration alone, so a proxy has nothing to tell us.
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=LAST_REQUEST_SECONDS,
        )
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise WorkError(f"Pages cannot be served at {host}:{port}: {error.strerror or error}.") from error
    with listener:
        # asyncio sets it only where a socket names its protocol, and this one's do not. Without it a body waits 40 ms for
        # its head to be acknowledged. Connections have it from their listener.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """While inside, a stop signal ends the server and no more: uvicorn raises it again once it has ended."""

    def end(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
