"""What a headline is when it is not a report: a list, a live page, an opinion, an advertisement."""

import re
from urllib.parse import urlsplit

from digest.model import Article

_TITLES = {
    "a live page": (
        r"^live\b\s*[:|\-–—]",
        r"\blive (?:updates?|blog|coverage|report)\b|\bas it happened\b",
        r"[-–—][\w ]* live$",
    ),
    "an advertisement": (r"^(?:sponsored|advertorial|partner content|paid (?:post|content)|promoted)\b",),
    "an opinion": (
        r"^(?:opinion|op-?ed|editorial|comment|column|commentary|letters?|viewpoint)\b\s*[:|\-–—]",
        r"\|\s*(?:opinion|editorial|letters?|comment)\b|^the guardian view\b|\bbreakingviews\b",
    ),
    "an explainer": (
        r"^(?:explainer|factbox|timeline|q&a)\b|\bexplained\b\s*(?::|\?|$)",
        r"\bhere'?s (?:what|why|how)\b",
    ),
    "a list": (
        (
            r"^(?:the |these |here are |top )?(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\s+(?:\w+\s+)?"
            r"(?:things|ways|reasons|takeaways|tips|charts|stocks|best|worst|questions|facts|lessons|signs|mistakes|"
            r"ideas|funds|etfs|shares|habits|rules|steps)\b"
        ),
    ),
    "a round-up": (
        r"\bstocks? to (?:watch|buy)\b|\bwhat to (?:watch|know)(?: today)?$|\bmorning (?:brief|briefing|bid|call)\b",
        r"\b(?:daily|evening|weekly|news) (?:brief|briefing|digest|round-?up|recap)\b|\bweek ?ahead\b",
        r"\btake a look\b|\bbusiness highlights\b|\btoday in history\b|^here'?s the latest\b|\bword of the day\b",
    ),
    "advice": (
        r"^(?:how to|should (?:you|i)\b|can you\b|best \w+ (?:for|of|to)\b|is it (?:time|worth)\b)",
        r"\bbest (?:credit cards?|savings? (?:accounts?|rates?)|cd rates?|mortgage lenders?)\b",
        r"\bmy (?:husband|wife)\b|\bhoroscopes?\b|\bcrosswords?\b|\bquiz\b|\blottery\b|\bsudoku\b|\bwordle\b",
        r"\bprice prediction\b|\bshould know$",
    ),
    "a recording": (
        r"^(?:video|watch|podcast|listen|photos?|in pictures|gallery)\b\s*[:|\-–—]|\b(?:video|podcast)\)?$",
    ),
}
_FORMS = {name: re.compile("|".join(patterns), re.IGNORECASE) for name, patterns in _TITLES.items()}

_PARTS = {
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


def form(article: Article) -> str:
    """What the article is if it is not a report ("a live page", "an opinion", ...), or "".

    Judged by its title, the folders of its address and the categories its publisher gave it.
    """
    title = article.title.strip().replace("\u2019", "'")
    for name, pattern in _FORMS.items():
        if pattern.search(title):
            return name
    folders = urlsplit(article.url).path.lower().split("/")[:-1]
    parts = {*folders, *(category.strip().lower() for category in article.categories)}
    for name, known in _PARTS.items():
        if not parts.isdisjoint(known):
            return name
    return ""
