"""Whatever lies outside is asked for real, all at once, and nobody is waited for for long."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from digest.config import Config, Relay
from digest.demo import servers
from digest.doctor import dns as our_dns
from digest.doctor import outside, pages
from digest.doctor.dns import Silent
from digest.findings import Level
from digest.model import Feed
from tests.delivery.audience import configured
from tests.web.live import Mailbox

HERE = "127.0.0.1"
ZONE = {("news.example.", "TXT"): ['"v=spf1 " "-all"'], ("mx.news.example.", "A"): ["9.9.9.9"]}


class Pages(BaseHTTPRequestHandler):
    """Pages of ours, and of somebody else at /other."""

    def do_GET(self) -> None:
        ours = self.path == "/health/live"
        self.send_response(200 if ours else 404)
        self.end_headers()
        self.wfile.write(b"live\n" if ours else b"no")

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a real web server."""
    server = ThreadingHTTPServer((HERE, 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HERE}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def nameserver() -> Iterator[int]:
    """The port of a real name server for the zone above."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HERE, 0))

        def serve() -> None:
            while (received := listener.recvfrom(4096))[0] != b"stop":
                query = dns.message.from_wire(received[0])
                answer = dns.message.make_response(query)
                name, kind = query.question[0].name.to_text(), query.question[0].rdtype.name
                if texts := ZONE.get((name, kind)):
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *texts))
                elif name not in {known for known, _ in ZONE}:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                listener.sendto(answer.to_wire(), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        yield port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", (HERE, port))
        thread.join()


def test_the_dns_is_asked_and_says_what_is_there_what_is_not_and_nothing_where_nobody_answers() -> None:
    with nameserver() as port:
        ask = our_dns.system(2.0, (HERE,), port)
        assert asyncio.run(ask("news.example", "TXT")) == ("v=spf1 -all",)
        assert asyncio.run(ask("mx.news.example", "A")) == ("9.9.9.9",)
        assert asyncio.run(ask("news.example", "A")) == ()
        assert asyncio.run(ask("absent.example", "TXT")) == ()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind((HERE, 0))
        with pytest.raises(Silent):
            asyncio.run(our_dns.system(0.2, (HERE,), mute.getsockname()[1])("news.example", "TXT"))


def test_the_public_address_is_called_as_readers_would(web: str) -> None:
    assert pages.reach(web, 2.0).level is Level.OK
    other = pages.reach(f"{web}/other", 2.0)
    assert (other.level, "answers, but not with our pages" in other.sentence) == (Level.FAULT, True)
    nobody = pages.reach(f"http://{HERE}:1", 2.0)
    assert nobody.level is Level.NOTE
    assert "does not answer (connection refused); start `digest run`" in nobody.sentence


def test_a_public_address_without_https_is_a_fault() -> None:
    insecure = pages.secure("http://news.example")
    assert insecure
    assert (insecure.level, "certificate" in insecure.sentence) == (Level.FAULT, True)
    assert pages.secure("https://news.example") is None


async def _nothing_known(_name: str, _kind: str) -> tuple[str, ...]:
    return ()


def config_with(home: Path, web: str, relay: Relay | None) -> Config:
    plain = configured(home, relay)
    return replace(plain, feeds=(Feed(f"{web}/rss", "F"),), site=replace(plain.site, base_url=web))


def test_a_relay_that_lets_us_in_and_a_server_that_knows_the_time_are_heard(tmp_path: Path, web: str) -> None:
    with servers.smtp_server(Mailbox()) as port:
        found = outside.examine(config_with(tmp_path, web, Relay(HERE, port)), _nothing_known)

    assert found.relay
    assert (found.relay.level, f"{HERE}:{port} answers and lets us in" in found.relay.sentence) == (Level.OK, True)
    assert abs(found.times[HERE] - datetime.now(UTC)) < timedelta(seconds=10)
    assert {one.subject for one in found.findings} == {"SPF", "DMARC", "PTR", "public address"}


def test_without_a_relay_nothing_is_asked_of_the_dns(tmp_path: Path, web: str) -> None:
    found = outside.examine(config_with(tmp_path, web, None), _nothing_known)
    assert (found.relay, found.findings) == (None, ())


def test_where_nobody_answers_it_is_said_in_time(tmp_path: Path) -> None:
    """Connections are taken and then left alone; the DNS takes for ever."""

    async def never(_name: str, _kind: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    with socket.create_server((HERE, 0), backlog=8) as mute:
        web = f"http://{HERE}:{mute.getsockname()[1]}"
        began = time.monotonic()
        found = outside.examine(config_with(tmp_path, web, Relay(HERE, mute.getsockname()[1])), never, deadline=0.3)
        took = time.monotonic() - began

    assert took < 3
    assert found.relay
    assert (found.relay.level, "it did not answer within 0.3 s" in found.relay.sentence) == (Level.FAULT, True)
    assert [(one.subject, one.level) for one in found.findings] == [("records", Level.NOTE)]
    assert not found.times
