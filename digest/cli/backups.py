"""Keep a copy, and come back from it: `backup`, `restore`."""

from pathlib import Path

import click

from digest import backup as store
from digest import safe_mode
from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now

SECRETS = "It holds no secret: keep DIGEST_SECRET_KEY and the others elsewhere, or no link in mail that was sent works."


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="If FILE is a folder: keep only the newest N backups in it."
)
@output.json_option
@pass_home
def backup(home: Home, file: Path, force: bool, keep: int | None, as_json: bool) -> None:
    """Write the database and the home folder's files to FILE, or to a new file in that folder, while the service runs.

    Secrets are not in it.
    """
    now = utc_now()
    folder = file if file.is_dir() else None
    if keep and folder is None:
        raise click.UsageError("--keep needs a folder that is there, in which each backup gets a name of its own.")
    place = store.place_in(folder, now) if folder else file
    size = store.make(home.path, home.engine, place, now, force=force)
    gone = store.rotate(folder, keep) if folder and keep else []
    if as_json:
        output.document({"file": place, "bytes": size, "deleted": gone})
        return
    click.echo(f"{place} has everything of {now:%Y-%m-%d %H:%M} UTC, {size / 1e6:,.1f} MB. {SECRETS}")
    for path in gone:
        click.echo(f"{path} was deleted.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace what the database has, and files that differ.")
@output.json_option
@pass_home
def restore(home: Home, file: Path, force: bool, as_json: bool) -> None:
    """Bring back what `backup` wrote, into an empty database and home folder. Stop the service first.

    The schema is brought up to date. What was waiting may have been sent, so nothing is mailed until `safe-mode --leave`.
    """
    with store.Backup(file) as kept:
        written, left = kept.write_files(home.path, force=force)
        rows, doubted = kept.fill(home.unchecked_engine, utc_now(), force=force)
    if as_json:
        output.document({"rows": rows, "unknown": doubted, "written": written, "left": left})
        return
    click.echo(f"{output.count(rows, 'row')} restored from {kept.made_at:%Y-%m-%d %H:%M} UTC.")
    if doubted:
        click.echo(f"{output.count(doubted, 'delivery', 'deliveries')} unknown: not finished then, perhaps sent since.")
    if left:
        click.echo(f"Left as they are: {', '.join(left)}.")
    click.echo(safe_mode.HOW_TO_LEAVE)
