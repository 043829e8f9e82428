"""Links: one spelling for each page, and none that a reader should not be sent to."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.feeds.cleaning import urls
from digest.feeds.cleaning.urls import BadLink
from tests.feeds.hostile_text import BAD_LINKS, FRAGMENTS

BASE = "https://wire.example/feeds/all.xml"


@pytest.mark.rows(84, 87)
@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://Wire.Example/A?b=1#top", "https://wire.example/A?b=1"),
        ("HTTP://wire.example:80", "http://wire.example/"),
        ("https://wire.example:8443/a", "https://wire.example:8443/a"),
        ("/2026/a", "https://wire.example/2026/a"),
        ("a", "https://wire.example/feeds/a"),
        ("//other.example/a", "https://other.example/a"),
        ("https://wire.example./a", "https://wire.example/a"),
        (" https://wire.example/a\n ", "https://wire.example/a"),
        ('https://wire.example/a b/"<é>', "https://wire.example/a%20b/%22%3C%C3%A9%3E"),
        ("https://wire.example/a%20b?q=%C3%A9", "https://wire.example/a%20b?q=%C3%A9"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://wire.example/a?utm_source=rss&id=7&fbclid=x&at_medium=RSS", "https://wire.example/a?id=7"),
        ("https://www.dw.com/en/a-7?maca=en-rss-en-all-1573-xml-atom", "https://www.dw.com/en/a-7"),
        ("https://wire.example/a?cmpid=rss&ref=home&ns_campaign=x&gclid=1", "https://wire.example/a"),
        ("https://forum.example/f.php?mod=viewthread&tid=7", "https://forum.example/f.php?mod=viewthread&tid=7"),
        (
            "https://archive.is/o/N6yE6/https://www.nytimes.com/2026/02/10/x.html",
            "https://www.nytimes.com/2026/02/10/x.html",
        ),
        ("https://archive.is/newest/https://www.ft.com/content/47d8b516", "https://www.ft.com/content/47d8b516"),
        ("http://web.archive.org/web/20260210id_/http://wire.example/a?b=1", "http://wire.example/a?b=1"),
        ("https://web.archive.org/web/2026/https:/wire.example/a", "https://wire.example/a"),
        ("https://www.google.com/url?rct=j&url=https://vox.example/a%3Fb%3D1&ct=ga", "https://vox.example/a?b=1"),
        ("https://archive.is/N6yE6", "https://archive.is/N6yE6"),
        ("https://8.8.8.8/a", "https://8.8.8.8/a"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
    ],
)
def test_a_page_has_one_address(link: str, expected: str) -> None:
    assert urls.canonical(link, BASE) == expected
    assert urls.canonical(expected, BASE) == expected


@pytest.mark.rows(82, 83, 86, 87)
@pytest.mark.parametrize(
    "link",
    [
        *(
            "",
            "   ",
            "javascript:alert(1)",
            "JaVa\tScript:alert(1)",
            "\x01javascript:alert(1)",
            "vbscript:x",
            "data:text/html,x",
        ),
        *("mailto:a@b.example", "tel:+1", "magnet:?x", "intent://x", "ftp://wire.example/a", "file:///etc/passwd"),
        *("https://bank.example@evil.example/", "https://user:x@wire.example/", "https://bank.example\\@evil.example/"),
        *("https://localhost/a", "https://router.local/", "https://intranet/", "https://db.internal/"),
        *("https://db.rack-1/", "https://a.b/", "https://wire.example1/", "https://wire..example/"),
        "https://" + "a" * 64 + ".example/",
        *("https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/"),
        *(
            "https://１２７.0.0.1/",
            "https://10.0.0.7/",
            "https://169.254.169.254/latest/",
            "https://[::1]/",
            "https://[::",
        ),
        *("https://wire.example:99999/", "https://wire.example:x/", "https://w%69re.example/", "https://wire example/"),
        *("https://wire.example/" + "a" * 2048, "https://wire.example/" + "é" * 500, "https://wire.example/\ud800"),
        *("https://wire.example/a\0b", "https://archive.is/newest/https://127.0.0.1/", "https://.example/"),
    ],
)
def test_nobody_is_sent_to_a_bad_link(link: str) -> None:
    assert isinstance(urls.canonical(link, BASE), BadLink)


def test_a_feed_inside_a_network_may_link_to_its_own_host_and_to_no_other() -> None:
    assert urls.canonical("/a", "http://10.0.0.7:8000/feed") == "http://10.0.0.7:8000/a"
    assert urls.canonical("http://wiki/a", "http://wiki/feed") == "http://wiki/a"
    assert isinstance(urls.canonical("http://10.0.0.8/a", "http://10.0.0.7/feed"), BadLink)


@pytest.mark.rows(82, 83, 87)
@pytest.mark.parametrize("link", [*BAD_LINKS, *(f"{link}#https://wire.example/" for link in BAD_LINKS)])
def test_no_disguise_makes_a_link_of_what_is_none(link: str) -> None:
    assert isinstance(urls.canonical(link, BASE), BadLink)


@pytest.mark.rows(82)
def test_an_entity_inside_a_link_is_no_scheme_but_part_of_a_name() -> None:
    assert urls.canonical("javascript&colon;alert(1)", BASE) == "https://wire.example/feeds/javascript&colon;alert(1)"


@pytest.mark.rows(85)
@pytest.mark.parametrize("base", ["javascript:alert(1)//", "data:text/html,", "https://127.0.0.1/", "file:///"])
def test_a_base_that_is_none_of_the_web_lends_nothing_to_a_link(base: str) -> None:
    assert isinstance(urls.canonical(f"{base}a", BASE), BadLink)


@pytest.mark.rows(88)
@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://раураl.example/", "xn--l-7sba6dbr.example"),
        ("https://Straße.example/", "xn--strae-oqa.example"),
        ("https://ＷＩＲＥ.example/", "wire.example"),
        ("https://日本。example/", "xn--wgv71a.example"),
    ],
)
def test_a_host_in_another_script_is_shown_as_it_is_registered(link: str, host: str) -> None:
    assert urls.canonical(link, BASE) == f"https://{host}/"


PIECES = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(st.sampled_from("htps:/\\@?#&=%.[]0:x1aé \t\0\ud800１")), max_size=8
).map("".join)
STARTS = st.sampled_from(
    [
        "",
        "https:",
        "https://",
        "http://wire.example/",
        "https://archive.is/x/https://",
        "//",
        "https://l.facebook.com/l.php?u=",
    ]
)


@pytest.mark.rows(82, 86, 87)
@settings(deadline=None)
@given(STARTS, PIECES)
def test_every_address_that_passes_is_plain_http_and_its_own_canonical_address(start: str, rest: str) -> None:
    url = urls.canonical(start + rest, BASE)

    if isinstance(url, str):
        assert url.startswith(("http://", "https://"))
        assert url.isascii()
        assert len(url) <= 2048
        assert "@" not in url.split("/")[2]
        assert urls.canonical(url, BASE) == url


@settings(deadline=None)
@given(PIECES)
@example("?")
@example("a?#b")
def test_the_quick_way_for_ordinary_addresses_gives_what_the_long_way_gives(rest: str) -> None:
    assert urls.absolute(f"https://wire.example/{rest}", BASE) == urls.absolute(f"HTTPS://wire.example/{rest}", BASE)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("https://economictimes.indiatimes.com/a", "indiatimes.com"),
        ("https://thefinancialexpress.com.bd/a", "thefinancialexpress.com.bd"),
        ("https://t.co/a", "t.co"),
        ("https://orf.at/a", "orf.at"),
    ],
)
def test_a_site_is_the_part_of_a_host_that_somebody_registered(url: str, site: str) -> None:
    assert urls.site_of(url) == site
