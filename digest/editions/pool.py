"""All that an edition is made of, as one value: what is put away with it, so that it can be made again.

A preview, an edition, its rebuilding and a backtest are the same function of a pool.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import msgspec

from digest.config import Rules
from digest.editions.compose import compose, select
from digest.editions.policy import judged, order_for
from digest.errors import RecordUnreadable
from digest.model import (
    Article,
    Coverage,
    Edition,
    Event,
    History,
    Override,
    OverrideKind,
    Picture,
    Quote,
    Ranked,
    Window,
)
from digest.ranking.rank import rank


@dataclass(frozen=True, slots=True)
class Pool:
    """What was read for the edition of `day`, and what editors had set: `rules` and the overrides in force.

    `choices` are the distinct topic choices of the readers, `at` is the moment of publication, `pictures` what we have of the
    pictures that articles came with, by their addresses.
    """

    rules: Rules
    day: date
    window: Window
    at: datetime
    articles: tuple[Article, ...] = ()
    history: History = field(default_factory=History)
    overrides: tuple[Override, ...] = ()
    choices: tuple[tuple[str, ...], ...] = ()
    quotes: tuple[Quote, ...] = ()
    events: tuple[Event, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a story in the edition of `day`: its `place`, or None; `why` it is left out or seen by some only."""

    day: date
    place: int | None
    why: str = ""


def ranked_of(pool: Pool) -> list[Ranked]:
    """The pool's stories, best first."""
    rules = pool.rules
    return rank(
        pool.articles,
        rules.topics,
        rules.ranking,
        pool.window.end,
        rules.digest.topics,
        history=pool.history,
        overrides=pool.overrides,
    )


def edition_of(pool: Pool, ranked: Sequence[Ranked] | None = None) -> Edition:
    """The edition that the pool makes: frozen, held, or skipped with a reason; `ranked` are its stories, where known."""
    return judged(composed_of(pool, ranked), pool.rules.digest, pool.overrides)


def composed_of(pool: Pool, ranked: Sequence[Ranked] | None = None) -> Edition:
    """The edition with all that could be placed, before anybody judges what becomes of it."""
    return compose(
        ranked_of(pool) if ranked is None else ranked,
        pool.rules,
        pool.day,
        pool.window,
        pool.choices,
        quotes=pool.quotes,
        events=pool.events,
        pictures=pool.pictures,
        coverage=pool.coverage,
        now=pool.at,
    )


def verdict_of(pool: Pool, ranked: Sequence[Ranked], articles: Collection[int]) -> Verdict | None:
    """What the pool's edition makes of the story that holds most of these articles; None where no story holds any.

    `ranked` are the pool's own stories, best first.
    """
    held = [sum(article.id in articles for article in one.story.articles) for one in ranked]
    if not any(held):
        return None
    story = ranked[held.index(max(held))].story
    selection = select(ranked, pool.rules, pool.choices)
    places = {placed.ranked.story.id: place for place, placed in enumerate(selection.placed, start=1)}
    order = order_for(pool.day, pool.overrides)
    if order and order.kind is OverrideKind.SKIP:
        return Verdict(pool.day, None, f"the edition is skipped by {order.author}: {order.reason}")
    if story.id not in places:
        return Verdict(pool.day, None, selection.left_out[story.id])
    place, length = places[story.id], pool.rules.digest.length
    why = "" if place <= length else f"only readers who chose its topic see it, after the {length} that all see"
    return Verdict(pool.day, place, why)


def packed(pool: Pool) -> bytes:
    """The pool as bytes, to be put away; some 120 bytes for each article."""
    return zlib.compress(msgspec.json.encode(pool), level=6)


def unpacked(body: bytes, whose: str) -> Pool:
    """The pool that `packed` made these bytes of, by this release or an earlier one; `whose` says which for an error.

    Raises:
        RecordUnreadable: this release does not understand it.
    """
    try:
        return msgspec.json.decode(zlib.decompress(body), type=Pool)
    except (zlib.error, msgspec.DecodeError) as error:
        raise RecordUnreadable(whose, str(error)) from error


def is_same(one: Edition, other: Edition) -> bool:
    """Whether two editions are the same, byte for byte, but for the number under which one is stored."""
    return _bytes(one) == _bytes(other)


def _bytes(edition: Edition) -> bytes:
    return msgspec.json.encode(replace(edition, id=0), order="deterministic")
