"""What ran does not run again."""

from collections.abc import Collection, Iterable

from digest.model import Ranked


def unseen(ranked: Iterable[Ranked], ran_article_ids: Collection[int]) -> list[Ranked]:
    """Those stories of which no article was in an earlier edition of the digest, in the order given.

    One shared article is enough: a story that ran and was joined by new articles is still the story that ran.
    """
    ran = frozenset(ran_article_ids)
    return [one for one in ranked if ran.isdisjoint(article.id for article in one.story.articles)]
