"""Stories that are near each other without being one: what the larger has told, the smaller mostly tells again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from digest.config import Ranking
from digest.model import Article, Factor, Ranked, Story
from digest.ranking.stories import releases
from digest.ranking.stories.lead import canonical
from digest.ranking.stories.stories import Kinship

FLOOR = 0.85
"""From this nearness on a story is an echo of another; below, two stories only have much in common."""

SAME_RELEASE = 0.8
"""How near two stories are that report one release of figures and share hardly a word: akin, and no echo by that alone."""

Near = Mapping[int, Mapping[int, float]]
"""The near stories of each, by their places, and how near, in [0, 1]."""


def near(stories: Sequence[Story], kinships: Iterable[Kinship]) -> Near:
    """Which stories are near which, by their words or since they report one release of figures.

    Those that editors merged into one are near each other no more.
    """
    place_of = {_key(article): place for place, story in enumerate(stories) for article in story.articles}
    by_words = (
        (place_of.get(_key(one.one.lead)), place_of.get(_key(one.other.lead)), one.nearness) for one in kinships
    )
    by_release = ((one, other, SAME_RELEASE) for one, other in releases.pairs(stories))
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for left, right, nearness in chain(by_words, by_release):
        if left is None or right is None or left == right:
            continue
        for one, other in ((left, right), (right, left)):
            found[one][other] = max(min(1.0, nearness), found[one].get(other, 0.0))
    return found


def kin(place: int, ranked: Mapping[int, Ranked], close: Near) -> tuple[str, ...]:
    """The ids of the stories near the one at a place, the nearest first, as far as they are ranked."""
    nearest = sorted(close.get(place, {}).items(), key=lambda one: (-one[1], one[0]))
    return tuple(ranked[other].story.id for other, _ in nearest if other in ranked)


def echo(place: int, ranked: Mapping[int, Ranked], close: Near, settings: Ranking) -> Factor | None:
    """What a story loses for telling mostly what a larger one tells that may run; None where no such one is near.

    Of two that are near the larger is the one that more publishers cover, then the one with more articles, then the
    earlier: neither topics nor weights decide, so that raising a weight makes no story an echo. The loss begins at
    nothing where nearness begins to count.
    """
    own = _size(ranked[place].story)
    louder = [
        (-nearness, other)
        for other, nearness in close.get(place, {}).items()
        if nearness >= FLOOR
        and other in ranked
        and not ranked[other].barred
        and ranked[other].topic
        and _size(ranked[other].story) < own
    ]
    if not louder:
        return None
    nearness, other = min(louder)
    share = (-nearness - FLOOR) / (1 - FLOOR)
    because = f"much like “{ranked[other].headline}”, which is covered more widely"
    return Factor("echo", -nearness, -settings.echo, -settings.echo * share, because)


def _size(story: Story) -> tuple[object, ...]:
    """What stories are compared by; the larger comes first."""
    return (-len(story.publishers), -len(story.articles), min(canonical(article) for article in story.articles))


def _key(article: Article) -> tuple[int, str, str]:
    return (article.id, article.feed.url, article.entry_id)
