"""What is cut out of a document before it is read changes nothing of what is read of the rest."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from xml.sax.saxutils import escape

import pytest
from feedparser import api, mixin
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading.parse import parse, prepare
from digest.feeds.reading.scan import ENDINGS, MARK_BYTES
from digest.model import Entry
from tests.feeds.servers import item, rss

URL = "https://wire.example/feeds/economy.xml"
MOST = 2_500


@contextmanager
def unscanned() -> Iterator[None]:
    """As if every document had to be read whole."""
    with patch("digest.feeds.reading.parse.scan", lambda *_: None):
        yield


def read(body: bytes, known: bytes = b"", content_type: str = "") -> Parsed:
    parsed = parse(body, URL, content_type, MOST, known)
    assert isinstance(parsed, Parsed), parsed
    return parsed


def marks(parsed: Parsed) -> list[bytes]:
    return [parsed.marks[at : at + MARK_BYTES] for at in range(0, len(parsed.marks), MARK_BYTES)]


def of_feed(parsed: Parsed) -> tuple[object, ...]:
    return parsed.title, parsed.language, parsed.home, parsed.wait


# ── documents of every kind ─────────────────────────────────────────────────────────────────────────────────────

WORDS = st.text(alphabet="abcäЖ中 &<>\"'\n\t.", max_size=20)
MARKUP = st.sampled_from(
    ["", "plain", "<p>One <b>two</b></p>", "<a href='/x'>link</a>", "a &amp; b", "&lt;b&gt;", "x]]&gt;y", "<br/>"]
)
FIELDS = (
    "title",
    "link",
    "guid",
    "description",
    "pubDate",
    "dc:creator",
    "category",
    "media:thumbnail",
    "slash:comments",
)
LANGUAGES = st.sampled_from(["", ' xml:lang="de"', ' xml:lang="en-GB"'])
BASES = st.sampled_from(["", ' xml:base="/other/"', ' xml:base="https://else.example/"'])
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "iso-8859-1", "windows-1251"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """An element's text, escaped, in a CDATA section, or markup in one."""
    if draw(st.booleans()):
        return escape(draw(WORDS))
    return f"<![CDATA[{draw(MARKUP)}{draw(WORDS).replace(']]>', '')}]]>"


@st.composite
def rss_items(draw: st.DrawFn) -> str:
    parts = []
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=7)):
        match name:
            case "link":
                parts.append(f"<link>/{draw(st.integers(0, 9))}</link>")
            case "guid":
                permanent = draw(st.sampled_from(["", ' isPermaLink="false"']))
                parts.append(f"<guid{permanent}>{draw(st.integers(0, 9))}</guid>")
            case "pubDate":
                parts.append(f"<pubDate>Tue, {draw(st.integers(1, 28)):02} Feb 2026 06:30:00 GMT</pubDate>")
            case "media:thumbnail":
                parts.append(f'<media:thumbnail url="/{draw(st.integers(0, 9))}.jpg" width="100"/>')
            case _:
                parts.append(f"<{name}>{draw(texts())}</{name}>")
        parts.append(draw(st.sampled_from(["", "\n  ", "<!-- a <b>comment</b> -->"])))
    return f"<item{draw(LANGUAGES)}{draw(BASES)}>{''.join(parts)}</item>"


@st.composite
def atom_entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["text", "html"]))
    body = draw(
        st.sampled_from(
            [
                "",
                '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long &amp; short</p></div></content>',
                '<content type="html">&lt;p&gt;Long&lt;/p&gt;</content>',
                "<author><name>Ann Lee</name><email>a@wire.example</email></author>",
                "<source><title>Other Paper</title><id>urn:other</id></source>",
            ]
        )
    )
    return (
        f"<entry{draw(LANGUAGES)}{draw(BASES)}><id>urn:{draw(st.integers(0, 9))}</id>"
        f'<title type="{kind}">{draw(texts())}</title><link href="{draw(st.integers(0, 9))}"/>'
        f'<link rel="enclosure" type="image/png" href="/p.png"/>'
        f"<updated>2026-02-{draw(st.integers(1, 28)):02}T06:30:00Z</updated>{body}"
        f'<summary type="{kind}">{draw(texts())}</summary></entry>'
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, int]:
    """A well-formed document in some encoding, and how many items it has."""
    form = draw(st.sampled_from(["rss", "rdf", "atom"]))
    items = draw(st.lists(atom_entries() if form == "atom" else rss_items(), max_size=6))
    twice: bool = draw(st.booleans())
    items += items[:1] if twice else []
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
    )
    channel = f"<title>{draw(texts())}</title><language>en</language><ttl>30</ttl>"
    whole = "\n".join(items)
    match form:
        case "rss":
            link = "<link>https://wire.example/</link>"
            text = f'<rss version="2.0" {spaces}{draw(BASES)}><channel>{channel}{link}{whole}</channel></rss>'
        case "rdf":
            text = (
                '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
                f'{spaces}><channel rdf:about="https://wire.example/">{channel}</channel>{whole}</rdf:RDF>'
            )
        case _:
            text = (
                f'<feed xmlns="http://www.w3.org/2005/Atom" {spaces}{draw(LANGUAGES)}{draw(BASES)}>'
                f"<title>Wire</title><link href='/'/>{whole}</feed>"
            )
    encoding = draw(ENCODINGS)
    declared = f'<?xml version="1.0" encoding="{encoding}"?>{text}'
    return declared.encode(encoding, "xmlcharrefreplace"), len(items)


