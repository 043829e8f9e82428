"""Pages about the service itself: how stories are chosen, and whether it is well."""

from collections.abc import Collection
from itertools import groupby

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from digest import health
from digest.errors import DigestError
from digest.language import Language
from digest.model import Feed, Topic
from digest.web.pages import Pages

log = structlog.get_logger(__name__)


class HousePages:
    """Answers what is asked about the service."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/how-stories-are-chosen", self.how, methods=["GET"]),
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
            Route("/health/service", self.service, methods=["GET"]),
        ]

    def how(self, _request: Request) -> Response:
        """Say what is read, what counts for how much, and what is never done."""
        config = self._pages.config
        return self._pages.page(
            "how.html",
            digests=config.digests,
            ranking=config.ranking,
            topics=weighted(config.topics, self._pages.language),
            publishers=publishers(config.feeds),
            feeds=len(config.feeds),
        )

    def live(self, _request: Request) -> Response:
        """Whether pages are answered at all."""
        return PlainTextResponse("live\n")

    def ready(self, _request: Request) -> Response:
        """Whether pages may be sent visitors: the database answers and has our schema.

        Strangers ask here too, so a sentence names no place; the log does. That no ticks come is said as well, but keeps no
        reader from a page: whoever wants to leave must be able to, whatever has become of the scheduler.
        """
        found = health.readiness(self._pages.engine, self._pages.clock())
        if found.reason:
            log.warning("not ready", reason=found.reason)
        document = {"ready": not found.faults, "faults": found.faults, "notes": found.notes}
        return JSONResponse(document, 503 if found.faults else 200)

    def service(self, _request: Request) -> Response:
        """Whether the whole service does its work, also what other processes do. What is wrong stands in the log."""
        try:
            found = health.look(self._pages.engine, self._pages.clock())
        except DigestError as error:
            found = (str(error),)
        for fault in found:
            log.warning("not well", reason=fault)
        return PlainTextResponse("not well\n", 503) if found else PlainTextResponse("well\n")


def weighted(topics: Collection[Topic], language: Language) -> list[tuple[str, list[Topic]]]:
    """The topics in groups, the weightiest first, each group with its weight in words."""
    in_order = sorted(topics, key=lambda topic: -topic.weight)
    return [
        (words, list(group))
        for words, group in groupby(in_order, key=lambda topic: weight_in_words(topic.weight, language))
    ]


def weight_in_words(weight: float, language: Language) -> str:
    """How much a topic counts, compared with a topic of weight 1."""
    if weight == 0:
        return language.gettext("Left to others")
    if weight == 1:
        return language.gettext("Count in full")
    if 0.75 <= weight <= 1.25:  # noqa: PLR2004
        return language.gettext("Count a little more") if weight > 1 else language.gettext("Count a little less")
    return language.gettext("Count much more") if weight > 1 else language.gettext("Count much less")


def publishers(feeds: Collection[Feed]) -> list[str]:
    """Whose feeds are read, each publisher once, by name."""
    return sorted({feed.publisher for feed in feeds}, key=str.casefold)
