"""Why a story stands where it stands: beside whom, by which factors, and what it would be without each of them. Pure."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from digest.model import Factor, Ranked, Receipt
from digest.ranking.rank import best_first

BY_HAND = "override"
"""The name of the factors that editors add."""
DIFFERENCES = 3
"""So many factors are named that make the difference between two neighbours."""
_LEAST = 0.005


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a story stands among all of a ranking."""

    id: str
    title: str
    place: int
    of: int
    score: float
    pinned: bool
    barred: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The story next to another one: how many points it has more, and the factors that give it most more or less."""

    standing: Standing
    gap: float
    differences: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """The place and points that a story would have if no story had this factor."""

    factor: str
    place: int
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A story among the others. `automatic` is its score without the editors' hand, `automatic_place` the place of that.

    `absences` are of each factor of its receipt.
    """

    ranked: Ranked
    standing: Standing
    automatic: float
    automatic_place: int
    above: Neighbour | None
    below: Neighbour | None
    absences: tuple[Absence, ...]


def place_of(ranked: Sequence[Ranked], story_id: str, articles: Collection[int] = ()) -> int | None:
    """The index of the story with this id, or else of the first that holds one of these articles; None where none does."""
    ids = [one.story.id for one in ranked]
    if story_id in ids:
        return ids.index(story_id)
    return next((index for index, one in enumerate(ranked) if _holds(one, articles)), None)


def standings(ranked: Sequence[Ranked], articles: Collection[int]) -> list[Standing]:
    """Where the stories stand that hold any of these articles, best first."""
    return [_standing(ranked, index) for index, one in enumerate(ranked) if _holds(one, articles)]


def explain(ranked: Sequence[Ranked], index: int) -> Explanation:
    """Explain the story at an index of a ranking, best first."""
    one = ranked[index]
    automatic = without(one.receipt, BY_HAND)
    return Explanation(
        ranked=one,
        standing=_standing(ranked, index),
        automatic=automatic.score,
        automatic_place=_place_without(ranked, index, BY_HAND),
        above=_neighbour(ranked, index, index - 1) if index else None,
        below=_neighbour(ranked, index, index + 1) if index + 1 < len(ranked) else None,
        absences=tuple(
            Absence(name, _place_without(ranked, index, name), without(one.receipt, name).score)
            for name in dict.fromkeys(factor.name for factor in automatic.factors)
        ),
    )


def without(receipt: Receipt, name: str) -> Receipt:
    """A receipt that lacks a factor."""
    return Receipt(tuple(factor for factor in receipt.factors if factor.name != name))


def by_hand(receipt: Receipt) -> tuple[Factor, ...]:
    """The lines of a receipt that editors added."""
    return tuple(factor for factor in receipt.factors if factor.name == BY_HAND)


def _holds(ranked: Ranked, articles: Collection[int]) -> bool:
    return any(article.id in articles for article in ranked.story.articles)


def _standing(ranked: Sequence[Ranked], index: int) -> Standing:
    one = ranked[index]
    return Standing(one.story.id, one.headline, index + 1, len(ranked), one.score, one.pinned, one.barred)


def _place_without(ranked: Sequence[Ranked], index: int, name: str) -> int:
    lacking = [replace(one, receipt=without(one.receipt, name)) for one in ranked]
    own = best_first(lacking[index])
    return 1 + sum(best_first(other) < own for other in lacking)


def _neighbour(ranked: Sequence[Ranked], index: int, beside: int) -> Neighbour:
    differences: dict[str, float] = defaultdict(float)
    for receipt, sign in ((ranked[beside].receipt, 1), (ranked[index].receipt, -1)):
        for factor in receipt.factors:
            differences[factor.name] += sign * factor.points
    strongest = sorted(differences.items(), key=lambda difference: (-abs(difference[1]), difference[0]))
    return Neighbour(
        standing=_standing(ranked, beside),
        gap=ranked[beside].score - ranked[index].score,
        differences=tuple(one for one in strongest[:DIFFERENCES] if abs(one[1]) >= _LEAST),
    )
