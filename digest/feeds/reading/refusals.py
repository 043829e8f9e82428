"""What a body is that is no feed: a web page, the page of a bot wall, or another document with a name. Pure.

A web page may name the feeds that belong to it; those are what its reader was looking for.
"""

import re
from urllib.parse import urljoin

from lxml import etree

from digest.feeds.outcomes import ParseFailed

_BEGINNING = 4096
_LONGEST_PAGE = 1 << 20
_MOST_ALTERNATES = 20
_BLANK = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_ELEMENT = re.compile(rb"<([A-Za-z_][\w:.-]{0,60})")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_KNOWN_OTHERS = {
    "opml": "an OPML list of feeds",
    "urlset": "a sitemap",
    "sitemapindex": "a sitemap",
    "svg": "a picture",
    "error": "an error message",
}
_FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/rdf+xml"}
# Only what stands in the wall itself: the scripts of these firms run on the ordinary pages behind it too.
_WALL = re.compile(
    rb"<title>\s*(?:Just a moment|Attention Required! \| Cloudflare|DDoS-Guard|Pardon Our Interruption)"
    rb"|_cf_chl_opt|challenge-platform/[\w/.-]{0,80}(?:orchestrate|chl_)|captcha-delivery\.com|_Incapsula_Resource"
    rb"|px-captcha|window\._pxAppId|AwsWafIntegration|sgcaptcha|ddos-guard/js-challenge|sec-if-cpt-container",
    re.IGNORECASE,
)


def at_sight(body: bytes, url: str) -> ParseFailed | None:
    """Why a body is no feed where its first bytes say so; None where it is worth reading.

    Args:
        body: as fetched, in any encoding; only what is written in ASCII's bytes is seen.
        url: where it was found; the addresses in a web page are resolved against it.
    """
    beginning = body[:_BEGINNING].strip(_BLANK)
    if not beginning and not body.strip(_BLANK):
        return ParseFailed("the document is empty")
    if beginning[:1] in {b"{", b"["}:
        kind = "a JSON Feed, which is not supported" if b"jsonfeed.org/version" in beginning else "JSON"
        return ParseFailed(f"not a feed: it is {kind}")
    if _first_element(beginning).lower() in {"html", "head", "body"} or b"<!doctype html" in beginning.lower():
        return _page(body[:_LONGEST_PAGE], url)
    return None


def by_name(document: bytes) -> ParseFailed:
    """Why a document is no feed, which nothing could be read from, by the name of its first element."""
    name = _first_element(document[:_BEGINNING])
    if not name:
        return ParseFailed("not a feed: it is not XML")
    return ParseFailed(f"not a feed: it is {_KNOWN_OTHERS.get(name.lower(), f'an XML document of <{name}>')}")


def _first_element(beginning: bytes) -> str:
    element = _ELEMENT.search(_COMMENT.sub(b"", beginning))
    return element[1].decode("ascii", "replace") if element else ""


def _page(page: bytes, url: str) -> ParseFailed:
    alternates = _alternates(page, url)
    if not alternates and _WALL.search(page):
        return ParseFailed("blocked by bot protection")
    return ParseFailed("not a feed: it is an HTML page", alternates)


def _alternates(page: bytes, url: str) -> tuple[str, ...]:
    """The feeds that a page names, those of comments last, as absolute addresses."""
    root = etree.fromstring(page, etree.HTMLParser(no_network=True, huge_tree=False))
    if root is None:
        return ()
    base = next((element.get("href", "") for element in root.iter("base")), "")
    found: dict[str, bool] = {}
    for link in root.iter("link"):
        kind, relation = (link.get(name, "").strip().lower() for name in ("type", "rel"))
        address = _joined(_joined(url, base), link.get("href", ""))
        if kind in _FEED_TYPES and "alternate" in relation.split() and address:
            found.setdefault(address, "comment" in f"{address} {link.get('title', '')}".lower())
    return tuple(sorted(found, key=found.__getitem__))[:_MOST_ALTERNATES]


def _joined(base: str, address: str) -> str:
    """An absolute http or https address, or nothing."""
    try:
        joined = urljoin(base, address.strip())
    except ValueError:
        return ""
    return joined if re.match(r"https?://", joined, re.IGNORECASE) else ""
