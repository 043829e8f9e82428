"""Terms are found where the simplest method finds them, and nowhere else."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model import Term, Topic
from digest.ranking.text import Words
from digest.ranking.topics.matcher import Matcher
from digest.ranking.topics.term_index import TermIndex, english_beginning
from tests.ranking import simple_topics
from tests.ranking.articles import QUICK, article

TOPICS = (
    Topic("inflation", "Inflation", terms=(Term("consumer prices", 2), Term("inflation", 2), Term("prices", 0.5))),
    Topic(
        "energy", "Energy", terms=(Term("oil prices", 2), Term("crude"), Term("gas")), against=(Term("palm oil", 2),)
    ),
    Topic(
        "central-banks",
        "Central banks",
        terms=(Term("Fed", 2), Term("rate cut"), Term("cuts rates"), Term("Bank of England"), Term("BoE"), Term("M-1")),
        against=(Term("rate"),),
    ),
    Topic("markets", "Markets", terms=(Term("IPO"), Term("S&P 500"), Term("U.S. dollar"), Term("the euro"))),
    Topic(
        "jobs",
        "Jobs",
        terms=(Term("hiring"), Term("tied"), Term("trying"), Term("prices"), Term("Löhne"), Term("物価")),
    ),
)
LANGUAGES = ("en", "en-GB", "de", "fr", "ar", "tr", "zh", "ja", "xx", "")
PARTS = (
    *("consumer", "Consumer", "prices", "price", "pricing", "oil", "OIL", "palm", "crude", "gases", "Fed", "FED", "Feds"),
    *("fed", "rate", "rates", "cut", "cuts", "Bank", "bank", "of", "England", "BoE", "Boeing", "M-1", "M1", "IPO", "IPOs"),
    *("IPOS", "ipos", "S&P", "500", "U.S.", "US", "dollars", "the", "The", "euro", "hire", "hiring", "tying", "tie", "try"),
    *("tries", "Löhne", "Lohn", "物価上昇", "日本の物価", "inflation", "Inflations", "'", "’s", "'s", "-", ".", ",", "“", "(", "…"),
)  # fmt: skip
TEXTS = st.lists(
    st.tuples(st.sampled_from(PARTS), st.sampled_from((" ", " ", " ", "", "\u00a0", "\n", "-"))), max_size=9
)


def written(parts: list[tuple[str, str]]) -> str:
    return "".join(f"{part}{gap}" for part, gap in parts)


@given(st.one_of(TEXTS.map(written), st.text(max_size=60)), st.sampled_from(("en", "de", "ja", "")))
@example("a.b’s A.B.'s 1.5's x&y- ｗｉｄｅ ﬁne´s e\u0301a \u0301b _c_", "en")
def test_a_text_is_parted_into_the_words_that_split_finds(text: str, language: str) -> None:
    assert TermIndex(TOPICS, language).words(text) == [word.text for word in Words().split(text, language)]


@QUICK
@given(TEXTS.map(written), st.sampled_from(LANGUAGES))
def test_every_term_that_stands_in_a_text_is_found(text: str, language: str) -> None:
    found = Counter(
        (start, end, entry.topic, entry.text, entry.weight)
        for start, end, entry in TermIndex(TOPICS, language).matches(text)
    )

    assert found == Counter(
        (start, end, topic, term.text, sign * term.weight)
        for start, end, topic, term, sign in simple_topics.matches(TOPICS, text, language)
    )


@QUICK
@given(TEXTS.map(written), TEXTS.map(written), st.lists(TEXTS.map(written), max_size=2), st.sampled_from(LANGUAGES))
def test_topics_are_read_as_the_simplest_method_reads_them(
    title: str, summary: str, categories: list[str], language: str
) -> None:
    one = article(1, title, summary=summary, categories=tuple(categories), language=language, topics=("energy", "gone"))

    assert Matcher(TOPICS).relevance(one) == pytest.approx(simple_topics.relevance(TOPICS, one), abs=1e-12)


ENDINGS = (
    *("", "s", "es", "ies", "ied", "ed", "ing", "ingly", "edly", "eed", "y", "i", "al", "ance", "er", "ic", "able", "ible"),
    *("ement", "ment", "ism", "ate", "iti", "ity", "ous", "ive", "ize", "ion", "tional", "enci", "ably", "entli", "izer"),
    *("ization", "ation", "ator", "alism", "fulness", "iveness", "iviti", "bility", "bli", "ogist", "ogi", "lessly", "ly"),
    *("icate", "ical", "ness", "ative", "e", "l", "ll", "ye", "ying", "yed", "sky", "skies", "rating", "hopping", "'"),
)  # fmt: skip


@given(st.text("aeiouybcdlnrst", max_size=5), st.lists(st.sampled_from(ENDINGS), max_size=3).map("".join))
@example("d", "ying")
@example("sk", "ies")
def test_every_english_word_begins_as_its_stem_says(beginning: str, ending: str) -> None:
    word = beginning + ending
    stem = Words().stem(word, "en")

    assert word.startswith(english_beginning(stem)) if stem else not word.isalpha()


@pytest.mark.parametrize(
    ("term", "text", "stands"),
    [
        ("Fed", "The Fed waits", True),
        ("Fed", "FED WAITS", True),
        ("Fed", "The Fed's wait", True),
        ("Fed", "Feds arrest a banker", False),
        ("BoE", "Boeing waits", False),
        ("EPS", "Episode 4 (Ep 4)", False),
        ("IPO", "A year of IPOs", True),
        ("REIT", "REITs fall", True),
        ("Dow Jones", "Dow Jones falls", True),
        ("Chancellor", "Two Chancellors", True),
        ("prices", "Pricing", True),
    ],
)
def test_a_short_name_or_an_abbreviation_stands_only_as_it_is_written(term: str, text: str, stands: bool) -> None:
    assert bool(TermIndex([Topic("one", "One", terms=(Term(term),))], "en").matches(text)) == stands


def test_a_german_noun_is_no_name_however_short() -> None:
    index = TermIndex([Topic("one", "One", terms=(Term("Bank"),))], "de")

    assert index.matches("Die Banken warnen")
