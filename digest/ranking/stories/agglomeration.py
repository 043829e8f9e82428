"""Joins the two nearest groups until none are near enough."""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from digest.ranking.stories.likeness import WHOLE

SIZE = 0.1
"""The power of the smaller group's size by which two groups must be nearer: large groups are alike by averaging."""


def nearness(product: int, one: float, other: float, smaller: int) -> float:
    """How near two groups are: nearly the cosine of the sums of their articles' vectors.

    Args:
        product: the sum of the likenesses between the two.
        one: the length of the one, which is the root of the sum of all likenesses within it, each article's to itself
            included.
        other: the same for the other.
        smaller: the number of articles of the smaller.
    """
    return product / (one * other * math.pow(smaller, SIZE))


class Join(NamedTuple):
    """Two groups that became one, each known by its first article: how near they were, and their product."""

    nearness: float
    one: int
    other: int
    product: int


class Agglomeration:
    """Hierarchical agglomerative clustering of groups of articles, by sums of likenesses.

    The product of a joined group with a third is the sum of its parts', so that nothing is multiplied twice; all are
    whole numbers. Of pairs that are equally near, the one with the lowest places comes first.

    What an earlier run joined can be followed. Its groups sleep: nothing is known of their products with each other but
    that none of them come before the next join of the earlier run. A group wakes when it can no longer be followed,
    because it is joined with one that is awake, or was joined with one that now is; then its products are summed up,
    and it takes part by itself. So a run of which little has changed costs little, and finds the same as one from the start.

    Args:
        starts: what is together from the beginning, as the numbers of its articles; their order gives the places.
        neighbours: the articles that are like one, with their likeness; those in no start do not count.
        same: how near two groups must be.
    """

    def __init__(
        self, starts: Sequence[Sequence[int]], neighbours: Callable[[int], Mapping[int, int]], same: float
    ) -> None:
        self._starts = starts
        self._neighbours = neighbours
        self._same = same
        self._place_of = {number: place for place, start in enumerate(starts) for number in start}
        self._groups = {place: list(start) for place, start in enumerate(starts)}
        self._lowest = list(range(len(starts)))
        self._squares = [self._square(start) for start in starts]
        self._lengths = list(map(math.sqrt, self._squares))
        self._sizes = [len(start) for start in starts]
        self._products: list[dict[int, int]] = [{} for _ in starts]
        self._awake = [False] * len(starts)
        self._sleeping = self._place_of.copy()
        self._heap: list[tuple[float, int, int, int, int]] = []
        self._joins: list[Join] = []

    def run(self, awake: Iterable[int], earlier: Iterable[Join] = ()) -> tuple[list[list[int]], list[Join]]:
        """The groups as numbers of articles, and how they were joined.

        Args:
            awake: the places that took no part in the earlier run.
            earlier: what it joined. All its articles are here, and those that were connected by likeness still are.
        """
        for place in awake:
            self._wake(place)
        for join in earlier:
            one, other = self._places(join)
            self._run_until((-join.nearness, *self._ordered(one, other)))
            one, other = self._places(join)
            if self._awake[one] or self._awake[other]:
                self._wake(one)
                self._wake(other)
            else:
                self._join(one, other, join)
        self._run_until((0.0,))
        return list(self._groups.values()), self._joins

    def _square(self, start: Sequence[int]) -> int:
        square = WHOLE * len(start)
        if len(start) > 1:
            square += sum(self._neighbours(one).get(other, 0) for one in start for other in start)
        return square

    def _places(self, join: Join) -> tuple[int, int]:
        return self._place_of[join.one], self._place_of[join.other]

    def _run_until(self, end: tuple[float, ...]) -> None:
        """Join those that are awake, and those they meet, as long as they come before the end."""
        while self._heap and self._heap[0] < end:
            offered, _, _, one, other = heapq.heappop(self._heap)
            if one in self._groups and other in self._groups:
                product = self._products[one][other]
                near = nearness(
                    product, self._lengths[one], self._lengths[other], min(self._sizes[one], self._sizes[other])
                )
                if near >= -offered:
                    self._wake(one)
                    self._wake(other)
                    first, second = (self._starts[low][0] for low in self._ordered(one, other))
                    self._join(one, other, Join(near, first, second, product))
                else:
                    self._offer(one, {other: product})

    def _wake(self, place: int) -> None:
        """Learn a group's products with all that sleep; with the others they are known."""
        if self._awake[place]:
            return
        self._awake[place] = True
        sleeping = self._sleeping
        for number in self._groups[place]:
            del sleeping[number]
        found: dict[int, int] = {}
        for number in self._groups[place]:
            for neighbour, alike in self._neighbours(number).items():
                other = sleeping.get(neighbour)
                if other is not None:
                    found[other] = found.get(other, 0) + alike
        self._products[place].update(found)
        for other, product in found.items():
            self._products[other][place] = product
        self._offer(place, found)

    def _offer(self, one: int, products: Mapping[int, int]) -> None:
        """Offer to join a group with those that are near enough, by its products with them."""
        lengths, sizes, same = self._lengths, self._sizes, self._same
        length, size = lengths[one], sizes[one]
        for other, product in products.items():
            smaller = min(size, sizes[other])
            near = nearness(product, length, lengths[other], smaller)
            if near >= same:
                heapq.heappush(self._heap, (-near, *self._ordered(one, other), one, other))

    def _ordered(self, one: int, other: int) -> tuple[int, int]:
        """The lowest places of two groups, the lower first."""
        low, high = self._lowest[one], self._lowest[other]
        return (low, high) if low < high else (high, low)

    def _join(self, into: int, gone: int, join: Join) -> None:
        """Join a pair, the one with fewer neighbours going into the other.

        Only its neighbours come nearer. The other offers have become too high, and are made anew when their turn comes.
        """
        self._joins.append(join)
        if len(self._products[into]) < len(self._products[gone]):
            into, gone = gone, into
        mine, theirs = self._products[into], self._products[gone]
        mine.pop(gone, None)
        theirs.pop(into, None)
        self._lowest[into] = min(self._lowest[into], self._lowest[gone])
        self._squares[into] += self._squares[gone] + 2 * join.product
        self._lengths[into] = math.sqrt(self._squares[into])
        self._sizes[into] += self._sizes[gone]
        self._place_of.update(dict.fromkeys(self._groups[gone], into))
        if not self._awake[into]:
            self._sleeping.update(dict.fromkeys(self._groups[gone], into))
        self._groups[into] += self._groups.pop(gone)
        for other in theirs:
            products = self._products[other]
            theirs[other] += mine.get(other, 0)
            products[into] = theirs[other]
            del products[gone]
        mine.update(theirs)
        self._offer(into, theirs)
        theirs.clear()
