"""Who reads: `subscribers add`, `list`, `show`, `remove`, `import`, `export`."""

import click

from digest.cli import output, reader
from digest.cli import subscriber_lists as lists
from digest.cli.context import Home, digest_option, pass_home, utc_now
from digest.errors import BadAddress, UnknownSubscriber
from digest.model import Digest, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as subscriber_store
from digest.subscribers import consent, data, preferences


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
@click.option(
    "--language", metavar="TAG", default="", help="Of their mails and pages, such as de. None means the site's."
)
@click.option("--again", is_flag=True, help="Also one who has left; you vouch that they asked for it.")
@pass_home
def add(home: Home, address: str, slug: str | None, topics: tuple[str, ...], language: str, again: bool) -> None:
    """Add a reader who has agreed to it; you vouch for that."""
    digest = home.digest(slug)
    _check_topics(home, topics)
    chosen = _language(home, language)
    if not again:
        _check_not_left(home, digest, consent.checked(address))
    added = consent.subscribe(
        home.config, home.engine, address, digest, topics, utc_now(), how="operator", language=chosen
    )
    if added.created:
        which = ", ".join(topics) or "all topics"
        click.echo(f"{added.subscription.address} now reads {digest.title} ({which}).")
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
    if not data.erase(home.engine, consent.checked(address), utc_now()):
        raise UnknownSubscriber(address)
    click.echo(f"{address} is erased.")


subscribers.add_command(lists.import_subscribers)
subscribers.add_command(lists.export_subscribers)


def _check_not_left(home: Home, digest: Digest, address: str) -> None:
    with engines.read(home.engine) as connection:
        for found in subscriber_store.by_address(connection, address):
            if found.digest == digest.slug and found.state is SubscriptionState.ENDED:
                left = f" on {found.ended_at.date()}" if found.ended_at else ""
                raise BadAddress(address, f"they left {digest.title}{left}; `--again` adds them if they asked for it.")


def _language(home: Home, tag: str) -> str:
    if (chosen := preferences.language_of(tag, home.config.languages)) is None:
        known = ", ".join(home.config.languages)
        raise click.UsageError(f"{tag!r} is no language that readers can choose. There are: {known}.")
    return chosen


def _check_topics(home: Home, topics: tuple[str, ...]) -> None:
    known = [topic.slug for topic in home.config.topics]
    for topic in topics:
        if topic not in known:
            raise click.UsageError(f"{topic!r} is not a topic. topics.toml has: {', '.join(known)}.")
