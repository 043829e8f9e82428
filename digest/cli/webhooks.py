"""What other programs are told: `webhooks list`, `test`, `retry`."""

import asyncio

import click

from digest import webhooks as verb
from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.config import Webhook
from digest.store import engine as engines
from digest.store import webhooks as store


@click.group()
def webhooks() -> None:
    """Other programs that are told of what happens; docs/api.md says how they are called."""


@webhooks.command("list")
@output.json_option
@pass_home
def list_webhooks(home: Home, as_json: bool) -> None:
    """Show how many calls each webhook took, how many wait or were given up, and its last answer."""
    with engines.read(home.engine) as connection:
        found = [(one, store.standing(connection, one.name)) for one in home.config.webhooks]
    if as_json:
        named = [{"name": one.name, "url": one.url, "standing": standing} for one, standing in found]
        output.document({"webhooks": named})
    elif not found:
        click.echo("No webhook is configured. A [[webhook]] in digest.toml has another program told of what happens.")
    else:
        right = {"justify": "right"}
        output.table(
            ["Name", "Address", ("Told", right), ("Waiting", right), ("Given up", right), "Last answer"],
            [(hook.name, hook.url, one.told, one.waiting, one.given_up, one.answer) for hook, one in found],
        )


@webhooks.command("test")
@click.argument("name")
@pass_home
@click.pass_context
def test(context: click.Context, home: Home, name: str) -> None:
    """Call one webhook now, with an event `test`, and say what it answers; exits with 1 if it did not take it."""
    webhook = _named(home, name)
    answer = asyncio.run(verb.test(home.config, webhook, utc_now()))
    taken, words = verb.took(answer), verb.in_words(answer)
    click.echo(f"{webhook.name} {'took' if taken else 'did not take'} it: {words}.", err=not taken)
    if not taken:
        context.exit(1)


@webhooks.command()
@click.argument("name")
@pass_home
def retry(home: Home, name: str) -> None:
    """Have everything tried anew that one webhook has not taken, what was given up too."""
    webhook = _named(home, name)
    with engines.write(home.engine) as connection:
        number = store.retry(connection, webhook.name, utc_now())
    click.echo(f"{output.count(number, 'call')} to {webhook.name} will be tried anew; the running service does so.")


def _named(home: Home, name: str) -> Webhook:
    known = {one.name: one for one in home.config.webhooks}
    if name not in known:
        raise click.UsageError(f"No webhook is called {name!r}. digest.toml has: {', '.join(known) or 'none'}.")
    return known[name]
