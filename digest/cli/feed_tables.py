"""How feeds are shown: one line for each, and below it what somebody should know."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from digest.cli import output
from digest.feeds import health
from digest.feeds.cleaning import text
from digest.feeds.health import Health
from digest.feeds.lists.records import duration, one_line
from digest.feeds.look import Look, Trial
from digest.feeds.outcomes import Parsed
from digest.model import Alert, Feed
from digest.store.feeds import FeedState

NO_FEED = "feeds.toml names no feed. `digest feeds add URL` adds the first one."

_COLOURS = {
    **dict.fromkeys((Health.RETIRED, Health.FAILING), "red"),
    **dict.fromkeys((Health.LOUD, Health.SILENT), "yellow"),
    Health.WELL: "green",
}
_HEADS = ("STATE", "PUBLISHER", "FEED", "READ", "NEW", "FAILS", "NEXT")
_FEED = _HEADS.index("FEED")
_WIDEST_PUBLISHER = 24
_NARROWEST = 24
_PUBLISHERS_SHARE = 0.4
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Row:
    """A feed, its state in a word, and what an operator should know of it."""

    state: FeedState
    health: Health
    alerts: dict[Alert, str]

    @property
    def needs_somebody(self) -> bool:
        """Whether it is worth a look."""
        return bool(self.alerts or self.state.held) or self.health in {
            Health.RETIRED,
            Health.FAILING,
            Health.LOUD,
            Health.SILENT,
        }

    @property
    def sentences(self) -> list[str]:
        """What to say below it."""
        memory = self.state.memory
        said = list(self.alerts.values())
        if memory.error and not any(memory.error in sentence for sentence in said) and Alert.MOVED not in self.alerts:
            said.append(memory.error)
        if self.state.held and Alert.LOUD not in self.alerts:
            held = output.count(self.state.held, "article is", "articles are")
            said.append(f"{held} held back; `digest feeds release` lets them into editions")
        return said

    def as_dict(self) -> dict[str, Any]:
        """What `feeds list --json` says of it."""
        feed, memory = self.state.feed, self.state.memory
        return {
            "url": feed.url,
            "publisher": feed.publisher,
            "state": self.health.value,
            "alerts": {alert.value: sentence for alert, sentence in self.alerts.items()},
            "outcome": memory.outcome,
            "status": memory.status,
            "error": memory.error,
            "polled_at": memory.polled_at,
            "succeeded_at": memory.succeeded_at,
            "new_at": memory.new_at,
            "failures": memory.failures,
            "next_poll_at": memory.next_poll_at if self.health not in {Health.PAUSED, Health.RETIRED} else None,
            "address": memory.address or feed.url,
            "articles_a_day": memory.habits.pace,
            "articles": self.state.articles,
            "held": self.state.held,
        }


def ordered(states: Iterable[FeedState], now: datetime) -> list[Row]:
    """The feeds, those first that most need somebody."""
    worst_first = list(Health)
    rows = [
        Row(one, health.state(one.feed, one.memory, now), health.alerts(one.feed, one.memory, now)) for one in states
    ]
    return sorted(
        rows,
        key=lambda row: (
            worst_first.index(row.health),
            not row.sentences,
            -row.state.memory.failures,
            row.state.feed.publisher.casefold(),
            row.state.feed.url,
        ),
    )


def print_rows(everyone: Sequence[Row], shown: Sequence[Row], now: datetime) -> None:
    """Print a line of totals, and the rows that are to be shown."""
    counts = Counter(row.health for row in everyone)
    total = ", ".join(f"{counts[word]} {word.value}" for word in Health if counts[word])
    stored = sum(row.state.articles for row in everyone)
    width = output.console().width
    summary = f"{output.count(len(everyone), 'feed')}: {total}; {output.count(stored, 'article')} stored."
    click.echo(textwrap.fill(summary, width))
    if not shown:
        click.echo("None of them needs anybody.")
        return
    lines = [_cells(row, now) for row in shown]
    widths = _widths(lines, width)
    click.echo()
    click.echo(click.style(_line(_HEADS, widths), bold=True))
    for row, cells in zip(shown, lines, strict=True):
        line = _line(cells, widths)
        state = line[: widths[0]]
        click.echo(click.style(state, fg=_COLOURS.get(row.health)) + line[widths[0] :])
        if sentences := row.sentences:
            for sentence in (row.state.feed.url, *sentences):
                _below(sentence, width)


def print_trials(trials: Sequence[Trial], now: datetime) -> None:
    """Print what each feed said, and a line of totals."""
    width = output.console().width
    for trial in trials:
        seen = trial.look
        word, colour = ("FAILED", "red") if seen.failure else ("ok", "green")
        click.echo(f"{click.style(f'{word:7}', fg=colour)} {seen.url}")
        if seen.failure:
            _below(f"{seen.failure} ({f'HTTP {seen.status}, ' if seen.status else ''}{seen.seconds:.1f} s)", width)
            continue
        kind = one_line(seen.content_type.partition(";")[0], 60) or "no content type"
        size = f"{seen.size / 1024:,.0f} KB" if seen.size >= 10 * 1024 else output.count(seen.size, "byte")
        _below(f"HTTP {seen.status} in {seen.seconds:.1f} s, {kind}, {size}", width)
        _below(introduction(seen, now), width)
        for sentence in _remarks(trial):
            _below(sentence, width)
    if not trials:
        click.echo(NO_FEED)
        return
    failed = sum(trial.look.failure is not None for trial in trials)
    verdict = f"{failed} cannot be read" if failed else "all can be read"
    click.echo(f"{output.count(len(trials), 'feed')} called on: {verdict}. Nothing was stored.")


def introduction(seen: Look, now: datetime) -> str:
    """What a feed is, in a sentence."""
    assert isinstance(seen.document, Parsed)
    document = seen.document
    dates = [given for entry in document.entries if (given := entry.published or entry.updated)]
    newest = max(dates, default=None)
    parts = [output.count(len(document.entries), "entry", "entries") if document.entries else "no entry at present"]
    if newest:
        parts.append(f"the newest of {newest:%Y-%m-%d %H:%M} UTC ({output.ago(newest, now)})")
    elif document.entries:
        parts.append("none with a date")
    parts.append(
        f'language "{text.cut(text.plain(document.language), 40)}"' if document.language else "no language given"
    )
    return f"{text.cut(text.plain(document.title), 100) or 'A feed without a title'}: {', '.join(parts)}."


def name_of(feed: Feed) -> str:
    """A feed in a sentence: whose it is, and which."""
    return f"{feed.publisher} ({feed.url})"


def trial_as_dict(trial: Trial) -> dict[str, Any]:
    """What `feeds check --json` says of a feed."""
    seen, habits = trial.look, trial.habits
    return {
        "feed": seen.url,
        "readable": trial.look.failure is None,
        "error": trial.look.failure,
        "status": seen.status,
        "seconds": round(seen.seconds, 3),
        "content_type": seen.content_type,
        "bytes": seen.size,
        "found_at": seen.found_at,
        "moved_to": seen.moved_to,
        "title": seen.document.title if isinstance(seen.document, Parsed) else "",
        "language": seen.document.language if isinstance(seen.document, Parsed) else "",
        "entries": habits.entries,
        "articles": trial.articles,
        "dropped": dict(trial.dropped),
        "newest": habits.newest,
        "wait_seconds": habits.wait.total_seconds() if habits.wait else None,
        "fresh_for_seconds": seen.fresh_for.total_seconds() if seen.fresh_for else None,
        "silent_hours": habits.silent_hours,
        "silent_days": habits.silent_days,
    }


def _remarks(trial: Trial) -> list[str]:
    """What is worth knowing of a feed that can be read."""
    seen, habits, said = trial.look, trial.habits, []
    if trial.dropped:
        reasons = "; ".join(f"{number} × {reason}" for reason, number in sorted(trial.dropped.items()))
        said.append(f"{trial.articles} of them would become articles; left out: {reasons}.")
    waits = [wait for wait in (habits.wait, seen.fresh_for) if wait]
    asks = [f"{duration(max(waits))} between two polls"] if waits else []
    if habits.silent_hours:
        asks.append(f"no poll in the hours {', '.join(map(str, habits.silent_hours))} UTC")
    if habits.silent_days:
        asks.append(f"no poll on {', '.join(_DAYS[day] for day in habits.silent_days)}")
    if asks:
        said.append(f"It asks for {' and '.join(asks)}.")
    if seen.moved_to:
        said.append(f"It has moved for good to {seen.moved_to}.")
    elif seen.found_at != seen.url:
        said.append(f"For now it is at {seen.found_at}.")
    return said


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    feed, memory = row.state.feed, row.state.memory
    asked = row.health not in {Health.PAUSED, Health.RETIRED}
    return (
        row.health.value,
        feed.publisher,
        feed.url.partition("://")[2].removeprefix("www.").rstrip("/"),
        _since(memory.succeeded_at, now),
        _since(memory.new_at, now),
        str(memory.failures or "-"),
        _span(memory.next_poll_at - now) if asked else "-",
    )


def _widths(lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns' widths: publisher and feed share what the others leave, if they need it."""
    widths = [max(cell_len(cell) for cell in column) for column in zip(_HEADS, *lines, strict=True)]
    publisher, feed = widths[1], widths[2]
    room = max(width - sum(widths) + publisher + feed - 2 * (len(widths) - 1), _NARROWEST)
    widths[1] = min(publisher, _WIDEST_PUBLISHER, int(room * _PUBLISHERS_SHARE))
    widths[2] = min(feed, room - widths[1])
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """A line of the table; where a feed's address is too long, its middle is left out."""
    tails = [(size - 1) // 2 if at == _FEED else 0 for at, size in enumerate(widths)]
    shortened = map(_shortened, cells, widths, tails)
    return "  ".join(map(set_cell_size, shortened, widths)).rstrip()


def _shortened(words: str, size: int, tail: int) -> str:
    """Words in so many columns of a terminal, of which the last so many are kept."""
    if cell_len(words) <= size:
        return words
    end = words[len(words) - tail :]
    while cell_len(end) > tail:
        end = end[1:]
    return f"{set_cell_size(words, size - 1 - tail).rstrip()}…{end}"


def _below(sentence: str, width: int) -> None:
    for line in textwrap.wrap(sentence, max(width - 8, 40), break_long_words=False, break_on_hyphens=False):
        click.echo(f"        {line}")


def _since(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else _span(now - moment)


def _span(span: timedelta) -> str:
    """A span in a few columns, in the letters of feeds.toml: "5m", "3h", "12d"; "now" for what is less than a minute."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "now"
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}d"
