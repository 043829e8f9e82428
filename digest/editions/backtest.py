"""What other rules would have done to past days: each day's pool is made into an edition again, under both.

Nothing but the pools is read, so no word that a publisher has changed since and no feed that has gone makes a difference.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from digest.config import Rules
from digest.editions import layout
from digest.editions.pool import Pool, edition_of, is_same, ranked_of, unpacked
from digest.model import Article, Edition, EditionState, History, Item, Ranked, Receipt, Told
from digest.ranking.memory import told_by
from digest.store import records


class ChangeKind(StrEnum):
    """What became of a story: it came in, it went out, or it stands elsewhere."""

    ENTERED = "entered"
    LEFT = "left"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """A story's place and topic in the edition of a day, before and after; a place is None where it had none.

    `points` are the factors whose points are not the same, with the points before and after; a story that neither side
    ranked has none.
    """

    kind: ChangeKind
    story_id: str
    title: str
    publisher: str
    place_before: int | None
    place_after: int | None
    topic_before: str
    topic_after: str
    score_before: float | None
    score_after: float | None
    points: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """One day under both rules."""

    day: date
    before: Edition
    after: Edition
    changes: tuple[Change, ...]


def replay(pools: Iterable[Pool], changed: Callable[[Rules], Rules]) -> Iterator[Day]:
    """Each day's edition under the rules it was made by, and under changed ones.

    What either side tells on one day counts as told on the next: a story that the changed rules bring in on Monday does not
    come in once more on Tuesday. Both sides are made by the code that runs, so that nothing but the rules differs.

    Args:
        pools: of one digest, oldest first.
        changed: the other rules, given those of the day.
    """
    told_before: dict[date, list[Told]] = {}
    told_after: dict[date, list[Told]] = {}
    seen: dict[int, Article] = {}
    for pool in pools:
        seen |= {article.id: article for article in (*pool.articles, *pool.history.articles)}
        one = replace(pool, history=_as_told(pool, told_before, seen))
        other = replace(pool, rules=changed(pool.rules), history=_as_told(pool, told_after, seen))
        ranked_before, ranked_after = ranked_of(one), ranked_of(other)
        before, after = edition_of(one, ranked_before), edition_of(other, ranked_after)
        told_before[pool.day], told_after[pool.day] = _told(before), _told(after)
        yield Day(pool.day, before, after, differences(before, after, ranked_before, ranked_after))


def differences(
    before: Edition, after: Edition, ranked_before: Sequence[Ranked] = (), ranked_after: Sequence[Ranked] = ()
) -> tuple[Change, ...]:
    """What entered, left, and moved or changed its topic, in this order. Two items are one story if they share an article.

    Only what every reader sees counts, not what some cuts show besides. The rankings say what the score of a story is where
    it was not placed.
    """
    old, new = layout.shown(before), layout.shown(after)
    pairs = [(item, _same(item, old)) for item in new]
    found = [
        *(_change(ChangeKind.ENTERED, None, item, ranked_before) for item, was in pairs if was is None),
        *(_change(ChangeKind.LEFT, item, None, ranked_after) for item in old if _same(item, new) is None),
        *(
            _change(ChangeKind.MOVED, was, item, ())
            for item, was in pairs
            if was is not None and (was.place, was.section) != (item.place, item.section)
        ),
    ]
    return tuple(found)


def shares(editions: Iterable[Edition], of: Callable[[Item], str]) -> dict[str, float]:
    """The share of all places that each topic or publisher had, the largest first."""
    counts = Counter(of(item) for edition in editions for item in layout.shown(edition))
    total = counts.total()
    return {name: count / total for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))}


def pools_since(connection: Connection, digest: str, day: date) -> Iterator[Pool]:
    """The pools of a digest's editions from `day` on, oldest first, as far as they were kept.

    Raises:
        RecordUnreadable: a release that this one does not understand kept one of them.
    """
    return (unpacked(record.body, record.whose) for record in records.since(connection, digest, day))


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An edition made anew from its record: whether it is the same, byte for byte, and which release had made it.

    `edition` and `release` are None where no record was kept.
    """

    stored: Edition
    edition: Edition | None
    release: str | None

    @property
    def same(self) -> bool:
        """Whether what is stored could be made again."""
        return self.edition is not None and is_same(self.stored, self.edition)


def rebuild(connection: Connection, edition: Edition) -> Rebuilt:
    """Make a stored edition anew from what was put away with it.

    Raises:
        RecordUnreadable: a release that this one does not understand put it away.
    """
    record = records.of(connection, edition.id)
    if record is None:
        return Rebuilt(edition, None, None)
    return Rebuilt(edition, edition_of(unpacked(record.body, record.whose)), record.release)


def _told(edition: Edition) -> list[Told]:
    return told_by(edition) if edition.state is EditionState.FROZEN else []


def _as_told(pool: Pool, told: dict[date, list[Told]], seen: dict[int, Article]) -> History:
    """The pool's history, with what was told on the days that were replayed in place of what was told then."""
    since = pool.day - timedelta(days=pool.rules.ranking.memory_days)
    kept = [one for one in pool.history.told if one.date not in told]
    instead = [one for day, those in told.items() if since <= day < pool.day for one in those]
    tellings = sorted([*kept, *instead], key=lambda one: one.date)
    ids = sorted({number for one in tellings for number in one.article_ids})
    return History(tuple(tellings), tuple(seen[number] for number in ids if number in seen))


def _same(item: Item, others: Sequence[Item]) -> Item | None:
    return next((other for other in others if not set(item.article_ids).isdisjoint(other.article_ids)), None)


def _change(kind: ChangeKind, was: Item | None, item: Item | None, ranked: Sequence[Ranked]) -> Change:
    shown = item or was
    assert shown
    unplaced = _ranked_as(shown, ranked)
    receipts = [one.receipt if one else unplaced.receipt if unplaced else None for one in (was, item)]
    topics = [one.section if one else unplaced.topic if unplaced else "" for one in (was, item)]
    return Change(
        kind=kind,
        story_id=shown.story_id,
        title=shown.title,
        publisher=shown.publisher,
        place_before=was.place if was else None,
        place_after=item.place if item else None,
        topic_before=topics[0],
        topic_after=topics[1],
        score_before=receipts[0].score if receipts[0] else None,
        score_after=receipts[1].score if receipts[1] else None,
        points=_points(*receipts),
    )


def _ranked_as(item: Item, ranked: Sequence[Ranked]) -> Ranked | None:
    ids = set(item.article_ids)
    return next((one for one in ranked if any(article.id in ids for article in one.story.articles)), None)


def _points(before: Receipt | None, after: Receipt | None) -> tuple[tuple[str, float, float], ...]:
    if before is None or after is None:
        return ()
    old, new = (_by_factor(receipt) for receipt in (before, after))
    named = ((name, old.get(name, 0.0), new.get(name, 0.0)) for name in dict.fromkeys([*old, *new]))
    return tuple((name, was, now) for name, was, now in named if was != now)


def _by_factor(receipt: Receipt) -> dict[str, float]:
    found: dict[str, float] = {}
    for factor in receipt.factors:
        found[factor.name] = found.get(factor.name, 0.0) + factor.points
    return found
