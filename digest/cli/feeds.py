"""Reading: `poll` and `feeds`."""

import asyncio

import click

from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.feeds.poll import FeedReport, PollReport
from digest.feeds.poll import poll as run_poll
from digest.store import engine as engines
from digest.store import feeds as feed_store


@click.command()
@click.option("--feed", "only", metavar="URL", help="Only this feed, even if it is not due.")
@click.option("--all", "everything", is_flag=True, help="Every feed, even those that are not due.")
@output.json_option
@pass_home
@click.pass_context
def poll(context: click.Context, home: Home, only: str | None, everything: bool, as_json: bool) -> None:
    """Read the feeds that are due, once. Exits with 1 if not one of them could be read."""
    if only and only not in [feed.url for feed in home.config.feeds]:
        raise click.UsageError(f"{only} is not in feeds.toml. `digest feeds list` shows what is.")
    total = 1 if only else len(home.config.feeds)
    with output.progress("Reading feeds") as bar:
        task = bar.add_task("", total=total, note="")

        def advance(_report: FeedReport) -> None:
            bar.advance(task)

        report = asyncio.run(
            run_poll(home.config, home.engine, utc_now(), only=only, everything=everything, progress=advance)
        )
    if as_json:
        output.document(report.as_dict())
    else:
        _print(report, total)
    if report.outcomes and report.as_dict()["failed"] == len(report.outcomes):
        context.exit(1)


def _print(report: PollReport, configured: int) -> None:
    if not report.outcomes:
        waiting = output.count(configured, "feed")
        click.echo(f"None of {waiting} is due yet. `digest poll --all` reads them all the same.")
    else:
        for outcome in report.outcomes:
            if outcome.error:
                click.echo(f"{outcome.outcome.value:12} {outcome.feed}: {outcome.error}")
        counts = report.as_dict()
        click.echo(
            f"{output.count(counts['feeds'], 'feed')} in {report.seconds:.1f} s: {counts['fetched']} fetched, "
            f"{counts['not_modified']} not modified, {counts['failed']} failed; "
            f"{output.count(report.articles_new, 'new article')}, {report.articles_updated} updated."
        )
    if report.market and report.market.error:
        click.echo(f"market       {report.market.feed}: {report.market.error}")


@click.group()
def feeds() -> None:
    """What is read, and how each feed is doing."""


@feeds.command("list")
@output.json_option
@pass_home
def list_feeds(home: Home, as_json: bool) -> None:
    """Show every feed's health at a glance."""
    with engines.read(home.engine) as connection:
        states = feed_store.states(connection)
    if as_json:
        output.document({"feeds": states})
        return
    if not states:
        click.echo("No feed has been read yet. `digest poll` reads those of feeds.toml.")
        return
    now = utc_now()
    for state in states:
        outcome = "not read yet" if state.outcome is None else state.outcome.value.replace("_", " ")
        failures = f", {output.count(state.failures, 'failure')} in a row" if state.failures else ""
        click.echo(state.url)
        click.echo(
            f"  {state.publisher}: {outcome}{failures}; last read {output.ago(state.succeeded_at, now)}, "
            f"last new article {output.ago(state.new_at, now)}, next {output.ahead(state.next_poll_at, now)}"
        )
        if state.error:
            click.echo(f"  {state.error}")
