"""What ranking finds in a newsroom's worth of generated articles, pinned, so that making it faster changes nothing."""

import random
from collections.abc import Iterator
from hashlib import sha256

from digest.config import Ranking
from digest.model import Article
from digest.ranking.rank import best_first, rank
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import TOPICS

PINNED = {
    "stories": "0789fb8d7a798689",
    "points": "706719672b10fc0d",
    "reasons": "a10e6f1b8c9897d0",
    "topics": "ee7d87a3e1037254",
    "kin": "0cb01b68f1f0970f",
}

_WHO = (
    *("Fed", "ECB", "European Central Bank", "Bank of Japan", "OPEC", "Volkswagen", "Nvidia", "General Motors", "GM"),
    *(
        "Germany",
        "German carmakers",
        "Toyota",
        "Siemens",
        "Brazil",
        "New York Times",
        "U.S. Treasury",
        "Hong Kong banks",
    ),
    *("Dollar", "European shares", "Oil", "Gold prices", "AT&T", "Powell", "Lagarde", "Kenya's parliament", "Maersk"),
)
_DOES = (
    *("cuts", "raises", "expects", "warns of", "reports", "plans", "denies", "delays", "slips on", "rises after"),
    *("approves", "rejects", "sues over", "to weigh"),
)
_WHAT = (
    *("interest rates", "oil output", "a merger with Airbus", "record profit", "tariffs on steel", "higher inflation"),
    *(
        "3,000 jobs",
        "its forecast for 2026",
        "a 1.5% levy",
        "the sale of its Dresden plant",
        "bond purchases",
        "new rules",
    ),
)
_WHEN = (
    "after surprise vote",
    "in March",
    "as demand weakens",
    "by 25 basis points",
    "despite protests",
    "",
    "– sources",
)
_BEFORE = ("", "", "", "", "UPDATE 2-", "Live: ", "Opinion: ", "Explainer: ", "“No rush”: ")


_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def _articles(count: int = 500) -> Iterator[Article]:
    """Headlines as wires write them, of events that several retell in part, some with summaries."""
    chance = random.Random(7)
    names = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).capitalize() for _ in range(900)]
    events: list[list[str]] = []
    for number in range(1, count + 1):
        if not events or chance.random() < 0.6:
            subject = chance.choice((chance.choice(_WHO), f"{chance.choice(names)} Holdings", chance.choice(names)))
            object_ = f"{chance.choice(_WHAT)} {chance.choice(('at', 'in', 'with'))} {chance.choice(names)}"
            events.append(
                [
                    subject,
                    chance.choice(_DOES),
                    object_,
                    chance.choice(_WHEN),
                    " ".join(chance.sample(names, 2)).lower(),
                ]
            )
        who, does, what, when, detail = chance.choice(events[-150:])
        if chance.random() < 0.3:
            does, when = chance.choice(_DOES), chance.choice(_WHEN)
        title = f"{chance.choice(_BEFORE)}{who} {does} {detail} {what} {when}".strip()
        summary = ""
        if chance.random() < 0.4:
            summary = (
                f"{who} {does} {what}, officials said. {chance.choice(names)} {chance.choice(_DOES)} {detail} {when}."
            )
        yield article(
            number,
            title.title() if chance.random() < 0.2 else title,
            chance.choice(("Reuters", "AP", "FT", "BBC", "CNBC", "AFP", "Nikkei", "DW")),
            summary=summary,
            hours=chance.randrange(48 * 60) / 60,
            weight=chance.choice((1.0, 1.0, 1.5)),
            topics=chance.choice(((), (), ("energy",))),
            language=chance.choice(("en", "en", "en", "en-GB", "de")),
            categories=chance.choice(((), ("Oil",), ("Opinion",))),
        )


def test_ranking_the_generated_articles_finds_what_it_found_before() -> None:
    """Each digest stands for one side of the result, points to nine places.

    Where a change is meant to change results, put the digests in `PINNED` that the failing test shows; where it is meant
    to be faster alone, it is wrong.
    """
    # Python 3.12 adds floats up more exactly than 3.11, so that the last bit must not decide what comes first.
    ranked = sorted(
        rank(list(_articles()), TOPICS, Ranking(), NOW), key=lambda one: (round(-one.score, 9), best_first(one)[1:])
    )
    sides = {
        "stories": [[one.id for one in each.story.articles] for each in ranked],
        "points": [[(one.name, round(one.points, 9)) for one in each.receipt.factors] for each in ranked],
        "reasons": [[one.because for one in each.receipt.factors] for each in ranked],
        "topics": [(each.topic, sorted(each.topics.items())) for each in ranked],
        "kin": [each.kin for each in ranked],
    }
    assert {name: sha256(repr(side).encode()).hexdigest()[:16] for name, side in sides.items()} == PINNED
    assert max(len(each.story.articles) for each in ranked) > 3
    assert any(each.kin for each in ranked)
