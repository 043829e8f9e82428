"""Whose an article is, where a feed that gathers many publishers' work knows only the site it stands on.

Coverage counts publishers, so one that comes both by its own feed and through a gathering one must not count twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from digest.model import Article

_WWW = "www."


def named(articles: Sequence[Article]) -> list[Article]:
    """The articles, in their order; one whose publisher is the name of a site has that of the feed which is at home there.

    "ft.com" becomes "Financial Times" where a feed of the Financial Times brings articles from www.ft.com.
    """
    at_home = _at_home(articles)
    return [
        replace(article, publisher=name)
        if _is_site(article) and (name := _name(article.publisher, at_home))
        else article
        for article in articles
    ]


def _at_home(articles: Iterable[Article]) -> dict[str, str]:
    """The publisher at home on each site; of several the one that comes first by name."""
    found: dict[str, str] = {}
    for article in articles:
        if article.publisher == article.feed.publisher and not _is_site(article):
            site = _site(article.url)
            found[site] = min(found.get(site, article.publisher), article.publisher)
    return found


def _is_site(article: Article) -> bool:
    return article.publisher.removeprefix(_WWW) == _site(article.url)


def _name(site: str, at_home: dict[str, str]) -> str:
    labels = site.removeprefix(_WWW).split(".")
    wider = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((at_home[one] for one in wider if one in at_home), "")


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix(_WWW)
