"""One publisher is one, whichever way its articles come."""

from dataclasses import replace

from digest.model import Article, Feed
from digest.ranking.publishers import named
from digest.ranking.rank import rank
from tests.ranking.articles import NOW, article
from tests.ranking.test_rank import SETTINGS, TOPICS

POOL = Feed("https://pool.example/feed", "The Pool")


def own(number: int, publisher: str, url: str) -> Article:
    return replace(article(number, "ECB cuts interest rates", publisher), url=url)


def gathered(number: int, site: str, url: str) -> Article:
    return replace(article(number, "ECB cuts interest rates", site), url=url, feed=POOL)


def test_a_site_has_the_name_of_the_publisher_whose_feed_is_at_home_there() -> None:
    articles = [
        gathered(1, "ft.example", "https://www.ft.example/a"),
        own(2, "Financial Times", "https://www.ft.example/b"),
        gathered(3, "markets.ft.example", "https://markets.ft.example/c"),
        gathered(4, "other.example", "https://other.example/d"),
    ]

    assert [one.publisher for one in named(articles)] == [
        *("Financial Times", "Financial Times", "Financial Times", "other.example")
    ]


def test_a_publisher_that_its_feed_names_keeps_its_name_wherever_its_articles_stand() -> None:
    articles = [
        own(1, "Financial Times", "https://www.ft.example/a"),
        gathered(2, "Reuters", "https://www.ft.example/b"),
    ]

    assert [one.publisher for one in named(articles)] == ["Financial Times", "Reuters"]


def test_a_common_ending_of_sites_is_nobodys_home() -> None:
    articles = [
        own(1, "The Post", "https://post.co.example/a"),
        gathered(2, "mail.co.example", "https://mail.co.example/b"),
    ]

    assert [one.publisher for one in named(articles)] == ["The Post", "mail.co.example"]


def test_coverage_counts_a_publisher_once_whichever_way_its_articles_come() -> None:
    articles = [
        own(1, "Financial Times", "https://www.ft.example/a"),
        gathered(2, "ft.example", "https://ft.example/b"),
    ]

    (one,) = rank(articles, TOPICS, SETTINGS, NOW)

    assert one.story.publishers == ("Financial Times",)


def test_a_feed_that_links_to_all_the_world_is_at_home_nowhere() -> None:
    links = [own(number, "Link Blog", f"https://{site}.example/{number}") for number, site in enumerate("abcd", 1)]
    articles = [*links, gathered(9, "a.example", "https://a.example/9")]

    assert named(articles)[-1].publisher == "a.example"
