"""How fast editions go out, beside Postfix's load generator, smtplib and the naive way, and how much memory it takes.

    python -m bench.send --postfix POSTFIX [--messages 50000] [--rounds 3] [--largest 1000000]

POSTFIX is where Debian's `postfix` package was unpacked (see bench/sinks.py). "ours" is the product's whole way in one
process: the ledger on SQLite with `synchronous=FULL`, each mail with its reader's own links, each final dot after its
commit. First the most memory of a sender of 10,000 and of `--largest` messages. Then three comparisons, in rounds that
take turns, of which the middle counts:

- "smtp-source" sends one of these very mails over and over, over 16 connections that stay open. Both to the same
  `smtp-sink`, which has all it can do.
- "naive" fills the templates, inlines and builds each reader's mail, and sends it with smtplib. Both to a sink of our own
  that nobody has to wait for.
- "smtplib", 64 threads with ready-made mails. Both to a relay that takes 10 ms for each answer: a thread costs smtplib
  a connection, and us none.

Exits with 1 where a limit is missed, or where somebody did not get exactly one mail.
"""

import argparse
import asyncio
import json
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from bench import sinks
from bench.measured import measured
from bench.readers import KEYS, filled, published
from bench.render import MORNING, SITE, STORIES, Ways, deliveries, edition
from digest.config import Config, Fetch, Market, Ranking, Relay, Sending, Web
from digest.delivery import message
from digest.delivery.deliver import deliver
from digest.editions.render import Renderer
from digest.links import Links
from digest.model import DeliveryState
from digest.store import deliveries as ledger
from digest.store import engine as engines

MESSAGES, ROUNDS, LARGEST, SMALLEST = 50_000, 3, 1_000_000, 10_000
SOURCE_SESSIONS, OUR_CONNECTIONS, THREADS = 16, 200, 64
FAR_CONNECTIONS = 300
"""Ours to a relay that takes a while to answer: so many are waiting that there is always one to go on with."""
DELAY_SECONDS = 0.01
NAIVE_MESSAGES = 40
OF_SOURCE, OF_SMTPLIB, OF_NAIVE = 0.6, 4.0, 100.0
"""How many times as fast as these the whole way has to be."""
MOST_MB = 300.0
LINKS = Links(SITE.base_url, KEYS)
RENDERER = Renderer(SITE, LINKS)


def ours(folder: Path, port: int, messages: int, connections: int = OUR_CONNECTIONS) -> float:
    """Messages a second of the product itself.

    Raises:
        CalledProcessError: somebody was not sent exactly one.
    """
    return _apart("--one-run", folder, port, messages, connections)["rate"]


