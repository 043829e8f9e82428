"""The sample day forms the stories that its writers meant: each event once, and two events never as one."""

from datetime import timedelta

from digest.config import Ranking
from digest.demo import samples
from digest.feeds.cleaning.clean import clean_all
from digest.feeds.habits import learned
from digest.feeds.outcomes import Parsed
from digest.feeds.reading.parse import parse
from digest.model import Article, Feed, Habits
from digest.ranking.stories.cluster import cluster
from tests.conftest import NOW


def articles() -> list[Article]:
    documents = samples.feeds(NOW)
    found: list[Article] = []
    for source in samples.SOURCES:
        feed = Feed(f"https://feeds.example/{source.file}", source.publisher, source.weight, source.language)
        parsed = parse(documents[source.file], feed.url, "application/xml", 500)
        assert isinstance(parsed, Parsed)
        found.extend(clean_all(parsed, feed, learned(Habits(), parsed, feed, NOW), NOW).articles)
    return [article for article in found if article.published_at > NOW - timedelta(hours=36)]


def test_events_of_different_countries_stay_apart_and_those_of_one_come_together() -> None:
    stories = [" | ".join(article.title for article in story.articles) for story in cluster(articles(), Ranking())]

    def story_of(words: str) -> str:
        (found,) = (titles for titles in stories if words in titles)
        return found

    assert "ECB" not in story_of("Norland cuts key interest rate")
    assert "Turkish" not in story_of("U.S. inflation slows to 2.6%")
    assert "U.S. mortgage rate" not in story_of("China's housing slump")
    for one, other in (
        ("Norland cuts key interest rate", "Norland’s central bank lowers rate"),
        ("ECB holds rates", "European Central Bank leaves deposit rate"),
        ("U.S. inflation slows to 2.6%", "US inflation cools to 2.6%"),
        ("EU and Thailand conclude", "Brussels and Bangkok seal"),
        ("OPEC+ agrees to raise", "OPEC+ opts for another supply increase"),
        ("Aldermere Foods to buy Brackwell", "Brackwell shares jump 27%"),
    ):
        assert story_of(one) == story_of(other)
    assert max(titles.count(" | ") for titles in stories) < 8
