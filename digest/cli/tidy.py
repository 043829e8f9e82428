"""What is kept too long: `tidy`."""

import threading
import time

import click

from digest import retention, safe_mode
from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.errors import NotTidied
from digest.retention import Tidied


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@output.json_option
@pass_home
def tidy(home: Home, dry_run: bool, as_json: bool) -> None:
    """Let go of what is kept for longer than [privacy] and [retention] say. A running service does so once a day.

    In small portions, so that nobody who sends waits; broken off, it goes on the next time.
    """
    started = time.monotonic()
    if doubted := safe_mode.in_force(home.engine):
        raise NotTidied(doubted.sentence)
    tidied = retention.waiting(home.config, home.engine, utc_now()) if dry_run else _tidied(home)
    if as_json:
        seconds = round(time.monotonic() - started, 3)
        output.document({"dry_run": dry_run, **tidied.as_dict(), "seconds": seconds})
    else:
        _print(tidied, dry_run=dry_run)


def _tidied(home: Home) -> Tidied:
    now = utc_now()
    most = retention.waiting(home.config, home.engine, now).counts.total()
    with output.progress("Letting go") as bar:
        task = bar.add_task("", total=most, note="")
        return retention.tidy(
            home.config,
            home.engine,
            now,
            rest=threading.Event().wait,
            hear=lambda _, number: bar.advance(task, number),
        )


def _print(tidied: Tidied, *, dry_run: bool) -> None:
    words = ", ".join(f"{number:,} {kind}" for kind, number in tidied.counts.items() if number)
    if not words:
        click.echo("Nothing is kept too long.")
    elif dry_run:
        click.echo(f"Kept too long: {words}. `digest tidy` lets go of them.")
    else:
        click.echo(f"Let go of: {words}.")
