"""Archives, floods and churned identifiers: what is old is known, and what is too much is held."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import Engine

from digest.config import Config
from digest.model import Alert
from digest.store import articles
from digest.store.engine import write
from tests.feeds.press import HOUR, NOW, Press, at, known, rounds, stored
from tests.feeds.servers import item, rss


def many(count: int, prefix: str = "", age: timedelta | None = None) -> bytes:
    date = "" if age is None else f"<pubDate>{format_datetime(NOW - age)}</pubDate>"
    return rss(*(item(f"Headline {prefix} number {n}", f"/{prefix}{n}", f"{prefix}{n}", date) for n in range(count)))


@pytest.mark.rows(71)
def test_a_new_feeds_undated_archive_is_known_but_only_its_top_is_news(engine: Engine) -> None:
    press = Press(wire=many(50))

    def grow(_: Config) -> None:
        press.pages["wire"] = many(50).replace(b"<item>", item("Fresh", "/f").encode() + b"<item>", 1)

    (first, second), _ = rounds(engine, press, at(engine, 0), grow, at(engine, 2))

    assert (first.articles_new, second.articles_new) == (50, 1)
    assert {article.title for article in stored(engine)} == {"Fresh", *(f"Headline number {n}" for n in range(10))}


@pytest.mark.rows(72)
def test_a_new_feeds_dated_archive_comes_in_under_its_dates(engine: Engine) -> None:
    dated = [
        item(f"Headline {n}", f"/{n}", more=f"<pubDate>{format_datetime(NOW - n * HOUR)}</pubDate>") for n in range(60)
    ]

    rounds(engine, Press(wire=rss(*dated)), at(engine, 0))

    assert [article.published_at for article in stored(engine)] == [NOW - n * HOUR for n in range(59, -1, -1)]


@pytest.mark.rows(65)
def test_an_archive_published_again_is_held_back_with_one_alert_until_it_is_released(engine: Engine) -> None:
    press = Press(wire=many(40, age=9 * HOUR))

    def reissue(_: Config) -> None:
        press.pages["wire"] = many(40, "again", age=HOUR).replace(b"Headline again", b"Headline ")

    (_, second, third), server = rounds(engine, press, at(engine, 0), reissue, at(engine, 2), at(engine, 4))

    (report,) = second.outcomes
    assert (report.articles_new, report.articles_held) == (40, 40)
    assert list(report.alerts) == [Alert.LOUD]
    assert third.outcomes[0].alerts == {}
    assert len(stored(engine)) == 40
    with write(engine) as conn:
        assert articles.release(conn, known(engine, server.url("/wire")).id) == 40
    assert len(stored(engine)) == 80


@pytest.mark.rows(73)
def test_a_feed_that_runs_over_between_two_polls_is_reported_once(sqlite_engine: Engine) -> None:
    press = Press(wire=many(9, "a", age=3 * HOUR))

    def turn_over(_: Config) -> None:
        press.pages["wire"] = many(9, "b", age=HOUR)

    (_, second, third), _ = rounds(
        sqlite_engine, press, at(sqlite_engine, 0), turn_over, at(sqlite_engine, 2), at(sqlite_engine, 4)
    )

    assert list(second.outcomes[0].alerts) == [Alert.OVERFLOWING]
    assert third.outcomes[0].alerts == {}


@pytest.mark.rows(60)
def test_an_identifier_that_every_entry_shares_does_not_hide_the_next_one(engine: Engine) -> None:
    press = Press(wire=rss(item("First of all", "/1", "same")))

    def grow(_: Config) -> None:
        press.pages["wire"] = rss(item("Second of all", "/2", "same"), item("First of all", "/1", "same"))

    (_, second), _ = rounds(engine, press, at(engine, 0), grow, at(engine, 2))

    assert (second.articles_new, second.articles_updated) == (1, 0)


@pytest.mark.rows(66)
def test_an_entry_that_comes_back_is_the_one_we_knew(engine: Engine) -> None:
    press = Press(wire=rss(item("One", "/1", "a"), item("Two", "/2", "b")))

    def show(*items: str) -> Callable[[Config], None]:
        return lambda _: press.pages.update(wire=rss(*items))

    *_, again = rounds(
        engine,
        press,
        at(engine, 0),
        show(item("Two", "/2", "b")),
        at(engine, 2),
        show(item("One", "/1", "a"), item("Two", "/2", "b")),
        at(engine, 4),
    )[0]

    assert (again.articles_new, again.articles_updated) == (0, 0)


@pytest.mark.rows(67)
def test_a_feed_cannot_touch_what_another_one_said(engine: Engine) -> None:
    press = Press(honest=rss(item("The truth", "https://wire.example/1", "a")), thief=rss(item("Other", "/o", "o")))

    def steal(_: Config) -> None:
        press.pages["thief"] = rss(item("A lie", "https://wire.example/1", "a"))

    rounds(engine, press, at(engine, 0), steal, at(engine, 2))

    assert {article.title for article in stored(engine)} == {"The truth", "Other", "A lie"}


@pytest.mark.rows(68, 69, 70)
@pytest.mark.parametrize(
    "given",
    [
        "Wed, 01 Jan 2199 00:00:00 GMT",
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1700000000",
    ],
)
def test_a_date_that_cannot_be_true_is_none(sqlite_engine: Engine, given: str) -> None:
    fresh = item("Fresh", "/f", more=f"<pubDate>{format_datetime(NOW - HOUR)}</pubDate>")
    press = Press(wire=rss(item(more=f"<pubDate>{given}</pubDate>"), fresh))

    rounds(sqlite_engine, press, at(sqlite_engine, 0), at(sqlite_engine, 26))

    assert {article.title: article.published_at for article in stored(sqlite_engine)} == {
        "Rates rise": NOW,
        "Fresh": NOW - HOUR,
    }


@pytest.mark.rows(68)
def test_a_date_of_now_at_every_poll_does_not_make_an_article_younger(sqlite_engine: Engine) -> None:
    def page(hours: int) -> bytes:
        return rss(item(more=f"<pubDate>{format_datetime(NOW + hours * HOUR)}</pubDate>"))

    press = Press(wire=page(0))
    rounds(
        sqlite_engine,
        press,
        at(sqlite_engine, 0),
        lambda _: press.pages.update(wire=page(5)),
        at(sqlite_engine, 5),
    )

    assert [article.published_at for article in stored(sqlite_engine)] == [NOW]
