"""Entries into articles: what a reader would see, when it was published, whose it is, and whether it is known."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.clean import Cleaned, Dropped, clean, clean_all
from digest.feeds.outcomes import Parsed
from digest.model import Article, Entry, Feed, Image

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
FEED = Feed("https://wire.example/feeds/all.xml", "Harbour Wire")
ENTRY = Entry("7", "https://wire.example/a", "Rates rise", "The bank raised rates.")


def cleaned(entry: Entry = ENTRY, feed: Feed = FEED, language: str = "", publisher: str = "Harbour Wire") -> Article:
    outcome = clean(entry, feed, NOW, language, publisher)
    assert isinstance(outcome, Article), outcome
    return outcome


def document(*entries: Entry, feed: Feed = FEED) -> Cleaned:
    return clean_all(Parsed(entries), feed, NOW)


def several(*links: str) -> list[Entry]:
    return [Entry(str(number), link, f"Headline number {number}", "") for number, link in enumerate(links)]


# ── one entry ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_becomes_an_article_in_plain_words() -> None:
    entry = Entry(
        entry_id=" 7 ",
        link="/a?utm_source=rss",
        title="<b>Rates</b> rise &amp; fall - Harbour Wire",
        summary="<p>The bank <i>raised</i> rates.</p> <a href='/a'>Continue reading</a>",
        published=NOW - timedelta(hours=2),
        author="news@wire.example (Ann Lee)",
        categories=("Banks", "Banks", " ", "<b>Rates</b>"),
        images=(Image("javascript:x"), Image("/i.jpg?ref=1", "Photo: <b>Lee</b>", "A\0", 10, 20)),
    )

    article = cleaned(entry, language="en-GB")

    assert article == Article(
        entry_id="7",
        url="https://wire.example/a",
        title="Rates rise & fall",
        summary="The bank raised rates.",
        publisher="Harbour Wire",
        published_at=NOW - timedelta(hours=2),
        first_seen_at=NOW,
        feed=FEED,
        fingerprint=article.fingerprint,
        language="en",
        author="Ann Lee",
        categories=("Banks", "Rates"),
        image=Image("https://wire.example/i.jpg?ref=1", "Photo: Lee", "A", 10, 20),
    )


@pytest.mark.parametrize(
    ("published", "updated", "expected"),
    [
        (NOW - timedelta(days=5), None, NOW - timedelta(days=5)),
        (NOW - timedelta(days=400), None, NOW - timedelta(days=400)),
        (None, NOW - timedelta(hours=3), NOW - timedelta(hours=3)),
        (NOW + timedelta(hours=5), None, NOW),
        (datetime(2099, 1, 1, tzinfo=UTC), None, NOW),
        (None, None, NOW),
    ],
)
def test_no_article_is_published_after_it_was_first_seen_and_an_old_one_stays_old(
    published: datetime | None, updated: datetime | None, expected: datetime
) -> None:
    assert cleaned(replace(ENTRY, published=published, updated=updated)).published_at == expected


@pytest.mark.parametrize(
    ("newest", "believed"), [(timedelta(days=29), True), (timedelta(days=31), False), (timedelta(days=4000), False)]
)
def test_a_document_of_old_dates_only_has_no_dates_and_one_with_a_fresh_date_has_an_archive(
    newest: timedelta, believed: bool
) -> None:
    older = replace(ENTRY, entry_id="2", link="https://wire.example/2", published=NOW - newest - timedelta(days=60))
    fresh = replace(ENTRY, published=NOW - newest)

    found = clean_all(Parsed(entries=(fresh, older), title="Wire", language="en"), FEED, NOW).articles

    expected = [fresh.published, older.published] if believed else [NOW, NOW]
    assert [article.published_at for article in found] == expected


@pytest.mark.parametrize(
    ("entry", "document_says", "editor_says", "expected"),
    [
        ("de-AT", "en", "fr", "de"),
        ("", "en_US", "fr", "en"),
        ("", "mul", "fr", "fr"),
        ("", "English (US)", "PT-br", "pt"),
        ("", "", None, "en"),
    ],
)
def test_the_nearest_word_about_the_language_counts(
    entry: str, document_says: str, editor_says: str | None, expected: str
) -> None:
    article = cleaned(replace(ENTRY, language=entry), replace(FEED, language=editor_says), document_says)

    assert article.language == expected


@pytest.mark.parametrize(
    ("change", "title", "summary"),
    [
        ({"summary": "RATES rise!"}, "Rates rise", ""),
        ({"summary": "Rates rise  Harbour Wire"}, "Rates rise", ""),
        ({"title": "", "summary": "The bank raised rates."}, "The bank raised rates.", ""),
        ({"title": "\u200b", "summary": "word " * 40}, "word " * 15 + "word…", "word " * 39 + "word"),
        ({"title": "Rates rise | harbour wire"}, "Rates rise", "The bank raised rates."),
        ({"title": "Harbour Wire"}, "Harbour Wire", "The bank raised rates."),
        ({"summary": "\ufffd\ufffd\ufffd rates"}, "Rates rise", ""),
    ],
)
def test_a_summary_says_more_than_the_title_or_nothing(change: dict[str, str], title: str, summary: str) -> None:
    article = cleaned(replace(ENTRY, **change))  # type: ignore[arg-type]

    assert (article.title, article.summary) == (title, summary)


def test_long_texts_are_cut() -> None:
    article = cleaned(replace(ENTRY, title="word " * 100, summary="other " * 1000))

    assert len(article.title) <= 200
    assert len(article.summary) <= 600
    assert article.title.endswith("word…")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"link": ""}, "no link"),
        ({"link": "javascript:alert(1)"}, "the link is not http or https"),
        ({"link": "https://10.0.0.1/"}, "the link's host is not a public one"),
        ({"title": " ", "summary": "<img src=x>"}, "neither title nor summary"),
        ({"title": "\ufffd\ufffd\ufffd"}, "the title's characters are unreadable"),
    ],
)
def test_an_entry_that_nobody_could_read_is_dropped_with_a_reason(change: dict[str, str], reason: str) -> None:
    assert clean(replace(ENTRY, **change), FEED, NOW, "", "x") == Dropped(reason)  # type: ignore[arg-type]


def test_the_fingerprint_follows_the_words_and_nothing_else() -> None:
    same = replace(ENTRY, entry_id="8", title="RATES  rise!", published=NOW, link="https://wire.example/b")

    assert cleaned(same).fingerprint == cleaned().fingerprint
    assert cleaned(replace(ENTRY, summary="The bank cut rates.")).fingerprint != cleaned().fingerprint


@pytest.mark.parametrize(("given_id", "length"), [("", None), ("x" * 100_000, 64), ("a\0b", 64), ("\ud800", 64)])
def test_an_entry_without_a_usable_identifier_gets_one(given_id: str, length: int | None) -> None:
    article = cleaned(replace(ENTRY, entry_id=given_id))

    assert len(article.entry_id) == (length or len(ENTRY.link))
    article.entry_id.encode()


@settings(max_examples=50)
@given(
    st.builds(
        Entry,
        entry_id=st.text(),
        link=st.text() | st.just("https://wire.example/a"),
        title=st.text() | st.just("Rates rise"),
        summary=st.text(),
        published=st.none() | st.datetimes(timezones=st.just(UTC)),
        author=st.text(),
        source=st.text(),
        language=st.text(),
        categories=st.lists(st.text()).map(tuple),
        images=st.lists(st.builds(Image, url=st.text(), credit=st.text())).map(tuple),
    )
)
def test_every_article_keeps_its_promises_whatever_the_entry_holds(entry: Entry) -> None:
    for article in document(entry).articles:
        assert article.url.startswith(("http://", "https://"))
        assert 1 <= len(article.title) <= 200
        assert len(article.summary) <= 600
        assert article.publisher
        assert article.published_at <= article.first_seen_at
        words = (article.entry_id, article.title, article.summary, article.publisher, article.author)
        assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in "".join(words))


# ── a whole document ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_publisher_is_the_one_an_entry_names_or_else_the_feeds() -> None:
    named = replace(ENTRY, entry_id="8", link="https://wire.example/b", title="Oil falls", source="Other <b>Paper</b>")

    assert [article.publisher for article in document(ENTRY, named).articles] == ["Harbour Wire", "Other Paper"]


def test_in_a_document_that_gathers_many_sites_the_links_host_is_the_publisher() -> None:
    entries = several(
        *("https://www.tass.example/1", "https://m.dawn.example/2", "https://archive.is/x/https://www.ft.example/3"),
        "javascript:x",
    )

    result = document(*entries)

    assert [article.publisher for article in result.articles] == ["tass.example", "m.dawn.example", "ft.example"]
    assert result.dropped == {"the link is not http or https": 1}


def test_a_publisher_that_links_to_others_now_and_then_is_still_one_publisher() -> None:
    links = [f"https://wire.example/{number}" for number in range(7)]

    articles = document(*several(*links, "https://video.example/a", "https://shop.example/b")).articles

    assert {article.publisher for article in articles} == {"Harbour Wire"}


def test_an_identifier_that_many_entries_share_is_made_distinct_by_the_page() -> None:
    shared = [replace(entry, entry_id="same") for entry in several("/a", "/b", "/c")]

    first = [article.entry_id for article in document(*shared).articles]
    later = [article.entry_id for article in document(*reversed(shared[:2])).articles]

    assert len(set(first)) == 3
    assert later == [first[1], first[0]]


def test_an_entry_that_stands_twice_becomes_one_article() -> None:
    again = replace(ENTRY, entry_id="8", link="https://wire.example/a?utm_medium=rss")

    result = document(ENTRY, ENTRY, again)

    assert [article.entry_id for article in result.articles] == ["7"]
    assert result.dropped == {"it stands twice in the document": 2}


def test_different_headlines_behind_one_link_are_different_articles() -> None:
    other = replace(ENTRY, entry_id="8", title="Oil falls", summary="")

    assert len(document(ENTRY, other).articles) == 2
