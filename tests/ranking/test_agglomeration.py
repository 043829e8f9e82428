import random

from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.stories.agglomeration import Agglomeration, Join
from digest.ranking.stories.likeness import WHOLE
from tests.ranking.articles import QUICK

SAME = 0.3


@st.composite
def likenesses(draw: st.DrawFn) -> list[dict[int, int]]:
    """Articles by the likeness of each to others; of few different ones, so that many pairs are equally near."""
    count = draw(st.integers(2, 14))
    found: list[dict[int, int]] = [{} for _ in range(count)]
    for one in range(count):
        for other in range(one):
            alike = draw(st.sampled_from([0, 0, 0, 2, 3, 4, 5, 7, 9])) * WHOLE // 10
            if alike:
                found[one][other] = found[other][one] = alike
    return found


def joined(
    likeness: list[dict[int, int]], starts: list[list[int]], awake: list[int], earlier: list[Join]
) -> tuple[list[list[int]], list[Join]]:
    groups, joins = Agglomeration(starts, likeness.__getitem__, SAME).run(awake, earlier)
    return sorted(map(sorted, groups)), joins


@QUICK
@given(likenesses(), st.randoms(use_true_random=False))
def test_a_run_that_follows_an_earlier_one_without_some_articles_joins_as_one_from_the_start(
    likeness: list[dict[int, int]], chance: random.Random
) -> None:
    starts = [[number] for number in range(len(likeness))]
    twins = chance.randrange(len(starts))
    if twins + 1 < len(starts):
        starts[twins] += starts.pop(twins + 1)
    late = {number for number in range(len(likeness)) if chance.random() < 0.3}
    early = [[number for number in start if number not in late] for start in starts]
    _, earlier = joined(likeness, [start for start in early if start], list(range(len(starts) - early.count([]))), [])
    awake = [place for place, start in enumerate(starts) if not late.isdisjoint(start)]
    followed = joined(likeness, starts, awake, earlier)
    assert followed == joined(likeness, starts, list(range(len(starts))), [])


def test_the_nearest_pair_is_joined_and_who_was_near_to_one_of_it_may_be_far_from_the_pair() -> None:
    likeness = [{1: WHOLE // 2, 2: WHOLE * 9 // 10}, {0: WHOLE // 2}, {0: WHOLE * 9 // 10}]
    groups, joins = joined(likeness, [[0], [1], [2]], [0, 1, 2], [])
    assert groups == [[0, 2], [1]]
    assert joins == [Join(0.9, 0, 2, WHOLE * 9 // 10)]
