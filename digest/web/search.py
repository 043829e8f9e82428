"""Searching what editions have told, and following a search or a topic as a feed. Addresses hold all that is asked."""

import re
from datetime import date
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.editions import feed as feeds
from digest.model import Topic
from digest.store import engine as engines
from digest.store import search as store
from digest.store.search import Found, Page, Search
from digest.web import fresh
from digest.web.feeds import FEEDS_MAY_BE_KEPT, written_as
from digest.web.house import publishers
from digest.web.pages import Pages
from digest.words import question

STORIES_A_PAGE = 20
STORIES_IN_FEED = 30
MOST_PUBLISHERS = 200
"""That are named in the page, to choose from; any other can be typed."""

MOST_NAME = 200
"""Characters of a topic's or publisher's name."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE = re.compile(r"[0-9]{1,19}")


class SearchPages:
    """Answers with stories of published editions."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/search", self.search, methods=["GET"]),
            Route("/search/feed.{kind}", self.search_feed, methods=["GET"]),
            Route("/topic/{topic}/feed.{kind}", self.topic_feed, methods=["GET"]),
        ]

    def search(self, request: Request) -> Response:
        """What is found, grouped by edition. What makes no sense in an address is passed over; it came from a form of ours."""
        wanted = asked(request.query_params)
        turned = request.query_params.get("page", "")
        page = self._find(wanted, STORIES_A_PAGE, int(turned) if _PLACE.fullmatch(turned) else None)
        links, config, query = self._pages.links, self._pages.config, in_address(wanted)
        older = links.search(f"{query}&{urlencode({'page': page.older})}") if page.older is not None else None
        feed, json_feed = self._feed_addresses(wanted) if wanted else ("", "")
        topics = [
            (topic.slug, topic.title) for topic in config.topics if topic.weight > 0 or topic.slug == wanted.topic
        ]
        return self._pages.page(
            "search.html",
            search=wanted,
            found=page.found,
            titles={digest.slug: digest.title for digest in config.digests},
            several=len(config.digests) > 1,
            topics=topics,
            topic_titles=dict(topics),
            publishers=publishers(config.feeds)[:MOST_PUBLISHERS],
            feed=feed,
            json_feed=json_feed,
            older=older,
        )

    def search_feed(self, request: Request) -> Response:
        """The newest that a search finds, as a feed."""
        wanted = asked(request.query_params)
        if not wanted:
            raise HTTPException(404)
        query = in_address(wanted)
        said = wanted.question.text or self._topic_title(wanted.topic) or wanted.publisher
        title = self._pages.language.gettext("Search: %(words)s", words=said)
        return self._feed(request, wanted, f"search?{query}", f"{self._pages.config.site.title} · {title}")

    def topic_feed(self, request: Request) -> Response:
        """The newest stories of a topic, as a feed."""
        topic = self._topic(request.path_params["topic"])
        if topic is None:
            raise HTTPException(404)
        wanted = Search(topic=topic.slug)
        return self._feed(request, wanted, f"topic/{topic.slug}", f"{self._pages.config.site.title} · {topic.title}")

    def _feed(self, request: Request, wanted: Search, name: str, title: str) -> Response:
        write, media_type = written_as(request.path_params["kind"])
        links = self._pages.links
        page = self._find(wanted, STORIES_IN_FEED)
        told = [(one.edition, item, one.corrections) for one in page.found for item in one.items]
        only_topic = wanted == Search(topic=wanted.topic) and self._topic(wanted.topic)
        at = links.topic(wanted.topic) if only_topic else links.search(in_address(wanted))
        feed = feeds.of_stories(name, title, at, self._feed_addresses(wanted), told, self._pages.renderer, links)
        body = write(feed)
        headers = {"Cache-Control": FEEDS_MAY_BE_KEPT}
        return fresh.answer(request, body, media_type, etag=fresh.tag(body), modified=feed.updated, headers=headers)

    def _find(self, wanted: Search, most: int, before: int | None = None) -> Page:
        """What is found in digests that have pages."""
        with engines.read(self._pages.engine) as connection:
            page = store.find(connection, wanted, most, before)
        return Page(tuple(found for found in page.found if self._has_pages(found)), page.older)

    def _has_pages(self, found: Found) -> bool:
        return self._pages.digest(found.edition.digest) is not None

    def _feed_addresses(self, wanted: Search) -> tuple[str, str]:
        """Of the feed of a search, as Atom and as JSON; a topic has one of its own."""
        links, query = self._pages.links, in_address(wanted)
        if wanted == Search(topic=wanted.topic) and self._topic(wanted.topic):
            return links.topic_feed(wanted.topic), links.topic_feed(wanted.topic, "json")
        return links.search_feed(query), links.search_feed(query, "json")

    def _topic(self, slug: str) -> Topic | None:
        return next((topic for topic in self._pages.config.topics if topic.slug == slug), None)

    def _topic_title(self, slug: str) -> str:
        topic = self._topic(slug)
        return topic.title if topic else ""


def asked(query: QueryParams) -> Search:
    """What an address asks for."""
    return Search(
        question(query.get("q", "")),
        _name(query.get("topic", "")),
        _name(query.get("publisher", "")),
        _day(query.get("from", "")),
        _day(query.get("to", "")),
    )


def in_address(wanted: Search) -> str:
    """The same as an address says it, in one way only."""
    said = {
        "q": wanted.question.text,
        "topic": wanted.topic,
        "publisher": wanted.publisher,
        "from": wanted.since,
        "to": wanted.until,
    }
    return urlencode({name: value for name, value in said.items() if value})


def _name(text: str) -> str:
    return question(text[:MOST_NAME]).text


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
