"""Reading: `poll`, and `feeds` with how each feed is doing and what is done to it."""

import asyncio
from dataclasses import replace

import click

from digest.cli import feed_lists, feed_tables, output
from digest.cli.context import Home, pass_home, utc_now
from digest.feeds.cleaning import urls
from digest.feeds.lists import listing, records
from digest.feeds.look import Trial, try_out
from digest.feeds.poll import poll as run_poll
from digest.feeds.reports import FeedReport, PollReport
from digest.model import Feed, Memory
from digest.store import articles as article_store
from digest.store import engine as engines
from digest.store import feeds as feed_store
from digest.store.feeds import FeedState


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
    if not configured:
        click.echo(feed_tables.NO_FEED)
    elif not report.outcomes:
        waiting = output.count(configured, "feed")
        click.echo(f"None of {waiting} is due yet. `digest poll --all` reads them all the same.")
    else:
        for outcome in report.outcomes:
            if outcome.error:
                click.echo(f"{outcome.outcome.value:12} {outcome.feed}: {outcome.error}")
            for alert, sentence in outcome.alerts.items():
                click.echo(f"{alert.value:12} {outcome.feed}: {sentence}")
        counts = report.as_dict()
        held = sum(outcome.articles_held for outcome in report.outcomes)
        click.echo(
            f"{output.count(counts['feeds'], 'feed')} in {report.seconds:.1f} s: {counts['fetched']} fetched, "
            f"{counts['not_modified']} not modified, {counts['failed']} failed; "
            f"{output.count(report.articles_new, 'new article')}{f' ({held} held back)' if held else ''}, "
            f"{report.articles_updated} updated."
        )
    for source in report.market:
        if source.error:
            click.echo(f"market       {source.feed}: {source.error}")
        if source.articles_updated:
            click.echo(f"market       {source.feed}: {output.count(source.articles_updated, 'value')} revised")


@click.group()
def feeds() -> None:
    """What is read, and how each feed is doing.

    Where a command takes a FEED, any part of its address or of its publisher's name will do that stands for no other.
    What changes feeds.toml leaves your comments and their order alone; a service that is running takes it up
    within a minute.
    """


@feeds.command("list")
@click.option("--failing", is_flag=True, help="Only those that need somebody to look at them.")
@output.json_option
@pass_home
def list_feeds(home: Home, failing: bool, as_json: bool) -> None:
    """Show how every feed is doing, the worst first.

    READ and NEW say how long ago it was last read and last brought something, FAILS how many polls in a row have
    failed, NEXT when it is asked again. Below a feed that needs somebody stands why.
    """
    now = utc_now()
    with engines.read(home.engine) as connection:
        known = {state.feed.url: state for state in feed_store.states(connection)}
    unread = FeedState(Feed("", ""), Memory(next_poll_at=now), articles=0, held=0)
    states = [replace(known.get(feed.url, unread), feed=feed) for feed in home.config.feeds]
    rows = feed_tables.ordered(states, now)
    shown = [row for row in rows if row.needs_somebody] if failing else rows
    if as_json:
        output.document({"feeds": [row.as_dict() for row in shown]})
    elif not rows:
        click.echo(feed_tables.NO_FEED)
    else:
        feed_tables.print_rows(rows, shown, now)


@feeds.command()
@click.argument("wanted", nargs=-1, metavar="[FEED]...")
@output.json_option
@pass_home
@click.pass_context
def check(context: click.Context, home: Home, wanted: tuple[str, ...], as_json: bool) -> None:
    """Call on feeds and say what a poll would bring.

    On these, or on all; nothing is stored. A feed that is not in feeds.toml is given by its whole address. Exits with 1
    if one of them cannot be read.
    """
    now = utc_now()
    chosen = [_chosen(home, one) for one in wanted] or list(home.config.feeds)
    with output.progress("Calling on feeds") as bar:
        task = bar.add_task("", total=len(chosen), note="")

        def advance(_trial: Trial) -> None:
            bar.advance(task)

        trials = asyncio.run(try_out(home.config, chosen, now, advance))
    if as_json:
        output.document({"feeds": [feed_tables.trial_as_dict(trial) for trial in trials]})
    else:
        feed_tables.print_trials(trials, now)
    if any(trial.look.failure for trial in trials):
        context.exit(1)


@feeds.command()
@click.argument("wanted", metavar="FEED")
@pass_home
def pause(home: Home, wanted: str) -> None:
    """Stop reading a feed until `resume`. What it brought stays."""
    feed = listing.find(home.config.feeds, wanted)
    if feed.paused:
        click.echo(f"{feed_tables.name_of(feed)} was paused already; nothing has changed.")
    else:
        listing.pause(home.path / "feeds.toml", feed.url, paused=True)
        click.echo(f"{feed_tables.name_of(feed)} is paused. `digest feeds resume {feed.url}` reads it again.")


@feeds.command()
@click.argument("wanted", metavar="FEED")
@pass_home
def resume(home: Home, wanted: str) -> None:
    """Read a paused or retired feed again.

    A feed is retired when its server has had no such document for long.
    """
    feed = listing.find(home.config.feeds, wanted)
    with engines.write(home.engine) as connection:
        known = feed_store.by_url(connection, feed.url)
        retired = known is not None and known.memory.retired_at is not None
        if retired or feed.paused:
            feed_store.wake(connection, feed.url, utc_now())
    if feed.paused:
        listing.pause(home.path / "feeds.toml", feed.url, paused=False)
    if retired or feed.paused:
        click.echo(f"{feed_tables.name_of(feed)} is read again, at the next poll.")
    else:
        click.echo(f"{feed_tables.name_of(feed)} was neither paused nor retired; nothing has changed.")


@feeds.command()
@click.argument("wanted", metavar="FEED")
@pass_home
def remove(home: Home, wanted: str) -> None:
    """Take a feed out of feeds.toml. The articles that it brought stay."""
    feed = listing.find(home.config.feeds, wanted)
    listing.remove(home.path / "feeds.toml", feed.url)
    click.echo(
        f"{feed_tables.name_of(feed)} is no longer in feeds.toml. Its articles stay in the database, but enter no new edition."
    )


@feeds.command()
@click.argument("wanted", metavar="FEED")
@pass_home
def release(home: Home, wanted: str) -> None:
    """Let a feed's held back articles into editions.

    They are held back where a feed suddenly brings far more than it does, until somebody has looked.
    """
    feed = listing.find(home.config.feeds, wanted)
    with engines.write(home.engine) as connection:
        known = feed_store.by_url(connection, feed.url)
        released = article_store.release(connection, known.id) if known else 0
    if released:
        click.echo(f"{feed_tables.name_of(feed)}: {output.count(released, 'article')} may now enter editions.")
    else:
        click.echo(f"{feed_tables.name_of(feed)}: no article was held back; nothing has changed.")


def _chosen(home: Home, wanted: str) -> Feed:
    """A listed feed, or one that is given by its whole address."""
    if "://" not in wanted or records.listed(home.config.feeds, wanted):
        return listing.find(home.config.feeds, wanted)
    url = feed_lists.address(wanted)
    return Feed(url, urls.host_of(url))


for command in (feed_lists.add, feed_lists.import_feeds, feed_lists.export_feeds):
    feeds.add_command(command)
