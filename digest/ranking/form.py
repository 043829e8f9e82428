"""What a headline is when it is not a report: a list, a live page, an opinion, an advertisement, a press release."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain

from digest.model import Article

SHARES: Mapping[str, float] = {
    "an advertisement": 1.0,
    "a press release": 1.0,
    "sport or leisure": 1.0,
    "advice": 1.0,
    "a list": 0.75,
    "price talk": 0.75,
    "a round-up": 0.75,
    "an opinion": 0.75,
    "a recording": 0.5,
    "a market report": 0.5,
    "an explainer": 0.5,
    "a live page": 0.5,
}
"""What share of the points of `form` each loses. Whoever would not read it for the news loses all; what has the news in
it, and only tells it otherwise, loses half."""

# What wires put before a headline, such as "UPDATE 2-" or "REFILE-".
_TAGS = r"^(?:(?:update|wrapup|refile|rpt|corrected|correction|exclusive)\s?\d{0,2}\s?[-:]\s?)*"
_REGIONS = (
    r"(?:u\.?s\.?|u\.?k\.?|british|europe(?:an)?|euro zone|asian?|asia-pacific|pacific|japan(?:ese)?|tokyo|chin(?:a|ese)|"
    r"hong kong|indian?|canad(?:a|ian)|australian?|german|french|spanish|swiss|russian?|gulf|nordic|benelux|brazil(?:ian)?|"
    r"(?:south |s\. ?)?(?:korean?|africa)|global|world|emerging)"
)
_INDEXES = (
    r"(?:wall st(?:reet)?|dow(?: jones)?|s&p(?: ?500|/[at]sx(?: 200)?)?|nasdaq|ftse(?: 100)?|nikkei(?: 225)?|topix|sensex|nifty|"
    r"hang seng|dax|cac(?: 40)?|stoxx(?: 600)?|tsx|asx 200|kospi)"
)
_MARKETS = (
    rf"(?:{_INDEXES}|(?:stocks|equities|stock markets?|{_REGIONS} (?:stocks?|shares|equities|(?:stock )?markets?|"
    r"stock(?: market)? ind(?:ices|exes))))(?:[ -]?futures)?"
)
_TURNS = (
    r"(?:(?:open|close|end|finish)(?:s|ed)? (?:(?:[\w.%]+ ){0,2}(?:up|down|higher|lower|flat|mixed|little changed)|"
    r"above|below|at|near|in the (?:green|red))\b|"
    r"(?:to |seen |set (?:to|for) )(?:extend|rise|fall|drop|gain|(?:open|start) (?:up|down|higher|lower|flat|mixed))\b|"
    r"(?:rise|fall|gain|slip|dip|climb|drop|edge|inch|drift|waver|advance|decline|retreat|rebound|ease|tick|extend)s?\b|"
    r"(?:up|down|higher|lower|mixed|flat|steady|subdued|little changed|in the (?:green|red))\b)"
)
# What wires put before a market report, such as "US STOCKS SNAPSHOT-"; in capitals, which tell it from a headline.
_SLUGS = re.compile(
    rf"(?i:{_TAGS})(?:[A-Z.]{{2,}}[ /])*(?:STOCKS|MARKETS|FOREX|FX|BONDS|DEBT|TREASURIES|PRECIOUS|METALS|GRAINS|SOFTS)"
    r"(?: [A-Z]+)?\s?-"
)

# All for titles in small letters. Each begins with "^" or "\b" where it can: see `_either`.
_TITLES = {
    "a press release": (
        r"^(?:shareholder|investor|class action) (?:alert|notice|reminder)\b",
        r"\bclass action\b.*\b(?:deadline|remind)",
        r"\bannounces (?:the |its )?(?:pricing|closing|completion|timing|appointment|availability|launch) of\b",
        r"\b(?:announces|reports) (?:\w+ )?(?:first|second|third|fourth|full)[- ](?:quarter|year)\b.*\bresults\b",
        r"\bto (?:present|participate|host|webcast)\b.*\b(?:conference|call|webcast|webinar)\b",
    ),
    "a live page": (
        r"^(?:[\w&. ]+ )?live\b\s*[:|]",
        r"^live\b\s*[-–—]",
        r"\blive (?:updates?|blog|coverage|report)\b",
        r"\bas it happened\b",
        r"[-–—][\w ]* live$",
    ),
    "an advertisement": (r"^(?:sponsored|advertorial|partner content|paid (?:post|content)|promoted)\b",),
    "an opinion": (
        r"^(?:opinion|op-?ed|editorial|comment|column|commentary|letters?|viewpoint)\b\s*[:|\-–—]",
        r"\|\s*(?:opinion|editorial|letters?|comment)\b",
        r"^the guardian view\b",
        r"\bbreakingviews\b",
        r"[-–—]\s*op-?ed$",
    ),
    "price talk": (
        r"^(?:why|what)\b.*\b(?:bitcoin|dow|gold|nasdaq|prices?|shares|silver|stocks?)\b.*\b(?:now|today)\b",
        r"\b(?:price|rate|silver|gold) predictions?\b",
        r"\bwhat (?:should )?(?:investors|traders) (?:should )?(?:do|know)\b",
    ),
    "a market report": (
        r"\bmarkets? wrap\b",
        r"\bmarket data$",
        r"\bstock markets? (?:(?:\w+ )?today|on the move)\b",
        rf"\b{_INDEXES}\b.*\b{_INDEXES}\b",
        rf"^{_MARKETS} (?:crash|jump|plung|rall|ris|sink|slid|soar|surg|tumbl)(?:es|s|ing|y|ying)? (?:\w+ )?today\b",
        rf"{_TAGS}ahead of the bell\b",
        r"\b(?:biggest|top) (?:movers|gainers|losers)\b",
        r"\bmaking the biggest moves\b",
        r"\bgainers(?: and |-)losers\b",
        r"\bfactors? to watch\b",
        r"\bmarket (?:today )?prediction\b",
        r"\bstocks (?:crash|fall|jump|plunge|rally|rise|sink|slide|soar|surge|tumble)\w* today\b",
        rf"{_TAGS}{_MARKETS}(?:(?:,| and) {_INDEXES})*(?:,? [\w&]+)?,? (?:mostly |slightly )?{_TURNS}",
    ),
    "an explainer": (
        r"^(?:explainer|factbox|timeline|q&a)\b",
        r"^what (?:is|are) (?:an? |the )?[\w ()'’\"“”-]+\?",
        r"\bexplained\b\s*(?::|\?|$)",
        r"\bhere'?s (?:what|why|how)\b",
        r"\bwhat to know$",
    ),
    "a list": (
        (
            r"^(?:the |these |here are |top )?(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\s+(?:\w+\s+)?"
            r"(?:things|ways|reasons|takeaways|tips|charts|stocks|best|worst|questions|facts|lessons|signs|mistakes|"
            r"ideas|funds|etfs|shares|habits|rules|steps)\b"
        ),
        r"^which\b.*\?$",
    ),
    "a round-up": (
        r"^top news\b",
        r"\bstocks? to (?:watch|buy)\b",
        r"\bwhat to (?:watch(?: today)?|know today)$",
        r"\bmorning (?:brief|briefing|bid|call)\b",
        r"\b(?:daily|evening|weekly|news) (?:brief|briefing|digest|round-?up|recap)\b",
        r"\bweek ?ahead\b",
        r"\btake a look\b",
        r"\bbusiness highlights\b",
        r"\btoday in history\b",
        r"^here'?s the latest\b",
        r"\b(?:word|quote) of the day\b",
        r"^(?:mon|tues|wednes|thurs|fri|satur|sun)day briefing\b",
        r"\bpress digest\b",
        r"\bdeals of the day\b",
    ),
    "advice": (
        r"^(?:how to|should (?:you|i)\b|can you\b|best \w+ (?:for|of|to)\b|is it (?:time|worth)\b)",
        r"\bbest (?:credit cards?|savings? (?:accounts?|rates?)|cd rates?|mortgage lenders?)\b",
        r"\bmy (?:husband|wife)\b",
        r"\bhoroscopes?\b",
        r"\bzodiac\b",
        r"\bcrosswords?\b",
        r"\bquiz\b",
        r"\blottery\b",
        r"\bsudoku\b",
        r"\bwordle\b",
        r"\bshould know$",
        r"\bhow to (?:apply|avoid|check|claim|file|qualify)\b",
        r"\b(?:are|do) you (?:eligible|qualify)\b",
        r"\bwho (?:is eligible|qualifies)\b",
        r"[:–—-] (?:know|check) (?:details|exact|how|the|when|where|your)\b",
        r"\bcheck (?:eligibility|status|your)\b",
        r"\b(?:application|claim|refund) (?:status|tracker)\b",
        r"\bsteps to (?:apply|check|claim|follow)\b",
        r"\b(?:last|due) date\b",
        r"\bdetails (?:here|to know|inside)$",
        r"\byour (?:bill|bills|mortgage|pension|refund|salary|savings|tax|taxes|wallet)\b",
        r"\bwhen (?:and how )?you can\b",
        r"\bshould you (?:buy|hold|invest|sell)\b",
    ),
    "a recording": (
        r"^(?:video|watch|podcast|listen|photos?|in pictures|gallery)\b\s*[:|\-–—]",
        r"[(|:\-–—]\s*(?:video|podcast)\)?$",
        r"\bnew episode\b",
    ),
}


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for many. What they begin with is tried once at each place of a title, and not once for each."""
    by_start: dict[str, list[str]] = {}
    for pattern in patterns:
        start = next(start for start in ("^", r"\b", "") if pattern.startswith(start))
        by_start.setdefault(start, []).append(pattern.removeprefix(start))
    if r"\b" in by_start:
        by_start[r"\b(?=\w)"] = by_start.pop(r"\b")
    return re.compile("|".join(f"{start}(?:{'|'.join(those)})" for start, those in by_start.items()))


