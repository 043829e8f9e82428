from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Ranking
from digest.home import read_topics
from digest.model import Story, Term, Topic
from digest.ranking.text import Words
from digest.ranking.topics.matcher import Matcher
from tests.ranking.articles import QUICK, article

INFLATION = Topic(
    "inflation", "Inflation", terms=(Term("consumer prices", 2), Term("inflation", 2), Term("prices", 0.5))
)
ENERGY = Topic("energy", "Energy", terms=(Term("oil prices", 2), Term("crude")), against=(Term("palm oil", 2),))
BANKS = Topic("central-banks", "Central banks", terms=(Term("Fed", 2), Term("rate cut", 2)))
MATCHER = Matcher((INFLATION, ENERGY, BANKS))

SLUGS = [
    *("central-banks", "currencies", "money-credit", "growth", "inflation", "jobs", "trade", "energy", "commodities"),
    *("deals", "earnings", "shipping", "public-finance", "markets", "banking", "property", "geopolitics", "other-news"),
]


def test_a_text_without_any_term_is_relevant_to_nothing() -> None:
    assert set(MATCHER.relevance(article(1, "City beat United in cup final")).values()) == {0.0}


def test_a_term_matches_in_any_ending_and_a_phrase_only_in_a_row() -> None:
    assert MATCHER.read(article(1, "Consumer price pressure grows")).words["inflation"] == ("consumer prices",)
    assert MATCHER.read(article(1, "Consumers ask what price is right")).words["inflation"] == ("prices",)


def test_a_hyphen_does_not_part_a_phrase_from_its_term() -> None:
    assert MATCHER.relevance(article(1, "Oil-price shock"))["energy"] > 0


def test_the_longest_phrase_keeps_its_words_from_shorter_terms() -> None:
    relevance = MATCHER.relevance(article(1, "Oil prices jump"))
    assert relevance["energy"] > 0
    assert relevance["inflation"] == 0


def test_a_term_with_a_capital_matches_only_a_word_with_one() -> None:
    assert MATCHER.relevance(article(1, "Officials at the Fed wait"))["central-banks"] > 0
    assert MATCHER.relevance(article(1, "FED SETS REPURCHASES"))["central-banks"] > 0
    assert MATCHER.relevance(article(1, "Officials are fed up"))["central-banks"] == 0


def test_a_term_against_takes_evidence_away_and_never_below_nothing() -> None:
    plain = MATCHER.relevance(article(1, "Crude output falls"))["energy"]
    against = MATCHER.relevance(article(1, "Crude palm oil output falls"))["energy"]
    assert plain > against == 0


def test_the_title_says_more_than_a_category_and_a_category_more_than_the_summary() -> None:
    title = MATCHER.relevance(article(1, "Inflation"))["inflation"]
    category = MATCHER.relevance(article(1, "Figures", categories=("Inflation",)))["inflation"]
    summary = MATCHER.relevance(article(1, "Figures", summary="Inflation."))["inflation"]
    assert title > category > summary > 0


def test_a_feeds_own_topics_speak_a_little() -> None:
    silent = MATCHER.relevance(article(1, "Governor speaks in Oslo", topics=("central-banks",)))
    spoken = MATCHER.relevance(article(1, "Rate cut in Oslo"))
    assert 0 < silent["central-banks"] < spoken["central-banks"] / 2


def test_a_rival_topic_lowers_relevance() -> None:
    alone = MATCHER.relevance(article(1, "Inflation slows"))["inflation"]
    rivalled = MATCHER.relevance(article(1, "Inflation slows, rate cut near"))["inflation"]
    assert alone > rivalled


def test_an_article_is_matched_in_the_stems_of_its_language() -> None:
    matcher = Matcher((Topic("prices", "Prices", terms=(Term("Verbraucherpreise"), Term("inflation"))),))
    german = article(1, "Anstieg des Verbraucherpreises", language="de-AT")
    assert matcher.relevance(german)["prices"] > 0
    assert matcher.relevance(article(1, "Inflation steigt", language="de"))["prices"] > 0


def test_a_chinese_term_is_found_inside_a_sentence() -> None:
    matcher = Matcher((Topic("inflation", "Inflation", terms=(Term("通货膨胀"),)),))
    assert matcher.relevance(article(1, "德国通货膨胀率下降", language="zh"))["inflation"] > 0
    assert matcher.relevance(article(1, "德国出口下降", language="zh"))["inflation"] == 0


def test_a_story_is_as_relevant_as_its_articles_are_on_average() -> None:
    about, beside = article(1, "Inflation slows"), article(2, "Pope visits Milan")
    both = MATCHER.relevance(Story((about, beside)))["inflation"]
    assert 0 < both < MATCHER.relevance(about)["inflation"]


def test_terms_are_told_as_the_editor_wrote_them_the_strongest_first() -> None:
    read = MATCHER.read(article(1, "Inflation: consumer price index", summary="Prices rose."))
    assert read.words["inflation"] == ("consumer prices", "inflation", "prices")


@QUICK
@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from(("en", "de", "zh", "ja", "xx", "")))
def test_relevance_is_from_zero_to_one_whatever_the_text(title: str, summary: str, language: str) -> None:
    read = MATCHER.read(article(1, title, summary=summary, language=language))
    assert set(read.relevance) == {"inflation", "energy", "central-banks"}
    assert all(0 <= value <= 1 for value in read.relevance.values())


