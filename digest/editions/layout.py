"""The order in which a reader meets the items of an edition: one order for HTML, text and page."""

from datetime import timedelta

from digest.language import Language, english
from digest.model import Edition, Event, Item, Section

TOP = "top"
ALSO_TODAY = "also-today"

MOST_EVENTS = 6


def shown(edition: Edition) -> tuple[Item, ...]:
    """The items that are shown, by place: of an edition its neutral part, of a cut all."""
    return edition.items[: edition.length]


def sections(edition: Edition, language: Language) -> tuple[Section, ...]:
    """The edition in blocks, those that are no topic's with titles in the language.

    "Top stories" are those that every reader gets. A section for each topic follows, in order of its best item; topics
    with a single story are gathered in "Also today" at the end.
    """
    items = shown(edition)
    by_topic: dict[str, list[Item]] = {}
    for item in items[edition.shared :]:
        by_topic.setdefault(item.section, []).append(item)
    single = [item for group in by_topic.values() if len(group) == 1 for item in group]
    found = [
        Section(TOP, language.gettext("Top stories"), items[: edition.shared]),
        *(
            Section(topic, edition.topic_titles.get(topic, topic), tuple(group))
            for topic, group in by_topic.items()
            if len(group) > 1
        ),
        Section(ALSO_TODAY, language.gettext("Also today"), tuple(single)),
    ]
    return tuple(section for section in found if section.items)


def in_order(edition: Edition) -> tuple[Item, ...]:
    """The shown items in reading order."""
    return tuple(item for section in sections(edition, english()) for item in section.items)


def due(edition: Edition) -> tuple[Event, ...]:
    """What to watch: the day's events and then the next day's, what has no hour first, at most `MOST_EVENTS`."""
    days = (edition.date, edition.date + timedelta(days=1))
    near = [event for event in dict.fromkeys(edition.events) if event.day in days]
    near.sort(key=lambda event: (event.day, event.start is not None, event.start and event.start.timestamp()))
    return tuple(near[:MOST_EVENTS])
