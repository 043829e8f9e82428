"""How commands speak: tables and sentences on a terminal, plain lines elsewhere, one JSON document with `--json`."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from digest.model import Receipt

WIDTH_OFF_TERMINAL = 120

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or of a fixed width where there is none, so that tables do not break."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=WIDTH_OFF_TERMINAL)
    return made


def document(value: Any) -> None:
    """Print a value as the command's one JSON document."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def table(columns: Sequence[str | tuple[str, dict[str, Any]]], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings. A heading may come with rich's column settings."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        name, settings = (column, {}) if isinstance(column, str) else column
        made.add_column(name, **{"overflow": "fold", **settings})
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console().print(made)


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names with what there is to say of each, one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(escape(name), escape(value))
    console().print(grid)


def marked(lines: Iterable[tuple[str, str]]) -> None:
    """Print sentences below each other, each behind a mark, which may have rich's markup."""
    grid = Table.grid(padding=(0, 1, 0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for mark, sentence in lines:
        grid.add_row(mark, escape(sentence))
    console().print(grid)


def span(span: timedelta) -> str:
    """ "8 s", "3 min 20 s", "2 h 5 min"."""  # noqa: D210
    seconds = round(span.total_seconds())
    if seconds < 60:  # noqa: PLR2004
        return f"{span.total_seconds():.1f} s" if seconds < 10 else f"{seconds} s"  # noqa: PLR2004
    if seconds < 60 * 60:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600:,} h {seconds % 3600 // 60} min"


def progress(title: str) -> Progress:
    """A progress bar on a terminal; nothing elsewhere, where the command's closing line says it all."""
    return Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not console(stderr=True).is_terminal,
    )


def count(number: int, singular: str, plural: str | None = None) -> str:
    """ "1 story", "12 stories"."""  # noqa: D210
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def ordinal(number: int) -> str:
    """ "1st", "2nd", "3rd", "4th", "11th", "21st"."""  # noqa: D210
    teens = number % 100 in {11, 12, 13}
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def ago(moment: datetime | None, now: datetime) -> str:
    """ "just now", "5 min ago", "3 h ago", "2 days ago"; "never" for None."""  # noqa: D210
    if moment is None:
        return "never"
    return "just now" if now - moment < timedelta(minutes=1) else f"{_span(now - moment)} ago"


def ahead(moment: datetime, now: datetime) -> str:
    """ "in 5 min", "in 3 h"; "now" for what has come."""  # noqa: D210
    return "now" if moment <= now else f"in {_span(moment - now)}"


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def reasons(receipt: Receipt, most: int = 3) -> str:
    """The strongest reasons of a receipt in words, the strongest first."""
    factors = sorted(receipt.factors, key=lambda factor: -abs(factor.points))[:most]
    return "; ".join(f"{factor.because} ({factor.points:+.1f})" for factor in factors)
