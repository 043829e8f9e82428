"""Words that speak of the same thing in business headlines, though they are different words.

Each line names a thing, and after the colon the words and phrases (of up to three words) that speak of it. Two
headlines with words of one line have the thing in common, besides the words that they share; a word may stand in
several lines. Correct and add as you see fit, in the singular and in small letters. What a great many headlines speak of
(a rise, a deal, a profit) is not worth a line: measured, it joins strangers as often as it joins twins.
"""

import re

from digest.ranking.stories.stems import light_stem

_LINES = """
the Fed: fed, federal reserve, fomc, powell, yellen, bernanke, taper
the ECB: ecb, european central bank, lagarde, draghi, trichet
the Bank of England: boe, bank of england, bailey, carney
the Bank of Japan: boj, bank of japan, ueda, kuroda
currencies: forex, currency, dollar, euro, yen, sterling, pound, franc, aussie, kiwi
bonds: bond, treasury, treasuries, bund, gilt, yield
oil: oil, crude, brent, wti, opec, barrel, petroleum
precious metals: precious, gold, bullion, silver, palladium, platinum
metals: metal, copper, aluminium, aluminum, nickel, zinc
grains: grain, wheat, corn, maize, soybean
"""

LONGEST = 3
"""The most words of a phrase."""


def _table(lines: str) -> dict[tuple[str, ...], str]:
    table = {}
    for line in lines.strip().splitlines():
        thing, words = line.split(":")
        for words_of_one in words.split(","):
            table[tuple(light_stem(word) for word in re.split(r"[\s-]+", words_of_one.strip()))] = f"~{thing}"
    return table


THINGS = _table(_LINES)
"""The thing, as a term of its own, by the light stems of the words that speak of it."""

FIRST = frozenset(stems[0] for stems in THINGS)
"""The first stems of all the phrases."""


def _speakers() -> dict[str, frozenset[str]]:
    things: dict[str, set[str]] = {}
    for stems, thing in THINGS.items():
        things.setdefault(thing, set()).update(stems)
    return {thing: frozenset(stems) for thing, stems in things.items()}


SPEAKERS = _speakers()
"""All the stems that speak of each thing."""