@settings(max_examples=400, deadline=None)
@given(documents())
def test_a_scanned_document_gives_what_feedparser_makes_of_the_whole(document: tuple[bytes, int]) -> None:
    body, count = document
    with unscanned():
        whole = read(body)

    scanned = read(body)

    assert (scanned.entries, of_feed(scanned)) == (whole.entries, of_feed(whole))
    assert len(marks(scanned)) in {0, count}


@settings(max_examples=400, deadline=None)
@given(documents(), st.sets(st.integers(0, 6)))
def test_what_is_known_is_left_out_and_the_rest_is_read_as_before(document: tuple[bytes, int], old: set[int]) -> None:
    whole = read(document[0])
    of_each = marks(whole)
    known = {of_each[number] for number in old if number < len(of_each)}

    rest = read(document[0], b"".join(known))

    expected = whole.entries
    if of_each:
        expected = tuple(entry for entry, mark in zip(whole.entries, of_each, strict=True) if mark not in known)
    assert rest.entries == expected
    assert of_feed(rest) == of_feed(whole)
    assert (rest.marks, rest.known) == (whole.marks, len(whole.entries) - len(rest.entries))
    assert rest.shared_ids == whole.shared_ids


def _documents(shared: Path) -> list[Path]:
    """Real documents, each once: of the days of a week, which are much alike, the first."""
    paths = [path for path in (shared / "feeds").rglob("*") if path.suffix in {".xml", ".rss", ".rdf", ".atom"}]
    return sorted(path for path in paths if path.parent.name == "feeds" or path.name.startswith("2026-02-09"))


def test_real_documents_are_read_the_same_whole_scanned_and_in_parts(shared: Path) -> None:
    unsure = []
    for path in _documents(shared):
        body = path.read_bytes()
        with unscanned():
            whole = read(body)
        scanned = read(body)
        assert (scanned.entries, of_feed(scanned)) == (whole.entries, of_feed(whole)), path.name
        of_each = marks(scanned)
        if not of_each:
            unsure.append(path.name)
            continue
        for known in (of_each[3:], of_each[::2], of_each):
            rest = read(body, b"".join(known))
            assert rest.entries == _without(whole.entries, of_each, known), path.name
            assert of_feed(rest) == of_feed(whole), path.name
    assert len(unsure) <= 12, unsure


def _without(entries: Sequence[Entry], of_each: Sequence[bytes], known: Sequence[bytes]) -> tuple[Entry, ...]:
    return tuple(entry for entry, mark in zip(entries, of_each, strict=True) if mark not in set(known))


def test_every_ending_that_feedparser_minds_is_known() -> None:
    """A newer feedparser may mind more of them; markup of that name inside a text is then no longer safe to skip."""
    minded = {
        name.removeprefix("_end_").rpartition("_")[2].lower()
        for name in dir(api.StrictFeedParser)
        if name.startswith("_end_")
    }

    assert minded <= ENDINGS


