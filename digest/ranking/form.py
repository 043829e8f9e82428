"""What a headline is when it is not a report: a list, a live page, an opinion, an advertisement."""

import re
from urllib.parse import urlsplit

from digest.model import Article

_TITLES = (
    ("a live page", r"^live\b\s*[:|\-–—]|\blive (?:updates?|blog|coverage)\b|\bas it happened\b|^watch live\b"),
    ("an advertisement", r"^(?:sponsored|advertorial|partner content|paid (?:post|content)|promoted)\b"),
    (
        "an opinion",
        r"^(?:opinion|op-?ed|editorial|comment|column|commentary|letters?|viewpoint|the guardian view|analysis-opinion)"
        r"\b\s*[:|\-–—]|\|\s*(?:opinion|editorial|letters?|comment)\b|\bbreakingviews\b",
    ),
    (
        "a list",
        r"^(?:the |these |here are |top )?(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|dozen)\s+(?:\w+\s+)?"
        r"(?:things|ways|reasons|takeaways|tips|charts|stocks|best|worst|questions|facts|lessons|signs|mistakes|ideas|"
        r"funds|etfs|shares|habits|cities|rules|steps)\b",
    ),
    (
        "a round-up",
        r"\b(?:stocks? to (?:watch|buy)|what to (?:watch|know)(?: today)?$|morning (?:brief|briefing|bid|call|squawk)|"
        r"(?:daily|evening|weekly|news) (?:brief|briefing|digest|round-?up|recap)|week ahead|weekahead|factbox|"
        r"take a look|business highlights|today in history|calendar of events|diary)\b",
    ),
    (
        "advice",
        r"^(?:how to|should (?:you|i)\b|can you\b|best \w+ (?:for|of)\b|is it (?:time|worth)\b)|"
        r"\bbest (?:credit cards?|savings? (?:accounts?|rates?)|cd rates?|mortgage lenders?|deals of)\b|\bmy husband\b|"
        r"\bmy wife\b|\bhoroscopes?\b|\bcrosswords?\b|\bquiz\b|\blottery\b|\bsudoku\b|\bwordle\b",
    ),
    (
        "a recording",
        r"^(?:video|watch|podcast|listen|photos?|in pictures|gallery)\b\s*[:|\-–—]|\(?\b(?:video|podcast)\)?$",
    ),
)
_FORMS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _TITLES)

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
    title = article.title.strip()
    for name, pattern in _FORMS:
        if pattern.search(title):
            return name
    folders = urlsplit(article.url).path.lower().split("/")[:-1]
    parts = {*folders, *(category.strip().lower() for category in article.categories)}
    for name, known in _PARTS.items():
        if not parts.isdisjoint(known):
            return name
    return ""
