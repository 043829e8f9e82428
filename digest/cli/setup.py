"""Begin: `init`, `check`, `migrate`."""

import os
import secrets
from importlib.resources import files
from pathlib import Path

import click

from digest import checkup
from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.errors import ConfigError
from digest.findings import Finding, Group, Level
from digest.home import FILES
from digest.store import schema

STARTER_FILES = FILES
KEY_FILE, KEY_VARIABLE = "secret.key", "DIGEST_SECRET_KEY"


def write_starter(home: Path, names: tuple[str, ...] = STARTER_FILES) -> list[Path]:
    """Write the commented starter files that are not there yet; return those written."""
    home.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        path = home / name
        if not path.exists():
            path.write_bytes(files("digest").joinpath("starter", name).read_bytes())
            written.append(path)
    return written


def write_secret(home: Path) -> Path:
    """Write a fresh signing key that only its owner can read, unless there is one."""
    path = home / KEY_FILE
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False, metavar="[DIR]")
@pass_home
def init(home: Home, folder: Path | None) -> None:
    """Write a home folder: commented starter files, a signing key, an empty database.

    Files that exist are left as they are, so it is safe to run again.
    """
    target = Home(folder or home.path)
    written = write_starter(target.path)
    given = [name for name in (KEY_VARIABLE, f"{KEY_VARIABLE}_FILE") if os.environ.get(name)]
    had_secret = (target.path / KEY_FILE).exists()
    secret = None if given else write_secret(target.path)
    before, after = schema.migrate(target.unchecked_engine)
    target.close()
    for name in STARTER_FILES:
        state = "written" if target.path / name in written else "was there, left as it is"
        click.echo(f"{target.path / name}: {state}")
    if secret:
        had = "was there; " if had_secret else ""
        click.echo(f"{secret}: {had}signs the links in every mail; keep it secret and keep it")
    else:
        click.echo(f"{given[0]}: is set, and signs the links in every mail; no other key is written")
    click.echo(f"Database: {'already at' if before == after else 'made, at'} revision {after}")
    settings = f"  export DIGEST_HOME={target.path.resolve()}"
    if secret:
        settings += f"\n  export DIGEST_SECRET_KEY_FILE={secret.resolve()}"
    click.echo(
        f"""
Next:
{settings}
  digest check                             says what is still missing
  digest poll                              reads the feeds
  digest rank                              shows what matters
  digest subscribers add you@example.org   adds the first reader
  digest run                               polls, publishes and delivers from now on
Mail goes to {target.path.resolve() / "outbox"} until DIGEST_SMTP_URL names a server."""
    )


@click.command()
@output.json_option
@click.option(
    "--no-network", is_flag=True, help="Leave out what calls on other machines: the relay, the DNS, our pages, a feed."
)
@pass_home
@click.pass_context
def check(context: click.Context, home: Home, as_json: bool, no_network: bool) -> None:
    """Say in one sentence each whether all is well, and what to do where it is not.

    Configuration, secrets, database, disk, clock, feeds, the relay and the login there, what the DNS says of us, and our pages. Exits with 1 if
    anything needs somebody.
    """
    try:
        findings = checkup.examine(home.config, utc_now(), call_relay=not no_network, environment=os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        findings = checkup.faulty(error)
    if as_json:
        output.document({"well": checkup.well(findings), "findings": findings})
    elif output.console().is_terminal:
        _show(findings)
    else:
        for finding in findings:
            click.echo(f"{finding.level.value:7} {finding.subject}: {finding.sentence}")
    if not checkup.well(findings):
        context.exit(1)


def _show(findings: tuple[Finding, ...]) -> None:
    """Findings by what they are about, for people."""
    for group in Group:
        if some := [finding for finding in findings if finding.group is group]:
            output.console().print(f"\n[bold]{group}[/bold]")
            output.marked((_MARKS[one.level], f"{one.subject}: {one.sentence}") for one in some)
    needed = sum(finding.level is Level.FAULT for finding in findings)
    click.echo(f"\n{needed} thing{'s need' if needed != 1 else ' needs'} you." if needed else "\nNothing needs you.")


_MARKS = {Level.OK: "[green]✓[/green]", Level.NOTE: "[yellow]•[/yellow]", Level.FAULT: "[bold red]✗[/bold red]"}


@click.command()
@click.option("--to", "revision", default="head", metavar="REVISION", help="Another revision than the newest.")
@click.option("--yes", is_flag=True, help="Go to an older revision, though what only newer ones can keep is lost.")
@pass_home
def migrate(home: Home, revision: str, yes: bool) -> None:
    """Bring the database to the schema of this version. Safe to run again, and from several machines at once."""
    known = ("head", "base", *schema.revisions())
    if revision not in known:
        raise click.UsageError(f"{revision!r} is not a revision; there are: {', '.join(known)}.")
    if revision not in {"head", schema.wanted()} and not yes:
        raise click.UsageError(
            f"Going to {revision} deletes what only newer revisions can keep; `--yes` if you mean it."
        )
    before, after = schema.migrate(home.unchecked_engine, revision)
    if before == after:
        click.echo(f"Nothing to do: the database is at revision {after}.")
    else:
        moved = f"revision {after}" if after else "empty"
        click.echo(f"The database was {f'at revision {before}' if before else 'empty'} and is now {moved}.")
