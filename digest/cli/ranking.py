"""What matters now: `rank`."""

from collections.abc import Mapping
from datetime import datetime

import click

from digest.cli import output
from digest.cli.context import Home, Moment, digest_option, pass_home, utc_now
from digest.cli.today import in_every_language, pool_at
from digest.editions.pool import ranked_of
from digest.model import Article, Ranked, Receipt
from digest.ranking import rank as ranking
from digest.store import engine as engines


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
    with engines.read(home.engine) as connection:
        pool = pool_at(home, connection, in_every_language(digest), at or utc_now(), hours)
    window, found = pool.window, ranked_of(pool)
    shown = found[:limit] if limit else found
    if as_json:
        of_article = ranking.article_topics(
            [one for ranked in shown for one in ranked.story.articles], home.config.topics
        )
        output.document(
            {
                "digest": digest.slug,
                "window": {"start": window.start, "end": window.end},
                "stories": [story(ranked, of_article) for ranked in shown],
            }
        )
        return
    if not found:
        click.echo(
            f"No article between {window.start:%Y-%m-%d %H:%M} and {window.end:%Y-%m-%d %H:%M} UTC. `digest poll` reads the feeds."
        )
        return
    titles = {topic.slug: topic.title for topic in home.config.topics}
    noted = any(note(ranked) for ranked in shown)
    output.table(
        [
            ("#", {"justify": "right"}),
            "Id",
            ("Story", {"ratio": 5}),
            "Topic",
            ("Publishers", {"justify": "right"}),
            ("Score", {"justify": "right"}),
            *([("Note", {"ratio": 2})] if noted else []),
        ],
        [
            (
                place,
                ranked.story.id,
                f"{ranked.headline} ({ranked.story.lead.publisher})",
                titles.get(ranked.topic, "–"),
                len(ranked.story.publishers),
                f"{ranked.score:.1f}",
                *([note(ranked)] if noted else []),
            )
            for place, ranked in enumerate(shown, 1)
        ],
    )
    click.echo(f"{len(shown)} of {output.count(len(found), 'story', 'stories')}. `digest explain ID` shows a receipt.")


def note(ranked: Ranked) -> str:
    """What sets a story apart: that it is pinned or may not run, or that it is an update."""
    if ranked.pinned:
        return "pinned"
    return ranked.barred or (f"update: {ranked.update.news}" if ranked.update else "")


def story(ranked: Ranked, of_article: Mapping[int, Mapping[str, float]]) -> dict[str, object]:
    """What `--json` says of a story of the window. `of_article` is each article's relevance to every topic."""
    return {
        "id": ranked.story.id,
        "title": ranked.headline,
        "url": ranked.story.lead.url,
        "score": ranked.score,
        "topic": ranked.topic,
        "topics": dict(ranked.topics),
        "receipt": receipt_lines(ranked.receipt),
        "barred": ranked.barred,
        "update": ranked.update,
        "pinned": ranked.pinned,
        "articles": [_article(article, of_article[article.id]) for article in ranked.story.articles],
    }


def _article(article: Article, topics: Mapping[str, float]) -> dict[str, object]:
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "publisher": article.publisher,
        "feed": article.feed.url,
        "published_at": article.published_at,
        "topics": dict(topics),
    }


def receipt_lines(receipt: Receipt) -> list[dict[str, object]]:
    """What `--json` says of a receipt: the points as they are, so that they add up to the score exactly."""
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
