"""Why a story stands where it stands, and why an edition has it or not: `explain`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import click
from sqlalchemy import Connection

from digest.cli import output
from digest.cli.context import Home, digest_option, local_day, pass_home, utc_now
from digest.cli.ranking import receipt_lines
from digest.cli.ranking import story as story_document
from digest.cli.today import articles_named, in_every_language, pool_at
from digest.editions.pool import Pool, Verdict, ranked_of, verdict_of
from digest.editions.publish import made_of
from digest.errors import UnknownStory
from digest.model import WAITING, Article, Digest, Edition, EditionState, Factor, Item, Receipt
from digest.ranking.explain import BY_HAND, Explanation, Neighbour, by_hand, place_of, without
from digest.ranking.explain import explain as explained
from digest.ranking.rank import article_topics
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.reasons import Shared, reasons
from digest.store import editions as edition_store
from digest.store import engine as engines

Ran = tuple[Edition, Item]
Words = Mapping[int, Sequence[Shared]]
"""By the id of an article, the words that it shares with the rest of its story."""
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a story in the edition of `day`; `made` says whether that one is stored, and how it stands.

    `verdict` is None where the story was not among what the edition was made of.
    """

    day: date
    made: EditionState | None
    verdict: Verdict | None

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        place, why = (self.verdict.place, self.verdict.why) if self.verdict else (None, _UNREAD)
        return {"date": self.day, "state": self.made, "place": place, "why": why}

    def sentence(self) -> str:
        """For people."""
        which = f"The edition of {self.day}, {_HOW[self.made]}"
        if self.verdict is None:
            return f"{which}: not in it, {_UNREAD}."
        if self.verdict.place is None:
            return f"{which}: not in it, {self.verdict.why.rstrip('.')}."
        return f"{which}: place {self.verdict.place}{f', {self.verdict.why}' if self.verdict.why else ''}."


_UNREAD = "it was not among what was read for it"
_HOW = {
    None: "if it were made now",
    EditionState.FROZEN: "as it was published",
    EditionState.PROPOSED: "which is proposed to the editors",
    EditionState.HELD: "which is held",
    EditionState.SKIPPED: "which was skipped",
    EditionState.MISSED: "which was missed",
}


@click.command()
@click.argument("story")
@digest_option
@output.json_option
@pass_home
def explain(home: Home, story: str, slug: str | None, as_json: bool) -> None:
    """Show why a story stands where it stands: its receipt, line by line, and what would be without each line.

    STORY is an id that `digest rank` or an edition shows, or the address of one of the story's articles. A story of the
    window is scored as of now; one that ran keeps the receipt it was published with.
    """
    digest, now = home.digest(slug), utc_now()
    with engines.read(home.engine) as connection:
        named = articles_named(connection, story)
        item = edition_store.find_story(connection, digest.slug, story, named)
        known = {*named, *(item[1].article_ids if item else ())}
        pool = pool_at(home, connection, in_every_language(digest), now)
        found = ranked_of(pool)
        index = place_of(found, story, known)
        if index is None and item is None:
            raise UnknownStory(story)
        if index is not None:
            members = {article.id for article in found[index].story.articles}
            item = item or edition_store.find_story(connection, digest.slug, found[index].story.id, members)
            known |= members
        fates = _fates(home, connection, digest, now, known)
    if index is None:
        assert item is not None
        if as_json:
            output.document({**_ran(item), "editions": [fate.as_dict() for fate in fates]})
        else:
            _print_ran(item)
        return
    explanation = explained(found, index)
    shared = {article.id: words for article, words in reasons(found[index].story, Rarity.of(pool.articles))}
    if as_json:
        output.document(_document(home, explanation, shared, fates, item))
    else:
        _print(explanation, shared, fates, item)


def _fates(home: Home, connection: Connection, digest: Digest, now: datetime, articles: set[int]) -> list[Fate]:
    """What today's edition made of the story, if it is stored, and what the next one would."""
    made = edition_store.by_date(connection, digest.slug, local_day(digest, now))
    fates = []
    if made and made.state in {EditionState.SKIPPED, EditionState.MISSED}:
        fates.append(Fate(made.date, made.state, Verdict(made.date, None, made.reason)))
    elif made and (of_today := made_of(connection, made, now)):
        fates.append(_fate(of_today, made.state, articles))
    if made is None or made.state not in WAITING:
        fates.append(_fate(pool_at(home, connection, digest, now), None, articles))
    return fates


def _fate(pool: Pool, made: EditionState | None, articles: set[int]) -> Fate:
    return Fate(pool.day, made, verdict_of(pool, ranked_of(pool), articles))


