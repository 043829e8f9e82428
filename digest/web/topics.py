"""The topics, and what editions have told of each, the newest first."""

import re

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.model import Topic
from digest.store import engine as engines
from digest.store import search as store
from digest.store.search import Page, Search
from digest.web import fresh
from digest.web.kept import Kept, Made
from digest.web.pages import Pages
from digest.words import Question

STORIES_A_PAGE = 20

_PLACE = re.compile(r"[0-9]{1,19}")


class TopicPages:
    """Answers with the stories of a topic, and with the list of topics."""

    def __init__(self, pages: Pages, kept: Kept) -> None:
        self._pages, self._kept = pages, kept

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/topics/", self.topics, methods=["GET"]),
            Route("/topics/{topic}", self.topic, methods=["GET"]),
        ]

    def topics(self, _request: Request) -> Response:
        """The topics that stories are chosen for."""
        return self._pages.page("topics.html", topics=self._topics())

    async def topic(self, request: Request) -> Response:
        """The stories of a topic, grouped by edition; `?page=` turns the page. The first page is kept."""
        slug, turned = request.path_params["topic"], request.query_params.get("page")
        topic = next((one for one in self._topics() if one.slug == slug), None)
        if topic is None or not (turned is None or _PLACE.fullmatch(turned)):
            raise HTTPException(404)
        if turned is None:
            return await self._kept.answer(request, ("topic", slug), lambda connection: self._made(connection, topic))
        made = await run_in_threadpool(self._older, topic, int(turned))
        return fresh.answer(request, made.body, made.media_type, etag=fresh.tag(made.body))

    def _older(self, topic: Topic, before: int) -> Made:
        with engines.read(self._pages.engine) as connection:
            return self._made(connection, topic, before)

    def _made(self, connection: Connection, topic: Topic, before: int | None = None) -> Made:
        config, links = self._pages.config, self._pages.links
        page = self._with_pages(store.find(connection, Search(topic=topic.slug), STORIES_A_PAGE, before))
        if before is not None and not page.found:
            raise HTTPException(404)
        older = links.topic(topic.slug, page.older) if page.older is not None else None
        text = self._pages.renderer.page(
            "topic.html",
            topic=topic,
            topics=self._topics(),
            first=before is None,
            asked=Question(),
            topic_titles={one.slug: one.title for one in config.topics},
            found=page.found,
            titles={digest.slug: digest.title for digest in config.digests},
            several=len(config.digests) > 1,
            older=older,
        )
        return Made(text.encode(), "text/html")

    def _with_pages(self, page: Page) -> Page:
        return Page(tuple(one for one in page.found if self._pages.digest(one.edition.digest)), page.older)

    def _topics(self) -> tuple[Topic, ...]:
        return tuple(topic for topic in self._pages.config.topics if topic.weight > 0)
