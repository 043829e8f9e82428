"""An event loop whose seconds are short, so that minutes of waiting take a test no time worth speaking of."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    def __init__(self, times: float) -> None:
        super().__init__()
        self._times = times

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._times)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, times: float) -> None:
        super().__init__(_Selector(times))
        self._times = times

    def time(self) -> float:
        return super().time() * self._times


def run(scenario: Coroutine[Any, Any, T], times: float) -> T:
    """As `asyncio.run`, with time passing so many times as fast."""
    with asyncio.Runner(loop_factory=lambda: _Loop(times)) as runner:
        return runner.run(scenario)
