"""A weekly edition tells again what the daily ones told: once, what stayed and grew before what was large for a day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config import Ranking, Rules
from digest.delivery.preview import write_preview
from digest.editions import compose, week
from digest.editions.backtest import rebuild
from digest.editions.due import publish_due
from digest.editions.publish import draft, publish
from digest.model import (
    Digest,
    Edition,
    EditionState,
    Item,
    Override,
    OverrideKind,
    Ranked,
    Receipt,
    Update,
    Window,
)
from digest.store import deliveries, editions, overrides, subscribers
from digest.store import engine as engines
from tests.editions.samples import article
from tests.editions.stock import CONFIG, DIGEST, TOPICS, keep

SUNDAY = date(2026, 2, 15)
WEEKLY = Digest(
    "weekly", "The Week", press=time(8, 0), days=("sun",), week_of="economy", length=6, shared=2, per_publisher=6
)
BOTH = replace(CONFIG, digests=(DIGEST, WEEKLY), keys=("a secret for the tests only",))
PRESS = datetime(2026, 2, 15, 8, 0, tzinfo=UTC)
RULES = Rules(WEEKLY, Ranking(), TOPICS)

CRUDE = (
    "Saudi Arabia lifts crude supply to 9.1 million barrels",
    "Saudi Arabia lifts crude supply to 9.4 million barrels",
    "Saudi Arabia lifts crude supply to 9.8 million barrels",
    "Saudi Arabia lifts crude supply to 10.3 million barrels",
)
"""One story in four days, each with a new figure."""
OTHERS = (
    "Unemployment in Canada holds steady at 6.7 percent",
    "Kazakhstan opens a gas pipeline to Uzbekistan",
    "Payrolls in Mexico shrink for a second month",
    "Norland closes its last crude refinery",
    "Unemployment in Portugal rises among the young",
    "Drivers queue as Bolivia runs short of crude",
)


def day_of(days_before: int) -> date:
    return SUNDAY - timedelta(days=days_before)


def tell(engine: Engine, days_before: int, *titles: str) -> Edition:
    """A day's news, and the daily edition made of it by the verb that makes editions."""
    press = datetime.combine(day_of(days_before), time(6, 0), UTC)
    with engines.write(engine) as connection:
        keep(connection, titles, press - timedelta(hours=3))
    return publish(BOTH, engine, DIGEST, day_of(days_before), press, press).edition


@pytest.fixture
def told(sqlite_engine: Engine) -> Engine:
    """A week of daily editions: one story on four of its days, another one on each, and none on Thursday."""
    for number, days_before in enumerate((7, 6, 5, 4, 2, 1)):
        titles = (OTHERS[number], CRUDE[number]) if number < len(CRUDE) else (OTHERS[number],)
        tell(sqlite_engine, days_before, *titles)
    with engines.write(sqlite_engine) as connection:
        subscribers.add(connection, "reader@example.org", "a key", "weekly", (), {"how": "operator"}, PRESS)
        subscribers.add(connection, "jobs@example.org", "another", "weekly", ("jobs",), {"how": "operator"}, PRESS)
    return sqlite_engine


def item(number: int, title: str, *ids: int, score: float = 60.0, update: Update | None = None) -> Item:
    lead = article(ids[0], f"Wire {ids[0]}", title)
    return Item(
        place=number,
        story_id=f"s{min(ids)}",
        section="energy",
        title=title,
        summary="",
        url=lead.url,
        publisher=lead.publisher,
        published_at=lead.published_at,
        score=score,
        receipt=Receipt(()),
        topics={"energy": 0.9, "jobs": 0.6},
        article_ids=ids,
        update=update,
    )


def daily(days_before: int, *items: Item) -> Edition:
    return Edition("economy", "Economy", day_of(days_before), Window(PRESS, PRESS), items)


def ranked(*days: Edition, rules: Rules = RULES, overrides: Sequence[Override] = ()) -> list[Ranked]:
    ids = {number: one.title for edition in days for one in edition.items for number in one.article_ids}
    articles = [article(number, f"Wire {number}", title) for number, title in ids.items()]
    return week.ranked(days, articles, rules, overrides)


