"""The market block: `market`, and `market try`, which reads a document by a mapping."""

import asyncio
from datetime import date, datetime
from pathlib import Path

import click

from digest import checkup
from digest.checkup import MarketSeries
from digest.cli import output
from digest.cli.context import Home, digest_option, local_day, pass_home, utc_now
from digest.config import Series, SeriesFormat
from digest.editions import market as block
from digest.errors import ConfigError
from digest.feeds.markets.tryout import try_file, try_out
from digest.feeds.visit import EASTERNMOST
from digest.home import read_series
from digest.language import english
from digest.model import Period
from digest.store import engine as engines

NOTHING = "digest.toml names no market series: [market] has neither ecb_url nor a [[market.series]]."
SHOWN = 10


@click.group(invoke_without_command=True)
@digest_option
@output.json_option
@pass_home
@click.pass_context
def market(context: click.Context, home: Home, slug: str | None, as_json: bool) -> None:
    """Show the market block as an edition would have it today.

    With the day of each value and, below, what is wrong: series that have not come, are old, or hold a value back that
    jumps too far to be believed.
    """
    if context.invoked_subcommand:
        return
    now = utc_now()
    day = local_day(home.digest(slug), now)
    with engines.read(home.engine) as connection:
        series = checkup.market_series(home.config, connection, day, now)
    if as_json:
        output.document({"day": day, "series": [_as_dict(one, day) for one in series]})
    elif not series:
        click.echo(NOTHING)
    else:
        _print(series, day, now)


@market.command("try")
@click.argument("place", metavar="URL|FILE|NAME")
@click.option("--format", "kind", type=click.Choice([one.value for one in SeriesFormat]), help="csv if left out.")
@click.option("--value", help="The column, or in XML the path, of the value.")
@click.option("--day", help="The same of the day.")
@click.option("--row", help="In XML the path of the elements that hold one observation each, such as //Obs.")
@click.option("--where", multiple=True, metavar="COLUMN=TEXT", help="Only rows that say so; may be given again.")
@click.option("--period", type=click.Choice([one.value for one in Period]), help="day if left out.")
@click.option("--day-format", metavar="FORMAT", help="Such as %d/%m/%Y, where the day is in no common form.")
@click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign, where the numbers do not tell.")
@click.option("--header", type=int, metavar="LINE", help="The line of the columns' names in CSV.")
@click.option("--day-line", type=int, metavar="LINE", help="The line that begins with the day, where no column has it.")
@output.json_option
@pass_home
@click.pass_context
def try_mapping(
    context: click.Context, home: Home, /, place: str, as_json: bool, where: tuple[str, ...], **given: str | int | None
) -> None:
    """Print what a mapping reads from a document.

    From an address, from a file, or as the series of that NAME in digest.toml reads it; nothing is stored. Exits with 1 where
    something is wrong with it.
    """
    config = home.config
    listed = next((one for one in config.market.series if one.name == place), None)
    mapping = listed or _mapping(place, where, given)
    today = (utc_now() + EASTERNMOST).date()
    file = Path(place)
    if not listed and file.is_file():
        readings = try_file(file, mapping, today, config.fetch.most_bytes)
    else:
        readings = asyncio.run(try_out(config, mapping, today))
    values = readings.values.get(mapping, ())
    if as_json:
        output.document(
            {"values": [{"day": day, "value": f"{value:f}"} for day, value in values], "fault": readings.fault or None}
        )
    else:
        for day, value in values[:SHOWN]:
            click.echo(f"{day}  {value:f}")
        if len(values) > SHOWN:
            click.echo(f"and {output.count(len(values) - SHOWN, 'older value')}")
        for fault in readings.faults.values():
            click.echo(f"Wrong: {fault}.")
    if readings.faults:
        context.exit(1)


def _mapping(place: str, where: tuple[str, ...], given: dict[str, str | int | None]) -> Series:
    told = {("format" if key == "kind" else key): value for key, value in given.items() if value is not None}
    pairs = {name: text for name, _, text in (one.rpartition("=") for one in where)}
    url = place if "://" in place else f"https://file.example/{Path(place).name}"
    try:
        return read_series({"name": place, "url": url, "source": place, "where": pairs, **told})
    except ConfigError as error:
        raise click.UsageError("; ".join(fault.message for fault in error.faults)) from None


def _print(series: tuple[MarketSeries, ...], day: date, now: datetime) -> None:
    rows = []
    for one in series:
        lines = block.lines([one.standing.quote] if one.standing.quote else [], day, english())
        line = lines[0] if lines else block.MarketLine(one.name, "", day)
        since = f" since {line.since}" if line.since else ""
        change = f"{line.arrow} {line.change}{since}".strip()
        rows.append((line.name, line.last, line.as_of if lines else "", change, output.ago(one.read_at, now)))
    right = {"justify": "right"}
    output.table(["Series", ("Last", right), "As of", ("Change", right), "Read"], rows)
    for one in series:
        for fault in one.faults:
            click.echo(f"{one.name}: {fault}.")


def _as_dict(series: MarketSeries, day: date) -> dict[str, object]:
    quote = series.standing.quote
    line = next(iter(block.lines([quote] if quote else [], day, english())), None)
    return {
        "name": line.name if line else series.name,
        "source": series.standing.wanted.source,
        "url": series.url,
        "last": line.last if line else None,
        "as_of": line.as_of if line else None,
        "change": line.change if line else None,
        "direction": line.direction if line and line.change else None,
        "since": quote.previous_day if quote and line and line.change else None,
        "stale": line.stale if line else None,
        "read_at": series.read_at,
        "faults": series.faults,
    }