@settings(max_examples=100, deadline=None)
@given(documents())
def test_feedparser_reads_the_same_when_it_is_prepared(document: tuple[bytes, int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api, "PREFERRED_XML_PARSERS", [])
        patched.setattr(mixin, "make_safe_absolute_uri", mixin.make_safe_absolute_uri)
        patched.setattr(mixin, "copy", copy)
        plain = read(document[0])
        prepare()

        assert read(document[0]) == plain


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mark_stays_wherever_its_item_stands() -> None:
    one, two, three = item("One", "/1"), item("Two", "/2"), item("Three", "/3")
    before, after = marks(read(rss(one, two))), marks(read(rss(three, "\n\n", two, one)))

    assert after[1:] == before[::-1]


@pytest.mark.parametrize(
    "other",
    [
        rss(item("Rates fall", "/a")),
        rss(item("Rates rise", "/b")),
        rss(item("Rates rise", "/a")).replace(b"<channel>", b'<channel xml:base="/elsewhere/">'),
        rss(item("Rates rise", "/a")).replace(b"<rss ", b'<rss xml:lang="fr" '),
        rss(item("Rates rise", "/a")).replace(b"<item>", b'<item xml:lang="fr">'),
    ],
)
def test_a_mark_changes_with_everything_an_entry_is_read_from(other: bytes) -> None:
    assert marks(read(rss(item("Rates rise", "/a")))) != marks(read(other))


def test_a_mark_does_not_change_with_what_no_entry_is_read_from() -> None:
    counted = [item(more=f"<comments>{count}</comments>") for count in (1, 2)]

    assert marks(read(rss(counted[0]))) == marks(read(rss(counted[1])))


def test_a_document_at_another_address_has_other_marks() -> None:
    elsewhere = parse(rss(item()), "https://mirror.example/feed", "", MOST)

    assert isinstance(elsewhere, Parsed)
    assert marks(elsewhere) != marks(read(rss(item())))


# ── where nothing is cut ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        rss(item("One"), item("Two"))[:-30],
        rss(item("AT&T")).replace(b"&amp;", b"&"),
        b"<!DOCTYPE rss [<!ENTITY co 'Company'>]>" + rss(item("Good &co;")).replace(b"&amp;", b"&"),
    ],
    ids=["truncated", "ampersand", "doctype"],
)
def test_a_document_that_may_hide_something_is_read_whole_and_again(body: bytes) -> None:
    first = parse(body, URL, "", MOST)
    assert isinstance(first, Parsed)
    assert len(first.entries) >= 1

    again = parse(body, URL, "", MOST, first.marks)

    assert isinstance(again, Parsed)
    assert len(again.entries) + again.known == len(first.entries)


@pytest.mark.rows(41)
def test_a_document_that_is_too_deep_is_refused() -> None:
    body = rss("<item><title>a</title>" + "<b>" * 5_000 + "</b>" * 5_000 + "</item>")

    assert isinstance(parse(body, URL, "", MOST), ParseFailed)


@pytest.mark.rows(42)
def test_an_item_with_monstrous_attributes_is_left_out_and_the_others_are_read() -> None:
    tangle = "<item " + " ".join(f'a{number}="1"' for number in range(50_000)) + "><title>Tangle</title></item>"

    assert [entry.title for entry in read(rss(tangle, item("Good"))).entries] == ["Good"]


@pytest.mark.rows(43)
def test_an_author_of_monstrous_length_is_none() -> None:
    long = f"<author>{'a.' * 20_000}</author>"

    assert [(entry.title, entry.author) for entry in read(rss(item("Good", more=long))).entries] == [("Good", "")]


# ── what the whole document shows ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(60)
@pytest.mark.parametrize(
    ("items", "shared_ids"),
    [
        ([item("a", "/1", "x"), item("b", "/2", "y")], False),
        ([item("a", "/1", "x"), item("b", "/2", "x")], True),
        ([item("a", "/1", "x"), item("a", "/1", "x")], False),
        ([item("a", "/1"), item("b", "/2")], False),
    ],
)
def test_identifiers_that_stand_for_several_pages_are_noticed_also_in_what_is_left_out(
    items: list[str], shared_ids: bool
) -> None:
    whole = read(rss(*items))
    with unscanned():
        assert read(rss(*items)).shared_ids is shared_ids

    assert whole.shared_ids is shared_ids
    assert read(rss(*items), whole.marks).shared_ids is shared_ids


@pytest.mark.rows(36)
@pytest.mark.parametrize(
    ("channel", "hours", "days"),
    [
        ("<skipHours><hour>0</hour><hour>23</hour></skipHours>", (0, 23), ()),
        ("<skipHours><hour>24</hour></skipHours>", (0,), ()),
        ("<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(24)) + "</skipHours>", (), ()),
        ("<skipHours><hour>noon</hour></skipHours>", (), ()),
        ("<skipDays><day>Saturday</day><day>Sunday</day></skipDays>", (), (5, 6)),
    ],
)
def test_hours_and_days_of_rest_are_read(channel: str, hours: tuple[int, ...], days: tuple[int, ...]) -> None:
    parsed = read(rss(item(), channel=f"<title>Wire</title>{channel}"))

    assert (parsed.silent_hours, parsed.silent_days) == (hours, days)
