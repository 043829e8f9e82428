"""The page of a story: who reports it, where it ran, and why it was chosen, all as editions were frozen."""

import re
from collections.abc import Mapping

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.editions import telling
from digest.store import stories as store
from digest.web.kept import Kept, Made
from digest.web.pages import Pages

_ID = re.compile(r"s[0-9]{1,19}")


class StoryPages:
    """Answers with stories of published editions."""

    def __init__(self, pages: Pages, kept: Kept) -> None:
        self._pages, self._kept = pages, kept

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [Route("/stories/{story}", self.story, methods=["GET"])]

    async def story(self, request: Request) -> Response:
        """A story in the words of the edition that told it last under this id."""
        story = request.path_params["story"]
        if not _ID.fullmatch(story):
            raise HTTPException(404)
        return await self._kept.answer(request, ("story", story), lambda connection: self._made(connection, story))

    def _made(self, connection: Connection, story: str) -> Made:
        titles = self._titles()
        tellings = store.tellings(connection, story, titles)
        told = next((one for one in tellings if one.item.story_id == story), None)
        if told is None:
            raise HTTPException(404)
        text = self._pages.renderer.page(
            "story.html",
            told=told,
            tellings=tellings,
            reports=telling.reports((told.item, *(one.item for one in tellings))),
            reasons=telling.reasons(told.item.receipt, self._pages.language),
            titles=titles,
            several=len(titles) > 1,
            topics={topic.slug: topic.title for topic in self._pages.config.topics if topic.weight > 0},
        )
        return Made(text.encode(), "text/html")

    def _titles(self) -> Mapping[str, str]:
        return {digest.slug: digest.title for digest in self._pages.config.digests}
