"""How long a round of polls takes, and what it costs, beside another feed library: lemon24's `reader`.

    python bench/poll.py [--feeds 500] [--entries 50] [--rounds 3] [--peer-python PATH] [--json]

Generated feeds (`bench/feeds_server.py`) are polled for the first time, again while nothing has changed, and again when
each has three new entries; by either side in turns, with a process for each poll and a database of its own. The table
holds medians. Exits with 1 unless both sides ask for every feed in every poll and have every entry afterwards.

The other side wants a Python of its own: `python -m venv PEER && PEER/bin/pip install reader sgmllib3k`, and then
`--peer-python PEER/bin/python`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.feeds_server import NEW, NOW

ROOT = Path(__file__).resolve().parents[1]
PEER = "reader"
OURS = "digest"
MOST_MB = 150


@dataclass(frozen=True)
class Phase:
    """One of the polls of a round: which edition is out, how the server answers, how many times faster we want to be."""

    name: str
    hours: int
    edition: int
    answer: str
    goal: float


PHASES = (
    Phase("first poll", 0, 0, "whole", 2),
    Phase("nothing changed", 1, 0, "unchanged", 4),
    Phase(f"{NEW} new in each", 2, 1, "whole", 8),
)


@dataclass(frozen=True)
class Side:
    """Who polls: the interpreter and the module that do it."""

    name: str
    python: str
    module: str

    def run(self, folder: Path, *arguments: str, given: str = "") -> str:
        """A step in a new process; what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        done = subprocess.run(
            [self.python, "-m", self.module, str(folder), *arguments],
            input=given,
            stdout=subprocess.PIPE,
            env=environment | {"PYTHONPATH": str(ROOT)},
            cwd=folder,
            text=True,
            check=True,
        )
        return done.stdout


@dataclass(frozen=True)
class Poll:
    """What one poll cost, and the articles that there were after it."""

    wall: float
    cpu: float
    peak_mb: float
    total: int


class Press:
    """The server of the generated feeds, in a process of its own."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self.urls: list[str] = about["urls"]
        self.bytes: int = about["bytes"]
        self.packed_bytes: int = about["packed_bytes"]
        self._control: str = about["control"]

    def put_out(self, edition: int) -> dict[str, int]:
        """Put an edition out; says how many requests were answered in which way since the last time."""
        order = urllib.request.Request(f"{self._control}/{edition}", method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(order, timeout=10) as answer:
            return dict(json.load(answer))


@contextmanager
def press(feeds: int, entries: int) -> Iterator[Press]:
    """The running server."""
    command = [sys.executable, str(ROOT / "bench" / "feeds_server.py"), f"--feeds={feeds}", f"--entries={entries}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield Press(json.loads(server.stdout.readline()))
        server.communicate()


def one_round(served: Press, entries: int, sides: Sequence[Side], faults: list[str]) -> list[list[Poll]]:
    """Every side's polls in every phase; what was not as it should be is added to `faults`."""
    with tempfile.TemporaryDirectory(prefix="bench-poll-") as place:
        folders = {side: Path(place) / side.name for side in sides}
        for side, folder in folders.items():
            folder.mkdir()
            side.run(folder, "prepare", given="\n".join(served.urls))
        polls: list[list[Poll]] = []
        for phase in PHASES:
            expected = {phase.answer: len(served.urls)}
            wanted = len(served.urls) * (entries + NEW * phase.edition)
            polls.append([])
            for side, folder in folders.items():
                served.put_out(phase.edition)
                poll = Poll(**json.loads(side.run(folder, "poll", (NOW + timedelta(hours=phase.hours)).isoformat())))
                answered = served.put_out(phase.edition)
                if (answered, poll.total) != (expected, wanted):
                    faults.append(
                        f"{side.name}, {phase.name}: {poll.total} articles instead of {wanted}; "
                        f"answers {answered} instead of {expected}"
                    )
                polls[-1].append(poll)
    return polls


def medians(polls: Sequence[Poll]) -> Poll:
    """The middle of every figure; of memory the most."""
    return Poll(
        wall=statistics.median(poll.wall for poll in polls),
        cpu=statistics.median(poll.cpu for poll in polls),
        peak_mb=max(poll.peak_mb for poll in polls),
        total=polls[0].total,
    )


def table(ours: Sequence[Poll], peer: Sequence[Poll]) -> Iterator[str]:
    """The medians as lines of text."""
    yield f"{'':18}{OURS:>9}{'':19}{PEER:>9}"
    yield f"{'':18}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}{'times':>9}  goal"
    for phase, one, other in zip(PHASES, ours, peer, strict=True):
        times = other.wall / one.wall
        figures = "".join(f"{side.wall:9.2f}{side.cpu:9.2f}{side.peak_mb:10.0f}" for side in (one, other))
        yield f"{phase.name:18}{figures}{times:9.1f}  {phase.goal:g}: {'met' if times >= phase.goal else 'MISSED'}"
    most = max(poll.peak_mb for poll in ours)
    yield f"our main process had {most:.0f} MB at most; goal {MOST_MB}: {'met' if most < MOST_MB else 'MISSED'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter that has `reader`")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    python = str(Path(options.peer_python).absolute())
    if subprocess.run([python, "-c", "import reader"], stderr=subprocess.DEVNULL, check=False).returncode:
        sentences = __doc__.strip().rpartition("\n\n")[2]
        print(f"{options.peer_python} has no `reader`. {' '.join(sentences.split())}", file=sys.stderr)
        return 2
    ours, peer = Side(OURS, sys.executable, "bench.poll_ours"), Side(PEER, python, "bench.poll_reader")
    faults: list[str] = []
    measured: dict[Side, list[list[Poll]]] = {ours: [[] for _ in PHASES], peer: [[] for _ in PHASES]}
    with press(options.feeds, options.entries) as served:
        for number in range(options.rounds):
            order = (ours, peer) if number % 2 == 0 else (peer, ours)
            polls = one_round(served, options.entries, order, faults)
            for phase, of_phase in enumerate(polls):
                for side, poll in zip(order, of_phase, strict=True):
                    measured[side][phase].append(poll)
    middle = {side: [medians(polls) for polls in phases] for side, phases in measured.items()}
    if options.json:
        document = {
            "feeds": options.feeds,
            "entries": options.entries,
            "bytes": served.bytes,
            "packed_bytes": served.packed_bytes,
            "rounds": options.rounds,
            "phases": {
                phase.name: {OURS: asdict(one), PEER: asdict(other), "times": other.wall / one.wall, "goal": phase.goal}
                for phase, one, other in zip(PHASES, middle[ours], middle[peer], strict=True)
            },
            "faults": faults,
        }
        print(json.dumps(document, indent=2))
    else:
        print(
            f"{options.feeds} feeds of {options.entries} entries, {served.bytes / 1e6:.1f} MB "
            f"({served.packed_bytes / 1e6:.1f} MB gzipped); rounds: {options.rounds}, medians\n"
        )
        print(*table(middle[ours], middle[peer]), sep="\n")
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
