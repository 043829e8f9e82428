"""The demo's outside world on loopback: a web server with the sample feeds, and an SMTP server with an inbox a reader."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"


@contextmanager
def feed_server(documents: Mapping[str, bytes]) -> Iterator[str]:
    """Serve documents by name; yields the address they are below."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is http.server's
            body = documents.get(self.path.lstrip("/"))
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet; the poll reports what it read."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Inbox:
    """Keeps every mail as `<address>/<n>.eml` below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Write the mail to the inbox of its one recipient."""
        (address,) = envelope.rcpt_tos
        inbox = self._folder / Path(address).name
        inbox.mkdir(parents=True, exist_ok=True)
        content = envelope.content
        body = content.encode() if isinstance(content, str) else content or b""
        (inbox / f"{len(list(inbox.iterdir())) + 1}.eml").write_bytes(body)
        return "250 2.0.0 kept"


@contextmanager
def inbox_server(folder: Path) -> Iterator[int]:
    """Take mail by SMTP into a folder; yields the port."""
    with smtp_server(Inbox(folder)) as port:
        yield port


@contextmanager
def smtp_server(handler: object) -> Iterator[int]:
    """Hand mail taken by SMTP to one of aiosmtpd's handlers; yields the port."""
    controller = Controller(handler, hostname=LOOPBACK, port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A loopback port that nobody listens on, for a server that cannot be told to choose one by itself."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
