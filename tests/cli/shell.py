"""`digest` as the shell runs it, in the tests' own process."""

from collections.abc import Callable
from dataclasses import dataclass

KEY = "a-secret-key-for-the-tests"


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Finished]
