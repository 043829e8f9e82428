"""Feed text into plain text: whatever comes in, what goes out is one safe line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds import text

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


@given(st.text(), st.integers(min_value=10, max_value=50))
def test_a_cut_is_never_longer_than_asked_for(given_text: str, most: int) -> None:
    short = text.cut(given_text, most)

    assert len(short) <= most
    assert short == given_text or short.endswith("…")


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


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Rates rose. The post Rates rise appeared first on Harbour Wire.", "Rates rose."),
        ("The post office cut jobs. The post Cuts appeared first on Wire", "The post office cut jobs."),
        ("Rates rose. Continue reading Rates rise", "Rates rose."),
        ("Rates rose by a half […] Read more »", "Rates rose by a half…"),
        ("Rates rose by a half [...]", "Rates rose by a half…"),
        ("Rates rose. [&hellip;]".replace("&hellip;", "…"), "Rates rose."),
        ("Rates rose. (Read more)", "Rates rose."),
        ("Die Zinsen steigen. Weiterlesen", "Die Zinsen steigen."),
        ("Read more", ""),
        ("[…]", ""),
        ("Families read more than ever", "Families read more than ever"),
        ("Wait and see…", "Wait and see…"),
    ],
)
def test_the_feed_softwares_invitations_are_no_part_of_a_summary(given_text: str, expected: str) -> None:
    assert text.without_invitation(given_text) == expected


def test_a_text_mostly_lost_in_decoding_is_unreadable() -> None:
    assert text.is_unreadable("\ufffd\ufffd rates")
    assert not text.is_unreadable("rates " * 20 + "\ufffd")
    assert not text.is_unreadable("")
