"""Which release of economic figures a headline reports: whose, of what, and of which period.

"The U.S. added 130,000 jobs in January" and "US labour market stronger than expected" report one release with hardly a
word in common. Each line names what is released, and after the colon the phrases (in the singular, in small letters) by
which headlines speak of it; "…" stands for up to three other words. Correct and add as you see fit, but only what names
the figures themselves: "wages" or "exports" alone are in too many other headlines.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from digest.model import Article, Story
from digest.ranking.stories.stems import light_stem
from digest.ranking.stories.terms import headline, read
from digest.ranking.text import family, tokens

_LINES = """
employment: payroll, jobs report, jobs data, jobs figures, job growth, job gain, job creation, jobs market, labour market,
    labor market, hiring surge, hiring soar, hiring slow, hiring rebound, employment, unemployment, lower unemployment rate,
    jobless rate, joblessness, add … jobs, jobs rebound, jobs surge
jobless claims: jobless claim, unemployment claim, claim for jobless, claim for unemployment, application for jobless,
    application for unemployment
job openings: job opening, job vacancy, hiring rate
consumer prices: inflation, consumer price, cpi, cost of living
producer prices: producer price, ppi, wholesale price, wholesale inflation, producer inflation, factory gate price
output: gdp, gross domestic product, economic growth, economy grow, economy grew, economy expand, economy shrink,
    economy shrank, economy contract, economy stagnate, economy slow
retail sales: retail sale
industrial output: industrial production, industrial output, factory output, manufacturing output
orders: factory order, industrial order, durable goods
activity: pmi, purchasing managers, factory activity, manufacturing activity, services activity, business activity
foreign trade: trade deficit, trade surplus, trade gap, trade balance
consumer confidence: consumer confidence, consumer sentiment
house prices: house price, home price
home sales: home sale, house sale
home building: housing start, building permit
policy rate: cut … rate, lower … rate, raise … rate, hike … rate, lift … rate, hold … rate, keep … rate, leave … rate,
    maintain … rate, rate unchanged, rate steady, rate on hold
"""
_OTHERS = """
    debt to gdp, boost to gdp, share of gdp, percentage of gdp, percent of gdp, inflation target, unemployment benefit,
    rate cut, rate hike, jobless benefit,
    to add … jobs, to lower … rate, to cut … rate, to raise … rate, to hike … rate, to lift … rate, to hold … rate,
    to keep … rate, to leave … rate
    """
"""Phrases that begin as those above and speak of something else, or of what has not happened yet."""
ANY, MOST = "…", 3
"""What stands in a phrase for up to so many words."""
_NOT_ANY = frozenset(map(light_stem, "birth business exchange jobless mortgage swap tax unemployment".split()))  # noqa: SIM905
"""What it does not stand for: an exchange rate is no policy rate."""

_POLICY = "policy rate"
"""What is decided, so that a headline need not have a figure, a period or a sign."""
_SIGN_WORDS = """
    expected expectations forecast forecasts estimates unexpectedly surprise data figures report unchanged flat steady
    statistics
    """
_SIGNS = frozenset(map(light_stem, _SIGN_WORDS.split()))
_TALK = frozenset(
    """
    could expects if likely may might plans predicts says see sees should thinks unlikely urges warns why will
    """.split()  # noqa: SIM905
)
"""What makes a headline one of somebody's view, or of what may come, and of no release."""

SPOKEN = 1 / 4
"""A story reports a release if at least so many of its headlines do; any of them may be the one that a reader sees."""

_MONTHS = """
    january february march april may june july august september october november december
    """
_PERIODS = {word: month[:3] for month in _MONTHS.split() for word in (month, month[:3])} | {"sept": "sep"}
_PERIODS |= {f"q{number}": f"q{number}" for number in range(1, 5)}
_QUARTERS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}
_ALSO_WORDS = {"march", "may"}
_BEFORE_MONTHS = {"by", "for", "from", "in", "last", "of", "since", "to"}


def _table(lines: str) -> dict[str, str]:
    """What each phrase speaks of."""
    table: dict[str, str] = {}
    for line in re.split(r"\n(?! )", lines.strip()):
        of, phrases = line.split(":")
        table |= dict.fromkeys(map(str.strip, phrases.split(",")), of)
    return table


class _Phrase(NamedTuple):
    """The stems of a phrase, and what it speaks of; "" where that is no release."""

    stems: tuple[str, ...]
    of: str


