"""OPML from anywhere comes in safely, as far as it goes; what we write is read back as it was."""

import re
from datetime import timedelta
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.lists import opml
from digest.feeds.lists.records import Record, Refusal, feed_of
from digest.model import Feed, Topic
from tests.conftest import NOW

TOPICS = (Topic("inflation", "Inflation"), Topic("central-banks", "Central Banks"))


def document(*lines: str) -> bytes:
    return "\n".join(['<?xml version="1.0"?>', '<opml version="1.0"><body>', *lines, "</body></opml>"]).encode()


def outline(url: str, text: str = "Wire") -> str:
    return f'<outline type="rss" text={quoteattr(text)} xmlUrl={quoteattr(url)}/>'


def good(body: bytes) -> list[Record]:
    return [one for one in opml.read(body) if isinstance(one, Record)]


def bad(body: bytes) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in opml.read(body) if isinstance(one, Refusal)]


def test_feeds_are_found_in_nested_folders_with_the_names_of_these() -> None:
    body = document(
        '<outline text="News">',
        '<outline text="Inflation">',
        outline("https://a.example/feed", "A"),
        "</outline></outline>",
        '<outline title="B" xmlUrl="https://b.example/feed" category="/Economy/Inflation,markets"/>',
    )

    first, second = good(body)

    assert (first.line, first.url, first.publisher) == (5, "https://a.example/feed", "A")
    assert first.folders[:2] == ("News", "Inflation")
    assert {"Economy", "Inflation", "markets"} <= set(second.folders)
    assert bad(body) == []


def test_folders_with_the_slug_or_title_of_a_topic_become_topics() -> None:
    body = document('<outline text="CENTRAL BANKS">', outline("https://a.example/"), "</outline>")

    feed = feed_of(good(body)[0], TOPICS)

    assert isinstance(feed, Feed)
    assert feed.topics == ("central-banks",)


def test_attributes_are_read_in_any_case_and_empty_folders_are_nothing_bad() -> None:
    body = document('<OUTLINE TEXT="A" XMLURL="https://a.example/feed"/>', '<outline text="Empty folder"/>')

    assert [record.publisher for record in good(body)] == ["A"]
    assert bad(body) == []


def test_a_bare_ampersand_and_an_html_entity_mean_what_they_say() -> None:
    body = document('<outline text="Caf&eacute; &amp; R&D" xmlUrl="https://a.example/feed?x=1&y=2&amp;z=3"/>')

    (record,) = good(body)

    assert record.url == "https://a.example/feed?x=1&y=2&z=3"
    assert record.publisher == "Café & R&D"
    assert bad(body) == []


def test_a_damaged_line_is_named_and_the_others_come_in() -> None:
    body = document(
        outline("https://a.example/"),
        '<outline text="2 < 3" xmlUrl="https://b.example/"/>',
        outline("https://c.example/"),
        '<outline text="x" text="y"\n xmlUrl="https://d.example/"/>',
        outline("https://e.example/"),
        "<outline text='no quotes' xmlUrl=https://f.example/ />",
    )

    assert [record.url for record in good(body)] == ["https://a.example/", "https://c.example/", "https://e.example/"]
    assert [line for line, _ in bad(body)] == sorted(line for line, _ in bad(body))
    reasons = dict(bad(body))
    assert "https://b.example/ is left out" in reasons[4]
    assert "https://d.example/ is left out" in reasons[7]
    assert any("1 more feed is left out" in reason for reason in reasons.values())


def test_folders_that_do_not_match_cost_no_feed() -> None:
    body = document('<outline text="A">', outline("https://a.example/"), "</outlin>", outline("https://b.example/"))

    assert [record.url for record in good(body)] == ["https://a.example/", "https://b.example/"]
    assert "mismatch" in bad(body)[0][1]


def test_a_file_cut_short_brings_what_came_before_the_cut() -> None:
    body = document(outline("https://a.example/"), outline("https://b.example/"))
    cut = body[: body.index(b"b.example") + 3]

    assert [record.url for record in good(cut)] == ["https://a.example/"]
    assert any("left out" in reason for _, reason in bad(cut))


