"""What is due raises the stories that it bears on, by how much they do, and the receipt says so."""

from datetime import date, datetime, timedelta

import pytest

from digest.config import Ranking
from digest.model import Event, Factor, Ranked, Term, Topic
from digest.ranking.occasions import Occasion, occasions
from digest.ranking.rank import rank
from tests.ranking.articles import NOW, article

BANKS = Topic("central-banks", "Central banks", 1.2, (Term("interest rates", 2), Term("ECB", 2)))
ENERGY = Topic("energy", "Energy", 1.0, (Term("oil", 2), Term("OPEC", 2)))
MUTED = Topic("sport", "Sport", 0.0, (Term("cup final"),))
ARTICLES = [article(1, "ECB holds interest rates"), article(2, "OPEC lifts supply of oil"), article(3, "The cup final")]
DAY = NOW.date()
RATE = Occasion(("central-banks",), "Policy rate is due today at 14:15")


def event(start: datetime | None, day: date = DAY, *topics: str) -> Event:
    return Event("Policy rate", day, start, "Norland", topics or ("central-banks",))


def words(*events: Event, zone: str = "UTC", day: date = DAY) -> list[str]:
    return [one.words for one in occasions(events, day, NOW, zone)]


def ranked(*due: Occasion, settings: Ranking = Ranking()) -> dict[int, Ranked]:  # noqa: B008  # frozen
    found = rank(ARTICLES, (BANKS, ENERGY, MUTED), settings, NOW, occasions=due)
    return {one.story.lead.id: one for one in found}


def calendar(one: Ranked) -> list[Factor]:
    return [factor for factor in one.receipt.factors if factor.name == "calendar"]


def test_an_occasion_is_told_in_the_digests_own_time() -> None:
    soon = NOW + timedelta(hours=2)

    assert words(event(soon), zone="Europe/Berlin") == [
        f"Policy rate is due today at {soon + timedelta(hours=1):%H:%M}"
    ]
    assert words(event(None)) == ["Policy rate is due today"]


def test_what_was_due_since_the_day_before_still_counts_and_nothing_older_or_later() -> None:
    hours = {back: event(NOW - timedelta(hours=back), (NOW - timedelta(hours=back)).date()) for back in (1, 23, 25)}
    tomorrow = DAY + timedelta(days=1)

    assert words(hours[1]) == [f"Policy rate was due today at {NOW - timedelta(hours=1):%H:%M}"]
    assert words(hours[23]) == [f"Policy rate was due yesterday at {NOW - timedelta(hours=23):%H:%M}"]
    assert words(hours[25], event(None, tomorrow), event(NOW + timedelta(days=1), tomorrow)) == []
    assert words(event(None, DAY - timedelta(days=1))) == []


def test_what_bears_on_no_topic_is_no_occasion() -> None:
    assert occasions([Event("Holiday", DAY)], DAY, NOW, "UTC") == ()


def test_an_occasion_gives_its_points_by_relevance_and_says_why() -> None:
    before, after = ranked(), ranked(RATE)

    (factor,) = calendar(after[1])
    assert (factor.points, factor.because) == (Ranking().calendar * factor.input, RATE.words)
    assert factor.input == pytest.approx(after[1].topics["central-banks"], abs=1e-4)
    assert after[1].score == pytest.approx(before[1].score + factor.points)
    assert [after[number].receipt for number in (2, 3)] == [before[number].receipt for number in (2, 3)]


def test_several_occasions_give_what_the_nearest_gives() -> None:
    other = Occasion(("energy",), "OPEC meets today")
    both = ranked(other, RATE, Occasion(("central-banks",), "Minutes are due today"))

    assert [factor.because for factor in calendar(both[1])] == [RATE.words]
    assert [factor.because for factor in calendar(both[2])] == ["OPEC meets today"]


def test_a_topic_that_counts_for_nothing_is_raised_by_nothing() -> None:
    assert calendar(ranked(Occasion(("sport",), "The final is due today"))[3]) == []


def test_with_the_setting_at_nothing_no_score_changes() -> None:
    off = Ranking(calendar=0)

    assert {number: one.score for number, one in ranked(RATE, settings=off).items()} == {
        number: one.score for number, one in ranked(settings=off).items()
    }
