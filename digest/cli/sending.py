"""How a run of the sender looks while it lasts: a bar on a terminal, a plain line now and then elsewhere."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from digest.cli import output
from digest.model import Accepted, NotSent, Outcome, Refused, Unconfirmed

BETWEEN_LINES = 10.0
"""Seconds after which there is another line."""

STEP, LEAST_BETWEEN = 0.05, 1.0
"""The part of all after which there is one sooner, and the seconds that pass at least."""

BETWEEN_LOOKS = 0.1
"""Seconds between two states of the bar: nobody reads faster, and there are thousands of messages in each."""

RECENTLY = 10.0
"""Seconds whose rate is told."""


@dataclass
class Tally:
    """What a run has come to. Times are seconds of one clock."""

    due: int
    began: float
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    done: int = 0
    _recent: deque[float] = field(default_factory=deque)

    def hear(self, outcome: Outcome, at: float) -> None:
        """Count an outcome."""
        self.done += 1
        match outcome:
            case Accepted():
                self.sent += 1
                self._recent.append(at)
            case NotSent() | Refused(permanent=False):
                self.deferred += 1
            case Refused():
                self.failed += 1
            case Unconfirmed():
                self.unknown += 1

    @property
    def left(self) -> int:
        """How many of those due have not been tried."""
        return max(self.due - self.done, 0)

    def rate(self, now: float) -> float:
        """Messages sent in a second, of late."""
        while self._recent and self._recent[0] <= now - RECENTLY:
            self._recent.popleft()
        return len(self._recent) / max(min(now - self.began, RECENTLY), 0.001)

    def words(self, now: float) -> str:
        """Everything in one line, without what there is none of."""
        rate = self.rate(now)
        told = [f"{self.sent:,} sent, {rate:,.0f}/s" if rate >= 1 else f"{self.sent:,} sent, {rate:.2f}/s"]
        told += [f"{getattr(self, name):,} {name}" for name in ("deferred", "failed", "unknown") if getattr(self, name)]
        return ", ".join([*told, f"{self.left:,} left"])

    def to_go(self, now: float) -> str:
        """How long the rest takes at this rate; nothing where that cannot be told."""
        rate = self.rate(now)
        return output.span(timedelta(seconds=self.left / rate)) if rate and self.left else ""


@contextmanager
def shown(due: int, *, quiet: bool) -> Iterator[Callable[[Outcome], None]]:
    """Show a run on standard error as long as it lasts; yields what is to hear every outcome."""
    clock = time.monotonic
    tally = Tally(due, clock())
    console = output.console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        columns = (
            TextColumn("Delivering"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=console, transient=True, expand=True) as bar:
            task = bar.add_task("", total=due, note="")
            shown_at = 0.0

            def advance(outcome: Outcome) -> None:
                nonlocal shown_at
                tally.hear(outcome, now := clock())
                if now - shown_at >= BETWEEN_LOOKS:
                    shown_at = now
                    # What becomes due while it runs is sent too.
                    bar.update(task, completed=tally.done, total=max(due, tally.done), note=tally.words(now))

            yield advance
    else:
        lines = Lines(tally, clock())

        def tell(outcome: Outcome) -> None:
            tally.hear(outcome, now := clock())
            if line := lines.due(now):
                click.echo(line, err=True)

        yield tell


@dataclass
class Lines:
    """When another plain line is due."""

    tally: Tally
    told_at: float
    told_done: int = 0

    def due(self, now: float) -> str:
        """The line; empty where it is too soon for one."""
        passed, tally = now - self.told_at, self.tally
        far = tally.done - self.told_done >= tally.due * STEP
        if passed < BETWEEN_LINES and not (far and passed >= LEAST_BETWEEN):
            return ""
        self.told_at, self.told_done = now, tally.done
        to_go = tally.to_go(now)
        return f"{tally.words(now)}{f', {to_go} to go' if to_go else ''}"
