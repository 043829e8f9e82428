"""Which articles of a document we have already, and whether the rest can be what it seems. Pure.

A feed's own identifier comes first, then the page, then the headline: some feeds invent new identifiers at every poll,
and some move all their pages.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.feeds.cleaning import text
from digest.model import Article, KnownArticle

MOST_UPDATES = 24
"""How often an article's words are followed; what changes at every poll is a counter and no correction."""
SAME_HEADLINE = timedelta(days=3)
MOST_AT_ONCE, MOST_TIMES_USUAL = 20, 5
FEWEST_REPEATED, REPEATED_SHARE = 10, 0.5

_SAME_MOMENT = timedelta(hours=1)
_FEWEST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Recognised:
    """A document's articles, sorted: those nobody knows, those whose words changed by the id they are stored under.

    `known` counts all that are stored, changed or not. `repeated` counts the new ones whose headline the feed has had
    before.
    """

    new: tuple[Article, ...]
    changed: tuple[tuple[int, Article], ...]
    known: int
    repeated: int = 0


def recognised(found: Sequence[Article], stored: Sequence[KnownArticle], at: datetime) -> Recognised:
    """Sort a document's articles by what is stored of the same feed.

    Args:
        found: the document's articles, each entry id once.
        stored: the feed's articles with the same identifier, page or headline as one of them, oldest first.
        at: now.
    """
    links = Counter(article.url for article in found)
    by_id: dict[str, KnownArticle] = {}
    by_page: dict[str, KnownArticle] = {}
    by_headline: defaultdict[str, list[KnownArticle]] = defaultdict(list)
    for old in stored:
        by_id.setdefault(old.entry_id, old)
        by_page.setdefault(_page(old.url), old)
        by_headline[text.words(old.title)].append(old)
    new: list[Article] = []
    changed: dict[int, Article] = {}
    for article in found:
        # A link that several of the document's articles share is no page of any one of them.
        page = _page(article.url) if links[article.url] == 1 else ""
        namesake = by_id.get(article.entry_id)
        reused = namesake is not None and _is_reused(article, namesake)
        match = (None if reused else namesake) or by_page.get(page) or _same_headline(article, by_headline, at)
        if match is None:
            new.append(replace(article, entry_id=distinct_id(article.entry_id, article.url)) if reused else article)
        elif match.fingerprint != article.fingerprint and match.updates < MOST_UPDATES:
            changed.setdefault(match.id, article)
    return Recognised(
        new=tuple(new),
        changed=tuple(changed.items()),
        known=len(found) - len(new),
        repeated=sum(text.words(article.title) in by_headline for article in new),
    )


def is_reissue(sorted_out: Recognised, usual: float | None) -> bool:
    """Whether the new articles look like an archive that was published again, or like an accident.

    Args:
        sorted_out: the document's articles.
        usual: how many new ones the feed may bring without surprise; None where nobody can say yet.
    """
    count = len(sorted_out.new)
    too_many = usual is not None and count > MOST_AT_ONCE and count > MOST_TIMES_USUAL * usual
    return too_many or (count >= FEWEST_REPEATED and sorted_out.repeated > count * REPEATED_SHARE)


def distinct_id(entry_id: str, url: str) -> str:
    """An identifier for an article whose own one stands for others too."""
    return hashlib.sha256(f"{entry_id}\n{url}".encode("utf-8", "surrogatepass")).hexdigest()


def _is_reused(article: Article, namesake: KnownArticle) -> bool:
    """Whether a feed has given another article's identifier to this one.

    A publisher who rewrites an article may change its headline and with it its link, but then it keeps its date.
    """
    rewritten = article.published_at != article.first_seen_at and (
        abs(article.published_at - namesake.published_at) <= _SAME_MOMENT
    )
    return (
        not rewritten
        and _page(article.url) != _page(namesake.url)
        and text.words(article.title) != text.words(namesake.title)
    )


def _same_headline(
    article: Article, by_headline: defaultdict[str, list[KnownArticle]], at: datetime
) -> KnownArticle | None:
    """The stored article with this headline, unless it may be another day's of a column that is always called so."""
    words = text.words(article.title)
    if words not in by_headline or len(words.split()) < _FEWEST_WORDS:
        return None
    undated = article.published_at == article.first_seen_at
    for old in by_headline[words]:
        if undated or old.published_at == old.first_seen_at:
            if at - old.first_seen_at <= SAME_HEADLINE:
                return old
        elif abs(article.published_at - old.published_at) <= _SAME_MOMENT:
            return old
    return None


def _page(url: str) -> str:
    """What two spellings of one page's address have in common: feeds change http to https and leave out `www.`."""
    return url.partition("://")[2].removeprefix("www.")
