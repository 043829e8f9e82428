"""What published editions have told: `search`."""

from datetime import datetime

import click

from digest.cli import output
from digest.cli.context import Home, pass_home
from digest.store import engine as engines
from digest.store import search as store
from digest.store.search import Found, Search
from digest.words import question

MOST_SHOWN = 20
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("words", nargs=-1)
@click.option("--topic", default="", metavar="SLUG", help="Only stories of a topic.")
@click.option("--publisher", default="", metavar="NAME", help="Only stories that this publisher told.")
@click.option("--from", "since", type=_DAY, metavar="DATE", help="Of editions from this date on.")
@click.option("--to", "until", type=_DAY, metavar="DATE", help="Of editions up to this date.")
@click.option("--most", type=click.IntRange(1, 1000), default=MOST_SHOWN, show_default=True, help="How many at most.")
@click.option("--rebuild", is_flag=True, help="First make anew what is searched, and say what was wrong with it.")
@output.json_option
@pass_home
def search(
    home: Home,
    words: tuple[str, ...],
    topic: str,
    publisher: str,
    since: datetime | None,
    until: datetime | None,
    most: int,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Find stories of published editions, the newest first.

    Every one of the WORDS has to be in a story. Words in quotation marks have to stand in a row; a word after a minus must not be
    in it (write -- before the first of these).
    """
    if rebuild:
        with engines.write(home.engine) as connection:
            wrong = store.rebuild(connection)
        click.echo(f"Rebuilt; of {wrong} edition{'s' * (wrong != 1)} it was wrong.", err=True)
    # The shell takes the quotation marks off.
    typed = " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)
    wanted = Search(question(typed), topic, publisher, since.date() if since else None, until.date() if until else None)
    if not wanted:
        if rebuild:
            return
        raise click.UsageError("Say what to look for: words, --topic, --publisher, --from or --to.")
    with engines.read(home.engine) as connection:
        page = store.find(connection, wanted, most)
    if as_json:
        output.document({"found": [_document(found) for found in page.found], "more": page.older is not None})
        return
    for found in page.found:
        click.echo(f"{found.edition.date}  {found.edition.title}")
        for item in found.items:
            click.echo(f"  {item.place:2}. {item.title} ({item.publisher})\n      {item.url}")
    if not page.found:
        click.echo("Nothing was found.")
    if page.older is not None:
        click.echo(f"There is more: --most, or --to {page.found[-1].edition.date}.")


def _document(found: Found) -> dict[str, object]:
    stories = [
        {
            "place": item.place,
            "id": item.story_id,
            "title": item.title,
            "summary": item.summary,
            "url": item.url,
            "publisher": item.publisher,
            "topic": item.section,
        }
        for item in found.items
    ]
    return {"digest": found.edition.digest, "date": found.edition.date, "itself": found.itself, "stories": stories}
