"""Reading documents with feedparser: what is a feed becomes entries, everything else a reason."""

import codecs
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading.parse import parse
from digest.model import Entry, Image
from tests.feeds.servers import item, rss


def read(body: bytes, most_entries: int = 500, content_type: str = "application/xml") -> Parsed:
    outcome = parse(body, "https://wire.example/feeds/all.xml", content_type, most_entries)
    assert isinstance(outcome, Parsed), outcome
    return outcome


def entry(more: str = "", **fields: str) -> Entry:
    return read(rss(item(**fields, more=more))).entries[0]


def test_an_rss_item_is_read_whole() -> None:
    body = rss(
        """<item><title>Rates rise</title><link>/a</link><guid isPermaLink="false">7</guid>
        <description>Short.</description><content:encoded>Long.</content:encoded>
        <pubDate>Tue, 10 Feb 2026 07:30:00 +0100</pubDate><dc:creator>Ann Lee</dc:creator>
        <source url="https://other.example/feed">Other Paper</source><category>Banks</category><category>Rates</category>
        </item>""",
        channel="<title>Wire</title><language>en-GB</language><ttl>45</ttl>",
    ).replace(
        b"<rss ",
        b'<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" ',
    )

    assert read(body) == Parsed(
        entries=(
            Entry(
                entry_id="7",
                link="https://wire.example/a",
                title="Rates rise",
                summary="Short.",
                published=datetime(2026, 2, 10, 6, 30, tzinfo=UTC),
                author="Ann Lee",
                source="Other Paper",
                categories=("Banks", "Rates"),
            ),
        ),
        title="Wire",
        language="en-GB",
        wait=timedelta(minutes=45),
        marks=read(body).marks,
    )