_FORMS = {name: _either(patterns) for name, patterns in _TITLES.items()}
_ANY_FORM = _either(chain.from_iterable(_TITLES.values()))

# Whose business is to spread what companies say of themselves, and the mark they leave in a summary.
_WIRES = re.compile(
    r"https?://(?:[^/?#]*\.)?"
    r"(?:prnewswire|businesswire|globenewswire|accesswire|accessnewswire|newsfilecorp|einpresswire|prweb)\.\w+(?![\w.-])"
)
_RELEASED = re.compile(
    r"/\s?prnewswire\b|\b(?:business ?wire|globe ?newswire)\)|\(accesswire\b|\b(?:today announced|pleased to announce)\b",
)
_RELEASE_WORDS = ("wire", "announce")

_PARTS = {
    "a press release": {"press-release", "press-releases", "pressrelease", "news-releases"},
    "a live page": {"live", "liveblog", "live-news", "live-updates"},
    "an opinion": {"opinion", "opinions", "commentisfree", "op-ed", "editorial", "editorials", "letters", "columnists"},
    "an advertisement": {"sponsored", "partner-content", "paid-content", "advertorial"},
    "a recording": {"video", "videos", "podcast", "podcasts", "gallery", "pictures"},
    "sport or leisure": {
        *("sport", "sports", "football", "soccer", "cricket", "tennis", "rugby", "golf", "olympics", "nba", "nfl"),
        *("entertainment", "celebrity", "celebrities", "lifestyle", "style", "fashion", "recipes", "dining"),
        *("movies", "music", "tv", "tv-and-radio", "film", "games", "horoscope", "horoscopes", "lifeandstyle"),
        *("arts", "culture", "books", "theater", "stage", "weather", "obituaries", "well"),
    },
}


