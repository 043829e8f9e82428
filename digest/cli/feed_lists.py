"""What is read, list by list: `feeds add`, `import`, `export`."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO

import click

from digest.cli import feed_tables, output
from digest.cli.context import Home, pass_home, utc_now
from digest.errors import UsageError, WorkError
from digest.feeds.cleaning import text, urls
from digest.feeds.discover import Discovery, discover
from digest.feeds.lists import listing, opml, records, sheet, transfer
from digest.feeds.look import Look
from digest.feeds.outcomes import Parsed
from digest.model import Feed
from digest.tomlfile import parse_duration

_WITH_SCHEME = re.compile(r"\s*(?:feed:|[a-z+.-]+://)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")


@click.command()
@click.argument("url")
@click.option("--publisher", metavar="NAME", help="Whose it is; the feed's own title if left out.")
@click.option("--topic", "topics", multiple=True, metavar="SLUG", help="What all of it is about; may be given again.")
@click.option(
    "--weight",
    type=click.FloatRange(0, records.MOST_WEIGHT),
    default=1.0,
    help="How much its word counts; 1 if left out.",
)
@click.option("--language", metavar="TAG", help='What it is written in, such as "en"; its own statement if left out.')
@click.option("--poll", "interval", metavar="SPAN", help='How often to ask: "30m", "6h"; as it publishes if left out.')
@click.option("--no-check", is_flag=True, help="Do not call on it; URL is the feed's own address.")
@pass_home
def add(
    home: Home,
    url: str,
    publisher: str | None,
    topics: tuple[str, ...],
    weight: float,
    language: str | None,
    interval: str | None,
    no_check: bool,
) -> None:
    """Add a feed, by its own address or that of its page.

    It is called on first, and written into feeds.toml where it is for good. Exits with 1 if there is no feed, with 2
    if it is listed already.
    """
    url = address(url)
    _refuse_listed(home, url)
    feed = Feed(
        url=url,
        publisher=" ".join((publisher or "").split()),
        weight=weight,
        language=_language(language),
        topics=_topics(home, topics),
        poll=_interval(interval),
    )
    if not no_check:
        found = _found(asyncio.run(discover(home.config, url)), url)
        _refuse_listed(home, found.address)
        feed = replace(feed, url=found.address, publisher=feed.publisher or _own_title(found))
    feed = replace(feed, publisher=feed.publisher or urls.host_of(feed.url))
    if not listing.add(home.path / "feeds.toml", [feed]):
        raise UsageError(f"{feed.url} has been added to feeds.toml meanwhile. Nothing has changed.")
    click.echo(f'Added to feeds.toml: {feed.url}, publisher "{feed.publisher}".')
    siblings = {other.publisher for other in home.config.feeds if urls.site_of(other.url) == urls.site_of(feed.url)}
    if not publisher and siblings and feed.publisher not in siblings:
        names = " or ".join(f'"{name}"' for name in sorted(siblings))
        click.echo(
            f"Other feeds of that site have the publisher {names}; if it is the same house, give it the same name."
        )


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@output.json_option
@pass_home
@click.pass_context
def import_feeds(context: click.Context, home: Home, file: Path, dry_run: bool, as_json: bool) -> None:
    """Add the feeds of an OPML or CSV file.

    They are written into feeds.toml and not called on; `digest feeds check` does that. Folders and categories that have
    the name of a topic become its feeds' topics. Feeds that are listed already are left alone. A line that cannot be used
    is reported and the rest goes on. Exits with 1 if there was such a line.
    """
    with file.open("rb") as stream:
        body = stream.read(transfer.MOST_BYTES + 1)
    arrived = transfer.read(body, home.config.feeds, home.config.topics)
    added = arrived.new
    if added and not dry_run:
        added = listing.add(home.path / "feeds.toml", added)
    already = arrived.already + len(arrived.new) - len(added)
    if as_json:
        output.document({"added": added, "already": already, "refused": arrived.refused, "dry_run": dry_run})
    else:
        for refusal in arrived.refused:
            click.echo(f"{file}:{refusal.line}: {refusal.reason}", err=True)
        for feed in added if dry_run else ():
            topics = f", topics {', '.join(feed.topics)}" if feed.topics else ""
            click.echo(f"would add {feed_tables.name_of(feed)}{topics}")
        verb = "would be added" if dry_run else "added"
        click.echo(
            f"{output.count(len(added), 'feed')} {verb}, {already} already there, {len(arrived.refused)} refused."
        )
    if arrived.refused:
        context.exit(1)


@click.command("export")
@click.argument("file", type=click.File("wb", lazy=True), default="-")
@click.option("--opml", "as_opml", is_flag=True, help="As OPML, which feed readers understand. The default.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV; the default for a FILE whose name ends in .csv.")
@pass_home
def export_feeds(home: Home, file: IO[bytes], as_opml: bool, as_csv: bool) -> None:
    """Write every feed as OPML or CSV.

    To a file, or to standard output; with all settings, so that `import` makes the same list of it again.
    """
    if as_opml and as_csv:
        raise click.UsageError("Either --opml or --csv, not both.")
    if as_csv or (not as_opml and file.name.lower().endswith(".csv")):
        file.write(sheet.write(home.config.feeds))
    else:
        file.write(opml.write(home.config.feeds, home.config.site.title, utc_now()))


def address(given: str) -> str:
    """The address that somebody typed; without a scheme it is taken for https.

    Raises:
        UsageError: it cannot be one.
    """
    try:
        return records.address(given if _WITH_SCHEME.match(given) else f"https://{given}")
    except ValueError as error:
        raise UsageError(f"{error}.") from error


def _refuse_listed(home: Home, url: str) -> None:
    if known := records.listed(home.config.feeds, url):
        spelled = "" if known.url == url else f" as {known.url}"
        raise UsageError(f'{url} is listed already{spelled}, publisher "{known.publisher}". Nothing has changed.')


def _language(tag: str | None) -> str | None:
    if tag is not None and not _LANGUAGE.fullmatch(tag):
        raise click.UsageError(f'"{tag}" is not a language tag; it should be such as "en" or "pt-BR".')
    return tag


def _topics(home: Home, topics: tuple[str, ...]) -> tuple[str, ...]:
    known = [topic.slug for topic in home.config.topics]
    for topic in topics:
        if topic not in known:
            raise click.UsageError(f"{topic!r} is not a topic. topics.toml has: {', '.join(known)}.")
    return tuple(dict.fromkeys(topics))


def _interval(given: str | None) -> timedelta | None:
    span = parse_duration(given) if given else None
    if given and (span is None or span < records.SHORTEST_POLL):
        raise click.UsageError(f'"{given}" is not a span; it should be such as "30m", "6h" or "1d", at least 1 minute.')
    return span


def _found(discovery: Discovery, url: str) -> Look:
    """The feed that was found, introduced; or all that was tried in vain."""
    if discovery.found is None:
        answers = [f"  {seen.url}: {seen.failure}" for seen in discovery.looks]
        raise WorkError("\n".join([f"No feed was found at {url}. Nothing has changed. Tried:", *answers]))
    if discovery.named:
        click.echo(f"{url} is a web page; its feed is {discovery.found.address}.")
        failures = {seen.url: seen.failure for seen in discovery.looks}
        for other in discovery.named:
            if other != discovery.found.url:
                failure = failures.get(other)
                click.echo(f"It also names {other}{f', which is of no use: {failure}' if failure else ''}.")
    elif len(discovery.looks) > 1:
        click.echo(f"{url} is a web page that names no feed; trying the usual places found {discovery.found.address}.")
    click.echo(feed_tables.introduction(discovery.found, utc_now()))
    return discovery.found


def _own_title(found: Look) -> str:
    document = found.document
    return text.cut(text.plain(document.title), records.LONGEST_NAME) if isinstance(document, Parsed) else ""
