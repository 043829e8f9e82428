"""What to watch: which of the events that are known an edition shows. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from digest.model import Event, Topic

MOST = 6
"""More than these are a calendar, and no hint what to watch."""


def shown(events: Sequence[Event], day: date, at: datetime, topics: Sequence[Topic]) -> tuple[Event, ...]:
    """What of the events is due on the edition's day, from `at` on, and on the next: at most `MOST`, in order.

    The day's own come first; where a day has more than there is room for, those stay whose topic has most weight.

    Args:
        events: in order.
        day: the edition's local date.
        at: the end of its window; what was due before is no longer to be watched.
        topics: all that the editors weigh.
    """
    weights = {topic.slug: topic.weight for topic in topics}

    def weight(event: Event) -> float:
        return max((weights.get(topic, 0.0) for topic in event.topics), default=0.0)

    kept: list[Event] = []
    for date_ in (day, day + timedelta(days=1)):
        due = [event for event in events if event.day == date_ and (event.start is None or event.start >= at)]
        kept += sorted(due, key=weight, reverse=True)[: MOST - len(kept)]
    return tuple(event for event in events if event in kept)