_ANY_PART = frozenset().union(*_PARTS.values())


def form(article: Article) -> str:
    """What the article is if it is not a report ("a live page", "an opinion", ...), or "": one of `SHARES`.

    Judged by its title, the host and folders of its address, the categories its publisher gave it, and what wires write
    into summaries. What an official source releases is no press release: it is what reports are made of.
    """
    address = article.url.lower()
    if _WIRES.match(address) or _is_release(article.summary.lower()):
        return _unless_official("a press release", article)
    if name := _of_title(article.title.strip().replace("\u2019", "'")):
        return _unless_official(name, article)
    folders = address.partition("?")[0].partition("#")[0].split("/")[3:-1]
    parts = {*folders, *(category.strip().lower() for category in article.categories)}
    if not parts.isdisjoint(_ANY_PART):
        return _unless_official(next(name for name, known in _PARTS.items() if not parts.isdisjoint(known)), article)
    return ""


def _is_release(summary: str) -> bool:
    return any(word in summary for word in _RELEASE_WORDS) and bool(_RELEASED.search(summary))


@lru_cache(maxsize=1 << 13)
def _of_title(title: str) -> str:
    small = title.lower()
    by_slug = _SLUGS.match(title)
    if not by_slug and not _ANY_FORM.search(small):
        return ""
    return next(
        name for name, pattern in _FORMS.items() if pattern.search(small) or (by_slug and name == "a market report")
    )


def _unless_official(name: str, article: Article) -> str:
    return "" if name == "a press release" and article.feed.official else name
