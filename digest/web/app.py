"""The web application: every page group under one roof."""

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from digest.config import Config
from digest.editions.render import Renderers
from digest.errors import BadToken, DatabaseUnreachable
from digest.links import Links
from digest.web.api.app import Api
from digest.web.archive import ArchivePages
from digest.web.data import DataPages
from digest.web.desk import DeskPages
from digest.web.feedback import FeedbackPages
from digest.web.figures import FiguresPage
from digest.web.guard import Guard, security_headers, style_hashes
from digest.web.hooks import HookPages
from digest.web.house import HousePages
from digest.web.kept import Kept
from digest.web.moving import MovingPages
from digest.web.others import OtherPages
from digest.web.pages import Pages
from digest.web.pictures import PicturePages
from digest.web.readers import ReaderPages
from digest.web.search import SearchPages
from digest.web.signup import FORM_PATHS, SignUpPages
from digest.web.stories import StoryPages
from digest.web.topics import TopicPages

log = structlog.get_logger(__name__)


def create_app(in_force: Callable[[], Config], engine: Engine, clock: Callable[[], datetime]) -> Starlette:
    """The pages of one service.

    Args:
        in_force: the configuration, asked for at each page.
        engine: the database.
        clock: what time it is.

    Raises:
        MissingSecret: there is no key to read signed links with.
        RenderFault: the site's locale is unknown.
    """
    config = in_force()
    links = Links(config.site.base_url, config.signing_keys)
    pages = Pages(in_force, engine, clock, links, Renderers(config, links))
    language = pages.language
    # Every page has the style of the base template, so any page will do to learn it from.
    styles = style_hashes(pages.renderer.page("error.html", heading="", sentence=""))

    def bad_token(_request: Request, _error: Exception) -> Response:
        return pages.error(
            404,
            language.gettext("This link does not work"),
            language.gettext(
                "It may have been cut short on its way. Please open it from the mail once more, or copy all of it."
            ),
        )

    def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:  # noqa: PLR2004
            heading = language.gettext("There is no such page")
            sentence = language.gettext("The address may be old or mistyped. The archive has every edition.")
        else:
            heading = language.gettext("That is not how this page works")
            sentence = language.gettext("Please go back, and use the page’s own buttons.")
        page = pages.error(error.status_code, heading, sentence)
        page.headers.update(error.headers or {})
        return page

    def trouble(status: int) -> Response:
        return pages.error(
            status,
            language.gettext("Something went wrong on our side"),
            language.gettext("It has been noted. Please try again in a few minutes."),
        )

    def unreachable(_request: Request, error: Exception) -> Response:
        log.error("failed", part="pages", reason=str(error))
        page = trouble(503)
        page.headers["Retry-After"] = "60"
        return page

    def broken(request: Request, _error: Exception) -> Response:
        page = trouble(500)
        # This answer is made outside the guard.
        page.headers.update(dict(security_headers(request.url.path, styles)))
        return page

    def scripted(path: str) -> bool:
        return (path == "/" or path.startswith(FORM_PATHS)) and pages.config.sign_up.proof_of_work

    kept = Kept(pages)
    groups = (
        SignUpPages(pages),
        ArchivePages(pages, kept),
        TopicPages(pages, kept),
        StoryPages(pages, kept),
        SearchPages(pages),
        DeskPages(pages),
        ReaderPages(pages),
        DataPages(pages),
        MovingPages(pages),
        OtherPages(pages),
        FeedbackPages(pages),
        PicturePages(pages),
        HookPages(pages),
        HousePages(pages),
        FiguresPage(pages),
    )
    app = Starlette(
        routes=[Api(pages).mount(), *(route for group in groups for route in group.routes())],
        middleware=[Middleware(Guard, styles, language, scripted)],
        exception_handlers={
            BadToken: bad_token,
            HTTPException: http_error,
            DatabaseUnreachable: unreachable,
            Exception: broken,
        },
    )
    # Starlette would redirect to whatever host the request names, and by http from behind a proxy.
    app.router.redirect_slashes = False
    return app
