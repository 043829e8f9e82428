"""What an edition holds, and which part of it a cut shows.

The neutral edition is the first `length` items. Whatever follows them stands there because some reader's choice of
topics shows it; so an edition, once frozen, has everything that any of its cuts needs. All of this is pure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from math import ceil
from types import MappingProxyType

from digest.config import Ranking, Rules
from digest.editions import wording
from digest.model import (
    Article,
    Coverage,
    Digest,
    Edition,
    EditionState,
    Event,
    Item,
    Picture,
    Quote,
    Ranked,
    Reference,
    Story,
    Window,
    parted,
)

STRONG = 0.5
"""From this relevance on a story is shown to those who chose a topic, whichever topic it is filed under."""

NO_PICTURES: Mapping[str, Picture] = MappingProxyType({})

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
    events: Sequence[Event] = (),
    pictures: Mapping[str, Picture] = NO_PICTURES,
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
        events: what is due on the day and the next.
        pictures: what we have of the pictures that articles came with, by their addresses; the first story shows its own.
        coverage: how much was read.
        now: when it is published.

    Returns:
        An edition that is frozen, or skipped with a reason where no story can be placed.
    """
    digest = rules.digest
    edition = Edition(
        digest=digest.slug,
        title=digest.title,
        date=day,
        window=window,
        items=tuple(
            _item(place, one, pictures) for place, one in enumerate(select(ranked, rules, choices).placed, start=1)
        ),
        length=digest.length,
        shared=digest.shared,
        quotes=tuple(quotes),
        events=tuple(events),
        coverage=coverage,
        topic_titles={topic.slug: topic.title for topic in rules.topics},
        config_hash=rules.hash,
        published_at=now,
        zone=digest.zone,
        week_of=digest.week_of,
    )
    if edition.items:
        return edition
    return replace(edition, state=EditionState.SKIPPED, reason=_nothing(len(ranked), rules))


def select(ranked: Sequence[Ranked], rules: Rules, choices: Collection[tuple[str, ...]]) -> "Selection":
    """Which of the stories, best first, an edition shows, and why it leaves out the others."""
    left_out = {one.story.id: why for one in ranked if (why := _unfit(one, rules.ranking))}
    eligible = [one for one in ranked if not _unfit(one, rules.ranking)]
    desk = _Desk(rules.digest.per_publisher)
    main, why_not = _main(eligible, rules, desk)
    taken = {placed.rank for placed in main}
    rest = [(rank, one) for rank, one in enumerate(eligible) if rank not in taken]
    tail = _tail(rest, main, rules.digest, choices, desk)
    left_out |= why_not
    for placed in tail:
        del left_out[placed.ranked.story.id]
    return Selection((*main, *tail), left_out)


