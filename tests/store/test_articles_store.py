"""Articles in the store: each once, known by its id or its page, first seen once, in new words when they change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from digest.model import Article, Feed, Hold, Image, KnownArticle, Window
from digest.store import articles, feeds
from digest.store.engine import read, write
from digest.store.tables import articles as table

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FEED = Feed("https://wire.example/feed", "Harbour Wire", 1.2, "en", ("trade",), timedelta(minutes=30))
OTHER = Feed("https://other.example/feed", "Other Paper")
DAY = Window(NOW - timedelta(days=1), NOW)


def article(number: int = 1, feed: Feed = FEED, **changes: object) -> Article:
    plain = Article(
        entry_id=f"id-{number}",
        url=f"https://wire.example/{number}",
        title=f"Headline {number}",
        summary="",
        publisher=feed.publisher,
        published_at=NOW - timedelta(minutes=number),
        first_seen_at=NOW,
        feed=feed,
        fingerprint=f"{number:064}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def add(engine: Engine, *new: Article, feed: Feed = FEED) -> int:
    with write(engine) as conn:
        feeds.sync(conn, [FEED, OTHER], NOW)
        return articles.add(conn, feed_id(conn, feed), new)


def similar(engine: Engine, *found: Article, feed: Feed = FEED) -> list[KnownArticle]:
    with read(engine) as conn:
        return articles.similar(conn, feed_id(conn, feed), found)


def feed_id(conn: Connection, feed: Feed) -> int:
    known = feeds.by_url(conn, feed.url)
    assert known
    return known.id


def stored(engine: Engine, window: Window = DAY) -> list[Article]:
    with read(engine) as conn:
        return articles.between(conn, window)


def test_an_article_comes_back_as_it_went_in_with_its_feed(engine: Engine) -> None:
    whole = article(
        summary="Words — “quoted”",
        language="de",
        author="Ann Lee",
        categories=("Banks", "Zölle"),
        image=Image("https://img.example/a.jpg", "Photo: Lee", "A bank", 10, None),
    )

    assert add(engine, whole) == 1
    assert [replace(found, id=0) for found in stored(engine)] == [whole]
    assert stored(engine)[0].id > 0


def test_an_article_that_another_hand_stored_is_left_alone(engine: Engine) -> None:
    assert add(engine, article(1), article(2)) == 2
    assert add(engine, article(2, title="Changed"), article(3)) == 1
    assert [found.title for found in stored(engine)] == ["Headline 3", "Headline 2", "Headline 1"]


@pytest.mark.parametrize(
    "found",
    [
        article(9, entry_id="id-1"),
        article(9, url="https://wire.example/1"),
        article(9, url="http://www.wire.example/1"),
        article(9, title="HEADLINE 1"),
    ],
)
def test_the_same_identifier_page_or_headline_is_found_and_only_the_same_feeds(engine: Engine, found: Article) -> None:
    add(engine, article(1), article(2))
    add(engine, article(1, feed=OTHER), feed=OTHER)

    (known,) = similar(engine, found)

    assert known == KnownArticle(
        id=next(one.id for one in stored(engine) if one.feed == FEED and one.entry_id == "id-1"),
        entry_id="id-1",
        url="https://wire.example/1",
        title="Headline 1",
        fingerprint=f"{1:064}",
        published_at=NOW - timedelta(minutes=1),
        first_seen_at=NOW,
        updates=0,
    )


def test_a_large_document_is_looked_up_whole_oldest_first(engine: Engine) -> None:
    many = [article(number, published_at=NOW - timedelta(seconds=number)) for number in range(1, 1301)]

    assert add(engine, *many) == 1300
    assert [known.entry_id for known in similar(engine, *many[::-1])] == [found.entry_id for found in many]
    assert add(engine) == 0
    assert similar(engine) == []


def test_changed_words_are_taken_over_but_the_article_stays_the_same(engine: Engine) -> None:
    add(engine, article(1))
    before = stored(engine)[0]
    corrected = article(1, title="Corrected", fingerprint="f" * 64, published_at=LATER, first_seen_at=LATER)

    with write(engine) as conn:
        articles.change(conn, [(before.id, corrected)], LATER)
        articles.change(conn, [(before.id, corrected)], LATER)
        articles.change(conn, [], LATER)

    assert stored(engine) == [replace(before, title="Corrected", fingerprint="f" * 64)]
    assert [known.updates for known in similar(engine, article(9, title="corrected"))] == [2]
    with read(engine) as conn:
        assert conn.execute(select(table.c.updated_at)).scalar_one() == LATER


def test_held_articles_are_shown_to_nobody_until_they_are_released(engine: Engine) -> None:
    add(engine, article(1, hold=Hold.REISSUE), article(2, hold=Hold.BACKLOG), article(3))
    add(engine, article(1, feed=OTHER, hold=Hold.REISSUE), feed=OTHER)
    assert [found.entry_id for found in stored(engine)] == ["id-3"]

    with write(engine) as conn:
        assert articles.release(conn, feed_id(conn, FEED)) == 1
        assert articles.release(conn, feed_id(conn, FEED)) == 0

    assert [(found.entry_id, found.feed) for found in stored(engine)] == [("id-3", FEED), ("id-1", FEED)]


def test_a_window_is_half_open_and_read_oldest_first(engine: Engine) -> None:
    moments = {
        1: DAY.end,
        2: DAY.end - timedelta(microseconds=1),
        3: DAY.start,
        4: DAY.start - timedelta(microseconds=1),
    }
    add(engine, *(article(number, published_at=moment) for number, moment in moments.items()))

    assert [found.entry_id for found in stored(engine)] == ["id-3", "id-2"]


def test_a_feed_no_longer_configured_gives_no_articles_but_its_articles_are_still_found(engine: Engine) -> None:
    add(engine, article(1))
    add(engine, article(2, feed=OTHER), feed=OTHER)
    ids = [found.id for found in stored(engine)]
    with write(engine) as conn:
        feeds.sync(conn, [OTHER], LATER)

    assert [found.entry_id for found in stored(engine)] == ["id-2"]
    with read(engine) as conn:
        assert [found.entry_id for found in articles.by_ids(conn, {*ids, 999})] == ["id-2", "id-1"]
        assert articles.by_ids(conn, []) == []
