"""Making an edition: `preview` and `publish`."""

import asyncio
import time
from datetime import date, datetime
from pathlib import Path

import click

from digest import clock
from digest.cli import output
from digest.cli.context import Home, date_option, digest_option, local_day, pass_home, utc_now
from digest.delivery.post import PostReport, post
from digest.delivery.preview import letter_of_a_test, write_preview
from digest.editions import compose, policy
from digest.editions.publish import as_it_stands, draft
from digest.editions.publish import publish as run_publish
from digest.model import WAITING, Digest, Edition, EditionState
from digest.store import deliveries as ledger
from digest.store import editions as edition_store
from digest.store import engine as engines
from digest.subscribers.consent import checked


def press_time(digest: Digest, day: date, now: datetime) -> datetime:
    """When the edition of `day` goes to press if somebody asks for it: today's now, an earlier day's at its slot."""
    slot = clock.slot(day, digest.press, digest.zone)
    return now if slot is None or day == local_day(digest, now) else min(slot, now)


@click.command()
@digest_option
@date_option
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write; preview/ in the home folder if left out.",
)
@click.option(
    "--mail",
    "address",
    metavar="ADDRESS",
    help="Also mail it there, marked [TEST], with personal links that change nothing.",
)
@output.json_option
@pass_home
def preview(
    home: Home, slug: str | None, day: datetime | None, folder: Path | None, address: str | None, as_json: bool
) -> None:
    """Write an edition's HTML, text and .eml without publishing it.

    An edition that is already published is written as it was frozen, one that waits as it would be if it were approved
    now.
    """
    digest, now = home.digest(slug), utc_now()
    date_ = day.date() if day else local_day(digest, now)
    with engines.read(home.engine) as connection:
        stored = edition_store.by_date(connection, digest.slug, date_)
        if stored and stored.state in WAITING:
            edition = as_it_stands(connection, stored, now)
        else:
            edition = stored or draft(home.config, connection, digest, date_, press_time(digest, date_, now), now)
    published = stored is not None and stored.state not in WAITING
    paths = write_preview(home.config, edition, folder or home.path / "preview") if edition.items else []
    tested = _tested(home, edition, checked(address), now) if address and edition.items else None
    if as_json:
        mailed = {"mailed": tested.sent, "problems": tested.problems} if tested else {}
        output.document({**summary(edition), "published": published, "files": [str(path) for path in paths], **mailed})
    else:
        print_edition(edition)
        if standing := _standing(digest, edition, published=published, stored=stored is not None):
            click.echo(standing)
        for path in paths:
            click.echo(str(path))
        if tested and tested.sent:
            where = (
                f"is in {home.config.outbox}, since there is no relay"
                if home.config.relay is None
                else f"went to {address}"
            )
            click.echo(f"The test {where}.")
    if tested and tested.problems:
        click.echo(" ".join(tested.problems), err=True)
        raise click.exceptions.Exit(1)


def _tested(home: Home, edition: Edition, address: str, now: datetime) -> PostReport:
    letter = letter_of_a_test(home.config, edition, address, now)
    return asyncio.run(post(home.config, home.engine, [letter], utc_now))


def _standing(digest: Digest, edition: Edition, *, published: bool, stored: bool) -> str:
    """How far the edition has come, in a sentence; nothing where its table says it."""
    if published:
        return "As it was published." if edition.state is EditionState.FROZEN else ""
    if edition.state is EditionState.PROPOSED:
        return f"Proposed to the editors; {policy.prospect(digest)}."
    if stored or not edition.items:
        return ""
    if edition.state is EditionState.HELD:
        return "Not made yet; so it would be held."
    return "Not published yet; `digest publish` freezes it."


@click.command()
@digest_option
@date_option
@output.json_option
@pass_home
def publish(home: Home, slug: str | None, day: datetime | None, as_json: bool) -> None:
    """Freeze an edition and queue it for its subscribers. An edition that exists is left as it is."""
    digest, now = home.digest(slug), utc_now()
    date_ = day.date() if day else local_day(digest, now)
    if date_ > local_day(digest, now):
        raise click.UsageError(f"{date_} has not come yet in {digest.zone}; `digest preview` shows how it stands.")
    started = time.monotonic()
    published = run_publish(home.config, home.engine, digest, date_, press_time(digest, date_, now), now)
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        with engines.read(home.engine) as connection:
            counts = ledger.counts(connection, published.edition.id)
        made = {"created": published.created, "queued": published.queued, "counts": counts, "seconds": seconds}
        output.document({**summary(published.edition), **made})
        return
    print_edition(published.edition)
    if published.edition.state is EditionState.HELD:
        click.echo("Not published.")
    elif published.created and published.edition.state is EditionState.SKIPPED:
        click.echo("Settled; nothing is mailed.")
    elif published.created:
        click.echo(f"Published; {output.count(published.queued, 'delivery', 'deliveries')} queued.")
    elif not published.edition.id:
        click.echo("Not published; the date stays open.")
    else:
        click.echo("It was published before; nothing has changed.")


def summary(edition: Edition) -> dict[str, object]:
    """What `--json` says of an edition."""
    neutral = compose.cut(edition, ())
    return {
        "edition": edition.id,
        "digest": edition.digest,
        "date": edition.date,
        "state": edition.state,
        "reason": edition.reason,
        "config_hash": edition.config_hash,
        "stories": [
            {"place": item.place, "id": item.story_id, "topic": item.section, "score": item.score, "title": item.title}
            for item in neutral.items
        ],
    }


def print_edition(edition: Edition) -> None:
    """Print an edition as a table: place, story, topic, score, and why; of one that is held, what can be done about it."""
    click.echo(f"{edition.title}, {edition.date.isoformat()}")
    if edition.state is not EditionState.FROZEN:
        click.echo(f"{edition.state.value}: {edition.reason}")
    if edition.items:
        _print_items(edition)
    if edition.state is EditionState.HELD:
        click.echo(policy.advice(edition))


def _print_items(edition: Edition) -> None:
    output.table(
        [
            ("#", {"justify": "right"}),
            ("Story", {"ratio": 5}),
            "Topic",
            ("Score", {"justify": "right"}),
            ("Why", {"ratio": 4}),
        ],
        [
            (
                item.place,
                f"{item.title} ({item.publisher})",
                edition.topic_titles.get(item.section, item.section),
                f"{item.score:.1f}",
                output.reasons(item.receipt),
            )
            for item in compose.cut(edition, ()).items
        ],
    )
