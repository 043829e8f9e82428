"""An invented edition that has all that one can have, to try templates on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from digest.model import (
    Coverage,
    Edition,
    Event,
    Item,
    Picture,
    Quote,
    Receipt,
    Reference,
    Update,
    Window,
)

DAY = date(2026, 2, 10)
PRESS = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
PICTURE = Picture("specimen.jpg", 552, 310, "A container ship leaves a harbour", "A. Photographer / Harbour Wire")
_TOPICS = ("trade", "energy", "energy", "prices", "")
_PUBLISHERS = ("Harbour Wire", "The Exchange Post", "Der Handelsbote", "Town & Market Daily", "Pacific Rim Courier")


def edition() -> Edition:
    """The specimen: a picture, an update, a week's days, others that cover a story, markets, and events of two days."""
    return Edition(
        digest="economy",
        title="The Economic Digest",
        date=DAY,
        window=Window(PRESS - timedelta(days=1), PRESS),
        items=tuple(_item(place) for place in range(1, 6)),
        shared=2,
        quotes=(
            Quote(
                "EUR/USD", "EUR/USD", Decimal("1.1742"), DAY - timedelta(days=1), Decimal("1.1672"), DAY, source="ECB"
            ),
            Quote("EUR/CNY", "EUR/CNY", Decimal("8.3427"), DAY - timedelta(days=7)),
        ),
        events=(
            Event("Retail sales", DAY, PRESS + timedelta(hours=3), "Statistics Norland"),
            Event("Consumer prices", DAY + timedelta(days=1)),
        ),
        coverage=Coverage(feeds=75, failed=2, articles=1974, publishers=68, newest=PRESS - timedelta(minutes=5)),
        topic_titles={"trade": "Trade", "energy": "Energy", "prices": "Prices"},
        published_at=PRESS,
    )


def _item(place: int) -> Item:
    others = tuple(
        Reference(publisher, f"How {publisher} tells story {place}", f"https://news.example/{place}/{number}")
        for number, publisher in enumerate(_PUBLISHERS)
        if number
    )
    return Item(
        place=place,
        story_id=f"s{place}",
        section=_TOPICS[place - 1],
        title=f"Story {place} is told & <weighed>",
        summary=f"What happened in story {place}, the number, and who says so." if place != 3 else "",  # noqa: PLR2004
        url=f"https://news.example/{place}",
        publisher=_PUBLISHERS[place - 1],
        published_at=PRESS - timedelta(hours=place),
        score=90.0 - place,
        receipt=Receipt(()),
        topics={},
        also=others if place < 4 else (),  # noqa: PLR2004
        language="de" if place == 3 else "en",  # noqa: PLR2004
        update=Update(DAY - timedelta(days=1), "a new figure") if place == 2 else None,  # noqa: PLR2004
        picture=PICTURE if place == 1 else None,
        ran=(DAY - timedelta(days=2), DAY - timedelta(days=1)) if place == 1 else (),
    )