def test_an_atom_entry_is_read_with_its_own_language_and_both_times() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Bote</title><entry xml:lang="fr">
        <id>urn:1</id><title type="html">La &lt;b&gt;BCE&lt;/b&gt;</title><link href="https://bote.example/1"/>
        <published>2026-02-09T23:00:00Z</published><updated>2026-02-10T05:00:00Z</updated>
        <source><title>Le Port</title></source><content>Texte</content></entry></feed>"""

    found = read(body).entries[0]

    assert (found.entry_id, found.title, found.summary) == ("urn:1", "La <b>BCE</b>", "Texte")
    assert (found.language, found.source) == ("fr", "Le Port")
    assert found.published == datetime(2026, 2, 9, 23, tzinfo=UTC)
    assert found.updated == datetime(2026, 2, 10, 5, tzinfo=UTC)


def test_a_source_called_unknown_is_none() -> None:
    assert entry("<source>Unknown</source>").source == ""


@pytest.mark.parametrize(
    "written",
    ["1700000000", "Thu, 01 Jan 1970 00:00:00 GMT", "0001-01-01", "0000-00-00", "99999-01-01", "yesterday", ""],
)
def test_a_nonsense_time_is_none(written: str) -> None:
    assert entry(f"<pubDate>{written}</pubDate>").published is None


def test_pictures_come_with_their_credits_sizes_and_larger_kinds_first() -> None:
    media = """<media:thumbnail url="https://img.example/t.jpg" width="70" height="70"/>
        <enclosure url="https://img.example/sound.mp3" type="audio/mpeg" length="-4"/>
        <media:content url="https://img.example/film.mp4" medium="video"/>
        <media:content url="https://img.example/a.jpg" medium="image" width="1100" height="oops"/>
        <media:content url="https://img.example/b" type="image/png"/>
        <media:credit>First</media:credit><media:credit>Second</media:credit>"""
    body = rss(item(more=media)).replace(b"<rss ", b'<rss xmlns:media="http://search.yahoo.com/mrss/" ')

    assert read(body).entries[0].images == (
        Image("https://img.example/a.jpg", "First", width=1100),
        Image("https://img.example/b", "Second"),
        Image("https://img.example/t.jpg", "First", width=70, height=70),
    )


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("iso-8859-1", "Für 5 £ mehr Größe"),
        ("gb2312", "中国经济增长"),
        ("windows-1251", "Ставка выросла"),
        ("utf-16", "Zinsen für alle"),
        ("utf-8-sig", "Zinsen für alle"),
        ("shift_jis", "日銀が利上げ"),
    ],
)
def test_a_document_is_read_in_the_encoding_it_declares(encoding: str, title: str) -> None:
    declared = encoding.removesuffix("-sig")
    body = f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel>{item(title)}</channel></rss>'

    assert read(body.encode(encoding)).entries[0].title == title


def test_latin_bytes_in_a_document_that_declares_utf_8_are_still_read() -> None:
    body = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>' + item("Größe") + "</channel></rss>"

    assert read(body.encode("latin-1")).entries[0].title == "Größe"


@pytest.mark.parametrize("name", ["zip", "rot13", "hex", "no-such-encoding", "x" * 100_000])
def test_an_encoding_that_is_none_runs_no_codec(name: str) -> None:
    body = f'<?xml version="1.0" encoding="{name}"?><rss version="2.0"><channel>{item()}</channel></rss>'.encode()

    outcome = parse(body, "https://wire.example/", "application/xml", 500)

    assert isinstance(outcome, ParseFailed) or [found.title for found in outcome.entries] == ["Rates rise"]


@pytest.mark.parametrize("content_type", ["text/html", "image/png", "", "nonsense", "text/xml; charset=zip"])
def test_a_feed_is_read_whatever_type_the_server_gives_it(content_type: str) -> None:
    assert read(rss(item()), content_type=content_type).entries[0].title == "Rates rise"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!doctype html><html><body>Moved</body></html>", "not a feed: it is an HTML page"),
        (b"\xef\xbb\xbf\n <html>", "not a feed: it is an HTML page"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "not a feed: it is a JSON Feed, which is not supported"),
        (b"[1]", "not a feed: it is JSON"),
        (b"<urlset><url/></urlset>", "not a feed: it is a sitemap"),
        (b"<opml version='2.0'/>", "not a feed: it is an OPML list of feeds"),
        (b"<note>hello</note>", "not a feed: it is an XML document of <note>"),
        (b"hello", "not a feed: it is not XML"),
        (b"\x00\x01\x02", "not a feed: it is not XML"),
        (b"<rss version='2.0'><channel><title>a</title", "broken XML, and no entry in what could be read"),
    ],
)
def test_what_is_no_feed_is_refused_by_name(body: bytes, reason: str) -> None:
    assert parse(body, "https://wire.example/", "text/xml", 500) == ParseFailed(reason)


@pytest.mark.parametrize("reference", ["&#xD800;", "&#x110000;", "&#99999999999;"])
def test_a_character_reference_that_upsets_the_parser_is_a_reason(reference: str) -> None:
    outcome = parse(rss(f"<item><title>{reference}</title></item>"), "https://wire.example/", "", 500)

    assert isinstance(outcome, ParseFailed | Parsed)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert read(rss()).entries == ()


def test_a_truncated_document_gives_its_whole_items() -> None:
    body = rss(item("One"), item("Two"), item("Three"))

    assert [found.title for found in read(body[:-60]).entries][:2] == ["One", "Two"]


def test_only_the_newest_entries_are_kept_in_document_order() -> None:
    days = [3, 9, 1, 7, 5]
    items = [item(f"Day {day}", more=f"<pubDate>0{day} Feb 2026 06:00:00 GMT</pubDate>") for day in days]

    assert [found.title for found in read(rss(*items), most_entries=3).entries] == ["Day 9", "Day 7", "Day 5"]


def test_external_and_exploding_entities_bring_nothing_in(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    doctype = f"""<!DOCTYPE rss [<!ENTITY f SYSTEM "file://{secret}"><!ENTITY a "lol"><!ENTITY b "{"&a;" * 100}">
        <!ENTITY c "{"&b;" * 100}"><!ENTITY d "{"&c;" * 100}">]>"""
    body = f"<?xml version='1.0'?>{doctype}<rss version='2.0'><channel><item><title>T &f; &d;</title></item></channel></rss>"

    outcome = parse(body.encode(), "https://wire.example/", "", 500)

    shown = repr(outcome)
    assert "the secret" not in shown
    assert len(shown) < 10_000


@pytest.mark.rows(49)
def test_a_stray_ampersand_stands_for_itself_and_the_document_is_scanned_all_the_same() -> None:
    body = rss(item("AT-T & Söhne"), item("Q-A", "/2"), channel="<title>B&amp;B</title>").replace(b"&amp; ", b"& ")
    body = body.replace(b"AT-T", b"AT&T").replace(b"Q-A", b"Q&A;")

    parsed = read(body)

    assert parsed.entries[0].title == "AT&T & Söhne"
    assert parsed.title == "B&B"


@pytest.mark.rows(49)
def test_a_stray_ampersand_does_not_cost_the_marks() -> None:
    body = rss(item("AT-T"), item("Two", "/2")).replace(b"AT-T", b"AT&T")
    first = read(body)

    assert [entry.title for entry in first.entries] == ["AT&T", "Two"]
    again = parse(body, "https://wire.example/feed", "", 500, first.marks)
    assert isinstance(again, Parsed)
    assert again.known + len(again.entries) == 2


@pytest.mark.rows(52)
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="iso-8859-1"?>'])
@pytest.mark.parametrize("content_type", ["", "text/xml", "application/xml; charset=utf-8"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF8, "utf-8"),
    ],
)
def test_a_byte_order_mark_is_believed_before_any_label(
    declared: str, content_type: str, mark: bytes, encoding: str
) -> None:
    document = rss(item("Größe")).decode().removeprefix('<?xml version="1.0"?>')

    assert read(mark + (declared + document).encode(encoding), content_type=content_type).entries[0].title == "Größe"
