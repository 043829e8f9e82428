"""What an edition holds, and which part of it a cut shows.

The neutral edition is the first `length` items. Whatever follows them stands there because some reader's choice of
topics shows it; so an edition, once frozen, has everything that any of its cuts needs. All of this is pure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from math import ceil

from digest.config import Ranking, Rules
from digest.editions import wording
from digest.model import (
    Article,
    Coverage,
    Digest,
    Edition,
    EditionState,
    Item,
    Quote,
    Ranked,
    Reference,
    Story,
    Window,
)

STRONG = 0.5
"""From this relevance on a story is shown to those who chose a topic, whichever topic it is filed under."""

TOPIC_SHARE = 1 / 3
"""Where a digest says nothing else, no topic has more of the places than this while others have something to say."""


def compose(
    ranked: Sequence[Ranked],
    rules: Rules,
    day: date,
    window: Window,
    choices: Collection[tuple[str, ...]],
    *,
    quotes: Sequence[Quote],
    coverage: Coverage | None,
    now: datetime,
) -> Edition:
    """Choose and place the stories of a digest's edition of `day`.

    The best stories that nothing bars, that are about a topic and reach the floor are placed, and whatever an editor
    pinned. A publisher leads at most `digest.per_publisher` of them; a story whose publisher has had its share is led by
    another publisher that covers it. No topic takes more than its share, and none shows two stories that are near each
    other, unless there is nothing else left. After the neutral edition come the stories that only some of the `choices`
    show.

    Args:
        ranked: best first.
        rules: what the editors have set.
        day: the edition's local date.
        window: where the articles came from.
        choices: the distinct topic choices of the readers.
        quotes: the market block as it stood at press time.
        coverage: how much was read.
        now: when it is published.

    Returns:
        An edition that is frozen, or skipped with a reason where no story can be placed.
    """
    digest, settings = rules.digest, rules.ranking
    eligible = [one for one in ranked if one.pinned or (one.topic and one.score >= settings.floor and not one.barred)]
    desk = _Desk(digest.per_publisher)
    main = _main(eligible, digest, desk)
    taken = {placed.rank for placed in main}
    tail = _tail([(rank, one) for rank, one in enumerate(eligible) if rank not in taken], main, digest, choices, desk)
    edition = Edition(
        digest=digest.slug,
        title=digest.title,
        date=day,
        window=window,
        items=tuple(_item(place, placed) for place, placed in enumerate([*main, *tail], start=1)),
        length=digest.length,
        shared=digest.shared,
        quotes=tuple(quotes),
        coverage=coverage,
        topic_titles={topic.slug: topic.title for topic in rules.topics},
        config_hash=rules.hash,
        published_at=now,
    )
    if edition.items:
        return edition
    return replace(edition, state=EditionState.SKIPPED, reason=_nothing(len(ranked), settings))


def cut(edition: Edition, topics: tuple[str, ...]) -> Edition:
    """The edition as someone who chose `topics` gets it; with no topics, the neutral edition.

    The first `shared` items are everybody's. After them come only items about the chosen topics, best first, up to
    `length`. Places are counted anew. A cut of a cut for the same topics is the same.
    """
    if topics:
        shared, rest = edition.items[: edition.shared], edition.items[edition.shared :]
        own = sorted((item for item in rest if _about(item.section, item.topics, topics)), key=lambda item: -item.score)
        items = (*shared, *own)
    else:
        items = edition.items
    return replace(
        edition,
        items=tuple(replace(item, place=place) for place, item in enumerate(items[: edition.length], start=1)),
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    rank: int
    ranked: Ranked
    lead: Article


@dataclass
class _Desk:
    """Hands out leads, so that no publisher leads more than its share of one edition."""

    per_publisher: int
    led: Counter[str] = field(default_factory=Counter)

    def place(self, rank: int, ranked: Ranked) -> _Placed | None:
        """The story with the first of its articles whose publisher may still lead one; None where none may."""
        for article in ranked.story.articles:
            if self.led[article.publisher] < self.per_publisher:
                self.led[article.publisher] += 1
                return _Placed(rank, ranked, article)
        return None


def _main(eligible: Sequence[Ranked], digest: Digest, desk: _Desk) -> list[_Placed]:
    per_topic = digest.per_topic or ceil(digest.length * TOPIC_SHARE)
    filed: dict[str, list[Ranked]] = defaultdict(list)
    chosen: list[_Placed] = []
    crowded: list[tuple[int, Ranked]] = []
    akin: list[tuple[int, Ranked]] = []

    def place(rank: int, ranked: Ranked) -> None:
        if len(chosen) < digest.length and (placed := desk.place(rank, ranked)):
            filed[ranked.topic].append(ranked)
            chosen.append(placed)

    for rank, ranked in enumerate(eligible):
        section = filed[ranked.topic]
        if ranked.pinned or not section:
            place(rank, ranked)
        elif any(other.story.id in ranked.kin for other in section):
            akin.append((rank, ranked))
        elif len(section) >= per_topic:
            crowded.append((rank, ranked))
        else:
            place(rank, ranked)
    for rank, ranked in [*crowded, *akin]:
        place(rank, ranked)
    return sorted(chosen, key=lambda placed: placed.rank)


def _tail(
    rest: Sequence[tuple[int, Ranked]],
    main: Sequence[_Placed],
    digest: Digest,
    choices: Collection[tuple[str, ...]],
    desk: _Desk,
) -> list[_Placed]:
    """What each choice still has room for, best first. A story serves every choice that it is about."""
    own = main[digest.shared :]
    room = {
        choice: digest.length
        - min(digest.shared, len(main))
        - sum(_about(placed.ranked.topic, placed.ranked.topics, choice) for placed in own)
        for choice in choices
        if choice
    }
    tail = []
    for rank, ranked in rest:
        wanted_by = [choice for choice, left in room.items() if left and _about(ranked.topic, ranked.topics, choice)]
        if wanted_by and (placed := desk.place(rank, ranked)):
            tail.append(placed)
            for choice in wanted_by:
                room[choice] -= 1
    return tail


def _about(section: str, relevance: Mapping[str, float], topics: Collection[str]) -> bool:
    return section in topics or any(relevance.get(topic, 0.0) >= STRONG for topic in topics)


def _item(place: int, placed: _Placed) -> Item:
    lead, ranked = placed.lead, placed.ranked
    return Item(
        place=place,
        story_id=ranked.story.id,
        section=ranked.topic,
        title=ranked.title or lead.title,
        summary=wording.shortened(lead.summary, wording.LEAD_WORDS if place == 1 else wording.SUMMARY_WORDS),
        url=lead.url,
        publisher=lead.publisher,
        published_at=lead.published_at,
        score=ranked.score,
        receipt=ranked.receipt,
        topics=dict(ranked.topics),
        also=_also(ranked.story, lead),
        language=lead.language,
        article_ids=tuple(sorted(article.id for article in ranked.story.articles)),
        update=ranked.update,
    )


def _also(story: Story, lead: Article) -> tuple[Reference, ...]:
    others = {
        article.publisher: Reference(article.publisher, article.title, article.url)
        for article in reversed(story.articles)
        if article.publisher != lead.publisher
    }
    return tuple(others[publisher] for publisher in story.publishers if publisher in others)


def _nothing(stories: int, settings: Ranking) -> str:
    if not stories:
        return f"No new story was read in the {settings.hours:g} hours before press time."
    return (
        f"None of the {wording.counted(stories, 'story', 'stories')} read is about a topic and reaches "
        f"the floor of {settings.floor:g} points."
    )
