"""Why what stands where: `rank` and `explain`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from digest import clock
from digest.cli import output
from digest.cli.context import Home, digest_option, pass_home, utc_now
from digest.errors import UnknownStory
from digest.model import Article, Digest, Edition, Item, Ranked, Receipt, Window
from digest.ranking import rank as ranking
from digest.store import articles as article_store
from digest.store import editions as edition_store
from digest.store import engine as engines


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time, UTC where it names no zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what would be right."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-02-10T06:00 or 2026-02-10T06:00+01:00", param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ranked(home: Home, digest: Digest, at: datetime, hours: float | None) -> tuple[Window, list[Ranked]]:
    settings = home.config.ranking
    window = clock.window(at, hours or settings.hours)
    with engines.read(home.engine) as connection:
        articles = article_store.between(connection, window)
    return window, ranking.rank(articles, home.config.topics, settings, at, digest.topics)


@click.command()
@digest_option
@click.option("--at", type=Moment(), help="The end of the window; now if left out.")
@click.option("--hours", type=click.FloatRange(min=0.1), help="The window's length; `hours` of [ranking] if left out.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="How many stories; 0 is all.")
@output.json_option
@pass_home
def rank(home: Home, slug: str | None, at: datetime | None, hours: float | None, limit: int, as_json: bool) -> None:
    """Show the stories of a window, best first."""
    digest = home.digest(slug)
    window, found = _ranked(home, digest, at or utc_now(), hours)
    shown = found[:limit] if limit else found
    if as_json:
        of_article = ranking.article_topics(
            [one for ranked in shown for one in ranked.story.articles], home.config.topics
        )
        output.document(
            {
                "digest": digest.slug,
                "window": {"start": window.start, "end": window.end},
                "stories": [_story(ranked, of_article) for ranked in shown],
            }
        )
        return
    if not found:
        click.echo(
            f"No article between {window.start:%Y-%m-%d %H:%M} and {window.end:%Y-%m-%d %H:%M} UTC. `digest poll` reads the feeds."
        )
        return
    titles = {topic.slug: topic.title for topic in home.config.topics}
    output.table(
        [
            ("#", {"justify": "right"}),
            "Id",
            ("Story", {"ratio": 5}),
            "Topic",
            ("Publishers", {"justify": "right"}),
            ("Score", {"justify": "right"}),
        ],
        [
            (
                place,
                ranked.story.id,
                f"{ranked.story.lead.title} ({ranked.story.lead.publisher})",
                titles.get(ranked.topic, "–"),
                len(ranked.story.publishers),
                f"{ranked.score:.1f}",
            )
            for place, ranked in enumerate(shown, 1)
        ],
    )
    click.echo(f"{len(shown)} of {output.count(len(found), 'story', 'stories')}. `digest explain ID` shows a receipt.")


def _story(ranked: Ranked, of_article: dict[int, dict[str, float]]) -> dict[str, object]:
    lead = ranked.story.lead
    return {
        "id": ranked.story.id,
        "title": lead.title,
        "url": lead.url,
        "score": ranked.score,
        "topic": ranked.topic,
        "topics": dict(ranked.topics),
        "receipt": _receipt(ranked.receipt),
        "articles": [_article(article, of_article[article.id]) for article in ranked.story.articles],
    }


def _article(article: Article, topics: dict[str, float]) -> dict[str, object]:
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "publisher": article.publisher,
        "feed": article.feed.url,
        "published_at": article.published_at,
        "topics": topics,
    }


def _receipt(receipt: Receipt) -> list[dict[str, object]]:
    return [
        {
            "factor": factor.name,
            "input": factor.input,
            "weight": factor.weight,
            "points": factor.points,
            "because": factor.because,
        }
        for factor in receipt.factors
    ]


@click.command()
@click.argument("story")
@digest_option
@output.json_option
@pass_home
def explain(home: Home, story: str, slug: str | None, as_json: bool) -> None:
    """Show why a story stands where it stands: its receipt, line by line.

    STORY is an id that `digest rank` or an edition shows. A story of the window is scored as of now; one that ran
    keeps the receipt it was published with.
    """
    digest = home.digest(slug)
    _, found = _ranked(home, digest, utc_now(), None)
    with engines.read(home.engine) as connection:
        ran = edition_store.find_story(connection, digest.slug, story)
    for place, ranked in enumerate(found, 1):
        if ranked.story.id == story:
            if as_json:
                of_article = ranking.article_topics(ranked.story.articles, home.config.topics)
                output.document({"place": place, "of": len(found), **_story(ranked, of_article)})
            else:
                click.echo(f"{story}, place {place} of {len(found)} now: {ranked.story.lead.title}")
                _print_receipt(ranked.receipt)
                _print_members(ranked.story.articles)
                _print_ran(ran)
            return
    if ran is None:
        raise UnknownStory(story)
    edition, item = ran
    if as_json:
        output.document(
            {
                "id": item.story_id,
                "title": item.title,
                "url": item.url,
                "score": item.score,
                "topic": item.section,
                "topics": dict(item.topics),
                "receipt": _receipt(item.receipt),
                "edition": edition.id,
                "date": edition.date,
                "place": item.place,
            }
        )
        return
    click.echo(f"{story}, as it ran: {item.title}")
    _print_receipt(item.receipt)
    _print_ran(ran)


def _print_receipt(receipt: Receipt) -> None:
    right = {"justify": "right"}
    rows: list[Sequence[object]] = [
        (factor.name, f"{factor.input:g}", f"{factor.weight:g}", f"{factor.points:+.2f}", factor.because)
        for factor in receipt.factors
    ]
    rows.append(("score", "", "", f"{receipt.score:.2f}", ""))
    output.table(["Factor", ("Input", right), ("Weight", right), ("Points", right), "Because"], rows)


def _print_members(articles: Sequence[Article]) -> None:
    for article in articles:
        click.echo(
            f"  {article.publisher}, {article.published_at:%Y-%m-%d %H:%M} UTC: {article.title}\n    {article.url}"
        )


def _print_ran(ran: tuple[Edition, Item] | None) -> None:
    if ran:
        edition, item = ran
        click.echo(f"Ran in the edition of {edition.date}, place {item.place}.")
