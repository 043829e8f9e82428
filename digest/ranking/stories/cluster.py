"""Articles on the same event become one story.

Two items for one event are better than one item hiding another, so doubt keeps articles apart. `same_story` is where
doubt ends: raising it splits. Its default was chosen by B-cubed on labelled business headlines of 47 days, formed day by
day (`bench/quality.py`): it gives a precision of 0.90 and a recall of 0.72 there, and at a precision of 0.95 recall is
0.61. The constants of `vectors`, `likeness` and `stories` were chosen on the same headlines, in round numbers, where
both halves of the days agreed, and read against a week of real feeds with summaries.

The way there: `terms` reads an article, `rarity` learns from all of them, `vectors` weighs, `likeness` compares the pairs that
share something rare, `agglomeration` joins, `lead` says which article speaks for a story, and `stories` keeps it all.
"""

from collections import deque
from collections.abc import Sequence

from digest.config import Ranking
from digest.model import Article, Story
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.stories import Stories
from digest.ranking.stories.terms import read


def formed(articles: Sequence[Article], settings: Ranking) -> Stories:
    """The articles as stories that can be kept up to date, by the rarity that these articles teach."""
    readings = deque(map(read, articles))
    stories = Stories(settings, Rarity.of_readings(readings))
    # Each reading is let go of as soon as there is a vector in its place, so that both are never there at once.
    stories.add_readings((article, readings.popleft()) for article in articles)
    return stories


def cluster(articles: Sequence[Article], settings: Ranking) -> list[Story]:
    """Group articles into stories; every article is in exactly one, and their order does not matter.

    Articles of different languages never meet; titles of the same five or more words always do. Stories come in the order
    of their earliest article, and each story's lead comes first.
    """
    return formed(articles, settings).stories()
