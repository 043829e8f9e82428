"""Whole lists of readers: `subscribers import`, `export`."""

import getpass
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TextIO

import click

from digest.cli import output
from digest.cli.context import Home, digest_option, pass_home, utc_now
from digest.feeds.cleaning import text
from digest.subscribers import transfer
from digest.subscribers.judge import Judge, Vouched
from digest.subscribers.transfer import Outcome, Verdict

MOST_SHOWN = 20
MOST_LISTED = 1_000
"""Of the refusals of a list; the file of those that were rejected has them all."""


@dataclass
class Report:
    """What came of a list: how many lines of each verdict, the first that were refused, and the columns that were not used."""

    dry_run: bool
    counts: Counter[Verdict] = field(default_factory=Counter)
    refused: list[Outcome] = field(default_factory=list)
    unused: tuple[str, ...] = ()
    rejected: Path | None = None

    def add(self, one: Outcome) -> None:
        """Count a line in."""
        self.counts[one.verdict] += 1
        if one.verdict is Verdict.REFUSED and len(self.refused) < MOST_LISTED:
            self.refused.append(one)

    def document(self) -> dict[str, object]:
        """The report for `--json`."""
        return {
            "dry_run": self.dry_run,
            **{verdict.value: self.counts[verdict] for verdict in Verdict},
            "refusals": [{"line": one.line, "address": one.address, "reason": one.reason} for one in self.refused],
            "rejected_file": self.rejected,
            "unused_columns": self.unused,
        }

    def tell(self, file: Path) -> None:
        """Say it in sentences."""
        for one in self.refused[:MOST_SHOWN]:
            click.echo(f"{file}:{one.line}: {one.reason}", err=True)
        if (more := self.counts[Verdict.REFUSED] - MOST_SHOWN) > 0:
            click.echo(f"{output.count(more, 'more line was', 'more lines were')} refused.", err=True)
        if self.rejected:
            click.echo(f"{self.rejected} has the lines that were refused: mend it and import it.", err=True)
        if self.counts[Verdict.ERASED]:
            click.echo(
                f"Lines of {output.count(self.counts[Verdict.ERASED], 'reader')} were left out. {transfer.ERASED}",
                err=True,
            )
        if self.unused:
            click.echo(f"Not used: {', '.join(self.unused)}.", err=True)
        added = f"{output.count(self.counts[Verdict.ADDED], 'reader')} {'would be ' if self.dry_run else ''}added"
        others = {
            Verdict.ALREADY: "already there",
            Verdict.REPEATED: "repeated in the file",
            Verdict.LEFT: "kept as having left",
            Verdict.SUPPRESSED: "suppressed",
            Verdict.ERASED: "erased here before",
            Verdict.REFUSED: "refused",
        }
        shown = [f"{self.counts[verdict]:,} {words}" for verdict, words in others.items() if self.counts[verdict]]
        click.echo(f"{', '.join([added, *shown])}.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@digest_option
@click.option(
    "--consent",
    "grounds",
    default="",
    metavar="TEXT",
    help="How these readers agreed, in a sentence that is kept with each; needed but for our own export.",
)
@click.option("--by", metavar="NAME", default=getpass.getuser, show_default="who you are", help="Who vouches for it.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of each line.")
@click.option("--roles", is_flag=True, help="Also addresses of functions, such as webmaster@.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the lines go that are refused, to be mended and imported again; beside FILE if left out.",
)
@output.json_option
@pass_home
@click.pass_context
def import_subscribers(
    context: click.Context,
    home: Home,
    file: Path,
    slug: str | None,
    grounds: str,
    by: str,
    dry_run: bool,
    roles: bool,
    rejected: Path | None,
    as_json: bool,
) -> None:
    """Add the readers of a CSV file: our own export, listmonk's, Mailchimp's, or any with a column `email`.

    A line that cannot be used is reported and the rest goes on. Nobody is brought back who has left or is suppressed,
    by our books or by the file's. An import that was interrupted is simply done again: nobody is added twice.
    Exits with 1 if any line was refused.
    """
    if rejected is not None and rejected.resolve() == file.resolve():
        raise click.UsageError("--rejected must not be the file that is read.")
    vouched = Vouched(text.plain(by), file.name, text.plain(grounds))
    judge = Judge(home.config, home.digest(slug), vouched, utc_now(), only_that=slug is not None, roles=roles)
    report = Report(dry_run)
    if layout := transfer.layout_of(file):
        report.unused = layout.unused
        with (
            transfer.Rejected(rejected or _beside(file), layout) as kept,
            output.progress(f"Reading {file.name}") as bar,
        ):
            task = bar.add_task("", total=100, note="%")
            came = transfer.import_csv(
                home.engine,
                judge,
                file,
                dry_run=dry_run,
                watch=lambda share: bar.update(task, completed=int(100 * share)),
            )
            for one in came:
                report.add(one)
                if one.verdict is Verdict.REFUSED:
                    kept.add(one)
        report.rejected = kept.place if kept.count else None
    if as_json:
        output.document(report.document())
    else:
        report.tell(file)
    if report.refused:
        context.exit(1)


@click.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@click.option("--raw", is_flag=True, help="For programs: no apostrophe before what a spreadsheet would compute.")
@pass_home
def export_subscribers(home: Home, file: TextIO, raw: bool) -> None:
    """Write every reader as CSV, to a file or to standard output; `import` reads it."""
    transfer.export_csv(home.engine, file, raw=raw)


def _beside(file: Path) -> Path:
    """Where the rejected lines of a file go. What somebody may be mending is not written over."""
    names = (f"{file.stem}.rejected{f'.{number}' if number > 1 else ''}.csv" for number in count(1))
    return next(place for name in names if not (place := file.with_name(name)).exists())
