"""Stories that are near each other without being one: what the larger has told, the smaller mostly tells again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.config import Ranking
from digest.model import Article, Factor, Story
from digest.ranking.lead import canonical
from digest.ranking.stories import Kinship


@dataclass(frozen=True, slots=True)
class Kin:
    """A near story, by its place among all, and how near, in [0, 1]. `larger` says which of the two is the echo."""

    place: int
    nearness: float
    larger: bool


def kin(stories: Sequence[Story], kinships: Iterable[Kinship]) -> Mapping[int, list[Kin]]:
    """The near stories of each story, the nearest first, by place.

    Of two that are near the larger is the one that more publishers cover, then the one with more articles, then the
    earlier: neither topics nor weights decide, so that raising a weight makes no story an echo. Stories that editors merged
    into one are near each other no more.
    """
    place_of = {_key(article): place for place, story in enumerate(stories) for article in story.articles}
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for one in kinships:
        places = place_of.get(_key(one.one.lead)), place_of.get(_key(one.other.lead))
        left, right = places
        if left is None or right is None or left == right:
            continue
        near = min(1.0, one.nearness)
        found[left][right] = max(near, found[left].get(right, 0.0))
        found[right][left] = max(near, found[right].get(left, 0.0))
    sizes = {place: _size(stories[place]) for place in found}
    return {
        place: [
            Kin(other, nearness, sizes[other] < sizes[place])
            for other, nearness in sorted(near.items(), key=lambda one: (-one[1], one[0]))
        ]
        for place, near in sorted(found.items())
    }


def echo(near: Sequence[Kin], stories: Sequence[Story], settings: Ranking) -> Factor | None:
    """What a story loses for telling mostly what a larger one tells; None where no larger one is near."""
    louder = next((one for one in near if one.larger), None)
    if louder is None:
        return None
    points = -settings.echo * louder.nearness
    because = f"much like “{stories[louder.place].lead.title}”, which is covered more widely"
    return Factor("echo", louder.nearness, -settings.echo, points, because)


def _size(story: Story) -> tuple[object, ...]:
    """What stories are compared by; the larger comes first."""
    return (-len(story.publishers), -len(story.articles), min(canonical(article) for article in story.articles))


def _key(article: Article) -> tuple[int, str, str]:
    return (article.id, article.feed.url, article.entry_id)
