"""Clocks that are set while the service runs: what a step does to waits, and how it is noticed."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta


def elapsed() -> float:
    """Seconds since some moment, whatever the clock says; a machine's sleep counts, where the system can tell."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Steady:
    """A clock that begins as the machine's and goes on evenly when that is set, so that leases and limits keep their length."""

    def __init__(self, now: datetime, elapsed: Callable[[], float]) -> None:
        self._began, self._elapsed, self._at = now, elapsed, elapsed()

    def __call__(self) -> datetime:
        """What time it is by this clock."""
        return self._began + timedelta(seconds=self._elapsed() - self._at)


class Steps:
    """Notices by how much the clock was set between two looks at it, of whichever threads."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._steady: Steady | None = None
        self._looking = threading.Lock()

    def look(self, now: datetime) -> timedelta:
        """By how much it was set since the last look; negative if back."""
        with self._looking:
            step = now - self._steady() if self._steady else timedelta()
            self._steady = Steady(now, self._elapsed)
            return step
