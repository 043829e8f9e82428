"""Articles for the tests of ranking, with as little said about each as the test needs."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from digest.model import Article, Feed

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
QUICK = settings(max_examples=40, deadline=None)


def article(
    number: int,
    title: str,
    publisher: str = "Reuters",
    *,
    summary: str = "",
    hours: float = 3.0,
    weight: float = 1.0,
    topics: tuple[str, ...] = (),
    language: str = "en",
    path: str = "business",
    categories: tuple[str, ...] = (),
) -> Article:
    """An article whose id is `number`, published `hours` before NOW."""
    moment = NOW - timedelta(hours=hours)
    url = f"https://news.example/{path}/{number}"
    feed = Feed(f"https://news.example/{publisher}.xml", publisher, weight=weight, topics=topics)
    return Article(
        entry_id=url,
        url=url,
        title=title,
        summary=summary,
        publisher=publisher,
        published_at=moment,
        first_seen_at=moment,
        feed=feed,
        fingerprint=url,
        language=language,
        categories=categories,
        id=number,
    )


_PARTS = (
    ("Fed", "ECB", "Bank of Japan", "OPEC", "Volkswagen", "Nvidia", "Germany", "Toyota", "Siemens", "Brazil"),
    ("cuts", "raises", "expects", "warns of", "reports", "plans", "denies", "delays"),
    ("interest rates", "oil output", "a merger with Airbus", "record profit", "tariffs on steel", "higher inflation"),
    ("after surprise vote", "in March", "as demand weakens", "by 25 basis points", "despite protests", ""),
)


def pools(most: int = 24) -> st.SearchStrategy[list[Article]]:
    """Lists of articles with wire-like titles, many of them on the same event, each with its own id."""
    titles = st.tuples(*(st.sampled_from(part) for part in _PARTS)).map(lambda parts: " ".join(parts).strip())
    one = st.tuples(
        titles, st.sampled_from(("Reuters", "AP", "FT", "BBC")), st.integers(0, 40), st.sampled_from(("en", "de"))
    )
    return st.lists(one, max_size=most).map(
        lambda rows: [
            article(number, title, publisher, hours=hours, language=language)
            for number, (title, publisher, hours, language) in enumerate(rows, 1)
        ]
    )
