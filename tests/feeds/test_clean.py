"""Entries into articles: what a reader would see, when it was published, whose it is, and whether it is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.cleaning.clean import Cleaned, Dropped, clean, clean_all
from digest.feeds.habits import learned
from digest.feeds.outcomes import Parsed
from digest.model import Article, Entry, Feed, Habits, Image
from tests.feeds.hostile_text import BAD_LINKS
from tests.feeds.invariants import clusters

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
FEED = Feed("https://wire.example/feeds/all.xml", "Harbour Wire")
HOME = "https://wire.example/"
ENTRY = Entry("7", "https://wire.example/a", "Rates rise", "The bank raised rates.")


def cleaned(entry: Entry = ENTRY, feed: Feed = FEED, language: str = "", publisher: str = "Harbour Wire") -> Article:
    outcome = clean(entry, feed, NOW, language, HOME, publisher)
    assert isinstance(outcome, Article), outcome
    return outcome


def document(*entries: Entry, feed: Feed = FEED, shared_ids: bool = False) -> Cleaned:
    parsed = Parsed(entries, language="en", home=HOME, shared_ids=shared_ids)
    return clean_all(parsed, feed, learned(Habits(), parsed, feed, NOW), NOW)


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

    found = document(fresh, older).articles

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


@pytest.mark.rows(78, 97)
def test_long_texts_are_cut_after_a_word() -> None:
    article = cleaned(replace(ENTRY, title="word " * 200_000, summary="other " * 1_000_000))

    assert len(article.title) <= 200
    assert len(article.summary) <= 600
    assert article.title.endswith("word…")
    assert article.summary.endswith("other…")
    assert clusters(cleaned(replace(ENTRY, title="🇩🇪" * 300)).title) == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"link": "javascript:alert(1)"}, "the link is not http or https"),
        ({"link": "https://10.0.0.1/"}, "the link's host is not a public one"),
        ({"title": " ", "summary": "<img src=x>"}, "neither title nor summary"),
        ({"title": "\ufffd\ufffd\ufffd"}, "the title's characters are unreadable"),
    ],
)
def test_an_entry_that_nobody_could_read_is_dropped_with_a_reason(change: dict[str, str], reason: str) -> None:
    assert clean(replace(ENTRY, **change), FEED, NOW, "", HOME, "x") == Dropped(reason)  # type: ignore[arg-type]


def test_the_fingerprint_follows_the_words_and_nothing_else() -> None:
    same = replace(ENTRY, entry_id="8", title="RATES  rise!", published=NOW, link="https://wire.example/b")

    assert cleaned(same).fingerprint == cleaned().fingerprint
    assert cleaned(replace(ENTRY, summary="The bank cut rates.")).fingerprint != cleaned().fingerprint


@pytest.mark.parametrize(("given_id", "length"), [("", None), ("x" * 100_000, 64), ("a\0b", 64), ("\ud800", 64)])
def test_an_entry_without_a_usable_identifier_gets_one(given_id: str, length: int | None) -> None:
    article = cleaned(replace(ENTRY, entry_id=given_id))

    assert len(article.entry_id) == (length or len(ENTRY.link))
    article.entry_id.encode()


# ── an entry without a link ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(59)
def test_an_entry_without_a_link_leads_to_its_identifier_if_that_is_an_address() -> None:
    article = cleaned(replace(ENTRY, link=" ", entry_id="https://wire.example/b?utm_source=rss"))

    assert (article.url, article.entry_id) == ("https://wire.example/b", "https://wire.example/b?utm_source=rss")


@pytest.mark.rows(59)
def test_an_entry_without_any_address_leads_to_the_feeds_page_and_is_told_apart_there() -> None:
    first, second = document(replace(ENTRY, link="", entry_id=""), Entry("", "", "Oil falls", "")).articles

    assert all(url.startswith(f"{HOME}#") for url in (first.url, second.url))
    assert first.url != second.url
    assert first.entry_id != second.entry_id
    assert cleaned(replace(ENTRY, link="", entry_id="", title=" Rates\u200b  <b>rise</b>")) == first


@pytest.mark.rows(59)
def test_the_place_of_an_entry_without_a_link_stays_as_long_as_its_identifier_does() -> None:
    entry = replace(ENTRY, link="")

    assert cleaned(entry).entry_id == "7"
    assert cleaned(replace(entry, title="Rates rise again")).url == cleaned(entry).url
    assert cleaned(replace(entry, entry_id="8")).url != cleaned(entry).url


@pytest.mark.rows(59)
@pytest.mark.parametrize(
    "home", ["", "javascript:alert(1)", "https://127.0.0.1/", "x" * 3000, "https://wire.example/" + "x" * 2020]
)
def test_a_feed_that_names_no_page_worth_going_to_is_at_home_where_it_was_found(home: str) -> None:
    article = clean(replace(ENTRY, link=""), FEED, NOW, "", home, "Harbour Wire")

    assert isinstance(article, Article)
    assert article.url.startswith("https://wire.example/#")


@pytest.mark.rows(82)
@pytest.mark.parametrize("link", BAD_LINKS)
def test_an_entry_with_a_bad_link_leads_to_an_identifier_that_is_a_good_one_or_nowhere(link: str) -> None:
    bad = replace(ENTRY, link=link)

    assert cleaned(replace(bad, entry_id="https://wire.example/b")).url == "https://wire.example/b"
    for nowhere in ("7", link, "https://10.0.0.1/"):
        assert isinstance(clean(replace(bad, entry_id=nowhere), FEED, NOW, "", HOME, "x"), Dropped)


@pytest.mark.rows(59, 77)
@pytest.mark.parametrize(
    "nothing", ["", " \n", "\u200b\u2060\ufeff", "\u2800\u3164", "<img src=x>", "<!-- x -->", "&nbsp;", "\u202e"]
)
def test_an_entry_that_says_nothing_is_dropped_and_one_without_a_title_begins_like_its_summary(nothing: str) -> None:
    silent = replace(ENTRY, title=nothing, summary=nothing)

    assert clean(silent, FEED, NOW, "", HOME, "x") == Dropped("neither title nor summary")
    assert clean(replace(silent, link=""), FEED, NOW, "", HOME, "x") == Dropped("neither title nor summary")
    assert clean(replace(silent, summary="Read more"), FEED, NOW, "", HOME, "x") == Dropped("neither title nor summary")
    assert cleaned(replace(silent, summary="word " * 40)).title == "word " * 15 + "word…"


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


def test_a_gathering_feeds_links_to_an_aggregator_leave_the_name_behind_the_title() -> None:
    links = ("https://news.google.com/rss/articles/1", "https://www.tass.example/2", "https://www.dawn.example/3")
    entries = [
        replace(entry, title=title)
        for entry, title in zip(
            several(*links, links[0] + "2"),
            ("Oil rises - a bit - The Courier", "Gas falls - a bit", "Coal", "No name behind this"),
            strict=True,
        )
    ]

    found = [(article.title, article.publisher) for article in document(*entries).articles]

    assert found == [
        ("Oil rises - a bit", "The Courier"),
        ("Gas falls - a bit", "tass.example"),
        ("Coal", "dawn.example"),
        ("No name behind this", "news.google.com"),
    ]


def test_a_publisher_that_links_to_others_now_and_then_is_still_one_publisher() -> None:
    links = [f"https://wire.example/{number}" for number in range(7)]

    articles = document(*several(*links, "https://video.example/a", "https://shop.example/b")).articles

    assert {article.publisher for article in articles} == {"Harbour Wire"}


def test_an_identifier_that_many_entries_share_is_made_distinct_by_the_page() -> None:
    shared = [replace(entry, entry_id="same") for entry in several("/a", "/b", "/c")]

    first = [article.entry_id for article in document(*shared, shared_ids=True).articles]
    later = [article.entry_id for article in document(*reversed(shared[:2]), shared_ids=True).articles]

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