def test_bytes_that_are_not_utf_8_spoil_their_own_line() -> None:
    body = document(outline("https://a.example/"), outline("https://b.example/", "?"), outline("https://c.example/"))
    body = body.replace(b'"?"', b'"\xff"')

    assert [record.url for record in good(body)] == ["https://a.example/", "https://c.example/"]
    assert [line for line, _ in bad(body)] == [4]


def test_utf_16_is_read_as_its_prolog_says() -> None:
    body = '<?xml version="1.0" encoding="utf-16"?><opml><body><outline text="Ü" xmlUrl="https://a.example/"/></body></opml>'

    assert [record.publisher for record in good(body.encode("utf-16"))] == ["Ü"]


def test_a_feed_without_an_address_is_named() -> None:
    assert bad(document('<outline type="rss" text="Lost"/>')) == [(3, 'a feed without an address (xmlUrl): "Lost"')]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<rss><channel/></rss>", "not OPML: its first element is <rss>"),
        (b"<", "not well-formed XML"),
        (b"<opml", "not well-formed XML"),
        (b"<!-- nothing -->", "not well-formed XML"),
    ],
)
def test_what_is_no_opml_is_said_to_be_none(body: bytes, reason: str) -> None:
    assert good(body) == []
    assert reason in bad(body)[0][1]


def test_entities_are_neither_expanded_nor_fetched() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE opml [<!ENTITY l0 "lol">{laughs}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = f'{head}<opml><body><outline text="&l11;&f;" xmlUrl="https://a.example/"/></body></opml>'.encode()

    (record,) = good(body)

    assert record.publisher == "&l11;&f;"


@pytest.mark.parametrize("depth", [opml.DEEPEST + 2, 5_000, 200_000])
def test_bottomless_nesting_is_left_out_and_what_stands_beside_it_comes_in(depth: int) -> None:
    body = document(outline("https://a.example/"), '<outline text="x">' * depth, outline("https://b.example/"))

    assert [record.url for record in good(body)] == ["https://a.example/"]
    assert "more than 32 deep" in bad(body)[0][1]


def test_more_damage_than_the_parser_tells_of_lets_nothing_unjudged_in() -> None:
    damaged = ['<outline text="<" xmlUrl="https://a.example/"/>'] * (opml.MOST_DAMAGE + 50)
    body = document(*damaged, outline("https://b.example/"))

    assert good(body) == []
    assert re.search(r"5\d more feeds are left out", bad(body)[-1][1])


FEEDS = st.builds(
    Feed,
    url=st.from_regex(r"https?://[a-z0-9]{1,12}\.example/[A-Za-z0-9_?=&%;'./~+-]{0,30}", fullmatch=True),
    publisher=st.from_regex(r"[A-Za-zÀ-ž中文&'\"][A-Za-zÀ-ž中文 '\".,!()-]{0,20}[a-zé]", fullmatch=True).map(
        lambda name: " ".join(name.split())
    ),
    weight=st.floats(0, 10),
    language=st.sampled_from([None, "en", "pt-BR"]),
    topics=st.lists(st.sampled_from([topic.slug for topic in TOPICS]), unique=True).map(tuple),
    poll=st.one_of(st.none(), st.integers(60, 10_000_000).map(lambda seconds: timedelta(seconds=seconds))),
    paused=st.booleans(),
)


@given(st.lists(FEEDS, max_size=6))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_back_with_every_setting(feeds: list[Feed]) -> None:
    read = [feed_of(record, TOPICS) for record in good(opml.write(feeds, "Ours & theirs", NOW))]

    assert read == feeds


def test_other_readers_find_the_usual_attributes() -> None:
    body = opml.write([Feed("https://a.example/feed", "A", language="en", topics=("inflation",))], "Ours", NOW).decode()

    assert 'type="rss" text="A" title="A" xmlUrl="https://a.example/feed" category="inflation"' in body
    assert 'language="en"' in body
    assert "<dateCreated>Tue, 10 Feb 2026 06:00:00 +0000</dateCreated>" in body


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_each_line_is_a_feed_or_a_refusal_with_its_reason(noise: bytes) -> None:
    body = document(outline("https://a.example/"), outline("https://b.example/"))

    for damaged in (noise, b"<opml>" + noise, body[: len(noise)] + noise + body[len(noise) :]):
        assert all(isinstance(one, Record) or one.reason for one in opml.read(damaged))
