"""Which market a headline reports on, if it is a market report.

A market report names the day's events as its reasons: "Dollar slips as Yellen speaks" is about the dollar. It is not the
story of Yellen's speech, nor that of the shares which fell for the same reason.
"""

from collections.abc import Sequence

_WORDS = {
    "shares": """
        stocks stock shares equities bourses ftse nikkei topix dax cac tsx sensex nifty stoxx csi300 kospi asx bovespa
        ibovespa hang
        """,
    "wall street": "wallstreet wallst nasdaq dow s&p russell djia",
    "currencies": """
        dollar euro yen pound sterling forex yuan rupee ruble rouble lira kiwi aussie loonie franc won currency
        currencies krona peso rand
        """,
    "precious metals": "gold precious bullion silver palladium platinum",
    "oil": "oil crude brent wti nymex",
    "bonds": "treasuries bond bonds bunds gilts treasury yields bund",
    "grains": "grains corn wheat soybeans soy soybean maize softs",
    "metals": "copper metals nickel aluminium aluminum",
}
_MARKET_OF = {word: market for market, words in _WORDS.items() for word in words.split()}

_BEFORE = frozenset(
    """
    us usa uk global world asian asia european europe japan japanese chinese china indian india canada canadian german
    emerging euro zone area eurozone latin brazil australian australia hongkong southkorea korean korea nordic french spanish british
    britain london toronto newyork tech early midday weekly
    """.split()  # noqa: SIM905
)
"""What may stand before the market's word: whose market it is."""

_NO_MARKET_BEFORE = frozenset(
    """
    company companies exchange firm firms giant giants group industry minister producer producers secretary services
    spill tanker
    """.split()  # noqa: SIM905
)
"""What makes a word before it no market: an oil company, the Treasury secretary."""

_TAGS = {("global", "markets"): "shares", ("forex",): "currencies"}
_PARTNER = {"hang": ("seng",)}
_AMERICAN = ("us", "usa")


def market(words: Sequence[str]) -> str:
    """The market whose report a headline is, given its words in small letters; "" if it is none.

    A market report has the market's word first, after at most the words that say whose market it is.
    """
    for tag, of_tag in _TAGS.items():
        if tuple(words[: len(tag)]) == tag:
            return of_tag
    place = 0
    while place < len(words) and words[place] in _BEFORE:
        if words[place] == "euro" and words[place + 1 : place + 2] not in (["zone"], ["area"]):
            break
        place += 1
    if place == len(words):
        return ""
    word, following = words[place], words[place + 1] if place + 1 < len(words) else ""
    found = _MARKET_OF.get(word, "")
    if following in _NO_MARKET_BEFORE or (word in _PARTNER and following not in _PARTNER[word]):
        return ""
    if found == "shares" and any(earlier in _AMERICAN for earlier in words[:place]):
        return "wall street"
    return found
