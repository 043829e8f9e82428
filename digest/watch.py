"""The configuration of a service that runs for long: what the files said last, as long as they made sense."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import structlog

from digest import home as homefolder
from digest.config import Config
from digest.errors import ConfigError
from digest.home import FILES, TEMPLATES, own_templates
from digest.language import FOLDER as CATALOGUES
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
        self._watched, self._stamp = _watch(config.home)

    def __call__(self) -> Config:
        """What holds now."""
        if _look(self._watched) != self._stamp:
            self._watched, self._stamp = _watch(self._config.home)
            try:
                config = homefolder.load(self._config.home, self._environment)
                self._trial(config)
            except ConfigError as error:
                log.error("configuration", reason=f"{error}\nThe one from before stays in force.")  # noqa: TRY400  # its sentence says it all
            else:
                self._config = config
                log.info("configuration", reason="changed files were read", feeds=len(self._config.feeds))
        return self._config


def _watch(home: Path) -> tuple[tuple[str, ...], _Stamp]:
    """What to look at from now on, and how it is.

    Folders are looked at too: as long as they are the same, so is the list of their files, and each page need not list them.
    """
    while True:
        watched = _paths(home)
        stamp = _look(watched)
        if _paths(home) == watched:
            return watched, stamp


def _paths(home: Path) -> tuple[str, ...]:
    roots = (home / TEMPLATES / "email", home / TEMPLATES / "web", home / CATALOGUES)
    folders = (*roots, *sorted(path for root in roots for path in root.rglob("*") if path.is_dir()))
    files = (*(home / name for name in FILES), *own_templates(home), *own_catalogues(home))
    return tuple(map(str, (*files, *folders)))


def _look(watched: Iterable[str]) -> _Stamp:
    stamps: list[tuple[str, int, int] | None] = []
    for path in watched:
        try:
            status = os.stat(path)  # noqa: PTH116  # for each page, and a Path takes twice as long
        except OSError:
            stamps.append(None)
        else:
            stamps.append((path, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
