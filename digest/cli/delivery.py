"""Sending: `deliver` and `audit`."""

import asyncio
import signal
import time
from dataclasses import asdict

import click

from digest.cli import output, sending
from digest.cli.context import Home, pass_home, utc_now
from digest.delivery.deliver import DeliveryReport
from digest.delivery.deliver import deliver as run_deliver
from digest.errors import UnknownEdition
from digest.steady import Steady, elapsed
from digest.store import deliveries as ledger
from digest.store import engine as engines
from digest.store import feedback, reports


@click.command()
@click.option(
    "--once", is_flag=True, help="Send what is due and stop; this is also what happens without it.", hidden=True
)
@output.json_option
@pass_home
@click.pass_context
def deliver(context: click.Context, home: Home, once: bool, as_json: bool) -> None:  # noqa: ARG001
    """Send what is due. Exits with 1 if the relay does not take it; nothing is lost then.

    A stop signal lets the messages in flight be finished and leaves the rest waiting.
    """
    with engines.read(home.engine) as connection:
        due = ledger.due(connection, utc_now())
    with sending.shown(due, quiet=as_json) as hear:

        async def until_stopped() -> DeliveryReport:
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            return await run_deliver(home.config, home.engine, Steady(utc_now(), elapsed), stop=stop, progress=hear)

        report = asyncio.run(until_stopped())
    if as_json:
        output.document(report.as_dict())
    else:
        _print(home, report)
        if report.left:
            _print_paused(home)
    if report.problem:
        context.exit(1)


def _print(home: Home, report: DeliveryReport) -> None:
    counts = {name: count for name, count in report.as_dict().items() if isinstance(count, int) and count}
    left = counts.pop("left", 0)
    outbox = counts.pop("outbox", 0)
    if counts:
        rate = report.sent / report.seconds if report.seconds else 0
        words = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        click.echo(f"{words} in {report.seconds:.1f} s ({rate:.0f} a second).")
    elif not report.problem:
        click.echo("Nothing is due.")
    if left and not report.problem:
        click.echo(f"{output.count(left, 'message')} still waiting.")
    if outbox:
        click.echo(f"{output.count(outbox, 'mail')} written to {home.config.outbox} instead of being mailed.")
    if report.problem:
        click.echo(report.problem, err=True)


def _print_paused(home: Home) -> None:
    with engines.read(home.engine) as connection:
        for one in reports.paused(connection):
            where = f"Edition {one.id} ({one.digest} of {one.date})"
            click.echo(f"{where} is paused: {one.paused_because} `digest resume {one.id}` goes on with it.")


@click.command()
@click.argument("edition", type=int, required=False)
@output.json_option
@pass_home
@click.pass_context
def audit(context: click.Context, home: Home, edition: int | None, as_json: bool) -> None:
    """Check that every subscriber of an edition is accounted for; all editions if none is named.

    eligible = queued + claimed + offered + sent + failed + unknown + suppressed + expired + quarantined.
    Exits with 1 where that does not hold.
    """
    started = time.monotonic()
    with engines.read(home.engine) as connection:
        audits = ledger.audit(connection, edition)
        thought = {audited.edition_id: feedback.counts(connection, audited.edition_id) for audited in audits}
    if edition is not None and not audits:
        raise UnknownEdition(f"with the number {edition}")
    balanced = all(audited.balanced for audited in audits)
    if as_json:
        seconds = round(time.monotonic() - started, 3)
        editions = [{**audited.as_dict(), **asdict(thought[audited.edition_id])} for audited in audits]
        output.document({"balanced": balanced, "editions": editions, "seconds": seconds})
    elif not audits:
        click.echo("No edition has been published yet.")
    else:
        output.table(
            [
                "Edition",
                "Digest",
                "Date",
                ("Eligible", {"justify": "right"}),
                "Accounted for",
                "Balanced",
                "Found useful",
            ],
            [
                (
                    audited.edition_id,
                    audited.digest,
                    audited.date,
                    f"{audited.eligible:,}",
                    ", ".join(f"{count:,} {state}" for state, count in audited.counts.items() if count),
                    "yes" if audited.balanced else "NO",
                    f"{thought[audited.edition_id].useful:,} of {thought[audited.edition_id].answers:,}",
                )
                for audited in audits
            ],
        )
    if not balanced:
        context.exit(1)
