"""What readers think of an edition: two links of the mail lead to one page, and a button of that page says it.

A link by itself says nothing, since programs that scan mail open all of them.
"""

from enum import StrEnum

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.model import Edition, EditionState
from digest.store import editions, feedback, subscribers
from digest.store import engine as engines
from digest.web.pages import Pages


class Word(StrEnum):
    """What a reader can say, as it ends the address in the mail."""

    USEFUL = "useful"
    NOT_USEFUL = "not-useful"


class FeedbackPages:
    """Answers the feedback links of the mail."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/feedback/{token}/{word}", self.ask, methods=["GET"]),
            Route("/feedback/{token}/{word}", self.say_form, methods=["POST"]),
        ]

    def ask(self, request: Request) -> Response:
        """Ask whether the edition was useful, the word of the link first."""
        word = _word(request)
        found = self._opened(request)
        return found if isinstance(found, Response) else _page(*found, word)

    async def say_form(self, request: Request) -> Response:
        """Keep what the pressed button says, and give thanks."""
        async with request.form() as form:
            return await run_in_threadpool(self._say, request, form)

    def _say(self, request: Request, form: FormData) -> Response:
        word = _word(request)
        found = self._opened(request)
        if isinstance(found, Response):
            return found
        pages, edition = found
        said = str(form.get("action", ""))
        if said not in set(Word):
            return _page(pages, edition, word)
        _, subscription_id, _ = self._named(request)
        with engines.write(pages.engine) as connection:
            feedback.keep(connection, edition.id, subscription_id, useful=said == Word.USEFUL, now=pages.clock())
        return _page(pages, edition, Word(said), kept=True)

    def _opened(self, request: Request) -> tuple[Pages, Edition] | Response:
        """The pages for whose link it is and the edition that it asks about, or the page that says why it asks about none."""
        edition_id, subscription_id, version = self._named(request)
        with engines.read(self._pages.engine) as connection:
            edition = editions.by_id(connection, edition_id)
            subscription = subscribers.subscription(connection, subscription_id)
        pages = self._pages.to(subscription)
        known = edition is not None and edition.state is EditionState.FROZEN
        if edition is None or not known or subscription is None or subscription.version != version:
            return pages.error(
                404,
                pages.language.gettext("This link has been replaced"),
                pages.language.gettext(
                    "It belongs to an edition or a subscription that is no more. The newest edition in your inbox has links that work."
                ),
            )
        return pages, edition

    def _named(self, request: Request) -> tuple[int, int, int]:
        return self._pages.links.read_feedback(request.path_params["token"])


def _page(pages: Pages, edition: Edition, word: Word, *, kept: bool = False) -> Response:
    return pages.page("feedback.html", edition=edition, word=word.value, kept=kept)


def _word(request: Request) -> Word:
    try:
        return Word(request.path_params["word"])
    except ValueError as error:
        raise HTTPException(404) from error
