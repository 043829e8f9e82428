"""Past days again: `backtest` under other rules, `rebuild` under their own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from digest import __version__
from digest.cli import output
from digest.cli.context import Home, date_option, digest_option, local_day, pass_home, utc_now
from digest.config import Rules
from digest.editions import backtest as past
from digest.editions.backtest import Change, ChangeKind, Day, Rebuilt
from digest.errors import UnknownDigest, UnknownEdition
from digest.home import read_editorial, read_topics
from digest.model import Edition, EditionState, Item
from digest.store import editions as edition_store
from digest.store import engine as engines

MOST_SHARES = 12
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--topics", "topics_file", type=_FILE, metavar="FILE", help="Topics as in topics.toml.")
@click.option(
    "--settings", "settings_file", type=_FILE, metavar="FILE", help="[ranking] and digests as in digest.toml."
)
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How many days back.")
@digest_option
@output.json_option
@pass_home
def backtest(
    home: Home, topics_file: Path | None, settings_file: Path | None, days: int, slug: str | None, as_json: bool
) -> None:
    """Show what changed topics or settings would have done to past editions.

    Each day's edition is made again from what was read for it, under the rules of that day and under the changed ones.
    Nothing is stored, nobody is asked, and files that are left out stay as they were on the day.
    """
    if topics_file is None and settings_file is None:
        raise click.UsageError("Name what to try: --topics FILE, --settings FILE, or both.")
    digest = home.digest(slug)
    if digest.week_of:
        raise click.UsageError(
            f"{digest.slug} tells again what {digest.week_of} told; `--digest {digest.week_of}` shows what would change there."
        )
    changed = _changed(home, digest.slug, topics_file, settings_file)
    since = local_day(digest, utc_now()) - timedelta(days=days)
    with engines.read(home.engine) as connection, output.progress("Days") as bar:
        task = bar.add_task("days", total=days, note="")
        found: list[Day] = []
        for day in past.replay(past.pools_since(connection, digest.slug, since), changed):
            found.append(day)
            bar.update(task, advance=1, note=day.day.isoformat())
    if as_json:
        output.document(_document(digest.slug, found))
    elif found:
        _print(found)
    else:
        click.echo(
            f"No edition of the last {output.count(days, 'day')} has a record of what it was made of. "
            "From now on every edition is published with one; `--days` looks further back."
        )


@click.command()
@digest_option
@date_option
@click.option("--days", type=click.IntRange(1, 3660), help="All editions of so many days instead of one.")
@output.json_option
@pass_home
def rebuild(home: Home, slug: str | None, day: datetime | None, days: int | None, as_json: bool) -> None:
    """Make a past edition again from its record and compare it with the stored one, byte for byte.

    Ends with 1 where one differs or cannot be made again.
    """
    digest, today = home.digest(slug), local_day(home.digest(slug), utc_now())
    with engines.read(home.engine) as connection:
        if days is None:
            wanted = day.date() if day else today
            one = edition_store.by_date(connection, digest.slug, wanted)
            if one is None:
                raise UnknownEdition(f"of {digest.slug} of {wanted}")
            editions = [one]
        else:
            editions = edition_store.frozen(
                connection, digest.slug, since=today - timedelta(days=days), before=today + timedelta(days=1)
            )
        found = [past.rebuild(connection, edition) for edition in editions]
    if as_json:
        output.document([_rebuilt(one) for one in found])
    else:
        for rebuilt in found:
            click.echo(_verdict(rebuilt))
        if not found:
            click.echo("No edition was published on these days.")
    if not all(one.same for one in found):
        raise click.exceptions.Exit(1)


def _changed(home: Home, slug: str, topics_file: Path | None, settings_file: Path | None) -> Callable[[Rules], Rules]:
    """The rules of a day with what the files say in place of what they said then."""
    topics = read_topics(topics_file) if topics_file else None
    editorial = read_editorial(settings_file, topics or home.config.topics) if settings_file else None
    digest = next((one for one in editorial[1] if one.slug == slug), None) if editorial else None
    if editorial and digest is None:
        raise UnknownDigest(slug, tuple(one.slug for one in editorial[1]))

    def changed(rules: Rules) -> Rules:
        if topics is not None:
            rules = replace(rules, topics=topics)
        if editorial is not None and digest is not None:
            rules = replace(rules, ranking=editorial[0], digest=digest)
        return rules

    return changed


def _topic(item: Item) -> str:
    return item.section or "no topic"


def _publisher(item: Item) -> str:
    return item.publisher


def _document(slug: str, days: Sequence[Day]) -> dict[str, object]:
    return {
        "digest": slug,
        "days": [
            {
                "date": day.day,
                "before": _side(day.before),
                "after": _side(day.after),
                "changes": [asdict(change) for change in day.changes],
            }
            for day in days
        ],
        "differences": sum(len(day.changes) for day in days),
        "topics": _both_shares(days, _topic),
        "publishers": _both_shares(days, _publisher),
    }


def _side(edition: Edition) -> dict[str, object]:
    return {"state": edition.state, "reason": edition.reason, "stories": len(edition.items[: edition.length])}


def _both_shares(days: Sequence[Day], of: Callable[[Item], str]) -> dict[str, dict[str, float]]:
    before, after = (past.shares(editions, of) for editions in ((d.before for d in days), (d.after for d in days)))
    return {
        name: {"before": before.get(name, 0.0), "after": after.get(name, 0.0)}
        for name in dict.fromkeys([*before, *after])
    }


def _print(days: Sequence[Day]) -> None:
    for day in days:
        click.echo(f"{day.day:%A} {day.day.isoformat()}: {_counts(day.changes)}")
        if day.before.state is not day.after.state:
            click.echo(f"  {day.before.state} before, {day.after.state} after. {day.after.reason}")
        if day.changes:
            titles = {**day.before.topic_titles, **day.after.topic_titles}
            output.table(
                ["", ("Place", {"justify": "right"}), ("Story", {"ratio": 5}), "Topic", ("Why", {"ratio": 3})],
                [
                    (
                        _SIGNS[change.kind],
                        _move(change.place_before, change.place_after),
                        f"{change.title} ({change.publisher})",
                        _move(
                            *(titles.get(topic, topic) or "–" for topic in (change.topic_before, change.topic_after))
                        ),
                        _why(change),
                    )
                    for change in day.changes
                ],
            )
    everything = [change for day in days for change in day.changes]
    click.echo(f"Over {output.count(len(days), 'day')}: {_counts(everything)}.")
    if everything:
        sides = [side for day in days for side in (day.before, day.after)]
        _print_shares(
            "Topic", _both_shares(days, _topic), {k: v for side in sides for k, v in side.topic_titles.items()}
        )
        _print_shares("Publisher", _both_shares(days, _publisher), {})


_SIGNS = {ChangeKind.ENTERED: "in", ChangeKind.LEFT: "out", ChangeKind.MOVED: "moved"}


def _counts(changes: Iterable[Change]) -> str:
    kinds = [change.kind for change in changes]
    if not kinds:
        return "no difference"
    return ", ".join(f"{kinds.count(kind)} {kind.value}" for kind in ChangeKind if kind in kinds)


def _move(before: object, after: object) -> str:
    if before == after:
        return f"{after}"
    return f"{'–' if before is None else before} → {'–' if after is None else after}"


def _why(change: Change) -> str:
    """The factors that count otherwise, the strongest first; without one, others came past it or made room."""
    if not change.points:
        return "other stories changed"
    strongest = sorted(change.points, key=lambda one: -abs(one[2] - one[1]))[:2]
    return ", ".join(f"{name} {now - was:+.1f}" for name, was, now in strongest)


def _print_shares(heading: str, shares: dict[str, dict[str, float]], titles: dict[str, str]) -> None:
    right = {"justify": "right"}
    moved = sorted(shares.items(), key=lambda one: (-abs(one[1]["after"] - one[1]["before"]), one[0]))
    output.table(
        [heading, ("Share before", right), ("after", right)],
        [
            (titles.get(name, name), f"{share['before']:.1%}", f"{share['after']:.1%}")
            for name, share in moved[:MOST_SHARES]
        ],
    )


def _rebuilt(one: Rebuilt) -> dict[str, object]:
    return {
        "edition": one.stored.id,
        "date": one.stored.date,
        "same": one.same,
        "made_by": one.release,
        "release": __version__,
    }


def _verdict(one: Rebuilt) -> str:
    name = f"The edition of {one.stored.date}"
    if one.edition is None and one.stored.state is EditionState.MISSED:
        return f"{name} was missed, so there is nothing to make again. {one.stored.reason}"
    if one.edition is None:
        return f"{name} has no record of what it was made of; it was published before records were kept."
    if one.same:
        return f"{name} was made again from its record and is the same, byte for byte."
    other = f" It was made by release {one.release}; this is {__version__}." if one.release != __version__ else ""
    changes = past.differences(one.stored, one.edition)
    what = f"{len(changes)} places differ" if changes else "its stories stand where they stood, their receipts differ"
    return f"{name} comes out otherwise: {what}.{other}"
