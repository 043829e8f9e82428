"""What an operator is told of a feed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds import health
from digest.feeds.health import Health
from digest.model import Alert, Feed, Habits, Memory

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://wire.example/feed", "Harbour Wire")
WELL = Memory(
    NOW + HOUR,
    habits=Habits(pace=5.0, entries=20),
    polled_at=NOW - HOUR,
    succeeded_at=NOW - HOUR,
    new_at=NOW - HOUR,
    read_since=NOW - 90 * DAY,
)


def failing(days: float, failures: int = 9) -> Memory:
    return replace(WELL, failures=failures, failing_since=NOW - days * DAY, error="the server answered 500")


@pytest.mark.parametrize(
    ("memory", "word", "alerts"),
    [
        (WELL, Health.WELL, ()),
        (Memory(NOW), Health.UNREAD, ()),
        (failing(0.9), Health.FAILING, ()),
        (failing(1, failures=2), Health.FAILING, ()),
        (failing(1), Health.FAILING, (Alert.FAILING,)),
        (replace(failing(40), retired_at=NOW - DAY), Health.RETIRED, (Alert.RETIRED,)),
        (replace(WELL, new_at=NOW - 6 * DAY), Health.SILENT, (Alert.SILENT,)),
        (replace(WELL, new_at=NOW - 4 * DAY), Health.WELL, ()),
        (replace(WELL, new_at=None), Health.SILENT, (Alert.SILENT,)),
        (replace(WELL, habits=Habits(pace=0.5), new_at=NOW - 15 * DAY, succeeded_at=NOW - 15 * DAY), Health.WELL, ()),
        (
            replace(WELL, habits=Habits(pace=0.5), new_at=NOW - 21 * DAY, succeeded_at=NOW - 21 * DAY),
            Health.SILENT,
            (Alert.SILENT,),
        ),
        (replace(WELL, habits=Habits(), new_at=NOW - 300 * DAY), Health.WELL, ()),
        (replace(WELL, flooded_at=NOW - DAY), Health.LOUD, (Alert.LOUD,)),
        (replace(WELL, flooded_at=NOW - 3 * DAY), Health.WELL, ()),
        (replace(WELL, overflowed_at=NOW - DAY), Health.WELL, (Alert.OVERFLOWING,)),
        (replace(WELL, overflowed_at=NOW - 8 * DAY), Health.WELL, ()),
        (replace(WELL, address="https://new.example/feed"), Health.WELL, (Alert.MOVED,)),
    ],
)
def test_a_feeds_state_and_alerts_follow_from_what_is_remembered(
    memory: Memory, word: Health, alerts: tuple[Alert, ...]
) -> None:
    assert health.state(FEED, memory, NOW) is word
    assert tuple(health.alerts(FEED, memory, NOW)) == alerts


def test_a_paused_feed_is_paused_whatever_else_it_is() -> None:
    assert health.state(replace(FEED, paused=True), failing(9), NOW) is Health.PAUSED


def test_alerts_say_what_happened_since_when_and_what_to_do() -> None:
    said = {
        **health.alerts(FEED, failing(2), NOW),
        **health.alerts(FEED, replace(WELL, new_at=NOW - 9 * DAY, overflowed_at=NOW, flooded_at=NOW), NOW),
        **health.alerts(FEED, replace(WELL, address="https://new.example/feed"), NOW),
    }
    retired = health.alerts(FEED, replace(failing(40), missing_since=NOW - 31 * DAY, retired_at=NOW), NOW)

    assert "since 2026-02-08, 9 polls in a row: the server answered 500" in said[Alert.FAILING]
    assert "nothing new since 2026-02-01" in said[Alert.SILENT]
    assert "`digest feeds release`" in said[Alert.LOUD]
    assert "shorter `poll`" in said[Alert.OVERFLOWING]
    assert "https://new.example/feed; put that into feeds.toml" in said[Alert.MOVED]
    assert "since 2026-01-10" in retired[Alert.RETIRED]
    assert "`digest feeds resume`" in retired[Alert.RETIRED]
