"""Which articles are the same although their feeds say otherwise, and what is too much to be true."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.identity import Recognised, is_reissue, recognised
from digest.model import Article, Feed, KnownArticle

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://wire.example/feed", "Harbour Wire")


def article(number: int = 1, **changes: object) -> Article:
    plain = Article(
        entry_id=f"id-{number}",
        url=f"https://wire.example/{number}",
        title=f"Central bank raises rates again {number}",
        summary="",
        publisher=FEED.publisher,
        published_at=NOW - HOUR,
        first_seen_at=NOW,
        feed=FEED,
        fingerprint=f"{number:064}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def known(number: int = 1, age: timedelta = HOUR / 2, **changes: object) -> KnownArticle:
    of = article(number)
    plain = KnownArticle(
        number, of.entry_id, of.url, of.title, of.fingerprint, of.published_at, first_seen_at=NOW - age
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def new(found: Article, *stored: KnownArticle) -> bool:
    return recognised([found], stored, NOW).new == (found,)


def test_a_document_is_sorted_into_new_changed_and_known() -> None:
    found = [article(1), article(2, fingerprint="changed"), article(3)]

    assert recognised(found, [known(1), known(2)], NOW) == Recognised(
        new=(found[2],), changed=((2, found[1]),), known=2, repeated=0
    )


@pytest.mark.rows(61, 62)
@pytest.mark.parametrize(
    "url",
    ["https://wire.example/1", "http://wire.example/1", "https://www.wire.example/1", "http://www.wire.example/1"],
)
def test_a_new_identifier_of_a_known_page_is_the_same_article(url: str) -> None:
    assert not new(article(1, entry_id="churned", url=url, title="Another headline altogether now"), known(1))


@pytest.mark.rows(61)
def test_a_known_headline_at_the_same_time_is_the_same_article_under_a_new_identifier_and_a_new_link() -> None:
    churned = article(1, entry_id="churned", url="https://wire.example/churned")
    long_ago = NOW - 40 * DAY

    assert not new(replace(churned, published_at=long_ago), known(1, age=39 * DAY, published_at=long_ago))
    assert not new(replace(churned, title=churned.title.upper() + "!"), known(1))
    assert new(replace(churned, published_at=NOW - 24 * HOUR), known(1))
    assert new(replace(churned, title="Market report"), known(1, title="Market report"))


@pytest.mark.rows(61)
def test_without_dates_a_headline_is_the_same_article_for_three_days() -> None:
    undated = article(1, entry_id="churned", url="https://wire.example/churned", published_at=NOW)

    assert not new(undated, known(1, age=3 * DAY))
    assert new(undated, known(1, age=4 * DAY))
    seen_then = NOW - DAY
    assert not new(replace(undated, published_at=NOW - HOUR), known(1, age=DAY, published_at=seen_then))


@pytest.mark.rows(63)
def test_a_known_identifier_with_another_link_is_the_same_article_with_new_words() -> None:
    moved = article(1, url="https://wire.example/moved", fingerprint="changed")

    assert recognised([moved], [known(1)], NOW).changed == ((1, moved),)


@pytest.mark.rows(60)
def test_another_article_under_a_used_identifier_is_new_and_then_known_by_its_page() -> None:
    other = article(1, url="https://wire.example/2", title="Something else has happened", published_at=NOW)
    (kept,) = recognised([other], [known(1)], NOW).new

    assert kept.entry_id != "id-1"
    then = known(2, entry_id=kept.entry_id, url=other.url, title=other.title, published_at=NOW, first_seen_at=NOW)
    assert recognised([other], [known(1), then], NOW).known == 1


@pytest.mark.rows(60, 63)
def test_an_article_rewritten_under_its_identifier_and_date_stays_the_same() -> None:
    rewritten = article(1, url="https://wire.example/new-slug", title="A better headline", fingerprint="new")

    assert recognised([rewritten], [known(1)], NOW).changed == ((1, rewritten),)


@pytest.mark.rows(64)
def test_words_that_change_at_every_poll_are_followed_a_limited_number_of_times() -> None:
    changed = article(1, fingerprint="changed")

    assert recognised([changed], [known(1, updates=23)], NOW).changed == ((1, changed),)
    assert recognised([changed], [known(1, updates=24)], NOW) == Recognised((), (), known=1)


def test_a_link_that_articles_share_says_nothing_about_them() -> None:
    page = "https://bank.example/rates"
    found = [article(2, url=page, title="Two new words here"), article(3, url=page, title="Three new words here")]

    assert recognised(found, [known(2, url=page), known(1, url=page)], NOW).new == (found[1],)


def test_an_article_that_changes_twice_in_one_document_changes_once() -> None:
    twice = [article(1, fingerprint="a"), article(9, url=article(1).url + "#x", entry_id="id-1", fingerprint="b")]

    assert len(recognised(twice, [known(1)], NOW).changed) == 1


@pytest.mark.rows(65)
@pytest.mark.parametrize(
    ("count", "repeated", "usual", "expected"),
    [
        (20, 0, 1.0, False),
        (21, 0, 4.0, True),
        (21, 0, 4.5, False),
        (500, 0, None, False),
        (10, 5, None, False),
        (10, 6, None, True),
        (9, 9, 100.0, False),
    ],
)
def test_a_flood_and_an_archive_published_again_are_told_from_a_busy_day(
    count: int, repeated: int, usual: float | None, expected: bool
) -> None:
    found = Recognised(tuple(map(article, range(count))), (), 0, repeated)

    assert is_reissue(found, usual) is expected


@pytest.mark.rows(65)
def test_headlines_that_the_feed_has_had_are_counted() -> None:
    old = known(1, age=90 * DAY, published_at=NOW - 90 * DAY)
    again = article(1, entry_id="new", url="https://wire.example/new")

    assert recognised([again, article(2)], [old], NOW).repeated == 1
