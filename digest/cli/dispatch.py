"""The operator's hand on what is being sent: `pause`, `resume`, `resend`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import click
from sqlalchemy import Connection

from digest.cli import hand, output
from digest.cli.context import Home, pass_home, utc_now
from digest.errors import NotToBeSent, UnknownEdition, UnknownSubscriber
from digest.model import DeliveryState
from digest.store import editions, reports
from digest.store import engine as engines
from digest.store import resend as resend_store
from digest.store.reports import Published, ToGo
from digest.subscribers.consent import checked


@dataclass(frozen=True, slots=True)
class _Changed:
    """An edition that was paused or resumed, and what of it is still to be sent."""

    edition: Published
    to_go: ToGo

    def as_dict(self) -> dict[str, object]:
        one = self.edition
        return {"edition": one.id, "digest": one.digest, "date": one.date, "waiting": self.to_go.number}


@click.command()
@click.argument("edition", type=int, required=False)
@hand.reason_option
@output.json_option
@pass_home
def pause(home: Home, edition: int | None, reason: str, as_json: bool) -> None:
    """Stop sending a published edition until `digest resume`; every one that is being sent if none is named.

    A sender at work stops within the messages it has in hand. Time goes on: what still waits `late_hours` after it was
    due is not sent any more. To keep an edition from being published, there is `digest hold`.
    """
    now = utc_now()

    def change(connection: Connection) -> list[Published]:
        named = [_named(connection, edition)] if edition is not None else reports.on_their_way(connection)
        return [one for one in named if editions.pause(connection, one.id, reason, now)]

    changed = _change(home, change, now)
    if edition is not None and not changed:
        raise NotToBeSent(f"Edition {edition} is paused already; `digest resume {edition}` goes on with it.")
    if as_json:
        output.document({"paused": [one.as_dict() for one in changed]})
        return
    if not changed:
        click.echo("Nothing is being sent.")
    for one in changed:
        click.echo(f"{_name(one.edition)} is paused; {_still(one.to_go)}.")
        if last := one.to_go.last_due:
            end = hand.utc(last + home.config.delivery.late)
            click.echo(f"`digest resume {one.edition.id}` goes on; at {end} what waits is too late to be sent.")


@click.command()
@click.argument("edition", type=int, required=False)
@output.json_option
@pass_home
def resume(home: Home, edition: int | None, as_json: bool) -> None:
    """Go on sending a paused edition; every paused one if none is named."""
    now = utc_now()

    def change(connection: Connection) -> list[Published]:
        named = [_named(connection, edition)] if edition is not None else reports.paused(connection)
        return [one for one in named if editions.resume(connection, one.id, now)]

    changed = _change(home, change, now)
    if edition is not None and not changed:
        raise NotToBeSent(f"Edition {edition} is not paused.")
    if as_json:
        output.document({"resumed": [one.as_dict() for one in changed]})
        return
    if not changed:
        click.echo("No edition is paused.")
    for one in changed:
        some = "" if one.to_go.late == one.to_go.number else f"{one.to_go.late:,} of them "
        fate = f", {some}too old by now, and will expire" if one.to_go.late else ""
        click.echo(f"{_name(one.edition)} is resumed; {_still(one.to_go)}{fate}.")


@click.command("resend")
@click.argument("edition", type=int)
@click.option("--failed", is_flag=True, help="Those that a relay refused.")
@click.option("--unknown", is_flag=True, help="Those that may have been sent; their readers may get it twice.")
@click.option("--address", metavar="ADDRESS", help="Only the one to this address.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output.json_option
@pass_home
def resend(
    home: Home, edition: int, failed: bool, unknown: bool, address: str | None, yes: bool, as_json: bool
) -> None:
    """Queue failed or unknown messages of an edition once more, as if they had never been tried.

    They have the same Message-ID, so that a second copy is known as one. What was sent is never sent again, nor is
    anything sent to readers who have left, paused or been suppressed, or whose mail was due more than `late_hours` ago.
    """
    wanted = [state for state, given in ((DeliveryState.FAILED, failed), (DeliveryState.UNKNOWN, unknown)) if given]
    if not wanted:
        raise click.UsageError("Which ones? Give --failed, --unknown or both.")
    to, now = checked(address) if address else None, utc_now()
    since, hours = now - home.config.delivery.late, f"{home.config.delivery.late_hours:g}"
    with engines.read(home.engine) as connection:
        one = _named(connection, edition)
        found = {state: resend_store.find(connection, edition, one.date, state, since, to) for state in wanted}
        if to:
            _check_address(one, resend_store.state_of(connection, edition, to), wanted, to)
    number, unwanted, late = (
        sum(getattr(some, name) for some in found.values()) for name in ("wanted", "unwanted", "late")
    )
    if late and not number:
        raise NotToBeSent(
            f"What there is of {_name(one)} was due more than {hours} hours ago, so it is not sent any more. "
            "A larger late_hours in [delivery] lets it."
        )
    if number and not yes and sys.stdin.isatty():
        words = " and ".join(f"{some.wanted:,} {state}" for state, some in found.items() if some.wanted)
        click.confirm(f"Send {words} of {_name(one)} once more?", abort=True, err=True)
    with engines.write(home.engine) as connection:
        queued = {state: resend_store.again(connection, edition, one.date, state, since, now, to) for state in wanted}
    total = sum(queued.values())
    if as_json:
        left_out = {"left_out": unwanted, "too_late": late}
        output.document({"edition": edition, "queued": queued, "total": total, **left_out})
        return
    waits = f"; it is paused, so they wait for `digest resume {edition}`" if one.paused_at and total else ""
    click.echo(f"{output.count(total, 'message')} of {_name(one)} queued once more{waits}.")
    if unwanted:
        click.echo(f"{output.count(unwanted, 'message')} left out: the readers have left, paused or been suppressed.")
    if late:
        was = "it was" if late == 1 else "they were"
        click.echo(f"{output.count(late, 'message')} left out, since {was} due more than {hours} hours ago.")


def _change(home: Home, change: Callable[[Connection], list[Published]], now: datetime) -> list[_Changed]:
    since = now - home.config.delivery.late
    with engines.write(home.engine) as connection:
        return [_Changed(one, reports.to_go(connection, one.id, since)) for one in change(connection)]


def _named(connection: Connection, edition: int) -> Published:
    found = reports.one(connection, edition)
    if found is None:
        raise UnknownEdition(f"with the number {edition}")
    return found


def _check_address(edition: Published, state: DeliveryState | None, wanted: list[DeliveryState], address: str) -> None:
    if state is None:
        raise UnknownSubscriber(address)
    if state not in wanted:
        raise NotToBeSent(f"{_name(edition)} to {address} is {state}; it is not sent again.")


def _name(edition: Published) -> str:
    return f"Edition {edition.id} ({edition.digest} of {edition.date})"


def _still(to_go: ToGo) -> str:
    return f"{output.count(to_go.number, 'message')} {'is' if to_go.number == 1 else 'are'} still to be sent"
