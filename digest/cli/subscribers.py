"""Who reads: `subscribers add`, `list`, `show`, `remove`, `import`, `export`."""

from pathlib import Path
from typing import TextIO

import click

from digest.cli import output, reader
from digest.cli.context import Home, digest_option, pass_home, utc_now
from digest.errors import BadAddress, UnknownSubscriber
from digest.model import Digest, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as subscriber_store
from digest.subscribers import consent, data, transfer


@click.group()
def subscribers() -> None:
    """Who reads which digest."""


subscribers.add_command(reader.show)


@subscribers.command()
@click.argument("address")
@digest_option
@click.option(
    "--topic", "topics", multiple=True, metavar="SLUG", help="A topic they chose; may be given again. None means all."
)
@click.option("--again", is_flag=True, help="Also one who has left; you vouch that they asked for it.")
@pass_home
def add(home: Home, address: str, slug: str | None, topics: tuple[str, ...], again: bool) -> None:
    """Add a reader who has agreed to it; you vouch for that."""
    digest = home.digest(slug)
    _check_topics(home, topics)
    if not again:
        _check_not_left(home, digest, consent.checked(address))
    added = consent.subscribe(home.config, home.engine, address, digest, topics, utc_now(), how="operator")
    if added.created:
        chosen = ", ".join(topics) or "all topics"
        click.echo(f"{added.subscription.address} now reads {digest.title} ({chosen}).")
    else:
        click.echo(f"{added.subscription.address} read {digest.title} already; nothing has changed.")


@subscribers.command("list")
@digest_option
@output.json_option
@pass_home
def list_subscribers(home: Home, slug: str | None, as_json: bool) -> None:
    """Show who reads, since when, and which topics they chose."""
    with engines.read(home.engine) as connection:
        found = subscriber_store.listing(connection, home.digest(slug).slug if slug else None)
    if as_json:
        output.document({"subscribers": found})
    elif not found:
        click.echo("Nobody is subscribed yet. `digest subscribers add ADDRESS` adds the first reader.")
    else:
        output.table(
            ["Address", "Digest", "State", "Since", "Topics", "Paused until"],
            [
                (
                    one.address,
                    one.digest,
                    one.state.value,
                    one.since.date() if one.since else "",
                    ", ".join(one.topics) or "all",
                    one.paused_until,
                )
                for one in found
            ],
        )


@subscribers.command()
@click.argument("address")
@pass_home
def remove(home: Home, address: str) -> None:
    """Erase a reader. A suppression of the address stays, as a keyed hash."""
    if not data.erase(home.engine, consent.checked(address)):
        raise UnknownSubscriber(address)
    click.echo(f"{address} is erased.")


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@digest_option
@output.json_option
@pass_home
@click.pass_context
def import_subscribers(context: click.Context, home: Home, file: Path, slug: str | None, as_json: bool) -> None:
    """Add the readers of a CSV file, with a column `email` and perhaps one `topics`.

    A line that cannot be used is reported and the rest goes on; whoever left or is suppressed is not brought back.
    Exits with 1 if any line was refused.
    """
    report = transfer.import_csv(home.config, home.engine, file, home.digest(slug), utc_now())
    if as_json:
        output.document(report)
    else:
        for refusal in report.refused:
            click.echo(f"{file}:{refusal.line}: {refusal.reason}", err=True)
        click.echo(
            f"{output.count(report.added, 'reader')} added, {report.already} already there, {len(report.refused)} refused."
        )
    if report.refused:
        context.exit(1)


@subscribers.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@pass_home
def export_subscribers(home: Home, file: TextIO) -> None:
    """Write every reader as CSV, to a file or to standard output."""
    transfer.export_csv(home.engine, file)


def _check_not_left(home: Home, digest: Digest, address: str) -> None:
    with engines.read(home.engine) as connection:
        for found in subscriber_store.by_address(connection, address):
            if found.digest == digest.slug and found.state is SubscriptionState.ENDED:
                left = f" on {found.ended_at.date()}" if found.ended_at else ""
                raise BadAddress(address, f"they left {digest.title}{left}; `--again` adds them if they asked for it.")


def _check_topics(home: Home, topics: tuple[str, ...]) -> None:
    known = [topic.slug for topic in home.config.topics]
    for topic in topics:
        if topic not in known:
            raise click.UsageError(f"{topic!r} is not a topic. topics.toml has: {', '.join(known)}.")
