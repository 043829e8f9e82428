"""The day as it stands follows the store, poll by poll, and never differs from a day formed from scratch."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from digest.config import Ranking
from digest.editions import standing
from digest.editions.publish import draft, publish
from digest.editions.standing import Kept, Standing
from digest.errors import UnknownDigest
from digest.model import Article, Override, OverrideKind
from digest.ranking.rank import rank
from digest.ranking.stories.cluster import cluster
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.stories import Stories
from digest.store import engine as engines
from digest.store import overrides
from tests.editions.stock import CONFIG, DAY, DIGEST, PRESS, keep
from tests.ranking.articles import NOW, QUICK, pools

SOON = PRESS + timedelta(minutes=1)
FLOOD = "Crude jumps after a refinery fire in Rotterdam"


@QUICK
@given(pools(), st.randoms(use_true_random=False))
def test_after_any_polls_the_kept_stories_are_those_formed_from_scratch_by_the_same_rarity(
    articles: list[Article], chance: random.Random
) -> None:
    """Articles come, go, come again and are corrected between one look and the next."""
    kept = Kept(chance.sample(articles, chance.randint(0, len(articles))), Ranking())
    rarity = Rarity.of(kept.taught)
    for _ in range(4):
        here = [
            replace(article, title=f"{article.title} again") if chance.random() < 0.2 else article
            for article in chance.sample(articles, chance.randint(0, len(articles)))
        ]
        kept.follow(here)
        scratch = Stories(Ranking(), rarity)
        scratch.add(here)
        assert kept.stories.stories() == scratch.stories()
        assert kept.stories.kinships() == scratch.kinships()


@QUICK
@given(pools())
def test_stories_that_are_kept_rank_as_those_that_are_formed_for_it(articles: list[Article]) -> None:
    kept = Kept(articles, Ranking())
    assert rank(articles, CONFIG.topics, Ranking(), NOW, stories=kept.stories) == rank(
        articles, CONFIG.topics, Ranking(), NOW
    )


def test_the_day_is_the_draft_of_what_is_stored(stocked: Engine) -> None:
    day = Standing(stocked).look(CONFIG, "economy", PRESS)

    with engines.read(stocked) as connection:
        assert day.edition == draft(CONFIG, connection, DIGEST, DAY, PRESS, PRESS)
    assert (day.new, day.changed, day.anew) == (4, 4, True)


def test_a_poll_is_taken_in_and_what_left_the_window_is_let_go_of(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "STALE", 2.0)
    stand = Standing(stocked)
    stand.look(CONFIG, "economy", PRESS)
    with engines.write(stocked) as connection:
        keep(connection, (FLOOD,), PRESS)

    after = stand.look(CONFIG, "economy", SOON)
    unchanged = stand.look(CONFIG, "economy", SOON)
    late = stand.look(CONFIG, "economy", PRESS + timedelta(hours=34))

    assert (after.new, after.changed, after.anew) == (1, 1, False)
    assert FLOOD in {item.title for item in after.edition.items}
    assert (unchanged.new, unchanged.changed, unchanged.ranked) == (0, 0, after.ranked)
    assert [one.headline for one in late.ranked] == [FLOOD]
    assert stand.last("economy") == late


def test_stories_are_formed_from_scratch_when_too_many_have_come_or_gone(stocked: Engine) -> None:
    """So that what is rare is learned from what is there, and not from what was."""
    stand = Standing(stocked)
    stand.look(CONFIG, "economy", PRESS)
    with engines.write(stocked) as connection:
        keep(connection, (FLOOD,), PRESS)

    day = stand.look(CONFIG, "economy", SOON)

    assert day.anew
    kept, _ = stand._kept["economy"]
    assert kept.stories.stories() == cluster(day.pool.articles, Ranking())


def test_stories_are_formed_from_scratch_when_settings_change(stocked: Engine) -> None:
    stand = Standing(stocked)
    stand.look(CONFIG, "economy", PRESS)

    same = stand.look(CONFIG, "economy", PRESS)
    other = stand.look(replace(CONFIG, ranking=Ranking(same_story=0.9)), "economy", PRESS)

    assert (same.anew, other.anew) == (False, True)


def test_what_an_editor_does_counts_at_the_next_look(stocked: Engine) -> None:
    stand = Standing(stocked)
    top = stand.look(CONFIG, "economy", PRESS).ranked[0]
    until = PRESS + timedelta(hours=9)
    drop = Override(OverrideKind.DROP, "economy", "the desk", "told before", PRESS, until, (top.story.lead.id,))
    with engines.write(stocked) as connection:
        overrides.add(connection, drop)

    day = stand.look(CONFIG, "economy", SOON)

    assert top.headline not in {item.title for item in day.edition.items}


def test_once_an_edition_is_made_the_day_is_that_of_the_next(stocked: Engine) -> None:
    stand = Standing(stocked)
    before = stand.look(CONFIG, "economy", PRESS)
    publish(CONFIG, stocked, DIGEST, DAY, PRESS, PRESS)

    after = stand.look(CONFIG, "economy", SOON)

    assert (before.edition.date, after.edition.date) == (DAY, date(2026, 2, 11))
    assert after.edition.items == ()


def test_an_error_between_leaves_nothing_half_done(stocked: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Standing(stocked)
    first = stand.look(CONFIG, "economy", PRESS)
    with monkeypatch.context() as patch:
        patch.setattr(standing, "ranked_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stand.look(CONFIG, "economy", SOON)

    assert stand.last("economy") == first
    assert stand.look(CONFIG, "economy", SOON).anew


def test_several_may_ask_at_once(stocked: Engine) -> None:
    stand = Standing(stocked)
    with ThreadPoolExecutor(4) as threads:
        days = list(threads.map(lambda _: stand.look(CONFIG, "economy", PRESS), range(8)))

    assert sum(day.anew for day in days) == 1
    assert all(day.edition == days[0].edition for day in days)


def test_a_digest_that_nobody_set_up_is_named(stocked: Engine) -> None:
    stand = Standing(stocked)
    assert stand.last("sport") is None
    with pytest.raises(UnknownDigest, match="sport"):
        stand.look(CONFIG, "sport", PRESS)
