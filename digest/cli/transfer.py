"""Move house: `transfer`."""

import time

import click

from digest.cli import output
from digest.cli.context import Home, pass_home
from digest.errors import SchemaOutdated
from digest.store import engine as engines
from digest.store import schema
from digest.store import transfer as store


@click.command()
@click.option(
    "--to",
    "address",
    required=True,
    envvar="DIGEST_TRANSFER_TO",
    metavar="URL",
    help="The other database, empty and migrated, such as postgresql://user:password@host/name; or DIGEST_TRANSFER_TO.",
)
@output.json_option
@pass_home
@click.pass_context
def transfer(context: click.Context, home: Home, address: str, as_json: bool) -> None:
    """Copy the whole database to another one, such as from SQLite to PostgreSQL: everything, or nothing.

    Stop the service first: what it writes meanwhile would stay behind.
    """
    started = time.monotonic()
    source, target = home.engine, engines.connect(address)
    place = engines.place(address)
    context.call_on_close(target.dispose)
    try:
        schema.check(target)
    except SchemaOutdated as error:
        raise click.UsageError(f"{place}: {error} (with DIGEST_DATABASE_URL naming that database)") from error
    with output.progress("Copying") as bar:
        task = bar.add_task("", total=sum(store.counts(source).values()), note="")

        def advance(table: str, number: int) -> None:
            bar.update(task, advance=number, note=table)

        done = store.transfer(source, target, advance)
    seconds = time.monotonic() - started
    if as_json:
        output.document({"to": place, "rows": done.total, "tables": done.rows, "seconds": round(seconds, 3)})
        return
    click.echo(f"{output.count(done.total, 'row')} copied to {place} in {seconds:.1f} s; counts and deliveries agree.")
    click.echo("Set DIGEST_DATABASE_URL to it before you start the service again, and never start it on the old one.")
