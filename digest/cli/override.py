"""The editor's hand on stories: `override pin`, `drop`, `boost`, `merge`, `split`, `retitle`, `list`, `end`."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import click

from digest.cli import hand, output
from digest.cli.context import Home, digest_option, pass_home, utc_now
from digest.cli.hand import Given, given
from digest.cli.today import articles_named, in_every_language, pool_at
from digest.editions.pool import Pool, ranked_of
from digest.errors import UnknownOverride, UnknownStory
from digest.model import Digest, Override, OverrideKind, Ranked, Story
from digest.ranking.explain import Standing, place_of, standings
from digest.store import articles as article_store
from digest.store import engine as engines
from digest.store import overrides as override_store

MOST_POINTS = 500.0
"""What takes more than these is a pin or a drop, and should say so."""

_NEGATIVE = re.compile(r"-\.?\d")


class Signed(click.Command):
    """A command that takes a number below zero as an argument and not as an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let "-5" pass where there is one; an option that does not exist is then an argument too many."""
        ctx.ignore_unknown_options = any(_NEGATIVE.match(argument) for argument in args)
        return super().parse_args(ctx, args)


@dataclass(frozen=True, slots=True)
class Today:
    """What the next edition would be made of now, and its stories, best first."""

    pool: Pool
    ranked: Sequence[Ranked]

    def standings(self, articles: Collection[int]) -> list[Standing]:
        """Where the stories stand that hold any of these articles."""
        return standings(self.ranked, articles)

    def with_overrides(self, *overrides: Override) -> "Today":
        """The same day under these overrides alone."""
        return _ranked(replace(self.pool, overrides=overrides))


@click.group()
def override() -> None:
    """Pin, drop, raise, lower, merge, split or retitle stories by hand, with a reason and an end.

    STORY is an id that `digest rank`, `explain` or an edition shows, or the address of one of the story's articles. The
    computed score stays beside what you do, and receipts name you and your reason.
    """


@override.command()
@click.argument("story")
@given
def pin(home: Home, by: Given, story: str, as_json: bool) -> None:
    """Put a story first, whatever speaks against it."""
    today = _today(home, by.digest, by.since)
    one = _meant(home, today, story)
    _keep(home, by, today, [one], _made(by, OverrideKind.PIN, _members(one)), as_json)


@override.command()
@click.argument("story")
@given
def drop(home: Home, by: Given, story: str, as_json: bool) -> None:
    """Keep a story out of editions."""
    today = _today(home, by.digest, by.since)
    one = _meant(home, today, story)
    _keep(home, by, today, [one], _made(by, OverrideKind.DROP, _members(one)), as_json)


@override.command(cls=Signed)
@click.argument("story")
@click.argument("points", type=click.FloatRange(-MOST_POINTS, MOST_POINTS))
@given
def boost(home: Home, by: Given, story: str, points: float, as_json: bool) -> None:
    """Raise a story by so many points, or lower it: POINTS is then below zero."""
    if not points or math.isnan(points):
        raise click.UsageError("POINTS says by how much: 5 raises the story, -5 lowers it.")
    today = _today(home, by.digest, by.since)
    one = _meant(home, today, story)
    made = replace(_made(by, OverrideKind.BOOST, _members(one)), points=points)
    _keep(home, by, today, [one], made, as_json)


@override.command()
@click.argument("story")
@click.argument("title", callback=hand.inert("title", hand.LONGEST_TITLE))
@given
def retitle(home: Home, by: Given, story: str, title: str, as_json: bool) -> None:
    """Give a story another headline."""
    today = _today(home, by.digest, by.since)
    one = _meant(home, today, story)
    made = replace(_made(by, OverrideKind.RETITLE, _members(one)), title=title)
    _keep(home, by, today, [one], made, as_json)


@override.command()
@click.argument("stories", nargs=-1, required=True, metavar="STORY STORY...")
@given
def merge(home: Home, by: Given, stories: tuple[str, ...], as_json: bool) -> None:
    """Make one story of several; the lead of the first is its lead."""
    today = _today(home, by.digest, by.since)
    meant = list({one.story.id: one for one in (_meant(home, today, story) for story in stories)}.values())
    if len(meant) < 2:  # noqa: PLR2004
        raise click.UsageError("Merging takes two stories or more; what you name is one.")
    leads = tuple(one.story.lead.id for one in meant)
    _keep(home, by, today, meant, _made(by, OverrideKind.MERGE, leads), as_json)


@override.command()
@click.argument("story")
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@given
def split(home: Home, by: Given, story: str, articles: tuple[str, ...], as_json: bool) -> None:
    """Take articles out of a story, to be one of their own.

    ARTICLE is the number that `digest explain` shows before an article, or its address. Taking all articles out of a story
    that was told before parts it from what was told: it is a new story then.
    """
    today = _today(home, by.digest, by.since)
    one = _meant(home, today, story)
    taken = tuple(dict.fromkeys(found for article in articles for found in _within(home, one.story, article)))
    told_of_it = any(factor.name == "memory" for factor in one.receipt.factors)
    if len(taken) == len(one.story.articles) and not told_of_it:
        raise click.UsageError(f"That would leave nothing of {_listed(one.story)}")
    _keep(home, by, today, [one], _made(by, OverrideKind.SPLIT, taken), as_json)


@override.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@digest_option
@output.json_option
@pass_home
def list_overrides(home: Home, everything: bool, slug: str | None, as_json: bool) -> None:
    """Show what is done by hand, to stories and to editions, in the order in which it was done."""
    digest, now = home.digest(slug), utc_now()
    with engines.read(home.engine) as connection:
        found = override_store.made(connection, digest.slug)
        shown = [one for one in found if everything or one.since <= now < one.until]
        firsts = {one.articles[0] for one in shown if one.articles}
        titles = {article.id: article.title for article in article_store.by_ids(connection, firsts)}
    if as_json:
        output.document(
            {"overrides": [{**hand.document(one), "in_force": one.since <= now < one.until} for one in shown]}
        )
    elif not shown:
        click.echo("Nothing is done by hand now. `digest override pin STORY --reason …` would put a story first.")
    else:
        output.table(
            [("Id", {"justify": "right"}), "What", ("About", {"ratio": 3}), "By", ("Why", {"ratio": 3}), "Until"],
            [
                (
                    one.id,
                    hand.deed(one),
                    f"edition of {one.day}" if one.day else titles.get(one.articles[0], "an article that is gone"),
                    one.author,
                    one.reason,
                    hand.utc(one.until) if one.until > now else f"ended {hand.utc(one.until)}",
                )
                for one in shown
            ],
        )
        click.echo("`digest override end ID` undoes one at once.")


@override.command()
@click.argument("override_id", type=click.IntRange(1, 2**62), metavar="ID")
@output.json_option
@pass_home
def end(home: Home, override_id: int, as_json: bool) -> None:
    """Let an override count no longer, from now on."""
    now = utc_now()
    with engines.write(home.engine) as connection:
        before = override_store.by_id(connection, override_id)
        ended = override_store.end(connection, override_id, now)
    if before is None or ended is None:
        raise UnknownOverride(override_id)
    was: list[Standing] = []
    stands: list[Standing] = []
    if ended.articles:
        today = _today(home, home.digest(ended.digest), now)
        was = today.with_overrides(*today.pool.overrides, before).standings(ended.articles)
        stands = today.standings(ended.articles)
    if as_json:
        output.document({"override": hand.document(ended), "was": was, "is": stands})
        return
    about = f"the edition of {ended.day}" if ended.day else "a story"
    click.echo(f"Override {ended.id} ({hand.deed(ended)}, {about}, by {ended.author}) counts no longer.")
    _show(was, stands)


def _today(home: Home, digest: Digest, now: datetime) -> Today:
    with engines.read(home.engine) as connection:
        return _ranked(pool_at(home, connection, in_every_language(digest), now))


def _ranked(pool: Pool) -> Today:
    return Today(pool, ranked_of(pool))


def _meant(home: Home, today: Today, wanted: str) -> Ranked:
    with engines.read(home.engine) as connection:
        articles = articles_named(connection, wanted)
    place = place_of(today.ranked, wanted, articles)
    if place is None:
        raise UnknownStory(wanted, "among those of the window")
    return today.ranked[place]


def _within(home: Home, story: Story, wanted: str) -> list[int]:
    with engines.read(home.engine) as connection:
        named = articles_named(connection, wanted)
    members = [article.id for article in story.articles]
    if not (found := [article for article in named if article in members]):
        raise click.UsageError(f"{wanted!r} is no article of {_listed(story)}")
    return found


def _listed(story: Story) -> str:
    articles = "\n".join(f"  {article.id}  {article.publisher}: {article.title}" for article in story.articles)
    return f"{story.id}. It has:\n{articles}"


def _members(ranked: Ranked) -> tuple[int, ...]:
    return tuple(article.id for article in ranked.story.articles)


def _made(by: Given, kind: OverrideKind, articles: tuple[int, ...]) -> Override:
    return Override(kind, by.digest.slug, by.author, by.reason, by.since, by.until, articles)


def _keep(home: Home, by: Given, today: Today, meant: Sequence[Ranked], made: Override, as_json: bool) -> None:
    """Keep an override; say what it does, where the stories stood and stand, until when, and how to undo it."""
    with engines.write(home.engine) as connection:
        kept = override_store.add(connection, made)
    articles = {article for one in meant for article in _members(one)}
    was = today.standings(articles)
    stands = today.with_overrides(*today.pool.overrides, kept).standings(articles)
    undo = f"digest override end {kept.id}"
    if as_json:
        output.document({"override": hand.document(kept), "was": was, "is": stands, "undo": undo})
        return
    named = " and ".join(f"{one.story.id}, “{one.headline}”" for one in meant)
    click.echo(f"{hand.deed(kept)}: {named}")
    _show(was, stands)
    languages = by.digest.languages
    if languages and not any(one.story.lead.language in languages for one in meant):
        click.echo(f"No edition shows it all the same: {by.digest.title} takes articles in {', '.join(languages)}.")
    click.echo(f"It counts until {hand.utc(kept.until)}. `{undo}` undoes it.")


def _show(was: Sequence[Standing], stands: Sequence[Standing]) -> None:
    if len(was) == len(stands) == 1:
        click.echo(f"It was {_place(was[0])}, is {_place(stands[0])}.")
        return
    for told, found in (("was", was), ("is", stands)):
        for one in found:
            click.echo(f"  {told:3} {_place(one)}: {one.id}, {one.title}")


def _place(standing: Standing) -> str:
    place = f"{output.ordinal(standing.place)} of {standing.of}"
    if standing.pinned:
        return f"{place} and pinned"
    return f"{place} and left out ({standing.barred})" if standing.barred else place
