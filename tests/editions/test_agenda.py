"""An edition names what is worth watching, and no more than fits."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.editions.agenda import MOST, shown
from digest.editions.calendars import in_order
from digest.model import Event, Topic

DAY = date(2026, 2, 10)
PRESS = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
TOPICS = (Topic("inflation", "Inflation", 1.2), Topic("jobs", "Jobs", 0.8))


def due(title: str, hour: int | None, *topics: str, days: int = 0) -> Event:
    start = None if hour is None else PRESS.replace(hour=hour) + timedelta(days=days)
    return Event(title, DAY + timedelta(days=days), start, "Norland", topics)


def test_the_day_comes_first_then_the_next_in_order_of_time() -> None:
    events = [due("Old", 12, days=-1), due("Holiday", None), due("Prices", 8), due("Rate", 14), due("Jobs", 9, days=1)]

    assert [event.title for event in shown(events, DAY, PRESS, TOPICS)] == ["Holiday", "Prices", "Rate", "Jobs"]


def test_what_is_over_at_press_time_is_no_longer_to_be_watched() -> None:
    assert [event.title for event in shown([due("Night", 5), due("Now", 6)], DAY, PRESS, TOPICS)] == ["Now"]


def test_on_a_full_day_the_topics_with_most_weight_stay_in_order_of_time() -> None:
    events = [*(due(f"Jobs {hour}", hour, "jobs") for hour in range(7, 14)), due("Prices", 20, "inflation")]
    events.append(due("Tomorrow", 8, "inflation", days=1))

    found = shown(events, DAY, PRESS, TOPICS)

    assert [event.title for event in found] == [*(f"Jobs {hour}" for hour in range(7, 12)), "Prices"]


@given(
    st.lists(
        st.builds(due, st.text(max_size=3), st.one_of(st.none(), st.integers(0, 23)), days=st.integers(-1, 1)),
        max_size=20,
    )
)
def test_never_more_than_fit_and_none_of_another_day(events: list[Event]) -> None:
    events = sorted(dict.fromkeys(events), key=in_order)

    found = shown(events, DAY, PRESS, TOPICS)

    assert len(found) <= MOST
    assert list(found) == sorted(found, key=in_order)
    assert all(event.day in {DAY, DAY + timedelta(days=1)} for event in found)
