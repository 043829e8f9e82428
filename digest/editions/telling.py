"""A story as its page tells it: who reported it, and the receipt in a reader's words. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from digest.editions.because import because
from digest.language import Language
from digest.model import Factor, Item, Receipt

BY_HAND = "override"
"""Whose words name the editor and are meant for editors."""


@dataclass(frozen=True, slots=True)
class Report:
    """An article on a story: its headline, in a `language` where that is known, where it is and when it was published, if known."""

    title: str
    url: str
    published_at: datetime | None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A line of a receipt: its points, and why; "" where there is nothing more to say."""

    name: str
    points: float
    because: str


def reports(items: Iterable[Item]) -> Mapping[str, tuple[Report, ...]]:
    """What each publisher reported, each article once: the publishers of the first item in its order, then whom later ones add."""
    found: dict[str, dict[str, Report]] = {}
    for item in items:
        lead = Report(item.title, item.url, item.published_at, item.language)
        told = [(item.publisher, lead)]
        told += [(one.publisher, Report(one.title, one.url, one.published_at)) for one in item.also]
        for publisher, report in told:
            found.setdefault(publisher, {}).setdefault(report.url, report)
    return {publisher: tuple(of_it.values()) for publisher, of_it in found.items()}


def reasons(receipt: Receipt, language: Language) -> tuple[Reason, ...]:
    """Why a story was chosen, what counted most first."""
    names = _names(language)
    found = (
        Reason(
            names.get(factor.name, factor.name),
            factor.points,
            _because(factor, language),
        )
        for factor in receipt.factors
    )
    return tuple(sorted(found, key=attrgetter("points"), reverse=True))


def _because(factor: Factor, language: Language) -> str:
    """As editors read it, or the same in another language."""
    if factor.name == BY_HAND:
        return ""
    return factor.because if language.locale.language == "en" else because(factor, language)


def _names(language: Language) -> Mapping[str, str]:
    gettext = language.gettext
    return {
        "topic": gettext("Its topic"),
        "coverage": gettext("Coverage"),
        "depth": gettext("Depth"),
        "freshness": gettext("Freshness"),
        "source": gettext("Its source"),
        "official": gettext("First hand"),
        "momentum": gettext("Still growing"),
        "calendar": gettext("Due these days"),
        "focus": gettext("Hardly about a topic"),
        "form": gettext("No report"),
        "echo": gettext("Much like another"),
        "memory": gettext("Ran before"),
        "importance": gettext("Importance on its day"),
        "persistence": gettext("Days it ran"),
        "growth": gettext("What came to it"),
        BY_HAND: gettext("An editor’s decision"),
    }