# ── published by the verbs ───────────────────────────────────────────────────────────────────────────────────────


def test_a_story_that_ran_on_four_days_stands_first_and_once_in_its_newest_words(told: Engine) -> None:
    edition = publish(BOTH, told, WEEKLY, SUNDAY, PRESS, PRESS).edition

    first = edition.items[0]
    assert (edition.state, first.title) == (EditionState.FROZEN, CRUDE[-1])
    assert first.ran == tuple(day_of(days) for days in (7, 6, 5, 4))
    assert first.receipt.factors[0].because == "it ran on 4 days: Sunday, Monday, Tuesday and Wednesday"
    assert sum(title in CRUDE for title in (one.title for one in edition.items)) == 1
    assert {one.title for one in edition.items[1:]} == set(OTHERS)
    assert all(
        one.score == pytest.approx(sum(factor.points for factor in one.receipt.factors)) for one in edition.items
    )


def test_the_calendar_publishes_it_with_its_deliveries_and_it_can_be_made_again(told: Engine) -> None:
    made = {one.edition.digest: one for one in publish_due(BOTH, told, PRESS)}

    edition = made["weekly"].edition
    assert (edition.date, made["weekly"].queued) == (SUNDAY, 2)
    with engines.read(told) as connection:
        assert rebuild(connection, edition).same
        assert sum(deliveries.counts(connection, edition.id).values()) == 2
    assert [one.edition.digest for one in publish_due(BOTH, told, PRESS + timedelta(minutes=1))] == []


def test_what_a_week_told_may_be_told_by_the_next_one_too_if_it_went_on(told: Engine) -> None:
    publish(BOTH, told, WEEKLY, SUNDAY, PRESS, PRESS)
    tell(
        told,
        -2,
        "Saudi Arabia lifts crude supply to 11.7 million barrels",
        "Fishermen lift employment and payrolls across Iceland",
    )

    later = PRESS + timedelta(days=7)
    edition = publish(BOTH, told, WEEKLY, SUNDAY + timedelta(days=7), later, later).edition

    assert {one.title for one in edition.items} >= {"Fishermen lift employment and payrolls across Iceland"}
    assert all(day >= SUNDAY for one in edition.items for day in one.ran)


def test_a_reader_who_chose_topics_gets_the_shared_stories_and_then_these(told: Engine) -> None:
    edition = publish(BOTH, told, WEEKLY, SUNDAY, PRESS, PRESS).edition

    own = compose.cut(edition, ("jobs",)).items

    assert own[:2] == edition.items[:2]
    assert {one.section for one in own[2:]} == {"jobs"}


def test_a_preview_is_a_whole_mail(told: Engine, tmp_path: Path) -> None:
    with engines.read(told) as connection:
        edition = draft(BOTH, connection, WEEKLY, SUNDAY, PRESS, PRESS)

    paths = {path.suffix: path for path in write_preview(replace(BOTH, home=tmp_path), edition, tmp_path)}

    mail = message_from_bytes(paths[".eml"].read_bytes(), policy=policy.default)
    assert "Saudi Arabia lifts crude supply" in str(mail["Subject"])
    for suffix in (".html", ".txt"):
        text = paths[suffix].read_text(encoding="utf-8")
        assert "10.3 million barrels" in text
        assert all(f"economy/{day_of(days)}" in text for days in (7, 6, 5, 4))


def test_a_quiet_week_is_short_or_held_as_a_quiet_day_is_and_one_without_editions_stays_open(
    sqlite_engine: Engine,
) -> None:
    empty = publish(BOTH, sqlite_engine, WEEKLY, SUNDAY, PRESS, PRESS)
    assert (empty.created, empty.edition.id) == (False, 0)
    assert empty.edition.reason == "economy told no story in the seven days before."

    tell(sqlite_engine, 3, OTHERS[0])
    quiet = publish(BOTH, sqlite_engine, WEEKLY, SUNDAY, PRESS, PRESS).edition

    assert quiet.state is EditionState.FROZEN
    assert [one.title for one in quiet.items] == [OTHERS[0]]
    assert quiet.reason.startswith("A quiet day: 1 story led by 1 publisher")


