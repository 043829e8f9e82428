"""The configuration of a service that runs for long: what the files said last, as long as they made sense."""

from collections.abc import Callable, Mapping

import structlog

from digest import home as homefolder
from digest.config import Config
from digest.errors import ConfigError
from digest.home import FILES, own_templates
from digest.language import own_catalogues

log = structlog.get_logger(__name__)

_Stamp = tuple[tuple[str, int, int] | None, ...]


class WatchedConfig:
    """Reads a home folder again whenever one of its files has changed; files with faults change nothing.

    Args:
        config: what they said at the start.
        environment: where secrets come from, as for `home.load`.
        trial: tries out what was read, and raises ConfigError where it cannot come into force.
    """

    def __init__(
        self, config: Config, environment: Mapping[str, str], trial: Callable[[Config], None] = lambda _: None
    ) -> None:
        self._config, self._environment, self._trial = config, environment, trial
        self._stamp = self._look()

    def __call__(self) -> Config:
        """What holds now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                config = homefolder.load(self._config.home, self._environment)
                self._trial(config)
            except ConfigError as error:
                log.error("configuration", reason=f"{error}\nThe one from before stays in force.")  # noqa: TRY400  # its sentence says it all
            else:
                self._config = config
                log.info("configuration", reason="changed files were read", feeds=len(self._config.feeds))
        return self._config

    def _look(self) -> _Stamp:
        home = self._config.home
        stamps: list[tuple[str, int, int] | None] = []
        for path in (*(home / name for name in FILES), *own_templates(home), *own_catalogues(home)):
            try:
                status = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(stamps)
