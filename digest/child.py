"""Child processes that can be killed: what strangers wrote is read there, with nothing of ours at hand."""

import asyncio
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import digest

_ROOT = Path(digest.__file__).resolve().parents[1]
_ADDRESS_SPACE = Path("/proc/self/statm")


async def start(module: str, *arguments: str) -> Process:
    """Run a module of ours in a child, with pipes for its standard input and output.

    It has nothing of the service's environment, which holds its secrets, and is out of reach of the terminal's Ctrl-C.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )


async def end(child: Process) -> None:
    """Kill a child that still lives, and wait until it is gone."""
    if child.returncode is None:
        child.kill()
    await child.wait()


def confine(memory_bytes: int, cpu_seconds: int) -> None:
    """For the child: no files, and so much more memory and computing time than it has used; done again, so much anew."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    most = int(usage.ru_utime + usage.ru_stime) + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if _ADDRESS_SPACE.exists():
        room = int(_ADDRESS_SPACE.read_text().split()[0]) * resource.getpagesize() + memory_bytes
        _, hardest = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (room, hardest))