@QUICK
@given(
    st.lists(st.sampled_from(("inflation", "crude", "rate", "cut", "consumer", "prices", "oil", "the")), max_size=12)
)
def test_one_more_term_for_a_topic_never_lowers_it_when_no_other_gains(words: list[str]) -> None:
    matcher = Matcher((INFLATION,))
    text = " ".join(words)
    before = matcher.relevance(article(1, text))["inflation"]
    after = matcher.relevance(article(1, f"{text} . inflation"))["inflation"]
    assert after >= before


@pytest.fixture(scope="module")
def starter() -> tuple[Topic, ...]:
    return read_topics(Path(str(files("digest").joinpath("starter", "topics.toml"))))


def test_the_starter_topics_load_without_a_fault_and_have_the_slugs_others_rely_on(starter: tuple[Topic, ...]) -> None:
    assert [topic.slug for topic in starter] == SLUGS
    assert all(topic.description and 25 <= len(topic.terms) <= 110 for topic in starter)
    assert [topic.slug for topic in starter if topic.weight == 0] == ["other-news"]


@pytest.mark.parametrize(
    ("title", "no_topic"),
    [
        ("Airstrikes hit energy infrastructure near the front line", "energy"),
        ("Army reports precision strike on energy depot", "energy"),
        ("Newspaper's CEO steps down after layoffs", "jobs"),
        ("When to expect an income tax refund", "public-finance"),
        ("NATO shakes up its military command", "geopolitics"),
        ("Activist convicted under national security law", "geopolitics"),
        ("Defence partnership grows with a survey vessel", "shipping"),
    ],
)
def test_the_starter_topics_leave_out_what_only_sounds_like_them(
    starter: tuple[Topic, ...], title: str, no_topic: str
) -> None:
    assert Matcher(starter).relevance(article(1, title))[no_topic] < Ranking().focus


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("Drone attack halts refinery, oil exports fall", "energy"),
        ("Ministry orders coal power to stay on the grid", "energy"),
        ("Brewer announces layoffs, 6,000 job cuts", "jobs"),
        ("Income tax revenue falls short of budget", "public-finance"),
        ("NATO members raise defence spending under sanctions", "geopolitics"),
        ("Freight rates rise as vessels wait at the canal", "shipping"),
    ],
)
def test_the_starter_topics_still_take_what_is_theirs(starter: tuple[Topic, ...], title: str, topic: str) -> None:
    relevance = Matcher(starter).relevance(article(1, title))
    assert max(relevance, key=lambda slug: relevance[slug]) == topic


def test_no_starter_topic_has_two_terms_of_the_same_stems(starter: tuple[Topic, ...]) -> None:
    words = Words()
    for topic in starter:
        stems = [tuple(word.stem for word in words.split(term.text, "en")) for term in (*topic.terms, *topic.against)]
        assert all(stems), f"{topic.slug} has a term without a word"
        assert not [one for one, count in Counter(stems).items() if count > 1], topic.slug


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("ECB Unlikely to React to Short-Lived Slowdown in Inflation, Nagel Says", "central-banks"),
        ("Yen falls to 38-year low against the dollar, Tokyo warns of intervention", "currencies"),
        ("China's new bank loans rebound as credit growth picks up", "money-credit"),
        ("Singapore economy grows 5 pct in 2025, outlook for 2026 upgraded", "growth"),
        ("UK inflation falls to 2.3% as food prices ease", "inflation"),
        ("US jobless claims rise to highest since August", "jobs"),
        ("US cuts Bangladesh tariffs to 19% in trade deal", "trade"),
        ("Oil prices jump 4% as OPEC+ delays output increase", "energy"),
        ("Copper hits record high on mine disruption", "commodities"),
        ("Carlyle agrees to buy software maker in $4 billion takeover", "deals"),
        ("WHITTAKER CORP 1ST QTR OPER SHR 17 CTS VS 25 CTS", "earnings"),
        ("Freight rates double as tankers avoid the Suez Canal", "shipping"),
        ("Budget deficit widens as tax revenue falls short", "public-finance"),
        ("Nikkei and S&P 500 slide in global stock market sell-off", "markets"),
        ("Regulators raise capital requirements after bank failure", "banking"),
        ("House prices fall as mortgage rates climb", "property"),
        ("EU agrees new sanctions on Russia", "geopolitics"),
    ],
)
def test_the_starter_topics_file_a_headline_where_an_editor_would(
    starter: tuple[Topic, ...], title: str, slug: str
) -> None:
    relevance = Matcher(starter).relevance(article(1, title))
    assert max(relevance, key=lambda one: relevance[one]) == slug


@pytest.mark.parametrize(
    "title",
    [
        "Lindsey Vonn's Olympic comeback ends after crash",
        "Norway wins third gold medal in Milan",
        "Catherine O'Hara's cause of death revealed",
        "Officials are fed up with pitch invaders",
    ],
)
def test_sport_and_celebrities_speak_to_no_starter_topic(starter: tuple[Topic, ...], title: str) -> None:
    relevance = Matcher(starter).relevance(article(1, title))

    assert max(relevance[topic.slug] for topic in starter if topic.weight) < Ranking.focus


@pytest.mark.parametrize(
    "title",
    [
        "French police arrest five over crypto-linked magistrate kidnapping",
        "Passenger ferry capsizes on Nile River in Sudan, leaving at least 15 people dead",
        "Singer sells rights to her music catalogue in reported deal",
        "Opposition politician under house arrest, son says",
        "White House adviser resigns",
        "US House votes to end shutdown of border agency",
    ],
)
def test_news_of_other_kinds_with_a_word_of_a_topic_is_no_story_about_it(
    starter: tuple[Topic, ...], title: str
) -> None:
    relevance = Matcher(starter).relevance(article(1, title))

    assert max(relevance[topic.slug] for topic in starter if topic.weight) < Ranking.focus
