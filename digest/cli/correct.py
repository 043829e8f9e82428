"""Corrections: `correct` marks an item of a published edition, and writes to those who were sent it."""

import asyncio
from datetime import datetime

import click
from sqlalchemy import Engine

from digest.cli import hand, output
from digest.cli.context import Home, date_option, digest_option, local_day, pass_home, utc_now
from digest.config import Config
from digest.delivery.correction import letters_of
from digest.delivery.post import PostReport, post
from digest.errors import UnknownEdition, UnknownStory
from digest.model import Correction, Edition, EditionState, Item
from digest.store import corrections
from digest.store import editions as edition_store
from digest.store import engine as engines

LONGEST_CORRECTION = 1_000


@click.command()
@click.argument("story")
@click.option(
    "--text",
    "said",
    required=True,
    metavar="TEXT",
    callback=hand.inert("correction", LONGEST_CORRECTION),
    help="What was wrong and what is right, as readers shall read it.",
)
@date_option
@hand.author_option
@click.option("--mail", is_flag=True, help="Also write to everyone who was sent the edition.")
@digest_option
@output.json_option
@pass_home
def correct(
    home: Home,
    story: str,
    said: str,
    day: datetime | None,
    author: str,
    mail: bool,
    slug: str | None,
    as_json: bool,
) -> None:
    """Correct a story of a published edition.

    STORY is its id, such as s123, or its place in the edition. The archive shows the correction with the story from now on.
    With --mail it goes to those who were sent the edition, and to nobody else; said again in the same words, it goes to those
    whom it has not reached yet.
    """
    digest, now = home.digest(slug), utc_now()
    date_ = day.date() if day else local_day(digest, now)
    with engines.write(home.engine) as connection:
        edition = edition_store.by_date(connection, digest.slug, date_)
        if edition is None or edition.state is not EditionState.FROZEN:
            raise UnknownEdition(f"of {digest.slug} for {date_}")
        item = _item(edition, story)
        new = Correction(edition.id, item.story_id, said, author, now)
        known = (
            one for one in corrections.of(connection, edition.id) if (one.story_id, one.text) == (item.story_id, said)
        )
        correction = next(known, None) or corrections.add(connection, new)
    report = asyncio.run(_mailed(home.config, home.engine, edition, correction)) if mail else None
    page = f"{home.config.site.base_url}/archive/{digest.slug}/{date_}"
    if as_json:
        made = {name: getattr(correction, name) for name in Correction.__dataclass_fields__}
        mailed = {"mailed": report.sent, "problems": report.problems} if report else {"mailed": 0, "problems": ()}
        output.document({"correction": made, "title": item.title, "page": page, **mailed})
    else:
        click.echo(f"“{item.title}” is marked as corrected: {page}")
        if report:
            click.echo(f"{output.count(report.sent, 'letter')} sent.")
    for problem in report.problems if report else ():
        click.echo(problem, err=True)
    if report and report.problems:
        raise click.exceptions.Exit(1)


def _item(edition: Edition, story: str) -> Item:
    """The item that an id or a place names."""
    found = next((item for item in edition.items if story in {item.story_id, str(item.place)}), None)
    if found is None:
        raise UnknownStory(story)
    return found


async def _mailed(config: Config, engine: Engine, edition: Edition, correction: Correction) -> PostReport:
    letters = letters_of(config, engine, edition, correction, utc_now())
    return await post(config, engine, letters, utc_now)
