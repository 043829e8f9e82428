"""How many pages a second one process answers with: an edition, the archive, its feed, and a search.

    python -m bench.pages [--seconds 10] [--connections 16]

Needs `wrk` (Debian's, for instance). `digest web` runs as it does for readers, over SQLite with 90 editions, and takes part of the
machine with wrk itself; so the server's own computing time for each request is told too.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path

from digest.editions import specimen
from digest.store import editions
from digest.store import engine as engines

DAY = date(2026, 2, 10)
EDITIONS = 90
PATHS = {
    "an edition": f"/archive/economy/{DAY}",
    "the archive": "/archive/economy",
    "the feed": "/archive/economy/feed.atom",
    "a search": "/search?q=inflation",
    "the home page": "/",
}
_TICKS = os.sysconf("SC_CLK_TCK")


def furnish(home: Path, port: int, environment: dict[str, str]) -> None:
    """A home folder with a configuration and published editions."""
    for command in ("init", "migrate"):
        subprocess.run([sys.executable, "-m", "digest", command], check=True, env=environment, capture_output=True)
    settings = home / "digest.toml"
    settings.write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", settings.read_text(encoding="utf-8")), "utf-8")
    engine = engines.connect(f"sqlite:///{home / 'digest.db'}")
    with engines.write(engine) as connection:
        for number in range(EDITIONS):
            day = DAY - timedelta(days=number)
            editions.insert(connection, replace(specimen.edition(), digest="economy", date=day))
    engine.dispose()


@contextmanager
def served(port: int, environment: dict[str, str]) -> Iterator[int]:
    """The pages on a port, by the process with this id."""
    with subprocess.Popen([sys.executable, "-m", "digest", "web"], env=environment) as process:
        try:
            while not _answers(port):
                if process.poll() is not None:
                    raise SystemExit("the server has ended")
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _computed(process: int) -> float:
    """Seconds of computing that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def ask(port: int, path: str, seconds: int, connections: int, process: int) -> str:
    """What wrk says of a path, in a line."""
    before = _computed(process)
    url = f"http://127.0.0.1:{port}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    computed = _computed(process) - before
    rate, total = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    half, most = (re.search(rf"{share}%\s+(\S+)", said) for share in (50, 99))
    assert rate
    assert total
    assert half
    assert most
    failed = "" if "Non-2xx" not in said else "  BUT NOT ALL WELL"
    each = computed / int(total[1]) * 1000
    return f"{float(rate[1]):7.0f} a second, {each:5.2f} ms of computing each; 50 % {half[1]}, 99 % {most[1]}{failed}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--connections", type=int, default=16)
    given = options.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="digest-pages-") as folder:
        home = Path(folder)
        environment = os.environ | {"DIGEST_HOME": folder, "DIGEST_SECRET_KEY": "a-key-for-this-measure-only"}
        furnish(home, port, environment)
        with served(port, environment) as process:
            for name, path in PATHS.items():
                print(f"{name:14} {ask(port, path, given.seconds, given.connections, process)}", flush=True)


if __name__ == "__main__":
    main()