def _document(
    home: Home, explanation: Explanation, shared: Words, fates: Sequence[Fate], item: Ran | None
) -> dict[str, object]:
    ranked, standing = explanation.ranked, explanation.standing
    of_article = article_topics(ranked.story.articles, home.config.topics)
    return {
        "place": standing.place,
        "of": standing.of,
        **story_document(ranked, of_article),
        "automatic": {"place": explanation.automatic_place, "score": explanation.automatic},
        "above": _beside(explanation.above),
        "below": _beside(explanation.below),
        "without": [asdict(absence) for absence in explanation.absences],
        "joined_by": {article: [asdict(word) for word in words] for article, words in shared.items()},
        "editions": [fate.as_dict() for fate in fates],
        "ran": _ran(item) if item else None,
    }


def _beside(neighbour: Neighbour | None) -> dict[str, object] | None:
    if neighbour is None:
        return None
    return {
        "id": neighbour.standing.id,
        "title": neighbour.standing.title,
        "place": neighbour.standing.place,
        "score": neighbour.standing.score,
        "gap": neighbour.gap,
        "factors": [{"factor": name, "points": points} for name, points in neighbour.differences],
    }


def _ran(ran: Ran) -> dict[str, object]:
    edition, item = ran
    return {
        "id": item.story_id,
        "title": item.title,
        "url": item.url,
        "score": item.score,
        "topic": item.section,
        "topics": dict(item.topics),
        "receipt": receipt_lines(item.receipt),
        "update": item.update,
        "edition": edition.id,
        "date": edition.date,
        "place": item.place,
    }


def _print(explanation: Explanation, shared: Words, fates: Sequence[Fate], item: Ran | None) -> None:
    ranked, standing = explanation.ranked, explanation.standing
    click.echo(f"{standing.id}, {output.ordinal(standing.place)} of {standing.of} now: {standing.title}")
    _print_receipt(ranked.receipt, explanation)
    for neighbour, where in ((explanation.above, "Above"), (explanation.below, "Below")):
        if neighbour:
            click.echo(f"{where}: {_compared(neighbour)}")
    click.echo(
        "Its place if no story had this factor: "
        + ", ".join(f"{absence.factor} {output.ordinal(absence.place)}" for absence in explanation.absences)
        + "."
    )
    for fate in fates:
        click.echo(fate.sentence())
    if ranked.update:
        click.echo(f"An update of a story of {ranked.update.first}: {ranked.update.news}.")
    click.echo(f"\n{output.count(len(ranked.story.articles), 'article')}, the lead first:")
    for article in ranked.story.articles:
        click.echo(_member(article, shared))
    if item:
        click.echo("")
        _print_ran(item)


def _print_receipt(receipt: Receipt, explanation: Explanation | None = None) -> None:
    """The receipt as a table; what editors added stands below the automatic score."""
    rows = [_line(factor) for factor in without(receipt, BY_HAND).factors]
    if hand := by_hand(receipt):
        automatic = without(receipt, BY_HAND).score
        place = f"{output.ordinal(explanation.automatic_place)} by it alone" if explanation else ""
        rows += [("automatic", "", "", f"{automatic:.2f}", place), *(_line(factor) for factor in hand)]
    rows.append(("score", "", "", f"{receipt.score:.2f}", ""))
    right = {"justify": "right"}
    output.table(["Factor", ("Input", right), ("Weight", right), ("Points", right), "Because"], rows)


def _line(factor: Factor) -> Sequence[object]:
    return (factor.name, f"{factor.input:g}", f"{factor.weight:g}", f"{factor.points:+.2f}", factor.because)


def _compared(neighbour: Neighbour) -> str:
    standing = neighbour.standing
    gap = f"{abs(neighbour.gap):.2f} points {'more' if neighbour.gap >= 0 else 'less'}"
    factors = ", ".join(f"{name} {points:+.2f}" for name, points in neighbour.differences)
    return f"{standing.id}, {standing.title}: {gap}{f' ({factors})' if factors else ''}"


def _member(article: Article, shared: Words) -> str:
    """How one of the story's articles is shown, and by which words it came to it; the lead came by none."""
    when = f"{article.published_at:%Y-%m-%d %H:%M} UTC"
    shown = f"  {article.id}  {article.publisher}, {when}: {article.title}\n      {article.url}"
    if article.id not in shared:
        return shown
    words = ", ".join(f"“{one.word}” {one.share:.0%}" for one in shared[article.id][:MOST_WORDS])
    return f"{shown}\n      joined by {words or 'other articles of the story, or by the same headline'}"


def _print_ran(ran: Ran) -> None:
    edition, item = ran
    click.echo(f"{item.story_id} ran in the edition of {edition.date}, place {item.place}: {item.title}")
    if item.update:
        click.echo(f"It was an update of a story of {item.update.first}: {item.update.news}.")
    _print_receipt(item.receipt)