def cut(edition: Edition, topics: tuple[str, ...]) -> Edition:
    """The edition as someone who chose `topics` gets it; with no topics, the neutral edition.

    The first `shared` items are everybody's. After them come only items about the chosen topics, best first, up to
    `length`. What is filed under a muted topic is left out, also of the shared ones, unless nothing else is left. Places are
    counted anew. A cut of a cut for the same topics is the same.
    """
    wanted, muted = parted(topics)
    shared, rest = edition.items[: edition.shared], edition.items[edition.shared :]
    if wanted:
        rest = tuple(
            sorted((item for item in rest if _about(item.section, item.topics, wanted)), key=lambda item: -item.score)
        )
    items = tuple(item for item in (*shared, *rest) if item.section not in muted) or (*shared, *rest)
    return replace(
        edition,
        items=tuple(replace(item, place=place) for place, item in enumerate(items[: edition.length], start=1)),
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """A story that is shown, its place among those that might have been, and the article that leads it."""

    rank: int
    ranked: Ranked
    lead: Article


@dataclass(frozen=True, slots=True)
class Selection:
    """The stories that an edition shows, in order of place, and of each other one why it is left out, by its id."""

    placed: tuple[Placed, ...]
    left_out: Mapping[str, str]


@dataclass
class _Desk:
    """Hands out leads, so that no publisher leads more than its share of one edition."""

    per_publisher: int
    led: Counter[str] = field(default_factory=Counter)

    def place(self, rank: int, ranked: Ranked) -> Placed | None:
        """The story with the first of its articles whose publisher may still lead one; None where none may."""
        for article in ranked.story.articles:
            if self.led[article.publisher] < self.per_publisher:
                self.led[article.publisher] += 1
                return Placed(rank, ranked, article)
        return None

    def full(self, ranked: Ranked) -> str:
        """That all its publishers have had their share."""
        names, share = ranked.story.publishers, wording.counted(self.per_publisher, "story", "stories")
        whose = f"{names[0]} leads" if len(names) == 1 else f"each of {', '.join(names)} leads"
        return f"{whose} {share} already, as many as a publisher may"


def _unfit(ranked: Ranked, settings: Ranking) -> str:
    """Why no edition may show the story, whatever else there is; empty where one may."""
    if ranked.pinned:
        return ""
    if ranked.barred:
        return ranked.barred
    if not ranked.topic:
        return "no topic speaks for it"
    if ranked.score < settings.floor:
        return f"its {ranked.score:.1f} points are below the floor of {settings.floor:g}"
    return ""


def _main(eligible: Sequence[Ranked], rules: Rules, desk: _Desk) -> tuple[list[Placed], dict[str, str]]:
    """The neutral edition's stories, best first, and of the others why they are not among them, by their ids."""
    digest = rules.digest
    titles = {topic.slug: topic.title for topic in rules.topics}
    per_topic = digest.per_topic or ceil(digest.length * TOPIC_SHARE)
    filed: dict[str, list[Ranked]] = defaultdict(list)
    chosen: list[Placed] = []
    crowded: list[tuple[int, Ranked]] = []
    akin: list[tuple[int, Ranked]] = []
    why_not: dict[str, str] = {}

    def place(rank: int, ranked: Ranked) -> None:
        if len(chosen) >= digest.length:
            taken = wording.counted(digest.length, "place is", "places are")
            why_not.setdefault(ranked.story.id, f"the edition's {taken} taken by stories with more points")
        elif placed := desk.place(rank, ranked):
            filed[ranked.topic].append(ranked)
            chosen.append(placed)
            why_not.pop(ranked.story.id, None)
        else:
            why_not[ranked.story.id] = desk.full(ranked)

    for rank, ranked in enumerate(eligible):
        section = filed[ranked.topic]
        near = next((other for other in section if other.story.id in ranked.kin), None)
        if ranked.pinned or not section:
            place(rank, ranked)
        elif near:
            why_not[ranked.story.id] = f"it is near to {near.story.id}, “{near.headline}”, which is placed"
            akin.append((rank, ranked))
        elif len(section) >= per_topic:
            share = wording.counted(per_topic, "story", "stories")
            why_not[ranked.story.id] = f"{titles.get(ranked.topic, ranked.topic)} has its share, {share}, already"
            crowded.append((rank, ranked))
        else:
            place(rank, ranked)
    for rank, ranked in [*crowded, *akin]:
        place(rank, ranked)
    return sorted(chosen, key=lambda placed: placed.rank), why_not


def _tail(
    rest: Sequence[tuple[int, Ranked]],
    main: Sequence[Placed],
    digest: Digest,
    choices: Collection[tuple[str, ...]],
    desk: _Desk,
) -> list[Placed]:
    """What each choice still has room for, best first. A story serves every choice that it is about."""
    room = {
        parted(choice): digest.length
        - sum(_shows(parted(choice), placed.ranked, shared=place < digest.shared) for place, placed in enumerate(main))
        for choice in choices
        if choice
    }
    tail = []
    for rank, ranked in rest:
        wanted_by = [choice for choice, left in room.items() if left > 0 and _shows(choice, ranked)]
        if wanted_by and (placed := desk.place(rank, ranked)):
            tail.append(placed)
            for choice in wanted_by:
                room[choice] -= 1
    return tail


def _shows(choice: tuple[tuple[str, ...], tuple[str, ...]], ranked: Ranked, *, shared: bool = False) -> bool:
    """Whether a cut for a choice, as `parted` gives it, shows a story if it has room for it."""
    wanted, muted = choice
    return ranked.topic not in muted and (shared or not wanted or _about(ranked.topic, ranked.topics, wanted))


def _about(section: str, relevance: Mapping[str, float], topics: Collection[str]) -> bool:
    return section in topics or any(relevance.get(topic, 0.0) >= STRONG for topic in topics)


def _item(place: int, placed: Placed, pictures: Mapping[str, Picture]) -> Item:
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
        picture=pictures.get(lead.image.url) if place == 1 and lead.image else None,
        ran=ranked.ran,
    )


def _also(story: Story, lead: Article) -> tuple[Reference, ...]:
    others = {
        article.publisher: Reference(article.publisher, article.title, article.url, article.published_at)
        for article in reversed(story.articles)
        if article.publisher != lead.publisher
    }
    return tuple(others[publisher] for publisher in story.publishers if publisher in others)


def _nothing(stories: int, rules: Rules) -> str:
    settings = rules.ranking
    if not stories and rules.digest.week_of:
        return f"{rules.digest.week_of} told no story in the seven days before."
    if not stories:
        return f"No new story was read in the {settings.hours:g} hours before press time."
    return (
        f"None of the {wording.counted(stories, 'story', 'stories')} read is about a topic and reaches "
        f"the floor of {settings.floor:g} points."
    )
