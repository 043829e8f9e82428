"""How a feed is doing, told from what is remembered of it. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from digest.feeds import habits
from digest.model import Alert, Feed, Memory

FAILING_AFTER, FAILING_FROM = timedelta(hours=24), 3
"""A feed is failing once it has done so for this long, and this many times in a row."""
SHORTEST_SILENCE, LONGEST_SILENCE = timedelta(days=5), timedelta(days=45)
SILENT_GAPS = 10
"""A feed is silent once nothing new came for so many of its usual gaps."""
LOUD_FOR, OVERFLOWING_FOR = timedelta(hours=48), timedelta(days=7)


class Health(StrEnum):
    """A feed's state in a word, the one that most needs somebody first."""

    RETIRED = "retired"
    FAILING = "failing"
    LOUD = "loud"
    SILENT = "silent"
    UNREAD = "not read yet"
    PAUSED = "paused"
    WELL = "well"


def state(feed: Feed, memory: Memory, now: datetime) -> Health:
    """How a feed is doing, in a word. One whose last poll failed is failing from the first time on."""
    if feed.paused:
        return Health.PAUSED
    if memory.retired_at:
        return Health.RETIRED
    if memory.failures:
        return Health.FAILING
    if memory.polled_at is None:
        return Health.UNREAD
    holding = alerts(feed, memory, now)
    return next((Health(alert) for alert in (Alert.LOUD, Alert.SILENT) if alert in holding), Health.WELL)


def alerts(feed: Feed, memory: Memory, now: datetime) -> dict[Alert, str]:
    """What an operator should know of a feed now, each with a sentence that says what to do."""
    if memory.retired_at:
        since = memory.missing_since or memory.retired_at
        return {
            Alert.RETIRED: f"its server has had no such document since {_day(since)}, so it is no longer asked; "
            "`digest feeds remove` takes it out, `digest feeds resume` asks again"
        }
    holding: dict[Alert, str] = {}
    failing_since = memory.failing_since
    if failing_since and memory.failures >= FAILING_FROM and now - failing_since >= FAILING_AFTER:
        holding[Alert.FAILING] = (
            f"it has not been readable since {_day(failing_since)}, {memory.failures} polls in a row: {memory.error}"
        )
    pace, last = habits.pace_at_last_new(memory), memory.new_at or memory.read_since
    if pace is not None and last and not memory.failures and now - last > _usual_silence(pace):
        holding[Alert.SILENT] = (
            f"nothing new since {_day(last)}, although it used to bring {_in_words(pace)}; see whether it moved"
        )
    if memory.flooded_at and now - memory.flooded_at < LOUD_FOR:
        holding[Alert.LOUD] = (
            f"on {_day(memory.flooded_at)} it brought far more new articles at once than it does; they are held back, and "
            "`digest feeds release` lets them into editions"
        )
    if memory.overflowed_at and now - memory.overflowed_at < OVERFLOWING_FOR:
        holding[Alert.OVERFLOWING] = (
            "between two polls everything in it was replaced, so articles were missed; give it a shorter `poll` in feeds.toml"
        )
    if memory.address and memory.address != feed.url:
        holding[Alert.MOVED] = f"it has moved for good and is now read at {memory.address}; put that into feeds.toml"
    return holding


def _usual_silence(pace: float) -> timedelta:
    gaps = timedelta(days=min(SILENT_GAPS / max(pace, 1e-3), LONGEST_SILENCE.days))
    return max(gaps, SHORTEST_SILENCE)


def _in_words(pace: float) -> str:
    return f"about {pace:.0f} articles a day" if pace >= 1 else f"about one article in {1 / max(pace, 1e-3):.0f} days"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
