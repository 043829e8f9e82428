"""What became of published editions: `report`."""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import click

from digest.cli import hand, output
from digest.cli.context import Home, pass_home, utc_now
from digest.delivery.report import EditionReport
from digest.delivery.report import report as report_of
from digest.errors import UnknownEdition
from digest.model import DeliveryState
from digest.store import engine as engines
from digest.store import reports
from digest.store.reports import Doubt, Published
from digest.subscribers.consent import masked

MOST_LISTED = 10
LEAST_HEADLINE = 24
"""Columns below which the list has no room for headlines."""

MOST_SHOWN = 12
"""Of replies and of deliveries in doubt; `--json` has all."""

_STILL = {
    DeliveryState.QUEUED: "waiting",
    DeliveryState.CLAIMED: "taken by a sender",
    DeliveryState.OFFERED: "being handed over",
}
_NEVER = (
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SUPPRESSED,
    DeliveryState.EXPIRED,
    DeliveryState.QUARANTINED,
)


@click.command()
@click.argument("edition", type=int, required=False)
@click.option("--addresses", is_flag=True, help="Write out the addresses of deliveries that are unknown.")
@output.json_option
@pass_home
def report(home: Home, edition: int | None, addresses: bool, as_json: bool) -> None:
    """Show what became of an edition: sent, failed and why, in doubt, what came back, by domain.

    EDITION is its number, as `digest audit` and this command without a number list it: the latest editions, a line each.
    """
    started = time.monotonic()
    if edition is None:
        _list(home, as_json=as_json, started=started)
        return
    with engines.read(home.engine) as connection:
        published = reports.one(connection, edition)
        if published is None:
            raise UnknownEdition(f"with the number {edition}")
        found = report_of(connection, published, utc_now())
    if not addresses:
        found = replace(found, doubts=tuple(map(_without_address, found.doubts)))
    if as_json:
        output.document({**found.as_dict(), "seconds": round(time.monotonic() - started, 3)})
    else:
        _print(found)


def _list(home: Home, *, as_json: bool, started: float) -> None:
    with engines.read(home.engine) as connection:
        found = reports.latest(connection, MOST_LISTED)
        counts = reports.standings(connection, [one.id for one in found])
    if as_json:
        listed = [asdict(one) | {"edition": one.id, "counts": counts[one.id]} for one in found]
        output.document({"editions": listed, "seconds": round(time.monotonic() - started, 3)})
    elif not found:
        click.echo("No edition has been published yet.")
    else:
        right, fixed = {"justify": "right", "no_wrap": True}, {"no_wrap": True}
        columns: list[tuple[str, dict[str, Any]]] = [
            ("No.", right),
            ("Date", fixed),
            ("Digest", fixed),
            ("Audience", right),
        ]
        columns += [("Sent", right), ("Waiting", right), ("Not sent", right)]
        rows = [_line(one, counts[one.id]) for one in found]
        room = output.console().width - sum(
            3 + max(len(str(row[place])) for row in [[name for name, _ in columns], *rows])
            for place in range(len(columns))
        )
        if room >= LEAST_HEADLINE:
            columns.append(("Opens with", fixed))
            rows = [(*row, _opening(one, room - 2)) for row, one in zip(rows, found, strict=True)]
        output.table(columns, rows)


def _line(edition: Published, counts: dict[DeliveryState, int]) -> tuple[str, ...]:
    waiting = f"{sum(counts[state] for state in _STILL):,}"
    return (
        str(edition.id),
        edition.date.isoformat(),
        edition.digest,
        f"{edition.audience:,}",
        f"{counts[DeliveryState.SENT]:,}",
        f"{waiting} paused" if edition.paused_at else waiting,
        f"{sum(counts[state] for state in _NEVER):,}",
    )


def _opening(edition: Published, most: int) -> str:
    first = edition.headlines[0] if edition.headlines else ""
    return first if len(first) <= most else f"{first[: most - 1].rstrip()}…"


def _print(report: EditionReport) -> None:
    edition = report.edition
    click.echo(f"{edition.title}, {edition.date} (edition {edition.id} of {edition.digest})")
    for headline in edition.headlines:
        click.echo(f"  {headline}")
    click.echo()
    output.facts(_facts(report))
    if report.said:
        click.echo("\nWhat relays said")
        output.table(
            [("Messages", {"justify": "right"}), "State", "Step", "Code", ("Reply", {"ratio": 1})],
            [(f"{one.count:,}", one.state, one.phase, one.code or "", one.reply) for one in report.said[:MOST_SHOWN]],
        )
        _more(len(report.said), "other reply", "other replies")
    if report.doubts:
        click.echo("\nIn doubt: the connection broke after the message was handed over")
        output.table(
            ["Address", ("Since", {"no_wrap": True}), ("What happened", {"ratio": 1})],
            [(one.address or "erased", hand.utc(one.since), one.reply) for one in report.doubts[:MOST_SHOWN]],
        )
        _more(len(report.doubts), "other", "others")
    if len(report.domains) > 1:
        click.echo("\nThe domains most readers are at")
        right = {"justify": "right"}
        output.table(
            ["Domain", ("Audience", right), ("Sent", right), ("Failed", right), ("Deferred", right)],
            [
                (one.domain, f"{one.audience:,}", f"{one.sent:,}", f"{one.failed:,}", f"{one.deferred:,}")
                for one in report.domains
            ],
        )


def _facts(report: EditionReport) -> Iterator[tuple[str, str]]:
    edition, progress = report.edition, report.progress
    counts = progress.counts
    yield "Published", hand.utc(edition.published_at)
    if edition.paused_at:
        yield "Paused", f"since {hand.utc(edition.paused_at)}: {edition.paused_because}"
    yield "Audience", f"{edition.audience:,}"
    yield "Sent", _sent(report)
    still = ", ".join(f"{counts[state]:,} {words}" for state, words in _STILL.items() if counts[state])
    if still:
        yield "On its way", still
    if until := report.hours.until:
        yield "Waits for an hour", f"{output.count(report.hours.waiting, 'message')}, until {hand.utc(until)}"
    never = ", ".join(f"{counts[state]:,} {state}" for state in _NEVER if counts[state])
    yield "Not sent", never or "none"
    if progress.retried:
        tried = output.count(progress.retried, "message")
        yield "Tried again", f"{tried}, at most {progress.most_tries} tries"
    yield "Came back", ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.came_back.items())) or "none"
    thought = report.thought
    yield "Found useful", f"by {thought.useful:,} of {thought.answers:,} who said" if thought.answers else "nobody said"


def _sent(report: EditionReport) -> str:
    progress = report.progress
    sent = f"{progress.counts[DeliveryState.SENT]:,}"
    if progress.first_sent is None or progress.last_sent is None or report.seconds is None:
        return sent
    first, last = progress.first_sent, progress.last_sent
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    rate = "" if report.rate is None else f", {report.rate:,.1f} a second"
    return f"{sent} from {_with_date(first, report)} to {until} UTC, {output.span(timedelta(seconds=report.seconds))}{rate}"


def _with_date(moment: datetime, report: EditionReport) -> str:
    same = moment.date() == report.edition.published_at.date()
    return f"{moment:%H:%M:%S}" if same else f"{moment:%Y-%m-%d %H:%M:%S}"


def _more(number: int, one: str, many: str) -> None:
    if number > MOST_SHOWN:
        click.echo(f"and {output.count(number - MOST_SHOWN, one, many)}; `--json` has all.")


def _without_address(doubt: Doubt) -> Doubt:
    return replace(doubt, address=masked(doubt.address)) if doubt.address else doubt