def test_only_published_editions_of_the_seven_days_before_are_told(told: Engine) -> None:
    with engines.write(told) as connection:
        old = editions.by_date(connection, "economy", day_of(1))
        assert old
        for days_before in (8, 0):
            editions.insert(connection, replace(old, date=day_of(days_before), id=0))

    edition = publish(BOTH, told, WEEKLY, SUNDAY, PRESS, PRESS).edition

    assert {day for one in edition.items for day in one.ran} == {day_of(days) for days in (7, 6, 5, 4, 2, 1)}


def test_editors_pin_and_drop_stories_of_the_week(told: Engine) -> None:
    with engines.read(told) as connection:
        before = draft(BOTH, connection, WEEKLY, SUNDAY, PRESS, PRESS)
    pinned, dropped = before.items[-1], before.items[0]
    with engines.write(told) as connection:
        for kind, one in ((OverrideKind.PIN, pinned), (OverrideKind.DROP, dropped)):
            named = Override(kind, "weekly", "ann", "why not", PRESS, PRESS + timedelta(days=1), one.article_ids)
            overrides.add(connection, named)

    edition = publish(BOTH, told, WEEKLY, SUNDAY, PRESS, PRESS).edition

    assert edition.items[0].title == pinned.title
    assert dropped.title not in {one.title for one in edition.items}


# ── what counts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_items_are_one_story_by_a_common_article_or_as_an_update_also_of_two_that_were_apart() -> None:
    update = Update(day_of(5), "news", told=(1, 2))
    (one,) = ranked(
        daily(5, item(1, "First", 1), item(2, "Second", 2)),
        daily(3, item(1, "Both", 3, update=update)),
        daily(2, item(1, "Again", 3, 4)),
    )

    assert one.headline == "Again"
    assert one.ran == (day_of(5), day_of(3), day_of(2))
    assert sorted(each.id for each in one.story.articles) == [1, 2, 3, 4]


def test_an_update_of_what_ran_before_the_week_and_its_own_update_are_one_story() -> None:
    old = item(1, "News", 3, update=Update(day_of(12), "news", told=(1,)))
    new = item(1, "More news", 4, update=Update(day_of(12), "more", told=(1, 3)))

    (one,) = ranked(daily(5, old), daily(4, new))

    assert one.ran == (day_of(5), day_of(4))


def test_what_came_after_the_first_day_is_growth_and_a_story_of_one_day_has_none() -> None:
    grown, still = ranked(
        daily(5, item(1, "Grows", 1, score=50), item(2, "Stays", 9, score=50)),
        daily(4, item(1, "Grows", 2, 3, update=Update(day_of(5), "news", told=(1,)))),
    )

    factors = {factor.name: factor for factor in grown.receipt.factors}
    assert factors["growth"].because == "2 publishers and 2 reports came to it after Tuesday"
    assert 0 < factors["growth"].points < week.GROWTH
    assert factors["importance"].because == "it had 60.0 points on Wednesday, its best day"
    assert [factor.because for factor in still.receipt.factors] == [
        "it ran on Tuesday alone",
        "it had 50.0 points on Tuesday",
    ]


def test_an_editors_headline_of_the_last_day_stays() -> None:
    edition = daily(2, replace(item(1, "As published", 1), title="As an editor wrote it"))

    (one,) = week.ranked([edition], [article(1, "Wire 1", "As published")], RULES, ())

    assert one.headline == "As an editor wrote it"


def test_a_weekly_digest_of_some_topics_has_what_is_much_about_one_of_them() -> None:
    jobs = replace(RULES, digest=replace(WEEKLY, topics=("jobs",)))
    trade = replace(RULES, digest=replace(WEEKLY, topics=("trade",)))
    edition = daily(2, item(1, "Oil workers strike", 1))

    assert [one.topic for one in ranked(edition)] == ["energy"]
    assert [one.topic for one in ranked(edition, rules=jobs)] == ["jobs"]
    assert [one.topic for one in ranked(edition, rules=trade)] == [""]


def test_a_story_whose_articles_are_kept_no_more_is_not_told() -> None:
    assert week.ranked([daily(2, item(1, "Gone", 1))], [], RULES, ()) == []
