"""The configuration of a service that runs for long: what the files said last, as long as they made sense."""

from collections.abc import Mapping

import structlog

from digest import home as homefolder
from digest.config import Config
from digest.errors import ConfigError
from digest.home import FILES

log = structlog.get_logger(__name__)

_Stamp = tuple[tuple[int, int] | None, ...]


class WatchedConfig:
    """Reads a home folder again whenever one of its files has changed; files with faults change nothing.

    Args:
        config: what they said at the start.
        environment: where secrets come from, as for `home.load`.
    """

    def __init__(self, config: Config, environment: Mapping[str, str]) -> None:
        self._config, self._environment = config, environment
        self._stamp = self._look()

    def __call__(self) -> Config:
        """What holds now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._config = homefolder.load(self._config.home, self._environment)
            except ConfigError as error:
                log.error("configuration", reason=f"{error}\nThe one from before stays in force.")  # noqa: TRY400  # its sentence says it all
            else:
                log.info("configuration", reason="changed files were read", feeds=len(self._config.feeds))
        return self._config

    def _look(self) -> _Stamp:
        stamps: list[tuple[int, int] | None] = []
        for name in FILES:
            try:
                status = (self._config.home / name).stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((status.st_mtime_ns, status.st_size))
        return tuple(stamps)
