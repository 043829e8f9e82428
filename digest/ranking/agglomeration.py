"""Joins the two nearest groups until none are near enough."""

import heapq
import math
from collections.abc import Mapping, Sequence

SIZE = 0.1
"""The power of the smaller group's size by which two groups must be nearer: large groups are alike by averaging."""


def nearness(product: int, one: int, other: int, smaller: int) -> float:
    """How near two groups are: nearly the cosine of the sums of their articles' vectors.

    Args:
        product: the sum of the likenesses between the two.
        one: the sum of all likenesses within the one, each article's to itself included: its squared length.
        other: the same for the other.
        smaller: the number of articles of the smaller.
    """
    return product / (math.sqrt(one) * math.sqrt(other) * math.pow(smaller, SIZE))


class Agglomeration:
    """Hierarchical agglomerative clustering of groups of articles, by sums of likenesses.

    The product of a joined group with a third is the sum of its parts', so that nothing is multiplied twice; all are
    whole numbers. Of pairs that are equally near, the one with the lowest places comes first.
    """

    def __init__(
        self, squares: Sequence[int], sizes: Sequence[int], products: Sequence[Mapping[int, int]], same: float
    ) -> None:
        self._same = same
        self._sizes = list(sizes)
        self._squares = list(squares)
        self._products = [dict(those) for those in products]
        self._groups: dict[int, list[int]] = {place: [place] for place in range(len(squares))}
        self._heap: list[tuple[float, int, int]] = []

    def run(self) -> list[list[int]]:
        """The groups as lists of the places of what they were made from."""
        for left, products in enumerate(self._products):
            for right, product in products.items():
                if left < right:
                    self._offer(left, right, product)
        while self._heap:
            offered, left, right = heapq.heappop(self._heap)
            if left in self._groups and right in self._groups:
                product = self._products[left][right]
                if self._nearness(left, right, product) >= -offered:
                    self._join(left, right)
                else:
                    self._offer(left, right, product)
        return list(self._groups.values())

    def _nearness(self, left: int, right: int, product: int) -> float:
        return nearness(product, self._squares[left], self._squares[right], min(self._sizes[left], self._sizes[right]))

    def _offer(self, left: int, right: int, product: int) -> None:
        near = self._nearness(left, right, product)
        if near >= self._same:
            heapq.heappush(self._heap, (-near, min(left, right), max(left, right)))

    def _join(self, into: int, gone: int) -> None:
        """Join a pair, the one with fewer neighbours going into the other.

        Only its neighbours come nearer. The other offers have become too high, and are made anew when their turn comes.
        """
        if len(self._products[into]) < len(self._products[gone]):
            into, gone = gone, into
        mine, theirs = self._products[into], self._products[gone]
        product = mine.pop(gone)
        del theirs[into]
        self._squares[into] += self._squares[gone] + 2 * product
        self._sizes[into] += self._sizes[gone]
        self._groups[into] += self._groups.pop(gone)
        for other, part in theirs.items():
            total = mine.get(other, 0) + part
            mine[other] = self._products[other][into] = total
            del self._products[other][gone]
            self._offer(into, other, total)
        theirs.clear()
