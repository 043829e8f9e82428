"""The server holds its port, and lets go of it when it is told to stop."""

import contextlib
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Web
from digest.errors import MissingSecret, WorkError
from digest.web import hurry, server
from tests.conftest import NOW
from tests.web.conftest import Service, configuration

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from digest import home as homefolder
from digest.store import engine as engines
from digest.web import hurry, server

home = homefolder.load(Path(sys.argv[1]), {"DIGEST_SECRET_KEY": "a-key-for-these-tests-only"})
server.serve(home.web, lambda: home, engines.connect("sqlite://"), lambda: datetime(2026, 2, 10, tzinfo=UTC))
print("and then the rest")
"""


def test_a_stop_signal_ends_the_server_and_lets_the_rest_follow(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "digest.toml").write_text(
        f'[site]\npostal_address = "x"\n[web]\nport = {port}\n[[digest]]\nslug = "economy"\n', encoding="utf-8"
    )
    (tmp_path / "topics.toml").write_text('[[topic]]\nslug = "a"\ntitle = "A"\nterms = ["rates"]\n', encoding="utf-8")
    (tmp_path / "feeds.toml").touch()
    answer = 0
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not answer and process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as response,
            ):
                answer = response.status
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)

    assert answer == 200
    assert (process.returncode, out, err) == (0, "and then the rest\n", "")


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: "],
    ids=["nothing", "half a request", "one and a half"],
)
def test_who_does_not_come_to_the_point_is_hung_up_on(
    service: Service, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(hurry, "REQUEST_SECONDS", 0.3)

    def crumbs(connection: socket.socket) -> Iterator[bytes]:
        """What the server says, while a byte a moment goes to it; nothing once it has hung up."""
        for _ in range(100):
            with contextlib.suppress(TimeoutError):
                yield connection.recv(4096)
            connection.sendall(b"x" if said else b"")

    with (
        contextlib.closing(socket.create_connection(("127.0.0.1", service.port), timeout=0.02)) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(said)
        assert b"" in crumbs(connection), "after two seconds it is still waited for"


def test_a_port_that_is_taken_is_named(service: Service) -> None:
    config = replace(service.config, web=Web(port=service.port))

    with pytest.raises(WorkError, match=rf"127\.0\.0\.1:{service.port}: Address already in use"):
        server.serve(config.web, lambda: config, service.engine, lambda: NOW)


def test_without_a_key_nothing_is_served(tmp_path: Path, sqlite_engine: Engine) -> None:
    with pytest.raises(MissingSecret):
        server.build(lambda: replace(configuration(tmp_path), keys=()), sqlite_engine, lambda: NOW)


def test_the_body_of_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    with (
        server._listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