def _by_first(table: dict[str, str]) -> dict[str, list[_Phrase]]:
    """The phrases by their first stem, the longer before the shorter, which are part of them."""
    found: dict[str, list[_Phrase]] = defaultdict(list)
    for phrase, of in sorted(table.items(), key=lambda one: -len(one[0].replace(ANY, "").split())):
        stems = tuple(map(light_stem, phrase.split()))
        found[stems[0]].append(_Phrase(stems, of))
    return found


_PHRASES = _by_first({**_table(_LINES), **dict.fromkeys(map(str.strip, _OTHERS.split(",")), "")})


_LETTERS = re.compile("[a-z]+")
_stem = lru_cache(maxsize=1 << 14)(light_stem)


class Release(NamedTuple):
    """Figures that a country, or a bloc, releases. `period` is a month or quarter, "" where no headline names it."""

    country: str
    of: str
    period: str

    def is_that_of(self, other: "Release") -> bool:
        """Whether both are one, as far as their headlines tell."""
        same = (self.country, self.of) == (other.country, other.of)
        return same and (self.period == other.period or not (self.period and other.period))


def pairs(stories: Sequence[Story]) -> list[tuple[int, int]]:
    """The pairs of stories that report one release, by their places."""
    by_figures: dict[tuple[str, str], list[tuple[int, Release]]] = defaultdict(list)
    for place, story in enumerate(stories):
        if found := release(story):
            by_figures[found.country, found.of].append((place, found))
    return [
        (one, other)
        for those in by_figures.values()
        for (one, its), (other, others) in combinations(those, 2)
        if its.is_that_of(others)
    ]


def release(story: Story) -> Release | None:
    """The release that a story reports, as at least the share SPOKEN of its headlines say; None where they do not.

    A headline that reports one does not say what a market made of it, what somebody thinks of it or what it will be. A country
    or a period that it leaves out, others of the story may name; where they name several countries, none is meant.
    """
    read_headlines = [(article, found) for article in story.articles if (found := _of(article)).of]
    if not read_headlines:
        return None
    ((of, count),) = Counter(found.of for _, found in read_headlines).most_common(1)
    if count < SPOKEN * len(story.articles):
        return None
    same = [(read(article).countries, found.period) for article, found in read_headlines if found.of == of]
    countries = {countries for countries, _ in same if countries}
    if len(countries) != 1 or len(one := next(iter(countries))) != 1:
        return None
    return Release(next(iter(one)), of, next((period for _, period in same if period), ""))


class _Headline(NamedTuple):
    of: str
    period: str


_NOTHING = _Headline("", "")


def _of(article: Article) -> _Headline:
    if family(article.language) != "en":
        return _NOTHING
    found = _read(headline(article))
    return _NOTHING if found.of and read(article).market else found


@lru_cache(maxsize=1 << 13)
def _read(title: str) -> _Headline:
    """The first indicator that a headline names, if it reports a release, and the first period."""
    if _PHRASES.keys().isdisjoint(map(_stem, _LETTERS.findall(title.lower()))):
        return _NOTHING
    words = [written.lower() for written, _ in tokens(title)]
    stems = list(map(_stem, words))
    of = _first_of(stems)
    period = _period(words)
    if not of or title.endswith("?") or not (_TALK - {period}).isdisjoint(words):  # "may" is a month as well
        return _NOTHING
    reports = of == _POLICY or period or any(map(str.isdigit, title)) or not _SIGNS.isdisjoint(stems)
    return _Headline(of if reports else "", period)


def _first_of(stems: Sequence[str]) -> str:
    """What the first phrase that speaks of a release speaks of."""
    past = 0
    for place, stem in enumerate(stems):
        if stem not in _PHRASES or place < past:
            continue
        for phrase in _PHRASES[stem]:
            if past := _end(phrase.stems, stems, place):
                if phrase.of:
                    return phrase.of
                break
    return ""


def _end(phrase: Sequence[str], stems: Sequence[str], place: int) -> int:
    """Where a phrase ends that begins at a place; 0 where it does not."""
    for number, stem in enumerate(phrase):
        if stem == ANY:
            rest = phrase[number + 1 :]
            for end in range(place, place + MOST + 1):
                if found := _end(rest, stems, end):
                    return found
                if end >= len(stems) or stems[end] in _NOT_ANY:
                    break
            return 0
        if place >= len(stems) or stems[place] != stem:
            return 0
        place += 1
    return place


def _period(words: Sequence[str]) -> str:
    for place, word in enumerate(words):
        if word in _PERIODS and (word not in _ALSO_WORDS or (place and words[place - 1] in _BEFORE_MONTHS)):
            return _PERIODS[word]
        if word in _QUARTERS and words[place + 1 : place + 2] == ["quarter"]:
            return _QUARTERS[word]
    return ""
