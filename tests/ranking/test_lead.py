from dataclasses import replace

import pytest

from digest.model import Article, Image
from digest.ranking.stories.lead import lead_first
from tests.ranking.articles import article

TITLE = "ECB cuts interest rates for first time in five years"
TOLD = "The European Central Bank lowered its deposit rate by a quarter point to 3.75 percent."


def lead(*articles: Article, nearness: tuple[int, ...] = ()) -> int:
    return lead_first(articles, nearness or (1,) * len(articles))[0].id


@pytest.mark.parametrize(
    "worse",
    [
        article(1, f"Opinion: {TITLE}", summary=TOLD, weight=2, hours=9),
        article(1, f"Subscriber only: {TITLE}", summary=TOLD, weight=2, hours=9),
        article(1, f"{TITLE} (Paywall)", summary=TOLD, weight=2, hours=9),
        article(1, "Will the ECB's rate cut be followed by others?", summary=TOLD, weight=2, hours=9),
        article(1, "ECB lowers rates", summary=TOLD, weight=0.5, hours=9),
        article(1, "ECB lowers rates", hours=9),
        article(1, "ECB lowers rates", summary="Rates fall.", hours=9),
        article(1, f"UPDATE 2-{TITLE}", summary=TOLD, hours=9),
    ],
)
def test_what_serves_a_reader_worse_does_not_lead_though_it_came_first(worse: Article) -> None:
    better = article(2, TITLE, "AP", summary=TOLD)
    assert lead(worse, better) == 2
    assert lead(better, worse) == 2


def test_an_article_at_the_edge_of_its_story_does_not_lead_even_from_the_weightiest_feed() -> None:
    edge = article(1, "Euro slips", summary=TOLD, weight=2)
    assert lead(edge, article(2, TITLE, summary=TOLD), nearness=(70, 100)) == 2
    assert lead(edge, article(2, TITLE, summary=TOLD), nearness=(80, 100)) == 1


def test_the_first_of_several_same_titles_leads_the_copies() -> None:
    first = article(2, TITLE, "AP", summary=TOLD, hours=5)
    picture = replace(article(1, TITLE, "Daily", summary=TOLD), image=Image("https://news.example/1.jpg"))
    assert lead(picture, first) == 2


def test_the_publisher_whom_the_copies_credit_is_the_original_even_if_it_came_later() -> None:
    copies = [
        replace(article(number, TITLE, name, summary=TOLD, hours=9), author="Reuters")
        for number, name in ((1, "Daily"), (2, "Herald"))
    ]
    assert lead(*copies, article(3, TITLE, "Reuters", summary=TOLD)) == 3


def test_a_picture_decides_between_equals_and_then_the_earliest() -> None:
    plain = article(1, TITLE, summary=TOLD, hours=9)
    picture = replace(article(2, f"{TITLE}, analysts say", summary=TOLD), image=Image("https://news.example/2.jpg"))
    assert lead(plain, picture) == 2
    assert lead(plain, article(3, f"{TITLE}, analysts say", summary=TOLD)) == 1
