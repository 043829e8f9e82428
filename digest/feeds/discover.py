"""Which feed is meant by an address: the feed that stands there, or the one that belongs to the page that does."""

from dataclasses import dataclass
from urllib.parse import urljoin

from digest.config import Config
from digest.feeds.fetching.fetch import Fetcher, user_agent
from digest.feeds.look import Look, look
from digest.feeds.outcomes import Parsed
from digest.feeds.reading.sandbox import Parser

USUAL_PLACES = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml")
MOST_ALTERNATES = 10


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, everything that was looked at in order, and the feeds that a page named."""

    found: Look | None
    looks: tuple[Look, ...]
    named: tuple[str, ...] = ()


async def discover(config: Config, url: str) -> Discovery:
    """Find the feed at an address.

    Where a web page stands, the feeds that it names are tried in its order, or if it names none, the places where sites
    usually have theirs.
    """
    async with Fetcher(config.fetch, user_agent(config.site)) as fetcher, Parser(config.fetch.most_entries) as parser:
        first = await look(url, fetcher, parser)
        if isinstance(first.document, Parsed) or not first.found_at:
            return Discovery(first if isinstance(first.document, Parsed) else None, (first,))
        named = tuple(other for other in dict.fromkeys(first.document.alternates) if other != first.found_at)
        looks = [first]
        for candidate in named[:MOST_ALTERNATES] or [urljoin(first.found_at, place) for place in USUAL_PLACES]:
            looks.append(await look(candidate, fetcher, parser))
            if isinstance(looks[-1].document, Parsed):
                return Discovery(looks[-1], tuple(looks), named)
        return Discovery(None, tuple(looks), named)
