"""What everything that is done by hand is given: who does it, why, for which digest, and until when."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

import click

from digest.cli import output
from digest.cli.context import Home, Moment, digest_option, pass_home, utc_now
from digest.feeds.cleaning import text
from digest.model import Digest, Override, OverrideKind

LONGEST_TITLE = 300
LONGEST_REASON = 500
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Given:
    """For which digest something is done to a story, by whom, why, from when and until when."""

    digest: Digest
    author: str
    reason: str
    since: datetime
    until: datetime


def inert(name: str, longest: int) -> Callable[[click.Context, click.Parameter, str | None], str]:
    """Take a text as plain words on one line; refuse one that has none, or more than `longest` characters."""

    def _inert(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
        if value is None:
            raise click.MissingParameter(ctx=context, param=parameter)
        plain = text.plain(value)
        if not plain:
            raise click.BadParameter(f"the {name} is empty.")
        if len(plain) > longest:
            raise click.BadParameter(f"the {name} has {len(plain)} characters; {longest} are the most.")
        return plain

    return _inert


def login() -> str | None:
    """The login name; None where the system has none for us, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None


reason_option = click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    callback=inert("reason", LONGEST_REASON),
    help="Why, in a sentence; receipts and lists show it.",
)
author_option = click.option(
    "--author",
    required=True,
    default=login,
    show_default="your login name",
    metavar="NAME",
    callback=inert("author", LONGEST_NAME),
    help="Who decides it.",
)


def given(command: Callable[..., None]) -> Callable[..., None]:
    """The options of whatever is done to a story. The command gets them as one `Given`, after the home."""

    @wraps(command)
    def with_given(
        home: Home,
        *,
        slug: str | None,
        author: str,
        reason: str,
        until: datetime | None,
        hours: float | None,
        **arguments: Any,
    ) -> None:
        since = utc_now()
        if until and hours:
            raise click.UsageError("--until and --hours both say when it ends; give one of them.")
        end = until or since + timedelta(hours=hours or home.config.ranking.hours)
        if end <= since:
            raise click.UsageError(f"{utc(end)} has passed; --until is a time to come.")
        command(home, Given(home.digest(slug), author, reason, since, end), **arguments)

    decorated: Callable[..., None] = pass_home(with_given)
    for option in (
        output.json_option,
        digest_option,
        click.option(
            "--hours",
            type=click.FloatRange(min=0, min_open=True, max=24 * 366),
            metavar="N",
            help="For so many hours; as many as the window has (`hours` of [ranking]) if left out.",
        ),
        click.option("--until", type=Moment(), help="Until then."),
        author_option,
        reason_option,
    ):
        decorated = option(decorated)
    return decorated


def deed(made: Override) -> str:
    """What an override does, in a word or two."""
    match made.kind:
        case OverrideKind.BOOST:
            return f"boost {made.points:+g}"
        case OverrideKind.RETITLE:
            return f"retitle “{made.title}”"
        case OverrideKind.SPLIT:
            return f"split off {', '.join(map(str, made.articles))}"
        case kind:
            return kind.value


def document(made: Override) -> dict[str, object]:
    """What `--json` says of an override."""
    return {name: getattr(made, name) for name in ("id", *Override.__dataclass_fields__)}


def utc(moment: datetime) -> str:
    """A moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
