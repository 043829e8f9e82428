"""What every command starts from: the home folder, its configuration, the database, and what time it is."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from digest import home as homefolder
from digest.config import Config
from digest.editions import trial
from digest.errors import UnknownDigest
from digest.model import Digest
from digest.store import engine as engines
from digest.store import schema


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time, UTC where it names no zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what would be right."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-02-10T06:00 or 2026-02-10T06:00+01:00", param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def utc_now() -> datetime:
    """The one place where a command asks what time it is."""
    return datetime.now(UTC)


@dataclass
class Home:
    """A home folder, read when a command first needs it, so that `--help` and `init` work in an empty one."""

    path: Path

    @cached_property
    def config(self) -> Config:
        """The configuration; every fault of it at once, and of the templates that come before ours."""
        config = homefolder.load(self.path, os.environ)
        trial.examine(config)
        return config

    @cached_property
    def engine(self) -> Engine:
        """The database, refused if its schema is not this version's."""
        engine = self.unchecked_engine
        schema.check(engine)
        return engine

    @cached_property
    def unchecked_engine(self) -> Engine:
        """The database at whatever revision."""
        return engines.connect(self.config.database_url)

    def close(self) -> None:
        """Close the database's connections, if there are any."""
        if "unchecked_engine" in self.__dict__:
            self.unchecked_engine.dispose()

    def digest(self, slug: str | None) -> Digest:
        """The digest of that slug, or the first of digest.toml.

        Raises:
            UnknownDigest: there is none of that slug; names those there are.
        """
        digests = self.config.digests
        for digest in digests:
            if slug in {None, digest.slug}:
                return digest
        raise UnknownDigest(str(slug), tuple(digest.slug for digest in digests))


def local_day(digest: Digest, now: datetime) -> date:
    """Today, where the digest is published."""
    return now.astimezone(ZoneInfo(digest.zone)).date()


pass_home = click.make_pass_decorator(Home)
digest_option = click.option(
    "--digest", "slug", metavar="SLUG", help="Which digest; the first of digest.toml if left out."
)
date_option = click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The edition's date; today if left out.",
)
