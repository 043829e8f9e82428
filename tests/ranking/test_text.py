import pytest

from digest.ranking.text import Words, family
from tests.ranking.articles import article


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("U.S. oil-price shock", ["US", "oil", "price", "shock"]),
        ("S&P 500 falls 1.5%, AT&T's too", ["S&P", "500", "falls", "1.5", "AT&T", "too"]),
        ("McDonald’s and Siemens' profit", ["McDonald", "and", "Siemens", "profit"]),
        ("中国央行 cuts", ["中国", "国央", "央行", "cuts"]),
        ("", []),
    ],
)
def test_a_text_is_split_into_its_words(text: str, words: list[str]) -> None:
    assert [word.text for word in Words().split(text, "en")] == words


def test_a_word_after_a_full_stop_or_colon_only_opens_a_sentence() -> None:
    words = Words().split("Live: Markets fall. Fed waits on Powell", "en")
    assert [word.text for word in words if word.opens] == ["Live", "Markets", "Fed"]


def test_a_language_without_a_stemmer_keeps_its_words() -> None:
    assert Words().stem("prices", "xx") == "prices"
    assert Words().stem("prices", "en") == "price"


def test_a_family_is_the_language_without_its_region() -> None:
    assert {family(tag) for tag in ("en", "en-GB", "EN_us", article(1, "x").language)} == {"en"}
