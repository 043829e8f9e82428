"""Articles in the store: each once, known by its id or its page, first seen once, in new words when they change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from digest.model import Article, Feed, Image, Window
from digest.store import articles, feeds
from digest.store.articles import Kept
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


def keep(engine: Engine, *found: Article, feed: Feed = FEED, now: datetime = NOW) -> Kept:
    with write(engine) as conn:
        feeds.sync(conn, [FEED, OTHER], NOW)
        return articles.keep(conn, feed_id(conn, feed), found, now)


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

    assert keep(engine, whole) == Kept(1, 0)
    assert [replace(found, id=0) for found in stored(engine)] == [whole]
    assert stored(engine)[0].id > 0


def test_a_repeated_document_adds_nothing(engine: Engine) -> None:
    document = [article(1), article(2)]

    assert keep(engine, *document) == Kept(2, 0)
    assert keep(engine, *document, now=LATER) == Kept(0, 0)


@pytest.mark.parametrize(
    "url",
    ["https://wire.example/1", "http://wire.example/1", "https://www.wire.example/1", "http://www.wire.example/1"],
)
def test_an_entry_with_a_new_id_and_a_known_page_is_known(engine: Engine, url: str) -> None:
    keep(engine, article(1))

    assert keep(engine, article(1, entry_id="changed", url=url), now=LATER) == Kept(0, 0)


def test_a_link_that_articles_share_says_nothing_about_them(engine: Engine) -> None:
    page = "https://bank.example/rates"

    assert keep(engine, article(1, url=page), article(2, url=page)) == Kept(2, 0)
    assert keep(engine, article(2, url=page), article(3, url=page)) == Kept(1, 0)


def test_changed_words_are_taken_over_but_the_article_stays_the_same(engine: Engine) -> None:
    keep(engine, article(1))
    before = stored(engine)[0]
    corrected = article(1, title="Corrected", fingerprint="f" * 64, published_at=LATER, first_seen_at=LATER)

    assert keep(engine, corrected, now=LATER) == Kept(0, 1)
    assert stored(engine) == [replace(before, title="Corrected", fingerprint="f" * 64)]
    with read(engine) as conn:
        assert conn.execute(select(table.c.updated_at)).scalar_one() == LATER


def test_what_one_feed_says_is_not_taken_for_anothers(engine: Engine) -> None:
    keep(engine, article(1))

    assert keep(engine, article(1, feed=OTHER, title="Stolen", fingerprint="f" * 64), feed=OTHER) == Kept(1, 0)
    assert {found.title for found in stored(engine)} == {"Headline 1", "Stolen"}


def test_a_large_document_is_kept_whole(engine: Engine) -> None:
    many = [article(number, published_at=NOW - timedelta(seconds=number)) for number in range(1, 1301)]

    assert keep(engine, *many) == Kept(1300, 0)
    assert keep(engine, *many[::2], now=LATER) == Kept(0, 0)
    assert keep(engine) == Kept(0, 0)


def test_a_window_is_half_open_and_read_oldest_first(engine: Engine) -> None:
    moments = {
        1: DAY.end,
        2: DAY.end - timedelta(microseconds=1),
        3: DAY.start,
        4: DAY.start - timedelta(microseconds=1),
    }
    keep(engine, *(article(number, published_at=moment) for number, moment in moments.items()))

    assert [found.entry_id for found in stored(engine)] == ["id-3", "id-2"]


def test_a_feed_no_longer_configured_gives_no_articles_but_its_articles_are_still_found(engine: Engine) -> None:
    keep(engine, article(1))
    keep(engine, article(2, feed=OTHER), feed=OTHER)
    ids = [found.id for found in stored(engine)]
    with write(engine) as conn:
        feeds.sync(conn, [OTHER], LATER)

    assert [found.entry_id for found in stored(engine)] == ["id-2"]
    with read(engine) as conn:
        assert [found.entry_id for found in articles.by_ids(conn, {*ids, 999})] == ["id-2", "id-1"]
        assert articles.by_ids(conn, []) == []
