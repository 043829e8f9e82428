"""What a piece of work costs the process that does it and the children that it has waited for."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of computing, and the most memory this process itself has ever had, in MB.

    On Linux a process starts with the peak of the one that started it, so only a small one may do that.
    """

    wall: float
    cpu: float
    peak_mb: float


def measured(work: Callable[[], object]) -> Cost:
    """Do the work and say what it cost."""
    wall, cpu = time.perf_counter(), _cpu()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6
    return Cost(time.perf_counter() - wall, _cpu() - cpu, peak)


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