def _apart(way: str, folder: Path, port: int, messages: int, connections: int) -> dict[str, float]:
    """What a way says of itself in a process of its own."""
    command = [sys.executable, "-m", "bench.send", way, str(folder), "--port", str(port), "--messages", str(messages)]
    done = subprocess.run([*command, "--connections", str(connections)], check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def one_run(folder: Path, port: int, messages: int, connections: int) -> dict[str, float]:
    """A run of the sender over a new database.

    Raises:
        AssertionError: somebody was not sent exactly one.
    """
    path = folder / f"{time.monotonic_ns()}.db"
    engine = engines.connect(f"sqlite:///{path}")
    prepared = [sys.executable, "-m", "bench.send", "--prepare", str(path), "--messages", str(messages)]
    subprocess.run(prepared, check=True)  # in another process, whose memory is not the sender's
    config = Config(
        home=folder,
        site=SITE,
        fetch=Fetch(),
        ranking=Ranking(),
        delivery=replace(Sending(), connections=connections),
        web=Web(),
        market=Market(),
        digests=(),
        topics=(),
        feeds=(),
        database_url="",
        relay=Relay("127.0.0.1", port),
        keys=KEYS,
    )
    cost = measured(lambda: asyncio.run(deliver(config, engine, lambda: MORNING)))
    with engines.read(engine) as connection:
        [audited] = ledger.audit(connection)
    if not audited.balanced or audited.counts[DeliveryState.SENT] != messages:
        raise AssertionError(f"{messages:,} readers, but {audited.counts}")
    engine.dispose()
    for file in folder.glob(f"{path.name}*"):
        file.unlink()
    return {"rate": messages / cost.wall, "cpu": cost.cpu / messages * 1e6, "peak_mb": cost.peak_mb}


def prepare(path: Path, messages: int) -> None:
    """An edition with so many deliveries."""
    engine = engines.connect(f"sqlite:///{path}")
    filled(engine, messages, MORNING)
    stored = published(engine, edition(STORIES))
    with engines.write(engine) as connection:
        ledger.freeze(connection, stored, MORNING)
    engine.dispose()


def smtp_source(postfix: Path, mail: Path, port: int, messages: int) -> float:
    """Messages a second of Postfix's load generator."""
    command = [str(postfix / "usr/sbin/smtp-source"), "-d", "-s", str(SOURCE_SESSIONS), "-m", str(messages)]
    began = time.perf_counter()
    subprocess.run([*command, "-F", str(mail), f"127.0.0.1:{port}"], check=True, env=sinks.tools(postfix))
    return messages / (time.perf_counter() - began)


def naive(port: int, messages: int) -> float:
    """Messages a second where each reader's mail is rendered, inlined and built, and sent by smtplib."""
    ways = Ways(edition(STORIES), RENDERER)
    readers = ways.readers(messages)
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for reader, mail in zip(readers, ways.naive(readers), strict=True):
            client.sendmail(SITE.from_address, reader.address, mail)
    return messages / (time.perf_counter() - began)


def threaded(port: int, messages: int, count: int) -> dict[str, float]:
    """Run smtplib with ready-made mails, over a connection for each of `count` threads."""
    mails: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
    for one, mail in zip(deliveries(messages), filled_mails(messages), strict=True):
        mails.put((one.address, mail))
    for _ in range(count):
        mails.put(None)

    def work() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            assert client.sock is not None
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (ready := mails.get()) is not None:
                client.sendmail(SITE.from_address, *ready)

    threads = [threading.Thread(target=work) for _ in range(count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": messages / (time.perf_counter() - began)}


def filled_mails(count: int) -> Iterator[bytes]:
    whose = edition(STORIES)
    compiled = message.compile_edition(RENDERER.edition_mail(whose), whose, SITE, LINKS)
    return (
        compiled.fill(message.reader_of(one, whose, SITE, LINKS, compiled.language), MORNING)
        for one in deliveries(count)
    )


def middle(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Each way's rate, of rounds that take turns."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way())
    return {name: statistics.median(several) for name, several in rates.items()}


def compared(rates: dict[str, float], others: dict[str, float]) -> Iterator[tuple[str, bool]]:
    """A line for each other way, and whether ours is as many times as fast as it has to be."""
    for name, least in others.items():
        times = rates["ours"] / rates[name]
        kept = times >= least
        yield (
            (
                f"{name:12} {rates[name]:9,.1f}/s   ours {rates['ours']:8,.0f}/s   {times:7,.2f} x   "
                f"at least {least:g} x {'met' if kept else 'MISSED'}"
            ),
            kept,
        )


def table(folder: Path, postfix: Path, messages: int, rounds: int, largest: int) -> Iterator[tuple[str, bool]]:
    # First of all, since a process starts with the most memory of the one that started it.
    with sinks.delayed(0) as port:
        for size in sorted({SMALLEST, largest}):
            done = _apart("--one-run", folder, port, size, OUR_CONNECTIONS)
            kept = done["peak_mb"] < MOST_MB
            verdict = f"at most {MOST_MB:g} MB {'met' if kept else 'MISSED'}"
            yield f"{size:,} messages at {done['rate']:,.0f}/s: {done['peak_mb']:.0f} MB, {verdict}", kept
    mail = folder / "mail.txt"
    [body] = filled_mails(1)
    mail.write_bytes(body.replace(b"\r\n", b"\n"))
    yield f"{len(body) / 1024:.1f} kB a message, {messages:,} messages, middle of {rounds} rounds", True
    with sinks.smtp_sink(postfix) as port:
        rates = middle(
            {
                "smtp-source": lambda: smtp_source(postfix, mail, port, messages),
                "ours": lambda: ours(folder, port, messages),
            },
            rounds,
        )
    yield from compared(rates, {"smtp-source": OF_SOURCE})
    with sinks.delayed(0) as port:
        ways = {"naive": lambda: naive(port, NAIVE_MESSAGES), "ours": lambda: ours(folder, port, messages)}
        rates = middle(ways, rounds)
    yield from compared(rates, {"naive": OF_NAIVE})
    with sinks.delayed(DELAY_SECONDS) as port:
        rates = middle(
            {
                "smtplib": lambda: _apart("--threaded", folder, port, messages, THREADS)["rate"],
                "ours": lambda: ours(folder, port, messages, FAR_CONNECTIONS),
            },
            rounds,
        )
    yield (
        f"{1000 * DELAY_SECONDS:g} ms an answer, {THREADS} threads of smtplib, {FAR_CONNECTIONS} connections of ours",
        True,
    )
    yield from compared(rates, {"smtplib": OF_SMTPLIB})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postfix", type=Path)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--largest", type=int, default=LARGEST)
    parser.add_argument("--one-run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--threaded", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--connections", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        prepare(options.prepare, options.messages)
        return 0
    if options.one_run:
        print(json.dumps(one_run(options.one_run, options.port, options.messages, options.connections)))
        return 0
    if options.threaded:
        print(json.dumps(threaded(options.port, options.messages, options.connections)))
        return 0
    if options.postfix is None:
        parser.error("--postfix is needed")
    all_kept = True
    with tempfile.TemporaryDirectory(prefix="digest-send-") as folder:
        for line, kept in table(
            Path(folder), options.postfix.resolve(), options.messages, options.rounds, options.largest
        ):
            print(line, flush=True)
            all_kept &= kept
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
