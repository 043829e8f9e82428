"""CSV from anywhere comes in line by line; what we write is read back as it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.lists import sheet
from digest.feeds.lists.records import Record, Refusal, feed_of
from digest.model import Feed
from tests.feeds.test_opml import FEEDS, TOPICS


def read(text: str) -> list[Record | Refusal]:
    return sheet.read(text.encode())


def test_a_header_says_which_column_is_which_in_any_order_and_separator() -> None:
    (record,) = read("Publisher;Weight;URL;Topics\nA;1,2;https://a.example/feed;inflation central-banks\n")

    assert record == Record(
        2, "https://a.example/feed", "A", weight="1,2", topics=("inflation", "central-banks"), folders=("",)
    )
    assert feed_of(record, TOPICS) == Feed(
        "https://a.example/feed", "A", weight=1.2, topics=("inflation", "central-banks")
    )


def test_a_plain_list_of_addresses_will_do() -> None:
    records = read("# mine\nhttps://a.example/feed\n\nhttps://b.example/feed,B\nC\thttps://c.example/feed\n")

    assert [(one.line, one.url, one.publisher) for one in records[:2] if isinstance(one, Record)] == [
        (2, "https://a.example/feed", ""),
        (4, "https://b.example/feed", "B"),
    ]


def test_a_column_of_categories_is_folders_and_not_topics_that_must_exist() -> None:
    (record,) = read("url,category\nhttps://a.example/feed,News/Inflation\n")

    assert isinstance(record, Record)
    feed = feed_of(record, TOPICS)
    assert isinstance(feed, Feed)
    assert feed.topics == ("inflation",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('"https://b.example/feed,B', "not CSV"),
        (",B", "no address"),
        ("https://b.example/\ufffd,B", "not UTF-8"),
        ("https://b.example/" + "x" * sheet.LONGEST_LINE, "longer than"),
    ],
)
def test_a_bad_line_is_named_and_the_others_come_in(line: str, reason: str) -> None:
    first, second, third = read(f"url,publisher\nhttps://a.example/,A\n{line}\nhttps://c.example/,C")

    assert isinstance(first, Record)
    assert isinstance(third, Record)
    assert isinstance(second, Refusal)
    assert second.line == 3
    assert reason in second.reason


def test_utf_16_and_a_byte_order_mark_are_understood() -> None:
    text = "url,publisher\r\nhttps://a.example/,Ü\r\n"

    assert sheet.read(text.encode("utf-16")) == sheet.read(text.encode("utf-8-sig")) == read(text)


def test_a_spreadsheet_is_given_no_formula() -> None:
    body = sheet.write([Feed("https://a.example/", "=HYPERLINK(1)")])

    assert b",'=HYPERLINK(1)," in body
    (record,) = sheet.read(body)
    assert isinstance(record, Record)
    assert record.publisher == "=HYPERLINK(1)"


@given(st.lists(FEEDS, max_size=6))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_back_with_every_setting(feeds: list[Feed]) -> None:
    records = sheet.read(sheet.write(feeds))

    assert [feed_of(record, TOPICS) for record in records if isinstance(record, Record)] == feeds
    assert len(records) == len(feeds)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_whatever_the_bytes_each_line_is_a_feed_or_a_refusal_with_its_reason(noise: bytes) -> None:
    for damaged in (noise, b"url,publisher\n" + noise):
        assert all(isinstance(one, Record) or one.reason for one in sheet.read(damaged))
