"""Addresses that hold another: the one inside is the article's, and nothing is asked to find it."""

import pytest

from digest.feeds.cleaning import urls
from digest.feeds.cleaning.urls import BadLink

BASE = "https://wire.example/feeds/all.xml"
PAGE = "https://paper.example/a-b?c=1&d=%C3%A9"
ENCODED = "https%3A%2F%2Fpaper.example%2Fa-b%3Fc%3D1%26d%3D%25C3%25A9"


@pytest.mark.parametrize(
    "wrapped",
    [
        f"https://www.google.com/url?rct=j&sa=t&url={ENCODED}&ct=ga&usg=x",
        f"https://www.google.co.uk/url?q={ENCODED}",
        f"https://news.google.com/news/url?sa=t&fd=R&url={ENCODED}",
        f"http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&tid=1&url={ENCODED.replace('%3A%2F%2F', '%3a%2f%2f')}&c=2&mkt=en-us",
        f"https://l.facebook.com/l.php?u={ENCODED}&h=AT0",
        f"https://lm.facebook.com/l.php?h=AT0&u={ENCODED}",
        f"https://l.instagram.com/?u={ENCODED}&e=1",
        f"https://out.reddit.com/t3_1?url={ENCODED}&token=x&app_name=web",
        f"https://www.youtube.com/redirect?event=video_description&q={ENCODED}&v=x",
        f"https://t.umblr.com/redirect?z={ENCODED}&t=x",
        f"https://vk.com/away.php?to={ENCODED}",
        f"https://www.linkedin.com/redir/redirect?url={ENCODED}&urlhash=x",
        f"https://duckduckgo.com/l/?uddg={ENCODED}",
        f"https://slack-redir.net/link?url={ENCODED}",
        f"https://eur01.safelinks.protection.outlook.com/?url={ENCODED}&data=x",
        f"https://mail.wire.example/nl/lnks?id=7&url={ENCODED}",
        f"https://wire.example/rss/redirect?url={ENCODED}",
        f"https://archive.is/newest/{PAGE}",
        f"https://archive.ph/o/N6yE6/{PAGE}",
        f"https://archive.ph/{ENCODED}",
        f"https://web.archive.org/web/20260210060000id_/{PAGE}",
        f"https://web.archive.org/web/2026/{PAGE.replace('//', '/', 1)}",
        f"https://12ft.io/{PAGE}",
        f"https://12ft.io/proxy?q={ENCODED}",
        f"https://us.rd.yahoo.com/dailynews/rss/business/*{PAGE}",
        f"https://href.li/?{PAGE}",
        "https://www.google.com/amp/s/paper.example/a-b?c=1&d=%C3%A9&usqp=mq331AQ",
        "https://paper-example.cdn.ampproject.org/c/s/paper.example/a-b/amp?c=1&d=%C3%A9&amp_js_v=0.1",
        "https://paper-example.bing-amp.com/c/s/paper.example/a-b.amp?c=1&d=%C3%A9",
        "https://paper.example/a-b/amp?c=1&d=%C3%A9#top",
        "https://paper.example/a-b?c=1&amp&d=%C3%A9",
        "https://paper.example/a-b?c=1&d=%C3%A9&outputType=amp",
        "https://paper.example/a-b?amp=1&c=1&d=%C3%A9&utm_source=rss",
        f"https://l.facebook.com/l.php?u=https%3A%2F%2Farchive.is%2Fx%2F{ENCODED.replace('%', '%25')}",
        f"https://archive.is/x/https://www.google.com/url?q={ENCODED}",
    ],
)
def test_an_articles_address_is_taken_out_of_what_holds_it(wrapped: str) -> None:
    assert urls.canonical(wrapped, BASE) == PAGE


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://www.google.com/amp/paper.example/a-b", "http://paper.example/a-b"),
        ("https://paper.example/2026/rates-rise/amp/", "https://paper.example/2026/rates-rise/"),
        ("https://paper.example/news/business-1.amp", "https://paper.example/news/business-1"),
        ("https://paper.example/a-1.amp.html", "https://paper.example/a-1.html"),
        ("https://paper.example/node/7/amp", "https://paper.example/node/7"),
    ],
)
def test_a_copy_for_phones_stands_for_the_page(link: str, expected: str) -> None:
    assert urls.canonical(link, BASE) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://paper.example/companies/amp",
        "https://paper.example/amp",
        "https://amp.example/",
        "https://paper.example/guitar-amp",
        "https://paper.example/a?amp=7",
        "https://paper.example/a?mode=ample",
        "https://paper.example/share?text=https-explained",
        "https://paper.example/a?next=https://other.example/",
        "https://paper.example/redirect?page=https://other.example/",
        "https://paper.example/redirect?url=/a",
        "https://www.google.com/url?q=rates",
        "https://www.google.com/search?q=https://paper.example/",
        "https://archive.is/N6yE6",
        "https://web.archive.org/web/2026/",
        "https://news.google.com/rss/articles/CBMiQ2h0dHBz?oc=5",
    ],
)
def test_an_address_that_holds_no_other_stays(link: str) -> None:
    assert urls.canonical(link, BASE) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?q=https://127.0.0.1/admin",
        "https://archive.is/x/https://user@paper.example/",
        "https://www.google.com/amp/s/10.0.0.1/x",
        "https://l.facebook.com/l.php?u=http%3A%2F%2Flocalhost%2F",
        "https://out.reddit.com/?url=https%3A%2F%2Fpaper.example%40evil.example%2F",
        "https://archive.is/" + "https://archive.is/" * 30 + PAGE,
    ],
)
def test_what_is_inside_is_checked_like_every_other_link(link: str) -> None:
    assert isinstance(urls.canonical(link, BASE), BadLink)
