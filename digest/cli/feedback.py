"""What comes back: `bounce` takes in one mail, `suppressions` shows and changes who must not be mailed."""

import asyncio
import getpass
import sys

import click

from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.delivery.feedback.absorb import Absorbed, absorb
from digest.delivery.feedback.read import MOST_BYTES
from digest.delivery.feedback.reader import Reader
from digest.errors import DigestError, NotSuppressed
from digest.links import address_key
from digest.model import Cause, Suppression
from digest.store import engine as engines
from digest.store import suppressions as store
from digest.subscribers import consent

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: mail servers keep the mail, and bring it again."""

reason_option = click.option("--reason", required=True, help="Why; it is kept.")
author_option = click.option(
    "--by", "author", metavar="NAME", default=getpass.getuser, show_default="who you are", help="Who decides so."
)


@click.command()
@click.option(
    "--recipient", default="", metavar="ADDRESS", help="Where it was delivered to, if the mail server says so."
)
@output.json_option
@pass_home
@click.pass_context
def bounce(context: click.Context, home: Home, recipient: str, as_json: bool) -> None:
    """Take in one returned mail from standard input.

    For a pipe from a mail server. Exits with 0 also for a mail that changes nothing, and with 75 where it could not be
    judged for now, such as without the database: the mail server brings it again then. Of a long mail the first megabyte is read.
    """
    mail = sys.stdin.buffer.read(MOST_BYTES)
    while sys.stdin.buffer.read(MOST_BYTES):
        pass
    try:
        absorbed = asyncio.run(_absorbed(home, mail, recipient))
    except (DigestError, OSError) as error:
        click.echo(f"Error: {error} The mail should be brought again.", err=True)
        context.exit(TRY_AGAIN)
    if as_json:
        output.document(absorbed.as_dict())
    else:
        click.echo(absorbed.sentence)
        if absorbed.warning:
            click.echo(absorbed.warning, err=True)


async def _absorbed(home: Home, mail: bytes, recipient: str) -> Absorbed:
    async with Reader() as reader:
        return await absorb(home.config, home.engine, reader, mail, utc_now(), recipient=recipient)


@click.group()
def suppressions() -> None:
    """Addresses that must not be mailed."""


@suppressions.command("list")
@output.json_option
@pass_home
def list_suppressions(home: Home, as_json: bool) -> None:
    """Show which addresses must not be mailed, why and since when; the newest first."""
    with engines.read(home.engine) as connection:
        found = store.listing(connection)
    if as_json:
        output.document({"suppressions": found})
    elif not found:
        click.echo("No address is suppressed.")
    else:
        output.table(
            ["Address", "Cause", "Since", "Reason"],
            [(_shown(one), one.cause.value, one.since.date(), one.reason) for one in found],
        )


@suppressions.command()
@click.argument("address")
@output.json_option
@pass_home
def show(home: Home, address: str, as_json: bool) -> None:
    """Show whether an address is suppressed, and what was ever decided about it."""
    key = address_key(consent.checked(address), home.config.signing_keys)
    with engines.read(home.engine) as connection:
        found, changes = store.by_key(connection, key), store.changes(connection, key)
    if as_json:
        output.document({"suppression": found, "changes": changes})
        return
    click.echo(f"{address} is suppressed: {found.reason}." if found else f"{address} is not suppressed.")
    for change in changes:
        deed = "undone" if change.lifted else "suppressed"
        click.echo(f"  {change.at:%Y-%m-%d %H:%M} {deed} by {change.author} ({change.cause}): {change.reason}")


@suppressions.command()
@click.argument("address")
@reason_option
@author_option
@pass_home
def add(home: Home, address: str, reason: str, author: str) -> None:
    """Never mail an address again, whether or not it reads."""
    bare = consent.checked(address)
    key = address_key(bare, home.config.signing_keys)
    with engines.write(home.engine) as connection:
        news = store.suppress(connection, key, Cause.OPERATOR, reason, utc_now(), author=author)
    click.echo(f"{bare} is suppressed." if news else f"{bare} was suppressed already; nothing has changed.")


@suppressions.command()
@click.argument("address")
@reason_option
@author_option
@pass_home
def remove(home: Home, address: str, reason: str, author: str) -> None:
    """Let an address be mailed again. That it was suppressed, and who undid it and why, is kept.

    Only this undoes what a reader's complaint has brought about; you vouch that they want mail again.
    """
    bare = consent.checked(address)
    key = address_key(bare, home.config.signing_keys)
    with engines.write(home.engine) as connection:
        undone = store.lift(connection, key, reason, utc_now(), author=author)
    if undone is None:
        raise NotSuppressed(bare)
    click.echo(f"{bare} may be mailed again. It had been suppressed since {undone.since.date()}: {undone.reason}.")


def _shown(one: Suppression) -> str:
    return one.address or f"not a reader any more ({one.address_key[:12]}…)"
