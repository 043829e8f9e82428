"""One file that has all of a service: its database at one moment, and what its home folder says. Never a secret.

It is a tar archive whose first member lists the others with their SHA-256. Secrets come from the environment and are kept
elsewhere; without the same secret key no link in mail that was sent works any more.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Self

from sqlalchemy import Engine

from digest import __version__
from digest.errors import BackupRefused
from digest.home import FILES, TEMPLATES, own_templates
from digest.store import backups

DATABASE, MANIFEST, SUFFIX = "digest.db", "manifest.json", ".digest-backup"
_NAME = f"digest-%Y%m%dT%H%M%SZ{SUFFIX}"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup brought: rows of the database, deliveries nobody can vouch for, files written, files that were there."""

    rows: int
    doubted: int
    written: tuple[str, ...]
    left: tuple[str, ...]


def place_in(folder: Path, now: datetime) -> Path:
    """The name of a backup in a folder of backups; names stand in the order of time."""
    return folder / now.astimezone(UTC).strftime(_NAME)


def make(home: Path, engine: Engine, file: Path, now: datetime, *, force: bool = False) -> int:
    """Write a backup, whole or not at all; return its size in bytes. The service may run meanwhile.

    Raises:
        BackupRefused: the file is there, and `force` is not given; or it cannot be written.
        DatabaseUnreachable: the database does not answer, or the disk is full.
    """
    if file.exists() and not force:
        raise BackupRefused(f"{file} is there already. Choose another name, or give --force to replace it")
    try:
        with tempfile.TemporaryDirectory(prefix=".digest-backup-", dir=file.parent) as name:
            database, whole = Path(name) / DATABASE, Path(name) / "whole"
            backups.copy(engine, database)
            members = {DATABASE: database} | {
                path.relative_to(home).as_posix(): path
                for path in [*(home / one for one in FILES if (home / one).exists()), *own_templates(home)]
            }
            listed = {
                "made_at": now.isoformat(),
                "version": __version__,
                "sha256": {member: _sha256(path) for member, path in members.items()},
            }
            with tarfile.open(whole, "w") as archive:
                content = json.dumps(listed, indent=1).encode()
                head = tarfile.TarInfo(MANIFEST)
                head.size = len(content)
                archive.addfile(head, io.BytesIO(content))
                for member, path in members.items():
                    archive.add(path, member, recursive=False)
            with whole.open("rb") as written:
                os.fsync(written.fileno())
            whole.chmod(0o600)
            whole.replace(file)
    except OSError as error:
        raise BackupRefused(f"{file} cannot be written: {error.strerror or error}") from error
    return file.stat().st_size


def rotate(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest of a folder's backups that have names of ours; return those that are gone."""
    old = sorted(folder.glob(f"digest-*Z{SUFFIX}"), reverse=True)[keep:]
    for path in old:
        path.unlink(missing_ok=True)
    return old


class Backup:
    """A backup that was checked and unpacked to a folder; to be closed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._folder = tempfile.TemporaryDirectory(prefix=".digest-restore-")
        try:
            self._listed = self._unpack()
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def made_at(self) -> datetime:
        """What time it was when it was taken."""
        return datetime.fromisoformat(self._listed["made_at"])

    def write_files(self, home: Path, *, force: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Put the files of the home folder back; return those written, and those left alone since others are there."""
        written, left = [], []
        for member in self._listed["sha256"]:
            if member == DATABASE:
                continue
            content, place = (Path(self._folder.name) / member).read_bytes(), home / member
            if place.exists() and place.read_bytes() == content:
                continue
            if place.exists() and not force:
                left.append(member)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            written.append(member)
        return tuple(written), tuple(left)

    def fill(self, engine: Engine, now: datetime, *, force: bool) -> tuple[int, int]:
        """Fill the database, in safe mode; see `backups.put_back`."""
        sentence = (
            f"A backup of {self.made_at:%Y-%m-%d %H:%M} UTC was restored. What was still to be sent then is unknown now; an edition "
            "that went out later is not in it, and would be made again: leave once its `late_hours` are over, or `digest skip` it."
        )
        return backups.put_back(Path(self._folder.name) / DATABASE, engine, sentence, now, force=force)

    def _unpack(self) -> dict[str, Any]:
        root = Path(self._folder.name)
        try:
            with tarfile.open(self._file) as archive:
                head = archive.extractfile(MANIFEST)
                listed: dict[str, Any] = json.load(head) if head else {}
                for member, checksum in listed["sha256"].items():
                    if not _is_ours(member):
                        raise BackupRefused(f"{self._file} holds {member!r}, which no backup of ours does")
                    source = archive.extractfile(member)
                    place = root / member
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("wb") as target:
                        while source and (piece := source.read(_PIECE)):
                            target.write(piece)
                    if _sha256(place) != checksum:
                        raise BackupRefused(
                            f"{self._file} is damaged: {member} is not what was written. Take another backup"
                        )
        except (OSError, tarfile.TarError, KeyError, ValueError, AttributeError) as error:
            raise BackupRefused(f"{self._file} cannot be read as a backup: {error}") from error
        return listed


def _is_ours(member: str) -> bool:
    path = PurePosixPath(member)
    return member in (DATABASE, *FILES) or (path.parts[0] == TEMPLATES and ".." not in path.parts)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
