"""Feed text into plain text: whatever comes in, what goes out is one safe line."""

import html
import re
import unicodedata

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.cleaning import text
from tests.feeds.hostile_text import PAYLOADS, texts
from tests.feeds.invariants import clusters

NASTY = st.text(
    st.sampled_from("=?<>&;#x0abp/!-[] \r\n\t\0\x85\xad\u200b\u202e\u2066\u2028\ufeff\ud800e\u0301\U000e0041")
)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("AT&T", "AT&T"),
        ("AT&amp;T", "AT&T"),
        ("inflation < 2% & falling", "inflation < 2% & falling"),
        ("<b>Fed</b> raises", "Fed raises"),
        ("&lt;p&gt;Fed raises&lt;/p&gt;", "Fed raises"),
        ("Fed&amp;#8217;s move", "Fed’s move"),
        ("<p>One.</p><p>Two.</p>Three<br/>Four", "One. Two. Three Four"),
        ("<script>alert(1)</script><style>p{}</style>Fed", "Fed"),
        ("<!--><img src=x onerror=alert(1)>-->Fed", "-->Fed"),
        ("a\r\nBcc: x@y.example", "a Bcc: x@y.example"),
        ("a\0b\x08c", "abc"),
        ("pay\u202egpj.exe \u2066now\u2069", "paygpj.exe now"),
        ("so\xadft\u200bly\ufeff", "softly"),
        ("\u200b\u200d\u2060", ""),
        ("tag\U000e0041\U000e0042ged", "tagged"),
        ("e\u0301te\u0301", "été"),
        ("Z\u0330\u0331\u0332\u0333\u0330\u0331\u0332", "Z\u0330\u0331\u0332\u0333"),
        ("=?UTF-8?Q?x=0D=0ABcc:_y?=", "= ?UTF-8?Q?x=0D=0ABcc:_y?="),
        ("=\u200b?utf-8?b?eA=?=", "= ?utf-8?b?eA= ?="),
        ("scr\0ipt", "script"),
        ("{{7*7}}", "{{7*7}}"),
        ("a\u2028b\u00a0c\u3000d", "a b c d"),
        ("a&#13;&#10;Bcc: x@y.example", "a Bcc: x@y.example"),
        ("AT&amp;amp;amp;T", "AT&T"),
        ("&amp;amp;amp;amp;lt;script&amp;amp;amp;amp;gt;x", "&lt;script&gt;x"),
        ("Fed &lt&#8203;script&gt;alert(1)&lt;/script&gt;", "Fed"),
        ("Fed <img src=x onerror=alert(1) ", "Fed"),
        ("<p>Fed&#1;&#x16;&#x202e;&shy;</p>", "Fed"),
        ("p\u2800ay", "pay"),
        ("a\ufdd0b\U0001ffffc", "abc"),
        ("EUR\u212b Å", "EURÅ Å"),
    ],
)
def test_markup_and_tricks_become_plain_words(given_text: str, expected: str) -> None:
    assert text.plain(given_text) == expected


@given(NASTY)
def test_plain_text_is_one_line_of_visible_characters(given_text: str) -> None:
    plain = text.plain(given_text)

    assert "=?" not in plain
    assert plain == " ".join(plain.split())
    assert unicodedata.is_normalized("NFC", plain)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Cf"} for character in plain)
    plain.encode()


@pytest.mark.rows(74, 75, 76, 79)
@settings(deadline=None)
@given(texts())
def test_the_quick_way_for_ordinary_text_gives_what_the_long_way_gives(given_text: str) -> None:
    assert text.plain(given_text) == text.plain(f"{given_text}\u200b")


@pytest.mark.rows(57, 76, 90, 92)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_markup_survives_however_it_is_written(payload: str) -> None:
    plain = text.plain(f"Fed {payload} rates")

    assert "<script" not in plain.lower()
    assert not re.search(r"<[a-z/!?]", plain, re.IGNORECASE)
    assert plain.startswith("Fed")
    assert html.unescape(nh3.clean(plain, tags=set())) == html.unescape(plain)


@pytest.mark.rows(78)
def test_at_most_four_marks_stay_on_a_letter_in_every_script() -> None:
    assert text.plain("Z" + "\u0335\u0336\u0337" * 200 + "insen") == "Z\u0335\u0336\u0337\u0335insen"
    assert text.plain("\u05d0" + "\u05b7" * 9) == "\u05d0" + "\u05b7" * 4
    assert text.plain("\u0e01" + "\u0e49" * 9) == "\u0e01" + "\u0e49" * 4


@pytest.mark.rows(78, 97)
@settings(deadline=None)
@given(
    texts()
    | st.sampled_from([f * 300 for f in ("e\u0301\u0302", "\u0915\u094d", "\u1100", "🇩🇪", "👍🏽", "\u0600", "日")]),
    st.integers(10, 50),
)
def test_a_cut_is_never_longer_than_asked_for(given_text: str, most: int) -> None:
    short = text.cut(text.plain(given_text), most)

    assert clusters(short) <= most
    assert len(short) <= most * 4
    assert short == text.plain(given_text) or short.endswith("…")


@pytest.mark.rows(78)
def test_a_cut_counts_what_a_reader_takes_for_a_character_and_never_splits_one() -> None:
    assert text.cut("👍🏽" * 10, 10) == "👍🏽" * 10
    assert text.cut("👍🏽" * 300, 200) == "👍🏽" * 199 + "…"
    assert text.cut("🇩🇪" * 300, 200) == "🇩🇪" * 199 + "…"
    assert text.cut("g\u0308\u0304" * 11, 10) == "g\u0308\u0304" * 9 + "…"
    assert text.cut("நி" * 11, 10) == "நி" * 9 + "…"


@pytest.mark.rows(78)
def test_a_character_that_never_ends_is_left_out() -> None:
    assert text.cut("\u1100" * 5000, 200) == "…"
    assert text.cut("Zinsen " + "\u1100" * 5000, 10) == "Zinsen…"


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("The bank raised rates again", "The bank raised…"),
        ("The bank raised, as seen", "The bank raised…"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffa…"),
        ("Short enough", "Short enough"),
    ],
)
def test_a_cut_ends_after_a_word_where_there_is_one(given_text: str, expected: str) -> None:
    assert text.cut(given_text, 19) == expected


def test_a_text_mostly_lost_in_decoding_is_unreadable() -> None:
    assert text.is_unreadable("\ufffd\ufffd rates")
    assert not text.is_unreadable("rates " * 20 + "\ufffd")
    assert not text.is_unreadable("")
