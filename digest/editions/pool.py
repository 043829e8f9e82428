"""All that an edition is made of, as one value: what is put away with it, so that it can be made again.

A preview, an edition, its rebuilding and a backtest are the same function of a pool.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import msgspec

from digest.config import Rules
from digest.editions.compose import compose
from digest.editions.policy import judged
from digest.model import Article, Coverage, Edition, History, Override, Quote, Ranked, Window
from digest.ranking.rank import rank


@dataclass(frozen=True, slots=True)
class Pool:
    """What was read for the edition of `day`, and what editors had set: `rules` and the overrides in force.

    `choices` are the distinct topic choices of the readers, `at` is the moment of publication.
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
    coverage: Coverage | None = None


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
    composed = compose(
        ranked_of(pool) if ranked is None else ranked,
        pool.rules,
        pool.day,
        pool.window,
        pool.choices,
        quotes=pool.quotes,
        coverage=pool.coverage,
        now=pool.at,
    )
    return judged(composed, pool.rules.digest, pool.overrides)


def packed(pool: Pool) -> bytes:
    """The pool as bytes, to be put away; some 120 bytes for each article."""
    return zlib.compress(msgspec.json.encode(pool), level=6)


def unpacked(body: bytes) -> Pool:
    """The pool that `packed` made these bytes of, by this release or an earlier one."""
    return msgspec.json.decode(zlib.decompress(body), type=Pool)


def is_same(one: Edition, other: Edition) -> bool:
    """Whether two editions are the same, byte for byte, but for the number under which one is stored."""
    return _bytes(one) == _bytes(other)


def _bytes(edition: Edition) -> bytes:
    return msgspec.json.encode(replace(edition, id=0), order="deterministic")
