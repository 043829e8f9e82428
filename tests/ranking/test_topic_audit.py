"""An audit names what does nothing in the topics, exactly that, and says what to do."""

from digest.model import Article, Term, Topic
from digest.ranking.topics.audit import Audit, Finding, Kind, audit
from tests.ranking.articles import article

ENERGY = Topic("energy", "Energy", terms=(Term("crude"), Term("oil prices", 2)))
INFLATION = Topic("inflation", "Inflation", terms=(Term("inflation"), Term("cost of living")))
SHIPPING = Topic("shipping", "Shipping", terms=(Term("freight"), Term("tankers")))
# Every term of ENERGY and INFLATION decides the topic of an article, and either topic loses one at half its weight.
ARTICLES = [
    article(1, "Crude falls"),
    article(2, "Oil prices jump"),
    article(3, "Inflation slows"),
    article(4, "The cost of living rises"),
    article(5, "Crude inflation"),
    article(6, "Inflation follows oil prices"),
]


def kinds(found: Audit) -> list[tuple[Kind, str, str]]:
    return [(finding.kind, finding.topic, finding.term) for finding in found.findings]


def only(found: Audit, kind: Kind) -> Finding:
    (finding,) = [finding for finding in found.findings if finding.kind is kind]
    return finding


def test_of_topics_that_all_do_something_nothing_is_said() -> None:
    assert audit(ARTICLES, (ENERGY, INFLATION)) == Audit(6, ())


def test_a_topic_without_a_match_is_a_fault_said_once_and_not_for_each_of_its_terms() -> None:
    found = audit(ARTICLES, (ENERGY, INFLATION, SHIPPING))

    assert kinds(found) == [(Kind.NO_MATCH, "shipping", "")]
    assert found.findings[0].fault
    assert found.findings[0].sentence == (
        "Topic “Shipping” (shipping): none of its 2 terms stands in any of 6 articles. Add the words that headlines on it "
        "use, read a feed that reports on it, or take it out."
    )


def test_a_term_that_always_stands_inside_a_longer_one_is_named_with_that_one() -> None:
    prices = Topic("inflation", "Inflation", terms=(*INFLATION.terms, Term("prices")))
    found = audit(ARTICLES, (ENERGY, prices))

    assert kinds(found) == [(Kind.COVERED, "inflation", "prices")]
    assert not found.findings[0].fault
    assert found.findings[0].sentence == (
        "Term “prices” of inflation: in 2 of 6 articles, and each time its words go to another term, most often "
        "“oil prices” of energy. Delete it, or that one if it should not take its place."
    )


def test_a_dead_topic_and_a_shadowed_term_are_reported_together_and_nothing_else() -> None:
    prices = Topic("inflation", "Inflation", terms=(*INFLATION.terms, Term("prices")))

    assert kinds(audit(ARTICLES, (ENERGY, SHIPPING, prices))) == [
        (Kind.NO_MATCH, "shipping", ""),
        (Kind.COVERED, "inflation", "prices"),
    ]


def test_a_term_that_counts_once_by_itself_is_not_always_covered() -> None:
    prices = Topic("inflation", "Inflation", terms=(*INFLATION.terms, Term("prices")))

    assert kinds(audit([*ARTICLES, article(7, "Prices rise")], (ENERGY, prices))) == []


def test_a_term_that_was_never_found_is_named() -> None:
    deflation = Topic("inflation", "Inflation", terms=(*INFLATION.terms, Term("deflation")), against=(Term("tyre"),))
    found = audit(ARTICLES, (ENERGY, deflation))

    assert kinds(found) == [(Kind.NEVER_FOUND, "inflation", "deflation"), (Kind.NEVER_FOUND, "inflation", "tyre")]
    assert found.findings[1].sentence.startswith("Term “tyre” against inflation: in none of 6 articles.")


def test_a_topic_that_always_says_less_than_another_is_named_with_its_rival() -> None:
    oil = Topic("oil", "Oil", weight=0.1, terms=(Term("crude"), Term("jump")))
    finding = only(audit(ARTICLES, (ENERGY, INFLATION, oil)), Kind.NEVER_FIRST)

    assert (finding.topic, finding.found_in) == ("oil", 3)
    assert "each says more for another topic, most often energy" in finding.sentence


def test_a_topic_with_no_rival_is_told_that_its_weight_moves_no_story_into_it() -> None:
    finding = only(audit(ARTICLES[2:4], (INFLATION,)), Kind.WEIGHT)

    assert finding.sentence.startswith(
        "Topic “Inflation” (inflation): it gets the same 2 of 2 articles with half its weight of 1 as with twice."
    )


def test_a_term_of_two_topics_and_one_for_and_against_the_same_are_named() -> None:
    other = Topic(
        "markets", "Markets", terms=(Term("crude"), Term("shares"), Term("share")), against=(Term("sharing"),)
    )
    found = audit([], (ENERGY, other))

    assert kinds(found) == [
        (Kind.FOR_AND_AGAINST, "markets", "shares"),
        (Kind.FOR_AND_AGAINST, "markets", "share"),
        (Kind.TWO_TOPICS, "energy", "crude"),
    ]
    assert "it stands in markets as well" in found.findings[2].sentence


def test_a_term_on_which_no_articles_topic_depends_is_named() -> None:
    wordy = Topic("energy", "Energy", terms=(*ENERGY.terms, Term("jump", 0.1)))
    finding = only(audit(ARTICLES, (wordy, INFLATION)), Kind.DECIDES_NOTHING)

    assert (finding.term, finding.found_in) == ("jump", 1)


def test_without_articles_nothing_is_said_of_what_was_not_found() -> None:
    nothing: list[Article] = []

    assert audit(nothing, (ENERGY, SHIPPING)) == Audit(0, ())
