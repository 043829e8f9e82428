"""A program that is told of what happens: it checks signatures, remembers what it took, and answers as it is told."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()


@dataclass
class Receiver:
    """Answers with the statuses given, one a call, then with 204. `taken` are the bodies of those calls by their ids."""

    statuses: list[int] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    @property
    def words(self) -> list[str]:
        return [said["type"] for _, said in self.calls]

    def take(self, headers: Any, body: bytes) -> int:
        key, seconds = headers["webhook-id"], headers["webhook-timestamp"]
        made = hmac.digest(b"a secret of twenty-four.", f"{key}.{seconds}.".encode() + body, hashlib.sha256)
        assert f"v1,{base64.b64encode(made).decode()}" in headers["webhook-signature"].split()
        assert (headers["content-type"], len(body) <= 4096) == ("application/json", True)
        self.before()
        self.calls.append((key, json.loads(body)))
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.taken.append(key)
        return status


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """A server on this machine until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(receiver.take(self.headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
