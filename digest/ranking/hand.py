"""The editor's hand: what overrides do to stories. They stand beside what was computed, and the receipt names them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from digest.model import Factor, Override, OverrideKind, Ranked, Receipt, Story

PIN_POINTS = 1000.0
"""More than all other factors together can give or take."""

_PLACING = (OverrideKind.PIN, OverrideKind.DROP)
_REGROUPING = (OverrideKind.MERGE, OverrideKind.SPLIT)
_OF_STORIES = (OverrideKind.PIN, OverrideKind.DROP, OverrideKind.BOOST, OverrideKind.RETITLE, *_REGROUPING)


def regrouped(stories: Sequence[Story], overrides: Iterable[Override]) -> list[Story]:
    """The stories with what editors merged together and what they split apart, in the order the editors did it.

    The lead of a merged story is that of the story named first; a story that lost articles keeps the order of the rest.
    """
    found = list(stories)
    for override in in_order(overrides):
        if override.kind is OverrideKind.MERGE:
            found = _merged(found, override)
        elif override.kind is OverrideKind.SPLIT:
            found = _split(found, override)
    return found


def aimed(stories: Sequence[Story], overrides: Iterable[Override]) -> dict[int, list[Override]]:
    """The overrides of each story, by its place: those that name most of its articles, of equals the first."""
    by_article = {article.id: place for place, story in enumerate(stories) for article in story.articles}
    found: dict[int, list[Override]] = defaultdict(list)
    for override in in_order(overrides):
        if override.kind not in _OF_STORIES:
            continue
        places = [by_article[article] for article in override.articles if article in by_article]
        if places:
            chosen = set(places) if override.kind in _REGROUPING else {max(sorted(set(places)), key=places.count)}
            for place in sorted(chosen):
                found[place].append(override)
    return dict(found)


def applied(ranked: Ranked, overrides: Sequence[Override]) -> Ranked:
    """A story after the editors' hand: each override is a line of its receipt.

    A pinned story is placed whatever else speaks against it; one that is dropped never is. Of several pins and drops the
    last counts alone, so that nobody outbids another.
    """
    factors = list(ranked.receipt.factors)
    last = max((place for place, one in enumerate(overrides) if one.kind in _PLACING), default=-1)
    for place, override in enumerate(overrides):
        factor = _factor(ranked, override)
        if override.kind in _PLACING and place < last:
            factor = replace(factor, points=0.0, weight=0.0, because=f"{factor.because} (until another decided later)")
        factors.append(factor)
        match override.kind:
            case OverrideKind.PIN:
                ranked = replace(ranked, pinned=True, barred="")
            case OverrideKind.DROP:
                ranked = replace(ranked, pinned=False, barred=f"dropped by {_signed(override)}")
            case OverrideKind.RETITLE:
                ranked = replace(ranked, title=override.title)
    return replace(ranked, receipt=Receipt(tuple(factors)))


def in_order(overrides: Iterable[Override]) -> list[Override]:
    """Overrides in the order in which they were made."""
    return sorted(overrides, key=lambda override: (override.since, override.id))


def _merged(stories: list[Story], override: Override) -> list[Story]:
    parts = [
        story
        for wanted in override.articles
        for story in stories
        if any(article.id == wanted for article in story.articles)
    ]
    parts = list(dict.fromkeys(parts))
    if len(parts) < 2:  # noqa: PLR2004
        return stories
    whole = Story(tuple(article for part in parts for article in part.articles))
    return [whole if story == parts[0] else story for story in stories if story not in parts[1:]]


def _split(stories: list[Story], override: Override) -> list[Story]:
    found = []
    for story in stories:
        apart = tuple(article for article in story.articles if article.id in override.articles)
        rest = tuple(article for article in story.articles if article.id not in override.articles)
        found += [Story(part) for part in (rest, apart) if part]
    return found


def _factor(ranked: Ranked, override: Override) -> Factor:
    points, did = 0.0, ""
    match override.kind:
        case OverrideKind.PIN:
            points, did = PIN_POINTS, "pinned"
        case OverrideKind.DROP:
            points, did = -PIN_POINTS, "dropped"
        case OverrideKind.BOOST:
            points, did = override.points, "raised" if override.points >= 0 else "lowered"
        case OverrideKind.MERGE:
            did = "merged"
        case OverrideKind.SPLIT:
            did = "split"
        case OverrideKind.RETITLE:
            did = f"retitled from “{ranked.headline}”"
    return Factor("override", 1.0, points, points, f"{did} by {_signed(override)}")


def _signed(override: Override) -> str:
    return f"{override.author}: {override.reason}"
