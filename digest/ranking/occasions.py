"""What is due on the day of an edition, or was since the one before, raises the stories that it bears on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.config import Ranking
from digest.model import Event, Factor, Topic
from digest.ranking.topics.matcher import Reading

STILL_COUNTS = timedelta(hours=24)
"""What was due so long before an edition's press time is its news: a daily one has told what was due before that."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why stories of some topics matter more on a day, such as "Consumer price index is due today at 14:30"."""

    topics: tuple[str, ...]
    words: str


def occasions(events: Sequence[Event], day: date, at: datetime, zone: str) -> tuple[Occasion, ...]:
    """What of the events counts for the edition of `day`: what is due on it, and what was in the 24 hours before `at`.

    A calendar knows when something is due, and not whether it came; so nothing says that it was released.

    Args:
        events: in order.
        day: the edition's local date.
        at: the end of its window.
        zone: in which the hours are told.
    """
    told = ((event, _when(event, day, at, zone)) for event in events if event.topics)
    return tuple(Occasion(event.topics, f"{event.title} {when}") for event, when in told if when)


def calendar_factor(
    reading: Reading, topics: Sequence[Topic], due: Sequence[Occasion], settings: Ranking
) -> Factor | None:
    """What the day's occasions add to a story: by how much it is about a topic of one of them. The nearest counts."""
    counted = {topic.slug for topic in topics if topic.weight > 0}

    def relevance(occasion: Occasion) -> float:
        return max((reading.relevance[topic] for topic in occasion.topics if topic in counted), default=0.0)

    nearest = max(due, key=relevance, default=None)
    if nearest is None or not (near := relevance(nearest)):
        return None
    return Factor("calendar", near, settings.calendar, settings.calendar * near, nearest.words)


def _when(event: Event, day: date, at: datetime, zone: str) -> str:
    if event.start is None:
        return "is due today" if event.day == day else ""
    local = event.start.astimezone(ZoneInfo(zone))
    if event.start >= at:
        return f"is due today at {local:%H:%M}" if event.day == day else ""
    if at - event.start > STILL_COUNTS:
        return ""
    told = {day: "today", day - timedelta(days=1): "yesterday"}.get(event.day, f"on {event.day.isoformat()}")
    return f"was due {told} at {local:%H:%M}"
