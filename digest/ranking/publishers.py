"""Whose an article is, where a feed that gathers many publishers' work knows only the site it stands on.

Coverage counts publishers, so one that comes both by its own feed and through a gathering one must not count twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from digest.model import Article

_WWW = "www."


def named(articles: Sequence[Article]) -> list[Article]:
    """The articles, in their order; one whose publisher is the name of a site has that of the feed which is at home there.

    "ft.com" becomes "Financial Times" where a feed of the Financial Times brings articles from www.ft.com.
    """
    by_site = [place for place, article in enumerate(articles) if _is_site(article)]
    found = list(articles)
    at_home = _at_home(articles) if by_site else {}
    for place in by_site:
        if name := _name(articles[place].publisher, at_home):
            found[place] = replace(articles[place], publisher=name)
    return found


def _at_home(articles: Iterable[Article]) -> dict[str, str]:
    """The publisher at home on each site: where most articles of its feeds stand. Of several the first by name.

    A feed that links to all the world is at home nowhere.
    """
    sites: dict[str, Counter[str]] = defaultdict(Counter)
    for article in articles:
        if article.publisher == article.feed.publisher and not _is_site(article):
            sites[article.publisher][_site(article.url)] += 1
    found: dict[str, str] = {}
    for publisher, counts in sorted(sites.items()):
        site, count = min(counts.items(), key=lambda one: (-one[1], one[0]))
        if count * 2 > counts.total():
            found.setdefault(site, publisher)
    return found


def _is_site(article: Article) -> bool:
    site = article.publisher.removeprefix(_WWW)
    # Few publishers' names stand in an address, and taking that apart is dear.
    return site in article.url.lower() and site == _site(article.url)


def _name(site: str, at_home: dict[str, str]) -> str:
    labels = site.removeprefix(_WWW).split(".")
    wider = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((at_home[one] for one in wider if one in at_home), "")


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix(_WWW)
