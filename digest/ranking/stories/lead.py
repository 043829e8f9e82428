"""Which article of a story we send a reader to."""

import re
from collections import defaultdict
from collections.abc import Sequence

from digest.model import Article
from digest.ranking.form import form

CENTRAL = 0.75
"""A lead is at least this share as near to its story's centre as the nearest article."""
SUMMARY_LETTERS = 60
"""A summary that tells more than the headline has at least so many letters."""

_BARRED = re.compile(
    r"^\W*(?:subscribers?[ -]only|premium|exclusive to subscribers|paywall|members?[ -]only|locked)\b"
    r"|[\[(](?:paywall(?:ed)?|subscribers?[ -]only|premium|\$)[\])]",
    re.IGNORECASE,
)
_TAGGED = re.compile(
    r"^(?:update|wrapup|wrap|rpt|refile|corrected|correction|updated|urgent)\b\s*\d{0,2}\s*[-:–—]", re.IGNORECASE
)


def lead_first(articles: Sequence[Article], nearness: Sequence[int]) -> list[Article]:
    """Order a story's articles so that the best one to read comes first.

    Each of these decides only between articles that all before it leave equal:

    1. a report before an opinion, a live page, a list and other forms (see `form`);
    2. one that everybody can read before one whose title says that it is for subscribers;
    3. one near the story's centre before one at its edge;
    4. a plain statement before a question;
    5. the weightier feed;
    6. one with a summary, without which an edition has nothing to show;
    7. the original before its copies: where several publishers have the same title, the one that the others credit,
       else the first;
    8. a summary of some length;
    9. a clean title before one with a wire's tag ("UPDATE 2-");
    10. a picture;
    11. the earliest.

    Args:
        articles: the story's, in any order.
        nearness: how near each is to the story's centre, in any unit.
    """
    central = CENTRAL * max(nearness)
    originals = _originals(articles)

    def order(place: int) -> tuple[object, ...]:
        article = articles[place]
        return (
            bool(form(article)),
            bool(_BARRED.search(article.title)),
            nearness[place] < central,
            article.title.rstrip().endswith("?"),
            -article.feed.weight,
            not article.summary,
            place not in originals,
            len(article.summary) < SUMMARY_LETTERS,
            bool(_TAGGED.match(article.title)),
            article.image is None,
            *canonical(article),
        )

    return [articles[place] for place in sorted(range(len(articles)), key=order)]


def canonical(article: Article) -> tuple[object, ...]:
    """Earliest first, and an order among those of one moment that does not depend on how they came."""
    return (
        article.published_at,
        article.id,
        article.url,
        article.entry_id,
        article.title,
        article.publisher,
        article.feed.url,
        article.fingerprint,
    )


def _originals(articles: Sequence[Article]) -> frozenset[int]:
    """The places of the articles that are nobody's copy."""
    same: dict[str, list[int]] = defaultdict(list)
    for place, article in enumerate(articles):
        same[" ".join(article.title.lower().split())].append(place)
    return frozenset(
        places[0] if len(places) == 1 else _original([(articles[place], place) for place in places])
        for places in same.values()
    )


def _original(copies: Sequence[tuple[Article, int]]) -> int:
    """The place of the article whose publisher most others credit, as their author or in the summary; else the first."""
    credit_lines = [f"{article.author} {article.summary}".lower() for article, _ in copies]
    credited = {
        publisher: sum(publisher.lower() in line for line in credit_lines)
        for publisher in {article.publisher for article, _ in copies}
    }
    return min(copies, key=lambda copy: (-credited[copy[0].publisher], canonical(copy[0])))[1]
