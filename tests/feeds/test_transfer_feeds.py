"""What a file of feeds brings beside those that are listed, and what is wrong with each line that brings none."""

import pytest

from digest.feeds.lists import transfer
from digest.feeds.lists.records import LONGEST_REASON, Record, Refusal, address, duration, feed_of, listed, place
from digest.model import Feed, Topic
from digest.tomlfile import parse_duration

TOPICS = (Topic("inflation", "Inflation"),)


def test_csv_and_opml_are_told_apart_by_their_content() -> None:
    as_csv = transfer.read(b"https://a.example/feed,A", (), ())
    as_opml = transfer.read(b'\xef\xbb\xbf\n<opml><outline text="A" xmlUrl="https://a.example/feed"/></opml>', (), ())

    assert as_csv == as_opml == transfer.Arrived((Feed("https://a.example/feed", "A"),), 0, ())


def test_a_listed_feed_is_left_alone_however_it_is_spelled_and_one_named_twice_comes_once() -> None:
    body = b"http://a.example:80/feed/\nhttps://A.example/feed#x\nhttps://b.example/\nhttps://b.example/\n"

    arrived = transfer.read(body, [Feed("https://a.example/feed", "A")], ())

    assert arrived.already == 3
    assert [feed.url for feed in arrived.new] == ["https://b.example/"]


def test_a_file_that_is_too_large_is_not_looked_into() -> None:
    arrived = transfer.read(b"https://a.example/\n" * (transfer.MOST_BYTES // 19 + 1), (), ())

    assert arrived.new == ()
    assert arrived.refused == (Refusal(1, "the file is larger than 10 MiB"),)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(3, "javascript:alert(1)"), "is not an address"),
        (Record(3, "https://user:secret@a.example/"), "names a user"),
        (Record(3, "https://a.example/" + "x" * 3000), "longer than"),
        (Record(3, "https://a.example/ x"), "is not an address"),
        (Record(3, "https://[::1/"), "is not an address"),
        (Record(3, "https://a.example:99999/"), "is not an address"),
        (Record(3, "https://a.example/", weight="heavy"), "should be a number from 0 to 10"),
        (Record(3, "https://a.example/", weight="\x1b[2J"), '"\ufffd[2J"'),
        (Record(3, "https://a.example/", poll="often " * 99), "poll is"),
        (Record(3, "https://a.example/", weight="nan"), "should be a number from 0 to 10"),
        (Record(3, "https://a.example/", weight="11"), "should be a number from 0 to 10"),
        (Record(3, "https://a.example/", topics=("sport",)), 'topics.toml has no topic "sport"'),
        (Record(3, "https://a.example/", poll="often"), "should be a span"),
        (Record(3, "https://a.example/", poll="5s"), "at least 1 minute"),
        (Record(3, "https://a.example/", paused="perhaps"), "should be true or false"),
    ],
)
def test_a_line_that_makes_no_feed_says_why(record: Record, reason: str) -> None:
    refusal = feed_of(record, TOPICS)

    assert isinstance(refusal, Refusal)
    assert refusal.line == 3
    assert reason in refusal.reason
    assert len(refusal.reason) <= LONGEST_REASON


def test_a_publisher_is_plain_text_and_the_host_where_none_is_named() -> None:
    assert feed_of(Record(1, "https://www.a.example/feed"), ()) == Feed("https://www.a.example/feed", "a.example")
    assert feed_of(Record(1, "https://a.example/", "<b>A</b>\u202e &amp; Co"), ()) == Feed(
        "https://a.example/", "A & Co"
    )


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (" https://a.example/feed ", "https://a.example/feed"),
        ("HTTPS://A.example/Feed", "https://A.example/Feed"),
        ("feed://a.example/feed", "http://a.example/feed"),
        ("feed:https://a.example/feed", "https://a.example/feed"),
    ],
)
def test_an_address_is_taken_as_people_and_programs_write_it(typed: str, url: str) -> None:
    assert address(typed) == url


def test_two_feeds_of_one_host_are_not_one() -> None:
    feeds = [Feed("https://a.example/feed?topic=1", "A"), Feed("https://a.example:8443/feed", "A")]

    assert listed(feeds, "https://a.example/feed?topic=2") is None
    assert listed(feeds, "https://a.example/feed") is None
    assert place("https://www.a.example/feed") != place("https://a.example/feed")


@pytest.mark.parametrize("text", ["90s", "30m", "90m", "6h", "1d", "36h"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    span = parse_duration(text)

    assert span is not None
    assert duration(span) == text
