"""Stories that are kept up to date while articles come and go."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digest.config import Ranking
from digest.model import Article, Story
from digest.ranking.stories.agglomeration import Agglomeration, Join, nearness
from digest.ranking.stories.lead import canonical, lead_first
from digest.ranking.stories.likeness import WHOLE, Neighbours
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.terms import Reading, read
from digest.ranking.stories.vectors import Weigher

FAINT = 0.4
"""Two articles less alike than this share of the threshold count as not alike at all."""
BRIDGE = 1.0
"""Groups can only become one story if a chain of pairs that are at least so many thresholds alike connects them."""
CROWD, CROWDING = 100, 0.7
"""`same_story` holds among up to CROWD articles; each tenfold adds the share CROWDING: more are alike by chance."""
KINDRED = 0.5
"""Stories are kindred if they are at least this share as near as one story's parts must be."""


class _Placed(NamedTuple):
    """A story, its earliest article, and the numbers of its articles, earliest first."""

    earliest: Article
    story: Story
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kinship:
    """Two stories that are near each other without being one, and how near, as a share of what would make them one."""

    one: Story
    other: Story
    nearness: float


class Stories:
    """The stories of a window of articles.

    Given the same settings and rarity, the stories depend on which articles are here and on nothing else: not on their
    order, nor on what came together, or came and went. Only what a change can touch is formed anew: the pairs
    of the articles that came, and the stories among articles that are connected with them. Not to be shared
    between threads.
    """

    def __init__(self, settings: Ranking, rarity: Rarity) -> None:
        self._same = threshold(settings.same_story, rarity.articles)
        self._bridge = math.ceil(WHOLE * self._same * BRIDGE)
        self._weigher = Weigher(rarity)
        self._neighbours = Neighbours(rarity, math.ceil(WHOLE * self._same * FAINT))
        self._numbers: dict[tuple[object, ...], int] = {}
        self._articles: dict[int, Article] = {}
        self._keys: dict[int, tuple[str, str]] = {}
        self._titles: dict[tuple[str, str], tuple[int, ...]] = {}
        self._cluster_of: dict[int, int] = {}
        self._clusters: dict[int, list[_Placed]] = {}
        self._joins: dict[int, list[Join]] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._articles)

    def add(self, articles: Iterable[Article]) -> list[Story]:
        """Take in articles; one that is here in an older version is replaced. Returns the stories that changed."""
        return self.add_readings((article, read(article)) for article in articles)

    def add_readings(self, readings: Iterable[tuple[Article, Reading]]) -> list[Story]:
        """The same for articles that have been read."""
        touched: set[int] = set()
        before: list[_Placed] = []
        for article, reading in readings:
            identity = _identity(article)
            known = self._numbers.get(identity)
            if known is not None:
                if self._articles[known] == article:
                    continue
                before += self._forget(known)
            touched.add(self._take(identity, article, reading))
        return self._form(touched, before)

    def drop(self, articles: Iterable[Article]) -> list[Story]:
        """Let go of articles that left the window; unknown ones are passed over. Returns the stories that changed."""
        before: list[_Placed] = []
        for article in articles:
            number = self._numbers.get(_identity(article))
            if number is not None:
                before += self._forget(number)
        return self._form(set(), before)

    def stories(self) -> list[Story]:
        """All stories, in the order of their earliest article."""
        return [placed.story for placed in self._placed()]

    def kinships(self) -> list[Kinship]:
        """The pairs of stories that are near each other, the nearest first."""
        placed = self._placed()
        place_of = {number: place for place, one in enumerate(placed) for number in one.numbers}
        squares = [WHOLE * len(one.numbers) for one in placed]
        products: dict[tuple[int, int], int] = defaultdict(int)
        for number, place in place_of.items():
            for other, alike in self._neighbours.of(number).items():
                if place_of[other] == place:
                    squares[place] += alike
                elif place < place_of[other]:
                    products[place, place_of[other]] += alike
        lengths = list(map(math.sqrt, squares))
        found = []
        for (one, other), product in products.items():
            smaller = min(len(placed[one].numbers), len(placed[other].numbers))
            near = nearness(product, lengths[one], lengths[other], smaller) / self._same
            if near >= KINDRED:
                found.append((-near, one, other))
        return [Kinship(placed[one].story, placed[other].story, -near) for near, one, other in sorted(found)]

    def vouch(self, one: Article, other: Article) -> bool:
        """Whether these two alone would be one story: as alike as groups must be, or under the same headline."""
        numbers = self._numbers.get(_identity(one)), self._numbers.get(_identity(other))
        left, right = numbers
        if left is None or right is None:
            return False
        same_title = self._keys[left][1] != "" and self._keys[left] == self._keys[right]
        return same_title or self._neighbours.of(left).get(right, 0) >= WHOLE * self._same

    def _placed(self) -> list[_Placed]:
        return sorted((one for those in self._clusters.values() for one in those), key=_earliest)

    def _take(self, identity: tuple[object, ...], article: Article, reading: Reading) -> int:
        number = self._next
        self._next += 1
        self._numbers[identity] = number
        self._articles[number] = article
        vector = self._weigher.vector(reading)
        self._neighbours.add(number, vector)
        key = self._keys[number] = (vector.language, vector.key)
        if vector.key:
            self._titles[key] = (*self._titles.get(key, ()), number)
        return number

    def _forget(self, number: int) -> list[_Placed]:
        """Let go of one; returns the stories of its cluster, which must be formed anew."""
        key = self._keys.pop(number)
        if key in self._titles:
            self._titles[key] = tuple(other for other in self._titles[key] if other != number)
            if not self._titles[key]:
                del self._titles[key]
        self._neighbours.drop(number)
        placed = self._dissolve(self._cluster_of.get(number))
        del self._numbers[_identity(self._articles.pop(number))]
        return placed

    def _dissolve(self, cluster: int | None) -> list[_Placed]:
        if cluster is None:
            return []
        placed = self._clusters.pop(cluster)
        self._joins.pop(cluster, None)
        for one in placed:
            for number in one.numbers:
                del self._cluster_of[number]
        return placed

    def _form(self, touched: set[int], before: list[_Placed]) -> list[Story]:
        """Form the stories anew among all articles that are connected with those touched or placed before."""
        touched.update(number for one in before for number in one.numbers)
        known = {one.numbers for one in before}
        changed: list[_Placed] = []
        for loose, clusters in self._connected(sorted(touched & self._articles.keys())):
            followed = max(clusters, key=self._size, default=None)
            for cluster in clusters:
                known.update(one.numbers for one in self._clusters[cluster])
                if cluster != followed:
                    loose += [number for one in self._dissolve(cluster) for number in one.numbers]
            changed += [one for one in self._settle(loose, followed) if one.numbers not in known]
        return [one.story for one in sorted(changed, key=_earliest)]

    def _size(self, cluster: int) -> int:
        return sum(len(one.numbers) for one in self._clusters[cluster])

    def _connected(self, loose: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
        """What a chain of near pairs, or of same titles, connects: articles that are in no cluster, and clusters."""
        links: dict[int, list[int]] = {number: [] for number in loose}
        for number in loose:
            near = [other for other, alike in self._neighbours.of(number).items() if alike >= self._bridge]
            for other in (*near, *self._titles.get(self._keys[number], ())):
                node = self._cluster_of.get(other, other)
                links[number].append(node)
                if node != other:
                    links.setdefault(node, []).append(number)
        seen: set[int] = set()
        for start in loose:
            if start in seen:
                continue
            seen.add(start)
            nodes = [start]
            for node in nodes:
                fresh = set(links[node]) - seen
                seen |= fresh
                nodes += fresh
            yield (
                [node for node in nodes if node not in self._clusters],
                [node for node in nodes if node in self._clusters],
            )

    def _settle(self, loose: list[int], cluster: int | None) -> list[_Placed]:
        """Form the stories of articles that are connected, by what is known of the cluster, if any, that they join."""
        before = self._clusters[cluster] if cluster is not None else []
        if cluster is None:
            cluster = self._next
            self._next += 1
        self._cluster_of.update(dict.fromkeys(loose, cluster))
        if not before and len(loose) == 1:
            article = self._articles[loose[0]]
            placed = self._clusters[cluster] = [_Placed(article, Story((article,)), (loose[0],))]
            return placed
        connected = [*loose, *(number for one in before for number in one.numbers)]
        keys = {number: canonical(self._articles[number]) for number in connected}
        connected.sort(key=keys.__getitem__)
        groups, self._joins[cluster] = self._agglomerated(connected, loose, self._joins.get(cluster, ()))
        known = {one.numbers: one for one in before}
        placed = self._clusters[cluster] = [
            known.get(group) or _Placed(self._articles[group[0]], self._story(group), group) for group in groups
        ]
        return placed

    def _agglomerated(
        self, connected: list[int], loose: list[int], joins: Iterable[Join]
    ) -> tuple[list[tuple[int, ...]], list[Join]]:
        """The connected articles in groups, each in canonical order, and how they were joined."""
        place_of: dict[int, int] = {}
        starts: list[list[int]] = []
        titles: dict[tuple[str, str], int] = {}
        for number in connected:
            key = self._keys[number]
            place = titles.setdefault(key, len(starts)) if key[1] else len(starts)
            if place == len(starts):
                starts.append([])
            starts[place].append(number)
            place_of[number] = place
        agglomeration = Agglomeration(starts, self._neighbours.of, self._same)
        groups, joined = agglomeration.run((place_of[number] for number in loose), joins)
        rank = {number: place for place, number in enumerate(connected)}
        return [tuple(sorted(group, key=rank.__getitem__)) for group in groups], joined

    def _story(self, group: tuple[int, ...]) -> Story:
        articles = [self._articles[number] for number in group]
        if len(group) == 1:
            return Story(tuple(articles))
        members = set(group)
        near = [
            WHOLE + sum([alike for other, alike in self._neighbours.of(number).items() if other in members])
            for number in group
        ]
        return Story(tuple(lead_first(articles, near)))


def threshold(same_story: float, articles: int) -> float:
    """How near two groups must be among so many articles."""
    return same_story * (1 + CROWDING * math.log10(max(articles, CROWD) / CROWD))


def _identity(article: Article) -> tuple[object, ...]:
    return (article.id, "", "") if article.id else (article.feed.url, article.entry_id, article.url)


def _earliest(placed: _Placed) -> tuple[object, ...]:
    return canonical(placed.earliest)
